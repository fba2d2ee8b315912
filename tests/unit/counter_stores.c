/*
 * counter_stores - see the header.  The model keeps numbers as the definition
 * says and in the dumbest way, so that a difference is the other store's fault.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/counter_stores.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/limits.h"
#include "tests/unit/memcached_rig.h"
#include "tests/unit/seeded.h"

/* The model. -------------------------------------------------------------- */

struct model {
    size_t n, room;
    struct weir_counter_slot *slot;
};

static struct weir_counter_slot *model_find(struct model *model, const struct weir_counter *counter,
                                            uint32_t epoch)
{
    for (size_t i = 0; i < model->n; i++) {
        const struct weir_counter_slot *slot = &model->slot[i];
        if (slot->epoch == epoch && slot->counter.variable == counter->variable &&
            slot->counter.half_life == counter->half_life &&
            memcmp(&slot->counter.entity, &counter->entity, sizeof counter->entity) == 0)
            return &model->slot[i];
    }
    return NULL;
}

static int model_fetch(void *self, struct weir_counter_slot *slot, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct weir_counter_slot *kept = model_find(self, &slot[i].counter, slot[i].epoch);
        slot[i].value = kept ? kept->value : 0;
        slot[i].missing = false;
    }
    return 1;
}

static struct weir_counter_slot *model_make(struct model *model,
                                            const struct weir_counter_change *change)
{
    if (model->n == model->room) {
        model->room = model->room ? 2 * model->room : 64;
        model->slot = realloc(model->slot, model->room * sizeof *model->slot);
        assert_non_null(model->slot);
    }
    struct weir_counter_slot *slot = &model->slot[model->n++];
    *slot = (struct weir_counter_slot){.counter = change->counter, .epoch = change->epoch};
    return slot;
}

static int model_apply(void *self, const struct weir_counter_change *change, size_t n,
                       size_t *lost_r)
{
    *lost_r = 0;
    for (size_t i = 0; i < n; i++) {
        struct weir_counter_slot *slot = model_find(self, &change[i].counter, change[i].epoch);
        if (!slot && !change[i].take_back)
            slot = model_make(self, &change[i]);
        if (!slot)
            continue;
        if (change[i].take_back)
            slot->value -= change[i].amount < slot->value ? change[i].amount : slot->value;
        else if (slot->value + change[i].amount < WEIR_COUNTER_MAX)
            slot->value += change[i].amount;
        else
            slot->value = WEIR_COUNTER_MAX;
    }
    return 0;
}

static void model_tick(void *self, weir_time now)
{
    (void)self;
    (void)now;
}

static void model_status(void *self, struct weir_counters_status *status_r)
{
    (void)self;
    (void)status_r;
}

static void model_free(void *self)
{
    struct model *model = self;
    free(model->slot);
    free(model);
}

const struct weir_counter_store *counter_model(void)
{
    static const struct weir_counter_store table = {
        .name = "memory",
        .fetch = model_fetch,
        .apply = model_apply,
        .tick = model_tick,
        .status = model_status,
        .free = model_free,
    };
    return &table;
}

void *counter_model_new(void)
{
    void *model = calloc(1, sizeof(struct model));
    assert_non_null(model);
    return model;
}

/* The stores. ------------------------------------------------------------- */

static char local_path[LOCAL_PATH];
static struct memcached_rig *server;

const char *counter_store_name(enum counter_store store)
{
    static const char *const name[COUNTER_STORES] = {"memory", "local", "memcached"};
    return name[store];
}

bool counter_store_available(enum counter_store store)
{
    return store != STORE_MEMCACHED || memcached_rig_available();
}

void local_path_make(char path[static LOCAL_PATH])
{
    char folder[] = "/tmp/weir-counters-XXXXXX";
    assert_non_null(mkdtemp(folder));
    snprintf(path, LOCAL_PATH, "%s/counters.db", folder);
}

void local_path_remove(const char *path)
{
    char other[LOCAL_PATH + 8];
    unlink(path);
    snprintf(other, sizeof other, "%s-lock", path);
    unlink(other);
    snprintf(other, sizeof other, "%.*s", (int)(strrchr(path, '/') - path), path);
    rmdir(other);
}

static struct weir_counters *open_local(void)
{
    struct weir_counters *counters = NULL;
    const char *why = "";
    local_path_make(local_path);
    struct weir_counters_local_options options = {
        .path = local_path, .bytes_most = 64 << 20, .scratch = true, .mode = 0600};
    if (weir_counters_open_local(&options, NULL, &counters, &why) != 0)
        fprintf(stderr, "local store: %s\n", why);
    return counters;
}

static void stop_server(void)
{
    memcached_rig_stop(&server);
}

static struct weir_counters *open_memcached(void)
{
    struct weir_counters *counters = NULL;
    const char *why = "";
    if (!server) {
        server = memcached_rig_start();
        atexit(stop_server);
    } else {
        memcached_rig_restart(server);
    }
    assert_non_null(server);
    const char *name = memcached_rig_server(server);
    struct weir_counters_memcached_options options = {
        .server = &name,
        .servers = 1,
        .wait = 5 * WEIR_SECOND,
        .retry_least = WEIR_SECOND,
        .retry_most = WEIR_SECOND,
        .steady = weir_clock_steady(),
    };
    if (weir_counters_open_memcached(&options, NULL, &counters, &why) != 0)
        fprintf(stderr, "memcached: %s\n", why);
    return counters;
}

struct weir_counters *counter_store_open(enum counter_store store)
{
    struct weir_counters *counters = NULL;
    if (store == STORE_LOCAL)
        return open_local();
    if (store == STORE_MEMCACHED)
        return open_memcached();
    assert_int_equal(
        weir_counters_wrap(counter_model(), counter_model_new(), 0, 0, NULL, &counters), 0);
    return counters;
}

void counter_store_close(enum counter_store store, struct weir_counters **counters)
{
    weir_counters_free(counters);
    if (store == STORE_LOCAL)
        local_path_remove(local_path);
}

/* Chance. ----------------------------------------------------------------- */

static struct seeded chance;

void seed_random(void)
{
    chance = seeded_new("counters");
}

uint64_t random_u64(void)
{
    return seeded_next(&chance);
}

double random_between(double least, double most)
{
    return least + (most - least) * ((double)(random_u64() >> 11) / 9007199254740992.0);
}

struct weir_entity random_entity(void)
{
    struct weir_entity entity;
    uint64_t half[2] = {random_u64(), random_u64()};
    memcpy(entity.id, half, sizeof entity.id);
    return entity;
}

/* Short forms. ------------------------------------------------------------ */

double counter_value(struct weir_counters *counters, weir_time now,
                     const struct weir_counter *counter)
{
    struct weir_reading reading = {.counter = *counter};
    assert_int_equal(weir_counters_read(counters, now, &reading, 1), 1);
    assert_false(reading.missing);
    return reading.value;
}

void counter_add(struct weir_counters *counters, weir_time when, const struct weir_counter *counter,
                 double weight)
{
    assert_int_equal(weir_counters_add(counters, when, counter, weight), 0);
    assert_int_equal(weir_counters_flush(counters, NULL), 0);
}

void counter_take_back(struct weir_counters *counters, weir_time when,
                       const struct weir_counter *counter, double weight)
{
    assert_int_equal(weir_counters_take_back(counters, when, counter, weight), 0);
    assert_int_equal(weir_counters_flush(counters, NULL), 0);
}
