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

/* The characters that are no white space.  Their number, or 0 when they are too many or not
 * ASCII. */
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

/* Base64url without padding, to at most WEIR_INFO_OCTETS.  Their number, or 0 when it is none, or
 * has bits that mean nothing.  libsodium's takes as long for any text, which nobody needs for what
 * everybody may see, and a fifth of the time of reading a string. */
static size_t from_base64(const char *text, size_t len, uint8_t *octet_r)
{
    static const uint8_t digit[128] = { /* its value and one */
        ['A'] = 1, ['B'] = 2, ['C'] = 3, ['D'] = 4, ['E'] = 5, ['F'] = 6, ['G'] = 7, ['H'] = 8,
        ['I'] = 9, ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15,
        ['P'] = 16, ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22,
        ['W'] = 23, ['X'] = 24, ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29,
        ['d'] = 30, ['e'] = 31, ['f'] = 32, ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36,
        ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42, ['q'] = 43,
        ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48, ['w'] = 49, ['x'] = 50,
        ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56, ['4'] = 57,
        ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['-'] = 63, ['_'] = 64,
    };
    uint32_t gathered = 0;
    unsigned bits = 0;
    size_t octets = 0;

    if (len % 4 == 1 || 6 * len / 8 > WEIR_INFO_OCTETS)
        return 0;
    for (size_t i = 0; i < len; i++) {
        uint8_t value = digit[text[i] & 0x7f];

        if (value == 0)
            return 0;
        gathered = gathered << 6 | (uint32_t)(value - 1);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            octet_r[octets++] = (uint8_t)(gathered >> bits);
        }
    }
    return (gathered & ((1u << bits) - 1)) == 0 ? octets : 0;
}

/* Text to octets.  Their number, or 0 when it is not well formed. */
static size_t unpack(struct weir_slice text, uint8_t octet_r[static WEIR_INFO_OCTETS])
{
    char squeezed[WEIR_INFO_TEXT_MAX + 1];
    size_t prefix = strlen(WEIR_INFO_PREFIX), len = squeeze(text, squeezed);
    if (len < prefix || memcmp(squeezed, WEIR_INFO_PREFIX, prefix) != 0)
        return 0;
    return from_base64(squeezed + prefix, len - prefix, octet_r);
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
