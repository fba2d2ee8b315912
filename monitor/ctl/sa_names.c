/*
 * Open addressing, at most half full, under a keyed hash: names come from files
 * that somebody else wrote.  Old arrays stay in the arena, which is gone soon.
 */
#include "monitor/ctl/sa_names.h"

#include <string.h>

struct sa_names sa_names(struct weir_arena *arena)
{
    return (struct sa_names){.arena = arena, .key = weir_hash_key_random()};
}

void *sa_grow(struct weir_arena *arena, void *array, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return array;
    size_t more = *room ? 2 * *room : 16;
    void *moved = weir_arena_zero(arena, more, size);
    if (!moved)
        return NULL;
    if (count)
        memcpy(moved, array, count * size);
    *room = more;
    return moved;
}

/* The slot of a name, or the empty one where it would be; there is always one. */
static uint32_t *find_slot(const struct sa_names *names, struct weir_slice text, uint64_t hash)
{
    for (size_t at = hash & (names->slots - 1);; at = (at + 1) & (names->slots - 1)) {
        uint32_t *slot = &names->slot[at];
        if (*slot == 0)
            return slot;
        const struct sa_name *name = &names->name[*slot - 1];
        if (name->hash == hash && name->text.len == text.len &&
            memcmp(name->text.at, text.at, text.len) == 0)
            return slot;
    }
}

struct sa_name *sa_names_find(const struct sa_names *names, struct weir_slice text)
{
    if (names->slots == 0)
        return NULL;
    uint32_t *slot = find_slot(names, text, weir_hash64(&names->key, text.at, text.len));
    return *slot ? &names->name[*slot - 1] : NULL;
}

/* Twice the room for names, and four slots for each. */
static int grow(struct sa_names *names)
{
    struct sa_name *name = sa_grow(names->arena, names->name, names->names, &names->room,
                                   sizeof(*name));
    if (!name)
        return 0;
    names->name = name;
    names->slots = 4 * names->room;
    names->slot = weir_arena_zero(names->arena, names->slots, sizeof(*names->slot));
    if (!names->slot) {
        names->slots = 0;
        return 0;
    }
    for (size_t i = 0; i < names->names; i++)
        *find_slot(names, name[i].text, name[i].hash) = (uint32_t)(i + 1);
    return 1;
}

struct sa_name *sa_names_add(struct sa_names *names, struct weir_slice text)
{
    if (names->names == names->room && !grow(names))
        return NULL;
    uint64_t hash = weir_hash64(&names->key, text.at, text.len);
    uint32_t *slot = find_slot(names, text, hash);
    if (*slot == 0) {
        names->name[names->names] = (struct sa_name){.text = text, .hash = hash};
        *slot = (uint32_t)++names->names;
    }
    return &names->name[*slot - 1];
}
