/*
 * watch_impl - the watch from inside: charges (watch.c) and what comes of them (watch_events.c).
 */
#ifndef WEIR_THRESHOLD_WATCH_IMPL_H
#define WEIR_THRESHOLD_WATCH_IMPL_H

#include "core/base/limits.h"
#include "monitor/threshold/alarms.h"
#include "monitor/threshold/classes.h"
#include "monitor/threshold/watch.h"

enum { WEIR_WATCH_LEVELS = 3 }; /* the address; /24 or /56; /48 */

struct weir_watch {
    struct weir_watch_options options; /* of its classes, the copies below */
    struct weir_watch_class class[WEIR_WATCH_CLASSES_MAX];
    struct weir_classes *classes;
    unsigned fallback; /* the class without prefixes */
    struct weir_buckets *level[WEIR_WATCH_LEVELS];
    struct weir_alarms *alarms;
    bool (*event)(void *context, const struct weir_watch_event *event);
    void *context;
    weir_time newest;  /* charge */
    weir_time certain; /* time has come so far; 0: nobody said yet */
    uint32_t blind;    /* servers */
    bool went_on;      /* it took over the buckets of another */
    uint64_t beyond;   /* charges beyond a limit of which something is raised */
    struct weir_watch_counts counts;
};

/* The limits of a class, for an address or a network. */
struct weir_limits weir_watch_limits(const struct weir_watch *watch, unsigned class_number,
                                     unsigned level);

/* The level whose buckets a prefix has, the prefix made the level's own; or -1. */
int weir_watch_level(struct weir_prefix *prefix);

/* Names the address and those networks for all of which its class holds. */
void weir_watch_find(const struct weir_watch *watch, const struct weir_address *address,
                     struct weir_alarm_place *place);

/* What one level of a charge said: place->level is the one. */
void weir_watch_note(struct weir_watch *watch, const struct weir_alarm_place *place,
                     const struct weir_cost *cost, const struct weir_levels *levels);

#endif
