/*
 * Entries in one array that never moves, chained in a hash table by their names, which are keyed
 * hashes already; those with events are also in a heap by the time they are due.  All of it is
 * taken at the start: nothing here grows.  Refuses one address more than there is room for.
 */
#include "monitor/threshold/alarms.h"

#include <stdlib.h>

#include "core/base/error.h"

enum { PER_ADDRESS = 3 }; /* an address and the networks above it */
enum { SERVERS = 32, NOBODY = SERVERS }; /* owners */

#define NONE UINT32_MAX

struct weir_alarms {
    struct weir_alarm *alarm;
    uint32_t *chain;     /* heads, by name */
    uint32_t *queue;     /* a heap of entries with events, by due */
    uint32_t room, mask; /* entries; chains less one */
    uint32_t spare;      /* the first free entry; chained by next */
    uint32_t queued;
    uint32_t addresses, addresses_most;
    uint32_t owned[SERVERS + 1]; /* of these addresses; of several servers: the last */
};

/* Entries. --------------------------------------------------------------- */

static uint32_t index_of(const struct weir_alarms *alarms, const struct weir_alarm *alarm)
{
    return (uint32_t)(alarm - alarms->alarm);
}

struct weir_alarm *weir_alarms_find(const struct weir_alarms *alarms, uint64_t name)
{
    uint32_t i = alarms->chain[name & alarms->mask];
    while (i != NONE && alarms->alarm[i].spot.name != name)
        i = alarms->alarm[i].next;
    return i != NONE ? &alarms->alarm[i] : NULL;
}

/* An entry without a network above it yet. */
static struct weir_alarm *make_one(struct weir_alarms *alarms,
                                   const struct weir_alarm_place *place, unsigned level)
{
    uint32_t i = alarms->spare;
    if (i == NONE)
        return NULL;
    struct weir_alarm *alarm = &alarms->alarm[i];
    uint32_t *head = &alarms->chain[place->spot[level].name & alarms->mask];
    alarms->spare = alarm->next;
    *alarm = (struct weir_alarm){
        .prefix = place->prefix[level],
        .spot = place->spot[level],
        .due = WEIR_ALARM_NEVER,
        .above = NONE,
        .next = *head,
        .queued = NONE,
        .level = (uint8_t)level,
        .class_number = (uint8_t)place->class_number,
    };
    *head = i;
    return alarm;
}

/* What is idle goes, and what is above it and idle then. */
static void drop_if_idle(struct weir_alarms *alarms, struct weir_alarm *alarm)
{
    while (alarm && alarm->raised == 0 && alarm->offenders == 0) {
        uint32_t i = index_of(alarms, alarm);
        uint32_t *link = &alarms->chain[alarm->spot.name & alarms->mask];
        struct weir_alarm *above = alarm->above != NONE ? &alarms->alarm[alarm->above] : NULL;
        while (*link != i)
            link = &alarms->alarm[*link].next;
        *link = alarm->next;
        alarm->next = alarms->spare;
        alarm->spot.name = 0;
        alarms->spare = i;
        if (above)
            above->offenders--;
        alarm = above;
    }
}

/* The entry of a level, and those of the networks above it; NULL when there is no room. */
static struct weir_alarm *make(struct weir_alarms *alarms, const struct weir_alarm_place *place,
                               unsigned level)
{
    struct weir_alarm *first = NULL, *below = NULL;
    for (unsigned at = level; at < place->levels; at++) {
        struct weir_alarm *alarm = weir_alarms_find(alarms, place->spot[at].name);
        bool there = alarm != NULL;
        if (!there)
            alarm = make_one(alarms, place, at);
        if (!alarm) {
            if (first)
                drop_if_idle(alarms, first);
            return NULL;
        }
        if (below) {
            below->above = index_of(alarms, alarm);
            alarm->offenders++;
        }
        first = first ? first : alarm;
        below = alarm;
        if (there)
            break;
    }
    return first;
}

/* The queue. ------------------------------------------------------------- */

static weir_time due_at(const struct weir_alarms *alarms, uint32_t at)
{
    return alarms->alarm[alarms->queue[at]].due;
}

static void put(struct weir_alarms *alarms, uint32_t at, uint32_t entry)
{
    alarms->queue[at] = entry;
    alarms->alarm[entry].queued = at;
}

/* Moves what stands at a place of the heap to where its time belongs. */
static void settle(struct weir_alarms *alarms, uint32_t at)
{
    uint32_t entry = alarms->queue[at];
    weir_time due = alarms->alarm[entry].due;
    for (; at > 0 && due_at(alarms, (at - 1) / 2) > due; at = (at - 1) / 2)
        put(alarms, at, alarms->queue[(at - 1) / 2]);
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child + 1 < alarms->queued && due_at(alarms, child + 1) < due_at(alarms, child))
            child++;
        if (child >= alarms->queued || due_at(alarms, child) >= due)
            break;
        put(alarms, at, alarms->queue[child]);
        at = child;
    }
    put(alarms, at, entry);
}

static void leave_queue(struct weir_alarms *alarms, struct weir_alarm *alarm)
{
    uint32_t at = alarm->queued, last = alarms->queue[--alarms->queued];
    alarm->queued = NONE;
    if (last == index_of(alarms, alarm))
        return;
    put(alarms, at, last);
    settle(alarms, at);
}

struct weir_alarm *weir_alarms_first(const struct weir_alarms *alarms)
{
    return alarms->queued > 0 ? &alarms->alarm[alarms->queue[0]] : NULL;
}

void weir_alarms_postpone(struct weir_alarms *alarms, struct weir_alarm *alarm, weir_time due)
{
    alarm->due = due;
    settle(alarms, alarm->queued);
}

/* Events. ---------------------------------------------------------------- */

static unsigned owner_of(uint32_t servers)
{
    return __builtin_popcount(servers) == 1 ? (unsigned)__builtin_ctz(servers) : NOBODY;
}

static bool has_room(const struct weir_alarms *alarms, unsigned owner)
{
    uint32_t left = alarms->addresses_most - alarms->addresses;
    return left > 0 && (owner == NOBODY || alarms->owned[owner] < left);
}

/* The entry's first event. */
static void begin(struct weir_alarms *alarms, struct weir_alarm *alarm)
{
    alarms->addresses += alarm->level == 0;
    alarms->owned[alarm->owner] += alarm->level == 0;
    put(alarms, alarms->queued++, index_of(alarms, alarm));
}

struct weir_alarm *weir_alarms_raise(struct weir_alarms *alarms,
                                     const struct weir_alarm_place *place, unsigned quantity,
                                     uint32_t servers, weir_time due)
{
    struct weir_alarm *alarm = weir_alarms_find(alarms, place->spot[place->level].name);
    bool fresh = !alarm || alarm->raised == 0;
    if (fresh && place->level == 0 && !has_room(alarms, owner_of(servers)))
        return NULL;
    if (!alarm)
        alarm = make(alarms, place, place->level);
    if (!alarm)
        return NULL;
    if (fresh)
        alarm->owner = (uint8_t)owner_of(servers);
    if (fresh)
        begin(alarms, alarm);
    alarm->seen = fresh ? servers : alarm->seen | servers;
    alarm->raised |= (uint8_t)(1u << quantity);
    alarm->class_number = (uint8_t)place->class_number;
    weir_alarms_postpone(alarms, alarm, fresh || due < alarm->due ? due : alarm->due);
    return alarm;
}

void weir_alarms_clear(struct weir_alarms *alarms, struct weir_alarm *alarm, unsigned quantity)
{
    bool had = alarm->raised != 0;
    alarm->raised &= (uint8_t)~(1u << quantity);
    alarm->left_out &= alarm->raised;
    if (!had || alarm->raised != 0)
        return;
    leave_queue(alarms, alarm);
    alarms->addresses -= alarm->level == 0;
    alarms->owned[alarm->owner] -= alarm->level == 0;
    drop_if_idle(alarms, alarm);
}

static bool is_below(const struct weir_alarm *alarm, const struct weir_prefix *prefix)
{
    return alarm->spot.name != 0 && alarm->raised != 0 && alarm->prefix.bits >= prefix->bits &&
           weir_prefix_contains(prefix, &alarm->prefix.address);
}

void weir_alarms_forget(struct weir_alarms *alarms, const struct weir_prefix *prefix,
                        void (*done)(void *context, const struct weir_alarm *alarm),
                        void *context)
{
    for (uint32_t i = 0; i < alarms->room; i++) {
        struct weir_alarm *alarm = &alarms->alarm[i];
        if (!is_below(alarm, prefix))
            continue;
        done(context, alarm);
        for (unsigned q = 0; q < WEIR_QUANTITIES; q++)
            weir_alarms_clear(alarms, alarm, q);
    }
}

size_t weir_alarms_count(const struct weir_alarms *alarms)
{
    return alarms->queued;
}

/* Memory. ---------------------------------------------------------------- */

static void link_all(struct weir_alarms *alarms)
{
    for (uint32_t i = 0; i < alarms->room; i++)
        alarms->alarm[i].next = i + 1 < alarms->room ? i + 1 : NONE;
    for (uint32_t i = 0; i <= alarms->mask; i++)
        alarms->chain[i] = NONE;
}

int weir_alarms_new(size_t addresses, struct weir_alarms **alarms_r)
{
    struct weir_alarms *alarms = calloc(1, sizeof(*alarms));
    if (!alarms)
        return WEIR_ENOMEM;
    alarms->addresses_most = (uint32_t)addresses;
    alarms->room = (uint32_t)addresses * PER_ADDRESS;
    while (alarms->mask < alarms->room)
        alarms->mask = 2 * alarms->mask + 1;
    alarms->alarm = calloc(alarms->room, sizeof(*alarms->alarm));
    alarms->queue = calloc(alarms->room, sizeof(*alarms->queue));
    alarms->chain = calloc((size_t)alarms->mask + 1, sizeof(*alarms->chain));
    if (!alarms->alarm || !alarms->queue || !alarms->chain) {
        weir_alarms_free(&alarms);
        return WEIR_ENOMEM;
    }
    link_all(alarms);
    *alarms_r = alarms;
    return 0;
}

void weir_alarms_free(struct weir_alarms **alarms)
{
    if (!*alarms)
        return;
    free((*alarms)->alarm);
    free((*alarms)->queue);
    free((*alarms)->chain);
    free(*alarms);
    *alarms = NULL;
}

size_t weir_alarms_octets(const struct weir_alarms *alarms)
{
    return sizeof(*alarms) + alarms->room * sizeof(*alarms->alarm) +
           alarms->room * sizeof(*alarms->queue) +
           ((size_t)alarms->mask + 1) * sizeof(*alarms->chain);
}
