/*
 * listeners - the sockets at which clients knock; addresses as endpoint.h has them.
 *
 * When systemd hands over sockets (LISTEN_FDS), these are used instead: they outlive the
 * daemon, so that a restart refuses nobody.
 *
 * A stale Unix socket, one at which nobody answers, is taken away; one that
 * answers, and a file that is no socket, is an error.  On the way out a socket file is
 * removed if it is still the one that was made.
 *
 * Owner:    the caller owns the set; the set owns its sockets.
 * Errors:   0; WEIR_EINVAL for a wrong address, WEIR_EIO, WEIR_ENOMEM; each with *why_r:
 *           text that lives until the next call.
 */
#ifndef WEIR_POLICY_LISTENERS_IO_H
#define WEIR_POLICY_LISTENERS_IO_H

#include <sys/stat.h>

#include "core/base/endpoint.h"
#include "core/base/settings.h"
#include "postfix-policy/connection_io.h"

#define WEIR_LISTENER_NAME (WEIR_ENDPOINT_MAX + 1)

struct weir_listener {
    enum weir_watch watch;
    int fd;
    char address[WEIR_LISTENER_NAME]; /* as in the configuration */
    char name[WEIR_LISTENER_NAME];    /* where it really listens */
    bool handed_over;                 /* systemd's */
    bool fresh, wanted;               /* while it is changed */
    const char *path;                 /* of a socket file we made, else NULL */
    struct stat made;
    struct weir_listener *next;
};

struct weir_listeners {
    enum weir_watch watch;            /* of those that are opened */
    struct weir_listener *first;
    char why[2 * WEIR_LISTENER_NAME];
};

/* Takes over the sockets systemd handed to this process.  Their number, or an error. */
int weir_listeners_inherit(struct weir_listeners *listeners, const char **why_r);

/* Opens the addresses that are not open yet (marked fresh).  On an error nothing has
 * changed.  access is an enum weir_socket_access. */
int weir_listeners_prepare(struct weir_listeners *listeners, const struct weir_strings *addresses,
                           int access, const char **why_r);

/* Closes what the last prepare no longer wanted, and gives access to the rest ... */
void weir_listeners_commit(struct weir_listeners *listeners, int access);

/* ... or what it opened. */
void weir_listeners_abandon(struct weir_listeners *listeners);

void weir_listeners_close(struct weir_listeners *listeners);

#endif
