/*
 * monitor_status - how the monitor is, for `weirctl status` and whoever watches it.
 */
#ifndef WEIR_MONITOR_MONITOR_STATUS_IO_H
#define WEIR_MONITOR_MONITOR_STATUS_IO_H

#include <jansson.h>

#include "monitor/monitor_impl.h"

/* An object of numbers by name, names of servers that are blind and of those whose events were left
 * out, what became of decisions, and what cannot be written now; with the database's lock.  NULL
 * when memory is short. */
json_t *weir_monitor_status(struct weir_monitor *monitor, weir_time now);

#endif
