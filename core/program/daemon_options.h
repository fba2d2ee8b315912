/*
 * daemon_options - the command line of the daemons but weir-sniffer, which is the same.
 *
 * Owner:    the caller owns the value; it must not move after reading, since listen points
 *           into it, and its texts are the command line's own.
 * Errors:   told on standard error; what is asked for (help, version) goes to standard output.
 */
#ifndef WEIR_PROGRAM_DAEMON_OPTIONS_H
#define WEIR_PROGRAM_DAEMON_OPTIONS_H

#include <stdbool.h>

#include "core/base/settings.h"

#define WEIR_DAEMON_LISTEN_MAX 16

struct weir_daemon_options {
    const char *program;         /* given, as are the next two */
    const char *help;
    size_t listen_most;          /* addresses it can listen at: 1..WEIR_DAEMON_LISTEN_MAX */
    const char *config_path;     /* NULL: the usual place */
    struct weir_strings listen;  /* valid endpoints */
    const char *address[WEIR_DAEMON_LISTEN_MAX];
    bool debug;
    bool test;
};

/* Reads the command line: -1 to go on, else the exit code. */
int weir_daemon_options_read(struct weir_daemon_options *options, int argc, char **argv);

/* Tests the configuration, as -t asks for; the exit code. */
int weir_daemon_test(const char *config_path);

/* Says that it is sound, unless a test has found an error and told it; the exit code. */
int weir_daemon_tested(int error);

/* The exit code that tells of 0 or an error. */
int weir_daemon_exit_code(int error);

#endif
