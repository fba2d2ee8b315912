/*
 * The near cache: one block of sets of four entries.  The cache owns the block;
 * nothing is allocated after weir_near_cache_new().  What tells a set's entries apart
 * lies together in front of them, on one line of the processor's cache, so that
 * finding nothing touches no more than that.
 *
 * An entry is protected until a moment that moves on whenever it is asked for
 * again; place_for() takes the one whose moment is the earliest, and none when that
 * is still to come.  Refuses entries that are too old, from the future (the
 * clock was set back), of an earlier generation, or that lack a reading asked for.
 */
#include "core/store/near_cache.h"

#include <stdlib.h>
#include <string.h>

#define WAYS 4
#define SETS_MOST (1u << 20)
#define LINE 64 /* octets of a cache line */
#define REGULAR (10 * WEIR_SECOND) /* who is asked for at least so often stays */

struct kept {
    uint64_t what; /* variable and half-life */
    double number;
};

struct entry {
    struct weir_entity entity;
    weir_time from, until;
    uint64_t generation;
    size_t n; /* 0: an empty entry */
    struct kept kept[WEIR_NEAR_READINGS];
};

struct set {
    uint64_t hash[WAYS];
    weir_time keep[WAYS]; /* until then the entry is not given to another */
    struct entry entry[WAYS];
};

struct weir_near_cache {
    weir_time age;
    uint64_t generation;
    size_t mask;     /* sets - 1, a power of two less one */
    struct set *set; /* in block */
    uint8_t block[];
};

struct weir_near_cache *weir_near_cache_new(size_t entities, weir_time age)
{
    size_t sets = 1;
    while (sets < SETS_MOST && sets * WAYS < entities)
        sets *= 2;
    struct weir_near_cache *cache = calloc(1, sizeof *cache + LINE + sets * sizeof *cache->set);
    if (!cache)
        return NULL;
    cache->age = age;
    cache->mask = sets - 1;
    size_t beyond = (uintptr_t)cache->block % LINE;
    cache->set = (void *)(cache->block + (beyond > 0 ? LINE - beyond : 0));
    return cache;
}

void weir_near_cache_free(struct weir_near_cache **cache)
{
    free(*cache);
    *cache = NULL;
}

/* Both halves of an id count: all pairs of an address have the first in common. */
static uint64_t hash_of(const struct weir_entity *entity)
{
    uint64_t half[2];
    memcpy(half, entity->id, sizeof half);
    return half[0] ^ half[1];
}

static uint64_t what_of(const struct weir_counter *counter)
{
    return (uint64_t)counter->half_life << 32 | (uint32_t)counter->variable;
}

/* The way of the set in which the entity is, or WAYS. */
static size_t find(const struct set *set, uint64_t hash, const struct weir_entity *entity)
{
    size_t way = 0;
    while (way < WAYS &&
           (set->hash[way] != hash || set->entry[way].n == 0 ||
            memcmp(&set->entry[way].entity, entity, sizeof *entity) != 0))
        way++;
    return way;
}

/* The number of a reading; the i-th is most likely the i-th that was put. */
static const struct kept *find_kept(const struct entry *entry, uint64_t what, size_t i)
{
    if (i < entry->n && entry->kept[i].what == what)
        return &entry->kept[i];
    for (i = 0; i < entry->n; i++) {
        if (entry->kept[i].what == what)
            return &entry->kept[i];
    }
    return NULL;
}

static bool holds(const struct weir_near_cache *cache, const struct entry *entry, weir_time now)
{
    return entry->generation == cache->generation && entry->from <= now && now < entry->until;
}

int weir_near_cache_get(struct weir_near_cache *cache, weir_time now, struct weir_reading *reading,
                        size_t n)
{
    if (n == 0 || n > WEIR_NEAR_READINGS)
        return 0;
    const struct weir_entity *entity = &reading[0].counter.entity;
    uint64_t hash = hash_of(entity);
    struct set *set = &cache->set[hash & cache->mask];
    size_t way = find(set, hash, entity);
    if (way == WAYS || !holds(cache, &set->entry[way], now))
        return 0;
    const struct kept *kept[WEIR_NEAR_READINGS];
    for (size_t i = 0; i < n; i++) {
        kept[i] = find_kept(&set->entry[way], what_of(&reading[i].counter), i);
        if (!kept[i])
            return 0;
    }
    set->keep[way] = now + REGULAR;
    for (size_t i = 0; i < n; i++) {
        reading[i].value = kept[i]->number;
        reading[i].missing = false;
    }
    return 1;
}

/* The moment until which a way is protected; one that no get can have set is none. */
static weir_time kept_until(const struct set *set, size_t way, weir_time now)
{
    return set->entry[way].n > 0 && set->keep[way] <= now + REGULAR ? set->keep[way] : INT64_MIN;
}

/* The way for an entity: its own, else that with the least claim; WAYS when
 * all are protected.  Who comes a second time is a regular. */
static size_t place_for(struct set *set, uint64_t hash, const struct weir_entity *entity,
                        weir_time now)
{
    size_t place = find(set, hash, entity);
    if (place < WAYS) {
        set->keep[place] = now + REGULAR;
        return place;
    }
    place = 0;
    for (size_t way = 1; way < WAYS; way++) {
        if (kept_until(set, way, now) < kept_until(set, place, now))
            place = way;
    }
    if (kept_until(set, place, now) > now)
        return WAYS;
    set->keep[place] = now;
    set->hash[place] = hash;
    return place;
}

void weir_near_cache_put(struct weir_near_cache *cache, weir_time now, weir_time until,
                         const struct weir_reading *reading, size_t n)
{
    if (n == 0 || n > WEIR_NEAR_READINGS)
        return;
    for (size_t i = 0; i < n; i++) {
        if (reading[i].missing)
            return;
    }
    const struct weir_entity *entity = &reading[0].counter.entity;
    uint64_t hash = hash_of(entity);
    struct set *set = &cache->set[hash & cache->mask];
    size_t way = place_for(set, hash, entity, now);
    if (way == WAYS)
        return;
    struct entry *entry = &set->entry[way];
    entry->entity = *entity;
    entry->from = now;
    entry->until = until - now > cache->age ? now + cache->age + 1 : until;
    entry->generation = cache->generation;
    entry->n = n;
    for (size_t i = 0; i < n; i++)
        entry->kept[i] = (struct kept){what_of(&reading[i].counter), reading[i].value};
}

void weir_near_cache_forget(struct weir_near_cache *cache, const struct weir_entity *entity)
{
    uint64_t hash = hash_of(entity);
    struct set *set = &cache->set[hash & cache->mask];
    size_t way = find(set, hash, entity);
    if (way < WAYS)
        set->entry[way].from = INT64_MAX;
}

void weir_near_cache_forget_all(struct weir_near_cache *cache)
{
    cache->generation++;
}
