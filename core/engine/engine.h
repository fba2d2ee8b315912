/*
 * engine - decides.
 *
 * Order, first that applies: authenticated user; null sender; role recipient;
 * never-list; acceptable list; blacklist; acceptable domain (unless somebody
 * else uses its name); reputation.  Many envelopes are decided together, so that all
 * counters they need come from one multi-get.
 *
 * Owner:    the caller owns the engine; the engine borrows lists, counters,
 *           domains and configuration, which must outlive it.
 * Threads:  one engine, one thread.
 * Errors:   deciding cannot fail: a store that is missing is a fact in the
 *           decision, and mail flows.
 */
#ifndef WEIR_ENGINE_ENGINE_H
#define WEIR_ENGINE_ENGINE_H

#include "core/engine/config.h"
#include "core/engine/verdict.h"

struct weir_engine;

struct weir_engine_parts {
    const struct weir_config *config;
    const struct weir_hash_key *key;     /* of counter entities; copied */
    struct weir_domains *domains;
    struct weir_lists *lists;            /* NULL: none */
    struct weir_counters *counters;      /* NULL: none */
    const struct weir_log *log;
};

/* 0 or WEIR_ENOMEM. */
int weir_engine_new(const struct weir_engine_parts *parts, struct weir_engine **engine_r);
void weir_engine_free(struct weir_engine **engine);

#define WEIR_ENGINE_BATCH 512
#define WEIR_FORGED_DOMAIN_POINTS 1.0 /* of rule FORGED_DOMAIN (C32) */

/* Decides n envelopes (at most WEIR_ENGINE_BATCH).  Returns how many of them
 * were decided without any store missing. */
size_t weir_engine_decide(struct weir_engine *engine, weir_time now,
                          const struct weir_envelope *envelope, struct weir_decision *decision_r,
                          size_t n);

/* The query that an address and a stated domain make; nobody vouches for the
 * domain yet.  domain_r keeps the organizational domain. */
void weir_engine_query(const struct weir_engine *engine, const struct weir_address *address,
                       struct weir_slice domain, char domain_r[static WEIR_DOMAIN_TEXT],
                       struct weir_reputation_query *query_r);

/* What a reputation makes of mail that is on no list: the rows of [decision]. */
enum weir_verdict weir_engine_verdict(const struct weir_config *config,
                                      const struct weir_reputation *reputation, bool forged);

/* Notes in the counters what a program said of a message from an address, of an organizational
 * domain ("": none), at a time; it is stored with the next tick, or before.  0 or an error of
 * counters. */
int weir_engine_count(struct weir_engine *engine, weir_time at, const struct weir_address *address,
                      const char *domain, const struct weir_counted *counted);

/* Stores what was noted, and lets the counters do their upkeep: once a second. */
void weir_engine_tick(struct weir_engine *engine, weir_time now);

#endif
