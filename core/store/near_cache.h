/*
 * near_cache - what a remote store said a moment ago.
 *
 * Holds the readings of entities for a second or two, so that a network, a
 * large domain or a busy sender is not asked for again with every request.
 * Fixed memory; set-associative by the entity's own hash (which is keyed, so
 * nobody can aim at one set); the oldest of a set gives way.
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

/* Fills the values of n readings of one entity, decayed to now.  1 when all of
 * them are known and young, else 0 and nothing is changed. */
int weir_near_cache_get(struct weir_near_cache *cache, weir_time now,
                        struct weir_reading *reading, size_t n);

/* Remembers n readings of one entity, none of them missing (else nothing is
 * remembered); more than WEIR_NEAR_READINGS are not remembered either. */
void weir_near_cache_put(struct weir_near_cache *cache, weir_time now,
                         const struct weir_reading *reading, size_t n);

/* Forgets an entity, because one of its counters changes. */
void weir_near_cache_forget(struct weir_near_cache *cache, const struct weir_entity *entity);

#endif
