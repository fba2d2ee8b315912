/*
 * even - a time that goes on evenly, whatever is done to the wall clock.
 *
 * Frames carry the system's time, and a clock that is set an hour ahead would end every connection
 * by silence, in the middle of a message.  So sessions live by a time of their own: the wall
 * clock's at the start, and from then on as many seconds later as have passed.
 *
 * Threads:  pure; a plain value of its owner, all zero to begin with.
 */
#ifndef WEIR_SNIFFER_EVEN_H
#define WEIR_SNIFFER_EVEN_H

#include "core/base/clock.h"

struct weir_even {
    weir_time now;              /* at the last look; 0: there was none */
    weir_time base;             /* even time less the steady clock's */
    weir_time ahead;            /* the wall clock's less even time */
};

/* A look at both clocks: to be taken before frames are read, as many as came meanwhile. */
void weir_even_look(struct weir_even *even, weir_time wall, weir_time steady);

#define WEIR_EVEN_LATE (10 * WEIR_MINUTE)

/* The even time of a wall clock's time; one from behind the last look, or from more than
 * WEIR_EVEN_LATE before it, is from the other side of a step, and counts as now. */
weir_time weir_even_of(const struct weir_even *even, weir_time wall);

#endif
