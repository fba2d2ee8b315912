/*
 * reporter - the hash's key is a hash of the purpose and of the rest of the string's key.
 */
#include "core/engine/reporter.h"

#include <string.h>

#include "core/base/limits.h"

void weir_reporter_key(const struct weir_info_keys *keys, const char *purpose,
                       struct weir_hash_key *key_r)
{
    const uint8_t *octet = keys->key[0].octet;
    uint8_t rest[WEIR_INFO_KEY - WEIR_HASH_KEY + WEIR_REPORTERS_PURPOSE_MAX];
    size_t own = WEIR_INFO_KEY - WEIR_HASH_KEY, len = strlen(purpose) + 1;
    struct weir_hash_key key;

    len = len < WEIR_REPORTERS_PURPOSE_MAX ? len : WEIR_REPORTERS_PURPOSE_MAX;
    memcpy(key.octet, octet, WEIR_HASH_KEY);
    memcpy(rest, octet + WEIR_HASH_KEY, own);
    memcpy(rest + own, purpose, len);
    weir_hash128(&key, rest, own + len, key_r->octet);
    explicit_bzero(&key, sizeof key);
    explicit_bzero(rest, sizeof rest);
}

uint64_t weir_reporter(const struct weir_hash_key *key, struct weir_slice name)
{
    char text[WEIR_REPORT_USER_MAX];
    size_t len = name.len < sizeof text ? name.len : sizeof text;

    for (size_t i = 0; i < len; i++)
        text[i] = name.at[i] >= 'A' && name.at[i] <= 'Z' ? (char)(name.at[i] | 0x20) : name.at[i];
    return weir_hash64(key, text, len);
}
