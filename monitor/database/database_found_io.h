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

/* What is looked for; what is NULL, 0 or "" may be anything. */
struct weir_found_choice {
    const struct weir_prefix *prefix;
    const char *domain, *verdict, *reported;
    const char *queue_id;        /* exactly; of every server that used it */
    const char *servers;         /* their numbers: ",3,17,": of any of these */
    uint32_t rule;
    weir_time from, to;
    int64_t before;              /* numbers below */
    unsigned most;
};

/* The newest first. */
int weir_database_found(struct weir_database *database, const struct weir_found_choice *choice,
                        int (*row)(void *context, const struct weir_found_message *message),
                        void *context);

/* The one of a uid: 1, 0, or an error, which may be row's. */
int weir_database_found_one(struct weir_database *database, uint64_t uid,
                            int (*row)(void *context, const struct weir_found_message *message),
                            void *context);

/* Rules that a message (its number) hit, those with most points either way first. */
int weir_database_found_hits(struct weir_database *database, int64_t number,
                             int (*row)(void *context, uint32_t rule, double points),
                             void *context);

#endif
