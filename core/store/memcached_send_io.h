/*
 * memcached_send_io - changes of counters, sent to one memcached server by
 * libmemcached.  For counters_memcached_io.c.
 *
 * Each change is one quiet binary command that needs no answer: create-or-add
 * with an absolute expiry, or subtract-if-there.  They go over a connection of
 * their own, in the order given, and one more command behind them makes a
 * "receipt": a counter that nobody else has.  Once the receipt can be read (over
 * any connection), all before it was done, since memcached works through one
 * connection in order; until then nothing is known.
 *
 * What libmemcached 1.1.4 does, and what is made of it here:
 *   - What a server sends is never parsed by it (see memcached_exchange.h):
 *     quiet commands expect no answer, and the connection is closed without
 *     having been read.
 *   - BUFFER_REQUESTS does not buffer increments: each is one send().  It would
 *     only make memcached_quit() wait for the server, so it stays off.
 *   - After a failed flush of its buffer it would send the buffer's beginning once
 *     more.  So the first failure ends the batch, for good: nothing is repeated, and so
 *     nothing is counted twice.
 *   - Two signals during one of its waits can make it wait for ever: it counts
 *     the time left below zero.  So signals wait while it works.
 *   - memcached_decrement() takes 32 bits only; the one with an initial value
 *     takes 64, and makes nothing new with an expiry of all ones.
 *   - A name would be resolved again at every connection: it gets an address.
 *
 * The library is loaded when the first batch is sent: linked, it would cost each process that
 * starts some two milliseconds (libstdc++, libsasl2 and libcrypto come with it), and most
 * never write.
 *
 * Threads:  any number, each its own batch.
 * Errors:   a library that cannot be loaded is a server that cannot be reached.
 */
#ifndef WEIR_STORE_MEMCACHED_SEND_IO_H
#define WEIR_STORE_MEMCACHED_SEND_IO_H

#include "core/store/counters_impl.h"

struct weir_memcached_batch {
    const char *host; /* a numeric address, or a path when port is 0 */
    unsigned port;
    const struct weir_counter_change *change;
    const uint32_t *order; /* the n changes to send, by index */
    size_t n;
    const struct weir_counter_change *receipt;
};

struct memcached_st;

/* Sends a batch, at the latest until the deadline.  The connection, to be kept
 * until the receipt was seen or given up; NULL when not all could be handed to the system
 * (some may have been). */
struct memcached_st *weir_memcached_send(const struct weir_memcached_batch *batch,
                                         const struct weir_clock *steady, weir_time deadline);

/* Closes, frees and nulls; NULL is accepted. */
void weir_memcached_hang_up(struct memcached_st **connection);

#endif
