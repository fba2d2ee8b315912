/*
 * doorstep - a hash table of addresses, open addressing under a keyed hash, for strangers choose
 * their addresses.  An address is in it while it has a connection or is remembered.
 *
 * Whether an address is known is looked at when its first connection comes, and changes with the
 * first one that is admitted: so the sum of strangers is at all times that of the addresses which
 * are not known.
 */
#include "monitor/intake/doorstep.h"

#include <stdlib.h>

#include "core/base/error.h"

#define PLACES 16384
#define ADDRESSES_MAX (PLACES / 4 * 3)

struct at_address {
    struct weir_address address; /* masked */
    unsigned waiting, admitted;
    weir_time left;              /* when the last one that had been admitted went */
    bool used, known;
};

struct weir_doorstep {
    struct weir_hash_key key;
    unsigned strangers;          /* connections that wait, of addresses that are not known */
    size_t addresses, remembered; /* remembered: without a connection */
    struct at_address place[PLACES];
};

int weir_doorstep_new(const struct weir_hash_key *key, struct weir_doorstep **doorstep_r)
{
    *doorstep_r = calloc(1, sizeof **doorstep_r);
    if (!*doorstep_r)
        return WEIR_ENOMEM;
    (*doorstep_r)->key = *key;
    return 0;
}

void weir_doorstep_free(struct weir_doorstep **doorstep)
{
    if (!doorstep)
        return;
    free(*doorstep);
    *doorstep = NULL;
}

/* An IPv6 customer has at least a /64. */
static struct weir_address mask(const struct weir_address *address)
{
    return weir_address_prefix(address, 32, 64).address;
}

/* Where an address stands, or would. */
static size_t place_of(const struct weir_doorstep *doorstep, const struct weir_address *address)
{
    size_t at = (size_t)weir_hash64(&doorstep->key, address->octet, sizeof address->octet);

    for (;; at++) {
        const struct at_address *place = &doorstep->place[at % PLACES];

        if (!place->used || weir_address_equal(&place->address, address))
            return at % PLACES;
    }
}

/* Those behind it move up, so that they are found. */
static void take_out(struct weir_doorstep *doorstep, size_t at)
{
    doorstep->place[at].used = false;
    doorstep->addresses--;
    for (size_t next = (at + 1) % PLACES; doorstep->place[next].used; next = (next + 1) % PLACES) {
        struct at_address moved = doorstep->place[next];

        doorstep->place[next].used = false;
        doorstep->place[place_of(doorstep, &moved.address)] = moved;
    }
}

static bool is_idle(const struct at_address *place)
{
    return place->waiting == 0 && place->admitted == 0;
}

static bool is_known(const struct at_address *place, weir_time now)
{
    return place->known && (!is_idle(place) || now - place->left < WEIR_DOORSTEP_MEMORY);
}

bool weir_doorstep_has_room(const struct weir_doorstep *doorstep,
                            const struct weir_address *address, weir_time now)
{
    struct weir_address masked = mask(address);
    const struct at_address *place = &doorstep->place[place_of(doorstep, &masked)];

    if (place->used && place->waiting >= WEIR_INTAKE_WAITING_MAX)
        return false;
    return (place->used && is_known(place, now)) ||
           doorstep->strangers < WEIR_INTAKE_STRANGERS_MAX;
}

bool weir_doorstep_come(struct weir_doorstep *doorstep, const struct weir_address *address,
                        weir_time now)
{
    struct weir_address masked = mask(address);
    struct at_address *place = &doorstep->place[place_of(doorstep, &masked)];

    if (!place->used) {
        if (doorstep->addresses >= ADDRESSES_MAX)
            return false;
        *place = (struct at_address){.address = masked, .used = true};
        doorstep->addresses++;
    } else if (is_idle(place)) {
        place->known = is_known(place, now);
        doorstep->remembered--;
    }
    place->waiting++;
    doorstep->strangers += !place->known;
    return true;
}

void weir_doorstep_admit(struct weir_doorstep *doorstep, const struct weir_address *address)
{
    struct weir_address masked = mask(address);
    struct at_address *place = &doorstep->place[place_of(doorstep, &masked)];

    if (!place->known)
        doorstep->strangers -= place->waiting;
    place->known = true;
    place->waiting--;
    place->admitted++;
}

/* Those whose time is over. */
static void forget(struct weir_doorstep *doorstep, weir_time now)
{
    for (size_t i = 0; i < PLACES; i++) {
        const struct at_address *place = &doorstep->place[i];

        while (place->used && is_idle(place) && !is_known(place, now)) { /* another moves up */
            take_out(doorstep, i);
            doorstep->remembered--;
        }
    }
}

void weir_doorstep_leave(struct weir_doorstep *doorstep, const struct weir_address *address,
                         bool admitted, weir_time now)
{
    struct weir_address masked = mask(address);
    struct at_address *place = &doorstep->place[place_of(doorstep, &masked)];

    if (admitted) {
        place->admitted--;
        place->left = now;
    } else {
        place->waiting--;
        doorstep->strangers -= !place->known;
    }
    if (!is_idle(place))
        return;
    if (is_known(place, now) && doorstep->remembered >= WEIR_DOORSTEP_KNOWN_MAX) {
        forget(doorstep, now); /* others may have moved this one */
        place = &doorstep->place[place_of(doorstep, &masked)];
    }
    if (is_known(place, now) && doorstep->remembered < WEIR_DOORSTEP_KNOWN_MAX)
        doorstep->remembered++;
    else
        take_out(doorstep, (size_t)(place - doorstep->place));
}

size_t weir_doorstep_addresses(const struct weir_doorstep *doorstep)
{
    return doorstep->addresses;
}
