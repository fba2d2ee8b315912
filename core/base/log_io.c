/*
 * The two places where a program's lines go: standard error, or syslog's mail
 * facility.  The program's name belongs to the caller; syslog keeps a pointer
 * to it, as does the log.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "core/base/error.h"
#include "core/base/log.h"

static const char *level_name(enum weir_log_level level)
{
    static const char *const name[] = {"error", "warning", "info", "debug"};
    return name[level];
}

static void write_stderr(void *context, enum weir_log_level level, const char *line)
{
    const char *program = context;
    fprintf(stderr, "%s: %s: %s\n", program, level_name(level), line);
}

static void write_syslog(void *context, enum weir_log_level level, const char *line)
{
    static const int priority[] = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG};
    (void)context;
    syslog(LOG_MAIL | priority[level], "%s", line);
}

int weir_log_open(const char *program, const char *target, enum weir_log_level most,
                  struct weir_log *log_r)
{
    bool syslogged = strcmp(target, "syslog") == 0;
    if (!syslogged && strcmp(target, "stderr") != 0)
        return WEIR_EINVAL;
    if (syslogged)
        openlog(program, LOG_PID | LOG_NDELAY, LOG_MAIL);
    /* the sink only reads the name; context is not const for the sake of others */
    void *name = (void *)(uintptr_t)program;
    *log_r = (struct weir_log){
        .write = syslogged ? write_syslog : write_stderr,
        .context = name,
        .most = most,
    };
    return 0;
}
