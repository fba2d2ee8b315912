/*
 * One array, found by an index with open addressing that is at most half full.
 */
#include "monitor/analyzer/pairs.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"

enum { FIRST = 1024 };

struct weir_pairs {
    struct weir_hash_key key;
    size_t size;            /* octets of a row */
    char *row;
    size_t rows, room;      /* the index has twice as many places */
    uint32_t *index;        /* number of a row + 1; 0: none */
};

static uint32_t *place_of(const struct weir_pairs *pairs, const uint32_t pair[static 2])
{
    size_t mask = 2 * pairs->room - 1;
    size_t at = (size_t)weir_hash64(&pairs->key, pair, 2 * sizeof *pair) & mask;

    while (pairs->index[at] != 0 &&
           memcmp(pairs->row + (pairs->index[at] - 1) * pairs->size, pair, 2 * sizeof *pair) != 0)
        at = (at + 1) & mask;
    return &pairs->index[at];
}

/* Arrays of another size, a power of 2; what is there is found again. */
static int resize(struct weir_pairs *pairs, size_t room)
{
    char *row = malloc(room * pairs->size);
    uint32_t *index = calloc(2 * room, sizeof *index), pair[2];

    if (!row || !index) {
        free(row);
        free(index);
        return WEIR_ENOMEM;
    }
    if (pairs->rows > 0)
        memcpy(row, pairs->row, pairs->rows * pairs->size);
    free(pairs->row);
    free(pairs->index);
    pairs->row = row;
    pairs->index = index;
    pairs->room = room;
    for (size_t i = 0; i < pairs->rows; i++) {
        memcpy(pair, row + i * pairs->size, sizeof pair);
        *place_of(pairs, pair) = (uint32_t)i + 1;
    }
    return 0;
}

int weir_pairs_new(const struct weir_hash_key *key, size_t row_size, struct weir_pairs **pairs_r)
{
    struct weir_pairs *pairs = calloc(1, sizeof *pairs);
    int rc = WEIR_ENOMEM;

    if (pairs) {
        pairs->key = *key;
        pairs->size = row_size;
        rc = resize(pairs, FIRST);
    }
    if (rc < 0)
        weir_pairs_free(&pairs);
    *pairs_r = pairs;
    return rc;
}

void weir_pairs_free(struct weir_pairs **pairs)
{
    if (!*pairs)
        return;
    free((*pairs)->row);
    free((*pairs)->index);
    free(*pairs);
    *pairs = NULL;
}

int weir_pairs_room(struct weir_pairs *pairs, size_t more)
{
    size_t room = pairs->room;

    while (room < pairs->rows + more)
        room *= 2;
    return room > pairs->room ? resize(pairs, room) : 0;
}

void *weir_pairs_find(const struct weir_pairs *pairs, uint32_t one, uint32_t other)
{
    const uint32_t pair[2] = {one, other};
    uint32_t place = *place_of(pairs, pair);

    return place > 0 ? pairs->row + (place - 1) * pairs->size : NULL;
}

void *weir_pairs_add(struct weir_pairs *pairs, uint32_t one, uint32_t other)
{
    const uint32_t pair[2] = {one, other};
    uint32_t *place = place_of(pairs, pair);
    char *row = pairs->row + pairs->rows * pairs->size;

    memset(row, 0, pairs->size);
    memcpy(row, pair, sizeof pair);
    *place = (uint32_t)++pairs->rows;
    return row;
}

void *weir_pairs_at(const struct weir_pairs *pairs, size_t number)
{
    return number < pairs->rows ? pairs->row + number * pairs->size : NULL;
}

size_t weir_pairs_number(const struct weir_pairs *pairs, const void *row)
{
    return (size_t)((const char *)row - pairs->row) / pairs->size;
}

size_t weir_pairs_count(const struct weir_pairs *pairs)
{
    return pairs->rows;
}

void weir_pairs_clear(struct weir_pairs *pairs)
{
    if (pairs->rows > 0)
        memset(pairs->index, 0, 2 * pairs->room * sizeof *pairs->index);
    pairs->rows = 0;
}
