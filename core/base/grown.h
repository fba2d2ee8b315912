/*
 * grown - room for one more in an array that grows.
 *
 *     more = weir_grown(list->item, list->count, &list->room, sizeof *more);
 *     if (!more)
 *         return WEIR_ENOMEM;
 *     list->item = more;
 *     list->item[list->count++] = ...
 *
 * Room doubles, so that n additions copy less than 2 n items.
 *
 * Owner:    the caller owns the array, from malloc(), and frees it.  Threads: pure.
 * Errors:   NULL: memory is short; the array and its room are as they were.
 * Limits:   none of its own: whoever fills it says how many there may be.
 */
#ifndef WEIR_BASE_GROWN_H
#define WEIR_BASE_GROWN_H

#include <stddef.h>

/* The array (NULL: none yet) with room for more than count items of a size. */
void *weir_grown(void *array, size_t count, size_t *room, size_t size);

#endif
