/*
 * connection - one client's socket, what it sent and what it has not taken yet.
 *
 * A connection that has nothing pending owns no buffer: 10,000 idle ones cost their
 * sockets and 200 octets each.  What it waits for says which of three queues it stands in;
 * a queue is in order of time, so that timeouts only look at its head.
 *
 *     idle     for a request          head: idle for longest
 *     half     for a request's rest   head: the request that began first
 *     stuck    for room to answer     head: the client that takes nothing for longest
 *
 * Owner:    struct weir_connections owns all connections; a connection owns its
 *           socket and buffers.
 * Limits:   what waits to be read never exceeds WEIR_POLICY_REQUEST_MAX octets; what
 *           waits to be sent is what one turn answered, since a stuck client is not read.
 */
#ifndef WEIR_POLICY_CONNECTION_IO_H
#define WEIR_POLICY_CONNECTION_IO_H

#include <sys/uio.h>

#include "core/base/clock.h"
#include "postfix-policy/policy_protocol.h"

/* What an epoll event is about: the first member of everything that is watched. */
enum weir_watch {
    WEIR_WATCH_SIGNAL,
    WEIR_WATCH_LISTENER,
    WEIR_WATCH_CONNECTION,
    WEIR_WATCH_DECIDE_LISTENER, /* for whole messages: decide_clients_io.h */
    WEIR_WATCH_DECIDER,
};

enum weir_waits { WEIR_WAITS_IDLE, WEIR_WAITS_HALF, WEIR_WAITS_STUCK, WEIR_WAITS };

struct weir_connection {
    enum weir_watch watch;
    int fd;
    enum weir_waits waits;
    weir_time since;             /* it waits */
    struct weir_connection *before, *after; /* in its queue */

    const char *at;              /* arrived and not yet taken */
    size_t len;
    struct weir_policy_scan scan;
    char *in;                    /* buffer of its own, or NULL: at lies elsewhere */
    size_t room;

    char *out;                   /* answered and not yet sent, or NULL */
    size_t out_at, out_len;

    unsigned batched;            /* requests in the batch at hand */
    bool more;                   /* whole requests may be left in what arrived */
    bool closing;                /* to be closed when all answers are sent */
    struct weir_connection *again; /* list of those with more */
};

struct weir_connections {
    struct {
        struct weir_connection *first, *last;
    } queue[WEIR_WAITS];
    size_t count;
};

/* Takes over an open socket.  NULL when memory is short: then fd is the caller's still. */
struct weir_connection *weir_connection_new(struct weir_connections *connections, int fd,
                                            weir_time now);

/* Closes the socket and frees the connection. */
void weir_connection_close(struct weir_connections *connections,
                           struct weir_connection *connection);

/* Puts it at the end of a queue. */
void weir_connection_wait(struct weir_connections *connections,
                          struct weir_connection *connection, enum weir_waits waits,
                          weir_time now);

/* Reads once: behind what is pending, else into room octets (at least
 * WEIR_POLICY_REQUEST_MAX) at the caller's.  1 when there is more than before, 0 when
 * nothing is there now, WEIR_EDOWN when the peer has finished or is gone, WEIR_ENOMEM. */
int weir_connection_read(struct weir_connection *connection, char *area, size_t room);

/* Moves what has not been taken into a buffer of the connection's own; gives that
 * buffer back when nothing is left.  0 or WEIR_ENOMEM. */
int weir_connection_keep(struct weir_connection *connection);

/* Sends parts in order.  1 when all is sent, 0 when the rest is kept, WEIR_EDOWN when the
 * peer is gone, WEIR_ENOMEM. */
int weir_connection_send(struct weir_connection *connection, const struct iovec *part,
                         size_t parts);

/* Goes on with what was kept; result as above. */
int weir_connection_send_kept(struct weir_connection *connection);

/* Whether octets (or the end) can be read now. */
bool weir_connection_readable(const struct weir_connection *connection);

#define WEIR_PEER_TEXT 80

/* Who it is, for the log: "127.0.0.1:4321", "pid 77 uid 1".  Returns buffer. */
const char *weir_connection_peer(const struct weir_connection *connection,
                                 char buffer[static WEIR_PEER_TEXT]);

#endif
