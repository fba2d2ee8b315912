/*
 * The two clocks of matching.  Only differences of their readings mean anything.
 */
#include "core/evidence/match_clock_io.h"

#include <time.h>

static uint64_t nanoseconds(clockid_t clock)
{
    struct timespec time = {.tv_sec = 0};
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * UINT64_C(1000000000) + (uint64_t)time.tv_nsec;
}

uint64_t weir_match_used(void)
{
    return nanoseconds(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t weir_match_clock(void)
{
    return nanoseconds(CLOCK_MONOTONIC);
}
