/*
 * Weighted rendezvous hashing.  Names are hashed once, under a fixed key,
 * because all servers must agree; ids are mixed with each name's hash by
 * multiplications only, as this runs for every entity of every request.
 * Refuses a name twice: it would only hide a slip in the configuration.
 */
#include "core/store/rendezvous.h"

#include <math.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/keyed_hash.h"

int weir_rendezvous_add(struct weir_rendezvous *set, const char *name, unsigned weight)
{
    static const struct weir_hash_key fixed = {{0}};
    if (weight < 1 || weight > WEIR_NODE_WEIGHT_MAX)
        return WEIR_EINVAL;
    if (set->nodes == WEIR_NODES_MAX)
        return WEIR_ELIMIT;
    uint64_t seed = weir_hash64(&fixed, name, strlen(name));
    for (size_t i = 0; i < set->nodes; i++) {
        if (set->seed[i] == seed)
            return WEIR_EINVAL;
        if (set->weight[i] != weight)
            set->uneven = true;
    }
    set->seed[set->nodes] = seed;
    set->weight[set->nodes++] = weight;
    return 0;
}

/* Every bit of the result depends on every bit of x (MurmurHash3's finalizer,
 * Appleby 2011, with Stafford's constants). */
static uint64_t mix(uint64_t x)
{
    x ^= x >> 30;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    x ^= x >> 27;
    x *= UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* Little-endian on every machine: all servers must agree. */
static uint64_t read_number(const uint8_t *octet)
{
    uint64_t number = 0;
    for (size_t i = 8; i-- > 0;)
        number = number << 8 | octet[i];
    return number;
}

static uint64_t draw(uint64_t seed, uint64_t high, uint64_t low)
{
    return mix(mix(seed ^ high) ^ low);
}

/* With weights, the highest of weight / -ln(u) wins, u evenly in (0, 1). */
static double weighted(uint64_t drawn, unsigned weight)
{
    double u = ((double)(drawn >> 12) + 0.5) * 0x1p-52; /* one bit more would round to 1 */
    return weight / -log(u);
}

size_t weir_rendezvous_choose(const struct weir_rendezvous *set, const uint8_t id[static 16])
{
    uint64_t high = read_number(id);
    uint64_t low = read_number(id + 8);
    size_t best = 0;
    uint64_t highest = 0;
    double highest_weighted = 0;
    for (size_t i = 0; i < set->nodes; i++) {
        uint64_t drawn = draw(set->seed[i], high, low);
        double value = set->uneven ? weighted(drawn, set->weight[i]) : 0;
        if (set->uneven ? value > highest_weighted : drawn > highest) {
            best = i;
            highest = drawn;
            highest_weighted = value;
        }
    }
    return best;
}
