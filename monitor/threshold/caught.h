/*
 * caught - whom a threshold would have caught, put together from the events of a replay.
 *
 * Events are added as they come, then closed into one row for each address or network; then the
 * traffic of the same span is added to the rows, so that good senders are known.
 *
 * Owner:    the caller owns it.  Errors: WEIR_ENOMEM; WEIR_ELIMIT beyond WEIR_CAUGHT_EVENTS_MAX.
 */
#ifndef WEIR_THRESHOLD_CAUGHT_H
#define WEIR_THRESHOLD_CAUGHT_H

#include "core/store/traffic_line.h"
#include "monitor/intake/minutes.h"
#include "monitor/threshold/bucket.h"

#define WEIR_CAUGHT_EVENTS_MAX 4000000

struct weir_caught_row {
    struct weir_prefix prefix;
    bool spared;              /* acceptable: it would have been, and is not */
    unsigned sure, perhaps;   /* times */
    unsigned quantities;      /* a bit for each enum weir_quantity */
    weir_time first, last;
    uint64_t sum[WEIR_TRAFFIC_QUANTITIES]; /* of the whole span */
};

struct weir_caught {
    struct weir_caught_row *row;
    size_t count, room;
};

/* An event: sure, when it does not hang on how the traffic fell within its minutes. */
int weir_caught_add(struct weir_caught *caught, const struct weir_prefix *prefix,
                        weir_time time, enum weir_quantity quantity, bool sure, bool spared);

/* One row for each address or network, by prefix. */
void weir_caught_close(struct weir_caught *caught);

/* Adds a minute to the rows it belongs to, which are closed. */
void weir_caught_traffic(struct weir_caught *caught, const struct weir_minute_row *minute);

/* Those caught most often first, the sure ones before the others. */
void weir_caught_sort(struct weir_caught *caught);

/* Whether most of its messages were accepted. */
bool weir_caught_mostly_accepted(const struct weir_caught_row *row);

void weir_caught_free(struct weir_caught *caught);

#endif
