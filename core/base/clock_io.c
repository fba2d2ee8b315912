/*
 * The system's two clocks.  Programs hand one of them in; nothing else in Weir
 * asks for the time.
 */
#include <time.h>

#include "core/base/clock.h"

static weir_time read_system(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now); /* cannot fail: both ids exist on every Linux */
    return (weir_time)now.tv_sec * WEIR_SECOND + now.tv_nsec / 1000;
}

static weir_time wall_now(void *context)
{
    (void)context;
    return read_system(CLOCK_REALTIME);
}

static weir_time steady_now(void *context)
{
    (void)context;
    return read_system(CLOCK_MONOTONIC);
}

struct weir_clock weir_clock_system(void)
{
    return (struct weir_clock){.now = wall_now};
}

struct weir_clock weir_clock_steady(void)
{
    return (struct weir_clock){.now = steady_now};
}
