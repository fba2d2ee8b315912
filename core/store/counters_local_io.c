/*
 * The local counter store: one LMDB file, one record for each entity (see
 * counter_record.h) under its 16-octet id, and one record that says whose file
 * it is and of which version.  Opening and reading; writing is in
 * counters_local_write_io.c.  Owns the LMDB environment and one reader slot.
 * Refuses files that are damaged, foreign, or of a newer version.
 *
 * Readers see what other processes have committed, without locks.
 */
#include <errno.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/cursor.h"
#include "core/base/error.h"
#include "core/store/counter_record.h"
#include "core/store/counters_local_impl.h"
#include "core/store/lmdb_check_io.h"

#define VERSION 1
#define READERS_MOST 1024  /* each Exim process is one; 64 octets each */
#define CHECK_PAGES 1024   /* short-lived processes open the file too: 4 MB at most are read */
#define LINE_EVERY WEIR_MINUTE

static const char stamp_key[] = "weir counters";

/* Trouble. ---------------------------------------------------------------- */

/* The gates only space lines, so they may look at a clock by themselves. */
static bool line_is_due(struct weir_log_gate *gate, unsigned *held_r)
{
    struct weir_clock clock = weir_clock_steady();
    return weir_log_gate_open(gate, weir_clock_now(&clock), LINE_EVERY, held_r);
}

static int error_of(int mdb_error)
{
    switch (mdb_error) {
    case MDB_MAP_FULL:
        return WEIR_EFULL;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
        return WEIR_ECORRUPT;
    case ENOMEM:
        return WEIR_ENOMEM;
    default:
        return WEIR_EIO;
    }
}

int weir_local_trouble(struct weir_local *local, const char *doing, int mdb_error)
{
    int error = error_of(mdb_error);
    struct weir_log_gate *gate = error == WEIR_EFULL ? &local->full_gate : &local->trouble_gate;
    unsigned held;
    local->failures++;
    if (line_is_due(gate, &held))
        weir_log(local->log, WEIR_LOG_ERROR, "%s: %s: %s (%u more like this)", local->path, doing,
                 mdb_strerror(mdb_error), held);
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

/* Transactions. ----------------------------------------------------------- */

int weir_local_begin(struct weir_local *local, unsigned flags, MDB_txn **txn_r)
{
    int error = mdb_txn_begin(local->env, NULL, flags, txn_r);
    if (error != MDB_MAP_RESIZED)
        return error;
    error = mdb_env_set_mapsize(local->env, 0);
    return error ? error : mdb_txn_begin(local->env, NULL, flags, txn_r);
}

int weir_local_read_begin(struct weir_local *local)
{
    int error = mdb_txn_renew(local->reader);
    if (error != MDB_MAP_RESIZED)
        return error;
    error = mdb_env_set_mapsize(local->env, 0);
    return error ? error : mdb_txn_renew(local->reader);
}

uint64_t weir_local_bytes_used(const MDB_stat *stat)
{
    uint64_t pages = stat->ms_branch_pages + stat->ms_leaf_pages + stat->ms_overflow_pages;
    return pages * stat->ms_psize;
}

/* Reading. ---------------------------------------------------------------- */

static void answer(struct weir_counter_slot *slot, size_t n,
                   const struct weir_counter_record *record)
{
    for (size_t i = 0; i < n; i++) {
        slot[i].value = weir_counter_record_number(record, &slot[i].counter, slot[i].epoch);
        slot[i].missing = false;
    }
}

/* The n slots of one entity. */
static int fetch_entity(struct weir_local *local, struct weir_counter_slot *slot, size_t n)
{
    struct weir_entity *entity = &slot[0].counter.entity;
    MDB_val key = {.mv_size = sizeof entity->id, .mv_data = entity->id};
    MDB_val value;
    struct weir_counter_record record;
    record.n = 0;
    int error = mdb_get(local->reader, local->records, &key, &value);
    if (error && error != MDB_NOTFOUND)
        return error;
    if (!error && weir_counter_record_read(entity, value.mv_data, value.mv_size, &record) < 0)
        weir_local_damaged(local);
    answer(slot, n, &record);
    return 0;
}

static int local_fetch(void *self, struct weir_counter_slot *slot, size_t n)
{
    struct weir_local *local = self;
    for (size_t i = 0; i < n; i++) {
        slot[i].value = 0;
        slot[i].missing = true;
    }
    int error = weir_local_read_begin(local);
    for (size_t at = 0, run; !error && at < n; at += run) {
        run = 1;
        while (at + run < n && memcmp(&slot[at + run].counter.entity, &slot[at].counter.entity,
                                      sizeof slot[at].counter.entity) == 0)
            run++;
        error = fetch_entity(local, slot + at, run);
    }
    mdb_txn_reset(local->reader);
    local->reads = !error;
    if (error)
        weir_local_trouble(local, "reading counters", error);
    return !error;
}

static void local_status(void *self, struct weir_counters_status *status_r)
{
    struct weir_local *local = self;
    struct weir_counters_node *node = &status_r->node[0];
    status_r->nodes = 1;
    memcpy(node->name, local->path, sizeof local->path);
    MDB_stat stat;
    int error = weir_local_read_begin(local);
    if (!error)
        error = mdb_stat(local->reader, local->records, &stat);
    mdb_txn_reset(local->reader);
    if (error)
        weir_local_trouble(local, "reading the status", error);
    node->up = local->reads && local->writes;
    node->failures = local->failures;
    status_r->bytes_most = local->bytes_most;
    if (error)
        return;
    status_r->entities = stat.ms_entries > 0 ? stat.ms_entries - 1 : 0; /* less the stamp */
    status_r->bytes_used = weir_local_bytes_used(&stat);
}

static void local_free(void *self)
{
    struct weir_local *local = self;
    if (!local)
        return;
    if (local->reader)
        mdb_txn_abort(local->reader);
    if (local->env)
        mdb_env_close(local->env);
    free(local);
}

/* Opening. ---------------------------------------------------------------- */

/* An error while opening, with errno for whoever wants to say more. */
static int open_error(int mdb_error)
{
    int error = error_of(mdb_error);
    errno = mdb_error > 0 ? mdb_error : EIO;
    return error == WEIR_EFULL ? WEIR_EIO : error;
}

/* Reads the stamp: 1 ours, 0 an empty file, or an error and *why_r. */
static int read_stamp(MDB_txn *txn, MDB_dbi records, const char **why_r)
{
    MDB_stat stat;
    MDB_val key = {.mv_size = sizeof stamp_key - 1, .mv_data = (void *)(uintptr_t)stamp_key};
    MDB_val value;
    unsigned flags = 0;
    *why_r = "the file is an LMDB database, but not one of counters";
    if (mdb_dbi_flags(txn, records, &flags) || flags != 0)
        return WEIR_ECORRUPT;
    int error = mdb_get(txn, records, &key, &value);
    if (error == MDB_NOTFOUND && mdb_stat(txn, records, &stat) == 0 && stat.ms_entries == 0)
        return 0;
    if (error == MDB_NOTFOUND)
        return WEIR_ECORRUPT;
    *why_r = "the file cannot be read";
    if (error)
        return open_error(error);
    struct weir_reader r = weir_reader(value.mv_data, value.mv_size);
    uint32_t version = weir_read_u32(&r);
    *why_r = "the file's version record is damaged";
    if (weir_reader_bad(&r) || version == 0)
        return WEIR_ECORRUPT;
    *why_r = "the file was written by a newer version of Weir";
    return version > VERSION ? WEIR_ECORRUPT : 1;
}

static int write_stamp(MDB_txn *txn, MDB_dbi records)
{
    uint8_t bytes[4];
    struct weir_writer w = weir_writer(bytes, sizeof bytes);
    weir_write_u32(&w, VERSION);
    MDB_val key = {.mv_size = sizeof stamp_key - 1, .mv_data = (void *)(uintptr_t)stamp_key};
    MDB_val value = {.mv_size = weir_writer_len(&w), .mv_data = bytes};
    return mdb_put(txn, records, &key, &value, 0);
}

/* Opens the records and sees whose they are: 1 ours, 0 a new file, or an error.
 * A new file gets its stamp in the transaction that found it empty, so that two
 * processes may do this at once. */
static int claim_records(struct weir_local *local, bool write, const char **why_r)
{
    MDB_txn *txn;
    *why_r = "the file cannot be read";
    int error = weir_local_begin(local, write ? 0 : MDB_RDONLY, &txn);
    if (error)
        return open_error(error);
    error = mdb_dbi_open(txn, NULL, 0, &local->records);
    int stamp = error ? open_error(error) : read_stamp(txn, local->records, why_r);
    if (stamp == 0 && write) {
        error = write_stamp(txn, local->records);
        *why_r = "a new file cannot be written";
        stamp = error ? open_error(error) : 0;
    }
    if (stamp < 0) {
        mdb_txn_abort(txn);
        return stamp;
    }
    error = mdb_txn_commit(txn); /* this also keeps the records open for other transactions */
    return error ? open_error(error) : stamp;
}

static const char *open_reason(const struct weir_counters_local_options *options, int error)
{
    if (error == EACCES && options->read_only && access(options->path, R_OK) == 0)
        return "no permission to write the file's -lock, which readers need too";
    switch (error) {
    case EACCES:
        return "no permission to read and write the file and its -lock";
    case ENOENT:
        return "there is no such file or directory";
    case EROFS:
        return "the file system is read-only";
    case MDB_INVALID:
    case MDB_CORRUPTED:
        return "the file is damaged or not an LMDB database";
    case MDB_VERSION_MISMATCH:
        return "the file is of another version of LMDB";
    default:
        return "the file cannot be opened";
    }
}

/* Pages are written before the meta page that makes them valid, and the disk is
 * waited for once, not twice: after a power failure the last transaction may be
 * gone, but the file is sound.  Losing a second's events is harmless (they count
 * toward the prior); a second wait for the disk would stall the caller. */
static unsigned flags_of(const struct weir_counters_local_options *options)
{
    unsigned flags = MDB_NOSUBDIR | MDB_NOTLS | MDB_NORDAHEAD;
    if (options->read_only)
        return flags | MDB_RDONLY;
    return flags | (options->scratch ? MDB_NOSYNC : MDB_NOMETASYNC);
}

static int open_env(struct weir_local *local, const struct weir_counters_local_options *options,
                    const char **why_r)
{
    int error = mdb_env_create(&local->env);
    /* readers take the size that the writers have chosen */
    if (!error && !options->read_only)
        error = mdb_env_set_mapsize(local->env, options->bytes_most & ~UINT64_C(0xffff));
    if (!error)
        error = mdb_env_set_maxreaders(local->env, READERS_MOST);
    if (!error)
        error = mdb_env_open(local->env, options->path, flags_of(options), options->mode);
    if (error) {
        *why_r = open_reason(options, error);
        return open_error(error);
    }
    int dead;
    mdb_reader_check(local->env, &dead); /* slots of processes that were killed pin old pages */
    return 0;
}

/* Looks at the pages while the reader holds them still: nothing has been read
 * from them by LMDB yet, and no writer can use them anew. */
static int check_pages(struct weir_local *local, const char **why_r)
{
    char why[WEIR_LMDB_WHY] = "";
    int fd = -1;
    *why_r = "too many processes have the file open";
    int error = weir_local_begin(local, MDB_RDONLY, &local->reader);
    if (error)
        return open_error(error);
    mdb_env_get_fd(local->env, &fd);
    error = weir_lmdb_check_fd(fd, CHECK_PAGES, why);
    mdb_txn_reset(local->reader);
    if (error >= 0)
        return 0;
    weir_log(local->log, WEIR_LOG_ERROR, "%s: %s", local->path, why);
    *why_r = error == WEIR_ECORRUPT ? "the file is damaged" : "the file cannot be read";
    return error;
}

static int open_records(struct weir_local *local, const struct weir_counters_local_options *options,
                        const char **why_r)
{
    int error = open_env(local, options, why_r);
    if (!error)
        error = check_pages(local, why_r);
    /* ask as a reader first, so as not to wait for a busy writer each time */
    int stamp = error ? error : claim_records(local, false, why_r);
    if (stamp == 0 && !options->read_only)
        stamp = claim_records(local, true, why_r);
    return stamp < 0 ? stamp : 0;
}

/* Whether this is an LMDB file at all, before LMDB touches it. */
static int check_file(const struct weir_counters_local_options *options,
                      const struct weir_log *log, const char **why_r)
{
    char why[WEIR_LMDB_WHY] = "";
    int sound = weir_lmdb_check(options->path, 0, why);
    if (sound == WEIR_ECORRUPT) {
        weir_log(log, WEIR_LOG_ERROR, "%s: %s", options->path, why);
        *why_r = "the file is damaged or not an LMDB database";
    } else if (sound < 0 && errno == EAGAIN) {
        return 0; /* busy writers: check_pages() will hold the pages still */
    } else if (sound < 0) {
        *why_r = open_reason(options, errno);
    } else if (sound == 0 && options->read_only) {
        *why_r = "there is no such file or directory";
        errno = ENOENT;
        return WEIR_EIO;
    }
    return sound < 0 ? sound : 0;
}

int weir_counters_open_local(const struct weir_counters_local_options *options,
                             const struct weir_log *log, struct weir_counters **counters_r,
                             const char **why_r)
{
    static const struct weir_counter_store writer = {
        "local", local_fetch, weir_local_apply, weir_local_tick, local_status, local_free};
    static const struct weir_counter_store reader = {
        "local", local_fetch, NULL, weir_local_tick, local_status, local_free};
    *why_r = "the file's largest size is below 4 MB";
    if (!options->read_only && options->bytes_most < WEIR_LOCAL_BYTES_LEAST)
        return WEIR_EINVAL;
    int error = check_file(options, log, why_r);
    if (error)
        return error;
    *why_r = "memory is short";
    struct weir_local *local = calloc(1, sizeof *local);
    if (!local)
        return WEIR_ENOMEM;
    local->log = log;
    local->read_only = options->read_only;
    local->reads = local->writes = true;
    local->bytes_most = options->bytes_most;
    snprintf(local->path, sizeof local->path, "%s", options->path);
    error = open_records(local, options, why_r);
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
