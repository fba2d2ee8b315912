/*
 * log - lines for the operator, through a sink that was handed in.
 *
 * The core never prints: it writes to a struct weir_log, whose owner (a
 * program, Exim, a test) decides where lines go.  Control characters in a line
 * become '?', so that mail cannot forge log lines; a line longer than
 * WEIR_LOG_LINE_MAX is cut and ends in "...".  Secrets are never logged.
 */
#ifndef WEIR_BASE_LOG_H
#define WEIR_BASE_LOG_H

#include "core/base/clock.h"

enum weir_log_level { WEIR_LOG_ERROR, WEIR_LOG_WARNING, WEIR_LOG_INFO, WEIR_LOG_DEBUG };

struct weir_log {
    void (*write)(void *context, enum weir_log_level level, const char *line);
    void *context;
    enum weir_log_level most; /* lines of a level beyond this one are not made */
};

/* Writes one line.  log may be NULL: then nothing happens. */
void weir_log(const struct weir_log *log, enum weir_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Writes "file:line: why" as an error, without the line when it is 0: what reports about
 * configurations and rule files are given, with the log as their context. */
void weir_log_problem(void *log, const char *file, unsigned line, const char *why);

/* Lets WEIR_LOG_BURST lines through, and then one each interval: for lines
 * that a hostile peer can cause.  A quiet time earns the burst again.  Start
 * with zeroes. */
struct weir_log_gate {
    weir_time next; /* when the lines let through would be due at one an interval */
    unsigned held; /* lines kept back since the last one let through */
};

/* True when a line may be written now; then *held_r is how many were kept
 * back before it. */
int weir_log_gate_open(struct weir_log_gate *gate, weir_time now, weir_time interval,
                       unsigned *held_r);

/* A log to standard error ("stderr": "program: level: line") or to syslog's
 * mail facility ("syslog"); WEIR_EINVAL for another word (log_io.c).  program
 * must live as long as the log. */
int weir_log_open(const char *program, const char *target, enum weir_log_level most,
                  struct weir_log *log_r);

#endif
