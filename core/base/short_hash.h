/*
 * short_hash - a keyed hash of a few numbers, for tables of this process whose keys a sender
 * chooses.
 *
 *     two times the upper half of  k[n] + k[0] w[0] + ... + k[n-1] w[n-1]  (mod 2^64), mixed
 *
 * for n words of 32 bits and random numbers k of 64.  Whoever does not see hashes cannot do better
 * than chance: two different keys of the same length meet in a given half with a probability of
 * 2^-32, whatever they are (strongly universal; D. Lemire, O. Kaser: Strongly universal string
 * hashing is fast, Computer Journal 57, 2014, MULTILINEAR).  The halves are mixed, one to one,
 * because sums of keys that count are evenly far from each other, and tables where the next place
 * is taken want chance.  It costs a tenth of SipHash, which stays the choice where hashes are
 * written down or shown (keyed_hash.h).
 *
 * Threads:  pure.
 * Limits:   WEIR_SHORT_WORDS words.
 */
#ifndef WEIR_BASE_SHORT_HASH_H
#define WEIR_BASE_SHORT_HASH_H

#include "core/base/keyed_hash.h"

#define WEIR_SHORT_WORDS 9 /* two IPv6 addresses and two ports */

struct weir_short_key {
    uint64_t number[2][WEIR_SHORT_WORDS + 1];
};

/* The numbers that follow from a key. */
struct weir_short_key weir_short_key(const struct weir_hash_key *key);

/* 64 bits of so many words, at most WEIR_SHORT_WORDS. */
static inline uint64_t weir_short_hash(const struct weir_short_key *key, const uint32_t *word,
                                       size_t words)
{
    uint64_t sum[2] = {key->number[0][words], key->number[1][words]};

    for (size_t i = 0; i < words; i++) {
        sum[0] += key->number[0][i] * word[i];
        sum[1] += key->number[1][i] * word[i];
    }
    uint64_t hash = (sum[0] >> 32) << 32 | sum[1] >> 32;
    hash = (hash ^ hash >> 32) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

#endif
