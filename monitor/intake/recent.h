/*
 * recent - what addresses did within the last hour, in memory beside the table of minutes: so that
 * who does most now is known in milliseconds, of a million addresses as of a hundred.
 *
 *     rows as the database takes them -> a list for each minute -> sums of any minutes of the hour
 *
 * It has exactly what the table has, from a minute on which it tells: that moves forward where
 * there are more rows than there is room for, and what is older is asked of the table.
 *
 * Owner:    the caller.  Threads: any, one mutex, held for as long as a question takes.
 * Errors:   WEIR_ENOMEM; while rows are added there is none: then it knows less.
 * Limits:   so many addresses as it is made for, 40 octets each, and twice as many rows, 28 octets
 *           each, taken as they are needed; WEIR_RECENT_MINUTES.  A sum of a minute stops at 2^32.
 */
#ifndef WEIR_INTAKE_RECENT_H
#define WEIR_INTAKE_RECENT_H

#include "monitor/intake/minutes.h"

#define WEIR_RECENT_MINUTES 60
#define WEIR_RECENT_TOP_MAX 500 /* rows of an answer */

struct weir_recent;

/* One that knows nothing yet, of so many addresses at most.  0 or WEIR_ENOMEM. */
int weir_recent_new(size_t addresses, const struct weir_hash_key *key,
                    struct weir_recent **recent_r);
void weir_recent_free(struct weir_recent **recent);

/* How many rows there is room for. */
size_t weir_recent_room(const struct weir_recent *recent);

/* All rows from this minute on were or will be added. */
void weir_recent_begin(struct weir_recent *recent, int64_t minute);

/* From which minute on it knows all. */
int64_t weir_recent_begins(struct weir_recent *recent);

/* Rows that the table has now, in any order; of several with the same minute and address all
 * count. */
void weir_recent_add(struct weir_recent *recent, const struct weir_minute_row *row, size_t rows);

/* Those with most of a quantity in a span of minutes, both included. */
struct weir_recent_question {
    int64_t from, to;
    bool networks;               /* /24, and /56 of IPv6, in the place of addresses */
    unsigned quantity, most;
};
struct weir_recent_top { struct weir_address address; uint64_t sum[WEIR_TRAFFIC_QUANTITIES]; };

/* Most first, then by address: how many there are in top_r, which has room for `most`; WEIR_ELIMIT:
 * it does not know all of that span; WEIR_ENOMEM. */
int weir_recent_top(struct weir_recent *recent, const struct weir_recent_question *question,
                    struct weir_recent_top *top_r);

#endif
