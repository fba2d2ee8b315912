/*
 * The spam-info string as text: fields (info_payload.c), tag (info_seal.c), base64.  What comes
 * in is a stranger's: nothing in it is looked at before its tag has been verified, but version,
 * flags and key id.
 */
#include "core/engine/info.h"

#include <string.h>

#include <sodium.h>

#include "core/base/error.h"
#include "core/engine/info_impl.h"

_Static_assert(WEIR_INFO_HEAD + WEIR_INFO_NONCE + WEIR_INFO_FIELDS + WEIR_INFO_TAG <=
                   WEIR_INFO_OCTETS, "there is room for all fields");

#define FIRST_LINE 64 /* with the header's name 77 characters */
#define NEXT_LINE 68

const char *weir_info_state_name(enum weir_info_state state)
{
    static const char *const name[] = {"valid", "unbound", "unknown-key", "bad", "malformed"};
    return (unsigned)state < WEIR_INFO_STATES ? name[state] : "?";
}

int weir_info_make(const struct weir_info *info, const struct weir_info_rule *rule, size_t rules,
                   const struct weir_info_keys *keys, bool sealed,
                   char text_r[static WEIR_INFO_TEXT_MAX + 1])
{
    static const char prefix[] = WEIR_INFO_PREFIX " ";
    uint8_t octet[WEIR_INFO_OCTETS];
    size_t start = WEIR_INFO_HEAD + (sealed ? WEIR_INFO_NONCE : 0);
    if (keys->keys == 0)
        return WEIR_EINVAL;
    octet[0] = WEIR_INFO_VERSION;
    octet[1] = sealed ? WEIR_INFO_SEALED : 0;
    octet[2] = keys->key[0].id;
    size_t len = start + weir_info_payload_write(info, rule, rules,
                                                 sizeof(octet) - start - WEIR_INFO_TAG,
                                                 octet + start);
    if (sealed)
        weir_info_seal(&keys->key[0], octet, len);
    else
        weir_info_sign(&keys->key[0], octet, len);
    memcpy(text_r, prefix, strlen(prefix));
    sodium_bin2base64(text_r + strlen(prefix), WEIR_INFO_TEXT_MAX + 1 - strlen(prefix), octet,
                      len + WEIR_INFO_TAG, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    return 0;
}

const char *weir_info_fold(const char *text, char folded_r[static WEIR_INFO_FOLDED_MAX])
{
    size_t len = strnlen(text, WEIR_INFO_TEXT_MAX), at = 0, room = FIRST_LINE;
    for (size_t from = 0; from < len; room = NEXT_LINE) {
        size_t piece = len - from < room ? len - from : room;
        if (from > 0) {
            folded_r[at++] = '\n';
            folded_r[at++] = ' ';
        }
        memcpy(folded_r + at, text + from, piece);
        at += piece;
        from += piece;
    }
    folded_r[at] = '\0';
    return folded_r;
}

/* The characters that are no white space.  Their number, or 0 when they are too many or not ASCII
 * (libsodium's base64 takes 0xdf for '_'). */
static size_t squeeze(struct weir_slice text, char squeezed_r[static WEIR_INFO_TEXT_MAX + 1])
{
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
            continue;
        if (len == WEIR_INFO_TEXT_MAX || (unsigned char)c > '~')
            return 0;
        squeezed_r[len++] = c;
    }
    squeezed_r[len] = '\0';
    return len;
}

/* Text to octets.  Their number, or 0 when it is not well formed. */
static size_t unpack(struct weir_slice text, uint8_t octet_r[static WEIR_INFO_OCTETS])
{
    char squeezed[WEIR_INFO_TEXT_MAX + 1];
    size_t prefix = strlen(WEIR_INFO_PREFIX), len = squeeze(text, squeezed), octets = 0;
    const char *end = NULL;
    if (len < prefix || memcmp(squeezed, WEIR_INFO_PREFIX, prefix) != 0)
        return 0;
    if (sodium_base642bin(octet_r, WEIR_INFO_OCTETS, squeezed + prefix, len - prefix, NULL,
                          &octets, &end, sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
        end != squeezed + len)
        return 0;
    return octets;
}

static const struct weir_info_key *find_key(const struct weir_info_keys *keys, uint8_t id)
{
    for (size_t i = 0; i < keys->keys; i++)
        if (keys->key[i].id == id)
            return &keys->key[i];
    return NULL;
}

enum weir_info_state weir_info_read(struct weir_slice text, uint64_t binding,
                                    const struct weir_info_keys *keys, struct weir_info *info_r)
{
    uint8_t octet[WEIR_INFO_OCTETS];
    size_t len = unpack(text, octet);
    bool sealed = len > WEIR_INFO_HEAD && octet[1] == WEIR_INFO_SEALED;
    size_t start = WEIR_INFO_HEAD + (sealed ? WEIR_INFO_NONCE : 0);
    if (len < start + WEIR_INFO_TAG || octet[0] != WEIR_INFO_VERSION ||
        octet[1] > WEIR_INFO_SEALED)
        return WEIR_INFO_MALFORMED;
    const struct weir_info_key *key = find_key(keys, octet[2]);
    if (!key)
        return WEIR_INFO_UNKNOWN_KEY;
    if (!(sealed ? weir_info_open(key, octet, len) : weir_info_verify(key, octet, len)))
        return WEIR_INFO_BAD;
    if (weir_info_payload_read(octet + start, len - start - WEIR_INFO_TAG, info_r) < 0)
        return WEIR_INFO_MALFORMED;
    return info_r->binding == binding ? WEIR_INFO_VALID : WEIR_INFO_UNBOUND;
}

uint64_t weir_info_uid(void)
{
    uint64_t uid;
    randombytes_buf(&uid, sizeof(uid));
    return uid;
}
