/*
 * own - addresses and cards in order, found by halving.  Refuses more than there is room for; whom
 * there is no room for is charged like anybody.
 */
#include "sniffer/own.h"

#include <string.h>

#include "core/base/error.h"

static const uint8_t no_card[WEIR_CARD];

/* Where one of count entries of len octets is, or would be. */
static inline size_t place_in(const void *entries, size_t count, const uint8_t *entry, size_t len)
{
    const uint8_t *octets = entries;
    size_t from = 0, to = count;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (memcmp(octets + middle * len, entry, len) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static size_t place_of(const struct weir_own *own, const struct weir_address *address)
{
    return place_in(own->address, own->count, address->octet, sizeof address->octet);
}

static bool is_loopback(const struct weir_address *address)
{
    static const uint8_t four[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127};
    static const uint8_t six[16] = {[15] = 1};

    return memcmp(address->octet, four, sizeof four) == 0 ||
           memcmp(address->octet, six, sizeof six) == 0;
}

bool weir_own_has(const struct weir_own *own, const struct weir_address *address)
{
    size_t place = place_of(own, address);

    return place < own->count && weir_address_equal(&own->address[place], address);
}

int weir_own_add(struct weir_own *own, const struct weir_address *address)
{
    size_t place = place_of(own, address);

    if (is_loopback(address) || weir_own_has(own, address))
        return 0;
    if (own->count == WEIR_SNIFFER_OWN_MAX)
        return WEIR_ELIMIT;
    memmove(own->address + place + 1, own->address + place,
            (own->count - place) * sizeof own->address[0]);
    own->address[place] = *address;
    own->count++;
    return 0;
}

bool weir_own_has_card(const struct weir_own *own, const uint8_t card[static WEIR_CARD])
{
    size_t place = place_in(own->card, own->cards, card, WEIR_CARD);

    return place < own->cards && memcmp(own->card[place], card, WEIR_CARD) == 0;
}

bool weir_own_lacks_card(const struct weir_own *own, const uint8_t card[static WEIR_CARD])
{
    return own->cards > 0 && own->cards < WEIR_SNIFFER_CARDS_MAX &&
           memcmp(card, no_card, WEIR_CARD) != 0 && !weir_own_has_card(own, card);
}

int weir_own_add_card(struct weir_own *own, const uint8_t card[static WEIR_CARD])
{
    size_t place = place_in(own->card, own->cards, card, WEIR_CARD);

    if (memcmp(card, no_card, WEIR_CARD) == 0 || weir_own_has_card(own, card))
        return 0;
    if (own->cards == WEIR_SNIFFER_CARDS_MAX)
        return WEIR_ELIMIT;
    memmove(own->card + place + 1, own->card + place, (own->cards - place) * WEIR_CARD);
    memcpy(own->card[place], card, WEIR_CARD);
    own->cards++;
    return 0;
}
