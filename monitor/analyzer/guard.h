/*
 * guard - would new scores make good mail spam?  Recent messages are judged anew, one by one, and
 * changes to blame are taken back (claims B1, B16).
 *
 * A message is judged by its score then, each rule's points then exchanged for those it has now,
 * and for those it would have.  Where a good one is below the spam score now and would reach it,
 * the change that raises it most is refused, then the next, until it would not.  Refusing a rise
 * harms no other message, so that one pass over the messages is enough, in whatever order.
 *
 * A message between ham and spam that nobody said anything of was delivered, and may be good.  It
 * is taken for good, too, unless the rule to blame hits so much plain spam that it is likely more
 * of that: WEIR_GUARD_SPAM for each that its change makes spam.
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
    double spam;               /* it hit lately that was spam without it; what a message between
                                  takes is taken off */
    bool refused;              /* its change, for the sake of a message */
    uint64_t message;
    double wanted;             /* what next was */
};

struct weir_guard_hit {
    uint32_t rule;
    double points;             /* then */
};

struct weir_guard_message {
    uint64_t uid;
    double score;              /* then */
    bool unsure;               /* between ham and spam, by its verdict alone */
    const struct weir_guard_hit *hit;
    size_t hits;
};

/* By id, as weir_guard_take() wants them. */
void weir_guard_sort(struct weir_guard_rule *rule, size_t rules);

#define WEIR_GUARD_SPAM 10

/* Judges a message anew that is good or unsure; a rule whose change is refused has next as now from
 * then on.  How many were. */
unsigned weir_guard_take(struct weir_guard_rule *rule, size_t rules, double spam_score,
                         const struct weir_guard_message *message);

/* What it scores with the rules as they are. */
double weir_guard_score(struct weir_guard_rule *rule, size_t rules,
                        const struct weir_guard_message *message);

#endif
