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
#include <unistd.h>

#include "core/base/error.h"
#include "core/store/counter_record.h"
#include "core/store/counters_local_impl.h"

#define KIND "weir counters"
#define VERSION 1
#define CHECK_PAGES 1024 /* short-lived processes open the file too: 4 MB at most are read */
#define LINE_EVERY WEIR_MINUTE
#define NEAR_ENTITIES 1024 /* for what is in every request, and the busiest networks and domains */
#define NEAR_BRIEFLY 64 /* who only reads looks at a few messages, and clearing more costs more */
#define NEAR_AGE WEIR_DAY  /* what is near is exact: it goes when the file changes */

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
                 weir_error_reason(error), held);
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

_Static_assert(WEIR_LMDB_KEY == sizeof(struct weir_entity), "an entity's id is its key");
_Static_assert(WEIR_LMDB_SEARCHES >= WEIR_COUNTER_FINDS, "finds go in one search");

uint64_t weir_local_bytes_used(const MDB_stat *stat)
{
    uint64_t pages = stat->ms_branch_pages + stat->ms_leaf_pages + stat->ms_overflow_pages;
    return pages * stat->ms_psize;
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

/* The map as far as this transaction sees it.  Our own search needs pages that lie in
 * memory as they lie in the file, which a file from another kind of machine may not do. */
static bool take_snapshot(struct weir_local *local)
{
    char kind[] = KIND;
    MDB_val key = {.mv_size = sizeof kind - 1, .mv_data = kind};
    MDB_dbi records = weir_lmdb_file_dbi(local->file);
    MDB_val value;
    MDB_stat stat;
    if (mdb_get(local->reader, records, &key, &value) != 0 ||
        mdb_stat(local->reader, records, &stat) != 0 ||
        stat.ms_psize > (unsigned long)sysconf(_SC_PAGESIZE))
        return false;
    return weir_lmdb_snapshot(value.mv_data, stat.ms_psize, local->map_size, local->txn,
                              &local->snapshot);
}

/* Sees whether anything has changed since the last time. */
static void see_generation(struct weir_local *local)
{
    MDB_envinfo info;
    uint64_t opened = weir_lmdb_file_times_opened(local->file);
    uint64_t txn = mdb_txn_id(local->reader);
    mdb_env_info(mdb_txn_env(local->reader), &info);
    if (local->generation > 0 && opened == local->opened && txn == local->txn &&
        info.me_mapsize == local->map_size)
        return;
    local->generation++;
    local->opened = opened;
    local->txn = txn;
    local->map_size = info.me_mapsize;
    local->searches = take_snapshot(local);
}

static int local_begin(void *self, uint64_t *generation_r)
{
    struct weir_local *local = self;
    int found = read_begin(local, &local->reader);
    local->reads = found >= 0;
    if (found > 0)
        see_generation(local);
    *generation_r = local->generation;
    return found < 0 ? weir_local_trouble(local, "reading counters", found) : found;
}

/* One after the other, by LMDB. */
static int find_each(struct weir_local *local, struct weir_counter_find *find, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct weir_entity entity = *find[i].entity;
        MDB_val key = {.mv_size = sizeof entity.id, .mv_data = entity.id};
        MDB_val value = {.mv_size = 0};
        int error = mdb_get(local->reader, weir_lmdb_file_dbi(local->file), &key, &value);
        if (error && error != MDB_NOTFOUND)
            return weir_lmdb_file_error(error);
        find[i].record = error ? NULL : value.mv_data;
        find[i].len = error ? 0 : value.mv_size;
    }
    return 0;
}

static int find_together(struct weir_local *local, struct weir_counter_find *find, size_t n)
{
    struct weir_lmdb_wanted wanted[WEIR_COUNTER_FINDS];
    for (size_t i = 0; i < n; i++)
        wanted[i].key = find[i].entity->id;
    int error = weir_lmdb_search(&local->snapshot, wanted, n);
    for (size_t i = 0; !error && i < n; i++) {
        find[i].record = wanted[i].value;
        find[i].len = wanted[i].len;
    }
    return error;
}

static int local_find(void *self, struct weir_counter_find *find, size_t n)
{
    struct weir_local *local = self;
    int error = local->searches ? find_together(local, find, n) : find_each(local, find, n);
    local->reads = local->reads && !error;
    return error ? weir_local_trouble(local, "reading counters", error) : 0;
}

static void local_damaged(void *self)
{
    weir_local_damaged(self);
}

static void local_end(void *self)
{
    struct weir_local *local = self;
    weir_lmdb_file_done(local->file);
}

static void local_status(void *self, struct weir_counters_status *status_r)
{
    struct weir_local *local = self;
    struct weir_counters_node *node = &status_r->node[0];
    MDB_txn *txn;
    MDB_stat stat;
    snprintf(node->name, sizeof node->name, "%s", local->path);
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
    struct weir_counter_store store = {
        .name = "local",
        .apply = options->read_only ? NULL : weir_local_apply,
        .tick = weir_local_tick,
        .status = local_status,
        .free = local_free,
        .begin = local_begin,
        .find = local_find,
        .damaged = local_damaged,
        .end = local_end,
    };
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
    return weir_counters_wrap(&store, local, NEAR_AGE,
                              options->read_only ? NEAR_BRIEFLY : NEAR_ENTITIES, log, counters_r);
}
