/*
 * minutes - what each address did at each server in each minute, summed up until the database
 * takes it (claim A25).
 *
 * Ten thousand lines of one address are one row.  A table of bounded size: when it is full, what
 * would need a new row is refused, and the caller has to give the rows to the database first, or
 * to turn senders away until it did; nothing is ever dropped here.  So that taking lines does not
 * wait for the disk, a monitor has two tables and exchanges them: one is filled while the rows of
 * the other are written.
 *
 * Rows lie densely beside an index by a keyed hash, so that nobody outside can make it slow.
 *
 * Owner:    the caller owns the table.  Threads: one.
 * Errors:   WEIR_ENOMEM; WEIR_EFULL as above; WEIR_EINVAL for a size of 0 or beyond 2^30.
 * Limits:   96 octets a row and 16 of index, all made at once; 256 KB beside them.
 *           Sums stop at WEIR_MINUTE_SUM_MAX.
 */
#ifndef WEIR_INTAKE_MINUTES_H
#define WEIR_INTAKE_MINUTES_H

#include <stddef.h>

#include "core/base/keyed_hash.h"
#include "core/store/traffic_line.h"

#define WEIR_MINUTE_SUM_MAX (UINT64_C(1) << 40) /* so that eight million of them can be added up */

struct weir_minute_row {
    int64_t minute;              /* minutes since 1970 */
    struct weir_address address;
    uint32_t server;
    weir_time first, last;       /* times of the lines summed up */
    uint64_t sum[WEIR_TRAFFIC_QUANTITIES];
};

struct weir_minutes;

/* A table for so many rows. */
int weir_minutes_new(size_t rows, const struct weir_hash_key *key,
                     struct weir_minutes **minutes_r);
void weir_minutes_free(struct weir_minutes **minutes);

/* Adds a line: 0, or WEIR_EFULL and nothing was added. */
int weir_minutes_add(struct weir_minutes *minutes, uint32_t server,
                     const struct weir_traffic *traffic);

/* Adds lines in their order, several at a time in the memory's eyes: 0, or WEIR_EFULL at the first
 * one that there is no room for. */
int weir_minutes_add_all(struct weir_minutes *minutes, uint32_t server,
                         const struct weir_traffic *traffic, size_t count);

/* How many more rows there is room for: a batch of so many lines fits for certain. */
size_t weir_minutes_room(const struct weir_minutes *minutes);

/* How many of them a server may add: never so many that it has more rows than stay free.  One that
 * tells of the whole Internet gets half of the table, the next half of what that leaves, or, at the
 * same time, a third each: there is always room for the others. */
size_t weir_minutes_share(const struct weir_minutes *minutes, uint32_t server);

/* All rows by minute, address and server, which is the order the database stores them in.  They
 * stay there, and lines may be added afterwards, but not looked at the same time. */
const struct weir_minute_row *weir_minutes_rows(struct weir_minutes *minutes, size_t *count_r);

/* Forgets all rows: the database has them. */
void weir_minutes_clear(struct weir_minutes *minutes);

#endif
