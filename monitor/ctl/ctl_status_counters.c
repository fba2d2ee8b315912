/*
 * Fingerprints tell keys apart: one of a store, one of the database, one of each server's agent.
 */
#include "monitor/ctl/ctl_status_counters.h"

#include <string.h>

#include "core/store/counters_key.h"
#include "monitor/ctl/ctl_monitor_io.h"
#include "monitor/ctl/ctl_servers.h"

#define FEW 16 /* a share of what may wait: that is not worth a line */

static void add(json_t *problems, json_t *text)
{
    json_array_append_new(problems, text);
}

const char *weir_ctl_status_counters_key(struct weir_ctl *ctl, json_t *problems)
{
    enum weir_counters_key state =
        weir_counters_key_look(ctl->stores.counters, &ctl->stores.key, weir_ctl_now());

    if (state == WEIR_COUNTERS_KEY_OTHER)
        add(problems, json_sprintf("the counters were made with another key than %s: nothing is "
                                   "known of anybody; put the old file back, or take the counters "
                                   "away and rebuild them", ctl->config.key_file));
    return weir_counters_key_name(state);
}

static json_int_t number(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

/* Those that are heard of and have another key than the monitor's: theirs cannot be rebuilt, which
 * is no trouble as long as nothing is lost. */
static void list_servers(struct weir_ctl *ctl, struct weir_database *database, json_int_t key,
                         json_t *names)
{
    struct weir_ctl_servers servers = {0};

    if (key != 0 && weir_ctl_servers_read(ctl, database, &servers) == 0)
        for (size_t i = 0; i < servers.count; i++) {
            const struct weir_ctl_server *one = &servers.one[i];
            json_int_t told = number(one->health, "counters_key");

            if (one->state == WEIR_VIEW_SERVER_SEEN && told != 0 && told != key)
                add(names, json_string(one->server.name));
        }
    weir_ctl_servers_free(&servers);
}

void weir_ctl_status_counters_tell(struct weir_ctl *ctl, json_t *counters, json_t *problems)
{
    const char *state = json_string_value(json_object_get(counters, "state"));
    struct weir_database *database = NULL;
    json_t *names = json_array();
    char aside[WEIR_CTL_NOTE];

    if (state && strcmp(state, "other-key") == 0)
        add(problems, json_sprintf("the monitor's counters were made with another key than %s: "
                                   "nothing is added to them; put the old file back, or begin anew "
                                   "with weirctl counters forget", ctl->config.key_file));
    ctl->aside = aside;
    if (weir_ctl_monitor_database(ctl, &database) == 0)
        list_servers(ctl, database, number(counters, "key"), names);
    ctl->aside = NULL;
    json_object_set_new(counters, "other_keys", names);
    weir_database_free(&database);
}

void weir_ctl_status_counters_print(const json_t *counters)
{
    const char *state = json_string_value(json_object_get(counters, "state"));
    const json_t *name;
    size_t i;

    if (!state)
        return;
    printf("  %-10s ", "counters");
    if (strcmp(state, "kept") != 0) {
        printf("not kept: %s\n", state);
        return;
    }
    printf("%lld addresses, domains and pairs", (long long)number(counters, "records"));
    if (number(counters, "evicted") > 0)
        printf(", %lld forgotten, for they were too many", (long long)number(counters, "evicted"));
    putchar('\n');
    if (number(counters, "waiting") > number(counters, "waiting_most") / FEW)
        printf("    %-14s %lld decisions are not yet in them, of at most %lld\n", "waiting",
               (long long)number(counters, "waiting"), (long long)number(counters, "waiting_most"));
    if (number(counters, "hurried") > 0)
        printf("    %-14s %lld times too many waited, and servers until they were in them\n",
               "hurried", (long long)number(counters, "hurried"));
    json_array_foreach(json_object_get(counters, "other_keys"), i, name)
        printf("    %-14s has another counters.key: its counters cannot be rebuilt\n",
               json_string_value(name));
}
