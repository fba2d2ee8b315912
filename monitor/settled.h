/*
 * settled - whether the wall clock can be trusted to say what is old.
 *
 * A machine whose clock battery is dead starts years in the past, and one wrong word of a time
 * server sets it years ahead: whoever forgets by such a clock forgets everything.  It is trusted
 * while it goes on where it was when something was last forgotten, or when it has gone evenly with
 * the steady clock for WEIR_SETTLED_AFTER.
 *
 * Threads:  pure; a plain value of its owner.
 */
#ifndef WEIR_MONITOR_SETTLED_H
#define WEIR_MONITOR_SETTLED_H

#include <stdbool.h>

#include "core/base/step.h"

#define WEIR_SETTLED_BEHIND (5 * WEIR_MINUTE) /* corrections since it was last trusted */
#define WEIR_SETTLED_AWAY (2 * WEIR_DAY)    /* a monitor may have been off so long */
#define WEIR_SETTLED_AFTER WEIR_HOUR

struct weir_settled {
    weir_time last;             /* wall: when it was last trusted; 0: never */
    weir_time since;            /* steady: it has gone evenly from then on; 0: nobody asked yet */
};

/* Begins with when it was last trusted, perhaps by a process before. */
struct weir_settled weir_settled_begin(weir_time last);

/* Whether it is trusted now; step: by how much it was set since the last time, as step.h says. */
bool weir_settled(struct weir_settled *settled, weir_time wall, weir_time steady, weir_time step);

#endif
