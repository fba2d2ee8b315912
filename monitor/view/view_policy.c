/*
 * view_policy - thresholds and limits, as text and JSON.
 */
#include "monitor/view/view_policy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/limits.h"

static const struct {
    const char *name;
    double seconds;
} units[] = {{"s", 1}, {"min", 60}, {"h", 3600}, {"d", 86400}};

#define UNITS (sizeof units / sizeof units[0])

const char *weir_view_limit_text(double rate, double maximum, char text[static WEIR_VIEW_LIMIT])
{
    size_t unit = 0;

    if (maximum <= 0)
        return strcpy(text, "none");
    while (unit < UNITS && fabs(rate * units[unit].seconds - round(rate * units[unit].seconds)) >
                               1e-9 * rate * units[unit].seconds)
        unit++;
    if (unit == UNITS)
        unit = 0;
    snprintf(text, WEIR_VIEW_LIMIT, "%.12g/%s:%.15g", rate * units[unit].seconds, units[unit].name,
             maximum);
    return text;
}

/* Digits with at most one point, and what is behind them. */
static const char *read_number(const char *text, double *number_r)
{
    size_t len = strspn(text, "0123456789"), more = text[len] == '.' ? 1 : 0;
    char *end;

    if (len == 0 || len > 12)
        return NULL;
    if (more)
        more += strspn(text + len + 1, "0123456789");
    *number_r = strtod(text, &end);
    return end == text + len + more ? end : NULL;
}

bool weir_view_limit_read(const char *text, double *rate_r, double *maximum_r)
{
    const char *rest = read_number(text, rate_r), *colon = rest ? strchr(rest, ':') : NULL;
    size_t unit = 0;

    if (strcmp(text, "none") == 0) {
        *rate_r = *maximum_r = 0;
        return true;
    }
    if (!colon || *rest++ != '/')
        return false;
    while (unit < UNITS && (strlen(units[unit].name) != (size_t)(colon - rest) ||
                            memcmp(units[unit].name, rest, (size_t)(colon - rest)) != 0))
        unit++;
    rest = read_number(colon + 1, maximum_r);
    if (unit == UNITS || !rest || *rest != '\0')
        return false;
    *rate_r /= units[unit].seconds;
    return *maximum_r >= 1 && *maximum_r <= WEIR_BUCKET_TOKENS_MAX &&
           *rate_r <= WEIR_BUCKET_TOKENS_MAX;
}

static json_t *limit_json(const struct weir_threshold *threshold, size_t i)
{
    char text[WEIR_VIEW_LIMIT];

    return json_pack("{s:o, s:o, s:s}", "rate", weir_view_number(threshold->rate[i]), "most",
                     weir_view_number(threshold->maximum[i]), "text",
                     weir_view_limit_text(threshold->rate[i], threshold->maximum[i], text));
}

json_t *weir_view_threshold(const struct weir_threshold *threshold, bool stored)
{
    return json_pack("{s:s, s:s, s:s, s:b, s:o, s:o, s:o, s:s}", "name", threshold->name, "source",
                     stored ? "database" : "configuration", "prefixes", threshold->prefixes,
                     "observe", threshold->observe, "connections", limit_json(threshold, 0),
                     "messages", limit_json(threshold, 1), "recipients", limit_json(threshold, 2),
                     "ladder", threshold->ladder);
}
