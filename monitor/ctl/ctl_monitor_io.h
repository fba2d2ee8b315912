/*
 * ctl_monitor - asks this machine's weir-monitor, and opens its database for reading.
 *
 * What changes something is asked of the monitor, over its Unix socket ([monitor] admin); what only
 * reads, reads the database itself, also while no monitor runs.
 *
 * Owner:    the caller owns answers and handles.  The configuration has been read before.
 * Errors:   exit codes, after what went wrong was told: EX_UNAVAILABLE when nobody answers,
 *           EX_NOPERM, EX_DATAERR for what the monitor refuses, WEIR_CTL_NOT_THERE for what it does
 *           not know, EX_IOERR for its troubles.
 * Limits:   WEIR_CTL_ANSWER_MAX octets of an answer.
 */
#ifndef WEIR_CTL_MONITOR_IO_H
#define WEIR_CTL_MONITOR_IO_H

#include <jansson.h>

#include "monitor/ctl/ctl.h"
#include "monitor/database/database_io.h"

#define WEIR_CTL_ANSWER_MAX (64u << 20)

/* Asks a question, which is forgotten then (NULL: memory was short).  0 and an object. */
int weir_ctl_monitor_ask(struct weir_ctl *ctl, json_t *question, json_t **answer_r);

/* Reads the configuration, asks that something be done with what the first argument names, and
 * prints what it is then. */
int weir_ctl_monitor_name(struct weir_ctl *ctl, const char *verb, const char *then);

/* Opens the database for reading, the configuration first. */
int weir_ctl_monitor_database(struct weir_ctl *ctl, struct weir_database **database_r);

/* Whether this machine has a monitor's database that may be read; the configuration was. */
bool weir_ctl_monitor_is_here(const struct weir_ctl *ctl);

/* Says that it cannot be read, when rc is an error: EX_IOERR, else 0. */
int weir_ctl_monitor_read(struct weir_ctl *ctl, const struct weir_database *database, int rc);

/* Waits so long. */
void weir_ctl_wait(weir_time span);

#endif
