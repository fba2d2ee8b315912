/*
 * view_decision - why a message was decided as it was, in words: where each point came from, what
 * the limits were, what reputation said.
 *
 * What its server did not tell, or nobody keeps, is said to be so.  Points are exact; words beside
 * the signed string are the server's own.
 *
 * Owner, threads, errors: view.h.
 */
#ifndef WEIR_VIEW_VIEW_DECISION_H
#define WEIR_VIEW_VIEW_DECISION_H

#include <jansson.h>

#include "monitor/database/database_found_io.h"

/* Whether points are Weir's own ("REPUTATION"), or the rest of a string (0), and no rule's. */
bool weir_view_is_own_point(uint32_t id);

/* Where points come from: "rule", "reputation", "bayes", "address" (its own
 * points), "string" (a forged one), "rules" (given up), "rest" (summed up). */
const char *weir_view_point_source(uint32_t id);

/* What there is to say of own points. */
json_t *weir_view_point_why(uint32_t id, const struct weir_found_message *message);

/* {"verdict", "action", "ground", "words"}; action and ground are null where they are not kept. */
json_t *weir_view_decided(const struct weir_found_message *message);

/* {"unsure", "spam", "reject", "words"}; numbers are null where they are not kept. */
json_t *weir_view_limits(const struct weir_found_message *message);

/* {"probability", "confidence", "basis", "words"}; the same. */
json_t *weir_view_reputation_then(const struct weir_found_message *message);

/* What it was decided without, a sentence each; null where that is not kept. */
json_t *weir_view_lacking(const struct weir_found_message *message);

#endif
