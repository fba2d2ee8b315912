/* scope - short lists of text become ports and prefixes; refuses what is none, and too many. */
#include "sniffer/scope.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"

/* The next item of *text; false at its end. */
static bool next_item(const char **text, struct weir_slice *item_r)
{
    const char *at = *text + strspn(*text, ", \t");

    *item_r = (struct weir_slice){at, strcspn(at, ", \t")};
    *text = at + item_r->len;
    return item_r->len > 0;
}

/* 0 for what is no port. */
static uint16_t port_of(struct weir_slice item)
{
    unsigned port = 0;

    for (size_t i = 0; i < item.len; i++) {
        if (!weir_is_digit(item.at[i]) || port > UINT16_MAX)
            return 0;
        port = port * 10 + (unsigned)(item.at[i] - '0');
    }
    return port > UINT16_MAX ? 0 : (uint16_t)port;
}

int weir_scope_add_ports(struct weir_scope *scope, const char *text, const char **why_r)
{
    struct weir_slice item;

    while (next_item(&text, &item)) {
        uint16_t port = port_of(item);

        *why_r = port == 0 ? "a port is a number from 1 to 65535" : "too many ports";
        if (port == 0)
            return WEIR_EINVAL;
        if (scope->ports == WEIR_SNIFFER_PORTS_MAX)
            return WEIR_ELIMIT;
        scope->port[scope->ports++] = port;
    }
    return 0;
}

int weir_scope_add_proxies(struct weir_scope *scope, const char *text, const char **why_r)
{
    struct weir_slice item;

    while (next_item(&text, &item)) {
        struct weir_prefix prefix;

        if (weir_prefix_parse(item.at, item.len, &prefix, why_r) < 0)
            return WEIR_EINVAL;
        *why_r = "too many proxies";
        if (scope->proxies == WEIR_SNIFFER_PROXIES_MAX)
            return WEIR_ELIMIT;
        scope->proxy[scope->proxies++] = prefix;
    }
    return 0;
}

typedef int adder(struct weir_scope *scope, const char *text, const char **why_r);

static int add_all(struct weir_scope *scope, adder *add_one, const char *instead,
                   const struct weir_strings *list, const char **why_r)
{
    int done = instead ? add_one(scope, instead, why_r) : 0;

    for (size_t i = 0; done == 0 && !instead && i < list->count; i++)
        done = add_one(scope, list->item[i], why_r);
    return done;
}

int weir_scope_read(const struct weir_config *config, const char *ports, const char *proxies,
                    struct weir_scope *scope_r, const char **why_r)
{
    struct weir_scope scope = {.ports = 0};
    int done = add_all(&scope, weir_scope_add_ports, ports, &config->sniffer_ports, why_r);

    if (done == 0)
        done = add_all(&scope, weir_scope_add_proxies, proxies, &config->sniffer_proxies, why_r);
    if (done == 0 && scope.ports == 0) {
        *why_r = "there is no port to listen to";
        done = WEIR_EINVAL;
    }
    if (done == 0)
        *scope_r = scope;
    return done;
}

bool weir_scope_same(const struct weir_scope *a, const struct weir_scope *b)
{
    return a->ports == b->ports && a->proxies == b->proxies &&
           memcmp(a->port, b->port, a->ports * sizeof a->port[0]) == 0 &&
           memcmp(a->proxy, b->proxy, a->proxies * sizeof a->proxy[0]) == 0;
}
