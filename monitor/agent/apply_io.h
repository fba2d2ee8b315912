/*
 * apply - what the monitor said, put into lists.db.
 *
 * Only entries of the origin "monitor" are ever changed or removed: what an operator or a report
 * entered stays.  What the never-list of this server forbids is left out, counted, and told once.
 *
 * Owner:    the lists are the caller's.  Threads: one.
 * Errors:   0, or an error of the lists; then what was done before it stays, and the generation
 *           must not be acknowledged: all of it is applied again later, and changes nothing twice.
 */
#ifndef WEIR_AGENT_APPLY_IO_H
#define WEIR_AGENT_APPLY_IO_H

#include "core/base/log.h"
#include "monitor/agent/command.h"

struct weir_applied {
    size_t set, removed;
    size_t withheld;             /* inside the never-list, or another origin's entry */
    size_t entries;              /* of the monitor that are there now; only after a full one */
};

/* Applies a command at a time.  A full one also removes what it does not name. */
int weir_apply(struct weir_lists *lists, const struct weir_command *command, weir_time now,
               const struct weir_log *log, struct weir_applied *applied_r);

#endif
