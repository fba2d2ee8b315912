/*
 * The counters of reputation as the servers have them (core/store/counters.h), kept in step with
 * the decisions and votes that were counted, so that a store that lost them can be filled again;
 * and what votes changed, for servers to do the same.
 *
 *     counters        place (weir_ledger_place()), entity (keyed hash), record
 *                     (counter_record.h), updated (in WEIR_COUNTERS_SLOT)
 *     counter_events  number, count, events (ledger_event.h) that are not yet in the counters
 *     votes           number, time (it was made), uid, judged_by and told_by (servers), at (the
 *                     message's time), address, domain, counted (as in the info string), was and
 *                     now ("", "spam", "ham"; "unsure": said, but adds nothing, see reports_io.h)
 *
 * Records are bounded: beyond the most, those that were not changed for longest go, but none of the
 * last minutes as long as they are not an eighth more than the most.  See database_io.h for owner,
 * threads, errors and rows.
 */
#ifndef WEIR_DATABASE_COUNTERS_IO_H
#define WEIR_DATABASE_COUNTERS_IO_H

#include "core/engine/info.h"
#include "core/store/counter_record.h"
#include "monitor/analyzer/ledger.h"
#include "monitor/database/database_io.h"

#define WEIR_COUNTERS_SLOT (10 * WEIR_MINUTE)

/* Adds changes, those of one entity together, and lets the oldest records go beyond so many.  0 or
 * an error. */
int weir_database_counters_add(struct weir_database *database,
                               const struct weir_ledger_change *change, size_t changes,
                               weir_time now, uint64_t most);

/* Lets those go that were not changed for longest: how many, or an error. */
int weir_database_counters_forget_oldest(struct weir_database *database, unsigned rows);

/* Records behind an entity (NULL: from the first) in the order of places, at most so many. */
int weir_database_counters(struct weir_database *database, const struct weir_entity *behind,
                           unsigned most,
                           int (*row)(void *context, const struct weir_entity *entity,
                                      const struct weir_counter_record *record),
                           void *context);

/* How many records there are, how many went because there were too many, the fingerprint of the
 * key they were made with (0: none yet), and how many events are not yet in them. */
struct weir_database_counters_state { uint64_t records, evicted, key, waiting; };
int weir_database_counters_state(struct weir_database *database,
                                 struct weir_database_counters_state *state_r);

/* Notes the fingerprint of the key; forgets all records and the key.  0 or an error. */
int weir_database_counters_key(struct weir_database *database, uint64_t key);
int weir_database_counters_forget(struct weir_database *database);

/* Events that are to be folded in: adds some; the oldest rows behind a number and up to another, at
 * most so many; forgets those up to a number, so many events, and how far they were in. */
int weir_database_counter_events_put(struct weir_database *database, struct weir_slice octets,
                                     uint64_t events);
int weir_database_counter_events(struct weir_database *database, int64_t behind, int64_t upto,
                                 unsigned most,
                                 int (*row)(void *context, int64_t number, uint64_t events,
                                            struct weir_slice octets),
                                 void *context);
int weir_database_counter_events_forget(struct weir_database *database, int64_t number,
                                        uint64_t events);

/* How far a fold of many events is in: of all up to this number, the changes of entities up to this
 * place.  upto is 0 when none is on its way.  0 or an error. */
struct weir_database_fold { int64_t upto, place; };
int weir_database_fold(struct weir_database *database, struct weir_database_fold *fold_r);
int weir_database_fold_put(struct weir_database *database, const struct weir_database_fold *fold);

/* A change of what people say of a message. */
struct weir_database_vote {
    int64_t number;            /* given when it is added */
    weir_time time;
    uint32_t told_by;          /* the server whose report it was */
    struct weir_info info;     /* of the message; of what is read only server, uid, at, boundary,
                                  domain and counted */
    enum weir_said was, is;
};
int weir_database_vote_add(struct weir_database *database, struct weir_database_vote *vote);

/* Those behind a number in their order, at most so many; and the newest number (0: none). */
int weir_database_votes(struct weir_database *database, int64_t behind, unsigned most,
                        int (*row)(void *context, const struct weir_database_vote *vote),
                        void *context);
int weir_database_vote_newest(struct weir_database *database, int64_t *number_r);

#endif
