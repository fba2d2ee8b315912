/*
 * login_limit - a table in sets of eight places, found by a keyed hash: what is remembered is a
 * hash alone, and when a set is full, the one that failed longest ago makes room.
 *
 * A place is of an address, of a name, or of both together: the last says that this address has
 * succeeded as this name.
 */
#include "monitor/console/login_limit.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/error.h"

#define WAYS 8

enum kind { ADDRESS, NAME, BOTH };

struct place {
    uint64_t what;     /* 0: free */
    weir_time last;    /* failed, or of BOTH: succeeded */
    unsigned failed;
};

struct weir_login_limit {
    struct weir_hash_key key;
    struct place place[WEIR_LOGIN_PLACES];
};

int weir_login_limit_new(const struct weir_hash_key *key, struct weir_login_limit **limit_r)
{
    *limit_r = calloc(1, sizeof **limit_r);
    if (!*limit_r)
        return WEIR_ENOMEM;
    (*limit_r)->key = *key;
    return 0;
}

void weir_login_limit_free(struct weir_login_limit **limit)
{
    if (!limit)
        return;
    free(*limit);
    *limit = NULL;
}

/* Names are of one spelling in any case, as the database has them. */
static uint64_t hash_of(const struct weir_login_limit *limit, enum kind kind,
                        const struct weir_address *address, const char *name)
{
    struct { struct weir_address address; char name[64]; uint8_t kind; } what;
    uint64_t hash;

    memset(&what, 0, sizeof what);
    what.kind = (uint8_t)kind;
    if (kind != NAME)
        what.address = weir_address_prefix(address, 32, 64).address;
    for (size_t i = 0; kind != ADDRESS && name[i] && i < sizeof what.name; i++)
        what.name[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] | 0x20) : name[i];
    hash = weir_hash64(&limit->key, &what, sizeof what);
    return hash ? hash : 1;
}

static const struct place *find(const struct weir_login_limit *limit, uint64_t what)
{
    const struct place *set = &limit->place[what % (WEIR_LOGIN_PLACES / WAYS) * WAYS];

    for (size_t i = 0; i < WAYS; i++)
        if (set[i].what == what)
            return &set[i];
    return NULL;
}

/* The place of it, or that of who makes room for it. */
static struct place *take(struct weir_login_limit *limit, uint64_t what, weir_time now)
{
    struct place *set = &limit->place[what % (WEIR_LOGIN_PLACES / WAYS) * WAYS], *oldest = set;

    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].what == what)
            return &set[i];
        if (set[i].what == 0 || (oldest->what != 0 && set[i].last < oldest->last))
            oldest = &set[i];
    }
    *oldest = (struct place){.what = what, .last = now};
    return oldest;
}

static weir_time wait_of(const struct place *place, weir_time most, weir_time now)
{
    weir_time wait = WEIR_SECOND;

    if (!place || place->failed < WEIR_LOGIN_FREE || now - place->last >= WEIR_LOGIN_MEMORY)
        return 0;
    for (unsigned i = WEIR_LOGIN_FREE; i < place->failed && wait < most; i++)
        wait *= 2;
    wait = wait < most ? wait : most;
    return place->last + wait > now ? place->last + wait - now : 0;
}

weir_time weir_login_limit_wait(const struct weir_login_limit *limit,
                                const struct weir_address *address, const char *name,
                                weir_time now)
{
    const struct place *known = find(limit, hash_of(limit, BOTH, address, name));
    weir_time own = wait_of(find(limit, hash_of(limit, ADDRESS, address, name)),
                            WEIR_LOGIN_WAIT_MOST, now), other = 0;

    if (!known)
        other = wait_of(find(limit, hash_of(limit, NAME, address, name)), WEIR_LOGIN_NAME_WAIT,
                        now);
    return own > other ? own : other;
}

static void count(struct weir_login_limit *limit, uint64_t what, weir_time now)
{
    struct place *place = take(limit, what, now);

    if (now - place->last >= WEIR_LOGIN_MEMORY)
        place->failed = 0;
    place->failed += place->failed < 64;
    place->last = now;
}

void weir_login_limit_failed(struct weir_login_limit *limit, const struct weir_address *address,
                             const char *name, weir_time now)
{
    count(limit, hash_of(limit, ADDRESS, address, name), now);
    count(limit, hash_of(limit, NAME, address, name), now);
}

void weir_login_limit_succeeded(struct weir_login_limit *limit,
                                const struct weir_address *address, const char *name,
                                weir_time now)
{
    static const enum kind ended[] = {ADDRESS, NAME};

    for (size_t i = 0; i < 2; i++) {
        const struct place *place = find(limit, hash_of(limit, ended[i], address, name));

        if (place)
            limit->place[place - limit->place].what = 0;
    }
    take(limit, hash_of(limit, BOTH, address, name), now)->last = now;
}
