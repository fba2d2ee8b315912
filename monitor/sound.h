/*
 * sound - the time by which what people and rules did is dated and weighed: the wall clock's, but a
 * step of it is believed only when it has gone evenly for an hour after it.
 *
 *     wall clock:   12:00   a year ahead for some seconds   12:01
 *     sound:        12:00   12:00:30                        12:01
 *
 * A count that halves in a month is worth nothing beside a message that is dated a year later: one
 * wrong word of a time server must not date any.  Until a step is believed, the steady clock says
 * how the time before it goes on; a wall clock that comes back to that was wrong, and nobody was
 * misled.  The first time asked for is believed.
 *
 * Threads:  pure; a plain value of its owner, all zero to begin with.
 */
#ifndef WEIR_MONITOR_SOUND_H
#define WEIR_MONITOR_SOUND_H

#include <stdbool.h>

#include "core/base/step.h"

#define WEIR_SOUND_AFTER WEIR_HOUR

struct weir_sound {
    struct weir_step step;
    weir_time ahead;            /* the sound time less the steady one */
    weir_time since;            /* steady: of the last step */
    bool begun, doubt;
};

/* The sound time, when both clocks say this. */
weir_time weir_sound_now(struct weir_sound *sound, weir_time wall, weir_time steady);

#endif
