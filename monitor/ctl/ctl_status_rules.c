/*
 * ctl_status_rules - what agents say of their rule sets, beside what was published.
 *
 * A server that is heard of has a minute to come for a new set before that is a problem.
 */
#include "monitor/ctl/ctl_status_rules.h"

#include <string.h>

#include "monitor/ctl/ctl_monitor_io.h"
#include "monitor/ctl/ctl_output.h"
#include "monitor/ctl/ctl_servers.h"
#include "monitor/database/database_sets_io.h"

#define PATIENCE WEIR_MINUTE

struct newest {
    uint32_t serial;
    weir_time made;
    bool held; /* a person put an older one in its place: no run publishes until another does */
    uint32_t last; /* serial that was given; newer: the database was lost, or is an old copy */
};

static int take(void *context, const struct weir_kept_set *set)
{
    struct newest *newest = context;

    newest->serial = set->serial;
    newest->made = set->made;
    newest->held = strncmp(set->what, WEIR_SET_ROLLBACK, strlen(WEIR_SET_ROLLBACK)) == 0;
    return 0;
}

static void add_lost(json_t *problems, const struct newest *newest)
{
    if (newest->last > newest->serial)
        json_array_append_new(problems, json_sprintf(
            "rule set %u was published, and the monitor's database knows none newer than %u: it "
            "was made anew, or is an old copy; see that the rulebook is as it should be, then "
            "weirctl publish: servers will get set %u", (unsigned)newest->last,
            (unsigned)newest->serial, (unsigned)newest->last + 1));
}

/* 1, 0 when there is nothing to tell, or an error. */
static int read_newest(struct weir_database *database, struct newest *newest)
{
    int rc = weir_database_set_last(database, &newest->last);

    rc = rc < 0 ? rc : weir_database_set(database, 0, take, newest);
    return rc < 0 ? rc : rc == 1 || newest->last > 0;
}

static json_int_t said(const struct weir_ctl_server *one, const char *name)
{
    return json_integer_value(json_object_get(json_object_get(one->health, "rules"), name));
}

static void add_problem(json_t *problems, const struct weir_ctl_server *one, const char *why,
                        const struct newest *newest)
{
    const char *name = one->server.name;
    long long refused = said(one, "refused"), serial = said(one, "serial");

    if (one->state != WEIR_VIEW_SERVER_SEEN)
        return; /* blind ones are told of anyhow */
    if (refused > 0)
        json_array_append_new(problems, json_sprintf(
            "%s refused rule set %lld and works with %lld: %s", name, refused, serial, why));
    else if (serial < (long long)newest->serial && weir_ctl_now() - newest->made > PATIENCE)
        json_array_append_new(problems, json_sprintf(
            "%s works with rule set %lld, and %u was published at least a minute ago", name, serial,
            (unsigned)newest->serial));
}

static json_t *one_server(const struct weir_ctl_server *one, const char *why)
{
    return json_pack("{s:s, s:s, s:I, s:o, s:I, s:o}", "server", one->server.name, "state",
                     weir_view_server_state_name(one->state), "serial", said(one, "serial"),
                     "since", weir_ctl_json_time(said(one, "since") * WEIR_SECOND), "refused",
                     said(one, "refused"), "why", weir_ctl_json_text(why, strlen(why)));
}

static json_t *all_servers(const struct weir_ctl_servers *servers, const struct newest *newest,
                           json_t *problems)
{
    json_t *all = json_array();

    for (size_t i = 0; i < servers->count; i++) {
        const struct weir_ctl_server *one = &servers->one[i];
        const char *why = json_string_value(
            json_object_get(json_object_get(one->health, "rules"), "why"));

        if (one->state == WEIR_VIEW_SERVER_REVOKED)
            continue;
        json_array_append_new(all, one_server(one, why ? why : ""));
        add_problem(problems, one, why ? why : "", newest);
    }
    return all;
}

json_t *weir_ctl_status_rules(struct weir_ctl *ctl, json_t *problems)
{
    struct weir_ctl_servers servers = {0};
    struct weir_database *database = NULL;
    struct newest newest = {.serial = 0};
    char aside[WEIR_CTL_NOTE];
    json_t *rules = json_null();

    ctl->aside = aside;
    if (weir_ctl_monitor_database(ctl, &database) == 0 &&
        read_newest(database, &newest) == 1 &&
        weir_ctl_servers_read(ctl, database, &servers) == 0) {
        rules = json_pack("{s:I, s:I, s:b, s:o, s:o}", "newest", (json_int_t)newest.serial, "last",
                          (json_int_t)newest.last, "held", newest.held, "made",
                          weir_ctl_json_time(newest.made), "servers",
                          all_servers(&servers, &newest, problems));
        add_lost(problems, &newest);
    }
    ctl->aside = NULL;
    weir_ctl_servers_free(&servers);
    weir_database_free(&database);
    return rules;
}

static const char *word(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "-";
}

static long long number(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

void weir_ctl_status_rules_print(const json_t *rules)
{
    const json_t *one;
    size_t i;

    if (!json_is_object(rules))
        return;
    if (number(rules, "newest") > 0)
        printf("  %-10s set %lld is the newest, of %s\n", "rules", number(rules, "newest"),
               word(rules, "made"));
    else
        printf("  %-10s none is in the database\n", "rules");
    if (json_is_true(json_object_get(rules, "held")))
        printf("    %-14s that was a rollback: nothing is published by schedule before weirctl "
               "publish\n", "held");
    json_array_foreach(json_object_get(rules, "servers"), i, one) {
        if (number(one, "serial") > 0)
            printf("    %-14s set %lld since %s", word(one, "server"), number(one, "serial"),
                   word(one, "since"));
        else
            printf("    %-14s none", word(one, "server"));
        if (number(one, "refused") > 0)
            printf("; refused %lld: %s", number(one, "refused"), word(one, "why"));
        putchar('\n');
    }
}
