/*
 * rendezvous - which node of a set something lives on.
 *
 * Weighted rendezvous hashing (Thaler and Ravishankar 1998; weights after
 * Schindelhauer and Schomaker 2005): every node draws a number from its name
 * and the thing's id, the highest wins.  So each node gets a share that fits
 * its weight; a node that comes takes its share from all others evenly, and
 * one that goes leaves its share to all others: nothing else moves.
 *
 * The choice depends on names, weights and ids only, never on the order of the
 * nodes: every server that knows the same nodes chooses the same.
 *
 * Owner:    a plain value, filled by weir_rendezvous_add(); start with zeroes.
 * Threads:  once filled, any number may choose.
 * Limits:   WEIR_NODES_MAX nodes, weights 1..WEIR_NODE_WEIGHT_MAX.
 */
#ifndef WEIR_STORE_RENDEZVOUS_H
#define WEIR_STORE_RENDEZVOUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/limits.h"

struct weir_rendezvous {
    size_t nodes;
    bool uneven; /* weights differ */
    unsigned weight[WEIR_NODES_MAX];
    uint64_t seed[WEIR_NODES_MAX];
};

/* Adds a node.  0, WEIR_ELIMIT when there are too many, WEIR_EINVAL for a
 * weight out of range or a name (case matters) that is there already. */
int weir_rendezvous_add(struct weir_rendezvous *set, const char *name, unsigned weight);

/* The index, in order of adding, of the node for an id.  The ids are taken to
 * be hashes: a plain number in some of the octets spreads as well, but who
 * chooses ids chooses nodes.  0 when the set is empty. */
size_t weir_rendezvous_choose(const struct weir_rendezvous *set, const uint8_t id[static 16]);

#endif
