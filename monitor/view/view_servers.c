/*
 * view_servers - mail servers: their state as of a time, their health, as JSON.
 */
#include "monitor/view/view_servers.h"

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

json_t *weir_view_server(const struct weir_server *server, enum weir_view_server_state state,
                         json_t *health, uint64_t newest)
{
    return json_pack("{s:s, s:I, s:s, s:o, s:o, s:o, s:I, s:I, s:o}", "name", server->name,
                     "number", (json_int_t)server->number, "state",
                     weir_view_server_state_name(state), "added", weir_view_time(server->added),
                     "revoked", weir_view_time(server->revoked), "last_seen",
                     weir_view_time(server->last_seen), "generation",
                     (json_int_t)server->generation, "newest", (json_int_t)newest, "health",
                     health ? json_incref(health) : json_null());
}
