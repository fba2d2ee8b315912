/*
 * receiver_impl - the receiver from inside: taking (receiver_io.c), its streams
 * (receiver_streams.c) and forgetting them (receiver_forget_io.c), storing (receiver_store_io.c),
 * replaying (receiver_replay_io.c), time (receiver_time_io.c).
 */
#ifndef WEIR_INTAKE_RECEIVER_IMPL_H
#define WEIR_INTAKE_RECEIVER_IMPL_H

#include <pthread.h>

#include "monitor/intake/hearing.h"
#include "monitor/intake/journal_io.h"
#include "monitor/intake/lines.h"
#include "monitor/intake/minutes.h"
#include "monitor/intake/receiver_io.h"
#include "monitor/intake/storing_io.h"

struct stream {
    uint32_t server;
    char name[WEIR_STREAM_MAX + 1];
    uint64_t offset;
    weir_time last;
    weir_time gone;              /* since when its file is; 0: it is not */
    bool changed;                /* since it was stored */
};

#define WEIR_RECEIVER_SERVERS 65536 /* numbers modulo this */

struct server {
    weir_time told, heard;       /* its own time as it told it last; ours, when that moved on */
    uint32_t streams;
};

struct weir_receiver {
    struct weir_receiver_options options;
    const struct weir_log *log;
    pthread_mutex_t lock;
    struct weir_journal *journal;
    struct weir_minutes *minutes[2]; /* filled; being stored */
    uint64_t position;           /* of the journal, behind all that is in minutes[1] */
    uint64_t stored_position;    /* up to which the database has it */
    bool storing;                /* minutes[1] holds something */
    struct weir_storing pieces;
    uint64_t partly;             /* replaying: up to here some rows are in the database already */
    struct weir_stream *stored;  /* the streams that go with it */
    size_t stored_count;
    struct stream **stream;      /* open addressing, by hash */
    size_t streams, places;
    struct server *server;
    struct weir_hearing *hearing; /* of the same servers */
    struct weir_bare bare;
    struct weir_receiver_counts counts;
    struct weir_log_gate gate, share_gate;
};

/* With the lock: where a stream stands, or would. */
size_t weir_receiver_place(const struct weir_receiver *receiver, uint32_t server,
                           const char *name);

/* More places for streams.  0 or WEIR_ENOMEM. */
int weir_receiver_grow(struct weir_receiver *receiver);

/* The stream, made when it is new; NULL when memory is short. */
struct stream *weir_receiver_stream(struct weir_receiver *receiver, uint32_t server,
                                    const char *name);

/* A batch's octets, read. */
struct weir_receiver_read {
    struct weir_lines lines;
    struct weir_counting_batch *decisions;
};

/* Reads a batch, without the lock: lines from before `since` are passed over.  0 or WEIR_ENOMEM. */
int weir_receiver_read(const struct weir_receiver *receiver, uint32_t server,
                       struct weir_slice octets, weir_time since, weir_time now,
                       struct weir_receiver_read *read_r);
void weir_receiver_forget_read(struct weir_receiver_read *read);

/* Whether counting has room for what was read, before it stores. */
bool weir_receiver_counts(const struct weir_receiver *receiver,
                          const struct weir_receiver_read *read);

/* What the journal has up to a position: into minutes, watch and counting.  There must be room. */
void weir_receiver_book(struct weir_receiver *receiver, uint32_t server,
                        struct weir_receiver_read *read, uint64_t position, weir_time now);

/* With the lock: exchanges the tables.  Everything up to a position of the journal is then in the
 * one that is stored, with the streams as they were at that moment.  0 or WEIR_ENOMEM. */
int weir_receiver_turn(struct weir_receiver *receiver, uint64_t position);

/* Writes a piece of the table that was turned, so many rows (0: all): 1 when there is more, 0, or
 * an error. */
int weir_receiver_store_turned(struct weir_receiver *receiver, size_t most);

/* Opens the journal and takes in what the database has not.  0 or an error, logged. */
int weir_receiver_open_journal(struct weir_receiver *receiver);

#endif
