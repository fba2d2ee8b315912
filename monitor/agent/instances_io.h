/*
 * instances - which agent of a server this is: a number drawn at each start, and those that were
 * drawn before, so that the monitor lets the successor in and nobody else (claim A13).
 *
 *     0123...,4567...
 *     machine 89ab...
 *
 * A copy of the whole machine has the file, too, and would take the first one's place: so numbers
 * that were drawn on another machine are not named, and the copy is let in as any other agent, when
 * the first has not been heard for [monitor] silence.  A file without the second line, as from
 * before there was one, is believed.
 *
 * Owner:    the caller; path and machine must live as long.  Threads: one.
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
    const char *path, *machine;
    bool known;                       /* to the monitor: the file has it alone */
};

/* Draws one, and writes it down behind those that the file has; machine is what this one is called
 * (machine_io.h) and must live as long. */
void weir_instances_begin(struct weir_instances *instances, const char *path, const char *machine,
                          const struct weir_log *log);

/* The monitor has let it in. */
void weir_instances_let_in(struct weir_instances *instances, const struct weir_log *log);

#endif
