/*
 * metrics_text - numbers as Prometheus reads them: the text format 0.0.4.
 *
 *     # HELP weir_messages_total Messages by verdict.
 *     # TYPE weir_messages_total counter
 *     weir_messages_total{verdict="spam"} 17
 *
 * A family is begun, then come its samples; a family without any is not written.  Names begin with
 * weir_ and are of a-z, 0-9 and '_'; those of counters end in _total, those of histograms in
 * _seconds, those of gauges not in _total.  Seconds and octets are the units.  A histogram is one
 * sample for each bound (le), with all that is below it, one for all (+Inf, the same as _count),
 * and their sum.  Values of labels may be anybody's text: what may not be shown
 * (visible.h) becomes '?', but for a line's end, which is written as \n, as are \" and \\.
 *
 * After the first error nothing more is written, and the end tells it.
 *
 * Owner:    the caller owns it, and it its text.  Threads: one at a time.
 * Errors:   WEIR_EINVAL: a name that is none, a family that was there before, a sample of no
 *           family.  WEIR_ELIMIT, WEIR_ENOMEM.
 * Limits:   WEIR_METRICS_OCTETS of text, WEIR_METRICS_LABELS of a sample; values of labels are cut
 *           to WEIR_METRICS_VALUE octets.  That no sample comes twice is the caller's to know:
 *           Prometheus refuses the whole text for it.
 */
#ifndef WEIR_PROGRAM_METRICS_TEXT_H
#define WEIR_PROGRAM_METRICS_TEXT_H

#include <stddef.h>

#include "core/base/histogram.h"

#define WEIR_METRICS_OCTETS (4u << 20)
#define WEIR_METRICS_LABELS 4
#define WEIR_METRICS_NAME 100 /* octets of a name */
#define WEIR_METRICS_VALUE 200

enum weir_metrics_type { WEIR_COUNTER_METRIC, WEIR_GAUGE_METRIC, WEIR_HISTOGRAM_METRIC };

struct weir_metrics_label {
    const char *name, *value;
};

struct weir_metrics;

/* NULL: memory is short. */
struct weir_metrics *weir_metrics_new(void);
void weir_metrics_free(struct weir_metrics **metrics);

/* Begins a family; name and help must live until its last sample. */
void weir_metrics_family(struct weir_metrics *metrics, enum weir_metrics_type type,
                         const char *name, const char *help);

/* A sample of the family that was begun last. */
void weir_metrics_sample(struct weir_metrics *metrics, const struct weir_metrics_label *label,
                         size_t labels, double value);

/* The same of a family of histograms; at most WEIR_METRICS_LABELS - 1 labels. */
void weir_metrics_histogram(struct weir_metrics *metrics, const struct weir_metrics_label *label,
                            size_t labels, const struct weir_histogram_reading *reading);

/* All of it, as long as nothing else is done with it: 0, or the first error. */
int weir_metrics_text(const struct weir_metrics *metrics, const char **text_r);

#endif
