/*
 * ctl_status_counters - the part of `weirctl status` that is about whose key counters were made
 * with, here, in the monitor's database and on other servers.
 *
 * Owner:    the caller owns what is made; problems are texts that are added to the caller's array.
 */
#ifndef WEIR_CTL_STATUS_COUNTERS_H
#define WEIR_CTL_STATUS_COUNTERS_H

#include <jansson.h>

#include "monitor/ctl/ctl.h"

/* Of this machine's store, which is open: "ours", "none", "other", "unknown". */
const char *weir_ctl_status_counters_key(struct weir_ctl *ctl, json_t *problems);

/* What the monitor's "counters" tell of problems; adds the names of servers with other keys. */
void weir_ctl_status_counters_tell(struct weir_ctl *ctl, json_t *counters, json_t *problems);

void weir_ctl_status_counters_print(const json_t *counters);

#endif
