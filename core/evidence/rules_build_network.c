/*
 * The networks of all ip rules in one table, sorted by address.  Networks either hold
 * one another or have nothing in common, so that each entry needs to know only the
 * next wider one: a look-up is one binary search and a walk outwards.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/evidence/rules_build_impl.h"

static int by_address(const void *a, const void *b)
{
    const struct weir_image_network *one = a, *other = b;
    int order = memcmp(one->octet, other->octet, sizeof(one->octet));
    if (order != 0)
        return order;
    if (one->bits != other->bits)
        return one->bits < other->bits ? -1 : 1;
    return (one->rule > other->rule) - (one->rule < other->rule);
}

static bool holds(const struct weir_image_network *wide, const struct weir_image_network *narrow)
{
    struct weir_address address;
    memcpy(address.octet, narrow->octet, sizeof(address.octet));
    struct weir_prefix within = weir_address_mask(&address, wide->bits);
    return memcmp(within.address.octet, wide->octet, sizeof(wide->octet)) == 0;
}

/* Entries that hold the one looked at form a chain; whatever does not is behind us. */
static void link_wider(struct weir_image_network *network, size_t n)
{
    uint32_t last = UINT32_MAX;
    for (size_t i = 0; i < n; i++) {
        while (last != UINT32_MAX && !holds(&network[last], &network[i]))
            last = network[last].wider;
        network[i].wider = last;
        last = (uint32_t)i;
    }
}

int weir_build_add_networks(struct weir_build *build, struct weir_image_writer *writer)
{
    size_t n = 0;
    for (size_t i = 0; i < build->rules; i++)
        n += build->source[i]->prefixes;
    struct weir_image_network *network = weir_arena_zero(build->arena, n + 1, sizeof(*network));
    if (!network)
        return WEIR_ENOMEM;
    n = 0;
    for (size_t i = 0; i < build->rules; i++) {
        for (size_t j = 0; j < build->source[i]->prefixes; j++, n++) {
            const struct weir_prefix *prefix = &build->source[i]->prefix[j];
            memcpy(network[n].octet, prefix->address.octet, sizeof(network[n].octet));
            network[n].bits = prefix->bits;
            network[n].rule = (uint32_t)i;
        }
    }
    qsort(network, n, sizeof(*network), by_address);
    link_wider(network, n);
    weir_image_add(writer, WEIR_IMAGE_NETWORKS, network, n);
    return 0;
}
