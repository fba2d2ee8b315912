/*
 * calibration - a short list that is searched from its beginning: it is asked once a connection.
 * Replies too long to be one line (RFC 5321 4.5.3.1.5) are not learned from.
 */
#include "sniffer/calibration.h"

#include <stddef.h>

static const struct weir_calibrated *find(const struct weir_calibration *calibration,
                                          const struct weir_address *server, uint16_t port)
{
    for (unsigned i = 0; i < calibration->count; i++) {
        const struct weir_calibrated *known = &calibration->server[i];
        if (known->port == port && weir_address_equal(&known->server, server))
            return known;
    }
    return NULL;
}

static struct weir_calibrated *make(struct weir_calibration *calibration,
                                    const struct weir_address *server, uint16_t port)
{
    unsigned at = calibration->next;
    calibration->next = (at + 1) % WEIR_CALIBRATION_SERVERS_MAX;
    if (calibration->count < WEIR_CALIBRATION_SERVERS_MAX)
        calibration->count++;
    calibration->server[at] = (struct weir_calibrated){
        .server = *server, .port = port, .least = WEIR_REPLY_MAX};
    return &calibration->server[at];
}

void weir_calibration_learn(struct weir_calibration *calibration,
                            const struct weir_address *server, uint16_t port, unsigned replies,
                            unsigned least, unsigned most)
{
    if (replies == 0 || most > WEIR_REPLY_MAX)
        return;
    const struct weir_calibrated *found = find(calibration, server, port);
    struct weir_calibrated *known = found ? &calibration->server[found - calibration->server]
                                          : make(calibration, server, port);
    known->replies += known->replies < WEIR_CALIBRATION_LEAST ? replies : 0;
    if (least < known->least)
        known->least = least;
    if (most > known->most)
        known->most = most;
}

bool weir_calibration_bounds(const struct weir_calibration *calibration,
                             const struct weir_address *server, uint16_t port, unsigned *least_r,
                             unsigned *most_r)
{
    const struct weir_calibrated *known = find(calibration, server, port);
    bool enough = known && known->replies >= WEIR_CALIBRATION_LEAST;
    *least_r = *most_r = 0;
    if (!enough)
        return false;
    if (known->least > WEIR_CALIBRATION_SHORTER)
        *least_r = known->least - WEIR_CALIBRATION_SHORTER;
    *most_r = known->most + WEIR_CALIBRATION_LONGER;
    return true;
}
