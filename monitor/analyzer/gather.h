/*
 * gather - what servers tell in parts (core/store/part_line.h), put together again.
 *
 *     part_line -> weir_gather_take() -> all parts there, and the sum right? -> waits
 *     weir_gather_enter(), in a transaction -> the taker of its kind, once
 *                                           -> what is not whole: into the table of parts
 *
 * The order of parts does not matter, and one that comes again changes nothing.  What is not whole
 * when the journal's position moves on is kept in the database, so that after kill -9 a whole is
 * taken once: its parts from before are there, and those from behind come again.
 *
 * A taker is called within the transaction that keeps the position; when that fails it is called
 * again, so that all it does must be in the database, or be undone by whoever it belongs to.
 *
 * Owner:    the caller; takers' contexts must outlive it.  Threads: the caller's lock.
 * Errors:   WEIR_ENOMEM, those of the database and of takers.
 * Limits:   WEIR_GATHER_SERVER_MAX octets of a server, WEIR_GATHER_MAX and WEIR_GATHER_WHOLES_MAX
 *           of all; when a new one is beyond, the server's oldest that is not whole goes, then the
 *           oldest of who has most; if there is none the new one is lost.  What is not whole
 *           within WEIR_GATHER_AGE goes, too.  All of it is counted.
 *           A key is chosen by no sender of mail but by a server, and hashed under ours.
 */
#ifndef WEIR_ANALYZER_GATHER_H
#define WEIR_ANALYZER_GATHER_H

#include "core/base/keyed_hash.h"
#include "core/store/part_line.h"

#define WEIR_GATHER_AGE WEIR_DAY
#define WEIR_GATHER_TAKERS_MAX 8

struct weir_gather;
struct weir_database;

struct weir_gathered {
    const char *kind;
    uint32_t server;           /* that told of it */
    uint64_t uid, sum;
    weir_time at;              /* when its first part came in */
    struct weir_slice octets;
};

struct weir_gather_taker {
    const char *kind;          /* static text */
    /* 0; or an error, and the whole transaction fails.  What is malformed is no error. */
    int (*take)(void *context, const struct weir_gathered *whole);
    void *context;
};

struct weir_gather_counts {    /* since the start */
    uint64_t taken, again;     /* wholes that were taken; parts that were there already */
    uint64_t wrong;            /* wholes whose sum is another */
    uint64_t unknown;          /* parts of a kind that nobody takes */
    uint64_t lost, late;       /* not whole: room or memory were short; within their time */
    size_t waiting, octets;    /* at the moment */
};

/* 0, WEIR_ENOMEM, WEIR_ELIMIT: too many takers. */
int weir_gather_new(const struct weir_hash_key *key, const struct weir_gather_taker *taker,
                    size_t takers, struct weir_gather **gather_r);
void weir_gather_free(struct weir_gather **gather);

/* Parts as they were read, in order. */
struct weir_gather_parts {
    struct weir_part_line *part; /* without octet, */
    uint8_t *octet;              /* for these follow each other here */
    size_t count, room, octets, octet_room;
};

/* Reads a line: 1 and one part more; 0 when it is none; WEIR_ENOMEM. */
int weir_gather_read(struct weir_slice line, struct weir_gather_parts *parts);
void weir_gather_parts_free(struct weir_gather_parts *parts);

/* Takes parts of one server. */
void weir_gather_take(struct weir_gather *gather, uint32_t server,
                      const struct weir_gather_parts *parts, weir_time now);

/* The same with one that the table of parts has already (database_parts_io.h). */
void weir_gather_load(struct weir_gather *gather, uint32_t server,
                      const struct weir_part_line *part, weir_time at);

/* Hands over what is whole, and keeps the rest, in a transaction the caller has begun.  0 or an
 * error. */
int weir_gather_enter(struct weir_gather *gather, struct weir_database *database, weir_time now);

/* Afterwards: the transaction is kept; or not, and all of it waits on. */
void weir_gather_entered(struct weir_gather *gather, bool kept);

struct weir_gather_counts weir_gather_counts(const struct weir_gather *gather);

#endif
