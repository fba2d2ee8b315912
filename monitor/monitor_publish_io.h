/*
 * monitor_publish - the monitor's publisher (analyzer/publish_io.h), opened and asked.
 */
#ifndef WEIR_MONITOR_MONITOR_PUBLISH_IO_H
#define WEIR_MONITOR_MONITOR_PUBLISH_IO_H

#include <jansson.h>

#include "monitor/monitor_impl.h"

/* The step that opens it; behind that of the servers that are let in. */
int weir_monitor_open_publisher(struct weir_monitor *monitor);

/* What agents hear of the newest set. */
void weir_monitor_news(struct weir_monitor *monitor, struct weir_news *news_r);

/* For how long a rule must not have been hit now to be idle (weir_database_hits_idle()); INT64_MAX
 * where that cannot be read.  With the database's lock. */
weir_time weir_monitor_idle(struct weir_monitor *monitor, weir_time now);

/* After a run of the analyzer by its schedule: publishes what it changed, and what came of age,
 * where a person has published before; not over a rollback, which is a person's to end. */
void weir_monitor_publish_again(struct weir_monitor *monitor, weir_time now);

/* {"dry", "reason"} publishes, {"serial", ...} takes back to an earlier one; "was": {"serial",
 * "change"}, what it is based on (publish_io.h); called without the database's lock.  What came of
 * it; or NULL with why and a status of HTTP. */
json_t *weir_monitor_publish(struct weir_monitor *monitor, const json_t *json, const char *who,
                             weir_time now, char why_r[static WEIR_PUBLISH_WHY], unsigned *code_r);

#endif
