/*
 * A date is read word by word: its parts are told apart by their looks (a month's
 * name, hh:mm, a four-digit number behind the month), because every second program
 * puts them in an order of its own.  Refused is what lacks day, month, year or time of day,
 * has one of them out of range, or has more words than a date can have.
 */
#include "core/mail/mail_date.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "core/base/slice.h"

#define WORDS_MOST 8 /* a day of week, day, month, year, time, AM or PM, zone, and one to spare */
#define YEAR_MOST 9999

struct date {
    int day, month, year, hour, minute, second; /* -1: not seen yet */
    bool zoned, afternoon;
    int zone; /* minutes east of UTC */
};

static bool is_gap(char c)
{
    return weir_is_blank(c) || c == ',';
}

/* The next word; a comment ends the date. */
static struct weir_slice next_word(struct weir_slice *text)
{
    while (text->len > 0 && is_gap(*text->at)) {
        text->at++;
        text->len--;
    }
    struct weir_slice word = {text->at, 0};
    while (word.len < text->len && !is_gap(word.at[word.len]) && word.at[word.len] != '(')
        word.len++;
    text->at += word.len;
    text->len -= word.len;
    return word;
}

static bool word_is(struct weir_slice word, const char *text)
{
    return word.len == strlen(text) && strncasecmp(word.at, text, word.len) == 0;
}

/* A number of so many digits at most that fills the word; -1 when it is none. */
static int number(struct weir_slice word, size_t digits)
{
    int value = 0;
    if (word.len == 0 || word.len > digits)
        return -1;
    for (size_t i = 0; i < word.len; i++) {
        if (word.at[i] < '0' || word.at[i] > '9')
            return -1;
        value = 10 * value + (word.at[i] - '0');
    }
    return value;
}

static int month_of(struct weir_slice word)
{
    static const char name[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    if (word.len < 3)
        return -1;
    for (int month = 0; month < 12; month++)
        if (strncasecmp(word.at, name + 3 * month, 3) == 0)
            return month;
    return -1;
}

static bool is_day_of_week(struct weir_slice word)
{
    static const char name[] = "sunmontuewedthufrisat";
    for (int day = 0; word.len >= 3 && day < 7; day++)
        if (strncasecmp(word.at, name + 3 * day, 3) == 0)
            return true;
    return false;
}

/* "8:15", "08:15:20", "08:15:20.123" */
static bool read_clock(struct date *date, struct weir_slice word)
{
    int part[3] = {0, 0, 0};
    for (int i = 0; i < 3 && word.len > 0; i++) {
        struct weir_slice digits = {word.at, 0};
        while (digits.len < word.len && word.at[digits.len] != ':' && word.at[digits.len] != '.')
            digits.len++;
        part[i] = number(digits, 2);
        bool more = digits.len < word.len && word.at[digits.len] == ':';
        if (part[i] < 0 || (i == 0 && !more))
            return false;
        word.at += digits.len + more;
        word.len = more ? word.len - digits.len - 1 : 0;
    }
    date->hour = part[0];
    date->minute = part[1];
    date->second = part[2];
    return part[0] < 24 && part[1] < 60 && part[2] <= 60;
}

/* RFC 5322 4.3: names of zones, in minutes.  Whatever else is said by letters counts as UTC, but
 * only where a zone may stand. */
static int named_zone(struct weir_slice word)
{
    static const struct { const char *name; int minutes; } zone[] = {
        {"EST", -300}, {"EDT", -240}, {"CST", -360}, {"CDT", -300}, {"MST", -420},
        {"MDT", -360}, {"PST", -480}, {"PDT", -420}, {"CET", 60},   {"CEST", 120},
        {"MET", 60},   {"MEST", 120}, {"BST", 60},   {"JST", 540},
    };
    for (size_t i = 0; i < sizeof zone / sizeof *zone; i++)
        if (word_is(word, zone[i].name))
            return zone[i].minutes;
    return 0;
}

static bool read_zone(struct date *date, struct weir_slice word)
{
    bool east = *word.at == '+';
    struct weir_slice digits = {word.at + 1, word.len - 1};
    int value = number(digits, 4);
    if (date->zoned) /* "+0100 IST": the number is surer */
        return true;
    date->zoned = true;
    if (!east && *word.at != '-') {
        date->zone = named_zone(word);
        return true;
    }
    date->zone = (east ? 1 : -1) * (value / 100 * 60 + value % 100);
    return value >= 0 && digits.len == 4 && value % 100 < 60;
}

static bool read_year(struct date *date, int value, size_t digits)
{
    if (digits == 2) /* RFC 5322 4.3 */
        value += value < 50 ? 2000 : 1900;
    else if (digits == 3)
        value += 1900;
    date->year = value;
    return value >= 1970 && value <= YEAR_MOST;
}

/* One word of the date, by its looks. */
static bool read_word(struct date *date, struct weir_slice word)
{
    int value = number(word, 4);
    if (value >= 0 && word.len <= 2 && date->day < 0) {
        date->day = value;
        return value >= 1 && value <= 31;
    }
    if (value >= 0)
        return date->month >= 0 && date->year < 0 && read_year(date, value, word.len);
    if (date->hour < 0 && memchr(word.at, ':', word.len))
        return read_clock(date, word);
    if (date->month < 0 && month_of(word) >= 0) {
        date->month = month_of(word);
        return true;
    }
    if (date->hour >= 0 && (word_is(word, "PM") || word_is(word, "AM"))) {
        date->afternoon = word_is(word, "PM");
        date->hour %= 12;
        return true;
    }
    return date->hour >= 0 ? read_zone(date, word) : is_day_of_week(word);
}

/* Days from 1970-01-01, Gregorian.  March is taken as the first month, so that the leap day is
 * the last of its year. */
static int64_t days_since_1970(int year, int month, int day)
{
    int64_t y = year - (month < 2);
    int64_t m = (month + 10) % 12;
    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

static bool day_exists(int year, int month, int day)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day <= days[month] + (month == 1 && leap);
}

int weir_mail_date_read(struct weir_slice text, weir_time *time_r)
{
    struct date date = {-1, -1, -1, -1, -1, -1, false, false, 0};
    unsigned words = 0;
    for (struct weir_slice word = next_word(&text); word.len > 0; word = next_word(&text))
        if (++words > WORDS_MOST || !read_word(&date, word))
            return 0;
    if (date.day < 0 || date.month < 0 || date.year < 0 || date.hour < 0
        || !day_exists(date.year, date.month, date.day))
        return 0;
    int64_t minutes = days_since_1970(date.year, date.month, date.day) * 1440
                      + (date.hour + (date.afternoon ? 12 : 0)) * 60 + date.minute - date.zone;
    weir_time time = minutes * WEIR_MINUTE + date.second * WEIR_SECOND;
    if (time < 0)
        return 0;
    *time_r = time;
    return 1;
}
