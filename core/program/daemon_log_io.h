/*
 * daemon_log - a log that a busy loop can afford.
 *
 * To standard error ("program: level: line") lines are gathered and written
 * together when the loop has done its round: one system call for a batch of
 * decisions.  A reader that hangs never stops the daemon: when the gathered lines
 * find no room, further ones are dropped, counted, and the number is logged when there is
 * room again.  To syslog lines go one by one, as libc does it.
 *
 * Owner:   the caller owns the value; it must not move while weir_log's are made from it.
 */
#ifndef WEIR_PROGRAM_DAEMON_LOG_IO_H
#define WEIR_PROGRAM_DAEMON_LOG_IO_H

#include <stddef.h>

#include "core/engine/stores_io.h"

#define WEIR_DAEMON_LOG_GATHERED 65536

struct weir_daemon_log {
    struct weir_log log;    /* hand this one on */
    const char *program;
    uint64_t lost;          /* lines dropped since the start */
    uint64_t unreported;    /* of these not yet logged */
    size_t used;
    char gathered[WEIR_DAEMON_LOG_GATHERED];
};

/* Sends lines where the configuration says; may be called again after a reload.  program
 * must live as long as the log. */
void weir_daemon_log_use(struct weir_daemon_log *log, const char *program,
                         const struct weir_config *config);

/* Writes what was gathered, as far as there is room for it now. */
void weir_daemon_log_flush(struct weir_daemon_log *log);

/* Writes what was gathered and waits a little for room if need be. */
void weir_daemon_log_end(struct weir_daemon_log *log);

#endif
