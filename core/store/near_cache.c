/*
 * The near cache: one block of sets of four entries.  The cache owns the block;
 * nothing is allocated after weir_near_cache_new().  An entry holds up to
 * WEIR_NEAR_READINGS readings of one entity, as they were at one time; they are
 * given out decayed.  Refuses entries that are too old, from the future (the
 * clock was set back), or that lack a reading asked for.
 */
#include "core/store/near_cache.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WAYS 4
#define SETS_MOST (1u << 20)

struct kept {
    uint32_t half_life;
    uint32_t variable;
    double value;
};

struct entry {
    struct weir_entity entity;
    weir_time time;
    size_t n; /* 0: an empty entry */
    struct kept kept[WEIR_NEAR_READINGS];
};

struct weir_near_cache {
    weir_time age;
    size_t mask; /* sets - 1, a power of two less one */
    struct entry entry[];
};

struct weir_near_cache *weir_near_cache_new(size_t entities, weir_time age)
{
    size_t sets = 1;
    while (sets < SETS_MOST && sets * WAYS < entities)
        sets *= 2;
    struct weir_near_cache *cache;
    cache = calloc(1, sizeof *cache + sets * WAYS * sizeof cache->entry[0]);
    if (!cache)
        return NULL;
    cache->age = age;
    cache->mask = sets - 1;
    return cache;
}

void weir_near_cache_free(struct weir_near_cache **cache)
{
    free(*cache);
    *cache = NULL;
}

/* The set an entity belongs to.  Its id is a keyed hash, so any part of it will do. */
static struct entry *set_of(struct weir_near_cache *cache, const struct weir_entity *entity)
{
    uint64_t hash;
    memcpy(&hash, entity->id, sizeof hash);
    return &cache->entry[(size_t)(hash & cache->mask) * WAYS];
}

static struct entry *find(struct weir_near_cache *cache, const struct weir_entity *entity)
{
    struct entry *set = set_of(cache, entity);
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].n > 0 && memcmp(&set[i].entity, entity, sizeof *entity) == 0)
            return &set[i];
    }
    return NULL;
}

static const struct kept *find_kept(const struct entry *entry, const struct weir_counter *counter)
{
    for (size_t i = 0; i < entry->n; i++) {
        const struct kept *kept = &entry->kept[i];
        if (kept->variable == counter->variable && kept->half_life == counter->half_life)
            return kept;
    }
    return NULL;
}

static double decayed(const struct kept *kept, weir_time passed)
{
    if (kept->half_life == 0 || passed == 0 || kept->value <= 0)
        return kept->value;
    double half_life = (double)kept->half_life * (double)WEIR_SECOND;
    return kept->value * exp2(-(double)passed / half_life);
}

int weir_near_cache_get(struct weir_near_cache *cache, weir_time now, struct weir_reading *reading,
                        size_t n)
{
    if (n == 0 || n > WEIR_NEAR_READINGS)
        return 0;
    const struct entry *entry = find(cache, &reading[0].counter.entity);
    if (!entry || now < entry->time || now - entry->time > cache->age)
        return 0;
    const struct kept *kept[WEIR_NEAR_READINGS];
    for (size_t i = 0; i < n; i++) {
        kept[i] = find_kept(entry, &reading[i].counter);
        if (!kept[i])
            return 0;
    }
    for (size_t i = 0; i < n; i++) {
        reading[i].value = decayed(kept[i], now - entry->time);
        reading[i].missing = false;
    }
    return 1;
}

/* The entity's own entry, else an empty one, else the oldest of its set. */
static struct entry *place_for(struct weir_near_cache *cache, const struct weir_entity *entity)
{
    struct entry *own = find(cache, entity);
    if (own)
        return own;
    struct entry *set = set_of(cache, entity);
    struct entry *place = &set[0];
    for (size_t i = 1; i < WAYS && place->n > 0; i++) {
        if (set[i].n == 0 || set[i].time < place->time)
            place = &set[i];
    }
    return place;
}

void weir_near_cache_put(struct weir_near_cache *cache, weir_time now,
                         const struct weir_reading *reading, size_t n)
{
    if (n == 0 || n > WEIR_NEAR_READINGS)
        return;
    for (size_t i = 0; i < n; i++) {
        if (reading[i].missing)
            return;
    }
    struct entry *entry = place_for(cache, &reading[0].counter.entity);
    entry->entity = reading[0].counter.entity;
    entry->time = now;
    entry->n = n;
    for (size_t i = 0; i < n; i++)
        entry->kept[i] = (struct kept){
            .half_life = reading[i].counter.half_life,
            .variable = (uint32_t)reading[i].counter.variable,
            .value = reading[i].value,
        };
}

void weir_near_cache_forget(struct weir_near_cache *cache, const struct weir_entity *entity)
{
    struct entry *entry = find(cache, entity);
    if (entry)
        entry->n = 0;
}
