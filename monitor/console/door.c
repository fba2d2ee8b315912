/*
 * door - reads fields of strangers: what is not exactly as it has to be is nothing.
 */
#include "monitor/console/door.h"

#include <stdio.h>
#include <string.h>

#include "core/base/address.h"
#include "core/base/slice.h"

/* host, host:port, [address] or [address]:port: the host alone. */
static bool host_of(struct weir_slice text, struct weir_slice *host_r)
{
    bool bracket = text.len > 0 && text.at[0] == '[';
    const char *end = bracket ? memchr(text.at, ']', text.len) : NULL;
    struct weir_slice rest;

    if (bracket && !end)
        return false;
    if (bracket) {
        *host_r = weir_slice_between(text.at + 1, end);
        rest = weir_slice_behind(text, (size_t)(end + 1 - text.at));
    } else {
        end = memchr(text.at, ':', text.len);
        host_r->at = text.at;
        host_r->len = end ? (size_t)(end - text.at) : text.len;
        rest = weir_slice_behind(text, host_r->len);
    }
    if (rest.len > 0 && (rest.at[0] != ':' || rest.len < 2 || rest.len > 6))
        return false;
    for (size_t i = 1; i < rest.len; i++)
        if (!weir_is_digit(rest.at[i]))
            return false;
    return host_r->len > 0 && host_r->len < WEIR_DOOR_HOST;
}

bool weir_door_url_host(const char *url, char host_r[static WEIR_DOOR_HOST])
{
    struct weir_slice text = weir_slice_of(url), host;
    size_t scheme = weir_slice_begins(text, "https://")  ? 8
                    : weir_slice_begins(text, "http://") ? 7
                                                         : 0;

    text = weir_slice_behind(text, scheme);
    if (scheme == 0 || !host_of(text, &host))
        return false;
    for (size_t i = 0; i < host.len; i++)
        if ((unsigned char)host.at[i] <= ' ' || strchr("/?#@\"<>", host.at[i]))
            return false;
    snprintf(host_r, WEIR_DOOR_HOST, "%.*s", (int)host.len, host.at);
    return true;
}

bool weir_door_host_fits(const char *field, const char *own, const char *url)
{
    struct weir_address address;
    struct weir_slice host;

    if (!field || !host_of(weir_slice_of(field), &host))
        return false;
    return weir_address_parse(host.at, host.len, &address) == 0 ||
           weir_slice_is(host, "localhost") || (own[0] && weir_slice_is(host, own)) ||
           (url[0] && weir_slice_is(host, url));
}

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
