/*
 * memory_io - memory for tables that are read at random, in huge pages where there are any: with
 * small ones, the processor looks longer for a page than for what stands in it (more than half of
 * the time of a charge in a table of ten million).
 *
 * Owner:    the caller.
 * Errors:   NULL when memory is short, or octets is 0.
 */
#ifndef WEIR_THRESHOLD_MEMORY_IO_H
#define WEIR_THRESHOLD_MEMORY_IO_H

#include <stddef.h>

/* Cleared, on a page of its own; not there before it is touched. */
void *weir_memory_take(size_t octets);

/* Gives back what weir_memory_take(octets) gave; NULL is accepted. */
void weir_memory_give(void *memory, size_t octets);

#endif
