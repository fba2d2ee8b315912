/*
 * Takes "host:port*weight" apart.  Nothing is resolved here.  Refuses what
 * cannot be a host name, an address or a path, so that a slip in the configuration is
 * an error with a reason and not a server that never answers.
 */
#include "core/store/memcached_server.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/base/error.h"

#define PORT_USUAL 11211
#define PORT_MAX 65535

/* A decimal number of 1..most without leading zeros, at the text's end. */
static bool number_of(const char *text, unsigned most, unsigned *number_r)
{
    unsigned number = 0;
    if (*text < '1' || *text > '9')
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        number = number * 10 + (unsigned)(*text - '0');
        if (number > most)
            return false;
    }
    *number_r = number;
    return true;
}

static void lower(char *text)
{
    for (; *text; text++)
        if (*text >= 'A' && *text <= 'Z')
            *text = (char)(*text - 'A' + 'a');
}

static const char *parse_path(const char *text, struct weir_memcached_server *server)
{
    if (strlen(text) > WEIR_SOCKET_PATH_MAX)
        return "the path of a socket may have 107 octets";
    server->port = 0;
    snprintf(server->host, sizeof server->host, "%.107s", text);
    snprintf(server->name, sizeof server->name, "%.107s", text);
    return NULL;
}

/* Copies the host to server->host; what follows it (":port" or nothing) to *rest_r. */
static const char *parse_host(const char *text, struct weir_memcached_server *server,
                              const char **rest_r)
{
    static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    static const char address[] = "0123456789abcdefABCDEF:.";
    bool bracketed = *text == '[';
    const char *host = text + bracketed;
    size_t len = strspn(host, bracketed ? address : word);
    const char *rest = host + len;
    if (bracketed && *rest == '%') /* a link-local address names its interface */
        len = (size_t)((rest += 1 + strspn(rest + 1, word)) - host);
    if (bracketed && *rest++ != ']')
        return "an IPv6 address stands in brackets: [2001:db8::1]:11211";
    if (!bracketed && strchr(rest, ':') != strrchr(rest, ':'))
        return "an IPv6 address stands in brackets: [2001:db8::1]:11211";
    if (len == 0 || (*rest != ':' && *rest != '\0'))
        return "not a host name, an address or the path of a socket";
    if (len + sizeof "[]:65535" - 1 > WEIR_NODE_NAME_MAX)
        return "a host name may have 119 octets here";
    snprintf(server->host, sizeof server->host, "%.*s", (int)len, host);
    *rest_r = rest;
    return NULL;
}

static const char *parse_inet(const char *text, struct weir_memcached_server *server)
{
    const char *rest;
    const char *why = parse_host(text, server, &rest);
    if (why)
        return why;
    server->port = PORT_USUAL;
    if (*rest == ':' && !number_of(rest + 1, PORT_MAX, &server->port))
        return "a port is a number of 1 to 65535";
    lower(server->host);
    snprintf(server->name, sizeof server->name, *text == '[' ? "[%.118s]:%u" : "%.118s:%u",
             server->host, server->port);
    return NULL;
}

int weir_memcached_server_parse(const char *text, struct weir_memcached_server *server_r,
                                const char **why_r)
{
    struct weir_memcached_server server = {.weight = 1};
    char place[2 * WEIR_NODE_NAME_MAX];
    const char *star = strrchr(text, '*');
    size_t len = star ? (size_t)(star - text) : strlen(text);
    const char *why = NULL;
    if (star && !number_of(star + 1, WEIR_NODE_WEIGHT_MAX, &server.weight))
        why = "a weight is a number of 1 to 100";
    else if (len >= sizeof place)
        why = "longer than any host name or path";
    if (!why) {
        snprintf(place, sizeof place, "%.*s", (int)len, text);
        why = *place == '/' ? parse_path(place, &server) : parse_inet(place, &server);
    }
    *why_r = why;
    if (why)
        return WEIR_EINVAL;
    *server_r = server;
    return 0;
}
