/*
 * door - reads fields of strangers: what is not exactly as it has to be is nothing.
 */
#include "monitor/console/door.h"

#include <string.h>

#include "core/base/address.h"
#include "core/base/slice.h"

bool weir_door_is_near(const struct weir_address *from, const char *url, const char *forwarded)
{
    struct weir_slice host = weir_slice_of(url);
    struct weir_address address;

    if (!weir_address_is_loopback(from) || forwarded)
        return false;
    if (host.len == 0 || weir_slice_is(host, "localhost"))
        return true;
    return weir_address_parse(host.at, host.len, &address) == 0 &&
           weir_address_is_loopback(&address);
}

static bool take(struct weir_slice text, char token_r[static WEIR_TOKEN_TEXT])
{
    if (text.len != WEIR_TOKEN_TEXT - 1)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i], low = (char)(c | 0x20);

        if (!weir_is_digit(c) && !(low >= 'a' && low <= 'z') && c != '-' && c != '_')
            return false;
    }
    memcpy(token_r, text.at, text.len);
    token_r[text.len] = '\0';
    return true;
}

static bool find_cookie(const char *field, const char *name, char text_r[static WEIR_TOKEN_TEXT])
{
    size_t len = strlen(name);
    struct weir_slice rest = weir_slice_maybe(field);
    unsigned found = 0;

    while (rest.len > 0) {
        const char *end = memchr(rest.at, ';', rest.len);
        struct weir_slice one = end ? weir_slice_between(rest.at, end) : rest;

        rest = weir_slice_behind(rest, end ? one.len + 1 : one.len);
        one = weir_slice_trim(one);
        if (one.len <= len || memcmp(one.at, name, len) != 0 || one.at[len] != '=')
            continue;
        if (++found > 1 || !take(weir_slice_behind(one, len + 1), text_r))
            return false;
    }
    return found == 1;
}

bool weir_door_cookie(const char *field, char session_r[static WEIR_TOKEN_TEXT])
{
    return find_cookie(field, WEIR_DOOR_COOKIE, session_r);
}

bool weir_door_device(const char *field, char device_r[static WEIR_TOKEN_TEXT])
{
    return find_cookie(field, WEIR_DOOR_DEVICE, device_r);
}

bool weir_door_bearer(const char *field, char token_r[static WEIR_TOKEN_TEXT])
{
    struct weir_slice text = weir_slice_maybe(field);

    return weir_slice_begins(text, "Bearer ") &&
           take(weir_slice_trim(weir_slice_behind(text, sizeof "Bearer " - 1)), token_r);
}
