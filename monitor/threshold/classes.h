/*
 * classes - which class of limits an address belongs to: that of the longest prefix.
 *
 * Prefixes are laid flat into ranges that do not overlap, so that a look-up is one binary search,
 * whatever lies within what.
 *
 * Owner:    the caller; prefixes are copied.  Threads: any, nothing changes once it is made.
 * Errors:   weir_classes_new(): WEIR_ENOMEM, WEIR_EINVAL (a prefix in two classes).
 */
#ifndef WEIR_THRESHOLD_CLASSES_H
#define WEIR_THRESHOLD_CLASSES_H

#include "core/base/address.h"

struct weir_class_prefix {
    struct weir_prefix prefix;
    unsigned class_number;
};

/* The class of an address, and how long the prefix is that says so; 0 bits for the default. */
struct weir_class_found {
    unsigned class_number;
    unsigned bits;
};

struct weir_classes;

/* The classes of n prefixes, and the one of all other addresses. */
int weir_classes_new(const struct weir_class_prefix *prefix, size_t n, unsigned default_class,
                     struct weir_classes **classes_r);
void weir_classes_free(struct weir_classes **classes);

struct weir_class_found weir_classes_find(const struct weir_classes *classes,
                                          const struct weir_address *address);

/* The class that holds for all of a network; slow. */
unsigned weir_classes_of_network(const struct weir_classes *classes,
                                 const struct weir_prefix *network);

size_t weir_classes_octets(const struct weir_classes *classes);

#endif
