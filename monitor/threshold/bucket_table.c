/*
 * Where the rows of buckets lie: sets of eight places, in two arrays.  The names of a set fill one
 * line of the processor's cache, so that a look-up reads two lines, and then one row.
 *
 *     name[set][8]   64 bits each; 0: the place is empty
 *     row[set][8]    bucket_impl.h
 *
 * A new entry goes where more places are empty.  Each one made also sweeps one set, in turn, for
 * rows that are full again, so that the cost of forgetting is bounded and nothing scans the table.
 * The caller owns the table; it refuses sizes out of range.
 * Marks of charges that came late lie apart, since few prefixes have one: sets of four, one mark
 * for every 128 addresses and 64 at least; the oldest of a set gives way.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/threshold/bucket_impl.h"
#include "monitor/threshold/memory_io.h"

enum {
    WAYS = 8,
    LINE = 64,
    LOAD_PERCENT = 91, /* two choices of eight and one move still find room for nearly all */
    CROWDED_PERCENT = 98, /* hardly an entry can move: it is not tried */
    LATE_WAYS = 4,
    LATE_EACH = 128, /* addresses for a mark */
    LATE_LEAST = 64  /* marks */
};

#define NOWHERE SIZE_MAX

/* Look-ups. -------------------------------------------------------------- */

static inline size_t first_set(const struct weir_buckets *buckets, uint64_t name)
{
    return (size_t)((name >> 32) * buckets->sets >> 32);
}

static inline size_t second_set(const struct weir_buckets *buckets, uint64_t name)
{
    size_t set = (size_t)((name & UINT32_MAX) * buckets->sets >> 32);
    if (set != first_set(buckets, name))
        return set;
    return set + 1 < buckets->sets ? set + 1 : 0;
}

/* Without a branch in it: where a name stands cannot be foretold. */
static inline unsigned places_of(const struct weir_buckets *buckets, size_t set, uint64_t name)
{
    const uint64_t *names = buckets->name + set * WAYS;
    unsigned found = 0;
    for (unsigned i = 0; i < WAYS; i++)
        found |= (unsigned)(names[i] == name) << i;
    return found;
}

static inline size_t find_in(const struct weir_buckets *buckets, size_t set, uint64_t name)
{
    unsigned found = places_of(buckets, set, name);
    return found ? set * WAYS + (unsigned)__builtin_ctz(found) : NOWHERE;
}

static inline size_t find(const struct weir_buckets *buckets, uint64_t name)
{
    size_t first = first_set(buckets, name), second = second_set(buckets, name);
    unsigned in_first = places_of(buckets, first, name);
    unsigned found = in_first | places_of(buckets, second, name);
    size_t place = (in_first ? first : second) * WAYS;
    return found ? place + (unsigned)__builtin_ctz(found) : NOWHERE;
}

struct row *weir_buckets_row(const struct weir_buckets *buckets, const struct weir_spot *spot)
{
    size_t place = spot->place;
    if (place >= buckets->counts.places || buckets->name[place] != spot->name)
        place = find(buckets, spot->name);
    return place != NOWHERE ? &buckets->row[place] : NULL;
}

/* Asks for the rows of a set. */
static void near_set(const struct weir_buckets *buckets, size_t set)
{
    const char *rows = (const char *)(buckets->row + set * WAYS);
    for (size_t at = 0; at < WAYS * sizeof(struct row); at += LINE)
        __builtin_prefetch(rows + at, 1);
    __builtin_prefetch(rows + WAYS * sizeof(struct row) - 1, 1);
}

/* The octets that a prefix has, the mapped ones of IPv4 left out, and its length behind them: as
 * few as can be, since hashing is a good part of a charge. */
static uint64_t hash(const struct weir_hash_key *key, const struct weir_prefix *prefix)
{
    uint8_t text[sizeof(prefix->address.octet) + 1];
    bool ipv4 = prefix->bits >= 96 && weir_address_is_ipv4(&prefix->address);
    size_t skip = ipv4 ? 12 : 0;
    size_t len = ((size_t)prefix->bits + 7) / 8 - skip;
    memcpy(text, prefix->address.octet, sizeof(prefix->address.octet));
    text[skip + len] = prefix->bits;
    uint64_t name = weir_hash64(key, text + skip, len + 1);
    return name != 0 ? name : 1;
}

struct weir_spot weir_buckets_spot(const struct weir_buckets *buckets,
                                   const struct weir_prefix *prefix)
{
    struct weir_spot spot = {hash(&buckets->key, prefix), NOWHERE};
    __builtin_prefetch(buckets->name + first_set(buckets, spot.name) * WAYS);
    __builtin_prefetch(buckets->name + second_set(buckets, spot.name) * WAYS);
    return spot;
}

void weir_buckets_near(const struct weir_buckets *buckets, struct weir_spot *spot)
{
    spot->place = find(buckets, spot->name);
    if (spot->place != NOWHERE) {
        const char *row = (const char *)&buckets->row[spot->place];
        __builtin_prefetch(row, 1);
        __builtin_prefetch(row + sizeof(struct row) - 1, 1);
        return;
    }
    size_t first = first_set(buckets, spot->name), second = second_set(buckets, spot->name);
    near_set(buckets, first);
    near_set(buckets, second);
}

struct late_mark *weir_buckets_late(struct weir_buckets *buckets, uint64_t name)
{
    struct late_mark *set =
        buckets->late + (size_t)((name & UINT32_MAX) * buckets->late_sets >> 32) * LATE_WAYS;
    struct late_mark *oldest = set;
    for (unsigned i = 0; i < LATE_WAYS; i++) {
        if (set[i].name == name)
            return &set[i];
        if (set[i].used < oldest->used)
            oldest = &set[i];
    }
    *oldest = (struct late_mark){.name = name};
    return oldest;
}

static size_t octets_of_marks(const struct weir_buckets *buckets)
{
    return buckets->late_sets * LATE_WAYS * sizeof(*buckets->late);
}

/* Making room. ----------------------------------------------------------- */

static void leave(struct weir_buckets *buckets, size_t place)
{
    buckets->name[place] = 0;
    buckets->counts.used--;
}

/* Empties the places of a set whose buckets are full; the others' prices, against the lowest. */
static void sweep(struct weir_buckets *buckets, size_t set, weir_time now, size_t *cheapest,
                  double *price)
{
    for (size_t place = set * WAYS; place < (set + 1) * WAYS; place++) {
        if (buckets->name[place] == 0)
            continue;
        double dear = weir_row_dearness(buckets, &buckets->row[place], now);
        if (dear <= 0)
            leave(buckets, place);
        else if (dear < *price) {
            *price = dear;
            *cheapest = place;
        }
    }
}

/* Sweeps the next set, as of a moment ago, and has one of those after it brought near. */
static void sweep_one(struct weir_buckets *buckets, weir_time now)
{
    size_t ahead = buckets->hand + 4, cheapest;
    double price = 0;
    sweep(buckets, buckets->hand, now - WEIR_BUCKET_LATE, &cheapest, &price);
    if (++buckets->hand == buckets->sets)
        buckets->hand = 0;
    if (ahead < buckets->sets) {
        __builtin_prefetch(buckets->name + ahead * WAYS);
        near_set(buckets, ahead);
    }
}

/* Makes a place of a set empty by moving its entry to the entry's other set. */
static size_t move_one(struct weir_buckets *buckets, size_t set)
{
    for (size_t place = set * WAYS; place < (set + 1) * WAYS; place++) {
        uint64_t name = buckets->name[place];
        size_t first = first_set(buckets, name);
        size_t other = find_in(buckets, first != set ? first : second_set(buckets, name), 0);
        if (other == NOWHERE)
            continue;
        buckets->name[other] = name;
        buckets->row[other] = buckets->row[place];
        buckets->name[place] = 0;
        return place;
    }
    return NOWHERE;
}

static size_t emptiest(const struct weir_buckets *buckets, size_t first, size_t second)
{
    unsigned in_first = places_of(buckets, first, 0), in_second = places_of(buckets, second, 0);
    bool better = __builtin_popcount(in_first) >= __builtin_popcount(in_second);
    return find_in(buckets, better ? first : second, 0);
}

/* A place for a new entry: empty, full again, of one that can move, or of the cheapest one. */
static size_t find_room(struct weir_buckets *buckets, uint64_t name, weir_time now)
{
    size_t first = first_set(buckets, name), second = second_set(buckets, name);
    size_t place = emptiest(buckets, first, second), cheapest = first * WAYS;
    double price = 1e9;
    if (place != NOWHERE)
        return place;
    sweep(buckets, first, now, &cheapest, &price);
    sweep(buckets, second, now, &cheapest, &price);
    place = emptiest(buckets, first, second);
    if (place == NOWHERE && buckets->counts.used < buckets->counts.places / 100 * CROWDED_PERCENT) {
        place = move_one(buckets, first);
        if (place == NOWHERE)
            place = move_one(buckets, second);
    }
    if (place != NOWHERE)
        return place;
    leave(buckets, cheapest);
    buckets->counts.evicted++;
    return cheapest;
}

struct row *weir_buckets_make(struct weir_buckets *buckets, uint64_t name, weir_time now)
{
    sweep_one(buckets, now);
    size_t place = find_room(buckets, name, now);
    weir_row_make(&buckets->row[place], now);
    buckets->name[place] = name;
    buckets->counts.made++;
    buckets->counts.used++;
    return &buckets->row[place];
}

void weir_buckets_reset(struct weir_buckets *buckets, const struct weir_spot *spot)
{
    size_t place = find(buckets, spot->name);
    if (place != NOWHERE)
        leave(buckets, place);
}

static void put_again(struct weir_buckets *buckets, uint64_t name, const struct row *row,
                      weir_time time)
{
    struct row *room = weir_buckets_make(buckets, name, time);
    *room = *row;
    buckets->counts.made--; /* it was counted when it was made */
}

void weir_buckets_take_over(struct weir_buckets *buckets, const struct weir_buckets *from,
                            const uint8_t class_of[static WEIR_BUCKET_CLASSES_MAX])
{
    bool same = buckets->sets == from->sets;
    for (size_t place = 0; place < from->counts.places; place++) {
        uint64_t name = from->name[place];
        if (name == 0)
            continue;
        struct row row = from->row[place];
        weir_time time = weir_row_move(&row, class_of);
        if (same) {
            buckets->name[place] = name;
            buckets->row[place] = row;
        } else {
            put_again(buckets, name, &row, time);
        }
    }
    if (same) {
        buckets->counts.used = from->counts.used;
        memcpy(buckets->late, from->late, octets_of_marks(from));
    }
    buckets->counts.charges += from->counts.charges;
    buckets->counts.made += from->counts.made;
    buckets->counts.evicted += from->counts.evicted;
}

void weir_buckets_rebase(struct weir_buckets *buckets, weir_time now)
{
    for (size_t place = 0; place < buckets->counts.places; place++)
        if (buckets->name[place] != 0)
            weir_row_rebase(&buckets->row[place], now);
    for (size_t i = 0; i < buckets->late_sets * LATE_WAYS; i++) {
        struct late_mark *mark = &buckets->late[i];
        mark->used = mark->used < now ? mark->used : now;
        for (unsigned q = 0; q < WEIR_QUANTITIES; q++)
            mark->until[q] = mark->until[q] < now ? mark->until[q] : now;
    }
}

/* The table. ------------------------------------------------------------- */

static size_t octets_of_names(const struct weir_buckets *buckets)
{
    return buckets->counts.places * sizeof(*buckets->name);
}

static size_t octets_of_rows(const struct weir_buckets *buckets)
{
    return buckets->counts.places * sizeof(*buckets->row);
}

static void set_no_limits(struct weir_buckets *buckets)
{
    static const struct weir_limits none;
    for (unsigned i = 0; i < WEIR_BUCKET_CLASSES_MAX; i++)
        weir_buckets_limit(buckets, i, &none);
}

int weir_buckets_new(size_t addresses, const struct weir_hash_key *key,
                     struct weir_buckets **buckets_r)
{
    if (addresses == 0 || addresses > WEIR_BUCKET_ADDRESSES_MAX)
        return WEIR_EINVAL;
    struct weir_buckets *buckets = calloc(1, sizeof(*buckets));
    if (!buckets)
        return WEIR_ENOMEM;
    buckets->key = *key;
    buckets->sets = addresses * 100 / (WAYS * LOAD_PERCENT) + 2;
    buckets->counts.places = buckets->sets * WAYS;
    set_no_limits(buckets);
    buckets->name = weir_memory_take(octets_of_names(buckets));
    buckets->row = weir_memory_take(octets_of_rows(buckets));
    buckets->late_sets = addresses / (LATE_EACH * LATE_WAYS) + LATE_LEAST / LATE_WAYS;
    buckets->late = weir_memory_take(octets_of_marks(buckets));
    if (!buckets->name || !buckets->row || !buckets->late) {
        weir_buckets_free(&buckets);
        return WEIR_ENOMEM;
    }
    *buckets_r = buckets;
    return 0;
}

void weir_buckets_free(struct weir_buckets **buckets)
{
    if (!*buckets)
        return;
    weir_memory_give((*buckets)->name, octets_of_names(*buckets));
    weir_memory_give((*buckets)->row, octets_of_rows(*buckets));
    weir_memory_give((*buckets)->late, octets_of_marks(*buckets));
    free(*buckets);
    *buckets = NULL;
}

const struct weir_buckets_counts *weir_buckets_counts(const struct weir_buckets *buckets)
{
    return &buckets->counts;
}

size_t weir_buckets_octets(const struct weir_buckets *buckets)
{
    return sizeof(*buckets) + octets_of_names(buckets) + octets_of_rows(buckets) +
           octets_of_marks(buckets);
}
