/*
 * What addresses did, minute by minute and in all, and how far the spools and the journal are in
 * it: stored in one transaction, so that after any crash the journal from the stored position on
 * is exactly what is missing.  See database_io.h for owner, threads and errors.
 *
 * Limits: sums stop at WEIR_MINUTE_SUM_MAX, and WEIR_COUNTER_MAX of an address; a history spans
 * WEIR_HISTORY_MAX minutes.
 */
#ifndef WEIR_DATABASE_TRAFFIC_IO_H
#define WEIR_DATABASE_TRAFFIC_IO_H

#include "monitor/database/database_io.h"
#include "monitor/intake/minutes.h"

#define WEIR_HISTORY_MAX (100 * 24 * 60) /* minutes: each is a look at the table */

struct weir_stream {
    uint32_t server;
    const char *name;
    uint64_t offset;     /* everything below is in the database */
    weir_time last;      /* when something of it came */
};

struct weir_database_batch {
    const struct weir_minute_row *row; /* as weir_minutes_rows() has them: sorted is faster */
    size_t rows;
    const struct weir_stream *stream;
    size_t streams;
    uint64_t position;   /* of the journal, behind all of these */
    bool partly;         /* rows that stand behind these follow: streams and position wait for
                            them, and weir_database_progress() says how far it came */
};

/* How far a batch came that is there partly. */
struct weir_database_progress {
    uint64_t position;   /* of the batch; 0: there is none */
    int64_t minute;      /* the last row's */
    struct weir_address address;
};

struct weir_address_row {
    struct weir_address address;
    weir_time first_seen, last_seen;
    uint64_t sum[WEIR_TRAFFIC_QUANTITIES];
};

/* Adds a batch: minutes, addresses, offsets and position, all or nothing.  0 or an error.  One that
 * goes as far as what is there partly, or further, ends that. */
int weir_database_traffic(struct weir_database *database, const struct weir_database_batch *batch);

/* What is there of a batch that is there partly.  0 or an error. */
int weir_database_progress(struct weir_database *database,
                           struct weir_database_progress *progress_r);

/* Nothing is there partly any more, however far it came: the journal lost what it was made of.
 * 0 or an error. */
int weir_database_progress_end(struct weir_database *database);

/* The journal's position: 0 when there is none yet.  0 or an error. */
int weir_database_position(struct weir_database *database, uint64_t *position_r);

/* All streams: what the monitor has to know at its start. */
int weir_database_streams(struct weir_database *database,
                          int (*row)(void *context, const struct weir_stream *stream),
                          void *context);

/* Forgets a stream: 1; 0 when it was not known; an error. */
int weir_database_stream_forget(struct weir_database *database, uint32_t server,
                                const char *name);

/* When anybody of a prefix was last seen; 0: never.  0 or an error. */
int weir_database_last_seen(struct weir_database *database, const struct weir_prefix *prefix,
                            weir_time *seen_r);

/* All that is known of an address: 1; 0 when it was never seen; an error. */
int weir_database_address(struct weir_database *database, const struct weir_address *address,
                          struct weir_address_row *row_r);

/* The addresses with most of a quantity (of traffic_line.h) from one minute to another, both
 * included, most first, at most `most`; their first_seen and last_seen are 0. */
int weir_database_top(struct weir_database *database, int64_t from, int64_t to, unsigned quantity,
                      unsigned most, int (*row)(void *context, const struct weir_address_row *row),
                      void *context);

/* All minutes of all addresses in such a span, by minute, address and server; first and last are
 * 0. */
int weir_database_minutes(struct weir_database *database, int64_t from, int64_t to,
                          int (*row)(void *context, const struct weir_minute_row *row),
                          void *context);

/* The first minute of such a span from which on, to its end, there are at most so many rows; one
 * behind its end where even the last minute has more.  0 or an error. */
int weir_database_minutes_begin(struct weir_database *database, int64_t from, int64_t to,
                                unsigned most, int64_t *minute_r);

/* An address's minutes in such a span, oldest first, server by server; first and last are 0.
 * WEIR_ELIMIT for a longer span. */
int weir_database_history(struct weir_database *database, const struct weir_address *address,
                          int64_t from, int64_t to,
                          int (*row)(void *context, const struct weir_minute_row *row),
                          void *context);

#endif
