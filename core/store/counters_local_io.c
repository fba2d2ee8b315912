/*
 * The local counter store: one LMDB file (opened and kept by lmdb_file), one
 * record for each entity (counter_record) under its 16-octet id.  Opening and
 * reading; writing is in counters_local_write_io.c.  Owns the file's handle.
 *
 * Readers see what other processes have committed, without locks.  A file that
 * is not there yet holds nothing, which is an answer.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/store/counter_record.h"
#include "core/store/counters_local_impl.h"

#define KIND "weir counters"
#define VERSION 1
#define CHECK_PAGES 1024 /* short-lived processes open the file too: 4 MB at most are read */
#define LINE_EVERY WEIR_MINUTE

/* Trouble. ---------------------------------------------------------------- */

/* The gates only space lines, so they may look at a clock by themselves. */
static bool line_is_due(struct weir_log_gate *gate, unsigned *held_r)
{
    struct weir_clock clock = weir_clock_steady();
    return weir_log_gate_open(gate, weir_clock_now(&clock), LINE_EVERY, held_r);
}

int weir_local_trouble(struct weir_local *local, const char *doing, int error)
{
    struct weir_log_gate *gate = error == WEIR_EFULL ? &local->full_gate : &local->trouble_gate;
    unsigned held;
    local->failures++;
    if (line_is_due(gate, &held))
        weir_log(local->log, WEIR_LOG_ERROR, "%s: %s: %s (%u more like this)", local->path, doing,
                 weir_error_text(error), held);
    return error;
}

void weir_local_damaged(struct weir_local *local)
{
    unsigned held;
    if (line_is_due(&local->damaged_gate, &held))
        weir_log(local->log, WEIR_LOG_ERROR,
                 "%s: a damaged record counts as if it were not there (%u more like this)",
                 local->path, held);
}

/* Reading. ---------------------------------------------------------------- */

uint64_t weir_local_bytes_used(const MDB_stat *stat)
{
    uint64_t pages = stat->ms_branch_pages + stat->ms_leaf_pages + stat->ms_overflow_pages;
    return pages * stat->ms_psize;
}

static void answer_all(struct weir_counter_slot *slot, size_t n, bool missing)
{
    for (size_t i = 0; i < n; i++) {
        slot[i].value = 0;
        slot[i].missing = missing;
    }
}

/* The n slots of one entity. */
static int fetch_entity(struct weir_local *local, MDB_txn *txn, struct weir_counter_slot *slot,
                        size_t n)
{
    struct weir_entity *entity = &slot[0].counter.entity;
    MDB_val key = {.mv_size = sizeof entity->id, .mv_data = entity->id};
    MDB_val value;
    struct weir_counter_record record;
    record.n = 0;
    int error = mdb_get(txn, weir_lmdb_file_dbi(local->file), &key, &value);
    if (error && error != MDB_NOTFOUND)
        return weir_lmdb_file_error(error);
    if (!error && weir_counter_record_read(entity, value.mv_data, value.mv_size, &record) < 0)
        weir_local_damaged(local);
    for (size_t i = 0; i < n; i++) {
        slot[i].value = weir_counter_record_number(&record, &slot[i].counter, slot[i].epoch);
        slot[i].missing = false;
    }
    return 0;
}

static int fetch_all(struct weir_local *local, MDB_txn *txn, struct weir_counter_slot *slot,
                     size_t n)
{
    int error = 0;
    for (size_t at = 0, run; !error && at < n; at += run) {
        run = 1;
        while (at + run < n && memcmp(&slot[at + run].counter.entity, &slot[at].counter.entity,
                                      sizeof slot[at].counter.entity) == 0)
            run++;
        error = fetch_entity(local, txn, slot + at, run);
    }
    return error;
}

/* Begins reading.  A file that was not there may have come. */
static int read_begin(struct weir_local *local, MDB_txn **txn_r)
{
    int found = weir_lmdb_file_read(local->file, txn_r);
    if (found != 0)
        return found;
    int error = weir_lmdb_file_look(local->file);
    return error ? error : weir_lmdb_file_read(local->file, txn_r);
}

static int local_fetch(void *self, struct weir_counter_slot *slot, size_t n)
{
    struct weir_local *local = self;
    MDB_txn *txn;
    int found = read_begin(local, &txn);
    answer_all(slot, n, found != 0);
    int error = found;
    if (found > 0) {
        error = fetch_all(local, txn, slot, n);
        weir_lmdb_file_done(local->file);
    }
    local->reads = error == 0;
    if (error)
        weir_local_trouble(local, "reading counters", error);
    return error == 0;
}

static void local_status(void *self, struct weir_counters_status *status_r)
{
    struct weir_local *local = self;
    struct weir_counters_node *node = &status_r->node[0];
    MDB_txn *txn;
    MDB_stat stat;
    memcpy(node->name, local->path, sizeof local->path);
    node->up = local->reads && local->writes;
    node->failures = local->failures;
    status_r->nodes = 1;
    status_r->bytes_most = local->bytes_most;
    if (read_begin(local, &txn) <= 0)
        return;
    if (mdb_stat(txn, weir_lmdb_file_dbi(local->file), &stat) == 0) {
        status_r->entities = stat.ms_entries > 0 ? stat.ms_entries - 1 : 0; /* less the version */
        status_r->bytes_used = weir_local_bytes_used(&stat);
    }
    weir_lmdb_file_done(local->file);
}

static void local_free(void *self)
{
    struct weir_local *local = self;
    weir_lmdb_file_free(&local->file);
    free(local);
}

/* Opening. ---------------------------------------------------------------- */

/* A writer makes its file at once, so that trouble shows when a program starts. */
static int make_file(struct weir_local *local, const char **why_r)
{
    MDB_txn *txn;
    int found = weir_lmdb_file_read(local->file, &txn);
    if (found > 0)
        weir_lmdb_file_done(local->file);
    if (found > 0 || local->read_only)
        return 0;
    *why_r = "it cannot be made";
    int error = found < 0 ? found : weir_lmdb_file_write(local->file, &txn);
    return error ? error : weir_lmdb_file_commit(local->file);
}

static int open_file(struct weir_local *local, const struct weir_counters_local_options *options,
                     const char **why_r)
{
    struct weir_lmdb_file_options file = {
        .path = options->path,
        .kind = KIND,
        .version = VERSION,
        .write = !options->read_only,
        .mode = options->mode,
        .bytes_most = options->bytes_most & ~UINT64_C(0xffff), /* whole pages */
        .check_pages = CHECK_PAGES,
    };
    int error = weir_lmdb_file_open(&file, local->log, &local->file, why_r);
    return error ? error : make_file(local, why_r);
}

int weir_counters_open_local(const struct weir_counters_local_options *options,
                             const struct weir_log *log, struct weir_counters **counters_r,
                             const char **why_r)
{
    static const struct weir_counter_store writer = {
        "local", local_fetch, weir_local_apply, weir_local_tick, local_status, local_free};
    static const struct weir_counter_store reader = {
        "local", local_fetch, NULL, weir_local_tick, local_status, local_free};
    *why_r = "its largest size is below 4 MB";
    if (!options->read_only && options->bytes_most < WEIR_LOCAL_BYTES_LEAST)
        return WEIR_EINVAL;
    *why_r = weir_error_text(WEIR_ENOMEM);
    struct weir_local *local = calloc(1, sizeof *local);
    if (!local)
        return WEIR_ENOMEM;
    local->log = log;
    local->read_only = options->read_only;
    local->scratch = options->scratch;
    local->reads = local->writes = true;
    local->bytes_most = options->bytes_most;
    snprintf(local->path, sizeof local->path, "%s", options->path);
    int error = open_file(local, options, why_r);
    if (error) {
        int saved = errno;
        local_free(local);
        errno = saved;
        return error;
    }
    *why_r = "";
    return weir_counters_wrap(options->read_only ? &reader : &writer, local, 0, 0, log,
                              counters_r);
}
