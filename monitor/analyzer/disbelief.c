/*
 * disbelief - a ring of slots; those that were skipped are empty.
 */
#include "monitor/analyzer/disbelief.h"

#include <string.h>

static uint32_t *slot_of(struct weir_disbelief *disbelief, int64_t slot)
{
    return disbelief->count[slot % WEIR_DISBELIEF_SLOTS];
}

static void move_on(struct weir_disbelief *disbelief, int64_t slot)
{
    int64_t from = disbelief->slot + 1;

    if (slot < disbelief->slot || slot - from >= WEIR_DISBELIEF_SLOTS)
        memset(disbelief->count, 0, sizeof disbelief->count);
    else
        for (; from <= slot; from++)
            memset(slot_of(disbelief, from), 0, sizeof disbelief->count[0]);
    disbelief->slot = slot;
}

void weir_disbelief_note(struct weir_disbelief *disbelief, enum weir_record_state state,
                         weir_time now)
{
    uint32_t *count;

    move_on(disbelief, now / WEIR_DISBELIEF_SLOT);
    count = &slot_of(disbelief, disbelief->slot)[state];
    *count += *count < UINT32_MAX;
}

bool weir_disbelief_sum(const struct weir_disbelief *disbelief, weir_time now,
                        uint64_t sum_r[static WEIR_RECORD_STATES])
{
    struct weir_disbelief then = *disbelief;

    move_on(&then, now / WEIR_DISBELIEF_SLOT);
    memset(sum_r, 0, WEIR_RECORD_STATES * sizeof sum_r[0]);
    for (size_t i = 0; i < WEIR_DISBELIEF_SLOTS; i++)
        for (size_t state = 0; state < WEIR_RECORD_STATES; state++)
            sum_r[state] += then.count[i][state];
    return sum_r[WEIR_RECORD_FOREIGN] + sum_r[WEIR_RECORD_UNKNOWN_KEY] + sum_r[WEIR_RECORD_BAD] > 0;
}

bool weir_disbelief_news(struct weir_disbelief *disbelief, weir_time now)
{
    uint64_t sum[WEIR_RECORD_STATES];
    bool there = weir_disbelief_sum(disbelief, now, sum), news = there && !disbelief->told;

    disbelief->told = there;
    return news;
}
