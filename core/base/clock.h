/*
 * clock - what time it is, handed in.
 *
 * Nothing that decides asks the system for the time: it is given a weir_time,
 * and only programs own a clock.  Tests own one they can set.
 */
#ifndef WEIR_BASE_CLOCK_H
#define WEIR_BASE_CLOCK_H

#include <stdint.h>

/* Microseconds since 1970-01-01 00:00 UTC. */
typedef int64_t weir_time;

#define WEIR_SECOND ((weir_time)1000000)
#define WEIR_MINUTE (60 * WEIR_SECOND)
#define WEIR_HOUR (60 * WEIR_MINUTE)
#define WEIR_DAY (24 * WEIR_HOUR)

struct weir_clock {
    weir_time (*now)(void *context);
    void *context;
};

weir_time weir_clock_now(const struct weir_clock *clock);

/* The system's clock (clock_io.c).  Wall time, for what is stored or shown. */
struct weir_clock weir_clock_system(void);

/* The system's steady clock (clock_io.c).  For waits and deadlines: never steps. */
struct weir_clock weir_clock_steady(void);

/* A clock that shows *hand and moves only when the caller moves it. */
struct weir_clock weir_clock_fixed(weir_time *hand);

#define WEIR_TIME_TEXT 24 /* "2026-11-21T18:13:00Z" and its NUL */

/* Writes time as RFC 3339 in UTC, whole seconds; returns buffer.  A time out
 * of the years 1970..9999 is written as "-". */
const char *weir_time_format(weir_time time, char buffer[static WEIR_TIME_TEXT]);

#endif
