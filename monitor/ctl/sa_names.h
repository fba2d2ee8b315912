/*
 * sa_names - a table from names to anything, in the order in which they came.
 *
 * Owner:    all memory in the arena it was given; it copies no name.
 * Errors:   NULL when memory is short.
 */
#ifndef WEIR_CTL_SA_NAMES_H
#define WEIR_CTL_SA_NAMES_H

#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/cursor.h"
#include "core/base/keyed_hash.h"
#include "core/base/slice.h"

struct sa_name {
    struct weir_slice text;
    uint64_t hash;
    void *value; /* the user's; NULL at first */
};

struct sa_names {
    struct weir_arena *arena;
    struct weir_hash_key key;
    struct sa_name *name; /* moves when one is added */
    size_t names, room;
    uint32_t *slot;       /* number of a name plus one, or 0 */
    size_t slots;
};

struct sa_names sa_names(struct weir_arena *arena);

/* The name, or NULL when it is not there. */
struct sa_name *sa_names_find(const struct sa_names *names, struct weir_slice text);

/* The name, added when it is not there; NULL when memory is short. */
struct sa_name *sa_names_add(struct sa_names *names, struct weir_slice text);

/* Room for one more of count elements of size octets: the array, moved perhaps, or NULL. */
void *sa_grow(struct weir_arena *arena, void *array, size_t count, size_t *room, size_t size);

#endif
