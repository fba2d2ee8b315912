/*
 * spared - a short array of what analysts accepted, in front of the lists.
 */
#include "monitor/threshold/spared.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/database/database_decisions_io.h"

struct weir_spared {
    struct weir_lists *lists;
    struct weir_spared_prefix *prefix;
    size_t count;
};

int weir_spared_new(struct weir_lists *lists, struct weir_spared **spared_r)
{
    struct weir_spared *spared = calloc(1, sizeof *spared);

    if (!spared)
        return WEIR_ENOMEM;
    spared->lists = lists;
    *spared_r = spared;
    return 0;
}

void weir_spared_free(struct weir_spared **spared)
{
    if (!spared || !*spared)
        return;
    free((*spared)->prefix);
    free(*spared);
    *spared = NULL;
}

int weir_spared_accept(struct weir_spared *spared, const struct weir_spared_prefix *prefix,
                       size_t count)
{
    struct weir_spared_prefix *copy = malloc((count + 1) * sizeof *copy);

    if (!copy)
        return WEIR_ENOMEM;
    if (count > 0)
        memcpy(copy, prefix, count * sizeof *copy);
    free(spared->prefix);
    spared->prefix = copy;
    spared->count = count;
    return 0;
}

static bool stands(const struct weir_spared_prefix *prefix, weir_time now)
{
    return prefix->ends == 0 || prefix->ends > now;
}

bool weir_spared_address(struct weir_spared *spared, weir_time now,
                         const struct weir_address *address)
{
    struct weir_list_entry entry;
    enum weir_list list;

    for (size_t i = 0; i < spared->count; i++)
        if (stands(&spared->prefix[i], now) &&
            weir_prefix_contains(&spared->prefix[i].prefix, address))
            return true;
    return spared->lists && weir_lists_find(spared->lists, now, address, &list, &entry) == 1 &&
           (list == WEIR_LIST_NEVER || list == WEIR_LIST_ACCEPT);
}

struct accepted {
    struct weir_spared_prefix *prefix;
    size_t count;
};

static int note_accepted(void *context, const struct weir_database_decision *decision)
{
    struct accepted *accepted = context;
    struct weir_spared_prefix *more;

    if (strcmp(decision->list, "accept") != 0)
        return 0;
    more = realloc(accepted->prefix, (accepted->count + 1) * sizeof *more);
    if (!more)
        return WEIR_ENOMEM;
    accepted->prefix = more;
    more[accepted->count++] = (struct weir_spared_prefix){decision->prefix, decision->ends};
    return 0;
}

int weir_spared_read(struct weir_database *database, weir_time now,
                     struct weir_spared_prefix **prefix_r, size_t *count_r)
{
    struct accepted accepted = {0};
    int done = weir_database_decisions_active(database, now, note_accepted, &accepted);

    if (done < 0) {
        free(accepted.prefix);
        return done;
    }
    *prefix_r = accepted.prefix;
    *count_r = accepted.count;
    return 0;
}

struct inside {
    const struct weir_prefix *prefix;
    weir_time now;
};

static int is_inside(void *context, const struct weir_list_entry *entry)
{
    const struct inside *inside = context;

    return !entry->is_domain && (entry->ends == 0 || entry->ends > inside->now) &&
           entry->prefix.bits >= inside->prefix->bits &&
           weir_prefix_contains(inside->prefix, &entry->prefix.address);
}

/* Whether all of a prefix is spared. */
static bool is_spared(struct weir_spared *spared, weir_time now, const struct weir_prefix *prefix)
{
    struct weir_list_entry entry;
    enum weir_list list;

    for (size_t i = 0; i < spared->count; i++)
        if (stands(&spared->prefix[i], now) && spared->prefix[i].prefix.bits <= prefix->bits &&
            weir_prefix_contains(&spared->prefix[i].prefix, &prefix->address))
            return true;
    return spared->lists &&
           weir_lists_find(spared->lists, now, &prefix->address, &list, &entry) == 1 &&
           entry.prefix.bits <= prefix->bits &&
           (list == WEIR_LIST_NEVER || list == WEIR_LIST_ACCEPT);
}

/* Whether something acceptable lies in a prefix. */
static bool holds_accepted(struct weir_spared *spared, weir_time now,
                           const struct weir_prefix *prefix)
{
    struct inside inside = {prefix, now};

    for (size_t i = 0; i < spared->count; i++)
        if (stands(&spared->prefix[i], now) && spared->prefix[i].prefix.bits >= prefix->bits &&
            weir_prefix_contains(prefix, &spared->prefix[i].prefix.address))
            return true;
    return spared->lists &&
           weir_lists_each(spared->lists, WEIR_LIST_ACCEPT, is_inside, &inside) > 0;
}

/* A /64 of IPv6 is one customer's: whoever has one address of it accepted must not have the others
 * spared, and servers look for what is acceptable before what is blocked. */
static bool is_one_customer(const struct weir_prefix *prefix)
{
    return prefix->bits >= WEIR_SPARED_CUSTOMER && !weir_address_is_ipv4(&prefix->address);
}

bool weir_spared_prefix(struct weir_spared *spared, weir_time now,
                        const struct weir_prefix *prefix, const char **why_r)
{
    struct inside inside = {prefix, now};

    if (weir_address_is_private(&prefix->address)) {
        *why_r = "it is a private address";
        return true;
    }
    if (is_spared(spared, now, prefix)) {
        *why_r = "it is acceptable, or never to be blocked";
        return true;
    }
    *why_r = "it holds an address that is acceptable, or never to be blocked";
    if (spared->lists &&
        weir_lists_each(spared->lists, WEIR_LIST_NEVER, is_inside, &inside) > 0)
        return true;
    return !is_one_customer(prefix) && holds_accepted(spared, now, prefix);
}
