/*
 * allowance - so many an hour, and the same once more at the beginning.
 *
 * A bucket of n that fills up in an hour: at most 2 n within any hour, n an hour in the long run.
 * It is full when nothing was taken yet.
 *
 * Owner:    a plain value of the caller's, which begins as zeros.  Threads: pure functions.
 * Errors:   none.  Limits: a time before the last one is taken for the last one.
 */
#ifndef WEIR_THRESHOLD_ALLOWANCE_H
#define WEIR_THRESHOLD_ALLOWANCE_H

#include <stdbool.h>

#include "core/base/clock.h"

struct weir_allowance {
    double missing;              /* of what is allowed, when something was taken last */
    weir_time time;
};

/* Whether one more is left at a time; most: so many an hour. */
bool weir_allowance_left(const struct weir_allowance *allowance, unsigned most, weir_time time);

/* Takes one, also where none is left: then all of it is missing. */
void weir_allowance_take(struct weir_allowance *allowance, unsigned most, weir_time time);

#endif
