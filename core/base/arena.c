/*
 * A chain of blocks; one of them, current, is being filled.
 *
 *     head -> [full] -> [full] -> [current: at --> size] -> [free] -> [free]
 *
 * The arena owns the blocks, callers own nothing.  What does not fit into
 * current takes the first free block that is large enough, and only then a new
 * one from the system.  Refuses to hand out more than WEIR_ARENA_MAX, so that
 * one hostile message cannot eat the machine.
 */
#include "core/base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/arena_impl.h"
#include "core/base/limits.h"

enum { FIRST_LEAST = 1024, GROWTH_MOST = 1 << 20, ALIGNMENT = alignof(max_align_t) };

struct block {
    struct block *next;
    size_t size; /* of octet */
    alignas(max_align_t) unsigned char octet[];
};

struct weir_arena {
    struct block *head, *current;
    size_t at;   /* octets of current handed out */
    size_t used; /* octets handed out in all */
    size_t growth;
    unsigned fail_in; /* see arena_impl.h */
    bool failed;
};

static struct block *block_new(size_t size)
{
    struct block *block = malloc(sizeof(*block) + size);
    if (block) {
        block->next = NULL;
        block->size = size;
    }
    return block;
}

struct weir_arena *weir_arena_new(size_t first)
{
    if (first < FIRST_LEAST)
        first = FIRST_LEAST;
    if (first > WEIR_ARENA_MAX)
        first = WEIR_ARENA_MAX;
    struct weir_arena *arena = calloc(1, sizeof(*arena));
    if (!arena)
        return NULL;
    arena->growth = first;
    arena->head = arena->current = block_new(first);
    if (!arena->head)
        weir_arena_free(&arena);
    return arena;
}

/* Gives back block and all behind it. */
static void blocks_free(struct block *block)
{
    while (block) {
        struct block *next = block->next;
        free(block);
        block = next;
    }
}

void weir_arena_free(struct weir_arena **arena)
{
    if (!arena || !*arena)
        return;
    blocks_free((*arena)->head);
    free(*arena);
    *arena = NULL;
}

void weir_arena_reset(struct weir_arena *arena, size_t keep)
{
    struct block **link = &arena->head;
    while (*link && (*link)->size <= keep) {
        keep -= (*link)->size;
        link = &(*link)->next;
    }
    blocks_free(*link);
    *link = NULL;
    arena->current = arena->head;
    arena->at = 0;
    arena->used = 0;
}

/* Takes the first free block of at least size octets out of the chain. */
static struct block *free_block_take(struct weir_arena *arena, size_t size)
{
    if (!arena->current)
        return NULL;
    struct block **link = &arena->current->next;
    while (*link && (*link)->size < size)
        link = &(*link)->next;
    struct block *block = *link;
    if (block)
        *link = block->next;
    return block;
}

/* The next block from the system is twice as large as the last one, so that
 * the number of blocks stays small. */
static struct block *block_from_system(struct weir_arena *arena, size_t size)
{
    struct block *block = block_new(size > arena->growth ? size : arena->growth);
    if (block && arena->growth < GROWTH_MOST)
        arena->growth *= 2;
    return block;
}

/* Makes a block with room for size octets the current one. */
static bool move_on(struct weir_arena *arena, size_t size)
{
    struct block *block = free_block_take(arena, size);
    if (!block)
        block = block_from_system(arena, size);
    if (!block)
        return false;
    struct block **link = arena->current ? &arena->current->next : &arena->head;
    block->next = *link;
    *link = block;
    arena->current = block;
    arena->at = 0;
    return true;
}

/* True when a test wants this request to fail. */
static bool fails_on_purpose(struct weir_arena *arena)
{
    if (arena->fail_in == 0 || --arena->fail_in > 0)
        return false;
    arena->failed = true;
    return true;
}

void *weir_arena_take(struct weir_arena *arena, size_t size)
{
    if (fails_on_purpose(arena) || size > WEIR_ARENA_MAX)
        return NULL;
    size_t step = (size + (size == 0) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (step > WEIR_ARENA_MAX - arena->used)
        return NULL;
    if (!arena->current || step > arena->current->size - arena->at) {
        if (!move_on(arena, step))
            return NULL;
    }
    void *taken = arena->current->octet + arena->at;
    arena->at += step;
    arena->used += step;
    return taken;
}

void *weir_arena_zero(struct weir_arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    void *taken = weir_arena_take(arena, count * size);
    if (taken)
        memset(taken, 0, count * size);
    return taken;
}

char *weir_arena_copy(struct weir_arena *arena, const char *text, size_t len)
{
    if (len >= WEIR_ARENA_MAX)
        return NULL;
    char *copy = weir_arena_take(arena, len + 1);
    if (!copy)
        return NULL;
    if (len > 0)
        memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

char *weir_arena_printf(struct weir_arena *arena, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int len = vsnprintf(NULL, 0, format, arguments);
    char *text = len < 0 ? NULL : weir_arena_take(arena, (size_t)len + 1);
    if (text)
        vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    va_end(arguments);
    return text;
}

size_t weir_arena_used(const struct weir_arena *arena)
{
    return arena->used;
}

void weir_arena_fail_nth(struct weir_arena *arena, unsigned n)
{
    arena->fail_in = n;
    arena->failed = false;
}

bool weir_arena_failed(const struct weir_arena *arena)
{
    return arena->failed;
}
