/*
 * The handle around a counter store.  It asks the near cache and then the store
 * (once, for everything), and keeps events until they are flushed.  Readings are
 * made in two steps: first value is the number as of the counter's epoch
 * (struct weir_decay_plan), which is what the near cache keeps; then it is multiplied
 * by the factor of its half-life, worked out once for each half-life and call.
 *
 * Owns the store, the near cache and a scratch array that only ever grows; in steady
 * state nothing is allocated.  Refuses weights and times out of range, and
 * over-long reads.
 */
#include "core/store/counters_impl.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/store/counter_record.h"
#include "core/store/near_cache.h"

#define PLANS 8 /* more half-lives in one call are only slower */

/* Plans in a ring: which were made for an earlier call is told by their time. */
struct plans {
    weir_time now;
    size_t n, last;
    struct weir_decay_plan plan[PLANS];
};

struct weir_counters {
    struct weir_counter_store store;
    void *self;
    struct weir_near_cache *near; /* NULL: none */
    uint64_t generation;          /* of what is near */
    const struct weir_log *log;

    struct plans plans;
    struct weir_counter_slot *slot;
    size_t slots_room;

    uint64_t read, missing, answered_near, written, lost;
    struct weir_clock steady;     /* with the next two */
    struct weir_histogram *reads, *writes; /* NULL: not measured */

    size_t changes;
    struct weir_counter_change change[WEIR_EVENTS_MAX]; /* last: not touched before it is used */
};

/* Makes the plan of a half-life, unless there is one for this time. */
static const struct weir_decay_plan *find_plan(struct plans *plans, uint32_t half_life)
{
    size_t i = 0;
    while (i < plans->n && plans->plan[i].half_life != half_life)
        i++;
    if (i == PLANS)
        i = (plans->last + 1) % PLANS;
    if (i == plans->n)
        plans->n++;
    struct weir_decay_plan *plan = &plans->plan[i];
    if (plan->half_life != half_life || plan->now != plans->now || plan->until == 0)
        *plan = weir_decay_plan(plans->now, half_life);
    plans->last = i;
    return plan;
}

/* Equal half-lives mostly stand together. */
static inline const struct weir_decay_plan *plan_for(struct plans *plans, uint32_t half_life)
{
    const struct weir_decay_plan *last = &plans->plan[plans->last];
    if (last->half_life == half_life && last->now == plans->now && last->until != 0)
        return last;
    return find_plan(plans, half_life);
}

int weir_counters_wrap(const struct weir_counter_store *store, void *self, weir_time near,
                       size_t near_entities, const struct weir_log *log,
                       struct weir_counters **counters_r)
{
    struct weir_counters *counters = malloc(sizeof *counters);
    struct weir_near_cache *cache = NULL;
    bool ok = counters != NULL;
    if (ok)
        memset(counters, 0, offsetof(struct weir_counters, change));
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

/* From numbers to values. */
static void decay(struct plans *plans, struct weir_reading *reading, size_t n)
{
    for (size_t i = 0; i < n; i++)
        reading[i].value *= plan_for(plans, reading[i].counter.half_life)->factor;
}

static bool get_near(struct weir_counters *counters, struct weir_reading *reading, size_t run)
{
    if (!counters->near ||
        !weir_near_cache_get(counters->near, counters->plans.now, reading, run))
        return false;
    counters->answered_near += run;
    decay(&counters->plans, reading, run);
    return true;
}

/* Numbers of one entity have come from the store: what is done with all of them. */
static void finish(struct weir_counters *counters, struct weir_reading *reading, size_t run)
{
    struct plans *plans = &counters->plans;
    weir_time until = INT64_MAX;
    for (size_t i = 0; counters->near && i < run; i++) {
        const struct weir_decay_plan *plan = plan_for(plans, reading[i].counter.half_life);
        until = plan->until < until ? plan->until : until;
    }
    if (counters->near)
        weir_near_cache_put(counters->near, plans->now, until, reading, run);
    decay(plans, reading, run);
}

/* Returns how many are missing. */
static size_t mark_all(struct weir_reading *reading, size_t n, bool missing)
{
    for (size_t i = 0; i < n; i++) {
        reading[i].value = 0;
        reading[i].missing = missing;
    }
    return missing ? n : 0;
}

/* Measuring. -------------------------------------------------------------- */

bool weir_counters_measure(struct weir_counters *counters, const struct weir_clock *steady,
                           struct weir_histogram *reads, struct weir_histogram *writes)
{
    if (counters->reads == reads && counters->writes == writes)
        return false;
    counters->steady = *steady;
    counters->reads = reads;
    counters->writes = writes;
    return true;
}

static weir_time began(const struct weir_counters *counters, const struct weir_histogram *into)
{
    return into ? weir_clock_now(&counters->steady) : 0;
}

static void ended(const struct weir_counters *counters, struct weir_histogram *into,
                  weir_time since)
{
    if (into)
        weir_histogram_add(into, weir_clock_now(&counters->steady) - since, 1);
}

/* Reading by slots. ------------------------------------------------------- */

/* Writes the one or two slots a reading is made of; returns how many. */
static size_t expand(const struct weir_reading *reading, const struct weir_decay_plan *plan,
                     struct weir_counter_slot *slot)
{
    size_t slots = plan->before > 0 ? 2 : 1;
    for (uint32_t i = 0; i < slots; i++) {
        slot[i].counter = reading->counter;
        slot[i].epoch = plan->epoch - i;
        slot[i].value = 0;
        slot[i].missing = true;
    }
    return slots;
}

/* The number of a reading from its slots; returns how many these were. */
static size_t combine(struct weir_reading *reading, const struct weir_decay_plan *plan,
                      const struct weir_counter_slot *slot)
{
    size_t slots = plan->before > 0 ? 2 : 1;
    reading->missing = slot[0].missing || slot[slots - 1].missing;
    double number = (double)slot[0].value;
    if (slots == 2)
        number += (double)slot[1].value * plan->before;
    reading->value = reading->missing ? 0 : number;
    return slots;
}

/* Makes slots of all that the near cache does not answer.  Readings that wait
 * for the store are marked missing until it has answered. */
static size_t expand_all(struct weir_counters *counters, struct weir_reading *reading, size_t n)
{
    size_t slots = 0;
    for (size_t at = 0, run; at < n; at += run) {
        run = run_length(reading + at, n - at);
        if (get_near(counters, reading + at, run))
            continue;
        for (size_t i = at; i < at + run; i++) {
            const struct weir_decay_plan *plan =
                plan_for(&counters->plans, reading[i].counter.half_life);
            slots += expand(&reading[i], plan, &counters->slot[slots]);
            reading[i].missing = true;
        }
    }
    return slots;
}

/* The way back: the readings marked missing take their slots in the same order.
 * Returns how many remain missing. */
static size_t combine_all(struct weir_counters *counters, struct weir_reading *reading, size_t n)
{
    size_t missing = 0;
    size_t slots = 0;
    for (size_t at = 0, run; at < n; at += run) {
        run = 1;
        if (!reading[at].missing)
            continue;
        run = run_length(reading + at, n - at);
        for (size_t i = at; i < at + run; i++) {
            const struct weir_decay_plan *plan =
                plan_for(&counters->plans, reading[i].counter.half_life);
            slots += combine(&reading[i], plan, &counters->slot[slots]);
            missing += reading[i].missing;
        }
        finish(counters, reading + at, run);
    }
    return missing;
}

static size_t read_by_slots(struct weir_counters *counters, struct weir_reading *reading, size_t n)
{
    if (!make_slots_room(counters, 2 * n))
        return mark_all(reading, n, true);
    size_t slots = expand_all(counters, reading, n);
    if (slots == 0)
        return 0;
    weir_time since = began(counters, counters->reads);
    counters->store.fetch(counters->self, counters->slot, slots);
    ended(counters, counters->reads, since);
    return combine_all(counters, reading, n);
}

/* Reading by entities. ---------------------------------------------------- */

/* Readings of entities that wait for the store. */
struct waiting {
    size_t n;
    struct weir_counter_find find[WEIR_COUNTER_FINDS];
    struct weir_reading *reading[WEIR_COUNTER_FINDS];
    size_t run[WEIR_COUNTER_FINDS];
};

/* Gives a number to the readings that it is a part of. */
static void give(struct plans *plans, const struct weir_counter_item *item,
                 struct weir_reading *reading, size_t run)
{
    for (size_t i = 0; i < run; i++) {
        const struct weir_counter *counter = &reading[i].counter;
        if ((unsigned)counter->variable != item->variable ||
            counter->half_life != item->half_life)
            continue;
        const struct weir_decay_plan *plan = plan_for(plans, item->half_life);
        if (item->epoch == plan->epoch)
            reading[i].value += (double)item->number;
        else if (item->epoch + 1 == plan->epoch)
            reading[i].value += (double)item->number * plan->before;
    }
}

static void collect(struct weir_counters *counters, const struct weir_counter_find *find,
                    struct weir_reading *reading, size_t run)
{
    struct weir_counter_record record;
    record.n = 0;
    if (find->record &&
        weir_counter_record_read(find->entity, find->record, find->len, &record) < 0)
        counters->store.damaged(counters->self);
    for (size_t i = 0; i < record.n; i++)
        give(&counters->plans, &record.item[i], reading, run);
    for (size_t i = 0; i < run; i++)
        reading[i].missing = false;
    finish(counters, reading, run);
}

/* Asks for all that wait.  Returns how many readings remain missing. */
static size_t find_waiting(struct weir_counters *counters, struct waiting *waiting)
{
    size_t missing = 0;
    int error = counters->store.find(counters->self, waiting->find, waiting->n);
    for (size_t i = 0; i < waiting->n; i++) {
        if (error)
            missing += waiting->run[i];
        else
            collect(counters, &waiting->find[i], waiting->reading[i], waiting->run[i]);
    }
    waiting->n = 0;
    return missing;
}

/* Reads all, between the store's begin and end.  Returns how many are missing. */
static size_t find_all(struct weir_counters *counters, struct weir_reading *reading, size_t n)
{
    struct waiting waiting;
    size_t missing = 0;
    waiting.n = 0;
    for (size_t at = 0, run; at < n; at += run) {
        run = run_length(reading + at, n - at);
        if (get_near(counters, reading + at, run))
            continue;
        mark_all(reading + at, run, true);
        waiting.find[waiting.n] =
            (struct weir_counter_find){.entity = &reading[at].counter.entity};
        waiting.reading[waiting.n] = reading + at;
        waiting.run[waiting.n++] = run;
        if (waiting.n == WEIR_COUNTER_FINDS)
            missing += find_waiting(counters, &waiting);
    }
    if (waiting.n > 0)
        missing += find_waiting(counters, &waiting);
    return missing;
}

static size_t read_by_entities(struct weir_counters *counters, struct weir_reading *reading,
                               size_t n)
{
    uint64_t generation;
    weir_time since = began(counters, counters->reads);
    int there = counters->store.begin(counters->self, &generation);
    if (there <= 0) {
        ended(counters, counters->reads, since);
        return mark_all(reading, n, there < 0);
    }
    if (counters->near && generation != counters->generation)
        weir_near_cache_forget_all(counters->near);
    counters->generation = generation;
    size_t missing = find_all(counters, reading, n);
    counters->store.end(counters->self);
    ended(counters, counters->reads, since);
    return missing;
}

int weir_counters_read(struct weir_counters *counters, weir_time now, struct weir_reading *reading,
                       size_t n)
{
    if (n > WEIR_READINGS_MAX)
        return WEIR_ELIMIT;
    counters->plans.now = now;
    size_t missing = counters->store.fetch ? read_by_slots(counters, reading, n)
                                           : read_by_entities(counters, reading, n);
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
    weir_time since = began(counters, counters->writes);
    int result = counters->store.apply(counters->self, counters->change, n, &lost);
    ended(counters, counters->writes, since);
    for (size_t i = 0; counters->near && i < n; i++)
        weir_near_cache_forget(counters->near, &counters->change[i].counter.entity);
    counters->lost += lost;
    counters->written += n - lost;
    if (lost_r)
        *lost_r = lost;
    return result;
}

/* Filling. ----------------------------------------------------------------- */

/* Numbers as slots: read from a store that is asked for each ... */
static void fetch_numbers(struct weir_counters *counters, struct weir_counter_slot *slot, size_t n)
{
    counters->store.fetch(counters->self, slot, n);
}

/* ... or that has an entity's together. */
static void find_numbers(struct weir_counters *counters, struct weir_counter_slot *slot, size_t n)
{
    const struct weir_entity *before = NULL;
    struct weir_counter_record record;
    uint64_t generation;
    int error = 0, there = counters->store.begin(counters->self, &generation);
    for (size_t i = 0; i < n && there >= 0; i++) {
        struct weir_counter_find find = {.entity = &slot[i].counter.entity};
        if (!before || memcmp(before->id, find.entity->id, sizeof before->id) != 0) {
            record.n = 0;
            error = there ? counters->store.find(counters->self, &find, 1) : 0;
            if (!error && find.record)
                (void)weir_counter_record_read(find.entity, find.record, find.len, &record);
        }
        before = &slot[i].counter.entity;
        slot[i].missing = error != 0;
        slot[i].value = weir_counter_record_number(&record, &slot[i].counter, slot[i].epoch);
    }
    if (there > 0)
        counters->store.end(counters->self);
}

/* The changes that what was read lacks. */
static void note_lacking(struct weir_counters *counters, weir_time now,
                         const struct weir_counter_number *number, size_t n,
                         struct weir_counters_raised *raised)
{
    for (size_t i = 0; i < n; i++) {
        const struct weir_counter_slot *slot = &counters->slot[i];
        uint32_t expires = weir_decay_expires(slot->epoch, slot->counter.half_life);
        if ((weir_time)expires <= now / WEIR_SECOND) {
            raised->faded++;
        } else if (slot->missing) {
            raised->unanswered++;
        } else if (slot->value >= number[i].number) {
            raised->kept++;
        } else {
            counters->change[counters->changes++] = (struct weir_counter_change){
                .counter = slot->counter, .epoch = slot->epoch, .expires = expires,
                .amount = number[i].number - slot->value, .when = now};
        }
    }
}

int weir_counters_raise(struct weir_counters *counters, weir_time now,
                        const struct weir_counter_number *number, size_t n, bool really,
                        struct weir_counters_raised *raised_r)
{
    size_t lost = 0;
    int error;
    *raised_r = (struct weir_counters_raised){.raised = 0};
    if (n > WEIR_EVENTS_MAX)
        return WEIR_ELIMIT;
    if (really && !counters->store.apply)
        return WEIR_EINVAL;
    error = counters->changes > 0 ? weir_counters_flush(counters, NULL) : 0;
    if (error || !make_slots_room(counters, n))
        return error ? error : WEIR_ENOMEM;
    for (size_t i = 0; i < n; i++)
        counters->slot[i] = (struct weir_counter_slot){.counter = number[i].counter,
                                                       .epoch = number[i].epoch, .missing = true};
    (counters->store.fetch ? fetch_numbers : find_numbers)(counters, counters->slot, n);
    note_lacking(counters, now, number, n, raised_r);
    raised_r->raised = counters->changes;
    if (really)
        error = weir_counters_flush(counters, &lost);
    counters->changes = 0;
    raised_r->raised -= lost;
    raised_r->unanswered += lost;
    return error ? error : raised_r->unanswered > 0 ? WEIR_EDOWN : 0;
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
