/*
 * One array, found by an index with open addressing that is at most half full.
 */
#include "monitor/analyzer/hit_days.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"

enum { FIRST = 1024 };

struct weir_hit_days {
    struct weir_hash_key key;
    struct weir_hit_day *row;
    size_t rows, room;      /* the index has twice as many places */
    uint32_t *index;        /* number of a row + 1; 0: none */
};

static uint32_t *place_of(const struct weir_hit_days *days, uint32_t rule, int32_t day)
{
    const uint32_t pair[2] = {rule, (uint32_t)day};
    size_t mask = 2 * days->room - 1;
    size_t at = (size_t)weir_hash64(&days->key, pair, sizeof pair) & mask;

    for (; days->index[at] != 0; at = (at + 1) & mask) {
        const struct weir_hit_day *row = &days->row[days->index[at] - 1];

        if (row->rule == rule && row->day == day)
            break;
    }
    return &days->index[at];
}

/* Arrays of another size, a power of 2; what is there is found again. */
static int resize(struct weir_hit_days *days, size_t room)
{
    struct weir_hit_day *row = malloc(room * sizeof *row);
    uint32_t *index = calloc(2 * room, sizeof *index);

    if (!row || !index) {
        free(row);
        free(index);
        return WEIR_ENOMEM;
    }
    if (days->rows > 0)
        memcpy(row, days->row, days->rows * sizeof *row);
    free(days->row);
    free(days->index);
    days->row = row;
    days->index = index;
    days->room = room;
    for (size_t i = 0; i < days->rows; i++)
        *place_of(days, row[i].rule, row[i].day) = (uint32_t)i + 1;
    return 0;
}

int weir_hit_days_new(const struct weir_hash_key *key, struct weir_hit_days **days_r)
{
    struct weir_hit_days *days = calloc(1, sizeof *days);
    int rc = days ? resize(days, FIRST) : WEIR_ENOMEM;

    if (rc < 0) {
        weir_hit_days_free(&days);
        return rc;
    }
    days->key = *key;
    *days_r = days;
    return 0;
}

void weir_hit_days_free(struct weir_hit_days **days)
{
    if (!*days)
        return;
    free((*days)->row);
    free((*days)->index);
    free(*days);
    *days = NULL;
}

int weir_hit_days_room(struct weir_hit_days *days, size_t more)
{
    size_t room = days->room;

    while (room < days->rows + more)
        room *= 2;
    return room > days->room ? resize(days, room) : 0;
}

struct weir_hit_day *weir_hit_days_of(struct weir_hit_days *days, uint32_t rule, int32_t day,
                                      uint32_t *hint)
{
    struct weir_hit_day *row = *hint > 0 && *hint <= days->rows ? &days->row[*hint - 1] : NULL;
    uint32_t *place;

    if (row && row->rule == rule && row->day == day)
        return row;
    place = place_of(days, rule, day);
    if (*place == 0) {
        days->row[days->rows] = (struct weir_hit_day){.rule = rule, .day = day};
        *place = (uint32_t)++days->rows;
    }
    *hint = *place;
    return &days->row[*place - 1];
}

const struct weir_hit_day *weir_hit_days_get(const struct weir_hit_days *days, size_t number)
{
    return number < days->rows ? &days->row[number] : NULL;
}

void weir_hit_days_clear(struct weir_hit_days *days)
{
    if (days->rows > 0)
        memset(days->index, 0, 2 * days->room * sizeof *days->index);
    days->rows = 0;
}
