/*
 * calibration - how long a server's "250 queued" is, as heard in the clear.
 *
 * Mail servers say nearly the same each time, so that what they said in clear text tells what
 * they will say inside TLS (tls_estimate.h).  Learned by server and port; used when enough was
 * heard, with some room for longer queue ids and for a farewell in the same record.
 *
 * Owner:    a plain value; starts with zeroes.  Threads: one.
 * Limits:   WEIR_CALIBRATION_SERVERS_MAX; then the one learned first is forgotten.
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

struct weir_calibrated {
    struct weir_address server;
    uint16_t port;
    unsigned replies, least, most;
};

struct weir_calibration {
    struct weir_calibrated server[WEIR_CALIBRATION_SERVERS_MAX];
    unsigned count, next;
};

/* So many replies were heard, of least to most octets. */
void weir_calibration_learn(struct weir_calibration *calibration,
                            const struct weir_address *server, uint16_t port, unsigned replies,
                            unsigned least, unsigned most);

/* The bounds of a queued reply of that server; false, and both 0, when they are not known. */
bool weir_calibration_bounds(const struct weir_calibration *calibration,
                             const struct weir_address *server, uint16_t port, unsigned *least_r,
                             unsigned *most_r);

#endif
