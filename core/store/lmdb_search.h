/*
 * lmdb_search - many records of an LMDB file found at once.
 *
 * In a file that does not fit the processor's caches mdb_get() takes a microsecond
 * a record, nearly all of it waiting: for one line of memory after the other, and for
 * comparisons that went the way not guessed.  Here the searches take their steps
 * in turn, each asking for the line that it needs next time, and what is compared
 * decides no branch.  A handful of searches together take a quarter of the time.
 *
 * For keys of 16 octets with values that fit a page, as in counters.db.  Pure:
 * octets in, answer out; lmdb_page.h draws the format.  The caller gives what a read
 * transaction sees and keeps it open as long as values are in use.
 *
 * Errors:   WEIR_ECORRUPT when a page is not what it must be; nothing outside the
 *           pages of the snapshot is ever read.
 * Limits:   WEIR_LMDB_SEARCHES keys.
 */
#ifndef WEIR_STORE_LMDB_SEARCH_H
#define WEIR_STORE_LMDB_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WEIR_LMDB_KEY 16
#define WEIR_LMDB_SEARCHES 64

struct weir_lmdb_snapshot {
    const uint8_t *map; /* page 0 */
    size_t page_size;
    uint64_t pages;     /* so many lie there */
    uint64_t root;      /* page number; UINT64_MAX: the tree is empty */
};

/* What the transaction of this number sees, told from any value of the main tree that
 * LMDB gave in it: LMDB does not tell where its map lies, but each page knows its
 * place.  False when it cannot be told, because a writer was quicker or the map is
 * not on a page's boundary; then ask LMDB.  page_size: at most the system's. */
bool weir_lmdb_snapshot(const void *value, size_t page_size, size_t map_size, uint64_t txn,
                        struct weir_lmdb_snapshot *snapshot_r);

struct weir_lmdb_wanted {
    const uint8_t *key;   /* WEIR_LMDB_KEY octets */
    const uint8_t *value; /* found: where it lies; NULL: nowhere */
    size_t len;
};

/* Finds n keys.  Keys that begin with the same 8 octets and stand together are
 * looked for on the same leaf first.  0 or an error. */
int weir_lmdb_search(const struct weir_lmdb_snapshot *snapshot, struct weir_lmdb_wanted *wanted,
                     size_t n);

#endif
