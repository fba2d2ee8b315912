/*
 * settled - two clocks, and how far they went since the last time.
 */
#include "monitor/settled.h"

struct weir_settled weir_settled_begin(weir_time last)
{
    return (struct weir_settled){.last = last};
}

/* What the wall clock went beyond the steady one. */
static weir_time step_of(const struct weir_settled *settled, weir_time wall, weir_time steady)
{
    weir_time step = settled->steady ? wall - settled->wall - (steady - settled->steady) : 0;

    return step > WEIR_SETTLED_STEP || step < -WEIR_SETTLED_STEP ? step : 0;
}

bool weir_settled(struct weir_settled *settled, weir_time wall, weir_time steady,
                  weir_time *step_r)
{
    bool goes_on;

    *step_r = step_of(settled, wall, steady);
    if (settled->steady == 0 || *step_r != 0)
        settled->since = steady;
    settled->wall = wall;
    settled->steady = steady;
    goes_on = settled->last > 0 && wall >= settled->last - WEIR_SETTLED_STEP &&
              wall - settled->last <= WEIR_SETTLED_AWAY;
    if (!goes_on && steady - settled->since < WEIR_SETTLED_AFTER)
        return false;
    settled->last = wall;
    return true;
}
