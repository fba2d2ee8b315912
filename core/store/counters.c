/*
 * The handle around a counter store.  It turns readings into the one or two
 * stored numbers each is made of, asks the near cache and then the store (once,
 * for everything), and keeps events until they are flushed.  Owns the store,
 * the near cache and a scratch array that only ever grows; in steady state
 * nothing is allocated.  A value is decayed with factors worked out once for each
 * half-life and call.  Refuses weights and times out of range, and over-long reads.
 */
#include "core/store/counters_impl.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/store/near_cache.h"

struct weir_counters {
    struct weir_counter_store store;
    void *self;
    struct weir_near_cache *near; /* NULL: none */
    const struct weir_log *log;

    struct weir_counter_slot *slot;
    size_t slots_room;

    struct weir_counter_change change[WEIR_EVENTS_MAX];
    size_t changes;

    uint64_t read, missing, answered_near, written, lost;
};

/* What one call needs to know about a half-life. */
struct plan {
    uint32_t half_life;
    uint32_t epoch;
    bool looks_back;
    double factor, factor_before;
};

#define PLANS 8 /* more half-lives in one call are only slower */

struct plans {
    weir_time now;
    size_t n, last;
    struct plan plan[PLANS];
};

static struct plan make_plan(weir_time now, uint32_t half_life)
{
    struct plan plan = {.half_life = half_life, .epoch = weir_decay_epoch(now, half_life)};
    plan.looks_back = plan.epoch > 0 && weir_decay_looks_back(now, half_life);
    plan.factor = weir_decay_factor(now, plan.epoch, half_life);
    if (plan.looks_back)
        plan.factor_before = weir_decay_factor(now, plan.epoch - 1, half_life);
    return plan;
}

static const struct plan *plan_for(struct plans *plans, uint32_t half_life)
{
    if (plans->n > 0 && plans->plan[plans->last].half_life == half_life)
        return &plans->plan[plans->last];
    for (size_t i = 0; i < plans->n; i++) {
        if (plans->plan[i].half_life == half_life) {
            plans->last = i;
            return &plans->plan[i];
        }
    }
    plans->last = plans->n < PLANS ? plans->n++ : 0;
    plans->plan[plans->last] = make_plan(plans->now, half_life);
    return &plans->plan[plans->last];
}

int weir_counters_wrap(const struct weir_counter_store *store, void *self, weir_time near,
                       size_t near_entities, const struct weir_log *log,
                       struct weir_counters **counters_r)
{
    struct weir_counters *counters = calloc(1, sizeof *counters);
    struct weir_near_cache *cache = NULL;
    bool ok = counters != NULL;
    if (ok && near > 0) {
        cache = weir_near_cache_new(near_entities, near);
        ok = cache != NULL;
    }
    if (!ok) {
        store->free(self);
        free(counters);
        return WEIR_ENOMEM;
    }
    counters->store = *store;
    counters->self = self;
    counters->near = cache;
    counters->log = log;
    *counters_r = counters;
    return 0;
}

void weir_counters_free(struct weir_counters **countersp)
{
    struct weir_counters *counters = *countersp;
    if (!counters)
        return;
    *countersp = NULL;
    if (counters->changes > 0)
        weir_counters_flush(counters, NULL);
    if (counters->lost > 0)
        weir_log(counters->log, WEIR_LOG_WARNING,
                 "counters: %llu of %llu events could not be stored",
                 (unsigned long long)counters->lost,
                 (unsigned long long)(counters->lost + counters->written));
    counters->store.free(counters->self);
    weir_near_cache_free(&counters->near);
    free(counters->slot);
    free(counters);
}

/* Reading. ---------------------------------------------------------------- */

/* Room for at least n slots; what was in them is of no use. */
static bool make_slots_room(struct weir_counters *counters, size_t n)
{
    if (n <= counters->slots_room)
        return true;
    size_t room = counters->slots_room > 0 ? counters->slots_room : 256;
    while (room < n)
        room *= 2;
    struct weir_counter_slot *slot = malloc(room * sizeof *slot);
    if (!slot)
        return false;
    free(counters->slot);
    counters->slot = slot;
    counters->slots_room = room;
    return true;
}

/* How many of the n readings are, from the first on, of the same entity. */
static size_t run_length(const struct weir_reading *reading, size_t n)
{
    size_t run = 1;
    while (run < n && memcmp(&reading[run].counter.entity, &reading[0].counter.entity,
                             sizeof reading[0].counter.entity) == 0)
        run++;
    return run;
}

static void set_slot(struct weir_counter_slot *slot, const struct weir_reading *reading,
                     uint32_t epoch)
{
    slot->counter = reading->counter;
    slot->epoch = epoch;
    slot->value = 0;
    slot->missing = true;
}

/* Writes the one or two slots a reading is made of; returns how many. */
static size_t expand(const struct weir_reading *reading, const struct plan *plan,
                     struct weir_counter_slot *slot)
{
    set_slot(&slot[0], reading, plan->epoch);
    if (!plan->looks_back)
        return 1;
    set_slot(&slot[1], reading, plan->epoch - 1);
    return 2;
}

/* The value of a reading from its slots; returns how many these were. */
static size_t combine(struct weir_reading *reading, const struct plan *plan,
                      const struct weir_counter_slot *slot)
{
    reading->missing = slot[0].missing || (plan->looks_back && slot[1].missing);
    reading->value = 0;
    if (!reading->missing)
        reading->value = (double)slot[0].value * plan->factor;
    if (!reading->missing && plan->looks_back)
        reading->value += (double)slot[1].value * plan->factor_before;
    return plan->looks_back ? 2 : 1;
}

/* Makes slots of all that the near cache does not answer.  Readings that wait
 * for the store are marked missing until it has answered. */
static size_t expand_all(struct weir_counters *counters, struct plans *plans,
                         struct weir_reading *reading, size_t n)
{
    size_t slots = 0;
    for (size_t at = 0, run; at < n; at += run) {
        run = run_length(reading + at, n - at);
        if (counters->near && weir_near_cache_get(counters->near, plans->now, reading + at, run)) {
            counters->answered_near += run;
            continue;
        }
        for (size_t i = at; i < at + run; i++) {
            const struct plan *plan = plan_for(plans, reading[i].counter.half_life);
            slots += expand(&reading[i], plan, &counters->slot[slots]);
            reading[i].missing = true;
        }
    }
    return slots;
}

/* The way back: the readings marked missing take their slots in the same order.
 * Returns how many remain missing. */
static size_t combine_all(struct weir_counters *counters, struct plans *plans,
                          struct weir_reading *reading, size_t n)
{
    size_t missing = 0;
    size_t slots = 0;
    for (size_t at = 0, run; at < n; at += run) {
        run = run_length(reading + at, n - at);
        if (!reading[at].missing)
            continue;
        size_t missing_before = missing;
        for (size_t i = at; i < at + run; i++) {
            const struct plan *plan = plan_for(plans, reading[i].counter.half_life);
            slots += combine(&reading[i], plan, &counters->slot[slots]);
            missing += reading[i].missing;
        }
        if (counters->near && missing == missing_before)
            weir_near_cache_put(counters->near, plans->now, reading + at, run);
    }
    return missing;
}

static size_t mark_all_missing(struct weir_reading *reading, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        reading[i].value = 0;
        reading[i].missing = true;
    }
    return n;
}

int weir_counters_read(struct weir_counters *counters, weir_time now, struct weir_reading *reading,
                       size_t n)
{
    if (n > WEIR_READINGS_MAX)
        return WEIR_ELIMIT;
    size_t missing;
    if (make_slots_room(counters, 2 * n)) {
        struct plans plans = {.now = now};
        size_t slots = expand_all(counters, &plans, reading, n);
        if (slots > 0)
            counters->store.fetch(counters->self, counters->slot, slots);
        missing = combine_all(counters, &plans, reading, n);
    } else {
        missing = mark_all_missing(reading, n);
    }
    counters->read += n;
    counters->missing += missing;
    return missing == 0;
}

/* Events. ----------------------------------------------------------------- */

static int note(struct weir_counters *counters, weir_time when, const struct weir_counter *counter,
                double weight, bool take_back)
{
    bool weight_ok = weight >= WEIR_WEIGHT_MIN && weight <= WEIR_WEIGHT_MAX; /* nor NaN */
    bool variable_ok = (unsigned)counter->variable < WEIR_VARIABLES;
    if (!weight_ok || !variable_ok || when < 0 || !counters->store.apply)
        return WEIR_EINVAL;
    int result = 0;
    if (counters->changes == WEIR_EVENTS_MAX)
        result = weir_counters_flush(counters, NULL);
    uint32_t epoch = weir_decay_epoch(when, counter->half_life);
    counters->change[counters->changes++] = (struct weir_counter_change){
        .counter = *counter,
        .epoch = epoch,
        .expires = weir_decay_expires(epoch, counter->half_life),
        .amount = weir_decay_amount(when, counter->half_life, weight),
        .take_back = take_back,
        .when = when,
    };
    return result;
}

int weir_counters_add(struct weir_counters *counters, weir_time when,
                      const struct weir_counter *counter, double weight)
{
    return note(counters, when, counter, weight, false);
}

int weir_counters_take_back(struct weir_counters *counters, weir_time when,
                            const struct weir_counter *counter, double weight)
{
    return note(counters, when, counter, weight, true);
}

int weir_counters_flush(struct weir_counters *counters, size_t *lost_r)
{
    if (lost_r)
        *lost_r = 0;
    if (!counters->store.apply)
        return WEIR_EINVAL;
    size_t n = counters->changes;
    if (n == 0)
        return 0;
    counters->changes = 0;
    size_t lost = 0;
    int result = counters->store.apply(counters->self, counters->change, n, &lost);
    for (size_t i = 0; counters->near && i < n; i++)
        weir_near_cache_forget(counters->near, &counters->change[i].counter.entity);
    counters->lost += lost;
    counters->written += n - lost;
    if (lost_r)
        *lost_r = lost;
    return result;
}

void weir_counters_tick(struct weir_counters *counters, weir_time now)
{
    counters->store.tick(counters->self, now);
}

void weir_counters_status(struct weir_counters *counters, struct weir_counters_status *status_r)
{
    memset(status_r, 0, sizeof *status_r);
    counters->store.status(counters->self, status_r);
    status_r->store = counters->store.name;
    status_r->read = counters->read;
    status_r->missing = counters->missing;
    status_r->near = counters->answered_near;
    status_r->written = counters->written;
    status_r->lost = counters->lost;
}
