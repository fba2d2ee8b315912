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

/* A place for one more: a free one, or that of the one learned from longest ago. */
static struct weir_calibrated *make(struct weir_calibration *calibration,
                                    const struct weir_address *server, uint16_t port)
{
    struct weir_calibrated *at = &calibration->server[0];
    for (unsigned i = 1; i < calibration->count; i++) {
        if (calibration->server[i].turn < at->turn)
            at = &calibration->server[i];
    }
    if (calibration->count < WEIR_CALIBRATION_SERVERS_MAX)
        at = &calibration->server[calibration->count++];
    *at = (struct weir_calibrated){.server = *server, .port = port, .least = WEIR_REPLY_MAX};
    return at;
}

static struct weir_calibrated *of(struct weir_calibration *calibration,
                                  const struct weir_address *server, uint16_t port)
{
    const struct weir_calibrated *found = find(calibration, server, port);
    struct weir_calibrated *known = found ? &calibration->server[found - calibration->server]
                                          : make(calibration, server, port);

    known->turn = ++calibration->turns;
    return known;
}

void weir_calibration_learn(struct weir_calibration *calibration,
                            const struct weir_address *server, uint16_t port, unsigned replies,
                            unsigned least, unsigned most)
{
    struct weir_calibrated *known;

    if (replies == 0 || most > WEIR_REPLY_MAX)
        return;
    known = of(calibration, server, port);
    known->replies += known->replies < WEIR_CALIBRATION_LEAST ? replies : 0;
    if (least < known->least)
        known->least = least;
    if (most > known->most)
        known->most = most;
}

bool weir_calibration_witness(struct weir_calibration *calibration,
                              const struct weir_address *server, uint16_t port, unsigned reply)
{
    struct weir_calibrated *known;

    if (reply < WEIR_CALIBRATION_REPLY_LEAST || reply > WEIR_CALIBRATION_REPLY_MOST)
        return false;
    known = of(calibration, server, port);
    known->recent[known->witnessed++ % WEIR_CALIBRATION_RECENT] = (uint8_t)reply;
    if (known->witnessed == 2 * WEIR_CALIBRATION_RECENT)
        known->witnessed = WEIR_CALIBRATION_RECENT;
    return true;
}

static bool is_known(const struct weir_calibrated *server)
{
    return server->replies >= WEIR_CALIBRATION_LEAST || server->witnessed >= WEIR_CALIBRATION_LEAST;
}

unsigned weir_calibration_known(const struct weir_calibration *calibration)
{
    unsigned known = 0;

    for (unsigned i = 0; i < calibration->count; i++)
        known += is_known(&calibration->server[i]);
    return known;
}

/* Of lengths: the shortest and longest but for one each when there is a full set. */
struct range {
    unsigned least, most, next_least, next_most;
};

static void widen(struct range *range, unsigned length)
{
    if (length < range->least) {
        range->next_least = range->least;
        range->least = length;
    } else if (length < range->next_least) {
        range->next_least = length;
    }
    if (length > range->most) {
        range->next_most = range->most;
        range->most = length;
    } else if (length > range->next_most) {
        range->next_most = length;
    }
}

static struct range witnessed_range(const struct weir_calibrated *known)
{
    struct range range = {.least = WEIR_REPLY_MAX, .next_least = WEIR_REPLY_MAX};
    bool full = known->witnessed >= WEIR_CALIBRATION_RECENT;
    unsigned count = full ? WEIR_CALIBRATION_RECENT : known->witnessed;

    for (unsigned i = 0; i < count; i++)
        widen(&range, known->recent[i]);
    if (full)
        range = (struct range){.least = range.next_least, .most = range.next_most};
    return range;
}

bool weir_calibration_bounds(const struct weir_calibration *calibration,
                             const struct weir_address *server, uint16_t port, unsigned *least_r,
                             unsigned *most_r)
{
    const struct weir_calibrated *known = find(calibration, server, port);
    struct range range = {.least = WEIR_REPLY_MAX};

    *least_r = *most_r = 0;
    if (!known || !is_known(known))
        return false;
    if (known->witnessed >= WEIR_CALIBRATION_LEAST)
        range = witnessed_range(known);
    if (known->replies >= WEIR_CALIBRATION_LEAST) {
        range.least = known->least < range.least ? known->least : range.least;
        range.most = known->most > range.most ? known->most : range.most;
    }
    if (range.least > WEIR_CALIBRATION_SHORTER)
        *least_r = range.least - WEIR_CALIBRATION_SHORTER;
    *most_r = range.most + WEIR_CALIBRATION_LONGER;
    return true;
}
