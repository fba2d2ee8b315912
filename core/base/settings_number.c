/*
 * Numbers with their units, from text and back.  Pure.
 *
 * Whole numbers are digits and a unit; fractions are decimal, with a percent
 * sign or a "/unit of time".  Refuses infinities, NaN, hexadecimal, signs where
 * they mean nothing, unknown units, and whatever does not fit (WEIR_ELIMIT).
 */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/settings_impl.h"

/* Units from small to large; shown ones are used to print. */
struct unit {
    const char *name;
    int64_t worth;
    bool shown;
};

static const struct unit count_units[] = {
    {"", 1, true},
    {"k", 1000, false},
    {"K", 1000, false},
    {"M", 1000000, true},
    {"G", 1000000000, true},
    {NULL, 0, false},
};

static const struct unit size_units[] = {
    {"", 1, true},
    {"k", 1 << 10, true},
    {"K", 1 << 10, false},
    {"M", 1 << 20, true},
    {"G", 1 << 30, true},
    {NULL, 0, false},
};

static const struct unit period_units[] = {
    {"us", 1, true},
    {"ms", WEIR_SECOND / 1000, true},
    {"s", WEIR_SECOND, true},
    {"m", WEIR_MINUTE, true},
    {"min", WEIR_MINUTE, false},
    {"h", WEIR_HOUR, true},
    {"d", WEIR_DAY, true},
    {"w", 7 * WEIR_DAY, false},
    {NULL, 0, false},
};

static const struct unit bits_units[] = {
    {"", 1, true},
    {NULL, 0, false},
};

static const struct unit rate_units[] = {
    {"/s", 1, true},
    {"/min", 60, true},
    {"/h", 3600, true},
    {"/d", 86400, true},
    {NULL, 0, false},
};

static const struct unit *units_of(enum weir_setting_kind kind)
{
    switch (kind) {
    case WEIR_SIZE:
        return size_units;
    case WEIR_PERIOD:
        return period_units;
    case WEIR_BITS:
        return bits_units;
    default:
        return count_units;
    }
}

static const struct unit *unit_find(const struct unit *units, const char *name)
{
    while (units->name && strcmp(units->name, name) != 0)
        units++;
    return units->name ? units : NULL;
}

static const char *skip_blanks(const char *text)
{
    return text + strspn(text, " \t");
}

/* Reads digits; *rest_r is what follows.  WEIR_EINVAL when there is none. */
static int read_digits(const char *text, int64_t *number_r, const char **rest_r)
{
    int64_t number = 0;
    const char *at = text;
    for (; isdigit((unsigned char)*at); at++) {
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, *at - '0', &number))
            return WEIR_ELIMIT;
    }
    *number_r = number;
    *rest_r = skip_blanks(at);
    return at == text ? WEIR_EINVAL : 0;
}

int weir_setting_read_whole(enum weir_setting_kind kind, const char *text, int64_t *whole_r)
{
    bool slash = kind == WEIR_BITS && *text == '/';
    int64_t number;
    const char *rest;
    int rc = read_digits(text + slash, &number, &rest);
    if (rc != 0)
        return rc;
    bool bare_zero = number == 0 && *rest == '\0'; /* nothing is nothing in every unit */
    const struct unit *unit = bare_zero ? units_of(kind) : unit_find(units_of(kind), rest);
    if (!unit)
        return WEIR_EINVAL;
    if (__builtin_mul_overflow(number, unit->worth, whole_r))
        return WEIR_ELIMIT;
    return kind == WEIR_BITS && number > 128 ? WEIR_EINVAL : 0;
}

/* In the largest unit that leaves nothing over. */
void weir_setting_show_whole(enum weir_setting_kind kind, int64_t whole,
                             char buffer[static WEIR_SETTING_NUMBER])
{
    const struct unit *best = units_of(kind);
    for (const struct unit *unit = best; unit->name; unit++) {
        if (unit->shown && whole % unit->worth == 0)
            best = unit;
    }
    if (whole == 0)
        snprintf(buffer, WEIR_SETTING_NUMBER, "%s0", kind == WEIR_BITS ? "/" : "");
    else
        snprintf(buffer, WEIR_SETTING_NUMBER, "%s%lld%s", kind == WEIR_BITS ? "/" : "",
                 (long long)(whole / best->worth), best->name);
}

/* The length of a decimal number such as 12, -0.5, 1e-6; 0 when text is none. */
static size_t decimal_span(const char *text)
{
    static const char digits[] = "0123456789";
    const char *at = text + (*text == '-');
    size_t before = strspn(at, digits);
    at += before;
    size_t behind = *at == '.' ? strspn(at + 1, digits) : 0;
    if (before + behind == 0)
        return 0;
    at += *at == '.' ? 1 + behind : 0;
    if (*at == 'e' || *at == 'E') {
        size_t sign = at[1] == '-' || at[1] == '+';
        size_t exponent = strspn(at + 1 + sign, digits);
        at += exponent > 0 ? 1 + sign + exponent : 0;
    }
    return (size_t)(at - text);
}

/* A finite decimal number; *rest_r is what follows it.  strtod() alone would
 * also take infinities, NaN, hexadecimal and blanks in front. */
static int read_decimal(const char *text, double *number_r, const char **rest_r)
{
    size_t span = decimal_span(text);
    char *end;
    double number = strtod(text, &end);
    if (span == 0 || end != text + span)
        return WEIR_EINVAL;
    if (!isfinite(number))
        return WEIR_ELIMIT;
    *number_r = number;
    *rest_r = skip_blanks(end);
    return 0;
}

int weir_setting_read_fraction(enum weir_setting_kind kind, const char *text, double *number_r)
{
    double number;
    const char *rest;
    int rc = read_decimal(text, &number, &rest);
    if (rc != 0)
        return rc;
    double worth = 1;
    if (kind == WEIR_RATE) {
        const struct unit *unit = unit_find(rate_units, rest);
        if (!unit || *text == '-')
            return WEIR_EINVAL;
        worth = (double)unit->worth;
    } else if (strcmp(rest, "%") == 0) {
        worth = 100;
    } else if (*rest) {
        return WEIR_EINVAL;
    }
    *number_r = number / worth;
    return 0;
}

/* In as few digits as give the same number again. */
static void show_decimal(double number, char buffer[static WEIR_SETTING_NUMBER])
{
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(buffer, WEIR_SETTING_NUMBER, "%.*g", digits, number);
        if (strtod(buffer, NULL) == number)
            break;
    }
    if (fabs(number) < 1e15 && number == trunc(number)) /* 1000 and not 1e+03 */
        snprintf(buffer, WEIR_SETTING_NUMBER, "%.0f", number);
}

/* In the first unit in which a few digits give the same number again: a rate
 * of 10/min is no decimal number of events a second. */
static void show_rate(double rate, char buffer[static WEIR_SETTING_NUMBER])
{
    for (const struct unit *unit = rate_units; unit->name; unit++) {
        double worth = (double)unit->worth;
        int len = snprintf(buffer, WEIR_SETTING_NUMBER, "%.6g", rate * worth);
        if (strtod(buffer, NULL) / worth == rate) {
            snprintf(buffer + len, WEIR_SETTING_NUMBER - (size_t)len, "%s", unit->name);
            return;
        }
    }
    show_decimal(rate, buffer);
    strcat(buffer, "/s");
}

void weir_setting_show_fraction(enum weir_setting_kind kind, double number,
                                char buffer[static WEIR_SETTING_NUMBER])
{
    if (kind == WEIR_RATE)
        show_rate(number, buffer);
    else
        show_decimal(number, buffer);
}
