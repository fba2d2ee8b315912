/*
 * ctl_pending - what was learned and is not stored yet.
 *
 * A replay reads after every line what all lines before it have added.  Storing
 * each line by itself costs more than all the rest; so additions are
 * kept for some lines, and what is read is completed from here.  The sum is the
 * same as from the store, to the rounding of one event (below 0.01 %).
 *
 * Owner:    the caller.   Limits: WEIR_CTL_PENDING_MAX additions, as many as
 *           the counters buffer.
 */
#ifndef WEIR_CTL_PENDING_H
#define WEIR_CTL_PENDING_H

#include "core/base/limits.h"
#include "core/store/counters.h"

#define WEIR_CTL_PENDING_MAX WEIR_EVENTS_MAX
#define WEIR_CTL_PENDING_HEADS 1024 /* a power of two */

struct weir_ctl_addition {
    struct weir_counter counter;
    weir_time when;
    double weight; /* the sum, as of when */
    uint16_t next; /* of the same head; 0: none, else its index + 1 */
};

struct weir_ctl_pending {
    size_t n;
    size_t noted; /* additions, of which several may be of one counter */
    uint16_t head[WEIR_CTL_PENDING_HEADS];
    struct weir_ctl_addition addition[WEIR_CTL_PENDING_MAX];
};

/* Notes an addition, not earlier than the last one of this counter; false when there is no room. */
bool weir_ctl_pending_note(struct weir_ctl_pending *pending, const struct weir_counter *counter,
                           weir_time when, double weight);

/* Adds to n readings, read as of now, what is pending for them. */
void weir_ctl_pending_complete(const struct weir_ctl_pending *pending, weir_time now,
                               struct weir_reading *reading, size_t n);

/* Forgets all: it is stored. */
void weir_ctl_pending_clear(struct weir_ctl_pending *pending);

#endif
