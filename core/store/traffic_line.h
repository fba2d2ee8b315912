/*
 * traffic_line - lines of the spool (spool_io.h) in which a sniffer tells what it saw.
 *
 *     at=<Unix seconds.micros> kind=traffic address=<ip> connections=N syns=N messages=N
 *         accepted=N recipients=N estimated=N
 *     at=<Unix seconds.micros> kind=health packets=N kernel_dropped=N gaps=N flows=N addresses=N
 *         spool_dropped=N calibrated=N witnessed=N odd=N forged=N unproven=N
 *
 * One line each.  Traffic: what one address did in the second that ended then.  Health: how the
 * sniffer itself fares, as sums since its start (flows, addresses, calibrated: now).  Numbers of
 * zero are left out.  "at" and "kind" come first, in this order; other words may come in any
 * order, but once only.  Words that are not known are passed over, so that a newer sniffer can
 * say more to an older monitor; words that are known have to be right.
 *
 * Owner:    the caller; nothing is kept.  Threads: pure functions.
 * Errors:   WEIR_EINVAL for a line that says it is one of these and is wrong; the output is
 *           then not written.
 * Limits:   WEIR_SPOOL_LINE_MAX octets of a line, WEIR_TRAFFIC_MAX and WEIR_HEALTH_MAX of a number,
 *           times from 1970 to 9999.  Whether a time can be true, its reader has to judge.
 */
#ifndef WEIR_STORE_TRAFFIC_LINE_H
#define WEIR_STORE_TRAFFIC_LINE_H

#include "core/base/address.h"
#include "core/base/clock.h"
#include "core/base/cursor.h"
#include "core/base/limits.h"

#define WEIR_TRAFFIC_LINE_ROOM 400 /* for any line that is written here, with its NUL */
#define WEIR_TRAFFIC_QUANTITIES 6

struct weir_traffic {
    weir_time time;
    struct weir_address address;
    union {
        struct {
            uint32_t connections; /* that got the server's greeting */
            uint32_t syns;        /* that came to nothing: may be forged */
            uint32_t messages;    /* begun */
            uint32_t accepted;    /* of them, by the server */
            uint32_t recipients;  /* accepted ones */
            uint32_t estimated;   /* of messages: known from lengths of TLS records only */
        };
        uint32_t quantity[WEIR_TRAFFIC_QUANTITIES]; /* the same in this order */
    };
};

struct weir_health {
    weir_time time;
    uint64_t packets, kernel_dropped, gaps, flows, addresses, spool_dropped;
    uint64_t calibrated; /* servers whose estimates inside TLS are calibrated */
    uint64_t witnessed;  /* messages of plug-ins that were found there */
    uint64_t odd;        /* replies that cannot be to what clients seemed to say */
    uint64_t forged;     /* segments of clients that contradicted others */
    uint64_t unproven;   /* connections of which only one side was heard: nobody's */
};

/* "connections", ...: the words of the line; "" beyond WEIR_TRAFFIC_QUANTITIES. */
const char *weir_traffic_quantity_name(unsigned quantity);

/* Reads a line, without its line end: 1; 0 for one of another kind; WEIR_EINVAL. */
int weir_traffic_line_read(struct weir_slice text, struct weir_traffic *traffic_r);
int weir_health_line_read(struct weir_slice text, struct weir_health *health_r);

/* Writes a line, without a line end, and returns buffer.  A time out of 1970..9999 is written
 * as 0, numbers beyond their limit as the limit. */
const char *weir_traffic_line_write(const struct weir_traffic *traffic,
                                    char buffer[static WEIR_TRAFFIC_LINE_ROOM]);
const char *weir_health_line_write(const struct weir_health *health,
                                   char buffer[static WEIR_TRAFFIC_LINE_ROOM]);

#endif
