/*
 * hearing - how well a server's sniffer hears of late, by what it tells of itself.
 *
 *     lines of health -> note, note, note -> what was added within the last hour or two
 *
 * A sniffer tells sums since its start (traffic_line.h), which may be months ago.  Here is what was
 * added to them in the hour that runs and in the one before, by the sniffer's own time, so that
 * trouble is shown while there is some, and for an hour after.  What is told first, or first after
 * a restart, is only what the next ones are measured from.
 *
 * Owner:    a plain value of the caller's, which begins as zeros.  Threads: pure functions.
 * Errors:   none.
 * Limits:   one sniffer of a server; sums stop at WEIR_HEALTH_MAX.  A line from before the last
 *           one is passed over; from long before it, the clock was put back, and it is the first.
 */
#ifndef WEIR_INTAKE_HEARING_H
#define WEIR_INTAKE_HEARING_H

#include <stdbool.h>

#include "core/store/traffic_line.h"

enum weir_hearing_kind {
    WEIR_HEARING_PACKETS,        /* all of them; whatever follows is trouble */
    WEIR_HEARING_KERNEL_DROPPED,
    WEIR_HEARING_GAPS,
    WEIR_HEARING_SPOOL_DROPPED,
    WEIR_HEARING_ODD,
    WEIR_HEARING_FORGED,
    WEIR_HEARING_UNPROVEN,
    WEIR_HEARING_KINDS
};

/* The word of the sniffer's line: "packets", "kernel_dropped", ... */
const char *weir_hearing_name(enum weir_hearing_kind kind);

struct weir_hearing {
    weir_time told;              /* of the last line; 0: none came yet */
    uint64_t last[WEIR_HEARING_KINDS];   /* its sums */
    uint64_t hour[WEIR_HEARING_KINDS];   /* added in the hour of it, */
    uint64_t before[WEIR_HEARING_KINDS]; /* and in the one before */
};

void weir_hearing_note(struct weir_hearing *hearing, const struct weir_health *health);

/* What was added in the hour of a time and in the one before; whether any of it is trouble. */
bool weir_hearing_sum(const struct weir_hearing *hearing, weir_time now,
                      uint64_t sum_r[static WEIR_HEARING_KINDS]);

#endif
