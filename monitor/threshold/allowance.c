/*
 * allowance - what is missing of a full bucket, and since when; owns nothing, refuses nothing.
 */
#include "monitor/threshold/allowance.h"

static double missing_now(const struct weir_allowance *allowance, unsigned most, weir_time time)
{
    weir_time idle = time > allowance->time ? time - allowance->time : 0;
    double left = allowance->missing - (double)idle / WEIR_HOUR * most;

    return left > 0 ? left : 0;
}

bool weir_allowance_left(const struct weir_allowance *allowance, unsigned most, weir_time time)
{
    return missing_now(allowance, most, time) + 1 <= most * (1 + 1e-9);
}

void weir_allowance_take(struct weir_allowance *allowance, unsigned most, weir_time time)
{
    double left = missing_now(allowance, most, time) + 1;

    allowance->missing = left < most ? left : most;
    if (time > allowance->time)
        allowance->time = time;
}
