/*
 * host_field - reads what strangers say: what is not exactly as it has to be is nothing.
 */
#include "core/program/host_field.h"

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
    return host_r->len > 0 && host_r->len < WEIR_HOST_ROOM;
}

bool weir_host_of_url(const char *url, char host_r[static WEIR_HOST_ROOM])
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
    snprintf(host_r, WEIR_HOST_ROOM, "%.*s", (int)host.len, host.at);
    return true;
}

bool weir_host_fits(const char *field, const char *own, const char *declared)
{
    struct weir_address address;
    struct weir_slice host;

    if (!field || !host_of(weir_slice_of(field), &host))
        return false;
    return weir_address_parse(host.at, host.len, &address) == 0 ||
           weir_slice_is(host, "localhost") || (own[0] && weir_slice_is(host, own)) ||
           (declared[0] && weir_slice_is(host, declared));
}
