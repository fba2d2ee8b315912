/*
 * The accounts are rows of pairs.h: rule and server.
 */
#include "monitor/analyzer/hit_servers.h"

#include <stdlib.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "monitor/analyzer/pairs.h"

struct weir_hit_servers {
    struct weir_pairs *rows;
    size_t rests;           /* rows of WEIR_HIT_SERVERS_REST */
};

int weir_hit_servers_new(const struct weir_hash_key *key, struct weir_hit_servers **servers_r)
{
    struct weir_hit_servers *servers = calloc(1, sizeof *servers);
    int rc = servers ? weir_pairs_new(key, sizeof(struct weir_hit_server), &servers->rows)
                     : WEIR_ENOMEM;

    if (rc < 0) {
        weir_hit_servers_free(&servers);
        return rc;
    }
    *servers_r = servers;
    return 0;
}

void weir_hit_servers_free(struct weir_hit_servers **servers)
{
    if (!*servers)
        return;
    weir_pairs_free(&(*servers)->rows);
    free(*servers);
    *servers = NULL;
}

int weir_hit_servers_room(struct weir_hit_servers *servers, size_t more)
{
    return weir_pairs_room(servers->rows, more);
}

static struct weir_hit_server *row_at(const struct weir_hit_servers *servers, uint32_t number)
{
    return weir_pairs_at(servers->rows, number);
}

/* A new one, into the ring of the rule's others. */
static struct weir_hit_server *add(struct weir_hit_servers *servers, uint32_t rule,
                                   uint32_t server, uint32_t *hint)
{
    struct weir_hit_server *row = weir_pairs_add(servers->rows, rule, server);
    uint32_t own = (uint32_t)weir_pairs_number(servers->rows, row);

    row->next = own;
    if (*hint > 0) {
        row->next = row_at(servers, *hint - 1)->next;
        row_at(servers, *hint - 1)->next = own;
    }
    servers->rests += server == WEIR_HIT_SERVERS_REST;
    *hint = own + 1;
    return row;
}

struct weir_hit_server *weir_hit_servers_find(struct weir_hit_servers *servers, uint32_t rule,
                                              uint32_t server, uint32_t *hint)
{
    struct weir_hit_server *row = *hint > 0 ? row_at(servers, *hint - 1) : NULL;

    if (!row || row->server == server)
        return row;
    row = weir_pairs_find(servers->rows, rule, server);
    if (row)
        *hint = (uint32_t)weir_pairs_number(servers->rows, row) + 1;
    return row;
}

struct weir_hit_server *weir_hit_servers_of(struct weir_hit_servers *servers, uint32_t rule,
                                            uint32_t server, uint32_t *hint)
{
    struct weir_hit_server *row = weir_hit_servers_find(servers, rule, server, hint);

    if (row)
        return row;
    if (server != WEIR_HIT_SERVERS_REST &&
        weir_pairs_count(servers->rows) - servers->rests >= WEIR_HIT_SERVERS_MAX)
        return weir_hit_servers_of(servers, rule, WEIR_HIT_SERVERS_REST, hint);
    return add(servers, rule, server, hint);
}

void weir_hit_servers_renew(struct weir_hit_servers *servers, uint32_t hint)
{
    uint32_t at = hint - 1;

    if (hint == 0)
        return;
    do {
        struct weir_hit_server *row = row_at(servers, at);

        row->decayed = (struct weir_score_counts){0, 0};
        row->changed = true;
        at = row->next;
    } while (at != hint - 1);
}

void weir_hit_servers_scale(struct weir_hit_servers *servers, double by)
{
    struct weir_hit_server *row;

    for (uint32_t i = 0; (row = row_at(servers, i)) != NULL; i++) {
        row->decayed.spam *= by;
        row->decayed.ham *= by;
    }
}

void weir_hit_servers_touch(struct weir_hit_servers *servers)
{
    struct weir_hit_server *row;

    for (uint32_t i = 0; (row = row_at(servers, i)) != NULL; i++)
        row->changed = true;
}

const struct weir_hit_server *weir_hit_servers_get(const struct weir_hit_servers *servers,
                                                   size_t number)
{
    return weir_pairs_at(servers->rows, number);
}

void weir_hit_servers_kept(struct weir_hit_servers *servers)
{
    struct weir_hit_server *row;

    for (uint32_t i = 0; (row = row_at(servers, i)) != NULL; i++)
        row->changed = false;
}
