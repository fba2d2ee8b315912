/*
 * accounts - names, roles, and what a token's text becomes.
 */
#include "monitor/console/accounts.h"

#include <sodium.h>
#include <string.h>

#include "core/base/slice.h"
#include "core/mail/charset.h"

#define DEVICE 16 /* octets of each half of a mark */

static const char *const roles[] = {"nobody", "viewer", "analyst", "administrator"};

const char *weir_role_name(enum weir_role role)
{
    return roles[role];
}

enum weir_role weir_role_of(const char *name)
{
    for (int role = WEIR_VIEWER; role <= WEIR_ADMINISTRATOR; role++)
        if (strcmp(roles[role], name) == 0)
            return (enum weir_role)role;
    return WEIR_NOBODY;
}

bool weir_account_name_fit(struct weir_slice name)
{
    if (name.len == 0 || name.len > WEIR_ACCOUNT_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i], low = (char)(c | 0x20);
        bool plain = weir_is_digit(c) || (low >= 'a' && low <= 'z');

        if (!plain && (i == 0 || !c || !strchr("-_.@", c)))
            return false;
    }
    return true;
}

bool weir_password_fit(const char *name, struct weir_slice password, const char **why_r)
{
    if (password.len < WEIR_PASSWORD_MIN)
        *why_r = "a password has at least 10 octets";
    else if (password.len > WEIR_PASSWORD_MAX)
        *why_r = "a password has at most 128 octets";
    else if (memchr(password.at, '\0', password.len) || !weir_charset_is_utf8(password))
        *why_r = "a password is a text in UTF-8";
    else if (weir_slice_is(password, name))
        *why_r = "a password is not the name";
    else
        return true;
    return false;
}

static void as_text(const uint8_t octets[static WEIR_TOKEN_HASH],
                    char text_r[static WEIR_TOKEN_TEXT])
{
    sodium_bin2base64(text_r, WEIR_TOKEN_TEXT, octets, WEIR_TOKEN_HASH,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

void weir_token_new(char text_r[static WEIR_TOKEN_TEXT])
{
    uint8_t octets[WEIR_TOKEN_HASH];

    randombytes_buf(octets, sizeof octets);
    as_text(octets, text_r);
    sodium_memzero(octets, sizeof octets);
}

void weir_password_new(char text_r[static WEIR_PASSWORD_NEW])
{
    static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789"; /* none like another */

    for (size_t i = 0; i < WEIR_PASSWORD_NEW - 1; i++)
        text_r[i] = i % 6 == 5 ? '-' : letters[randombytes_uniform(sizeof letters - 1)];
    text_r[WEIR_PASSWORD_NEW - 1] = '\0';
}

void weir_token_hash(const char *text, uint8_t hash_r[static WEIR_TOKEN_HASH])
{
    crypto_hash_sha256(hash_r, (const unsigned char *)text, strlen(text));
}

/* The second half of a mark, of its first. */
static void sign_device(const struct weir_account *account, uint8_t octets[static WEIR_TOKEN_HASH])
{
    static const char what[] = "weir console, a device";
    crypto_generichash_state state;
    uint8_t key[WEIR_TOKEN_HASH];

    weir_token_hash(account->hash, key);
    crypto_generichash_init(&state, key, sizeof key, DEVICE);
    crypto_generichash_update(&state, (const unsigned char *)what, sizeof what);
    crypto_generichash_update(&state, (const unsigned char *)account->name,
                              sizeof account->name);
    crypto_generichash_update(&state, octets, DEVICE);
    crypto_generichash_final(&state, octets + DEVICE, DEVICE);
    sodium_memzero(key, sizeof key);
}

void weir_device_new(const struct weir_account *account, char text_r[static WEIR_TOKEN_TEXT])
{
    uint8_t octets[WEIR_TOKEN_HASH];

    randombytes_buf(octets, DEVICE);
    sign_device(account, octets);
    as_text(octets, text_r);
}

uint64_t weir_device_read(const struct weir_account *account, const char *text)
{
    uint8_t octets[WEIR_TOKEN_HASH], own[WEIR_TOKEN_HASH];
    uint64_t number;
    size_t len;

    if (sodium_base642bin(octets, sizeof octets, text, strlen(text), NULL, &len, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 || len != sizeof octets)
        return 0;
    memcpy(own, octets, DEVICE);
    sign_device(account, own);
    memcpy(&number, octets, sizeof number);
    return sodium_memcmp(own, octets, sizeof own) == 0 ? number | 1 : 0;
}

void weir_token_csrf(const char *session, char csrf_r[static WEIR_TOKEN_TEXT])
{
    static const char what[] = "weir console, against forged requests";
    uint8_t octets[WEIR_TOKEN_HASH];

    crypto_generichash(octets, sizeof octets, (const unsigned char *)what, sizeof what - 1,
                       (const unsigned char *)session,
                       strnlen(session, crypto_generichash_KEYBYTES_MAX));
    as_text(octets, csrf_r);
}

bool weir_token_same(const char *a, const char *b)
{
    uint8_t one[WEIR_TOKEN_HASH], other[WEIR_TOKEN_HASH];

    weir_token_hash(a, one);
    weir_token_hash(b, other);
    return sodium_memcmp(one, other, sizeof one) == 0;
}
