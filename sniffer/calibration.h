/*
 * calibration - how long a server's "250 queued" is: as heard in the clear, and as answers inside
 * TLS were found to be that a plug-in of the same host logged a message for (witness.h).
 *
 * Mail servers say nearly the same each time, so that what they said in clear text, or before,
 * tells what they will say inside TLS (tls_estimate.h).  Learned by server and port; used when
 * enough was heard, with some room for longer queue ids and for a farewell in the same record.
 *
 * Of what plug-ins taught the last WEIR_CALIBRATION_RECENT lengths count, without the shortest and
 * the longest of a full set, so that a single wrong one changes nothing and all are forgotten in
 * time.  Nothing makes lengths below WEIR_CALIBRATION_REPLY_LEAST or above
 * WEIR_CALIBRATION_REPLY_MOST be learned from plug-ins, whatever stands in their lines.
 *
 * Owner:    a plain value; starts with zeroes.  Threads: one.
 * Limits:   WEIR_CALIBRATION_SERVERS_MAX; then the one learned from longest ago is forgotten.
 */
#ifndef WEIR_SNIFFER_CALIBRATION_H
#define WEIR_SNIFFER_CALIBRATION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/address.h"
#include "core/base/limits.h"

#define WEIR_CALIBRATION_LEAST 5 /* replies before they are believed to be typical */
#define WEIR_CALIBRATION_SHORTER 4 /* octets of a shorter queue id ... */
#define WEIR_CALIBRATION_LONGER 24 /* ... of a longer one, and "221 2.0.0 Bye" */

#define WEIR_CALIBRATION_RECENT 32 /* lengths that plug-ins taught and that still count */
#define WEIR_CALIBRATION_REPLY_LEAST 12 /* they cannot teach shorter replies ... */
#define WEIR_CALIBRATION_REPLY_MOST 160 /* ... nor longer ones */

struct weir_calibrated {
    struct weir_address server;
    uint16_t port;
    unsigned replies, least, most; /* in the clear */
    uint8_t recent[WEIR_CALIBRATION_RECENT]; /* inside TLS */
    unsigned witnessed;            /* so many were ever put there */
    uint64_t turn;                 /* when it was learned from last: as so-manieth */
};

struct weir_calibration {
    struct weir_calibrated server[WEIR_CALIBRATION_SERVERS_MAX];
    unsigned count;
    uint64_t turns;
};

/* So many replies were heard, of least to most octets. */
void weir_calibration_learn(struct weir_calibration *calibration,
                            const struct weir_address *server, uint16_t port, unsigned replies,
                            unsigned least, unsigned most);

/* A plug-in told of a message that was accepted with a reply of so many octets inside TLS.  False
 * when it is out of bounds, and teaches nothing. */
bool weir_calibration_witness(struct weir_calibration *calibration,
                              const struct weir_address *server, uint16_t port, unsigned reply);

/* Of how many servers the bounds are known. */
unsigned weir_calibration_known(const struct weir_calibration *calibration);

/* The bounds of a queued reply of that server; false, and both 0, when they are not known. */
bool weir_calibration_bounds(const struct weir_calibration *calibration,
                             const struct weir_address *server, uint16_t port, unsigned *least_r,
                             unsigned *most_r);

#endif
