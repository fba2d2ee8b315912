/*
 * memcached_exchange - one question to one memcached server, and its answer.
 *
 * The question is a run of quiet gets (binary protocol: GETQ, misses are not
 * answered) and a NOOP behind them, whose answer says that all are done.  Every
 * get carries its place in the question ("opaque"), which comes back with the answer:
 * so answers find their slots, and one that was not asked for, comes twice,
 * late or out of order is seen.  A question without gets is a mere "are you there?".
 *
 * Why not libmemcached: its parser (1.1.4) trusts the lengths a server
 * sends.  A key of more than 250 octets, a long version or statistics text
 * overflow its buffers, so that a hostile or mad server could take over whoever
 * asks it.  Here nothing is copied before its length is known to fit.
 *
 * Pure: octets in, octets out; no socket, no clock.
 * Owner:    a plain value; the slots and their order stay the caller's and must
 *           outlive the exchange.
 * Limits:   WEIR_MEMCACHED_BODY_MAX octets of one answer.
 */
#ifndef WEIR_STORE_MEMCACHED_EXCHANGE_H
#define WEIR_STORE_MEMCACHED_EXCHANGE_H

#include <stdbool.h>

#include "core/store/counter_keys.h"
#include "core/store/counters_impl.h"

#define WEIR_MEMCACHED_HEADER 24 /* octets before every question's and answer's body */

struct weir_memcached_exchange {
    struct weir_counter_slot *slot;
    const uint32_t *order; /* the n slots asked for, by index */
    size_t n;
    uint32_t first;    /* opaque of the first get */
    size_t asked;      /* gets written; n + 1 when the NOOP was, too */
    size_t answered;   /* slots before this one are settled */
    size_t malformed;  /* answers that are no counters; their slots are missing */
    bool done;
    struct weir_counter_keys keys;
};

/* Begins.  first must differ from exchange to exchange on one connection by
 * more than the n of the one before.  The slots should be marked missing. */
void weir_memcached_exchange_begin(struct weir_memcached_exchange *exchange,
                                   struct weir_counter_slot *slot, const uint32_t *order,
                                   size_t n, uint32_t first);

/* Writes as much of the question as fits; returns how many octets. */
size_t weir_memcached_exchange_write(struct weir_memcached_exchange *exchange, uint8_t *room,
                                     size_t len);

/* Takes whole answers from what has come; *used_r is how many octets of it (set
 * always).  1 when the exchange is done, 0 when more must come, WEIR_ECORRUPT
 * when this is no answer to the question: the connection is then of no use. */
int weir_memcached_exchange_read(struct weir_memcached_exchange *exchange, const uint8_t *bytes,
                                 size_t len, size_t *used_r);

#endif
