/*
 * receiver - what agents bring, made safe, added up and charged, each line once.
 *
 *     octets -> already here? -> lines -> journal -> minutes -> watch -> acknowledged
 *
 * A stream's octets below its offset have been taken; what comes again is passed over, what comes
 * too early is refused with the offset that is wanted.  Octets are acknowledged only when the
 * journal has them; the database follows, and after a crash the journal says what it does not
 * have yet.  Buckets are memory: after a start they are filled from the journal's rest, and before
 * that from the last hour's minutes (monitor_restore_io.c).
 *
 * Times are the servers'; a line from more than WEIR_LINES_AHEAD in the future counts as now,
 * counted, so that a server with a wrong clock cannot move time for others; one from more than
 * WEIR_LINES_BEHIND ago does not count.
 *
 * Owner:    the caller owns the receiver; database and watch are handed in and must live as long.
 * Threads:  weir_receiver_take() from any; the others from one, and that one alone uses the
 *           database meanwhile.  While weir_receiver_lock() is held nothing is charged: to be
 *           used around calls of the watch.
 * Errors:   weir_receiver_open(): those of journal and database, logged.
 * Limits:   of what is not stored yet a server has a share (minutes.h): beyond it, it alone is told
 *           to come later.  WEIR_STREAMS_MAX streams of a server that are not forgotten; of
 *           further ones nothing is taken.
 */
#ifndef WEIR_INTAKE_RECEIVER_IO_H
#define WEIR_INTAKE_RECEIVER_IO_H

#include "core/base/cursor.h"
#include "core/base/log.h"
#include "monitor/analyzer/counting_io.h"
#include "monitor/database/database_io.h"
#include "monitor/intake/hearing.h"
#include "monitor/intake/recent.h"
#include "monitor/threshold/watch.h"

#define WEIR_RECEIVER_BEHIND (150 * WEIR_SECOND)
#define WEIR_RECEIVER_LINGER (10 * WEIR_MINUTE)

struct weir_receiver;

struct weir_receiver_options {
    const char *journal;         /* folder */
    uint64_t journal_most;       /* octets; 0: as the disk allows */
    size_t rows;                 /* of one table of minutes */
    struct weir_hash_key key;
    struct weir_database *database;
    struct weir_watch *watch;
    struct weir_counting *counting; /* of decisions about messages; or NULL */
    struct weir_clock sound;     /* by which decisions are counted; none: as time is given */
    weir_time now;               /* what lines of the journal from further ahead count as; 0: these
                                    are as they say, and none is too old */
    uint64_t *booking;           /* is set to the journal's position behind what the watch is
                                    charged next; or NULL */
    /* Everything up to a position of the journal is about to be stored: whatever else comes of it
     * has to be first.  0; 1: not yet, and soon again; or an error and it is tried again.  May be
     * NULL. */
    int (*settle)(void *context, uint64_t position);
    struct weir_recent *recent;  /* is given all rows as the database has them; or NULL */
    void *context;
};

/* Takes in what the journal has and the database has not. */
int weir_receiver_open(const struct weir_receiver_options *options, const struct weir_log *log,
                       struct weir_receiver **receiver_r);
void weir_receiver_free(struct weir_receiver **receiver);

/* What came of a piece: like HTTP. */
enum weir_taken { WEIR_TAKEN = 200, WEIR_TAKEN_ELSEWHERE = 409, WEIR_TAKEN_LATER = 503 };

/* Takes whole lines of a stream at an offset; *offset_r is where the next ones begin. */
enum weir_taken weir_receiver_take(struct weir_receiver *receiver, uint32_t server,
                                   const char *stream, uint64_t offset, struct weir_slice octets,
                                   weir_time now, uint64_t *offset_r);

/* Stores what came since the last time in one transaction, and lets the journal go as far.
 * 0 or an error; then it stays, and is tried again by the next call. */
int weir_receiver_store(struct weir_receiver *receiver);

/* The same a piece at a time, when it is worth while: 1 when there is more at hand, which is to be
 * stored soon; 0; or an error. */
int weir_receiver_store_piece(struct weir_receiver *receiver);

/* The journal's position behind all that was charged. */
uint64_t weir_receiver_booked(struct weir_receiver *receiver);

/* The server says that a stream's file is gone: nothing more comes of it.  What nevertheless
 * comes within WEIR_RECEIVER_LINGER, sent again and late on its way, is still known.  One that is
 * not known, or was said to be gone before, changes nothing. */
void weir_receiver_gone(struct weir_receiver *receiver, uint32_t server, const char *stream,
                        weir_time now);

/* Forgets, here and in the database, what was gone for so long; now and then.  How many, or the
 * database's error. */
int weir_receiver_forget(struct weir_receiver *receiver, weir_time now);

/* Makes durable what was acknowledged; waits for the disk. */
int weir_receiver_sync(struct weir_receiver *receiver);

/* Up to when all servers whose own time moved on within `silence` have told; 0: nobody's did.  One
 * that is behind the others by more than WEIR_RECEIVER_BEHIND is not waited for any longer: a clock
 * that stands still, by fault or by malice, must not stop time for all. */
weir_time weir_receiver_certain(struct weir_receiver *receiver, weir_time now, weir_time silence);

/* Those of them that told and do not any more, as bits of their numbers modulo 32; of the servers
 * somebody knows still. */
uint32_t weir_receiver_silent(struct weir_receiver *receiver, weir_time now, weir_time silence,
                              bool (*known)(void *context, uint32_t server), void *context);

/* What a server's sniffer told of itself in the last hour or two; whether it is in trouble. */
bool weir_receiver_hearing(struct weir_receiver *receiver, uint32_t server, weir_time now,
                           uint64_t sum_r[static WEIR_HEARING_KINDS]);

/* The clock was put back to a time: nobody told of later, nor was heard later.  With the lock. */
void weir_receiver_rebase(struct weir_receiver *receiver, weir_time now);

void weir_receiver_lock(struct weir_receiver *receiver);
void weir_receiver_unlock(struct weir_receiver *receiver);

/* Charges another watch from now on; with the lock. */
void weir_receiver_use(struct weir_receiver *receiver, struct weir_watch *watch);

struct weir_receiver_counts {
    uint64_t octets, lines, traffic; /* taken */
    uint64_t again;              /* octets that had been taken before */
    uint64_t bad, ahead, old;    /* lines that are wrong; or too far in the future, or past */
    uint64_t later;              /* pieces turned away, */
    uint64_t over_share;         /* and of them those of a server that is over its share */
    size_t streams, gone;        /* gone: those whose files are, and not yet forgotten */
    size_t waiting;              /* rows not yet stored */
    uint64_t behind;             /* octets of the journal that the database has not yet */
    uint64_t journal;            /* octets of the journal */
    char refused[64];            /* why the journal took nothing when tried last; "": it did */
};

void weir_receiver_count(struct weir_receiver *receiver, struct weir_receiver_counts *counts_r);

#endif
