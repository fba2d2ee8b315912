/*
 * histogram - fixed bounds, 1-2.5-5 in each decade.  Most things are quick, so that the bounds are
 * looked at from below.
 */
#include "core/base/histogram.h"

#define ROUNDING 1e-9 /* of so many additions of doubles, and more */

const weir_time weir_histogram_bound[WEIR_HISTOGRAM_BOUNDS] = {
    10,     25,     50,     100,     250,     500,                     /* microseconds */
    1000,   2500,   5000,   10000,   25000,   50000, 100000, 250000, 500000, /* milliseconds */
    1000000, 2500000, 5000000, 10000000,                               /* seconds */
};

void weir_histogram_add(struct weir_histogram *histogram, weir_time took, uint64_t times)
{
    unsigned at = 0;

    if (!histogram || times == 0)
        return;
    if (took < 0)
        took = 0;
    while (at < WEIR_HISTOGRAM_BOUNDS && took > weir_histogram_bound[at])
        at++;
    atomic_fetch_add_explicit(&histogram->bucket[at], times, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->sum, (uint64_t)took * times, memory_order_release);
}

void weir_histogram_read(const struct weir_histogram *histogram,
                         struct weir_histogram_reading *reading_r)
{
    reading_r->sum = atomic_load_explicit(&histogram->sum, memory_order_acquire);
    for (unsigned i = 0; i < WEIR_HISTOGRAM_BUCKETS; i++)
        reading_r->bucket[i] =
            atomic_load_explicit(&histogram->bucket[i], memory_order_relaxed);
}

bool weir_histogram_sound(const struct weir_histogram_reading *reading)
{
    uint64_t all = 0;
    double most = 0;

    for (unsigned i = 0; i < WEIR_HISTOGRAM_BUCKETS; i++) {
        if (reading->bucket[i] > WEIR_HISTOGRAM_MOST - all)
            return false;
        all += reading->bucket[i];
        if (i < WEIR_HISTOGRAM_BOUNDS)
            most += (double)reading->bucket[i] * (double)weir_histogram_bound[i];
    }
    return reading->sum <= INT64_MAX &&
           (reading->bucket[WEIR_HISTOGRAM_BOUNDS] > 0 ||
            (double)reading->sum <= most * (1 + ROUNDING));
}
