/*
 * ctl_rulebook - the monitor's rulebook, for verbs that change or show it.
 */
#ifndef WEIR_CTL_RULEBOOK_H
#define WEIR_CTL_RULEBOOK_H

#include "monitor/ctl/ctl.h"

/* Names of states, and NULL. */
extern const char *const weir_ctl_states[];

/* weirctl rules list --book. */
int weir_ctl_rulebook_list(struct weir_ctl *ctl);

#endif
