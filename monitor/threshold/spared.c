/*
 * spared - what analysts accepted, in front of the lists.
 *
 * Each charge asks about its address, so that this is one search in ranges (classes.h), however
 * many were accepted.  Those that have ended since they were read are still among them: where the
 * longest prefix has, all are looked through for a wider one that stands.
 */
#include "monitor/threshold/spared.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/grown.h"
#include "monitor/agent/command.h"
#include "monitor/database/database_decisions_io.h"
#include "monitor/threshold/classes.h"

enum { NOBODY = 0 }; /* a class; those of prefixes are one more than their number */

struct weir_spared {
    struct weir_lists *lists;
    struct weir_spared_prefix *prefix;
    size_t count;
    struct weir_classes *classes; /* of the prefixes; NULL: there are none */
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
    weir_classes_free(&(*spared)->classes);
    free((*spared)->prefix);
    free(*spared);
    *spared = NULL;
}

/* The one of several about a prefix that lasts longest stands first. */
static int in_order(const void *a, const void *b)
{
    const struct weir_spared_prefix *one = a, *other = b;
    int order = memcmp(one->prefix.address.octet, other->prefix.address.octet,
                       sizeof one->prefix.address.octet);

    if (order != 0 || one->prefix.bits != other->prefix.bits)
        return order != 0 ? order : (int)one->prefix.bits - (int)other->prefix.bits;
    if (one->ends == other->ends)
        return 0;
    return one->ends == 0 || (other->ends != 0 && one->ends > other->ends) ? -1 : 1;
}

/* Sorts, and leaves each prefix once; how many are left. */
static size_t sort(struct weir_spared_prefix *prefix, size_t count)
{
    size_t kept = 0;

    if (count > 0)
        qsort(prefix, count, sizeof *prefix, in_order);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || prefix[kept - 1].prefix.bits != prefix[i].prefix.bits ||
            !weir_address_equal(&prefix[kept - 1].prefix.address, &prefix[i].prefix.address))
            prefix[kept++] = prefix[i];
    return kept;
}

static int make_classes(const struct weir_spared_prefix *prefix, size_t count,
                        struct weir_classes **classes_r)
{
    struct weir_class_prefix *class = malloc((count + 1) * sizeof *class);
    int done = WEIR_ENOMEM;

    for (size_t i = 0; class && i < count; i++)
        class[i] = (struct weir_class_prefix){prefix[i].prefix, (unsigned)i + 1};
    if (class)
        done = weir_classes_new(class, count, NOBODY, classes_r);
    free(class);
    return done;
}

int weir_spared_accept(struct weir_spared *spared, const struct weir_spared_prefix *prefix,
                       size_t count)
{
    struct weir_spared_prefix *copy = malloc((count + 1) * sizeof *copy);
    struct weir_classes *classes = NULL;

    if (!copy)
        return WEIR_ENOMEM;
    if (count > 0)
        memcpy(copy, prefix, count * sizeof *copy);
    count = sort(copy, count);
    if (make_classes(copy, count, &classes) < 0) {
        free(copy);
        return WEIR_ENOMEM;
    }
    weir_classes_free(&spared->classes);
    free(spared->prefix);
    spared->prefix = copy;
    spared->count = count;
    spared->classes = classes;
    return 0;
}

static bool stands(const struct weir_spared_prefix *prefix, weir_time now)
{
    return prefix->ends == 0 || prefix->ends > now;
}

static bool is_accepted(const struct weir_spared *spared, weir_time now,
                        const struct weir_address *address)
{
    struct weir_class_found found = {NOBODY, 0};

    if (spared->classes)
        found = weir_classes_find(spared->classes, address);
    if (found.class_number == NOBODY)
        return false;
    if (stands(&spared->prefix[found.class_number - 1], now))
        return true;
    for (size_t i = 0; i < spared->count; i++)
        if (stands(&spared->prefix[i], now) &&
            weir_prefix_contains(&spared->prefix[i].prefix, address))
            return true;
    return false;
}

/* What this machine's agent was told by a monitor is that monitor's decision, and the database has
 * it: left in the lists while no agent runs, it stands for nothing. */
static bool is_own(const struct weir_list_entry *entry)
{
    return strcmp(entry->origin, WEIR_COMMAND_ORIGIN) != 0;
}

struct around {
    const struct weir_prefix *prefix;
    weir_time now;
};

static int is_around(void *context, const struct weir_list_entry *entry)
{
    const struct around *around = context;

    return !entry->is_domain && is_own(entry) &&
           (entry->ends == 0 || entry->ends > around->now) &&
           entry->prefix.bits <= around->prefix->bits &&
           weir_prefix_contains(&entry->prefix, &around->prefix->address);
}

/* Whether the lists spare all of a prefix.  Where the narrowest entry is the agent's, or narrower
 * than the prefix itself, all are looked through for another. */
static bool lists_spare(struct weir_spared *spared, weir_time now,
                        const struct weir_prefix *prefix)
{
    struct around around = {prefix, now};
    struct weir_list_entry entry;
    enum weir_list list;

    if (!spared->lists ||
        weir_lists_find(spared->lists, now, &prefix->address, &list, &entry) != 1)
        return false;
    if (list == WEIR_LIST_NEVER)
        return entry.prefix.bits <= prefix->bits;
    if (list != WEIR_LIST_ACCEPT)
        return false;
    return (is_own(&entry) && entry.prefix.bits <= prefix->bits) ||
           weir_lists_each(spared->lists, WEIR_LIST_ACCEPT, is_around, &around) > 0;
}

bool weir_spared_address(struct weir_spared *spared, weir_time now,
                         const struct weir_address *address)
{
    struct weir_prefix one = {.address = *address, .bits = 128};

    return is_accepted(spared, now, address) || lists_spare(spared, now, &one);
}

struct accepted {
    struct weir_spared_prefix *prefix;
    size_t count, room;
};

static int note_accepted(void *context, const struct weir_database_decision *decision)
{
    struct accepted *accepted = context;
    struct weir_spared_prefix *more = weir_grown(accepted->prefix, accepted->count,
                                                 &accepted->room, sizeof *more);

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
    int done = weir_database_decisions_accepted(database, now, note_accepted, &accepted);

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

    return !entry->is_domain && is_own(entry) &&
           (entry->ends == 0 || entry->ends > inside->now) &&
           entry->prefix.bits >= inside->prefix->bits &&
           weir_prefix_contains(inside->prefix, &entry->prefix.address);
}

/* Whether all of a prefix is spared. */
static bool is_spared(struct weir_spared *spared, weir_time now, const struct weir_prefix *prefix)
{
    for (size_t i = 0; i < spared->count; i++)
        if (stands(&spared->prefix[i], now) && spared->prefix[i].prefix.bits <= prefix->bits &&
            weir_prefix_contains(&spared->prefix[i].prefix, &prefix->address))
            return true;
    return lists_spare(spared, now, prefix);
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
