/*
 * arena - memory for one piece of work, given back all at once.
 *
 * A decision, a message, a batch: each has an arena; nothing inside is freed
 * alone.  After weir_arena_reset() the blocks are kept and used again, so that
 * a daemon at work asks the system for nothing.
 *
 * Owner:    the caller; whatever was handed out dies with reset or free.
 * Errors:   NULL when memory is short or WEIR_ARENA_MAX would be passed.
 * Threads:  one at a time.
 * See also: arena_impl.h, by which tests make the n-th request fail.
 */
#ifndef WEIR_BASE_ARENA_H
#define WEIR_BASE_ARENA_H

#include <stddef.h>

struct weir_arena;

/* A new arena, or NULL.  first is the size of its first block in octets (at
 * least 1024 is taken). */
struct weir_arena *weir_arena_new(size_t first);

/* Frees *arena and sets it to NULL; NULL is accepted. */
void weir_arena_free(struct weir_arena **arena);

/* Forgets all that was handed out and keeps the memory, except that blocks
 * beyond keep octets in sum are given back to the system. */
void weir_arena_reset(struct weir_arena *arena, size_t keep);

/* size octets (0 counts as 1), aligned for any type, not cleared; NULL on
 * failure. */
void *weir_arena_take(struct weir_arena *arena, size_t size)
    __attribute__((malloc, alloc_size(2)));

/* The same, cleared; NULL also when count * size overflows. */
void *weir_arena_zero(struct weir_arena *arena, size_t count, size_t size)
    __attribute__((malloc, alloc_size(2, 3)));

/* A copy of len octets with a NUL behind them, or NULL. */
char *weir_arena_copy(struct weir_arena *arena, const char *text, size_t len);

/* printf into the arena, or NULL. */
char *weir_arena_printf(struct weir_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Octets handed out since the last reset, what alignment costs included. */
size_t weir_arena_used(const struct weir_arena *arena);

#endif
