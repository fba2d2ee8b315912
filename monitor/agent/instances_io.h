/*
 * instances - which agent of a server this is: a number drawn at each start, and those that were
 * drawn before, so that the monitor lets the successor in and nobody else (claim A13).
 *
 * Owner:    the caller; the path must live as long.  Threads: one.
 * Errors:   what cannot be written is logged; then a later start may have to wait until the monitor
 *           has not heard of this one for a while.
 */
#ifndef WEIR_AGENT_INSTANCES_IO_H
#define WEIR_AGENT_INSTANCES_IO_H

#include "core/base/log.h"
#include "monitor/agent/identity.h"

struct weir_instances {
    char now[WEIR_INSTANCE_TEXT];
    char before[WEIR_INSTANCES_TEXT]; /* parted by commas; "": none */
    const char *path;
    bool known;                       /* to the monitor: the file has it alone */
};

/* Draws one, and writes it down behind those that the file has. */
void weir_instances_begin(struct weir_instances *instances, const char *path,
                          const struct weir_log *log);

/* The monitor has let it in. */
void weir_instances_let_in(struct weir_instances *instances, const struct weir_log *log);

#endif
