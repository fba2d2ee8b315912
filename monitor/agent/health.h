/*
 * health - the lists in an agent's report of its health.
 *
 * Owner:    the caller owns what it gets; NULL: memory is short.  Threads: pure.
 * Limits:   WEIR_SERVER_HEALTH_MAX octets of a report.
 */
#ifndef WEIR_AGENT_HEALTH_H
#define WEIR_AGENT_HEALTH_H

#include <jansson.h>

#include "monitor/agent/apply_io.h"
#include "monitor/agent/tail_io.h"

/* "blacklist 203.0.113.7 never": entries of the monitor that do not decide here, and why; their
 * octets are added to *len. */
json_t *weir_health_overruled(const struct weir_applied *applied, size_t *len);

/* Names of files of the spool that are gone, as many as a report of len octets has room for, and
 * how many these are. */
json_t *weir_health_gone(struct weir_tail *tail, size_t len, size_t *telling_r);

#endif
