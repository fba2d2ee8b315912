/*
 * daemon_log - gathers lines, writes them when the reader has room.
 *
 * A pipe that polls as writable takes PIPE_BUF octets without blocking; so it is
 * asked again before each piece of that size.  Owns nothing but its own room.
 */
#include "core/program/daemon_log_io.h"

#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE 1000 /* ms at the end */

/* Writes what fits; waits up to timeout ms for room before each piece. */
static void write_gathered(struct weir_daemon_log *log, int timeout)
{
    size_t done = 0;

    while (done < log->used) {
        struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
        size_t piece = log->used - done < PIPE_BUF ? log->used - done : PIPE_BUF;
        ssize_t written;

        if (poll(&ready, 1, timeout) != 1)
            break;
        written = write(STDERR_FILENO, log->gathered + done, piece);
        if (written <= 0)
            break;
        done += (size_t)written;
    }
    memmove(log->gathered, log->gathered + done, log->used - done);
    log->used -= done;
}

static void append(struct weir_daemon_log *log, const char *text)
{
    size_t len = strlen(text);

    memcpy(log->gathered + log->used, text, len);
    log->used += len;
}

static void gather(void *context, enum weir_log_level level, const char *line)
{
    static const char *const name[] = {": error: ", ": warning: ", ": info: ", ": debug: "};
    struct weir_daemon_log *log = context;
    size_t len = strlen(log->program) + strlen(name[level]) + strlen(line) + 1;

    if (sizeof log->gathered - log->used < len)
        write_gathered(log, 0);
    if (sizeof log->gathered - log->used < len) {
        log->lost++;
        log->unreported++;
        return;
    }
    append(log, log->program);
    append(log, name[level]);
    append(log, line);
    append(log, "\n");
}

void weir_daemon_log_use(struct weir_daemon_log *log, const char *program,
                         const struct weir_config *config)
{
    weir_daemon_log_end(log);
    log->program = program;
    if (config->log == WEIR_LOG_SYSLOG && weir_config_log(config, program, &log->log) == 0)
        return;
    log->log = (struct weir_log){
        .write = gather, .context = log, .most = (enum weir_log_level)config->log_level};
}

void weir_daemon_log_flush(struct weir_daemon_log *log)
{
    if (log->used > 0)
        write_gathered(log, 0);
    if (log->unreported > 0 && log->used < sizeof log->gathered / 2) {
        unsigned long long lines = log->unreported;

        log->unreported = 0;
        weir_log(&log->log, WEIR_LOG_WARNING, "%llu log lines were lost: nobody read them",
                 lines);
    }
}

void weir_daemon_log_end(struct weir_daemon_log *log)
{
    if (log->used > 0)
        write_gathered(log, PATIENCE);
}
