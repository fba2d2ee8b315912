/*
 * view_metrics - what programs say of themselves as JSON, as metrics (core/program/metrics_text.h):
 * a table says which member becomes which family.
 *
 *     {"messages.good", NULL, WEIR_COUNTER_METRIC, "weir_decisions_good_total", "..."}
 *     {"verdicts", "verdict", WEIR_COUNTER_METRIC, "weir_requests_total", "..."}
 *
 * A member is found by its path, with points.  With a label it is an object, and each number in it
 * a sample.  A number is a number, true and false are 1 and 0; all else, and what is not there, is
 * left out.
 *
 * Owner:    the caller.  Threads: pure.  Errors: the metrics'.
 */
#ifndef WEIR_VIEW_VIEW_METRICS_H
#define WEIR_VIEW_VIEW_METRICS_H

#include <jansson.h>

#include "core/program/metrics_text.h"

struct weir_view_metric {
    const char *path, *label; /* label: NULL, the path is a number's */
    enum weir_metrics_type type;
    const char *name, *help;
};

/* Of each object of an array, which has a text that tells it from the others as its member `own`,
 * and that is a label of all its samples; NULL: there is one object only. */
void weir_view_metrics(struct weir_metrics *metrics, const struct weir_view_metric *table,
                       size_t rows, const char *own, const json_t *objects);

#endif
