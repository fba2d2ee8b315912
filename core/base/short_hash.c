/*
 * short_hash - numbers out of a key: SipHash of their places.  What the sums cost stands in the
 * header, to be inlined.
 */
#include "core/base/short_hash.h"

struct weir_short_key weir_short_key(const struct weir_hash_key *key)
{
    struct weir_short_key numbers;
    uint8_t place[2];

    for (uint8_t half = 0; half < 2; half++) {
        for (uint8_t i = 0; i <= WEIR_SHORT_WORDS; i++) {
            place[0] = half;
            place[1] = i;
            numbers.number[half][i] = weir_hash64(key, place, sizeof place);
        }
    }
    return numbers;
}
