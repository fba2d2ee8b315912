/*
 * alarms - which prefixes are over a limit now, how many of them below a network, and when to look
 * again whether they still are.
 *
 * An entry is an address or network with an event raised, or a network above one.  Each counts
 * once among the offenders of the network above it, whether it has events itself or only others
 * below: so a network knows in how many different parts of it there are offenders, also when too
 * few of them share a part for an event of its own.
 *
 * Owner:    the caller; pointers to entries are good until entries are dropped.  Threads: one.
 * Errors:   weir_alarms_new(): WEIR_ENOMEM.
 * Limits:   so many addresses with events as it was made for, and three times as many entries.
 *           Addresses that only one server saw are that server's own: it may have as many of them
 *           as there is room left, so that a server that lies - half of all at most - leaves
 *           room for what the others see, and each of them the same.
 */
#ifndef WEIR_THRESHOLD_ALARMS_H
#define WEIR_THRESHOLD_ALARMS_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/address.h"
#include "core/base/clock.h"
#include "monitor/threshold/bucket.h"

#define WEIR_ALARM_NEVER INT64_MAX

struct weir_alarm {
    struct weir_prefix prefix;
    struct weir_spot spot;   /* names it */
    weir_time due;           /* before that it is not back at half */
    uint64_t beyond;         /* number of the last charge beyond its limit; 0: none since resumed */
    uint32_t seen;           /* as levels have it: servers */
    uint32_t word;           /* by whose word it was told, or left out */
    uint32_t offenders;      /* entries just below it */
    uint32_t above, next, queued; /* of alarms.c: indices */
    uint8_t level;           /* 0: address; 1, 2: networks */
    uint8_t class_number;
    uint8_t raised;          /* a bit for each quantity; 0 for what is only above others */
    uint8_t owner;           /* of alarms.c: the one server that saw it, modulo 32 */
    uint8_t left_out;        /* of raised: nobody was told, nor has to be told of their end */
};

struct weir_alarms;

/* Room for so many addresses with events. */
int weir_alarms_new(size_t addresses, struct weir_alarms **alarms_r);
void weir_alarms_free(struct weir_alarms **alarms);

/* The entry of a name, or NULL. */
struct weir_alarm *weir_alarms_find(const struct weir_alarms *alarms, uint64_t name);

/* What is raised: an address or network, with the networks above it. */
struct weir_alarm_place {
    struct weir_prefix prefix[3];
    struct weir_spot spot[3];
    unsigned level, levels;     /* the one that is meant, and one more than the highest */
    unsigned class_number;
};

/* Notes an event by the word of these servers (bits of their numbers modulo 32).  NULL when there
 * is no room. */
struct weir_alarm *weir_alarms_raise(struct weir_alarms *alarms,
                                     const struct weir_alarm_place *place, unsigned quantity,
                                     uint32_t servers, weir_time due);

/* Ends an event; an entry without events and offenders is dropped. */
void weir_alarms_clear(struct weir_alarms *alarms, struct weir_alarm *alarm, unsigned quantity);

/* The entry that is due first, or NULL; and another time for it. */
struct weir_alarm *weir_alarms_first(const struct weir_alarms *alarms);
void weir_alarms_postpone(struct weir_alarms *alarms, struct weir_alarm *alarm, weir_time due);

/* All that have events are due then at the latest. */
void weir_alarms_hurry(struct weir_alarms *alarms, weir_time due);

/* Ends all events of a prefix and below it; done is told each entry. */
void weir_alarms_forget(struct weir_alarms *alarms, const struct weir_prefix *prefix,
                        void (*done)(void *context, const struct weir_alarm *alarm),
                        void *context);

/* Entries with events. */
size_t weir_alarms_count(const struct weir_alarms *alarms);

size_t weir_alarms_octets(const struct weir_alarms *alarms);

#endif
