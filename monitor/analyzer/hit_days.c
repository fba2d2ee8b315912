/*
 * The additions are rows of pairs.h: rule and day.
 */
#include "monitor/analyzer/hit_days.h"

#include <stdlib.h>

#include "core/base/error.h"
#include "monitor/analyzer/pairs.h"

struct weir_hit_days {
    struct weir_pairs *rows;
};

int weir_hit_days_new(const struct weir_hash_key *key, struct weir_hit_days **days_r)
{
    struct weir_hit_days *days = calloc(1, sizeof *days);
    int rc = days ? weir_pairs_new(key, sizeof(struct weir_hit_day), &days->rows) : WEIR_ENOMEM;

    if (rc < 0) {
        weir_hit_days_free(&days);
        return rc;
    }
    *days_r = days;
    return 0;
}

void weir_hit_days_free(struct weir_hit_days **days)
{
    if (!*days)
        return;
    weir_pairs_free(&(*days)->rows);
    free(*days);
    *days = NULL;
}

int weir_hit_days_room(struct weir_hit_days *days, size_t more)
{
    return weir_pairs_room(days->rows, more);
}

struct weir_hit_day *weir_hit_days_of(struct weir_hit_days *days, uint32_t rule, int32_t day,
                                      uint32_t *hint)
{
    struct weir_hit_day *row = *hint > 0 ? weir_pairs_at(days->rows, *hint - 1) : NULL;

    if (row && row->rule == rule && row->day == day)
        return row;
    row = weir_pairs_find(days->rows, rule, (uint32_t)day);
    if (!row)
        row = weir_pairs_add(days->rows, rule, (uint32_t)day);
    *hint = (uint32_t)weir_pairs_number(days->rows, row) + 1;
    return row;
}

const struct weir_hit_day *weir_hit_days_get(const struct weir_hit_days *days, size_t number)
{
    return weir_pairs_at(days->rows, number);
}

void weir_hit_days_clear(struct weir_hit_days *days)
{
    weir_pairs_clear(days->rows);
}
