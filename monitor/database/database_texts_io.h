/*
 * Messages that people reported, as they came with their reports (monitor/analyzer/reported_text.h;
 * claims B16, B32).
 *
 *     reported_texts  one row a message: proven 1 when its string is ours and its own, and uid is
 *                     the string's; else 0, and uid is the digest that binds strings to it
 *
 * Octets are as they came, packed.  See database_io.h for owner, threads, errors and rows.
 */
#ifndef WEIR_DATABASE_TEXTS_IO_H
#define WEIR_DATABASE_TEXTS_IO_H

#include "core/base/cursor.h"
#include "monitor/database/database_io.h"

struct weir_database_text {
    int64_t number;            /* given when it is added */
    uint64_t uid;
    bool proven;
    const char *state;         /* of the string, "valid", ..., "none" */
    weir_time time;
    uint32_t server;           /* that told of it */
    struct weir_slice octets;
};

/* Keeps a text; the first of a message stays.  1, 0 when there is one, or an error. */
int weir_database_text_put(struct weir_database *database, const struct weir_database_text *text);

/* The texts of a uid, at most two, the proven one first: how many. */
int weir_database_text(struct weir_database *database, uint64_t uid,
                       int (*row)(void *context, const struct weir_database_text *text),
                       void *context);

/* Those that are not proven, the newest first. */
int weir_database_texts_unproven(struct weir_database *database, unsigned most,
                                 int (*row)(void *context, const struct weir_database_text *text),
                                 void *context);

/* Forgets the texts of a uid: how many there were, or an error. */
int weir_database_text_forget(struct weir_database *database, uint64_t uid);

/* Forgets the oldest, proven or not, until so many and so many octets are left, and those from
 * before a time.  0 or an error. */
int weir_database_texts_retain(struct weir_database *database, bool proven, int64_t most,
                               int64_t octets, weir_time before);

#endif
