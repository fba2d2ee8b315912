/*
 * What an analyst's desk asks of the tables at a glance: sums by minute,
 * what stands above an address, messages by time and verdict.
 *
 * See database_io.h for owner, threads, errors and rows.
 */
#ifndef WEIR_DATABASE_DESK_IO_H
#define WEIR_DATABASE_DESK_IO_H

#include "monitor/database/database_decisions_io.h"
#include "monitor/database/database_events_io.h"
#include "monitor/database/database_traffic_io.h"

/* What all addresses did in each minute of a span, those without any left out; address and server
 * of a row are zeros.  It is summed up as rows come, and stays when these are forgotten early. */
int weir_database_minute_sums(struct weir_database *database, int64_t from, int64_t to,
                              int (*row)(void *context, const struct weir_minute_row *row),
                              void *context);

/* Events and decisions that stand now about a prefix or one it lies in, the narrowest first; at
 * most one event of each. */
int weir_database_events_over(struct weir_database *database, const struct weir_prefix *prefix,
                              int (*row)(void *context, const struct weir_event *event),
                              void *context);
int weir_database_decisions_over(struct weir_database *database, const struct weir_prefix *prefix,
                                 weir_time now, weir_database_decision_row *row, void *context);

/* The same of all decisions, also those that ended or were undone: of each prefix those that stand,
 * then the newest, `most` at most. */
int weir_database_decisions_ever_over(struct weir_database *database,
                                      const struct weir_prefix *prefix, weir_time now,
                                      unsigned most, weir_database_decision_row *row,
                                      void *context);

/* Domains that messages of a prefix said they were of, most messages first; *partly_r: of so many
 * messages WEIR_DESK_LOOKED were looked at. */
#define WEIR_DESK_LOOKED 10000
struct weir_desk_domain { const char *domain; uint64_t messages, spam, ham; };
int weir_database_domains(struct weir_database *database, const struct weir_prefix *prefix,
                          unsigned most,
                          int (*row)(void *context, const struct weir_desk_domain *domain),
                          void *context, bool *partly_r);

/* Rules by how often they hit, the most first: those that are no more in the rulebook have their
 * number for a name. */
struct weir_desk_rule { const char *name; uint64_t hits, false_positives; };
int weir_database_rules_most_hit(struct weir_database *database, unsigned most,
                                 int (*row)(void *context, const struct weir_desk_rule *rule),
                                 void *context);

/* How many sessions of the console there are, some of which may be over.  0 or an error. */
int weir_database_sessions(struct weir_database *database, uint64_t *count_r);

/* Numbers: addresses seen since a time (at most WEIR_DESK_ADDRESSES are counted), events that
 * stand, drafts that wait, kept messages that people called good and the verdict spam, reports
 * since then. */
#define WEIR_DESK_ADDRESSES 100000
struct weir_desk_counts { uint64_t addresses, events, drafts, blamed, reports; };
int weir_database_desk_counts(struct weir_database *database, weir_time since,
                              struct weir_desk_counts *counts_r);

#endif
