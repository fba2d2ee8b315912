/*
 * lists_handle - the lists' handle, shared by lists_io.c (looking up) and
 * lists_write_io.c (changing).  For these two only.
 */
#ifndef WEIR_STORE_LISTS_HANDLE_H
#define WEIR_STORE_LISTS_HANDLE_H

#include "core/store/lists_impl.h"
#include "core/store/lmdb_file_io.h"

/* What is in a list, so that a look-up need not ask in vain. */
struct weir_list_use {
    bool damaged;      /* the counts cannot be read: everything may be there */
    size_t entries;
    uint32_t domains;
    size_t lengths;    /* prefix lengths in use, the longest first */
    uint8_t bits[129];
};

struct weir_lists {
    struct weir_lmdb_file *file;
    const struct weir_log *log;
    struct weir_prefix *never; /* by address */
    size_t nevers;

    weir_time looked; /* when we last looked after the file */
    bool has_looked;
    int trouble;      /* what that gave; 0: nothing */

    struct weir_list_use use[WEIR_LISTS];
    uint64_t use_opened, use_txn; /* of which state of the file */
    struct weir_log_gate damage;
};

/* Logs a damaged record, now and then. */
void weir_lists_damaged(struct weir_lists *lists, enum weir_list list);

/* The counts of a list.  1; 0 there are none: nothing was ever added; or
 * WEIR_ECORRUPT or another error. */
int weir_lists_counts_get(struct weir_lists *lists, MDB_txn *txn, enum weir_list list,
                          struct weir_list_counts *counts_r);

/* Calls step for each entry of a list, as it lies there, until it gives something
 * else than 0, which is then returned.  step may delete the cursor's entry. */
int weir_lists_walk(struct weir_lists *lists, MDB_txn *txn, enum weir_list list,
                    int (*step)(void *context, MDB_cursor *cursor, const MDB_val *key,
                                const MDB_val *value),
                    void *context);

#endif
