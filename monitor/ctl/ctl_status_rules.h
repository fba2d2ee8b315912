/*
 * ctl_status_rules - which server runs which published rule set, for weirctl status.
 *
 * Errors:   what cannot be read is left out: status tells that of the database by itself.
 */
#ifndef WEIR_CTL_STATUS_RULES_H
#define WEIR_CTL_STATUS_RULES_H

#include <jansson.h>

#include "monitor/ctl/ctl.h"

/* {"newest", "last", "made", "servers": [{"server", "serial", "since", "refused", "why"}]}, null
 * when nothing was published yet; adds to problems who refused one, who has not got it, and that
 * the newest here (0: none) is not the last that was published: the database was lost. */
json_t *weir_ctl_status_rules(struct weir_ctl *ctl, json_t *problems);

/* The same as lines of text. */
void weir_ctl_status_rules_print(const json_t *rules);

#endif
