/*
 * One array, found by an index with open addressing that is at most half full.
 */
#include "monitor/analyzer/hit_servers.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/limits.h"

enum { FIRST = 1024 };

struct weir_hit_servers {
    struct weir_hash_key key;
    struct weir_hit_server *row;
    size_t rows, room;      /* the index has twice as many places */
    size_t rests;           /* rows of WEIR_HIT_SERVERS_REST */
    uint32_t *index;        /* number of a row + 1; 0: none */
};

static uint32_t *place_of(const struct weir_hit_servers *servers, uint32_t rule, uint32_t server)
{
    const uint32_t pair[2] = {rule, server};
    size_t mask = 2 * servers->room - 1;
    size_t at = (size_t)weir_hash64(&servers->key, pair, sizeof pair) & mask;

    for (; servers->index[at] != 0; at = (at + 1) & mask) {
        const struct weir_hit_server *row = &servers->row[servers->index[at] - 1];

        if (row->rule == rule && row->server == server)
            break;
    }
    return &servers->index[at];
}

/* Arrays of another size, a power of 2; what is there is found again. */
static int resize(struct weir_hit_servers *servers, size_t room)
{
    struct weir_hit_server *row = malloc(room * sizeof *row);
    uint32_t *index = calloc(2 * room, sizeof *index);

    if (!row || !index) {
        free(row);
        free(index);
        return WEIR_ENOMEM;
    }
    if (servers->rows > 0)
        memcpy(row, servers->row, servers->rows * sizeof *row);
    free(servers->row);
    free(servers->index);
    servers->row = row;
    servers->index = index;
    servers->room = room;
    for (size_t i = 0; i < servers->rows; i++)
        *place_of(servers, row[i].rule, row[i].server) = (uint32_t)i + 1;
    return 0;
}

int weir_hit_servers_new(const struct weir_hash_key *key, struct weir_hit_servers **servers_r)
{
    struct weir_hit_servers *servers = calloc(1, sizeof *servers);
    int rc = servers ? resize(servers, FIRST) : WEIR_ENOMEM;

    if (rc < 0) {
        weir_hit_servers_free(&servers);
        return rc;
    }
    servers->key = *key;
    *servers_r = servers;
    return 0;
}

void weir_hit_servers_free(struct weir_hit_servers **servers)
{
    if (!*servers)
        return;
    free((*servers)->row);
    free((*servers)->index);
    free(*servers);
    *servers = NULL;
}

int weir_hit_servers_room(struct weir_hit_servers *servers, size_t more)
{
    size_t room = servers->room;

    while (room < servers->rows + more)
        room *= 2;
    return room > servers->room ? resize(servers, room) : 0;
}

/* A new one, into the ring of the rule's others. */
static struct weir_hit_server *add(struct weir_hit_servers *servers, uint32_t rule,
                                   uint32_t server, uint32_t *place, uint32_t *hint)
{
    uint32_t own = (uint32_t)servers->rows, next = own;

    if (*hint > 0) {
        next = servers->row[*hint - 1].next;
        servers->row[*hint - 1].next = own;
    }
    servers->row[own] = (struct weir_hit_server){.rule = rule, .server = server, .next = next};
    servers->rows++;
    servers->rests += server == WEIR_HIT_SERVERS_REST;
    *place = *hint = own + 1;
    return &servers->row[own];
}

struct weir_hit_server *weir_hit_servers_find(struct weir_hit_servers *servers, uint32_t rule,
                                              uint32_t server, uint32_t *hint)
{
    struct weir_hit_server *row = *hint > 0 ? &servers->row[*hint - 1] : NULL;
    uint32_t place;

    if (!row || row->server == server)
        return row;
    place = *place_of(servers, rule, server);
    if (place == 0)
        return NULL;
    *hint = place;
    return &servers->row[place - 1];
}

struct weir_hit_server *weir_hit_servers_of(struct weir_hit_servers *servers, uint32_t rule,
                                            uint32_t server, uint32_t *hint)
{
    struct weir_hit_server *row = weir_hit_servers_find(servers, rule, server, hint);
    uint32_t *place;

    if (row)
        return row;
    if (servers->rows - servers->rests >= WEIR_HIT_SERVERS_MAX && server != WEIR_HIT_SERVERS_REST)
        return weir_hit_servers_of(servers, rule, WEIR_HIT_SERVERS_REST, hint);
    place = place_of(servers, rule, server);
    return add(servers, rule, server, place, hint);
}

void weir_hit_servers_renew(struct weir_hit_servers *servers, uint32_t hint)
{
    uint32_t at = hint - 1;

    if (hint == 0)
        return;
    do {
        servers->row[at].decayed = (struct weir_score_counts){0, 0};
        servers->row[at].changed = true;
        at = servers->row[at].next;
    } while (at != hint - 1);
}

void weir_hit_servers_scale(struct weir_hit_servers *servers, double by)
{
    for (size_t i = 0; i < servers->rows; i++) {
        servers->row[i].decayed.spam *= by;
        servers->row[i].decayed.ham *= by;
    }
}

void weir_hit_servers_touch(struct weir_hit_servers *servers)
{
    for (size_t i = 0; i < servers->rows; i++)
        servers->row[i].changed = true;
}

const struct weir_hit_server *weir_hit_servers_get(const struct weir_hit_servers *servers,
                                                   size_t number)
{
    return number < servers->rows ? &servers->row[number] : NULL;
}

void weir_hit_servers_kept(struct weir_hit_servers *servers)
{
    for (size_t i = 0; i < servers->rows; i++)
        servers->row[i].changed = false;
}
