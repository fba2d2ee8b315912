/*
 * Tags and sealing, by libsodium.  One key file serves both, so a key of its own is derived for
 * each use; a signed string can never be taken for a sealed one.  Tags are compared
 * in constant time.
 */
#include "core/engine/info_impl.h"

#include <string.h>

#include <sodium.h>

_Static_assert(WEIR_INFO_NONCE == crypto_aead_chacha20poly1305_ietf_NPUBBYTES, "nonce");
_Static_assert(WEIR_INFO_TAG == crypto_aead_chacha20poly1305_ietf_ABYTES, "tag");
_Static_assert(WEIR_INFO_KEY == crypto_auth_hmacsha256_KEYBYTES, "key");

static const char signing[] = "weir info v1 sign", sealing[] = "weir info v1 seal";

enum use { SIGNING, SEALING };

static void derive(const struct weir_info_key *key, enum use use,
                   uint8_t derived_r[static WEIR_INFO_KEY])
{
    const char *word = use == SIGNING ? signing : sealing;

    if (key->ready)
        memcpy(derived_r, key->derived[use], WEIR_INFO_KEY);
    else
        crypto_auth_hmacsha256(derived_r, (const unsigned char *)word, strlen(word), key->octet);
}

void weir_info_keys_ready(struct weir_info_keys *keys)
{
    for (size_t i = 0; i < keys->keys; i++) {
        struct weir_info_key *key = &keys->key[i];

        key->ready = false;
        derive(key, SIGNING, key->derived[SIGNING]);
        derive(key, SEALING, key->derived[SEALING]);
        key->ready = true;
    }
}

static void make_tag(const struct weir_info_key *key, const uint8_t *octet, size_t len,
                     uint8_t tag_r[static WEIR_INFO_TAG])
{
    uint8_t derived[WEIR_INFO_KEY], whole[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_state state;
    derive(key, SIGNING, derived);
    crypto_auth_hmacsha256_init(&state, derived, sizeof(derived));
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)signing, sizeof(signing));
    crypto_auth_hmacsha256_update(&state, octet, len);
    crypto_auth_hmacsha256_final(&state, whole);
    memcpy(tag_r, whole, WEIR_INFO_TAG);
    sodium_memzero(derived, sizeof(derived));
    sodium_memzero(&state, sizeof(state));
}

void weir_info_sign(const struct weir_info_key *key, uint8_t *octet, size_t len)
{
    make_tag(key, octet, len, octet + len);
}

bool weir_info_verify(const struct weir_info_key *key, const uint8_t *octet, size_t len)
{
    uint8_t tag[WEIR_INFO_TAG];
    if (len < WEIR_INFO_HEAD + WEIR_INFO_TAG)
        return false;
    make_tag(key, octet, len - WEIR_INFO_TAG, tag);
    return sodium_memcmp(tag, octet + len - WEIR_INFO_TAG, WEIR_INFO_TAG) == 0;
}

void weir_info_seal(const struct weir_info_key *key, uint8_t *octet, size_t len)
{
    uint8_t derived[WEIR_INFO_KEY], *nonce = octet + WEIR_INFO_HEAD;
    uint8_t *fields = nonce + WEIR_INFO_NONCE;
    derive(key, SEALING, derived);
    randombytes_buf(nonce, WEIR_INFO_NONCE);
    crypto_aead_chacha20poly1305_ietf_encrypt(fields, NULL, fields,
                                              len - WEIR_INFO_HEAD - WEIR_INFO_NONCE, octet,
                                              WEIR_INFO_HEAD, NULL, nonce, derived);
    sodium_memzero(derived, sizeof(derived));
}

bool weir_info_open(const struct weir_info_key *key, uint8_t *octet, size_t len)
{
    uint8_t derived[WEIR_INFO_KEY], *nonce = octet + WEIR_INFO_HEAD;
    uint8_t *fields = nonce + WEIR_INFO_NONCE;
    if (len < WEIR_INFO_HEAD + WEIR_INFO_NONCE + WEIR_INFO_TAG)
        return false;
    derive(key, SEALING, derived);
    int rc = crypto_aead_chacha20poly1305_ietf_decrypt(fields, NULL, NULL, fields,
                                                       len - WEIR_INFO_HEAD - WEIR_INFO_NONCE,
                                                       octet, WEIR_INFO_HEAD, nonce, derived);
    sodium_memzero(derived, sizeof(derived));
    return rc == 0;
}
