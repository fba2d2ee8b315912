/*
 * policy_server - the daemon's loop: sockets, signals, time.
 *
 *     open -> run ... HUP: reload ... TERM, INT: stop -> close
 *
 * Reload:  the new configuration is read and checked beside the old one; when
 *          anything is wrong (logged as file:line: reason) the old one stays.  Otherwise
 *          stores, engine and listeners change between two batches; connections stay,
 *          also those of a listener that is gone.
 * Stop:    no more connections; every request that has arrived whole is answered;
 *          then connections close.  Two seconds at most.
 *
 * Owner:    the caller owns the server; it owns service, clients, listeners, log.
 * Threads:  one.  Signals HUP, TERM and INT are blocked in it and read in the loop.
 */
#ifndef WEIR_POLICY_SERVER_IO_H
#define WEIR_POLICY_SERVER_IO_H

#include <stdbool.h>

#include "core/base/settings.h"

struct weir_policy_server;

struct weir_policy_server_options {
    const char *program;        /* for the log */
    const char *config_path;    /* NULL: the usual place */
    struct weir_strings listen; /* instead of the configured addresses, if there are any */
    bool debug;                 /* log everything, to standard error */
};

/* Reads the configuration, opens everything and listens.  0; WEIR_EINVAL when the
 * configuration is wrong (told on standard error), WEIR_EIO when it cannot be read or
 * nothing can be listened at (told or logged), WEIR_ENOMEM. */
int weir_policy_server_open(const struct weir_policy_server_options *options,
                            struct weir_policy_server **server_r);

/* Serves until it is told to stop.  0, or WEIR_ENOMEM when it cannot go on. */
int weir_policy_server_run(struct weir_policy_server *server);

void weir_policy_server_close(struct weir_policy_server **server);

#endif
