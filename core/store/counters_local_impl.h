/*
 * counters_local_impl - the state of a local counter store, shared by the file
 * that opens and reads it and the one that writes and sweeps it.
 */
#ifndef WEIR_STORE_COUNTERS_LOCAL_IMPL_H
#define WEIR_STORE_COUNTERS_LOCAL_IMPL_H

#include "core/base/limits.h"
#include "core/store/counters_impl.h"
#include "core/store/lmdb_file_io.h"
#include "core/store/lmdb_search.h"

#define WEIR_LOCAL_BYTES_LEAST (UINT64_C(4) << 20) /* leaves room for one transaction's copies */

struct weir_local {
    struct weir_lmdb_file *file;
    uint64_t bytes_most;
    bool read_only, scratch;

    /* reading */
    uint64_t opened, map_size, txn; /* of what snapshot is: a change makes a generation */
    uint64_t generation;
    bool searches;                  /* snapshot is one */
    struct weir_lmdb_snapshot snapshot;
    MDB_txn *reader;                /* between begin and end */

    /* upkeep */
    bool ticks;       /* somebody calls tick(), so latest need not be guessed from events */
    weir_time latest; /* the time, as far as known */
    weir_time next_look, next_sweep;
    struct weir_entity swept_to;
    bool tight;      /* records take most of the file */
    uint64_t credit; /* records dropped since it is: so many may be made */

    /* what the operator is told */
    const struct weir_log *log;
    struct weir_log_gate damaged_gate, trouble_gate, full_gate;
    bool reads, writes; /* the last one succeeded */
    uint64_t failures;
    char path[128]; /* for the status, cut */

    uint16_t order[WEIR_EVENTS_MAX]; /* scratch of one transaction */
};

/* Counts and logs that something could not be done; returns the error. */
int weir_local_trouble(struct weir_local *local, const char *doing, int error);

/* Logs a damaged record. */
void weir_local_damaged(struct weir_local *local);

/* Octets of the file in use by records. */
uint64_t weir_local_bytes_used(const MDB_stat *stat);

/* As in struct weir_counter_store. */
int weir_local_apply(void *self, const struct weir_counter_change *change, size_t n,
                     size_t *lost_r);
void weir_local_tick(void *self, weir_time now);

#endif
