/*
 * responder - from events of the watch to what is written and done (claims A7-A9, A13, A18-A20,
 * A31).
 *
 *     weir_responder_event()   by the watch, from any thread: a note in a bounded queue
 *     weir_responder_turn()    by the loop: events and decisions into the database, alerts out
 *
 * What a turn brings is one transaction, and told only when it is written: killed at any moment, a
 * monitor has done all of it or nothing.  The transaction also notes up to which position of the
 * journal everything is answered.  A new responder drops the events of what is replayed up to
 * there, and takes up what the one before knew:
 *
 *     new -> resume -> (replay of the journal) -> replayed -> event, turn, event, turn
 *
 * Whoever stole one server's identity can tell of as many addresses as he likes.  So of events that
 * one server alone saw WEIR_EVENTS_SERVER_HOUR an hour are taken (twice as many in the first one),
 * or as many as its blocks and scores together where that is more; the rest is left out, counted,
 * and told in the log once an hour.  The hours are the caller's; a new responder begins anew.
 *
 * Owner:    the caller owns it; database, receiver and orders are handed in.
 * Threads:  event from any; the others from the loop, which holds the database's lock around them.
 * Errors:   weir_responder_new(): WEIR_ENOMEM, the ladder's or the database's.  Later a database
 *           that cannot be written keeps all of it for the next turn; what the queue cannot
 *           hold is counted.
 * Limits:   WEIR_RESPONDER_QUEUE_MAX events that wait; see also above.
 */
#ifndef WEIR_THRESHOLD_RESPONDER_IO_H
#define WEIR_THRESHOLD_RESPONDER_IO_H

#include "core/base/log.h"
#include "core/store/lists_io.h"
#include "monitor/database/database_io.h"
#include "monitor/threshold/alert.h"

struct weir_responder;

struct weir_responder_options {
    const struct weir_ladder_options *ladder; /* copied as far as the ladder copies it */
    struct weir_database *database;
    int wake;                    /* an eventfd that is written to when there is something */
    const uint64_t *booking;     /* the journal's position behind what the watch is charged now; may
                                    be NULL: nothing is replayed then */
    /* Has the watch take up an event that stands, as weir_watch_resume(); may be NULL where
     * weir_responder_resume() is not used. */
    const char *(*resume)(void *context, struct weir_watch_event *event, weir_time seen);
    /* The lists of all servers have changed. */
    void (*changed)(void *context, uint64_t generation);
    /* Somebody is to be told of an alert, in the transaction of what it is about: notes that, fills
     * in its silence (0: none), and changes nothing else than the database.  0 or an error; may be
     * NULL. */
    int (*owe)(void *context, struct weir_alert *alert);
    /* It is written; without the names of servers. */
    void (*alert)(void *context, const struct weir_alert *alert);
    void *context;
};

/* Nothing is queued yet, and the ladder is empty.  0 or an error. */
int weir_responder_new(const struct weir_responder_options *options, const struct weir_log *log,
                       struct weir_responder **responder_r);
void weir_responder_free(struct weir_responder **responder);

/* The watch's event; quick, never waits.  False: it is left out, or lost. */
bool weir_responder_event(void *responder, const struct weir_watch_event *event);

/* Takes up what the database knows: events that stand, as if they had been raised when their
 * prefix was last seen, or closed with the reason why not; steps of the ladder; blocks and scores
 * of the last hour.  Before anything else.  Where the watch did not go on with the buckets there
 * were, it gets time to find that an event is over before the next step is taken.  0 or the
 * database's error. */
int weir_responder_resume(struct weir_responder *responder, weir_time now, bool went_on);

/* The journal was replayed up to a position: what comes now is new.  0 or the database's error. */
int weir_responder_replayed(struct weir_responder *responder, uint64_t booked);

/* What is queued of the journal up to a position that is wholly charged, some hundreds at least and
 * the rest after another wake, and what time brings.  0 or the database's error; WEIR_ENOMEM: all
 * of it waits for the next turn. */
int weir_responder_turn(struct weir_responder *responder, uint64_t booked, weir_time now);

/* All that is queued up to there: before the database says it has it, and before a responder is
 * freed. */
int weir_responder_finish(struct weir_responder *responder, uint64_t booked, weir_time now);

/* An analyst's one action: takes back all decisions about a prefix and what is below it, and for an
 * IPv6 address those about its /64, which is what is watched in its place; closes the events about
 * them and forgets their places on the ladder.  The watch is to be reset, and what waits about it
 * dropped, before.  How many were taken back, or an error. */
int weir_responder_undo(struct weir_responder *responder, const struct weir_prefix *prefix,
                        const char *who, const char *reason, weir_time now);

/* The clock was put back to a time: what the ladder has of later is of then.  stored: so is what
 * the database has; decisions last as long from then on, and servers are told.  How many decisions,
 * or an error. */
int weir_responder_rebase(struct weir_responder *responder, weir_time now, bool stored);

/* Drops what is queued about a prefix and what is below it, since the watch forgets that without a
 * word: to be called together with weir_watch_reset(), and nothing charged in between. */
void weir_responder_drop(struct weir_responder *responder, const struct weir_prefix *prefix);

/* Takes back that exactly this prefix is acceptable; what was taken back when that was said stands
 * again, as far as it would still stand.  How often it was said, or an error. */
int weir_responder_unaccept(struct weir_responder *responder, const struct weir_prefix *prefix,
                            const char *who, const char *reason, weir_time now, int *restored_r);

/* Puts back what weir_responder_undo() took back about a prefix at a time, as far as it would still
 * stand, and nothing was put in its place.  How many, or an error. */
int weir_responder_restore(struct weir_responder *responder, const struct weir_prefix *prefix,
                           weir_time undone, const char *who, const char *reason, weir_time now);

/* An analyst's own decision: put on a list at once, in the place of what stood there about exactly
 * this prefix.  Servers have one entry for it: were two to stand, nothing would be left when the
 * one that came last, and ends first, is over. */
int weir_responder_decide(struct weir_responder *responder, const char *list,
                          const struct weir_list_entry *entry, const char *who, weir_time now);

struct weir_responder_counts {
    uint64_t events, lost, decisions, alerts;
    uint64_t again;              /* events of a replay that had been answered */
    uint64_t resumed, closed;    /* events that stood when it began */
    uint64_t blocks_capped, scores_capped; /* as ladder.h has them, */
    uint64_t forgotten;          /* and this */
    uint64_t left_out;           /* events that one server alone saw, beyond the limit ... */
    uint32_t left_out_servers;   /* ... and bits of the numbers of those servers modulo 32 */
};

void weir_responder_count(struct weir_responder *responder,
                          struct weir_responder_counts *counts_r);

#endif
