/*
 * libsodium's SipHash behind a type for the key.  Keys are plain values and
 * belong to the caller; they are never shown or logged.
 */
#include "core/base/keyed_hash.h"

#include <endian.h>
#include <sodium.h>
#include <string.h>

_Static_assert(WEIR_HASH_KEY == crypto_shorthash_siphash24_KEYBYTES, "one key for both widths");
_Static_assert(WEIR_HASH_KEY == crypto_shorthash_siphashx24_KEYBYTES, "one key for both widths");

uint64_t weir_hash64(const struct weir_hash_key *key, const void *bytes, size_t len)
{
    uint8_t octet[crypto_shorthash_siphash24_BYTES];
    uint64_t hash;
    crypto_shorthash_siphash24(octet, len > 0 ? bytes : "", len, key->octet);
    memcpy(&hash, octet, sizeof(hash));
    return le64toh(hash); /* SipHash is little-endian on every machine */
}

void weir_hash128(const struct weir_hash_key *key, const void *bytes, size_t len,
                  uint8_t hash_r[static 16])
{
    crypto_shorthash_siphashx24(hash_r, len > 0 ? bytes : "", len, key->octet);
}

struct weir_hash_key weir_hash_key_random(void)
{
    struct weir_hash_key key;
    randombytes_buf(key.octet, sizeof(key.octet));
    return key;
}
