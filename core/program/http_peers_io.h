/*
 * http_peers - who is connected to an HTTP server of ours: where from, for whom he takes us, and
 * that nobody keeps others out by taking his time (visitors.h).
 *
 *     MHD_OPTION_NOTIFY_CONNECTION, weir_http_peers_visited, &peers
 *     ... weir_http_peers_due() as requests come and are answered
 *     each second: weir_http_peers_cut()
 *
 * libmicrohttpd's own limit of connections must be above that of strangers: else nobody comes whom
 * the oldest would have to make room for.
 *
 * Owner:    the caller; it outlives the server.  Threads: any.
 * Errors:   none; a connection that memory is short for has no visitor (NULL), and only
 *           libmicrohttpd's limits.
 */
#ifndef WEIR_PROGRAM_HTTP_PEERS_IO_H
#define WEIR_PROGRAM_HTTP_PEERS_IO_H

#include <microhttpd.h>
#include <pthread.h>

#include "core/program/visitors.h"

struct weir_http_peers {
    pthread_mutex_t lock;
    struct weir_clock steady;
    struct weir_visitors visitors;
};

void weir_http_peers_begin(struct weir_http_peers *peers,
                           const struct weir_visitors_limits *limits);
void weir_http_peers_end(struct weir_http_peers *peers);

/* A connection begins or ends: libmicrohttpd's call. */
void weir_http_peers_visited(void *peers, struct MHD_Connection *connection, void **visitor,
                             enum MHD_ConnectionNotificationCode code);

/* Cuts connections that are late: each second. */
void weir_http_peers_cut(struct weir_http_peers *peers);

/* Of a connection. */
struct weir_visitor *weir_http_visitor(struct MHD_Connection *connection);

/* What comes next is due within a span; 0: it is our turn.  And that he is no stranger any more.
 * NULL is accepted. */
void weir_http_peers_due(struct weir_http_peers *peers, struct weir_visitor *visitor,
                         weir_time span);
void weir_http_peers_known(struct weir_http_peers *peers, struct weir_visitor *visitor);

/* Where who asks is; zeros: nobody knows. */
struct weir_address weir_http_address(struct MHD_Connection *connection);

/* Whether there is one Host field, and we answer to it (host_field.h). */
bool weir_http_host_fits(struct MHD_Connection *connection, const char *own,
                         const char *declared);

#endif
