/*
 * ctl_servers - servers read from the database, and waited for.
 *
 * Whoever is blind is not waited for: it will be told when it is back, and that is said.
 */
#include "monitor/ctl/ctl_servers.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/ctl/ctl_monitor_io.h"
#include "monitor/database/database_decisions_io.h"

#define WAIT_MOST (5 * WEIR_SECOND)
#define WAIT_STEP (WEIR_SECOND / 10)

struct reading {
    struct weir_ctl_servers *servers;
    weir_time now, silence;
};

static int take(void *context, const struct weir_server *server)
{
    struct reading *reading = context;
    struct weir_ctl_servers *servers = reading->servers;
    struct weir_ctl_server *more =
        realloc(servers->one, (servers->count + 1) * sizeof *servers->one);

    if (!more)
        return WEIR_ENOMEM;
    servers->one = more;
    more += servers->count++;
    *more = (struct weir_ctl_server){.server = *server, .state = weir_view_server_state(
                                         server, reading->now, reading->silence)};
    more->server.health = NULL;
    more->health = weir_view_server_health(server);
    return 0;
}

int weir_ctl_servers_read(struct weir_ctl *ctl, struct weir_database *database,
                          struct weir_ctl_servers *servers_r)
{
    struct reading reading = {servers_r, weir_ctl_now(), ctl->config.monitor_silence};
    int rc;

    *servers_r = (struct weir_ctl_servers){0};
    rc = weir_database_servers(database, take, &reading);
    if (rc >= 0)
        rc = weir_database_generation(database, &servers_r->newest);
    return weir_ctl_monitor_read(ctl, database, rc);
}

void weir_ctl_servers_free(struct weir_ctl_servers *servers)
{
    for (size_t i = 0; i < servers->count; i++)
        json_decref(servers->one[i].health);
    free(servers->one);
    *servers = (struct weir_ctl_servers){0};
}

const char *weir_ctl_server_name(const struct weir_ctl_servers *servers, uint32_t number)
{
    for (size_t i = 0; i < servers->count; i++)
        if (servers->one[i].server.number == number)
            return servers->one[i].server.name;
    return "";
}

/* Waiting. -------------------------------------------------------------------------- */

/* Why an entry does not decide on a server, as its agent says; NULL: it does. */
static const char *overruled(const struct weir_ctl_server *one, const char *entry)
{
    static const struct {
        const char *by, *why;
    } words[] = {{"never", "its never-list forbids it"},
                 {"accept", "its acceptable list comes first"},
                 {"own", "an entry of its own stands there"}};
    size_t i, len = entry ? strlen(entry) : 0;
    const json_t *line;

    json_array_foreach(json_object_get(one->health, "overruled"), i, line) {
        const char *text = json_string_value(line);

        if (len == 0 || !text || strncmp(text, entry, len) != 0 || text[len] != ' ')
            continue;
        for (size_t j = 0; j < sizeof words / sizeof words[0]; j++)
            if (strcmp(text + len + 1, words[j].by) == 0)
                return words[j].why;
        return "its lists refuse it";
    }
    return NULL;
}

/* Whether its agent has said what became of a generation; older agents never do. */
static bool has_told(const struct weir_ctl_server *one, uint64_t generation)
{
    json_int_t told = json_integer_value(json_object_get(one->health, "generation"));

    return !json_object_get(one->health, "overruled") || told >= (json_int_t)generation;
}

/* Who has a generation and who lacks it; how many that are heard of are to be waited for. */
static size_t sort_out(const struct weir_ctl_servers *servers, uint64_t generation,
                       const char *entry, json_t *who)
{
    json_t *have = json_array(), *lack = json_array(), *not = json_array();
    json_t *observe = json_array();
    size_t waiting = 0;

    for (size_t i = 0; i < servers->count; i++) {
        const struct weir_ctl_server *one = &servers->one[i];
        const char *name = one->server.name, *why = overruled(one, entry);
        bool has = one->server.generation >= generation;

        if (one->state == WEIR_VIEW_SERVER_REVOKED)
            continue;
        if (has && why)
            json_array_append_new(not, json_pack("{s:s, s:s}", "server", name, "why", why));
        else
            json_array_append_new(has ? have : lack, json_string(name));
        if (entry && has && !why && json_is_true(json_object_get(one->health, "observes")))
            json_array_append_new(observe, json_string(name));
        waiting += !(has && has_told(one, generation)) && one->state == WEIR_VIEW_SERVER_SEEN;
    }
    json_object_set_new(who, "have", have);
    json_object_set_new(who, "lack", lack);
    json_object_set_new(who, "not", not);
    json_object_set_new(who, "observe", observe);
    return waiting;
}

int weir_ctl_servers_await(struct weir_ctl *ctl, const char *entry, json_t **who_r)
{
    struct weir_ctl_servers servers = {0};
    struct weir_database *database = NULL;
    weir_time until = weir_ctl_now() + WAIT_MOST;
    json_t *who = json_object();
    uint64_t generation = 0;
    int code = weir_ctl_monitor_database(ctl, &database);

    while (code == 0) {
        code = weir_ctl_servers_read(ctl, database, &servers);
        if (generation == 0)
            generation = servers.newest;
        size_t waiting = sort_out(&servers, generation, entry, who);
        weir_ctl_servers_free(&servers);
        if (waiting == 0 || weir_ctl_now() >= until)
            break;
        weir_ctl_wait(WAIT_STEP);
    }
    weir_database_free(&database);
    if (code == 0)
        *who_r = who;
    else
        json_decref(who);
    return code;
}

static void print_names(const json_t *names)
{
    const json_t *name;
    size_t i;

    json_array_foreach(names, i, name)
        printf("%s %s", i > 0 ? "," : "", json_string_value(name));
}

void weir_ctl_servers_tell(const json_t *who, const char *what)
{
    const json_t *have = json_object_get(who, "have"), *lack = json_object_get(who, "lack");
    const json_t *not = json_object_get(who, "not"), *one;
    const json_t *observe = json_object_get(who, "observe");
    size_t i;

    if (json_array_size(have) + json_array_size(lack) + json_array_size(not) == 0) {
        puts("there are no servers yet");
        return;
    }
    printf("%s:", what);
    print_names(have);
    puts(json_array_size(have) == 0 ? " no server yet" : "");
    json_array_foreach(not, i, one)
        printf("not on %s: %s\n", json_string_value(json_object_get(one, "server")),
               json_string_value(json_object_get(one, "why")));
    if (json_array_size(observe) > 0) {
        printf("only observed, since [weir] mode is so there:");
        print_names(observe);
        putchar('\n');
    }
    if (json_array_size(lack) > 0) {
        printf("not yet, and as soon as they are heard of again:");
        print_names(lack);
        putchar('\n');
    }
}
