/*
 * The pure side of the clock: asking the one that was handed in, a clock for
 * tests, and a time as text.  Owns nothing.  The calendar is worked out here,
 * since the C library's would read time zone files on the way.
 */
#include "core/base/clock.h"

#include <stdio.h>

weir_time weir_clock_now(const struct weir_clock *clock)
{
    return clock->now(clock->context);
}

static weir_time read_hand(void *context)
{
    return *(const weir_time *)context;
}

struct weir_clock weir_clock_fixed(weir_time *hand)
{
    return (struct weir_clock){.now = read_hand, .context = hand};
}

struct date {
    unsigned year, month, day;
};

/* Years are counted from the first of March, so that the leap day is a year's
 * last; then months 0 (March) to 11 (February) begin on days that a straight
 * line of 153 days in 5 months passes through. */
static struct date date_of_day(unsigned day_since_1970)
{
    unsigned day = day_since_1970 + 719468; /* since 0000-03-01 */
    unsigned cycle = day / 146097;          /* 400 years */
    unsigned in_cycle = day % 146097;
    unsigned century = in_cycle / 36524;
    if (century == 4) /* the 400th year's leap day belongs to the fourth century */
        century = 3;
    unsigned in_century = in_cycle - century * 36524;
    unsigned year4 = in_century / 1461;
    unsigned in_year4 = in_century % 1461;
    unsigned year = in_year4 / 365;
    if (year == 4)
        year = 3;
    unsigned in_year = in_year4 - year * 365;
    unsigned month = (5 * in_year + 2) / 153;
    return (struct date){
        .year = cycle * 400 + century * 100 + year4 * 4 + year + (month >= 10),
        .month = month < 10 ? month + 3 : month - 9,
        .day = in_year - (153 * month + 2) / 5 + 1,
    };
}

const char *weir_time_format(weir_time time, char buffer[static WEIR_TIME_TEXT])
{
    const weir_time year_10000 = INT64_C(253402300800) * WEIR_SECOND;
    if (time < 0 || time >= year_10000) {
        buffer[0] = '-';
        buffer[1] = '\0';
        return buffer;
    }
    struct date date = date_of_day((unsigned)(time / WEIR_DAY));
    unsigned second = (unsigned)(time % WEIR_DAY / WEIR_SECOND);
    snprintf(buffer, WEIR_TIME_TEXT, "%04u-%02u-%02uT%02u:%02u:%02uZ", date.year % 10000,
             date.month % 100, date.day % 100, second / 3600, second / 60 % 60, second % 60);
    return buffer;
}
