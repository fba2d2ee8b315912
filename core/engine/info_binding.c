/*
 * The digest that binds an info string to its message: From, Date and Message-ID as DKIM's
 * relaxed form has them, so that relays may fold them anew.  All fields of a name count, so that
 * a second From above or below is noticed.
 */
#include "core/engine/info_impl.h"

#include <string.h>

#include <sodium.h>

#include "core/base/slice.h"

/* Adds a value with its runs of blanks as one, and none at its ends. */
static void add_relaxed(crypto_hash_sha256_state *state, struct weir_slice value)
{
    unsigned char piece[256];
    size_t len = 0;
    bool blank = false, any = false;
    for (size_t i = 0; i < value.len; i++) {
        if (weir_is_blank(value.at[i])) {
            blank = true;
            continue;
        }
        if (blank && any)
            piece[len++] = ' ';
        blank = false;
        any = true;
        piece[len++] = (unsigned char)value.at[i];
        if (len >= sizeof(piece) - 1) {
            crypto_hash_sha256_update(state, piece, len);
            len = 0;
        }
    }
    crypto_hash_sha256_update(state, piece, len);
}

uint64_t weir_info_binding(const struct weir_message *message)
{
    static const char *const name[] = {"from", "date", "message-id"};
    crypto_hash_sha256_state state;
    uint8_t digest[crypto_hash_sha256_BYTES];
    uint64_t binding = 0;

    crypto_hash_sha256_init(&state);
    for (size_t i = 0; i < sizeof(name) / sizeof(*name); i++) {
        const struct weir_field *field;
        for (size_t from = 0; (field = weir_message_field(message, 0, name[i], &from));) {
            crypto_hash_sha256_update(&state, (const unsigned char *)name[i], strlen(name[i]));
            crypto_hash_sha256_update(&state, (const unsigned char *)":", 1);
            add_relaxed(&state, field->value);
            crypto_hash_sha256_update(&state, (const unsigned char *)"\r\n", 2);
        }
    }
    crypto_hash_sha256_final(&state, digest);
    for (int i = 0; i < 8; i++)
        binding = binding << 8 | digest[i];
    return binding;
}
