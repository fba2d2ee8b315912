/*
 * memcached_node_io - one memcached server: its connection, its circuit
 * breaker, its probe.  For counters_memcached_io.c.
 *
 * A node is up until a question to it fails or stays without its whole answer
 * when its asker gives up.  Then it is down: it is not asked any more, so that it
 * costs nobody time.  weir_memcached_node_tick() finds out, without ever
 * waiting, when it answers again: a connection and a NOOP, looked at in later
 * ticks, at intervals that double.  In a program without ticks the question
 * that comes after the interval is the probe.
 *
 *     begin  ->  step, step, ... while it waits  ->  done, or give_up
 *
 * A connection that failed, or was given up, is closed: an answer that comes
 * late has nowhere to arrive and is never taken for the answer to another question.  One
 * that the server had closed while it was idle is made anew once, unseen.
 *
 * Owner:    whoever made it.  Threads: one.  Nothing here waits, except that
 *           weir_memcached_node_new() resolves the name.
 */
#ifndef WEIR_STORE_MEMCACHED_NODE_IO_H
#define WEIR_STORE_MEMCACHED_NODE_IO_H

#include <poll.h>
#include <stdbool.h>

#include "core/store/counters_impl.h"
#include "core/store/memcached_server.h"

struct weir_memcached_node;

struct weir_memcached_node_options {
    weir_time retry_least, retry_most;
    struct weir_clock steady;
    const struct weir_log *log;
};

/* A name that does not resolve makes a node that stays down.  NULL when memory
 * is short.  Nothing is connected yet. */
struct weir_memcached_node *
weir_memcached_node_new(const struct weir_memcached_server *server,
                        const struct weir_memcached_node_options *options);

/* Closes, frees *node and sets it to NULL; NULL is accepted. */
void weir_memcached_node_free(struct weir_memcached_node **node);

/* Whether it may be asked now. */
bool weir_memcached_node_ready(const struct weir_memcached_node *node);

/* Asks for the n slots given by their indexes; they must be marked missing and,
 * as the indexes, stay where they are until the node no longer waits.  n = 0
 * asks whether it is there.  Only when it is ready. */
void weir_memcached_node_begin(struct weir_memcached_node *node, struct weir_counter_slot *slot,
                               const uint32_t *order, size_t n);

/* Whether a question is under way; then *poll_r says what to wait for. */
bool weir_memcached_node_waits(const struct weir_memcached_node *node, struct pollfd *poll_r);

/* Goes on after poll() reported something. */
void weir_memcached_node_step(struct weir_memcached_node *node, short revents);

/* Ends the question: the time is up.  What came until now stays. */
void weir_memcached_node_give_up(struct weir_memcached_node *node);

/* Whether its circuit breaker is closed. */
bool weir_memcached_node_up(const struct weir_memcached_node *node);

void weir_memcached_node_tick(struct weir_memcached_node *node);

void weir_memcached_node_status(const struct weir_memcached_node *node,
                                struct weir_counters_node *status_r);

/* Stored values seen since the last call that were no counters. */
size_t weir_memcached_node_take_malformed(struct weir_memcached_node *node);

/* The numeric address last used, or the socket's path and port 0; false when there is none. */
bool weir_memcached_node_address(const struct weir_memcached_node *node, char *host, size_t len,
                                 unsigned *port_r);

#endif
