/*
 * even - one difference, found at each look.
 */
#include "sniffer/even.h"

void weir_even_look(struct weir_even *even, weir_time wall, weir_time steady)
{
    if (even->now == 0)
        even->base = wall - steady;
    even->now = steady + even->base;
    even->ahead = wall - even->now;
}

weir_time weir_even_of(const struct weir_even *even, weir_time wall)
{
    weir_time time = wall - even->ahead;

    return time > even->now || time < even->now - WEIR_EVEN_LATE ? even->now : time;
}
