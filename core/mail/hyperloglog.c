/*
 * Six bits of the hash choose the register, which keeps the longest run of zeroes seen in the rest.
 * Owns nothing.  A register above what a hash can give (from a damaged file) is refused by who
 * reads the file, not here.
 */
#include "core/mail/hyperloglog.h"

#include <math.h>
#include <string.h>

#define INDEX_BITS 6
#define ALPHA 0.709 /* the paper's constant for 64 registers */

void weir_hyperloglog_add(struct weir_hyperloglog *counter, uint64_t hash)
{
    uint64_t rest = hash << INDEX_BITS | (UINT64_C(1) << (INDEX_BITS - 1)); /* never all zero */
    uint8_t run = (uint8_t)(__builtin_clzll(rest) + 1);
    uint8_t *kept = &counter->now[hash >> (64 - INDEX_BITS)];
    if (run > *kept)
        *kept = run;
}

void weir_hyperloglog_turn(struct weir_hyperloglog *counter)
{
    memcpy(counter->before, counter->now, sizeof counter->before);
    memset(counter->now, 0, sizeof counter->now);
}

double weir_hyperloglog_count(const struct weir_hyperloglog *counter)
{
    double sum = 0;
    int empty = 0;
    for (int i = 0; i < WEIR_HYPERLOGLOG; i++) {
        int now = counter->now[i], before = counter->before[i];
        int most = now > before ? now : before;
        sum += ldexp(1, -most);
        empty += most == 0;
    }
    double count = ALPHA * WEIR_HYPERLOGLOG * WEIR_HYPERLOGLOG / sum;
    if (count <= 2.5 * WEIR_HYPERLOGLOG && empty > 0)
        count = WEIR_HYPERLOGLOG * log((double)WEIR_HYPERLOGLOG / empty);
    return count;
}
