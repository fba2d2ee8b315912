/*
 * view_servers - mail servers: their state as of a time, their health, as JSON.
 */
#include "monitor/view/view_servers.h"

#include <stdio.h>

enum weir_view_server_state weir_view_server_state(const struct weir_server *server,
                                                   weir_time now, weir_time silence)
{
    if (server->revoked != 0)
        return WEIR_VIEW_SERVER_REVOKED;
    if (server->last_seen == 0)
        return WEIR_VIEW_SERVER_NEW;
    return now - server->last_seen > silence ? WEIR_VIEW_SERVER_BLIND : WEIR_VIEW_SERVER_SEEN;
}

const char *weir_view_server_state_name(enum weir_view_server_state state)
{
    static const char *const names[] = {"seen", "blind", "new", "revoked"};

    return names[state];
}

json_t *weir_view_server_health(const struct weir_server *server)
{
    json_t *health = json_loads(server->health, 0, NULL);

    if (json_is_object(health))
        return health;
    json_decref(health);
    return NULL;
}

/* Numbers that are to be 0. ------------------------------------------------------------ */

struct trouble {
    const char *name, *what, *why;
};

/* The next one that a server that is heard of has some of, and how much; NULL: there is none. */
static const struct trouble *next_trouble(enum weir_view_server_state state, const json_t *told,
                                          const struct trouble *trouble, size_t troubles,
                                          size_t *at, json_int_t *count_r)
{
    while (*at < troubles && state == WEIR_VIEW_SERVER_SEEN) {
        const struct trouble *next = &trouble[(*at)++];

        *count_r = json_integer_value(json_object_get(told, next->name));
        if (*count_r > 0)
            return next;
    }
    return NULL;
}

bool weir_view_server_sniffer(enum weir_view_server_state state, const json_t *health, size_t *at,
                              char text_r[static WEIR_VIEW_SERVER_TEXT], const char **why_r)
{
    static const struct trouble troubles[] = {
        {"kernel_dropped", "packets lost",
         "it has too little time, or [sniffer] buffer is too small"},
        {"gaps", "gaps in what it heard", "not every packet comes to it"},
        {"spool_dropped", "lines not written", "its spool is full, or cannot be written"},
        {"forged", "segments that contradicted others",
         "somebody may try to hide mail from it; its log names him"},
        {"odd", "replies that did not fit",
         "somebody may try to hide mail from it; its log names him"},
        {"unproven", "connections heard from one side only",
         "forged packets, or [sniffer] interface has one direction of the traffic alone"},
    };
    json_int_t count;
    const struct trouble *next = next_trouble(state, json_object_get(health, "sniffer"), troubles,
                                              sizeof troubles / sizeof troubles[0], at, &count);

    if (!next)
        return false;
    snprintf(text_r, WEIR_VIEW_SERVER_TEXT, "%lld %s", (long long)count, next->what);
    *why_r = next->why;
    return true;
}

bool weir_view_server_disbelief(enum weir_view_server_state state, const json_t *health,
                                size_t *at, char text_r[static WEIR_VIEW_SERVER_TEXT],
                                const char **why_r)
{
    static const struct trouble troubles[] = {
        {"unknown-key", "signed with a key the monitor has not",
         "[info] key_file there has to be the monitor's: copy it one way, and start again what "
         "uses it"},
        {"bad", "damaged or forged",
         "compare [info] key_file there with the monitor's; or somebody writes into its spool"},
        {"foreign", "another server's",
         "[info] server there has to be 0, or its number in weirctl server list; or another "
         "server's records were copied there"},
    };
    static const char *const all[] = {"good", "unknown-key", "bad", "foreign"};
    const json_t *told = json_object_get(health, "decisions");
    json_int_t count, sum = 0;
    const struct trouble *next = next_trouble(state, told, troubles,
                                              sizeof troubles / sizeof troubles[0], at, &count);

    if (!next)
        return false;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        sum += json_integer_value(json_object_get(told, all[i]));
    snprintf(text_r, WEIR_VIEW_SERVER_TEXT, "%lld of %lld decisions in the last hour are %s",
             (long long)count, (long long)sum, next->what);
    *why_r = next->why;
    return true;
}

bool weir_view_server_refuses(enum weir_view_server_state state, const json_t *health,
                              char text_r[static WEIR_VIEW_SERVER_TEXT])
{
    json_int_t serial = json_integer_value(
        json_object_get(json_object_get(health, "rules"), "refused"));

    snprintf(text_r, WEIR_VIEW_SERVER_TEXT, "refuses rule set %lld", (long long)serial);
    return serial > 0 && state != WEIR_VIEW_SERVER_REVOKED;
}

/* One server. -------------------------------------------------------------------------- */

/* Takes the text. */
static void trouble(json_t *troubles, json_t *text, const char *why)
{
    json_array_append_new(troubles, json_pack("{s:o, s:s}", "text", text, "why", why));
}

/* What its agent, its lists and its rules lack. */
static void add_own(json_t *troubles, enum weir_view_server_state state, const json_t *health)
{
    static const struct trouble seconds[] = {
        {"lists_unset", "its lists cannot be changed for", "its agent's log says why"},
        {"spool_unread", "its spool cannot be read for", "its agent's log says why"},
        {"sniffer_silent", "its sniffer is silent for", "it does not run, or cannot write"},
    };
    /* what cannot be read is counted as silent, too */
    size_t kinds = json_integer_value(json_object_get(health, "spool_unread")) > 0 ? 2 : 3;
    const json_t *rules = json_object_get(health, "rules");
    const char *why = json_string_value(json_object_get(rules, "why"));
    char text[WEIR_VIEW_SERVER_TEXT];
    json_int_t number;
    size_t at = 0;

    if (state == WEIR_VIEW_SERVER_BLIND)
        trouble(troubles, json_string("nothing is heard of its agent"),
                "it does not run, or does not come through");
    if (state == WEIR_VIEW_SERVER_NEW)
        trouble(troubles, json_string("its agent was never there"), "carry its identity to it");
    if (weir_view_server_refuses(state, health, text))
        trouble(troubles, json_sprintf("it %s", text), why ? why : "its agent's log says why");
    if (json_is_true(json_object_get(health, "observes")) && state == WEIR_VIEW_SERVER_SEEN)
        trouble(troubles, json_string("it only observes, and refuses nothing"),
                "[weir] mode is observe there");
    for (const struct trouble *one;
         (one = next_trouble(state, health, seconds, kinds, &at, &number));)
        trouble(troubles, json_sprintf("%s %lld s", one->what, (long long)number), one->why);
}

static json_t *troubles_of(enum weir_view_server_state state, const json_t *health, bool old)
{
    json_t *troubles = json_array();
    char text[WEIR_VIEW_SERVER_TEXT];
    const char *why;
    size_t at = 0;

    add_own(troubles, state, health);
    if (old && state == WEIR_VIEW_SERVER_SEEN)
        trouble(troubles, json_string("it has not taken the newest lists yet"),
                "it will within seconds; else its agent's log says why");
    while (weir_view_server_sniffer(state, health, &at, text, &why))
        trouble(troubles, json_sprintf("its sniffer: %s", text), why);
    for (at = 0; weir_view_server_disbelief(state, health, &at, text, &why);)
        trouble(troubles, json_string(text), why);
    return troubles;
}

json_t *weir_view_server(const struct weir_server *server, enum weir_view_server_state state,
                         json_t *health, uint64_t newest)
{
    return json_pack("{s:s, s:I, s:s, s:o, s:o, s:o, s:I, s:I, s:o, s:o}", "name", server->name,
                     "number", (json_int_t)server->number, "state",
                     weir_view_server_state_name(state), "added", weir_view_time(server->added),
                     "revoked", weir_view_time(server->revoked), "last_seen",
                     weir_view_time(server->last_seen), "generation",
                     (json_int_t)server->generation, "newest", (json_int_t)newest, "health",
                     health ? json_incref(health) : json_null(), "troubles",
                     troubles_of(state, health, server->generation < newest));
}
