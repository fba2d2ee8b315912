/*
 * The reader and writer of parcels.  A head is lines of "word value", each exactly where it
 * belongs; what stands there otherwise, or more or less than the sections say, is refused.
 *
 * Owns nothing.  The signature is the prehashed one (Ed25519ph), so that nothing is copied to put
 * the words in front that keep it apart from other things this key might ever sign.
 */
#include "core/evidence/rule_parcel.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"

#define FIRST_LINE "weir-rules 1"
#define SIGNATURE_TEXT 86 /* base64url of 64 octets */
#define HEAD_MOST 4096
#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING

static const char *const section_names[WEIR_PARCEL_SECTIONS] = {"rules", "bayes"};

static const char no_parcel[] = "it is no file of a rule set, or one of another version";
static const char changed[] = "it was changed or cut: its signature does not hold";
static const char misshapen[] = "it is signed, but its head is none";

/* Keys. -------------------------------------------------------------------------------- */

/* Only the one text that these octets have: libsodium also takes some octets above 127. */
static bool read_text(struct weir_slice text, uint8_t *octets_r, size_t size)
{
    char again[SIGNATURE_TEXT + 1];
    size_t len;
    bool good = text.len <= SIGNATURE_TEXT &&
                sodium_base642bin(octets_r, size, text.at, text.len, NULL, &len, NULL,
                                  BASE64) == 0 && len == size;

    if (good)
        sodium_bin2base64(again, sizeof again, octets_r, size, BASE64);
    good = good && weir_slice_equals(text, again);
    sodium_memzero(again, sizeof again);
    return good;
}

void weir_parcel_seed_new(char seed_r[static WEIR_PARCEL_KEY_TEXT])
{
    unsigned char seed[crypto_sign_SEEDBYTES];

    randombytes_buf(seed, sizeof seed);
    sodium_bin2base64(seed_r, WEIR_PARCEL_KEY_TEXT, seed, sizeof seed, BASE64);
    sodium_memzero(seed, sizeof seed);
}

bool weir_parcel_keys_read(struct weir_slice text, struct weir_parcel_keys *keys_r)
{
    unsigned char seed[crypto_sign_SEEDBYTES];
    bool good;

    text = weir_slice_trim(text);
    good = text.len == WEIR_PARCEL_KEY_TEXT - 1 && read_text(text, seed, sizeof seed) &&
           crypto_sign_seed_keypair(keys_r->open, keys_r->secret, seed) == 0;
    sodium_memzero(seed, sizeof seed);
    return good;
}

const char *weir_parcel_public_text(const uint8_t *open,
                                    char text_r[static WEIR_PARCEL_KEY_TEXT])
{
    return sodium_bin2base64(text_r, WEIR_PARCEL_KEY_TEXT, open, WEIR_PARCEL_PUBLIC, BASE64);
}

bool weir_parcel_public_read(struct weir_slice text, uint8_t open_r[static WEIR_PARCEL_PUBLIC])
{
    return text.len == WEIR_PARCEL_KEY_TEXT - 1 && read_text(text, open_r, WEIR_PARCEL_PUBLIC);
}

const char *weir_parcel_key_id(const uint8_t *open, char id_r[static WEIR_PARCEL_KEY_ID])
{
    unsigned char hash[crypto_generichash_BYTES];

    crypto_generichash(hash, sizeof hash, open, WEIR_PARCEL_PUBLIC, NULL, 0);
    return sodium_bin2hex(id_r, WEIR_PARCEL_KEY_ID, hash, (WEIR_PARCEL_KEY_ID - 1) / 2);
}

/* Making. -------------------------------------------------------------------------------- */

static void begin_signing(crypto_sign_state *state, const char *octets, size_t len)
{
    crypto_sign_init(state);
    crypto_sign_update(state, (const unsigned char *)FIRST_LINE, sizeof FIRST_LINE);
    crypto_sign_update(state, (const unsigned char *)octets, len);
}

/* The head behind the signature's line; its length. */
static size_t write_head(const struct weir_rule_parcel *parcel, const char *key,
                         char head_r[static HEAD_MOST])
{
    int len = snprintf(head_r, HEAD_MOST, "key %s\nserial %" PRIu32 "\nmade %" PRId64
                       "\nrules %zu\n", key, parcel->serial, parcel->made / WEIR_SECOND,
                       parcel->rules);

    for (size_t i = 0; i < WEIR_PARCEL_SECTIONS; i++)
        if (parcel->section[i].len > 0)
            len += snprintf(head_r + len, HEAD_MOST - (size_t)len, "section %s %zu\n",
                            section_names[i], parcel->section[i].len);
    head_r[len++] = '\n';
    return (size_t)len;
}

static void sign(const struct weir_parcel_keys *keys, const char *octets, size_t len,
                 char text_r[static SIGNATURE_TEXT + 1])
{
    unsigned char signature[crypto_sign_BYTES];
    crypto_sign_state state;

    begin_signing(&state, octets, len);
    crypto_sign_final_create(&state, signature, NULL, keys->secret);
    sodium_bin2base64(text_r, SIGNATURE_TEXT + 1, signature, sizeof signature, BASE64);
}

/* Octets of all of it, or 0 when that is too many. */
static size_t whole_len(const struct weir_rule_parcel *parcel, size_t head)
{
    size_t len = head;

    for (size_t i = 0; i < WEIR_PARCEL_SECTIONS; i++) {
        if (parcel->section[i].len > WEIR_RULE_PARCEL_MAX - len)
            return 0;
        len += parcel->section[i].len;
    }
    return len;
}

int weir_rule_parcel_make(const struct weir_rule_parcel *parcel,
                          const struct weir_parcel_keys *keys, void **octets_r, size_t *len_r)
{
    static const char front[] = FIRST_LINE "\nsignature ";
    const size_t before = sizeof front - 1 + SIGNATURE_TEXT + 1;
    char key[WEIR_PARCEL_KEY_ID], head[HEAD_MOST], *octets, *at;
    size_t head_len, len;

    if (parcel->serial == 0 || parcel->made < 0)
        return WEIR_EINVAL;
    head_len = write_head(parcel, weir_parcel_key_id(keys->open, key), head);
    len = whole_len(parcel, before + head_len);
    if (parcel->serial > WEIR_RULE_SERIAL_MAX || len == 0)
        return WEIR_ELIMIT;
    octets = malloc(len);
    if (!octets)
        return WEIR_ENOMEM;
    memcpy(octets, front, sizeof front - 1);
    memcpy(octets + before, head, head_len);
    at = octets + before + head_len;
    for (size_t i = 0; i < WEIR_PARCEL_SECTIONS; i++)
        if (parcel->section[i].len > 0) {
            memcpy(at, parcel->section[i].at, parcel->section[i].len);
            at += parcel->section[i].len;
        }
    sign(keys, octets + before, len - before, octets + sizeof front - 1);
    octets[before - 1] = '\n'; /* over the signature's NUL */
    *octets_r = octets;
    *len_r = len;
    return 0;
}

/* Reading. ------------------------------------------------------------------------------- */

/* Takes the next line; false at the end, and for octets without a line's end. */
static bool next_line(struct weir_slice *rest, struct weir_slice *line_r)
{
    const char *end = rest->len > 0 ? memchr(rest->at, '\n', rest->len) : NULL;

    if (!end)
        return false;
    *line_r = weir_slice_between(rest->at, end);
    *rest = weir_slice_behind(*rest, line_r->len + 1);
    return true;
}

/* Takes "word value" as the next line. */
static bool take(struct weir_slice *rest, const char *word, struct weir_slice *value_r)
{
    size_t len = strlen(word);
    struct weir_slice line;

    if (!next_line(rest, &line) || line.len <= len || memcmp(line.at, word, len) != 0 ||
        line.at[len] != ' ')
        return false;
    *value_r = weir_slice_behind(line, len + 1);
    return true;
}

/* Digits without a zero in front, up to most. */
static bool read_number(struct weir_slice text, uint64_t most, uint64_t *number_r)
{
    uint64_t number = 0;

    if (text.len == 0 || text.len > 19 || (text.len > 1 && text.at[0] == '0'))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (!weir_is_digit(text.at[i]))
            return false;
        number = number * 10 + (uint64_t)(text.at[i] - '0');
    }
    *number_r = number;
    return number <= most;
}

static bool take_number(struct weir_slice *rest, const char *word, uint64_t most,
                        uint64_t *number_r)
{
    struct weir_slice value;

    return take(rest, word, &value) && read_number(value, most, number_r);
}

/* What this line says of a section: its name and length. */
static bool read_section(struct weir_slice line, struct weir_slice *name_r, uint64_t *len_r)
{
    const char *blank = line.len > 0 ? memchr(line.at, ' ', line.len) : NULL;

    if (!blank)
        return false;
    *name_r = weir_slice_between(line.at, blank);
    return name_r->len > 0 &&
           read_number(weir_slice_between(blank + 1, line.at + line.len), WEIR_RULE_PARCEL_MAX,
                       len_r);
}

struct sections {
    struct weir_slice name[WEIR_RULE_PARCEL_SECTIONS_MAX];
    uint64_t len[WEIR_RULE_PARCEL_SECTIONS_MAX];
    size_t count;
};

/* The lines of sections, up to the empty one. */
static bool take_sections(struct weir_slice *rest, struct sections *sections)
{
    struct weir_slice line = {"", 1};

    for (;;) {
        struct weir_slice *name = &sections->name[sections->count];

        if (rest->len > 0 && rest->at[0] == '\n')
            return next_line(rest, &line);
        if (sections->count == WEIR_RULE_PARCEL_SECTIONS_MAX || !take(rest, "section", &line) ||
            !read_section(line, name, &sections->len[sections->count]))
            return false;
        sections->count++;
    }
}

/* Gives each section its octets, of which none may be left, and none twice. */
static bool share_out(struct weir_slice rest, const struct sections *sections,
                      struct weir_rule_parcel *parcel)
{
    for (size_t i = 0; i < sections->count; i++) {
        size_t len = (size_t)sections->len[i];

        if (len > rest.len)
            return false;
        for (size_t j = 0; j < WEIR_PARCEL_SECTIONS; j++)
            if (weir_slice_equals(sections->name[i], section_names[j])) {
                if (parcel->section[j].at)
                    return false;
                parcel->section[j] = (struct weir_slice){rest.at, len};
            }
        rest = weir_slice_behind(rest, len);
    }
    return rest.len == 0;
}

static bool read_rest(struct weir_slice rest, struct weir_rule_parcel *parcel)
{
    struct sections sections = {.count = 0};
    uint64_t serial, made, rules;

    if (!take_number(&rest, "serial", WEIR_RULE_SERIAL_MAX, &serial) || serial == 0 ||
        !take_number(&rest, "made", INT64_MAX / WEIR_SECOND, &made) ||
        !take_number(&rest, "rules", WEIR_RULES_MAX, &rules) || !take_sections(&rest, &sections))
        return false;
    parcel->serial = (uint32_t)serial;
    parcel->made = (weir_time)made * WEIR_SECOND;
    parcel->rules = (size_t)rules;
    return share_out(rest, &sections, parcel);
}

/* Whether the signature is the key's; signed_ is all behind its line. */
static bool holds(struct weir_slice signature, struct weir_slice signed_, const uint8_t *open)
{
    unsigned char octets[crypto_sign_BYTES];
    crypto_sign_state state;

    if (!read_text(signature, octets, sizeof octets))
        return false;
    begin_signing(&state, signed_.at, signed_.len);
    return crypto_sign_final_verify(&state, octets, open) == 0;
}

static int refuse(const char *why, const char **why_r)
{
    *why_r = why;
    return WEIR_ECORRUPT;
}

int weir_rule_parcel_read(const void *octets, size_t len, const uint8_t *open,
                          struct weir_rule_parcel *parcel_r, const char **why_r)
{
    struct weir_slice rest = {octets, len}, line, signature, signed_, key;
    struct weir_rule_parcel parcel = {0};
    char own[WEIR_PARCEL_KEY_ID];

    if (len > WEIR_RULE_PARCEL_MAX) {
        *why_r = "it is longer than any rule set";
        return WEIR_ELIMIT;
    }
    if (!next_line(&rest, &line) || !weir_slice_equals(line, FIRST_LINE) ||
        !take(&rest, "signature", &signature))
        return refuse(no_parcel, why_r);
    signed_ = rest;
    if (!take(&rest, "key", &key) || key.len != WEIR_PARCEL_KEY_ID - 1)
        return refuse(no_parcel, why_r);
    if (open && !weir_slice_equals(key, weir_parcel_key_id(open, own)))
        return refuse("it is signed with a key that is not the monitor's", why_r);
    if (open && !holds(signature, signed_, open))
        return refuse(changed, why_r);
    memcpy(parcel.key, key.at, key.len);
    if (!read_rest(rest, &parcel))
        return refuse(open ? misshapen : changed, why_r);
    *parcel_r = parcel;
    return 0;
}

/* Names. --------------------------------------------------------------------------------- */

const char *weir_parcel_name(uint32_t serial, char name_r[static WEIR_PARCEL_NAME])
{
    snprintf(name_r, WEIR_PARCEL_NAME, "rules-%" PRIu32 ".db", serial);
    return name_r;
}

uint32_t weir_parcel_serial_of(const char *name)
{
    struct weir_slice text = weir_slice_of(name);
    const size_t before = strlen("rules-"), behind = strlen(".db");
    uint64_t serial;

    if (text.len <= before + behind || memcmp(name, "rules-", before) != 0 ||
        strcmp(name + text.len - behind, ".db") != 0)
        return 0;
    text = weir_slice_behind(text, before);
    text.len -= behind;
    return read_number(text, WEIR_RULE_SERIAL_MAX, &serial) ? (uint32_t)serial : 0;
}
