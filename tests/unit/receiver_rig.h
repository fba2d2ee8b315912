/*
 * receiver_rig - a receiver with its database, journal and watch, and some thousand lines for it.
 */
#ifndef WEIR_TESTS_RECEIVER_RIG_H
#define WEIR_TESTS_RECEIVER_RIG_H

#include "monitor/intake/receiver_io.h"
#include "tests/unit/database_rig.h"
#include "tests/unit/watched.h"

#define STREAM "sniffer-1795000000-7.log~01234567"
#define LINES 4000
#define ADDRESSES 50

struct receiver_rig {
    struct database_rig *database;
    struct scratch *journal;
    struct watched watched;
    struct weir_receiver *receiver;
    struct weir_receiver_options options; /* of the next receiver_open() */
    struct weir_log log;
    char *text;                 /* LINES of them, */
    size_t at[LINES + 1];       /* and where each begins */
};

int receiver_setup(void **state);
int receiver_teardown(void **state);

/* Opens it anew, with rig->options. */
void receiver_open(struct receiver_rig *rig);

/* Lines from one to another, as a piece at the offset they have. */
enum weir_taken receiver_take(struct receiver_rig *rig, size_t from, size_t to, uint64_t *offset_r);
void receiver_must_take(struct receiver_rig *rig, size_t from, size_t to, enum weir_taken wanted,
                        size_t then);

/* What the database has of so many lines is exactly what they say. */
void receiver_must_be_stored(struct receiver_rig *rig, size_t lines);

#endif
