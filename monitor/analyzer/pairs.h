/*
 * pairs - rows that are found by two numbers: an array that grows, and an index into it.
 *
 *     hit_days.h     rule, day       hit_servers.h     rule, server
 *
 * A row is a struct of the caller's whose first two members, of 32 bits each, are its pair.
 *
 * Owner:    the caller owns the pairs, which own the rows.  Threads: one at a time.
 * Errors:   WEIR_ENOMEM: nothing was changed.
 * Limits:   none of its own, up to 2^31 rows; a row and 16 octets at most for each, and twice that
 *           while it grows.
 */
#ifndef WEIR_ANALYZER_PAIRS_H
#define WEIR_ANALYZER_PAIRS_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/keyed_hash.h"

struct weir_pairs;

/* For rows of so many octets; the key is for numbers that others choose.  0 or WEIR_ENOMEM. */
int weir_pairs_new(const struct weir_hash_key *key, size_t row_size, struct weir_pairs **pairs_r);
void weir_pairs_free(struct weir_pairs **pairs);

/* Makes room for so many more rows.  0 or WEIR_ENOMEM. */
int weir_pairs_room(struct weir_pairs *pairs, size_t more);

/* The row of a pair, or NULL.  It stays where it is until room is made or all is cleared. */
void *weir_pairs_find(const struct weir_pairs *pairs, uint32_t one, uint32_t other);

/* A row of zeros but for its pair, which has none yet, and for which there has to be room. */
void *weir_pairs_add(struct weir_pairs *pairs, uint32_t one, uint32_t other);

/* A row by number, 0.. as they came: NULL behind the last; and its number. */
void *weir_pairs_at(const struct weir_pairs *pairs, size_t number);
size_t weir_pairs_number(const struct weir_pairs *pairs, const void *row);

size_t weir_pairs_count(const struct weir_pairs *pairs);

/* Forgets all rows; the room stays. */
void weir_pairs_clear(struct weir_pairs *pairs);

#endif
