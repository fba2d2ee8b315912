/*
 * Prefixes of classes, sorted and laid flat: each range begins at an address and holds up to the
 * next one.  IPv4 and IPv6 have ranges of their own, since ::/0 does not hold IPv4's addresses.
 * The table owns copies of all; it refuses a prefix that is in two classes.
 */
#include "monitor/threshold/classes.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"

enum { DEPTH_MOST = 130 }; /* prefixes within prefixes: each is longer than the one around it */

struct range {
    struct weir_address first;
    struct weir_class_found found;
};

struct ranges {
    struct range *range;
    size_t count;
};

struct weir_classes {
    struct weir_class_prefix *prefix; /* sorted: IPv6 and IPv4 each by address, then length */
    size_t count;
    unsigned default_class;
    struct ranges ipv4, ipv6;
};

static bool is_ipv4(const struct weir_prefix *prefix)
{
    return prefix->bits >= 96 && weir_address_is_ipv4(&prefix->address);
}

static int in_order(const void *a, const void *b)
{
    const struct weir_prefix *p = &((const struct weir_class_prefix *)a)->prefix;
    const struct weir_prefix *q = &((const struct weir_class_prefix *)b)->prefix;
    if (is_ipv4(p) != is_ipv4(q))
        return is_ipv4(p) ? 1 : -1;
    int order = memcmp(p->address.octet, q->address.octet, sizeof(p->address.octet));
    return order ? order : (int)p->bits - (int)q->bits;
}

/* The first address behind a prefix; false when it is the last one there is. */
static bool address_behind(const struct weir_prefix *prefix, struct weir_address *behind_r)
{
    *behind_r = prefix->address;
    for (unsigned bit = prefix->bits; bit > 0; bit--) {
        uint8_t *octet = &behind_r->octet[(bit - 1) / 8], mask = (uint8_t)(0x80 >> (bit - 1) % 8);
        *octet ^= mask;
        if (*octet & mask)
            return true;
    }
    return false;
}

/* Where a range begins; one that begins at the same place is replaced. */
static void begin(struct ranges *ranges, const struct weir_address *first, unsigned class_number,
                  unsigned bits)
{
    size_t n = ranges->count;
    if (n == 0 || !weir_address_equal(&ranges->range[n - 1].first, first))
        ranges->count++;
    ranges->range[ranges->count - 1] = (struct range){*first, {class_number, bits}};
}

/* The prefixes around the place that has been come to, the innermost last. */
struct around {
    const struct weir_class_prefix *prefix[DEPTH_MOST];
    unsigned depth;
};

/* Ends the innermost prefix: what is around it goes on. */
static void end_innermost(struct around *around, struct ranges *ranges, unsigned default_class)
{
    struct weir_address behind;
    bool more = address_behind(&around->prefix[--around->depth]->prefix, &behind);
    const struct weir_class_prefix *outer =
        around->depth > 0 ? around->prefix[around->depth - 1] : NULL;
    if (more && outer)
        begin(ranges, &behind, outer->class_number, outer->prefix.bits);
    else if (more)
        begin(ranges, &behind, default_class, 0);
}

static void lay_flat(const struct weir_class_prefix *prefix, size_t n, unsigned default_class,
                     struct ranges *ranges)
{
    static const struct weir_address lowest;
    struct around around = {.depth = 0};
    begin(ranges, &lowest, default_class, 0);
    for (size_t i = 0; i < n; i++) {
        while (around.depth > 0 && !weir_prefix_contains(&around.prefix[around.depth - 1]->prefix,
                                                         &prefix[i].prefix.address))
            end_innermost(&around, ranges, default_class);
        begin(ranges, &prefix[i].prefix.address, prefix[i].class_number, prefix[i].prefix.bits);
        around.prefix[around.depth++] = &prefix[i];
    }
    while (around.depth > 0)
        end_innermost(&around, ranges, default_class);
}

/* Sorts, and leaves out what is there twice; false when a prefix is in two classes. */
static bool sort(struct weir_classes *classes)
{
    struct weir_class_prefix *p = classes->prefix;
    size_t kept = 0;
    if (classes->count > 0)
        qsort(p, classes->count, sizeof(*p), in_order);
    for (size_t i = 0; i < classes->count; i++) {
        bool again = kept > 0 && in_order(&p[kept - 1], &p[i]) == 0;
        if (again && p[kept - 1].class_number != p[i].class_number)
            return false;
        if (!again)
            p[kept++] = p[i];
    }
    classes->count = kept;
    return true;
}

static int lay_out(struct weir_classes *classes)
{
    size_t ipv6 = 0;
    while (ipv6 < classes->count && !is_ipv4(&classes->prefix[ipv6].prefix))
        ipv6++;
    size_t ipv4 = classes->count - ipv6;
    classes->ipv6.range = calloc(2 * ipv6 + 1, sizeof(struct range));
    classes->ipv4.range = calloc(2 * ipv4 + 1, sizeof(struct range));
    if (!classes->ipv6.range || !classes->ipv4.range)
        return WEIR_ENOMEM;
    lay_flat(classes->prefix, ipv6, classes->default_class, &classes->ipv6);
    lay_flat(classes->prefix + ipv6, ipv4, classes->default_class, &classes->ipv4);
    return 0;
}

int weir_classes_new(const struct weir_class_prefix *prefix, size_t n, unsigned default_class,
                     struct weir_classes **classes_r)
{
    struct weir_classes *classes = calloc(1, sizeof(*classes));
    int rc = WEIR_ENOMEM;
    if (!classes)
        return rc;
    classes->default_class = default_class;
    classes->count = n;
    classes->prefix = calloc(n + 1, sizeof(*classes->prefix));
    if (classes->prefix && n > 0)
        memcpy(classes->prefix, prefix, n * sizeof(*prefix));
    if (classes->prefix)
        rc = sort(classes) ? lay_out(classes) : WEIR_EINVAL;
    if (rc == 0)
        *classes_r = classes;
    else
        weir_classes_free(&classes);
    return rc;
}

void weir_classes_free(struct weir_classes **classes)
{
    if (!*classes)
        return;
    free((*classes)->prefix);
    free((*classes)->ipv4.range);
    free((*classes)->ipv6.range);
    free(*classes);
    *classes = NULL;
}

struct weir_class_found weir_classes_find(const struct weir_classes *classes,
                                          const struct weir_address *address)
{
    const struct ranges *ranges =
        weir_address_is_ipv4(address) ? &classes->ipv4 : &classes->ipv6;
    size_t low = 0, high = ranges->count; /* the range is in low..high-1 */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(ranges->range[middle].first.octet, address->octet, sizeof(address->octet)) <= 0)
            low = middle;
        else
            high = middle;
    }
    return ranges->range[low].found;
}

unsigned weir_classes_of_network(const struct weir_classes *classes,
                                 const struct weir_prefix *network)
{
    const struct weir_class_prefix *best = NULL;
    for (size_t i = 0; i < classes->count; i++) {
        const struct weir_class_prefix *p = &classes->prefix[i];
        if (p->prefix.bits <= network->bits && (!best || p->prefix.bits > best->prefix.bits) &&
            is_ipv4(&p->prefix) == is_ipv4(network) &&
            weir_prefix_contains(&p->prefix, &network->address))
            best = p;
    }
    return best ? best->class_number : classes->default_class;
}

size_t weir_classes_octets(const struct weir_classes *classes)
{
    return sizeof(*classes) + classes->count * sizeof(*classes->prefix) +
           (2 * classes->count + 2) * sizeof(struct range);
}
