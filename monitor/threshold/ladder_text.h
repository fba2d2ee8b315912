/*
 * ladder_text - a ladder of responses as an operator writes it.
 *
 *     alert 10m, score 3 1h, defer 15m, reject 4h
 *
 * Steps with commas between them, the mildest first: what is done, for a score its points, and how
 * long it lasts until the next step is taken (s, m, h, d).
 *
 * Owner:    a plain value.  Threads: a pure function.
 * Errors:   WEIR_EINVAL with *why_r (static text).
 * Limits:   WEIR_LADDER_STEPS_MAX steps; a step lasts a second at least and 365 days at most.
 */
#ifndef WEIR_THRESHOLD_LADDER_TEXT_H
#define WEIR_THRESHOLD_LADDER_TEXT_H

#include "core/base/cursor.h"
#include "monitor/threshold/ladder.h"

/* Reads the steps into *ladder_r; its name is left alone. */
int weir_ladder_text_read(struct weir_slice text, struct weir_ladder_class *ladder_r,
                          const char **why_r);

#endif
