/*
 * endpoint - where a server listens or is asked.  Parsing only; refuses what a
 * socket call would later stumble over: no port, a port out of range, a path that
 * is relative or too long.
 */
#include "core/base/endpoint.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"

static int parse_unix(const char *path, struct weir_endpoint *endpoint, const char **why_r)
{
    if (path[0] != '/') {
        *why_r = "the path does not begin with '/'";
        return WEIR_EINVAL;
    }
    if (strlen(path) > WEIR_ENDPOINT_PATH_MAX) {
        *why_r = "the path is too long for a Unix socket";
        return WEIR_EINVAL;
    }
    endpoint->is_unix = true;
    strcpy(endpoint->host, path);
    return 0;
}

static int parse_port(const char *port, struct weir_endpoint *endpoint, const char **why_r)
{
    size_t len = strlen(port);

    if (len == 0 || len > 5 || strspn(port, "0123456789") != len || atoi(port) > 65535) {
        *why_r = "the port is not a number from 0 to 65535";
        return WEIR_EINVAL;
    }
    strcpy(endpoint->port, port);
    return 0;
}

static int parse_inet(const char *text, struct weir_endpoint *endpoint, const char **why_r)
{
    const char *colon = strrchr(text, ':');
    size_t len = colon ? (size_t)(colon - text) : 0;
    bool bracketed = len > 2 && text[0] == '[' && text[len - 1] == ']';

    if (bracketed) {
        text++;
        len -= 2;
    }
    if (len == 0 || (!bracketed && strpbrk(text, ":[]") != colon)) {
        *why_r = "not inet:host:port (an IPv6 address in [brackets])";
        return WEIR_EINVAL;
    }
    memcpy(endpoint->host, text, len);
    return parse_port(colon + 1, endpoint, why_r);
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

int weir_endpoint_parse(const char *text, struct weir_endpoint *endpoint_r, const char **why_r)
{
    struct weir_endpoint endpoint = {.is_unix = false};
    int done = WEIR_EINVAL;

    *why_r = "neither inet:host:port nor unix:/path";
    if (strlen(text) > WEIR_ENDPOINT_MAX)
        *why_r = "too long";
    else if (begins(text, "inet:"))
        done = parse_inet(text + strlen("inet:"), &endpoint, why_r);
    else if (begins(text, "unix:"))
        done = parse_unix(text + strlen("unix:"), &endpoint, why_r);
    if (done == 0 && endpoint_r)
        *endpoint_r = endpoint;
    return done;
}
