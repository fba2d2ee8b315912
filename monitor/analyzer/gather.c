/*
 * Wholes are found by a keyed hash in a table of chains, and stand in one of two rows besides: that
 * of their server while parts are missing, in the order they began, and that of what is to be
 * entered: wholes for their takers, and those given up of which the table of parts still has some.
 */
#include "monitor/analyzer/gather.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/chain.h"
#include "core/base/error.h"
#include "core/base/grown.h"
#include "monitor/database/database_parts_io.h"

#define SERVERS 1024 /* numbers modulo this */
#define PLACES 8192  /* of the table; a power of two */
#define PARTS_MAX ((WEIR_PART_WHOLE_MAX + WEIR_PART_OCTETS - 1) / WEIR_PART_OCTETS)

struct whole {
    struct whole *next;        /* of its place */
    struct weir_chained row;   /* of its server, or of what is done */
    uint32_t server;
    struct weir_part_of of;
    weir_time at;
    uint32_t had;              /* parts */
    bool there[PARTS_MAX], kept[PARTS_MAX]; /* kept: the database has it */
    bool any_kept, given_up;
    char *octets;              /* NULL once given up */
};

struct of_server {
    struct weir_chain missing; /* wholes of which parts are missing, the oldest first */
    size_t octets;             /* of all its wholes */
};

struct weir_gather {
    struct weir_hash_key key;
    struct weir_gather_taker taker[WEIR_GATHER_TAKERS_MAX];
    size_t takers;
    struct whole *place[PLACES];
    struct of_server server[SERVERS];
    struct weir_chain done;
    bool expired;              /* the table was looked through since the start */
    struct weir_gather_counts counts;
};

int weir_gather_new(const struct weir_hash_key *key, const struct weir_gather_taker *taker,
                    size_t takers, struct weir_gather **gather_r)
{
    struct weir_gather *gather;

    if (takers > WEIR_GATHER_TAKERS_MAX)
        return WEIR_ELIMIT;
    gather = calloc(1, sizeof *gather);
    if (!gather)
        return WEIR_ENOMEM;
    gather->key = *key;
    for (size_t i = 0; i < takers; i++)
        gather->taker[gather->takers++] = taker[i];
    *gather_r = gather;
    return 0;
}

/* Reading. ------------------------------------------------------------------ */

int weir_gather_read(struct weir_slice line, struct weir_gather_parts *parts)
{
    uint8_t buffer[WEIR_PART_OCTETS], *octet;
    struct weir_part_line part, *more;

    if (weir_part_line_read(line, buffer, &part) != 1)
        return 0;
    more = weir_grown(parts->part, parts->count, &parts->room, sizeof *more);
    if (!more)
        return WEIR_ENOMEM;
    parts->part = more;
    while (parts->octet_room < parts->octets + part.octets) {
        octet = weir_grown(parts->octet, parts->octet_room, &parts->octet_room, 1);
        if (!octet)
            return WEIR_ENOMEM;
        parts->octet = octet;
    }
    memcpy(parts->octet + parts->octets, part.octet, part.octets);
    parts->octets += part.octets;
    part.octet = NULL;
    parts->part[parts->count++] = part;
    return 1;
}

void weir_gather_parts_free(struct weir_gather_parts *parts)
{
    free(parts->part);
    free(parts->octet);
    *parts = (struct weir_gather_parts){.count = 0};
}

/* Finding. ------------------------------------------------------------------ */

static bool is_same(const struct whole *whole, uint32_t server, const struct weir_part_of *of)
{
    return whole->server == server && whole->of.uid == of->uid && whole->of.sum == of->sum &&
           whole->of.len == of->len && strcmp(whole->of.kind, of->kind) == 0;
}

/* Where a whole is told of, or would be: what points to it. */
static struct whole **find(struct weir_gather *gather, uint32_t server,
                           const struct weir_part_of *of)
{
    const uint64_t about[] = {server, of->uid, of->sum};
    struct whole **at = &gather->place[weir_hash64(&gather->key, about, sizeof about) % PLACES];

    while (*at && !is_same(*at, server, of))
        at = &(*at)->next;
    return at;
}

static struct of_server *server_of(struct weir_gather *gather, uint32_t server)
{
    return &gather->server[server % SERVERS];
}

static size_t octets_of(uint32_t len)
{
    return sizeof(struct whole) + len;
}

/* Out of the table and its row, and its octets are given back. */
static void take_out(struct weir_gather *gather, struct whole *whole)
{
    struct of_server *server = server_of(gather, whole->server);
    struct whole **at = find(gather, whole->server, &whole->of);

    if (*at == whole)
        *at = whole->next;
    weir_chain_leave(&server->missing, &whole->row);
    if (!whole->octets)
        return;
    free(whole->octets);
    whole->octets = NULL;
    server->octets -= octets_of(whole->of.len);
    gather->counts.octets -= octets_of(whole->of.len);
    gather->counts.waiting--;
}

/* What of it the database has goes with the next transaction. */
static void give_up(struct weir_gather *gather, struct whole *whole)
{
    take_out(gather, whole);
    whole->given_up = true;
    if (whole->any_kept)
        weir_chain_join(&gather->done, &whole->row, whole);
    else
        free(whole);
}

/* Room. --------------------------------------------------------------------- */

static bool is_full(const struct weir_gather *gather, const struct of_server *server, size_t octets)
{
    return server->octets + octets > WEIR_GATHER_SERVER_MAX ||
           gather->counts.octets + octets > WEIR_GATHER_MAX ||
           gather->counts.waiting >= WEIR_GATHER_WHOLES_MAX;
}

/* Of those with something to give up. */
static struct of_server *who_has_most(struct weir_gather *gather)
{
    struct of_server *most = &gather->server[0];

    for (size_t i = 1; i < SERVERS; i++)
        if (gather->server[i].missing.count > 0 &&
            (most->missing.count == 0 || gather->server[i].octets > most->octets))
            most = &gather->server[i];
    return most;
}

static bool make_room(struct weir_gather *gather, uint32_t number, size_t octets)
{
    struct of_server *server = server_of(gather, number);

    while (is_full(gather, server, octets)) {
        bool own = server->octets + octets > WEIR_GATHER_SERVER_MAX || server->missing.count > 0;
        struct whole *oldest =
            weir_chain_first(own ? &server->missing : &who_has_most(gather)->missing);

        if (!oldest)
            return false;
        gather->counts.lost++;
        give_up(gather, oldest);
    }
    return true;
}

static struct whole *begin(struct weir_gather *gather, uint32_t number,
                           const struct weir_part_of *of, weir_time at)
{
    struct of_server *server = server_of(gather, number);
    struct whole *whole, **place;

    if (!make_room(gather, number, octets_of(of->len)))
        return NULL;
    whole = calloc(1, sizeof *whole);
    if (!whole || !(whole->octets = malloc(of->len))) {
        free(whole);
        return NULL;
    }
    place = find(gather, number, of); /* some may have gone */
    whole->server = number;
    whole->of = *of;
    whole->at = at;
    whole->next = *place;
    *place = whole;
    weir_chain_join(&server->missing, &whole->row, whole);
    server->octets += octets_of(of->len);
    gather->counts.octets += octets_of(of->len);
    gather->counts.waiting++;
    return whole;
}

/* Taking. ------------------------------------------------------------------- */

static const struct weir_gather_taker *taker_of(const struct weir_gather *gather, const char *kind)
{
    for (size_t i = 0; i < gather->takers; i++)
        if (strcmp(gather->taker[i].kind, kind) == 0)
            return &gather->taker[i];
    return NULL;
}

static void finish(struct weir_gather *gather, struct whole *whole)
{
    const struct weir_slice octets = {whole->octets, whole->of.len};

    if (weir_part_sum(octets) != whole->of.sum) {
        gather->counts.wrong++;
        give_up(gather, whole);
        return;
    }
    weir_chain_leave(&server_of(gather, whole->server)->missing, &whole->row);
    weir_chain_join(&gather->done, &whole->row, whole);
}

static void take_one(struct weir_gather *gather, uint32_t server,
                     const struct weir_part_line *part, weir_time at, bool kept)
{
    struct whole *whole = *find(gather, server, &part->of);

    if (!taker_of(gather, part->of.kind)) {
        gather->counts.unknown++;
        return;
    }
    if (!whole)
        whole = begin(gather, server, &part->of, at);
    if (!whole) {
        gather->counts.lost++;
        return;
    }
    if (whole->there[part->number]) {
        gather->counts.again++;
        return;
    }
    memcpy(whole->octets + part->from, part->octet, part->octets);
    whole->there[part->number] = true;
    whole->kept[part->number] = kept;
    whole->any_kept |= kept;
    if (++whole->had == whole->of.parts)
        finish(gather, whole);
}

void weir_gather_take(struct weir_gather *gather, uint32_t server,
                      const struct weir_gather_parts *parts, weir_time now)
{
    const uint8_t *octet = parts->octet;

    for (size_t i = 0; i < parts->count; i++) {
        struct weir_part_line part = parts->part[i];

        part.octet = octet;
        octet += part.octets;
        take_one(gather, server, &part, now, false);
    }
}

void weir_gather_load(struct weir_gather *gather, uint32_t server,
                      const struct weir_part_line *part, weir_time at)
{
    take_one(gather, server, part, at, true);
}

/* Entering. ----------------------------------------------------------------- */

/* The oldest are in front, and no clock says otherwise for long. */
static void expire(struct weir_gather *gather, weir_time now)
{
    for (size_t i = 0; i < SERVERS; i++) {
        struct whole *oldest;

        while ((oldest = weir_chain_first(&gather->server[i].missing)) &&
               now - oldest->at > WEIR_GATHER_AGE) {
            gather->counts.late++;
            give_up(gather, oldest);
        }
    }
}

static int enter_done(struct weir_gather *gather, struct weir_database *database,
                      const struct whole *whole)
{
    const struct weir_gathered told = {
        .kind = whole->of.kind, .server = whole->server, .uid = whole->of.uid,
        .sum = whole->of.sum, .at = whole->at, .octets = {whole->octets, whole->of.len}};
    const struct weir_gather_taker *taker = taker_of(gather, whole->of.kind);
    int rc = whole->given_up ? 0 : taker->take(taker->context, &told);

    if (rc == 0 && whole->any_kept)
        rc = weir_database_parts_forget(database, whole->server, &whole->of);
    return rc;
}

static int keep_missing(struct weir_database *database, const struct whole *whole)
{
    struct weir_part_line part = {.of = whole->of};
    int rc = 0;

    for (part.number = 0; rc == 0 && weir_part_place(&part); part.number++) {
        if (!whole->there[part.number] || whole->kept[part.number])
            continue;
        part.octet = (const uint8_t *)whole->octets + part.from;
        rc = weir_database_part_put(database, whole->server, &part, whole->at);
    }
    return rc;
}

static int keep_rest(struct weir_gather *gather, struct weir_database *database)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < SERVERS; i++)
        for (struct whole *whole = weir_chain_first(&gather->server[i].missing);
             rc == 0 && whole; whole = weir_chain_behind(&whole->row))
            rc = keep_missing(database, whole);
    return rc;
}

int weir_gather_enter(struct weir_gather *gather, struct weir_database *database, weir_time now)
{
    int rc = 0;

    expire(gather, now);
    if (!gather->expired)
        rc = weir_database_parts_expire(database, now - WEIR_GATHER_AGE);
    for (struct whole *whole = weir_chain_first(&gather->done); rc == 0 && whole;
         whole = weir_chain_behind(&whole->row))
        rc = enter_done(gather, database, whole);
    return rc < 0 ? rc : keep_rest(gather, database);
}

void weir_gather_entered(struct weir_gather *gather, bool kept)
{
    struct whole *whole;

    if (!kept)
        return;
    gather->expired = true;
    while ((whole = weir_chain_first(&gather->done))) {
        gather->counts.taken += !whole->given_up;
        weir_chain_leave(&gather->done, &whole->row);
        take_out(gather, whole);
        free(whole);
    }
    for (size_t i = 0; i < SERVERS; i++)
        for (whole = weir_chain_first(&gather->server[i].missing); whole;
             whole = weir_chain_behind(&whole->row)) {
            memcpy(whole->kept, whole->there, sizeof whole->kept);
            whole->any_kept = true;
        }
}

/* Beside it. ---------------------------------------------------------------- */

struct weir_gather_counts weir_gather_counts(const struct weir_gather *gather)
{
    return gather->counts;
}

void weir_gather_free(struct weir_gather **gather)
{
    if (!*gather)
        return;
    for (size_t i = 0; i < SERVERS; i++)
        for (struct whole *whole; (whole = weir_chain_first(&(*gather)->server[i].missing));) {
            whole->any_kept = false;
            give_up(*gather, whole);
        }
    for (struct whole *whole; (whole = weir_chain_first(&(*gather)->done));) {
        weir_chain_leave(&(*gather)->done, &whole->row);
        take_out(*gather, whole);
        free(whole);
    }
    free(*gather);
    *gather = NULL;
}
