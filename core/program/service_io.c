/*
 * service - reads, opens, replaces.  Owns the arena of its configuration, its stores and
 * its engine; refuses to end up with less than there was before.
 */
#include "core/program/service_io.h"

#include <stdlib.h>

#include "core/base/error.h"
#include "core/store/counters_key.h"

#define ARENA_FIRST 8192

int weir_service_read(const char *path, const struct weir_settings_report *report,
                      struct weir_service **service_r)
{
    struct weir_service *service = calloc(1, sizeof *service);
    int done = WEIR_ENOMEM;

    if (!service)
        return WEIR_ENOMEM;
    service->arena = weir_arena_new(ARENA_FIRST);
    if (service->arena)
        done = weir_config_load(path, service->arena, report, &service->config);
    if (done < 0)
        weir_service_free(&service);
    else
        *service_r = service;
    return done;
}

/* Lists that were never written have no file yet, and a reader looks for one only now and
 * then: an empty write makes it, so that the very first entry acts at once. */
static void make_lists(struct weir_lists *lists)
{
    size_t black = 0, accept = 0, removed;

    if (lists && weir_lists_count(lists, WEIR_LIST_BLACK, &black) >= 0 &&
        weir_lists_count(lists, WEIR_LIST_ACCEPT, &accept) >= 0 && black + accept == 0)
        (void)weir_lists_purge(lists, 0, &removed);
}

/* Counters of another key are as good as none, and nobody would see why. */
static void check_key(struct weir_stores *stores, const struct weir_log *log)
{
    const struct weir_clock wall = weir_clock_system();

    if (stores->counters && weir_counters_key_mark(stores->counters, &stores->key,
                                                   weir_clock_now(&wall)) ==
                                WEIR_COUNTERS_KEY_OTHER)
        weir_log(log, WEIR_LOG_ERROR, "the counters were made with another key: nothing is known "
                 "of anybody until the old counters.key is back, or they are rebuilt");
}

int weir_service_open(struct weir_service *service, const struct weir_log *log)
{
    struct weir_engine_parts parts = {.config = &service->config, .log = log};

    /* The daemon makes both files, so that it need not be told when there are some. */
    service->trouble = weir_stores_open(&service->config,
                                        WEIR_STORES_WRITE_COUNTERS | WEIR_STORES_WRITE_LISTS, log,
                                        &service->stores);
    make_lists(service->stores.lists);
    check_key(&service->stores, log);
    parts.key = &service->stores.key;
    parts.domains = service->stores.domains;
    parts.lists = service->stores.lists;
    parts.counters = service->stores.counters;
    if (service->stores.domains && weir_engine_new(&parts, &service->engine) == 0)
        return 0;
    weir_stores_close(&service->stores);
    return WEIR_ENOMEM;
}

void weir_service_shut(struct weir_service *service)
{
    weir_engine_free(&service->engine);
    weir_stores_close(&service->stores);
}

void weir_service_free(struct weir_service **service)
{
    if (!*service)
        return;
    weir_service_shut(*service);
    weir_arena_free(&(*service)->arena);
    free(*service);
    *service = NULL;
}

int weir_service_replace(struct weir_service **service, struct weir_service **next,
                         const struct weir_log *log)
{
    int before = (*service)->trouble, done;

    weir_service_shut(*service);
    done = weir_service_open(*next, log);
    if (done == 0 && before == 0)
        done = (*next)->trouble; /* it was better */
    if (done == 0) {
        weir_service_free(service);
        *service = *next;
        *next = NULL;
        return 0;
    }
    weir_service_free(next);
    (void)weir_service_open(*service, log);
    return done;
}
