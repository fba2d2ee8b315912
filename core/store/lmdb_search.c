/*
 * Binary search through the pages of an LMDB tree, many at a time.  Owns nothing.
 *
 * A step is: compare with the node asked for last time, halve what is left, and ask
 * for the next node; or, with nothing left, go down to a child or be done.
 * Each search looks for the last node whose key is not beyond the wanted one.
 *
 * Believes no number of a page before it is known to lie inside, and refuses
 * trees deeper than LMDB's; whether keys are in order it takes on trust: if they
 * are not, records are not found.
 */
#include "core/store/lmdb_search.h"

#include <endian.h>
#include <stdbool.h>
#include <string.h>

#include "core/base/error.h"
#include "core/store/lmdb_page.h"

enum { LEVELS_MOST = 32, LINE = 64 };
enum { META_ROOT = 128, META_LAST = 136, META_TXN = 144 };

struct search {
    uint64_t high, low; /* the wanted key, as numbers that are ordered like it */
    const uint8_t *page;
    const uint8_t *node; /* to be compared with next; NULL: the page is new */
    int first, last;     /* nodes not decided yet */
    int levels;
    struct weir_lmdb_wanted *wanted;
};

bool weir_lmdb_snapshot(const void *value, size_t page_size, size_t map_size, uint64_t txn,
                        struct weir_lmdb_snapshot *snapshot_r)
{
    const uint8_t *inside = value;
    const uint8_t *page = inside - (uintptr_t)inside % page_size;
    uint64_t number = weir_lmdb_u64(page);
    if (weir_lmdb_u16(page + WEIR_LMDB_KIND_AT) != WEIR_LMDB_LEAF || number >= map_size / page_size)
        return false;
    const uint8_t *map = page - number * page_size;
    const uint8_t *meta = map + (txn & 1) * page_size;
    *snapshot_r = (struct weir_lmdb_snapshot){
        .map = map,
        .page_size = page_size,
        .pages = weir_lmdb_u64(meta + META_LAST) + 1,
        .root = weir_lmdb_u64(meta + META_ROOT),
    };
    __atomic_thread_fence(__ATOMIC_ACQUIRE); /* a writer may be at it: look at its number last */
    return weir_lmdb_u64(meta + META_TXN) == txn && snapshot_r->pages <= map_size / page_size;
}

enum progress { GOING, DONE, FAULT };

static uint64_t ordered(const uint8_t *at)
{
    return be64toh(weir_lmdb_u64(at));
}

static bool go_to(const struct weir_lmdb_snapshot *snapshot, struct search *search,
                  uint64_t number)
{
    if (number >= snapshot->pages || search->levels++ == LEVELS_MOST)
        return false;
    search->page = snapshot->map + number * snapshot->page_size;
    search->node = NULL;
    for (size_t i = 0; i < 3; i++) /* the head and where a hundred nodes lie */
        __builtin_prefetch(search->page + i * LINE);
    return true;
}

/* Begins with a page that has arrived.  A branch's first node has no key: it is
 * for all that comes before the second. */
static bool enter(const struct weir_lmdb_snapshot *snapshot, struct search *search)
{
    uint16_t kind = weir_lmdb_u16(search->page + WEIR_LMDB_KIND_AT);
    size_t lower = weir_lmdb_u16(search->page + WEIR_LMDB_LOWER_AT);
    bool sound = (kind == WEIR_LMDB_LEAF || kind == WEIR_LMDB_BRANCH) && lower % 2 == 0 &&
                 lower > WEIR_LMDB_HEAD && lower <= snapshot->page_size;
    search->first = kind == WEIR_LMDB_BRANCH;
    search->last = sound ? (int)weir_lmdb_page_nodes(search->page) - 1 : -1;
    return sound;
}

/* The i-th node of a page, its head inside the page; NULL when it is not. */
static const uint8_t *node_at(const struct weir_lmdb_snapshot *snapshot, const uint8_t *page,
                              int i)
{
    size_t offset = weir_lmdb_u16(page + WEIR_LMDB_HEAD + 2 * (size_t)i);
    return offset <= snapshot->page_size - WEIR_LMDB_NODE_HEAD ? page + offset : NULL;
}

/* Octets of the page from a node's key on. */
static size_t room_of(const struct weir_lmdb_snapshot *snapshot, const uint8_t *page,
                      const uint8_t *node)
{
    return snapshot->page_size - (size_t)(node - page) - WEIR_LMDB_NODE_HEAD;
}

/* Whether a key of another length, as the version record's, is not beyond. */
static bool other_not_beyond(const struct search *search, const uint8_t *key, size_t len)
{
    int order = memcmp(key, search->wanted->key, len < WEIR_LMDB_KEY ? len : WEIR_LMDB_KEY);
    return order < 0 || (order == 0 && len <= WEIR_LMDB_KEY);
}

static bool compare(const struct weir_lmdb_snapshot *snapshot, struct search *search, int middle)
{
    const uint8_t *key = search->node + WEIR_LMDB_NODE_HEAD;
    size_t len = weir_lmdb_u16(search->node + 6);
    if (len > room_of(snapshot, search->page, search->node))
        return false;
    int not_beyond;
    if (len == WEIR_LMDB_KEY) {
        uint64_t high = ordered(key), low = ordered(key + 8);
        not_beyond = (high < search->high) | ((high == search->high) & (low <= search->low));
    } else {
        not_beyond = other_not_beyond(search, key, len);
    }
    int mask = -not_beyond; /* compilers make a branch of ?: here, and half of them go wrong */
    search->first = (search->first & ~mask) | ((middle + 1) & mask);
    search->last = (search->last & mask) | ((middle - 1) & ~mask);
    return true;
}

static bool descend(const struct weir_lmdb_snapshot *snapshot, struct search *search)
{
    const uint8_t *node = node_at(snapshot, search->page, search->first - 1);
    return node && go_to(snapshot, search,
                         weir_lmdb_u32(node) | (uint64_t)weir_lmdb_u16(node + 4) << 32);
}

static enum progress step(const struct weir_lmdb_snapshot *snapshot, struct search *search)
{
    bool sound = search->node ? compare(snapshot, search, (search->first + search->last) >> 1)
                              : enter(snapshot, search);
    if (!sound)
        return FAULT;
    if (search->first <= search->last) {
        search->node = node_at(snapshot, search->page, (search->first + search->last) >> 1);
        __builtin_prefetch(search->node);
        return search->node ? GOING : FAULT;
    }
    if (weir_lmdb_is_leaf(search->page))
        return DONE;
    return descend(snapshot, search) ? GOING : FAULT;
}

/* On its leaf, a search has the last node that is not beyond in front of first. */
static bool take(const struct weir_lmdb_snapshot *snapshot, const struct search *search)
{
    struct weir_lmdb_wanted *wanted = search->wanted;
    wanted->value = NULL;
    wanted->len = 0;
    if (search->first == 0)
        return true;
    const uint8_t *node = node_at(snapshot, search->page, search->first - 1);
    if (!node)
        return false;
    const uint8_t *key = node + WEIR_LMDB_NODE_HEAD;
    size_t room = room_of(snapshot, search->page, node);
    if (weir_lmdb_u16(node + 6) != WEIR_LMDB_KEY || room < WEIR_LMDB_KEY ||
        memcmp(key, wanted->key, WEIR_LMDB_KEY) != 0)
        return true;
    size_t len = weir_lmdb_u32(node);
    if (weir_lmdb_u16(node + 4) != WEIR_LMDB_PLAIN || len > room - WEIR_LMDB_KEY)
        return false;
    wanted->value = key + WEIR_LMDB_KEY;
    wanted->len = len;
    __builtin_prefetch(wanted->value);
    __builtin_prefetch(wanted->value + LINE);
    return true;
}

/* Steps in turn until all have come to their leaf; done[] has them there. */
static int run(const struct weir_lmdb_snapshot *snapshot, struct search *going, size_t n,
               struct search *done)
{
    size_t finished = 0;
    while (n > 0) {
        for (size_t i = 0; i < n; i++) {
            enum progress progress = step(snapshot, &going[i]);
            if (progress == GOING)
                continue;
            if (progress == FAULT || !take(snapshot, &going[i]))
                return WEIR_ECORRUPT;
            done[finished++] = going[i];
            going[i] = going[--n];
        }
    }
    return 0;
}

static bool neighbours(const struct weir_lmdb_wanted *a, const struct weir_lmdb_wanted *b)
{
    return weir_lmdb_u64(a->key) == weir_lmdb_u64(b->key);
}

static struct search search_for(struct weir_lmdb_wanted *wanted)
{
    return (struct search){
        .high = ordered(wanted->key), .low = ordered(wanted->key + 8), .wanted = wanted};
}

/* Whether a leaf that was entered at a guess decides: its other keys lie on both
 * sides of the wanted one, or it is there. */
static bool decides(const struct search *search)
{
    size_t nodes = weir_lmdb_page_nodes(search->page);
    bool inside = search->first > 0 && (size_t)search->first < nodes;
    return inside || search->wanted->value;
}

/* The neighbours of what was found: each begins on the leaf of the one before it, and
 * those that did not belong there once more from the root. */
static int search_neighbours(const struct weir_lmdb_snapshot *snapshot,
                             struct weir_lmdb_wanted *wanted, size_t n,
                             const uint8_t *const *leaf)
{
    struct search going[WEIR_LMDB_SEARCHES], done[WEIR_LMDB_SEARCHES];
    const uint8_t *page = NULL;
    size_t tries = 0;
    for (size_t i = 0; i < n; i++) {
        if (leaf[i]) {
            page = leaf[i];
            continue;
        }
        going[tries] = search_for(&wanted[i]);
        going[tries++].page = page;
    }
    int error = run(snapshot, going, tries, done);
    size_t again = 0;
    for (size_t i = 0; !error && i < tries; i++) {
        if (decides(&done[i]))
            continue;
        going[again] = search_for(done[i].wanted);
        error = go_to(snapshot, &going[again++], snapshot->root) ? 0 : WEIR_ECORRUPT;
    }
    return error ? error : run(snapshot, going, again, done);
}

int weir_lmdb_search(const struct weir_lmdb_snapshot *snapshot, struct weir_lmdb_wanted *wanted,
                     size_t n)
{
    struct search going[WEIR_LMDB_SEARCHES], done[WEIR_LMDB_SEARCHES];
    const uint8_t *leaf[WEIR_LMDB_SEARCHES] = {NULL};
    size_t firsts = 0;
    if (n > WEIR_LMDB_SEARCHES)
        return WEIR_ELIMIT;
    for (size_t i = 0; i < n; i++) {
        wanted[i].value = NULL;
        wanted[i].len = 0;
        if (snapshot->root == UINT64_MAX || (i > 0 && neighbours(&wanted[i - 1], &wanted[i])))
            continue;
        going[firsts] = search_for(&wanted[i]);
        if (!go_to(snapshot, &going[firsts++], snapshot->root))
            return WEIR_ECORRUPT;
    }
    int error = run(snapshot, going, firsts, done);
    if (error || firsts == n || snapshot->root == UINT64_MAX)
        return error;
    for (size_t i = 0; i < firsts; i++)
        leaf[done[i].wanted - wanted] = done[i].page;
    return search_neighbours(snapshot, wanted, n, leaf);
}
