/*
 * ctl_rulebook - the monitor's rulebook, for verbs that change or show it.
 */
#ifndef WEIR_CTL_RULEBOOK_H
#define WEIR_CTL_RULEBOOK_H

#include <jansson.h>

#include "core/base/cursor.h"
#include "monitor/ctl/ctl.h"
#include "monitor/database/database_io.h"

/* Names of states, and NULL. */
extern const char *const weir_ctl_states[];

/* Adds a file to those that go into the book.  0 or an exit code. */
int weir_ctl_rulebook_file(struct weir_ctl *ctl, json_t *files, const char *name,
                           struct weir_slice octets);

/* Sends them, with --state, --reason and --dry-run, and tells what came of it.  origins: of rules
 * that are imported, by their names, "file:line"; NULL: they are not. */
int weir_ctl_rulebook_send(struct weir_ctl *ctl, json_t *files, json_t *origins);

/* Shows a rule's history (0: of all rules), so many lines, or adds it to a JSON array.  0 or an
 * error of the database. */
int weir_ctl_rulebook_changes(struct weir_database *database, uint32_t id, unsigned most,
                              json_t *rows);

#endif
