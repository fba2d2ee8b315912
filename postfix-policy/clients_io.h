/*
 * clients - everybody who is connected, from octets to answers and back.
 *
 * The server says which connection is ready; its octets are read once, whole requests
 * go into the batch, and when all ready connections have had their turn the batch is
 * answered: one engine call for all, one send for each.
 *
 *     ready, ready, ready ... -> answer -> (connections with more) -> answer
 *
 * In case of trouble a client gets no answer but a closed connection, and the log one
 * line (of a flood, a few and then one a second with the number of the others):
 *
 *     malformed   not the protocol, see policy_protocol.h
 *     oversized   past a limit
 *     half        the connection ended within a request
 *     slow        a request did not arrive within request_timeout
 *     unread      the client did not take its answers within request_timeout
 *
 * Owner:    the caller owns it, and everything in the parts, which it may exchange
 *           between two calls of weir_clients_answer().
 * Threads:  one.
 */
#ifndef WEIR_POLICY_CLIENTS_IO_H
#define WEIR_POLICY_CLIENTS_IO_H

#include "postfix-policy/connection_io.h"
#include "postfix-policy/policy_batch.h"

enum weir_trouble {
    WEIR_TROUBLE_MALFORMED,
    WEIR_TROUBLE_OVERSIZED,
    WEIR_TROUBLE_HALF,
    WEIR_TROUBLE_SLOW,
    WEIR_TROUBLE_UNREAD,
    WEIR_TROUBLES
};

/* "malformed", "oversized", "half", "slow", "unread". */
const char *weir_trouble_name(enum weir_trouble trouble);

struct weir_clients_counts {
    uint64_t accepted;
    uint64_t idle; /* closed because they were idle for long */
    uint64_t trouble[WEIR_TROUBLES];
};

struct weir_clients;

struct weir_clients_options {
    int epoll;                             /* connections are watched here, level-triggered */
    struct weir_clock wall;                /* for decisions */
    struct weir_clock steady;              /* how long they took */
    const char *(*status)(void *context);  /* the whole answer to a status request; lives
                                              until it is asked for the next time */
    void *context;
};

/* 0 or WEIR_ENOMEM. */
int weir_clients_new(const struct weir_clients_options *options, struct weir_clients **clients_r);

/* Closes all connections and frees *clients; NULL is accepted. */
void weir_clients_free(struct weir_clients **clients);

/* What requests are answered with from now on. */
void weir_clients_use(struct weir_clients *clients, const struct weir_policy_parts *parts);

/* Accepts connections that wait at a listening socket, not more than most.  1 when there
 * may be others, 0 when there are none, WEIR_EIO when the system has no
 * more room for connections now (errno). */
int weir_clients_accept(struct weir_clients *clients, int listener, weir_time now, size_t most);

/* A connection is ready for what it waits for. */
void weir_clients_ready(struct weir_clients *clients, struct weir_connection *connection,
                        weir_time now);

/* Answers all that has been read.  To be called when all ready ones had their turn. */
void weir_clients_answer(struct weir_clients *clients, weir_time now);

/* Closes those whose time is over. */
void weir_clients_expire(struct weir_clients *clients, weir_time now);

/* From now on a connection is closed as soon as it is answered and silent. */
void weir_clients_finish(struct weir_clients *clients);

size_t weir_clients_open(const struct weir_clients *clients);

/* Whether answers wait to be taken. */
bool weir_clients_unsent(const struct weir_clients *clients);

const struct weir_clients_counts *weir_clients_counts(const struct weir_clients *clients);

#endif
