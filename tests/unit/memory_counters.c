/*
 * A binary tree (tsearch) of counters.  Late events are decayed to the
 * counter's own time, so order does not matter.
 */
#include "tests/unit/memory_counters.h"

#include <math.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

struct number {
    struct weir_counter counter;
    weir_time when;
    double value;
};

struct memory_counters {
    void *root;
    size_t count;
    bool (*mute)(const struct weir_counter *counter);
};

static int compare(const void *a, const void *b)
{
    const struct weir_counter *one = a, *two = b; /* a number begins with its counter */
    int order = memcmp(one->entity.id, two->entity.id, sizeof(one->entity.id));
    if (order != 0)
        return order;
    if (one->variable != two->variable)
        return one->variable < two->variable ? -1 : 1;
    return one->half_life == two->half_life ? 0 : one->half_life < two->half_life ? -1 : 1;
}

static double decay(const struct weir_counter *counter, weir_time from, weir_time to)
{
    if (counter->half_life == 0)
        return 1;
    return exp2(-(double)(to - from) / (double)WEIR_SECOND / counter->half_life);
}

struct memory_counters *memory_counters_new(void)
{
    struct memory_counters *counters = calloc(1, sizeof(*counters));
    if (!counters)
        abort();
    return counters;
}

void memory_counters_free(struct memory_counters **counters)
{
    if (*counters)
        tdestroy((*counters)->root, free);
    free(*counters);
    *counters = NULL;
}

int memory_counters_read(struct memory_counters *counters, weir_time now,
                         struct weir_reading *reading, size_t n)
{
    int all = 1;
    for (size_t i = 0; i < n; i++) {
        const struct weir_counter *counter = &reading[i].counter;
        struct number *const *found = tfind(counter, &counters->root, compare);
        reading[i].missing = counters->mute && counters->mute(counter);
        reading[i].value = 0;
        if (reading[i].missing)
            all = 0;
        else if (found)
            reading[i].value = (*found)->value * decay(counter, (*found)->when, now);
    }
    return all;
}

static void change(struct memory_counters *counters, weir_time when,
                   const struct weir_counter *counter, double weight)
{
    struct number **found = tfind(counter, &counters->root, compare);
    if (!found) {
        if (weight < 0)
            return;
        struct number *fresh = calloc(1, sizeof(*fresh));
        if (!fresh)
            abort();
        *fresh = (struct number){.counter = *counter, .when = when};
        found = tsearch(fresh, &counters->root, compare);
        if (!found)
            abort();
        counters->count++;
    }
    struct number *number = *found;
    if (when > number->when) {
        number->value *= decay(counter, number->when, when);
        number->when = when;
    }
    number->value = fmax(0, number->value + weight * decay(counter, when, number->when));
}

void memory_counters_add(struct memory_counters *counters, weir_time when,
                         const struct weir_counter *counter, double weight)
{
    change(counters, when, counter, weight);
}

void memory_counters_take_back(struct memory_counters *counters, weir_time when,
                               const struct weir_counter *counter, double weight)
{
    change(counters, when, counter, -weight);
}

void memory_counters_mute(struct memory_counters *counters,
                          bool (*mute)(const struct weir_counter *counter))
{
    counters->mute = mute;
}

size_t memory_counters_count(const struct memory_counters *counters)
{
    return counters->count;
}
