/*
 * The mark is a counter of an entity of its own, which nothing else has: a hash of what is marked.
 * It does not fade.
 */
#include "monitor/agent/vote_mark.h"

struct weir_counter weir_vote_mark(const struct weir_hash_key *key, uint64_t uid, int64_t number)
{
    const uint64_t mark[] = {UINT64_C(0x766f7465206d6164), uid, (uint64_t)number};
    struct weir_counter counter = {.variable = WEIR_GROUP_GOOD};

    weir_hash128(key, mark, sizeof mark, counter.entity.id);
    return counter;
}
