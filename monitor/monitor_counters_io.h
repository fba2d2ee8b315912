/*
 * monitor_counters - the counters of reputation in the monitor's database, as people ask about
 * them.
 *
 * Owner:    answers are the caller's.  Threads: with the database's lock.
 * Errors:   NULL: weir_database_why() of the monitor's database says it.
 */
#ifndef WEIR_MONITOR_MONITOR_COUNTERS_IO_H
#define WEIR_MONITOR_MONITOR_COUNTERS_IO_H

#include <jansson.h>

#include "monitor/monitor_impl.h"

/* {"state", "key", "records", "evicted", "waiting", "waiting_most", "hurried", "untallied",
 * "votes"}. */
json_t *weir_monitor_counters_status(struct weir_monitor *monitor);

/* Forgets all of them, and begins anew with the key that is there: {"records"}, and a line in the
 * audit. */
json_t *weir_monitor_counters_forget(struct weir_monitor *monitor, const char *who, weir_time now);

/* Notes in the audit that somebody filled a store from them: {}. */
json_t *weir_monitor_counters_rebuilt(struct weir_monitor *monitor, const char *detail,
                                      const char *who, weir_time now);

#endif
