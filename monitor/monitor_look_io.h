/*
 * look - what the console sees of a running monitor beyond its database: settings as they are now,
 * the level of buckets, the thresholds of the configuration.
 *
 * Owner:    JSON is the caller's.  Threads: any: each takes the lock it needs, for a moment.
 */
#ifndef WEIR_MONITOR_MONITOR_LOOK_IO_H
#define WEIR_MONITOR_MONITOR_LOOK_IO_H

#include <jansson.h>

#include "core/base/address.h"
#include "core/base/clock.h"
#include "core/base/histogram.h"
#include "monitor/intake/recent.h"

struct weir_monitor;

struct weir_look {
    weir_time silence;           /* after so long a server is blind */
    double spam_score, unsure_score; /* of [message] */
    weir_time idle, trial;       /* of [analyzer] */
    unsigned false_positives, people;
    double server_share;
};
void weir_monitor_look(struct weir_monitor *monitor, struct weir_look *look_r);

/* {"class", "quantities": [{"name", "rate", "maximum", "tokens", "over"}], "full_at"}; null: it is
 * acceptable, and has no bucket.  NULL: memory is short. */
json_t *weir_monitor_bucket(struct weir_monitor *monitor, const struct weir_prefix *prefix,
                            weir_time now);

/* As weir_recent_top(), of what the monitor remembers, and from which minute on it does. */
int weir_monitor_top(struct weir_monitor *monitor, const struct weir_recent_question *question,
                     struct weir_recent_top *top_r);
int64_t weir_monitor_top_begins(struct weir_monitor *monitor);

/* What a server's sniffer met in this hour and the one before: {"packets", "kernel_dropped", ...}
 * (hearing.h).  NULL: memory is short. */
json_t *weir_monitor_hearing(struct weir_monitor *monitor, uint32_t server, weir_time now);

/* How long agents' requests of a kind took (monitor/intake/intake_io.h). */
void weir_monitor_intake_times(const struct weir_monitor *monitor, unsigned route,
                               struct weir_histogram_reading *reading_r);

/* The keys of spam-info strings as the file has them now.  0 or an error. */
struct weir_info_keys;
int weir_monitor_info_keys(struct weir_monitor *monitor, struct weir_info_keys *keys_r);

/* The configuration's threshold for everybody else, as the database's are shown. */
json_t *weir_monitor_default_threshold(struct weir_monitor *monitor);

/* The step that opens the console, where there is to be one; the other way, its end. */
int weir_monitor_open_console(struct weir_monitor *monitor);
void weir_monitor_close_console(struct weir_monitor *monitor);

#endif
