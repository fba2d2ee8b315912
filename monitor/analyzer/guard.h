/*
 * guard - would new scores make good mail spam?  Recent messages are judged anew, one by one, and
 * changes to blame are taken back (claims B1, B16).
 *
 * A message is judged by its score then, each rule's points then exchanged for those it has now,
 * and for those it would have.  Where a good one is below the spam score now and would reach it,
 * the change that raises it most is refused, then the next, until it would not.  Refusing a rise
 * harms no other message, so that one pass over the messages is enough, in whatever order.
 *
 * Threads:  pure, but for the rules, which are the caller's.
 */
#ifndef WEIR_ANALYZER_GUARD_H
#define WEIR_ANALYZER_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct weir_guard_rule {
    uint32_t id;
    double now, next;          /* points a hit adds */
    bool refused;              /* its change, for the sake of a message */
    uint64_t message;
};

struct weir_guard_hit {
    uint32_t rule;
    double points;             /* then */
};

struct weir_guard_message {
    uint64_t uid;
    double score;              /* then */
    const struct weir_guard_hit *hit;
    size_t hits;
};

/* By id, as weir_guard_take() wants them. */
void weir_guard_sort(struct weir_guard_rule *rule, size_t rules);

/* Judges a good message anew; a rule whose change is refused has next as now from then on.  How
 * many were. */
unsigned weir_guard_take(struct weir_guard_rule *rule, size_t rules, double spam_score,
                         const struct weir_guard_message *message);

#endif
