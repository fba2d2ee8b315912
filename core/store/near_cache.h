/*
 * near_cache - what a store said a moment ago.
 *
 * Holds the numbers of entities, so that a network, a large domain or a busy
 * sender is not looked for again with every request.  Numbers are those of their epoch
 * (struct weir_decay_plan): they are given out as they came in, and the caller lets
 * them fade.  Fixed memory; set-associative by the entity's own hash (which is
 * keyed, so nobody can aim at one set).
 *
 * Who is asked for again within a few seconds is not pushed out by who is seen for
 * the first time: most pairs of address and domain never come back, and a
 * newcomer that finds only such regulars in its set is not remembered.
 *
 * Owner:    the caller.    Limits: WEIR_NEAR_READINGS readings an entity.
 */
#ifndef WEIR_STORE_NEAR_CACHE_H
#define WEIR_STORE_NEAR_CACHE_H

#include "core/store/counters.h"

#define WEIR_NEAR_READINGS 8

struct weir_near_cache;

/* Room for about entities; values older than age are not given.  NULL when
 * memory is short. */
struct weir_near_cache *weir_near_cache_new(size_t entities, weir_time age);
void weir_near_cache_free(struct weir_near_cache **cache);

/* Fills the values of n readings of one entity with what was put.  1 when all
 * of them are known and still hold, else 0 and nothing is changed. */
int weir_near_cache_get(struct weir_near_cache *cache, weir_time now,
                        struct weir_reading *reading, size_t n);

/* Remembers n readings of one entity, to be given out before until, none of
 * them missing (else nothing is remembered); more than WEIR_NEAR_READINGS are not
 * remembered either. */
void weir_near_cache_put(struct weir_near_cache *cache, weir_time now, weir_time until,
                         const struct weir_reading *reading, size_t n);

/* Forgets an entity, because one of its counters changes. */
void weir_near_cache_forget(struct weir_near_cache *cache, const struct weir_entity *entity);

/* Forgets all numbers, at once; who is a regular is not forgotten. */
void weir_near_cache_forget_all(struct weir_near_cache *cache);

#endif
