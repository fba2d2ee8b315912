/*
 * login_limit - a table in sets of eight places, found by a keyed hash: what is remembered is a
 * hash alone, and when a set is full, the one that failed longest ago makes room.
 *
 * A place is of a device, an address, a name, or of the last two together: that this address has
 * succeeded as this name, or when it is its turn to try it.
 */
#include "monitor/console/login_limit.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/error.h"

#define WAYS 8

enum kind { ADDRESS, NAME, BOTH, TURN, DEVICE };

struct place {
    uint64_t what;     /* 0: free */
    weir_time last;    /* failed; of BOTH: succeeded; of TURN: when it is */
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
                        const struct weir_login_try *one)
{
    struct { struct weir_address address; uint64_t device; char name[64]; uint8_t kind; } what;
    uint64_t hash;

    memset(&what, 0, sizeof what);
    what.kind = (uint8_t)kind;
    if (kind == DEVICE)
        what.device = one->device;
    else if (kind != NAME)
        what.address = weir_address_prefix(&one->address, 32, 64).address;
    for (size_t i = 0; kind != ADDRESS && one->name[i] && i < sizeof what.name; i++)
        what.name[i] = one->name[i] >= 'A' && one->name[i] <= 'Z' ? (char)(one->name[i] | 0x20)
                                                                  : one->name[i];
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

/* A stranger's turn at a name that is guessed: it is given once, and is his until he has tried. */
static weir_time wait_for_turn(struct weir_login_limit *limit, const struct weir_login_try *one,
                               weir_time now)
{
    weir_time wait = wait_of(find(limit, hash_of(limit, NAME, one)), WEIR_LOGIN_NAME_WAIT, now);
    uint64_t what = hash_of(limit, TURN, one);
    const struct place *turn = find(limit, what);

    if (turn && now < turn->last + WEIR_LOGIN_TURN)
        return turn->last > now ? turn->last - now : 0;
    if (wait > 0)
        take(limit, what, now)->last = now + wait;
    return wait;
}

weir_time weir_login_limit_wait(struct weir_login_limit *limit, const struct weir_login_try *one,
                                weir_time now)
{
    const struct place *known = find(limit, hash_of(limit, BOTH, one));
    weir_time own, other;

    if (one->device != 0)
        return wait_of(find(limit, hash_of(limit, DEVICE, one)), WEIR_LOGIN_WAIT_MOST, now);
    if (known && now - known->last >= WEIR_LOGIN_MEMORY)
        known = NULL;
    own = wait_of(find(limit, hash_of(limit, ADDRESS, one)),
                  known ? WEIR_LOGIN_NAME_WAIT : WEIR_LOGIN_WAIT_MOST, now);
    other = known ? 0 : wait_for_turn(limit, one, now);
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

static void forget(struct weir_login_limit *limit, uint64_t what)
{
    const struct place *place = find(limit, what);

    if (place)
        limit->place[place - limit->place].what = 0;
}

void weir_login_limit_failed(struct weir_login_limit *limit, const struct weir_login_try *one,
                             weir_time now)
{
    if (one->device != 0) {
        count(limit, hash_of(limit, DEVICE, one), now);
        return;
    }
    count(limit, hash_of(limit, ADDRESS, one), now);
    count(limit, hash_of(limit, NAME, one), now);
    forget(limit, hash_of(limit, TURN, one));
}

static void take_back(struct weir_login_limit *limit, uint64_t what)
{
    const struct place *place = find(limit, what);

    if (place && place->failed > 0)
        limit->place[place - limit->place].failed--;
}

void weir_login_limit_succeeded(struct weir_login_limit *limit, const struct weir_login_try *one,
                                weir_time now)
{
    if (one->device != 0) {
        forget(limit, hash_of(limit, DEVICE, one));
        return;
    }
    take_back(limit, hash_of(limit, ADDRESS, one));
    take_back(limit, hash_of(limit, NAME, one));
    take(limit, hash_of(limit, BOTH, one), now)->last = now;
}
