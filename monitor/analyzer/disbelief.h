/*
 * disbelief - how many of a server's decisions were believed within the last hour, and how many
 * were not, so that it is shown for as long as it lasts.
 *
 *     record.h: is it signed, and its own? -> note, note, note -> sums of the last hour
 *
 * Counts lie in six slots of ten minutes, by the time the decisions came; the sums are of those and
 * of the slot that runs.
 *
 * Owner:    a plain value of the caller's, which begins as zeros.  Threads: pure functions.
 * Errors:   none.  A clock that goes back begins anew.
 */
#ifndef WEIR_ANALYZER_DISBELIEF_H
#define WEIR_ANALYZER_DISBELIEF_H

#include <stdbool.h>

#include "core/base/clock.h"
#include "monitor/analyzer/record.h"

#define WEIR_DISBELIEF_SLOT (10 * WEIR_MINUTE)
#define WEIR_DISBELIEF_SLOTS 7 /* the last hour's and the one that runs */

struct weir_disbelief {
    int64_t slot;               /* the one that runs */
    uint32_t count[WEIR_DISBELIEF_SLOTS][WEIR_RECORD_STATES];
    bool told;                  /* weir_disbelief_news() said so, and it lasts */
};

/* A decision came; or what was none. */
void weir_disbelief_note(struct weir_disbelief *disbelief, enum weir_record_state state,
                         weir_time now);

/* By state; whether any was not believed. */
bool weir_disbelief_sum(const struct weir_disbelief *disbelief, weir_time now,
                        uint64_t sum_r[static WEIR_RECORD_STATES]);

/* Whether that has begun since the last call. */
bool weir_disbelief_news(struct weir_disbelief *disbelief, weir_time now);

#endif
