/*
 * ctl_rulebook - the monitor's rulebook, for verbs that change or show it.
 */
#ifndef WEIR_CTL_RULEBOOK_H
#define WEIR_CTL_RULEBOOK_H

#include <jansson.h>

#include "monitor/ctl/ctl.h"
#include "monitor/database/database_io.h"

/* Names of states, and NULL. */
extern const char *const weir_ctl_states[];

/* Shows a rule's history (0: of all rules), so many lines, or adds it to a JSON array.  0 or an
 * error of the database. */
int weir_ctl_rulebook_changes(struct weir_database *database, uint32_t id, unsigned most,
                              json_t *rows);

#endif
