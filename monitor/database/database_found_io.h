/*
 * Kept messages that people look for (database_messages_io.h), and why they were decided so.
 *
 * See database_io.h for owner, threads, errors and rows.
 */
#ifndef WEIR_DATABASE_FOUND_IO_H
#define WEIR_DATABASE_FOUND_IO_H

#include "core/base/address.h"
#include "monitor/database/database_io.h"

struct weir_found_message {
    int64_t number;              /* grows with time */
    uint64_t uid;
    weir_time time;
    uint32_t server, serial;
    bool has_address;
    struct weir_address address;
    const char *domain, *verdict, *reported;
    double score;
    /* By the word of its server, "" where that did not tell; see database_messages_io.h. */
    const char *queue_id, *action, *ground, *basis;
    int lacking;                 /* bits of enum weir_info_lacking; less than 0: not kept */
    double probability, confidence; /* less than 0: not kept */
    bool has_limits;
    double unsure, spam, reject;
};

/* Where a list was: behind the last message that was looked at.  All zeros: at its beginning. */
struct weir_found_place {
    bool by_number;              /* a rule's are found in the order they came */
    weir_time time;
    int64_t number;
};

/* What is looked for; what is NULL, 0 or "" may be anything. */
struct weir_found_choice {
    const struct weir_prefix *prefix;
    const char *domain, *verdict, *reported;
    const char *queue_id;        /* exactly; of every server that used it */
    const char *servers;         /* their numbers: ",3,17,": of any of these */
    uint32_t rule;
    weir_time from, to;
    struct weir_found_place after;
    unsigned most;               /* rows */
};

/* How far it came. */
struct weir_found_end {
    struct weir_found_place place;
    bool more;                   /* there may be more behind it */
    bool partly;                 /* for it looked at as many messages as it may */
};

#define WEIR_FOUND_LOOKED 5000  /* messages that are looked at: a tenth of a second */

/* Those that fit, the newest first, found by that of the conditions that fewest messages fulfil.
 * What came since the page before is in none of the next ones. */
int weir_database_found(struct weir_database *database, const struct weir_found_choice *choice,
                        int (*row)(void *context, const struct weir_found_message *message),
                        void *context, struct weir_found_end *end_r);

/* The one of a uid: 1, 0, or an error, which may be row's. */
int weir_database_found_one(struct weir_database *database, uint64_t uid,
                            int (*row)(void *context, const struct weir_found_message *message),
                            void *context);

/* Rules that a message (its number) hit, those with most points either way first. */
int weir_database_found_hits(struct weir_database *database, int64_t number,
                             int (*row)(void *context, uint32_t rule, double points),
                             void *context);

#endif
