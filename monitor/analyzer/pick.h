/*
 * pick - which rules of the rulebook are published, and as what text (claim B11).
 *
 *     locked                 always
 *     active, test           when they hit, or came into their state, within the idle period;
 *                            rules about addresses always
 *     whatever a picked meta rule names, directly or through others: in its own state, so that one
 *                            that is retired counts 0 there; rules whose names begin with "__" only
 *                            so
 *
 * The text is the language of rule_source.h, in the order of ids; each rule has lines for its
 * score, id and, unless active, state, so that it is the same rule with the same number everywhere.
 *
 * Owner:    everything in the caller's arena.  Threads: pure.
 * Errors:   WEIR_ENOMEM; WEIR_ELIMIT: more than WEIR_RULES_MAX.
 */
#ifndef WEIR_ANALYZER_PICK_H
#define WEIR_ANALYZER_PICK_H

#include "core/base/arena.h"
#include "core/base/cursor.h"
#include "monitor/database/database_rules_io.h"

struct weir_pick;

/* idle 0: everything of these states. */
int weir_pick_new(struct weir_arena *arena, weir_time idle, weir_time now,
                  struct weir_pick **pick_r);

/* One of the rulebook, of whatever state; copied.  last_hit 0: never. */
int weir_pick_add(struct weir_pick *pick, const struct weir_kept_rule *rule, weir_time last_hit);

/* The text, and how many rules are in it. */
int weir_pick_end(struct weir_pick *pick, struct weir_slice *text_r, size_t *rules_r);

#endif
