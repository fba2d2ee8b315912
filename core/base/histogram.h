/*
 * histogram - how long things took, counted in buckets whose bounds never change.
 *
 *     10 us  25  50  100 us ... 1 ms ... 1 s  2.5  5  10 s, and what took longer
 *
 * Three bounds a decade: fine enough to tell 5 ms from 10, coarse enough that a page of memory
 * holds dozens.  As the bounds are fixed, histograms of several programs and machines may be added
 * up. Adding is one comparison a bound at most and two atomic additions: some 10 ns, no lock, so
 * that threads, and processes that share memory, add to one.
 *
 * Owner:    the caller; all zeroes is an empty one.  Threads: any, also processes.
 * Errors:   none.  Who reads while others add sees each bucket as it was at some moment; what the
 *           sum has, the buckets have, too.
 * Limits:   WEIR_HISTOGRAM_MOST things, which a double still tells apart.
 */
#ifndef WEIR_BASE_HISTOGRAM_H
#define WEIR_BASE_HISTOGRAM_H

#include <stdatomic.h>
#include <stdbool.h>

#include "core/base/clock.h"

#define WEIR_HISTOGRAM_BOUNDS 19
#define WEIR_HISTOGRAM_BUCKETS (WEIR_HISTOGRAM_BOUNDS + 1) /* the last: beyond all bounds */
#define WEIR_HISTOGRAM_MOST (UINT64_C(1) << 53)

struct weir_histogram {
    _Atomic uint64_t bucket[WEIR_HISTOGRAM_BUCKETS];
    _Atomic uint64_t sum; /* microseconds */
};

struct weir_histogram_reading {
    uint64_t bucket[WEIR_HISTOGRAM_BUCKETS]; /* each for itself, not added up */
    uint64_t sum;
};

/* The upper bounds, in microseconds; what takes exactly so long is below it. */
extern const weir_time weir_histogram_bound[WEIR_HISTOGRAM_BOUNDS];

/* That `times` things took so long, each; less than 0 (a clock that was set) is 0.  NULL: nothing
 * is counted. */
void weir_histogram_add(struct weir_histogram *histogram, weir_time took, uint64_t times);

void weir_histogram_read(const struct weir_histogram *histogram,
                         struct weir_histogram_reading *reading_r);

/* Whether things can have made it: there are no more than may be, and the sum is not more than
 * they can have taken.  It may be less: who adds is killed, too. */
bool weir_histogram_sound(const struct weir_histogram_reading *reading);

#endif
