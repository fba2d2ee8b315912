/*
 * view_time - times and spans as people write them.
 *
 * Pure: what is read does not depend on this machine's time zone; a time
 * without a zone is UTC, as all times that Weir prints.  Refuses what is no
 * date (February 30) instead of shifting it.
 */
#include "monitor/view/view_time.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"

#define TIME_DIGITS 10 /* of Unix seconds */

struct text {
    const char *at;
    bool bad;
};

/* Exactly so many digits. */
static int number(struct text *text, unsigned digits)
{
    int value = 0;
    for (unsigned i = 0; i < digits && !text->bad; i++) {
        text->bad = *text->at < '0' || *text->at > '9';
        if (!text->bad)
            value = 10 * value + (*text->at++ - '0');
    }
    return value;
}

static bool skip(struct text *text, const char *any)
{
    if (text->bad || *text->at == '\0' || strchr(any, *text->at) == NULL)
        return false;
    text->at++;
    return true;
}

static void expect(struct text *text, const char *any)
{
    if (!skip(text, any))
        text->bad = true;
}

static bool leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days from 1970-01-01 to a date of the Gregorian calendar, or -1 when it is none. */
static int64_t days(int year, int month, int day)
{
    static const int in_month[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    if (year < 1970 || month < 1 || month > 12 || day < 1)
        return -1;
    if (day > in_month[month - 1] + (month == 2 && leap(year)))
        return -1;
    int past = year - 1;
    int64_t leaps = past / 4 - past / 100 + past / 400 - (1969 / 4 - 1969 / 100 + 1969 / 400);
    return 365 * (int64_t)(year - 1970) + leaps + before[month - 1] + (month > 2 && leap(year)) +
           day - 1;
}

/* "Z", "+01:00", "-0530" or nothing: seconds to subtract. */
static int64_t zone(struct text *text)
{
    if (skip(text, "Zz"))
        return 0;
    int sign = *text->at == '-' ? -1 : 1;
    if (!skip(text, "+-"))
        return 0;
    int hours = number(text, 2);
    skip(text, ":");
    int minutes = number(text, 2);
    text->bad |= hours > 14 || minutes > 59;
    return sign * (hours * 3600 + minutes * 60);
}

static int64_t time_of_day(struct text *text)
{
    int hour = number(text, 2);
    expect(text, ":");
    int minute = number(text, 2);
    int second = skip(text, ":") ? number(text, 2) : 0;
    text->bad |= hour > 23 || minute > 59 || second > 59;
    return hour * 3600 + minute * 60 + second;
}

static int read_date(const char *from, weir_time *time_r)
{
    struct text text = {from, false};
    int year = number(&text, 4);
    expect(&text, "-");
    int month = number(&text, 2);
    expect(&text, "-");
    int day = number(&text, 2);
    int64_t date = text.bad ? -1 : days(year, month, day);
    int64_t seconds = 0;
    if (skip(&text, "Tt "))
        seconds = time_of_day(&text);
    seconds -= zone(&text);
    if (text.bad || date < 0 || *text.at != '\0' || date * 86400 + seconds < 0)
        return WEIR_EINVAL;
    *time_r = (date * 86400 + seconds) * WEIR_SECOND;
    return 0;
}

int weir_view_time_read(const char *text, weir_time *time_r)
{
    size_t whole = strspn(text, "0123456789");
    const char *rest = text + whole;
    size_t parts = *rest == '.' ? strspn(rest + 1, "0123456789") : 0;
    bool seconds = rest[0] == '\0' || (parts > 0 && rest[1 + parts] == '\0');
    if (whole == 0 || whole > TIME_DIGITS || parts > 9 || !seconds)
        return read_date(text, time_r);
    *time_r = (weir_time)(strtod(text, NULL) * (double)WEIR_SECOND + 0.5);
    return 0;
}

int weir_view_period_read(const char *text, weir_time *period_r)
{
    static const struct {
        const char *name;
        weir_time span;
    } units[] = {{"ms", 1000},      {"s", WEIR_SECOND}, {"m", WEIR_MINUTE},
                 {"h", WEIR_HOUR},  {"d", WEIR_DAY},    {"w", 7 * WEIR_DAY}};
    size_t len = strspn(text, "0123456789");
    if (len == 0 || len > 6)
        return WEIR_EINVAL;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(text + len, units[i].name) == 0) {
            *period_r = strtol(text, NULL, 10) * units[i].span;
            return 0;
        }
    return WEIR_EINVAL;
}
