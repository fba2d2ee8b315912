/*
 * visitors - connections: how long each may take to ask, and how many there may be of people who
 * are not known yet, of one address and at all.
 *
 *     opened -> its head is due -> its body is due -> answered -> its next head is due ...
 *
 * Octets that drip renew libmicrohttpd's timeout, never these: who has not asked in time is cut;
 * where there are too many strangers, the one who began longest ago.  So whoever holds connections
 * cuts his own, and who asks at once is let in.  A connection on which a session or a token was
 * shown is no stranger's any more; one that waits for an answer is not cut.
 *
 * Owner:    the caller owns the table and each visitor, which is in it from opened to closed.
 * Threads:  the caller's lock.  Errors: none.
 * Limits:   the table's; an address is a /64 of IPv6.
 */
#ifndef WEIR_PROGRAM_VISITORS_H
#define WEIR_PROGRAM_VISITORS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/address.h"
#include "core/base/clock.h"

struct weir_visitor {
    int fd;
    struct weir_prefix from;
    weir_time due;                               /* steady; 0: it is our turn */
    bool known;
    bool cut;                                    /* it was told to the caller */
    struct weir_visitor *next, *before;
};

struct weir_visitors_limits {
    size_t of_address, strangers;                /* strangers of one address, and all */
    weir_time head;                              /* for a head, and TLS before it */
};

struct weir_visitors {
    struct weir_visitors_limits limits;
    struct weir_visitor *first, *last;           /* in the order they came */
};

/* One more, whose head is due: the visitor that has to go for it, or NULL. */
struct weir_visitor *weir_visitors_opened(struct weir_visitors *visitors,
                                          struct weir_visitor *visitor, int fd,
                                          const struct weir_address *from, weir_time now);
void weir_visitors_closed(struct weir_visitors *visitors, struct weir_visitor *visitor);

/* One that is late, or NULL; each is told once. */
struct weir_visitor *weir_visitors_late(struct weir_visitors *visitors, weir_time now);

#endif
