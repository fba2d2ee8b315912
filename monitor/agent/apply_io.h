/*
 * apply - what the monitor said, put into lists.db.
 *
 * Only entries of the origin "monitor" are ever changed or removed: what an operator or a report
 * entered stays.  What the never-list of this server forbids is left out, counted, and told once.
 * What is left out, or does not decide although it is there, is noted, so that whoever asked for
 * it can be told where it is not in force.
 *
 * Owner:    the lists are the caller's.  Threads: one.
 * Errors:   0, or an error of the lists; then what was done before it stays, and the generation
 *           must not be acknowledged: all of it is applied again later, and changes nothing twice.
 */
#ifndef WEIR_AGENT_APPLY_IO_H
#define WEIR_AGENT_APPLY_IO_H

#include "core/base/log.h"
#include "monitor/agent/command.h"

#define WEIR_OVERRULED_MAX 24

/* An entry of the monitor that decides nothing here. */
struct weir_overruled {
    enum weir_list list;
    struct weir_prefix prefix;
    weir_time ends;
    const char *by;              /* "never", "accept": lists of this server; "own": another origin's
                                    entry in its place; "lists": they refuse it; static */
};

struct weir_applied {
    size_t set, removed;
    size_t withheld;             /* inside the never-list, or another origin's entry */
    size_t entries;              /* of the monitor, after the last full one */
    struct weir_overruled overruled[WEIR_OVERRULED_MAX]; /* newest first, of all that were told */
    size_t overruleds;
};

/* Applies a command at a time.  A full one also removes what it does not name.  *applied_r is that
 * of the command before, all zero at first, and then of this one. */
int weir_apply(struct weir_lists *lists, const struct weir_command *command, weir_time now,
               const struct weir_log *log, struct weir_applied *applied_r);

#endif
