/*
 * Changes lie in one array in the order in which they first came, and are found by an index with
 * open addressing.  What entities are called is a keyed hash already, which nobody outside can aim:
 * their octets serve as hashes.
 *
 * Messages of one second add the same amounts: these are worked out once for each half-life.
 */
#include "monitor/analyzer/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/grown.h"
#include "core/store/counter_record.h"

#define AMOUNTS 8          /* half-lives of one message */

enum { FIRST = 1024, KEPT = 1 << 17 }; /* places of the index */

/* An event of weight 1 at a time. */
struct amount {
    uint32_t half_life, epoch;
    int64_t amount;          /* 0: it has faded */
};

struct weir_ledger {
    struct weir_reputation_settings settings;
    struct weir_hash_key key;
    struct weir_ledger_change *change;
    size_t changes, room;
    uint32_t *index;         /* number of a change + 1; 0: none */
    size_t mask;
    bool sorted;             /* since the index was made: it is to be made anew */
    weir_time at, now;       /* of the amounts */
    size_t amounts;
    struct amount amount[AMOUNTS];
};

/* The index. ---------------------------------------------------------------- */

static size_t hash_of(const struct weir_counter *counter, uint32_t epoch)
{
    uint64_t half[2], hash;

    memcpy(half, counter->entity.id, sizeof half);
    hash = half[0] + (half[1] << 17 | half[1] >> 47);
    hash ^= ((uint64_t)counter->half_life << 20) + ((uint64_t)counter->variable << 8) + epoch;
    hash *= UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(hash >> 24);
}

static bool is_of(const struct weir_ledger_change *change, const struct weir_counter *counter,
                  uint32_t epoch)
{
    return change->epoch == epoch && change->counter.variable == counter->variable &&
           change->counter.half_life == counter->half_life &&
           memcmp(&change->counter.entity, &counter->entity, sizeof counter->entity) == 0;
}

static uint32_t *place_of(const struct weir_ledger *ledger, const struct weir_counter *counter,
                          uint32_t epoch)
{
    size_t at = hash_of(counter, epoch) & ledger->mask;

    while (ledger->index[at] != 0 &&
           !is_of(&ledger->change[ledger->index[at] - 1], counter, epoch))
        at = (at + 1) & ledger->mask;
    return &ledger->index[at];
}

static void fill_index(struct weir_ledger *ledger)
{
    for (size_t i = 0; i < ledger->changes; i++)
        *place_of(ledger, &ledger->change[i].counter, ledger->change[i].epoch) = (uint32_t)i + 1;
    ledger->sorted = false;
}

static int make_index(struct weir_ledger *ledger, size_t size)
{
    uint32_t *index = calloc(size, sizeof *index);

    if (!index)
        return WEIR_ENOMEM;
    free(ledger->index);
    ledger->index = index;
    ledger->mask = size - 1;
    fill_index(ledger);
    return 0;
}

static int grow_index(struct weir_ledger *ledger)
{
    return make_index(ledger, ledger->index ? 2 * (ledger->mask + 1) : FIRST);
}

static int note(struct weir_ledger *ledger, const struct weir_counter *counter, uint32_t epoch,
                int64_t amount)
{
    uint32_t *place;
    struct weir_ledger_change *more;

    if (ledger->sorted) {
        memset(ledger->index, 0, (ledger->mask + 1) * sizeof *ledger->index);
        fill_index(ledger);
    }
    place = place_of(ledger, counter, epoch);
    if (*place == 0) {
        if (ledger->changes >= WEIR_LEDGER_MAX)
            return WEIR_ELIMIT;
        more = weir_grown(ledger->change, ledger->changes, &ledger->room, sizeof *more);
        if (!more)
            return WEIR_ENOMEM;
        ledger->change = more;
        if (2 * (ledger->changes + 1) > ledger->mask && grow_index(ledger) < 0)
            return WEIR_ENOMEM;
        ledger->change[ledger->changes] = (struct weir_ledger_change){*counter, epoch, 0};
        place = place_of(ledger, counter, epoch);
        *place = (uint32_t)++ledger->changes;
    }
    ledger->change[*place - 1].amount += amount;
    return 0;
}

/* Amounts. ------------------------------------------------------------------ */

static const struct amount *amount_of(struct weir_ledger *ledger, uint32_t half_life)
{
    size_t i = 0;
    struct amount *amount;

    while (i < ledger->amounts && ledger->amount[i].half_life != half_life)
        i++;
    if (i < ledger->amounts)
        return &ledger->amount[i];
    i = i < AMOUNTS ? i : AMOUNTS - 1;
    ledger->amounts = i + 1;
    amount = &ledger->amount[i];
    *amount = (struct amount){half_life, weir_decay_epoch(ledger->at, half_life), 0};
    if ((weir_time)weir_decay_expires(amount->epoch, half_life) > ledger->now / WEIR_SECOND)
        amount->amount = (int64_t)weir_decay_amount(ledger->at, half_life, 1);
    return amount;
}

static void set_time(struct weir_ledger *ledger, weir_time at, weir_time now)
{
    at = at < now ? at : now;
    if (at != ledger->at || now != ledger->now)
        ledger->amounts = 0;
    ledger->at = at;
    ledger->now = now;
}

/* Messages. ----------------------------------------------------------------- */

/* Most of a fold's time is waiting for memory: all places of a message are asked for first, and
 * then what stands in them, so that it waits for them together. */
static void look_ahead(struct weir_ledger *ledger, const struct weir_addition *addition, size_t n)
{
    const uint32_t *place[WEIR_REPUTATION_ADDITIONS];

    for (size_t i = 0; i < n; i++) {
        const struct amount *amount = amount_of(ledger, addition[i].counter.half_life);

        place[i] = &ledger->index[hash_of(&addition[i].counter, amount->epoch) & ledger->mask];
        __builtin_prefetch(place[i], 1);
    }
    for (size_t i = 0; i < n; i++)
        if (*place[i] > 0 && *place[i] <= ledger->changes)
            __builtin_prefetch(&ledger->change[*place[i] - 1], 1);
}

/* All that one has added by now, or takes back. */
static int put(struct weir_ledger *ledger, const struct weir_info *info, enum weir_said people,
               int sign)
{
    const struct weir_reputation_query query = {
        .address = info->boundary, .domain = info->domain_hashed ? "" : info->domain};
    struct weir_addition addition[WEIR_REPUTATION_ADDITIONS];
    size_t n = weir_reputation_message(&ledger->settings, &ledger->key, &query, &info->counted,
                                       people, addition);
    int rc = 0;

    look_ahead(ledger, addition, n);
    for (size_t i = 0; i < n && rc == 0; i++) {
        const struct amount *amount = amount_of(ledger, addition[i].counter.half_life);

        if (amount->amount != 0)
            rc = note(ledger, &addition[i].counter, amount->epoch, sign * amount->amount);
    }
    return rc;
}

int weir_ledger_take(struct weir_ledger *ledger, const struct weir_info *info, weir_time now)
{
    if (!info->has_boundary || info->counted.computer == WEIR_SAID_NOTHING)
        return 0;
    set_time(ledger, info->at, now);
    return put(ledger, info, WEIR_SAID_NOTHING, 1);
}

int weir_ledger_move(struct weir_ledger *ledger, const struct weir_info *info, enum weir_said from,
                    enum weir_said to, weir_time now)
{
    int rc;

    if (!info->has_boundary || from == to)
        return 0;
    set_time(ledger, info->at, now);
    rc = put(ledger, info, from, -1);
    return rc < 0 ? rc : put(ledger, info, to, 1);
}

/* Keeping. ------------------------------------------------------------------ */

int64_t weir_ledger_place(const struct weir_entity *entity)
{
    uint64_t half[2];

    memcpy(half, entity->id, sizeof half);
    return (int64_t)((half[0] & UINT64_C(0xffffffff00000000)) |
                     (half[1] ^ half[1] >> 32 ^ (half[0] & UINT32_MAX)) % (UINT64_C(1) << 32));
}

static int by_place(const void *a, const void *b)
{
    const struct weir_ledger_change *left = a, *right = b;
    int64_t one = weir_ledger_place(&left->counter.entity);
    int64_t other = weir_ledger_place(&right->counter.entity);

    return (one > other) - (one < other);
}

const struct weir_ledger_change *weir_ledger_changes(struct weir_ledger *ledger, size_t *changes_r)
{
    if (!ledger->sorted && ledger->changes > 0)
        qsort(ledger->change, ledger->changes, sizeof *ledger->change, by_place);
    ledger->sorted = true;
    *changes_r = ledger->changes;
    return ledger->change;
}

/* What much needed is given back: little comes every second, and to clear takes as long as it is
 * large. */
void weir_ledger_clear(struct weir_ledger *ledger)
{
    ledger->changes = 0;
    ledger->sorted = false;
    if (ledger->mask + 1 > KEPT && make_index(ledger, FIRST) == 0) {
        free(ledger->change);
        ledger->change = NULL;
        ledger->room = 0;
        return;
    }
    memset(ledger->index, 0, (ledger->mask + 1) * sizeof *ledger->index);
}

size_t weir_ledger_size(const struct weir_ledger *ledger)
{
    return ledger->changes;
}

/* Making. ------------------------------------------------------------------- */

int weir_ledger_new(const struct weir_reputation_settings *settings,
                   const struct weir_hash_key *key, struct weir_ledger **ledger_r)
{
    struct weir_ledger *ledger = calloc(1, sizeof *ledger);

    if (!ledger || grow_index(ledger) < 0) {
        free(ledger);
        return WEIR_ENOMEM;
    }
    ledger->settings = *settings;
    ledger->key = *key;
    *ledger_r = ledger;
    return 0;
}

void weir_ledger_free(struct weir_ledger **ledger)
{
    if (!*ledger)
        return;
    free((*ledger)->change);
    free((*ledger)->index);
    explicit_bzero(&(*ledger)->key, sizeof (*ledger)->key);
    free(*ledger);
    *ledger = NULL;
}
