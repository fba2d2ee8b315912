/*
 * monitor - hears all agents, notices who exceeds a limit, responds, and tells all servers
 * (claims A1, A4, A7-A14, A25, A26).
 *
 *     intake -> receiver -> watch -> events -> ladder -> decisions -> database -> agents
 *
 * Threads of the intake take records and charge them; everything else is one loop, so that what is
 * decided and written has one order.
 *
 * Owner:    the caller owns the monitor.
 * Errors:   WEIR_EINVAL (configuration), WEIR_EIO, WEIR_ENOMEM, WEIR_ECORRUPT; each was logged.
 */
#ifndef WEIR_MONITOR_MONITOR_IO_H
#define WEIR_MONITOR_MONITOR_IO_H

#include <stdbool.h>

struct weir_monitor;

struct weir_monitor_options {
    const char *program;
    const char *config_path;  /* NULL: the usual place */
    const char *listen;       /* instead of the configuration's; NULL: none */
    bool debug;
    bool test;                /* everything wrong is told on standard error */
};

/* What -t asks for: reads the configuration and looks at what it names, as the start does, and
 * opens nothing.  0 or the first error; each was told. */
int weir_monitor_test(const struct weir_monitor_options *options);

/* Opens everything, and hears agents from then on. */
int weir_monitor_open(const struct weir_monitor_options *options,
                      struct weir_monitor **monitor_r);

/* Until TERM or INT. */
int weir_monitor_run(struct weir_monitor *monitor);

/* Stores what is not stored yet. */
void weir_monitor_close(struct weir_monitor **monitor);

#endif
