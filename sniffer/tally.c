/*
 * tally - records in a row, an index over them by keyed hash, and beside it SYNs in sets of eight.
 *
 * The index holds places of records and one, so that a calloc() of it is empty and pages that are
 * never touched cost nothing.  It is never more than half full.  Clearing it takes out what
 * the records put in.
 */
#include "sniffer/tally.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/short_hash.h"

enum { WAYS = 8 };

struct syns {
    struct weir_address address;
    weir_time first;
    uint32_t count; /* 0: free */
};

struct weir_tally {
    struct weir_short_key key;
    struct weir_traffic *record;
    size_t count, most;
    uint32_t *index; /* place of a record + 1; 0: none */
    uint64_t mask;
    struct syns *syns;
    uint64_t set_mask;
    uint64_t overflow, syn_overflow;
};

static size_t power_of_two(size_t least)
{
    size_t power = WAYS;
    while (power < least)
        power *= 2;
    return power;
}

int weir_tally_new(size_t addresses, size_t syn_places, const struct weir_hash_key *key,
                   struct weir_tally **tally_r)
{
    if (addresses == 0 || addresses > WEIR_TALLY_ADDRESSES_MAX || syn_places == 0 ||
        syn_places > WEIR_TALLY_SYNS_MAX)
        return WEIR_EINVAL;
    struct weir_tally *tally = calloc(1, sizeof(*tally));
    size_t places = power_of_two(2 * addresses), syns = power_of_two(syn_places);
    if (!tally)
        return WEIR_ENOMEM;
    tally->key = weir_short_key(key);
    tally->most = addresses;
    tally->mask = places - 1;
    tally->set_mask = syns / WAYS - 1;
    tally->record = calloc(addresses, sizeof(*tally->record));
    tally->index = calloc(places, sizeof(*tally->index));
    tally->syns = calloc(syns, sizeof(*tally->syns));
    if (!tally->record || !tally->index || !tally->syns) {
        weir_tally_free(&tally);
        return WEIR_ENOMEM;
    }
    *tally_r = tally;
    return 0;
}

void weir_tally_free(struct weir_tally **tally)
{
    if (!tally || !*tally)
        return;
    free((*tally)->record);
    free((*tally)->index);
    free((*tally)->syns);
    free(*tally);
    *tally = NULL;
}

static uint64_t hash_of(const struct weir_tally *tally, const struct weir_address *address)
{
    uint32_t word[sizeof(address->octet) / sizeof(uint32_t)];
    memcpy(word, address->octet, sizeof(word));
    return weir_short_hash(&tally->key, word, sizeof(word) / sizeof(word[0]));
}

/* The place in the index that is an address's, or where it would be. */
static uint32_t *place_of(struct weir_tally *tally, const struct weir_address *address)
{
    uint64_t at = hash_of(tally, address) & tally->mask;
    while (tally->index[at] != 0 &&
           !weir_address_equal(&tally->record[tally->index[at] - 1].address, address))
        at = (at + 1) & tally->mask;
    return &tally->index[at];
}

struct weir_traffic *weir_tally_find(struct weir_tally *tally, const struct weir_address *address)
{
    uint32_t place = *place_of(tally, address);
    return place ? &tally->record[place - 1] : NULL;
}

struct weir_traffic *weir_tally_of(struct weir_tally *tally, const struct weir_address *address)
{
    uint32_t *place = place_of(tally, address);
    if (*place != 0)
        return &tally->record[*place - 1];
    if (tally->count == tally->most) {
        tally->overflow++;
        return NULL;
    }
    struct weir_traffic *record = &tally->record[tally->count++];
    *record = (struct weir_traffic){.address = *address};
    *place = (uint32_t)tally->count;
    return record;
}

struct weir_traffic *weir_tally_records(struct weir_tally *tally, size_t *count_r)
{
    *count_r = tally->count;
    return tally->record;
}

/* From the last record to the first: so each is still found, since those before it in its run
 * of places are still there. */
void weir_tally_clear(struct weir_tally *tally)
{
    while (tally->count > 0) {
        *place_of(tally, &tally->record[tally->count - 1].address) = 0;
        tally->count--;
    }
}

/* The place of an address's SYNs; with make also a free one; or NULL. */
static struct syns *syns_of(struct weir_tally *tally, const struct weir_address *address,
                            bool make)
{
    struct syns *set = &tally->syns[(hash_of(tally, address) >> 32 & tally->set_mask) * WAYS];
    struct syns *empty = NULL;
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].count == 0)
            empty = &set[i];
        else if (weir_address_equal(&set[i].address, address))
            return &set[i];
    }
    return make ? empty : NULL;
}

void weir_tally_syn(struct weir_tally *tally, weir_time time, const struct weir_address *address)
{
    struct syns *syns = syns_of(tally, address, true);
    if (!syns) {
        tally->syn_overflow++;
        return;
    }
    if (syns->count == 0)
        *syns = (struct syns){.address = *address, .first = time};
    if (syns->count < WEIR_TRAFFIC_MAX)
        syns->count++;
}

void weir_tally_established(struct weir_tally *tally, const struct weir_address *address)
{
    struct syns *syns = syns_of(tally, address, false);
    if (syns)
        syns->count--;
}

void weir_tally_syns(struct weir_tally *tally, weir_time until,
                     void (*each)(void *context, const struct weir_address *address,
                                  uint32_t syns),
                     void *context)
{
    for (size_t i = 0; i < (tally->set_mask + 1) * WAYS; i++) {
        struct syns *syns = &tally->syns[i];
        if (syns->count == 0 || syns->first > until)
            continue;
        each(context, &syns->address, syns->count);
        syns->count = 0;
    }
}

uint64_t weir_tally_overflow(const struct weir_tally *tally)
{
    return tally->overflow;
}

uint64_t weir_tally_syn_overflow(const struct weir_tally *tally)
{
    return tally->syn_overflow;
}
