/*
 * step - whether the wall clock was set since the last look at both clocks, and by how much.
 *
 *     first look: 0    look: 0    the clock is put an hour back    look: -3600 s    look: 0
 *
 * A clock that is corrected little by little is not set: what differs by WEIR_STEP_LEAST or less
 * from one look to the next is no step.
 *
 * Threads:  pure; a plain value of its owner, all zero to begin with.
 */
#ifndef WEIR_BASE_STEP_H
#define WEIR_BASE_STEP_H

#include <stdbool.h>

#include "core/base/clock.h"

#define WEIR_STEP_LEAST WEIR_MINUTE

struct weir_step {
    weir_time ahead;            /* the wall clock's time less the steady one's, at the last look */
    bool looked;
};

/* By how much the wall clock was set since the last look, forward or (less than 0) back; 0: it was
 * not, or this is the first look. */
weir_time weir_step_look(struct weir_step *step, weir_time wall, weir_time steady);

#endif
