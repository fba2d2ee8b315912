/*
 * What an analyst's desk asks of the tables at a glance: networks that do most, sums by minute,
 * what stands above an address, messages by time and verdict.
 *
 * See database_io.h for owner, threads, errors and rows.
 */
#ifndef WEIR_DATABASE_DESK_IO_H
#define WEIR_DATABASE_DESK_IO_H

#include "monitor/database/database_decisions_io.h"
#include "monitor/database/database_events_io.h"
#include "monitor/database/database_traffic_io.h"

/* As weir_database_top(), but of networks: /24, and /56 of IPv6; address: their first. */
int weir_database_top_networks(struct weir_database *database, int64_t from, int64_t to,
                               unsigned quantity, unsigned most,
                               int (*row)(void *context, const struct weir_address_row *row),
                               void *context);

/* What all addresses did in each minute of a span, those without any left out; address and server
 * of a row are zeros. */
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

/* Kept messages from a time on, by span of so long and verdict, oldest first. */
struct weir_desk_verdicts { weir_time time; const char *verdict; uint64_t count; };
int weir_database_verdicts(struct weir_database *database, weir_time since, weir_time span,
                           int (*row)(void *context, const struct weir_desk_verdicts *verdicts),
                           void *context);

/* The same by score, each of one point: from score to score + 1; the first and last have all beyond
 * WEIR_DESK_SCORE. */
#define WEIR_DESK_SCORE 20
int weir_database_scores(struct weir_database *database, weir_time since,
                         int (*row)(void *context, int score, uint64_t count), void *context);

/* Domains that messages of a prefix said they were of, most messages first. */
struct weir_desk_domain { const char *domain; uint64_t messages, spam, ham; };
int weir_database_domains(struct weir_database *database, const struct weir_prefix *prefix,
                          unsigned most,
                          int (*row)(void *context, const struct weir_desk_domain *domain),
                          void *context);

/* Numbers: addresses known, events that stand, drafts that wait, kept messages that people called
 * good and the verdict spam, reported since a time. */
struct weir_desk_counts { uint64_t addresses, events, drafts, blamed, reports; };
int weir_database_desk_counts(struct weir_database *database, weir_time since,
                              struct weir_desk_counts *counts_r);

#endif
