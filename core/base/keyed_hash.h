/*
 * keyed_hash - SipHash-2-4 (Aumasson, Bernstein 2012) under a secret key.
 *
 * For every table whose keys a sender chooses: without the key nobody can aim
 * at a bucket or at another sender's counters.
 */
#ifndef WEIR_BASE_KEYED_HASH_H
#define WEIR_BASE_KEYED_HASH_H

#include <stddef.h>
#include <stdint.h>

#define WEIR_HASH_KEY 16

struct weir_hash_key {
    uint8_t octet[WEIR_HASH_KEY];
};

/* 64 bits of len octets. */
uint64_t weir_hash64(const struct weir_hash_key *key, const void *bytes, size_t len);

/* 128 bits of len octets. */
void weir_hash128(const struct weir_hash_key *key, const void *bytes, size_t len,
                  uint8_t hash_r[static 16]);

/* A key from the system's random source. */
struct weir_hash_key weir_hash_key_random(void);

#endif
