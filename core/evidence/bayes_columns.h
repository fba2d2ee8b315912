/*
 * bayes_columns - a word list (bayes_table.h) told as what became of another one, so that it can be
 * compressed to little.
 *
 *     64 octets   the list's head, as it is
 *     gone        how many entries of the other list are not in this one,    4 octets
 *     added       how many of this one are not in the other,                 4 octets
 *     gone        their numbers in the other list, each less the one before and one
 *     added       hashes, each less the one before
 *     spam, ham   of all entries; of those that stayed, what was added since, modulo 2^32
 *     weights     of all entries, where the list has weights
 *
 * All entries are those that stayed, ordered by what the other list says of them (weight, spam,
 * ham, hash), and behind them the added ones.  Words of the same messages have the same counts, and
 * their weights move together: in this order they are runs of the same numbers, where in the order
 * of hashes there is nothing to be found.  Numbers are little-endian, and stand in columns: all
 * lowest octets, then all those above them; weights of entries that stayed do not, for whole runs
 * of them are the same.  The index is not told, it follows from the hashes.
 *
 * From no list (empty octets) everything is added, and the columns are the whole list in a form
 * that compresses to two thirds of what the list does.
 *
 * Owner:    what is made is malloc'ed.  Threads:  pure functions.
 * Errors:   WEIR_ECORRUPT: a list that does not hold, or columns that are none or not of this list;
 *           WEIR_ENOMEM.
 * Limits:   WEIR_BAYES_ENTRIES_MAX entries.  Columns of another list can make a wrong list, which
 *           whoever applies them has to find out; never one of another length than is said.
 */
#ifndef WEIR_EVIDENCE_BAYES_COLUMNS_H
#define WEIR_EVIDENCE_BAYES_COLUMNS_H

#include "core/base/cursor.h"

/* What became of the list before (empty: none) in the next one.  0 with octets. */
int weir_bayes_columns_make(struct weir_slice before, struct weir_slice next, void **octets_r,
                            size_t *len_r);

/* Makes the next list of the one before in a room of exactly its length.  0, or an error, and what
 * is in the room then is of no use. */
int weir_bayes_columns_apply(struct weir_slice before, struct weir_slice columns, void *room,
                             size_t len);

#endif
