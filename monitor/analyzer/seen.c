/*
 * Each set is an array with open addressing of keyed hashes, 0 for an empty place, that doubles
 * until it has room for all of them; numbers are not kept themselves.
 */
#include "monitor/analyzer/seen.h"

#include <stdlib.h>

#include "core/base/error.h"
#include "core/base/grown.h"
#include "core/base/limits.h"

enum { FIRST = 1024 };

struct set {
    uint64_t *place;
    size_t mask, count;
};

struct weir_seen {
    struct weir_hash_key key;
    size_t most;
    struct set newer, older;
    uint64_t *news;
    size_t new, room;
};

/* Where a hash stands, or would stand. */
static uint64_t *place_of(const struct set *set, uint64_t hash)
{
    size_t at = (size_t)hash & set->mask;

    while (set->place[at] != 0 && set->place[at] != hash)
        at = (at + 1) & set->mask;
    return &set->place[at];
}

static int grow(struct set *set)
{
    size_t size = set->place ? 2 * (set->mask + 1) : FIRST;
    struct set more = {.place = calloc(size, sizeof(*more.place)), .mask = size - 1,
                       .count = set->count};

    if (!more.place)
        return WEIR_ENOMEM;
    for (size_t i = 0; set->place && i <= set->mask; i++)
        if (set->place[i] != 0)
            *place_of(&more, set->place[i]) = set->place[i];
    free(set->place);
    *set = more;
    return 0;
}

int weir_seen_new(const struct weir_hash_key *key, size_t most, struct weir_seen **seen_r)
{
    struct weir_seen *seen;

    if (most == 0 || most > WEIR_HITS_SEEN_MAX)
        return WEIR_EINVAL;
    seen = calloc(1, sizeof(*seen));
    if (!seen)
        return WEIR_ENOMEM;
    seen->key = *key;
    seen->most = most;
    *seen_r = seen;
    return 0;
}

void weir_seen_free(struct weir_seen **seen)
{
    if (!*seen)
        return;
    free((*seen)->newer.place);
    free((*seen)->older.place);
    free((*seen)->news);
    free(*seen);
    *seen = NULL;
}

static void take_turns(struct weir_seen *seen)
{
    free(seen->older.place);
    seen->older = seen->newer;
    seen->newer = (struct set){.count = 0};
}

/* What is too much of news is not told; the sets have it. */
static int tell(struct weir_seen *seen, uint64_t number)
{
    uint64_t *more;

    if (seen->new == seen->most)
        return 0;
    more = weir_grown(seen->news, seen->new, &seen->room, sizeof *more);
    if (!more)
        return WEIR_ENOMEM;
    seen->news = more;
    more[seen->new++] = number;
    return 0;
}

int weir_seen_note(struct weir_seen *seen, uint64_t number)
{
    uint64_t hash = weir_hash64(&seen->key, &number, sizeof(number)) | 1;
    struct set *newer = &seen->newer;
    int rc = 0;

    if ((newer->place && *place_of(newer, hash) != 0) ||
        (seen->older.place && *place_of(&seen->older, hash) != 0))
        return 1;
    if (newer->count >= seen->most)
        take_turns(seen);
    if (!newer->place || (newer->count + 1) * 4 > (newer->mask + 1) * 3)
        rc = grow(newer);
    rc = rc < 0 ? rc : tell(seen, number);
    if (rc == 0) {
        *place_of(newer, hash) = hash;
        newer->count++;
    }
    return rc;
}

const uint64_t *weir_seen_news(const struct weir_seen *seen, size_t *count_r)
{
    *count_r = seen->new;
    return seen->news;
}

void weir_seen_kept(struct weir_seen *seen)
{
    seen->new = 0;
}
