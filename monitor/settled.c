/*
 * settled - when it was last trusted, and since when it goes evenly.
 */
#include "monitor/settled.h"

struct weir_settled weir_settled_begin(weir_time last)
{
    return (struct weir_settled){.last = last};
}

bool weir_settled(struct weir_settled *settled, weir_time wall, weir_time steady, weir_time step)
{
    bool goes_on = settled->last > 0 && wall >= settled->last - WEIR_SETTLED_BEHIND &&
                   wall - settled->last <= WEIR_SETTLED_AWAY;

    if (settled->since == 0 || step != 0)
        settled->since = steady;
    if (!goes_on && steady - settled->since < WEIR_SETTLED_AFTER)
        return false;
    settled->last = wall;
    return true;
}
