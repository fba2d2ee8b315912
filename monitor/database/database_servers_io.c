/*
 * The table of servers.  Secrets come here as hashes only; who compares them does so with
 * weir_secret_is().
 */
#include "monitor/database/database_servers_io.h"

#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "monitor/database/database_impl.h"

#define COLUMNS "number, name, secret_hash, added, revoked, instance, last_seen, generation, health"

int weir_database_server_add(struct weir_database *database, const char *name,
                             const uint8_t secret_hash[static WEIR_SECRET_HASH], weir_time now,
                             uint32_t *number_r)
{
    struct weir_query q = weir_query(database, "INSERT INTO servers (name, secret_hash, added) "
        "VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET secret_hash = excluded.secret_hash, "
        "added = excluded.added, revoked = 0, instance = x'' WHERE revoked <> 0 "
        "RETURNING number");
    uint32_t number = 0;
    int rc, found;

    if (!weir_server_name_fit(weir_slice_of(name)))
        return weir_database_fail(database, WEIR_EINVAL, "not a name of a server");
    weir_bind_text(&q, name);
    weir_bind_octets(&q, secret_hash, WEIR_SECRET_HASH);
    weir_bind_number(&q, now);
    found = weir_query_row(&q);
    if (found == 1) {
        number = (uint32_t)weir_column_number(&q);
        (void)weir_query_row(&q); /* to its end: only then it is done */
    }
    rc = weir_query_end(&q);
    if (rc == 0 && found == 0)
        return weir_database_fail(database, WEIR_EINVAL, "there is a server of this name");
    if (rc == 0)
        *number_r = number;
    return rc;
}

int weir_database_server_revoke(struct weir_database *database, const char *name, weir_time now)
{
    struct weir_query q = weir_query(database, "UPDATE servers SET revoked = ?, instance = x'' "
                                     "WHERE name = ? AND revoked = 0");

    weir_bind_number(&q, now);
    weir_bind_text(&q, name);
    return weir_query_change(&q);
}

static void column_server(struct weir_query *q, struct weir_server *server)
{
    server->number = (uint32_t)weir_column_number(q);
    snprintf(server->name, sizeof server->name, "%s", weir_column_text(q));
    weir_column_octets(q, server->secret_hash, sizeof server->secret_hash);
    server->added = weir_column_number(q);
    server->revoked = weir_column_number(q);
    server->has_instance = weir_column_octets(q, server->instance, sizeof server->instance);
    server->last_seen = weir_column_number(q);
    server->generation = (uint64_t)weir_column_number(q);
    server->health = weir_column_text(q);
}

int weir_database_server_find(struct weir_database *database, const char *name,
                              struct weir_server *server_r)
{
    struct weir_query q = weir_query(database, "SELECT " COLUMNS " FROM servers WHERE name = ?");
    struct weir_server server = {.number = 0};
    int found, rc;

    weir_bind_text(&q, name);
    found = weir_query_row(&q);
    if (found == 1)
        column_server(&q, &server);
    server.health = "";
    rc = weir_query_end(&q);
    if (rc == 0 && found == 1)
        *server_r = server;
    return rc < 0 ? rc : found;
}

int weir_database_servers(struct weir_database *database,
                          int (*row)(void *context, const struct weir_server *server),
                          void *context)
{
    struct weir_query q = weir_query(database, "SELECT " COLUMNS " FROM servers ORDER BY name");
    int calls = 0, stop = 0;

    while (stop == 0 && weir_query_row(&q) == 1) {
        struct weir_server server = {.number = 0};

        column_server(&q, &server);
        stop = row(context, &server);
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}

int weir_database_servers_rebase(struct weir_database *database, weir_time now)
{
    struct weir_query q = weir_query(database, "UPDATE servers SET last_seen = ?1 "
                                     "WHERE last_seen > ?1");

    weir_bind_number(&q, now);
    return weir_query_change(&q);
}

/* One statement, so that of two that come at once one is let in. */
int weir_database_server_lease(struct weir_database *database, uint32_t number,
                               const uint8_t instance[static WEIR_INSTANCE],
                               const uint8_t *previous, weir_time now, weir_time silence)
{
    struct weir_query q = weir_query(database, "UPDATE servers SET instance = ?1, last_seen = ?2 "
        "WHERE number = ?3 AND revoked = 0 AND (instance IN (x'', ?1) OR instance = ?4 "
        "OR last_seen <= ?5)");

    weir_bind_octets(&q, instance, WEIR_INSTANCE);
    weir_bind_number(&q, now);
    weir_bind_number(&q, number);
    if (previous)
        weir_bind_octets(&q, previous, WEIR_INSTANCE);
    else
        weir_bind_null(&q);
    weir_bind_number(&q, now - silence);
    return weir_query_change(&q);
}

int weir_database_server_seen(struct weir_database *database, uint32_t number, weir_time now,
                              uint64_t generation, const char *health)
{
    struct weir_query q = weir_query(database, "UPDATE servers SET "
        "last_seen = max(last_seen, ?), generation = ?, health = coalesce(?, health) "
        "WHERE number = ?");

    if (health && strlen(health) > WEIR_SERVER_HEALTH_MAX)
        return weir_database_fail(database, WEIR_ELIMIT, "too long a text about its health");
    weir_bind_number(&q, now);
    weir_bind_number(&q, (int64_t)generation);
    if (health)
        weir_bind_text(&q, health);
    else
        weir_bind_null(&q);
    weir_bind_number(&q, number);
    return weir_query_run(&q);
}
