/*
 * metrics_text - a text that grows, and what may stand in it.
 */
#include "core/program/metrics_text.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/base/visible.h"

struct weir_metrics {
    char *text;
    size_t len, room;
    const char *name, *help; /* of the family */
    enum weir_metrics_type type;
    bool begun;              /* its head is written */
    int error;
};

struct weir_metrics *weir_metrics_new(void)
{
    struct weir_metrics *metrics = calloc(1, sizeof *metrics);

    if (metrics)
        metrics->text = calloc(1, 1);
    if (metrics && !metrics->text)
        weir_metrics_free(&metrics);
    return metrics;
}

void weir_metrics_free(struct weir_metrics **metrics)
{
    if (!metrics || !*metrics)
        return;
    free((*metrics)->text);
    free(*metrics);
    *metrics = NULL;
}

static void fail(struct weir_metrics *metrics, int error)
{
    if (metrics->error == 0)
        metrics->error = error;
}

/* writing ----------------------------------------------------------------------------- */

static void put(struct weir_metrics *metrics, const char *octets, size_t len)
{
    size_t room = 2 * (metrics->len + len + 1);
    char *more;

    if (metrics->error == 0 && len > WEIR_METRICS_OCTETS - metrics->len)
        fail(metrics, WEIR_ELIMIT);
    if (metrics->error != 0)
        return;
    if (metrics->len + len + 1 > metrics->room) {
        more = realloc(metrics->text, room);
        if (!more) {
            fail(metrics, WEIR_ENOMEM);
            return;
        }
        metrics->text = more;
        metrics->room = room;
    }
    memcpy(metrics->text + metrics->len, octets, len);
    metrics->len += len;
    metrics->text[metrics->len] = '\0';
}

static void put_text(struct weir_metrics *metrics, const char *text)
{
    put(metrics, text, strlen(text));
}

/* Somebody's text; quoted: in the quotes of a label. */
static void put_shown(struct weir_metrics *metrics, const char *text, size_t most, bool quoted)
{
    struct weir_slice rest = weir_slice_of(text);

    while (rest.len > 0) {
        size_t len = weir_visible_octets(rest);
        char c = rest.at[0];

        if (len > most || most == 0)
            return;
        if (c == '\n')
            put_text(metrics, "\\n");
        else if (c == '\\' || (c == '"' && quoted))
            put(metrics, (const char[]){'\\', c}, 2);
        else if (len > 0)
            put(metrics, rest.at, len);
        else
            put_text(metrics, "?");
        len = len > 0 ? len : 1;
        most -= len;
        rest = weir_slice_behind(rest, len);
    }
}

/* Whole numbers as such, for people who read them, too. */
static void put_number(struct weir_metrics *metrics, double value)
{
    char text[64];

    if (isnan(value))
        snprintf(text, sizeof text, "NaN");
    else if (isinf(value))
        snprintf(text, sizeof text, "%cInf", value > 0 ? '+' : '-');
    else if (value == floor(value) && fabs(value) < 1e15)
        snprintf(text, sizeof text, "%.0f", value);
    else
        snprintf(text, sizeof text, "%.15g", value);
    put_text(metrics, text);
}

/* families and samples ----------------------------------------------------------------- */

static bool is_name(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");

    return len > 0 && len <= WEIR_METRICS_NAME && name[len] == '\0' && !weir_is_digit(name[0]);
}

static bool was_there(const struct weir_metrics *metrics, const char *name)
{
    char head[WEIR_METRICS_NAME + 16];

    snprintf(head, sizeof head, "# TYPE %s ", name);
    return strstr(metrics->text, head) != NULL;
}

/* Whether a name goes with its type. */
static bool fits(enum weir_metrics_type type, const char *name)
{
    bool counts = weir_slice_ends(weir_slice_of(name), "_total");

    return is_name(name) && weir_slice_begins(weir_slice_of(name), "weir_") &&
           counts == (type == WEIR_COUNTER_METRIC) &&
           (type != WEIR_HISTOGRAM_METRIC || weir_slice_ends(weir_slice_of(name), "_seconds"));
}

void weir_metrics_family(struct weir_metrics *metrics, enum weir_metrics_type type,
                         const char *name, const char *help)
{
    if (!fits(type, name) || was_there(metrics, name))
        fail(metrics, WEIR_EINVAL);
    metrics->type = type;
    metrics->name = name;
    metrics->help = help;
    metrics->begun = false;
}

static void begin(struct weir_metrics *metrics)
{
    static const char *const types[] = {" counter\n", " gauge\n", " histogram\n"};

    if (metrics->begun)
        return;
    put_text(metrics, "# HELP ");
    put_text(metrics, metrics->name);
    put_text(metrics, " ");
    put_shown(metrics, metrics->help, WEIR_METRICS_OCTETS, false);
    put_text(metrics, "\n# TYPE ");
    put_text(metrics, metrics->name);
    put_text(metrics, types[metrics->type]);
    metrics->begun = true;
}

/* ready: whether a sample of this kind, with so many labels, may come now. */
static bool ready(struct weir_metrics *metrics, bool histogram,
                  const struct weir_metrics_label *label, size_t labels)
{
    if (!metrics->name || (metrics->type == WEIR_HISTOGRAM_METRIC) != histogram)
        fail(metrics, WEIR_EINVAL);
    if (labels > (size_t)WEIR_METRICS_LABELS - histogram)
        fail(metrics, WEIR_ELIMIT);
    for (size_t i = 0; metrics->error == 0 && i < labels; i++)
        if (!is_name(label[i].name))
            fail(metrics, WEIR_EINVAL);
    if (metrics->error == 0)
        begin(metrics);
    return metrics->error == 0;
}

static void put_sample(struct weir_metrics *metrics, const char *ending,
                       const struct weir_metrics_label *label, size_t labels, double value)
{
    put_text(metrics, metrics->name);
    put_text(metrics, ending);
    for (size_t i = 0; i < labels; i++) {
        put_text(metrics, i == 0 ? "{" : ",");
        put_text(metrics, label[i].name);
        put_text(metrics, "=\"");
        put_shown(metrics, label[i].value, WEIR_METRICS_VALUE, true);
        put_text(metrics, "\"");
    }
    put_text(metrics, labels > 0 ? "} " : " ");
    put_number(metrics, value);
    put_text(metrics, "\n");
}

void weir_metrics_sample(struct weir_metrics *metrics, const struct weir_metrics_label *label,
                         size_t labels, double value)
{
    if (ready(metrics, false, label, labels))
        put_sample(metrics, "", label, labels, value);
}

void weir_metrics_histogram(struct weir_metrics *metrics, const struct weir_metrics_label *label,
                            size_t labels, const struct weir_histogram_reading *reading)
{
    struct weir_metrics_label with[WEIR_METRICS_LABELS] = {{0}};
    uint64_t below = 0;
    char le[32];

    if (!ready(metrics, true, label, labels))
        return;
    for (size_t i = 0; i < labels; i++)
        with[i] = label[i];
    with[labels] = (struct weir_metrics_label){"le", le};
    for (unsigned i = 0; i < WEIR_HISTOGRAM_BUCKETS; i++) {
        below += reading->bucket[i];
        if (i < WEIR_HISTOGRAM_BOUNDS)
            snprintf(le, sizeof le, "%.15g", (double)weir_histogram_bound[i] / WEIR_SECOND);
        else
            snprintf(le, sizeof le, "+Inf");
        put_sample(metrics, "_bucket", with, labels + 1, (double)below);
    }
    put_sample(metrics, "_sum", label, labels, (double)reading->sum / WEIR_SECOND);
    put_sample(metrics, "_count", label, labels, (double)below);
}

int weir_metrics_text(const struct weir_metrics *metrics, const char **text_r)
{
    *text_r = metrics->text;
    return metrics->error;
}
