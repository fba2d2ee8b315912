/*
 * What rules hit, as far as it was counted (monitor/analyzer/hits.h): one row a rule, and how far
 * the journal is in it, written in one transaction, so that after a crash each decision is still
 * counted once (claims B4, B23, B24).
 *
 *     SELECT rule, hits, spam, ham, false_positives FROM hits ORDER BY false_positives DESC
 *
 * By day, for the last WEIR_HIT_DAYS days, there is the table hits_days: day (since 1970, UTC),
 * rule (-1: all messages), hits, spam, ham, false_positives.
 *
 * Who told of the decayed counts is in the table hits_servers: rule (-1: all messages), server (-1:
 * those for which there was no more room), spam_decayed, ham_decayed, at.  What was counted before
 * there was this table is in none of its rows.
 *
 *     SELECT name, spam_decayed, ham_decayed FROM hits_servers JOIN servers ON server = number
 *     WHERE rule = 4711
 *
 * Decayed counts are those of the time `at` in their row.  See database_io.h for owner, threads,
 * errors and rows.
 */
#ifndef WEIR_DATABASE_HITS_IO_H
#define WEIR_DATABASE_HITS_IO_H

#include "monitor/analyzer/hits.h"
#include "monitor/database/database_io.h"

/* Writes what has changed in a hits, decayed up to a time (or to the latest of its messages, where
 * that is later), and that decisions up to a position of
 * the journal are counted: then it is kept, or, in a transaction of the caller's, the caller has to
 * say so after that.  How many rules were written, or an error, and then none was. */
int weir_database_hits_put(struct weir_database *database, struct weir_hits *hits,
                           weir_time at, uint64_t position);

/* Takes up all of it into a hits that has nothing yet; *position_r: decisions up to there are in
 * it.  0 or an error. */
int weir_database_hits_load(struct weir_database *database, struct weir_hits *hits,
                            uint64_t *position_r);

/* All rows, in the order of rules' ids: decayed counts as they are in the table. */
int weir_database_hits(struct weir_database *database,
                       int (*row)(void *context, const struct weir_hits_rule *rule, weir_time at),
                       void *context);

/* All that servers told, all messages first, then in the order of rules' ids and servers' numbers;
 * WEIR_HIT_SERVERS_REST comes before others.  Decayed counts as they are in the table. */
int weir_database_hits_told(struct weir_database *database,
                            int (*row)(void *context, const struct weir_hit_server *told,
                                       weir_time at),
                            void *context);

/* For how long a rule must not have been hit now to have been idle for `idle` (0: never, and stays
 * 0): days on which no message at all was counted tell nothing of any rule, and come on top.
 * INT64_MAX: as long as there was no mail to be idle in, of WEIR_HIT_DAYS days at most.  0 or an
 * error. */
int weir_database_hits_idle(struct weir_database *database, weir_time now, weir_time idle,
                            weir_time *idle_r);

/* A rule's days, or with WEIR_HIT_DAYS_ALL those of all messages, from one to another, oldest
 * first; days without a hit are left out. */
int weir_database_hit_days(struct weir_database *database, uint32_t rule, int32_t from, int32_t to,
                           int (*row)(void *context, const struct weir_hit_day *day),
                           void *context);

/* All messages counted, decayed as of *at_r (0: there are none).  0 or an error. */
int weir_database_hits_all(struct weir_database *database, struct weir_score_counts *all_r,
                           weir_time *at_r);

#endif
