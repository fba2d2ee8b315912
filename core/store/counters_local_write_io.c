/*
 * Writing to the local counter store, and keeping it in bounds.  A flush is one
 * transaction (a few in a small file): events are sorted by entity, and each
 * record is read, changed and written once.
 *
 * A full file.  LMDB writes changed pages to free places, so a file that is
 * full to the last page cannot even be emptied.  Therefore, when records take
 * three quarters of the file, it counts as tight: a new record is made only
 * for one that the sweep has dropped (a credit); at seven eighths none is made.
 * The sweep drops what has expired and, while the file is tight, the eighth that
 * is worth least of the records it passes: strangers seen once give way, busy
 * entities stay, and those worth more than WORTH_KEEPING always do.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/store/counter_record.h"
#include "core/store/counters_local_impl.h"

#define LOOK_EVERY WEIR_SECOND /* whether the file was replaced */
#define SWEEP_EVERY (5 * WEIR_SECOND)
#define SWEEP_RECORDS 2048 /* looked at in one sweep: about a millisecond */
#define SWEEP_DROPS 256    /* dropped in one sweep: bounds its transaction */
#define ROOM_SWEEPS 4      /* sweeps before a flush that finds the file tight */
#define WORTH_KEEPING 4.0  /* recent events of weight 1 */
#define BYTES_AN_EVENT (UINT64_C(64) << 10) /* of the file, for each event of a transaction */

/* Sweeping. --------------------------------------------------------------- */

struct candidate {
    double value;
    struct weir_entity entity;
};

struct candidates {
    size_t n;
    struct candidate of[SWEEP_RECORDS];
};

/* Whether a record may go.  What is damaged or expired is worth less than nothing. */
static bool may_go(const struct weir_local *local, const MDB_val *key, const MDB_val *value,
                   struct candidate *candidate_r)
{
    struct weir_entity *entity = &candidate_r->entity;
    struct weir_counter_record record;
    if (key->mv_size != sizeof entity->id) /* the stamp */
        return false;
    memcpy(entity->id, key->mv_data, sizeof entity->id);
    candidate_r->value = -1;
    if (weir_counter_record_read(entity, value->mv_data, value->mv_size, &record) < 0)
        return true;
    weir_counter_record_drop_expired(&record, local->latest);
    if (record.n == 0)
        return true;
    candidate_r->value = weir_counter_record_value(&record, local->latest);
    return local->tight && candidate_r->value < WORTH_KEEPING;
}

/* Looks at the next records with a cursor; notes where it came to. */
static int look_on(struct weir_local *local, MDB_cursor *cursor, struct candidates *found)
{
    struct weir_entity from = local->swept_to;
    MDB_val key = {.mv_size = sizeof from.id, .mv_data = from.id};
    MDB_val value;
    int error = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    for (size_t i = 0; !error && i < SWEEP_RECORDS; i++) {
        if (key.mv_size == sizeof from.id)
            memcpy(local->swept_to.id, key.mv_data, sizeof from.id);
        if (may_go(local, &key, &value, &found->of[found->n]))
            found->n++;
        error = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    if (error != MDB_NOTFOUND)
        return error;
    memset(&local->swept_to, 0, sizeof local->swept_to); /* the end: round again */
    return 0;
}

static int find_candidates(struct weir_local *local, struct candidates *found)
{
    MDB_cursor *cursor;
    MDB_txn *txn;
    int dead;
    int there = weir_lmdb_file_read(local->file, &txn);
    if (there <= 0)
        return there;
    mdb_reader_check(mdb_txn_env(txn), &dead); /* slots of killed processes pin old pages */
    int error = mdb_cursor_open(txn, weir_lmdb_file_dbi(local->file), &cursor);
    if (!error) {
        error = look_on(local, cursor, found);
        mdb_cursor_close(cursor);
    }
    weir_lmdb_file_done(local->file);
    return error ? weir_lmdb_file_error(error) : 0;
}

static int compare_value(const void *a, const void *b)
{
    double left = ((const struct candidate *)a)->value;
    double right = ((const struct candidate *)b)->value;
    return (left > right) - (left < right);
}

/* Drops a record that may still go: others may have written since it was looked at. */
static int drop_one(struct weir_local *local, MDB_txn *txn, struct weir_entity *entity,
                    uint64_t *dropped)
{
    struct candidate again;
    MDB_val key = {.mv_size = sizeof entity->id, .mv_data = entity->id};
    MDB_val value;
    MDB_dbi records = weir_lmdb_file_dbi(local->file);
    int error = mdb_get(txn, records, &key, &value);
    if (!error && may_go(local, &key, &value, &again)) {
        error = mdb_del(txn, records, &key, NULL);
        *dropped += !error;
    }
    return error == MDB_NOTFOUND ? 0 : error;
}

/* Begins writing.  Pages are always written before the meta page that makes
 * them valid, but the disk is waited for once, not twice: a power failure may take the
 * last flush, never the file.  A second wait would stall the caller, and the
 * events of a second count toward the prior at worst. */
static int write_begin(struct weir_local *local, MDB_txn **txn_r)
{
    int error = weir_lmdb_file_write(local->file, txn_r);
    if (!error)
        mdb_env_set_flags(mdb_txn_env(*txn_r), local->scratch ? MDB_NOSYNC : MDB_NOMETASYNC, 1);
    return error;
}

/* Ends writing: commits, unless LMDB had an error.  0 or one of ours. */
static int write_end(struct weir_local *local, int mdb_error)
{
    if (!mdb_error)
        return weir_lmdb_file_commit(local->file);
    weir_lmdb_file_abort(local->file);
    return weir_lmdb_file_error(mdb_error);
}

static int drop_candidates(struct weir_local *local, struct candidates *found)
{
    MDB_txn *txn;
    uint64_t dropped = 0;
    int error = write_begin(local, &txn);
    if (error)
        return error;
    for (size_t i = 0; !error && i < found->n && i < SWEEP_DROPS; i++)
        error = drop_one(local, txn, &found->of[i].entity, &dropped);
    error = write_end(local, error);
    if (!error)
        local->credit += dropped;
    return error;
}

static int sweep(struct weir_local *local)
{
    struct candidates found;
    found.n = 0;
    int error = find_candidates(local, &found);
    if (found.n > SWEEP_DROPS)
        qsort(found.of, found.n, sizeof found.of[0], compare_value);
    if (!error && found.n > 0)
        error = drop_candidates(local, &found);
    return error ? weir_local_trouble(local, "sweeping old records", error) : 0;
}

static void make_room(struct weir_local *local)
{
    for (int i = 0; i < ROOM_SWEEPS && local->credit < WEIR_EVENTS_MAX; i++) {
        if (sweep(local) < 0)
            return;
    }
}

/* Sees whether the file is tight; returns false when nothing new may be made at all. */
static bool measure(struct weir_local *local)
{
    MDB_stat stat;
    MDB_txn *txn;
    if (weir_lmdb_file_read(local->file, &txn) <= 0)
        return true; /* writing will meet the same trouble and tell */
    int error = mdb_stat(txn, weir_lmdb_file_dbi(local->file), &stat);
    weir_lmdb_file_done(local->file);
    if (error)
        return true;
    uint64_t used = weir_local_bytes_used(&stat);
    local->tight = used > local->bytes_most / 4 * 3;
    if (!local->tight)
        local->credit = 0;
    return used < local->bytes_most / 8 * 7;
}

/* Writing. ---------------------------------------------------------------- */

static int compare_order(const void *a, const void *b, void *context)
{
    const struct weir_counter_change *change = context;
    uint16_t left = *(const uint16_t *)a;
    uint16_t right = *(const uint16_t *)b;
    int order = memcmp(&change[left].counter.entity, &change[right].counter.entity,
                       sizeof change[left].counter.entity);
    return order ? order : (left > right) - (left < right);
}

/* Puts the n changes of one entity into its record. */
static void change_record(struct weir_counter_record *record,
                          const struct weir_counter_change *change, const uint16_t *order,
                          size_t n)
{
    weir_time latest = 0;
    for (size_t i = 0; i < n; i++) {
        if (change[order[i]].when > latest)
            latest = change[order[i]].when;
    }
    weir_counter_record_drop_expired(record, latest);
    for (size_t i = 0; i < n; i++)
        weir_counter_record_change(record, &change[order[i]]);
}

/* A new record is refused while there is no room for it. */
static bool may_make(struct weir_local *local)
{
    if (!local->tight)
        return true;
    if (local->credit == 0)
        return false;
    local->credit--;
    return true;
}

/* Writes the n changes of one entity.  0 or an MDB error; *refused_r when there
 * is no room for a new record. */
static int write_entity(struct weir_local *local, MDB_txn *txn,
                        const struct weir_counter_change *change, const uint16_t *order, size_t n,
                        bool *refused_r)
{
    struct weir_entity entity = change[order[0]].counter.entity;
    MDB_val key = {.mv_size = sizeof entity.id, .mv_data = entity.id};
    MDB_val value;
    MDB_dbi records = weir_lmdb_file_dbi(local->file);
    struct weir_counter_record record;
    record.n = 0;
    int error = mdb_get(txn, records, &key, &value);
    bool is_new = error == MDB_NOTFOUND;
    if (error && !is_new)
        return error;
    if (!is_new && weir_counter_record_read(&entity, value.mv_data, value.mv_size, &record) < 0)
        weir_local_damaged(local);
    change_record(&record, change, order, n);
    if (record.n == 0)
        return is_new ? 0 : mdb_del(txn, records, &key, NULL);
    *refused_r = is_new && !may_make(local);
    if (*refused_r)
        return 0;
    uint8_t bytes[WEIR_COUNTER_RECORD_MAX];
    value.mv_size = weir_counter_record_write(&entity, &record, bytes);
    value.mv_data = bytes;
    return mdb_put(txn, records, &key, &value, 0);
}

/* One transaction.  0 and how many changes had no room, or an error and nothing
 * was stored. */
static int write_changes(struct weir_local *local, const struct weir_counter_change *change,
                         const uint16_t *order, size_t n, size_t *refused_r)
{
    MDB_txn *txn;
    *refused_r = 0;
    int error = write_begin(local, &txn);
    if (error)
        return error;
    for (size_t at = 0, run; !error && at < n; at += run) {
        run = 1;
        while (at + run < n && memcmp(&change[order[at + run]].counter.entity,
                                      &change[order[at]].counter.entity,
                                      sizeof change->counter.entity) == 0)
            run++;
        bool refused = false;
        error = write_entity(local, txn, change, order + at, run, &refused);
        *refused_r += refused ? run : 0;
    }
    return write_end(local, error);
}

/* At most WEIR_EVENTS_MAX changes. */
static int store_chunk(struct weir_local *local, const struct weir_counter_change *change, size_t n,
                       size_t *lost_r)
{
    for (size_t i = 0; i < n; i++) {
        local->order[i] = (uint16_t)i;
        if (!local->ticks && change[i].when > local->latest)
            local->latest = change[i].when;
    }
    qsort_r(local->order, n, sizeof local->order[0], compare_order, (void *)(uintptr_t)change);
    bool may_grow = measure(local);
    if (local->tight)
        make_room(local);
    if (!may_grow)
        local->credit = 0;
    int error = write_changes(local, change, local->order, n, lost_r);
    if (error == WEIR_EFULL) {
        make_room(local);
        if (!may_grow)
            local->credit = 0;
        error = write_changes(local, change, local->order, n, lost_r);
    }
    if (error)
        *lost_r = n;
    if (!error && *lost_r > 0)
        error = WEIR_EFULL;
    return error ? weir_local_trouble(local, "storing events", error) : 0;
}

/* An event changes a page or two, and LMDB cannot use the old ones anew before
 * two further transactions: three of them must fit into the free quarter. */
static size_t chunk_of(const struct weir_local *local)
{
    uint64_t events = local->bytes_most / BYTES_AN_EVENT;
    return events < WEIR_EVENTS_MAX ? (size_t)events : WEIR_EVENTS_MAX;
}

int weir_local_apply(void *self, const struct weir_counter_change *change, size_t n,
                     size_t *lost_r)
{
    struct weir_local *local = self;
    int result = 0;
    *lost_r = 0;
    for (size_t at = 0, chunk; at < n; at += chunk) {
        chunk = n - at < chunk_of(local) ? n - at : chunk_of(local);
        size_t lost;
        int error = store_chunk(local, change + at, chunk, &lost);
        *lost_r += lost;
        /* The worst is told: full is not down. */
        if (error && (result == 0 || result == WEIR_EFULL))
            result = error;
    }
    local->writes = result == 0 || result == WEIR_EFULL;
    return result;
}

/* True once an interval, also after the clock was set back. */
static bool is_due(weir_time *next, weir_time now, weir_time interval)
{
    if (now < *next && *next - now <= interval)
        return false;
    *next = now + interval;
    return true;
}

void weir_local_tick(void *self, weir_time now)
{
    struct weir_local *local = self;
    if (is_due(&local->next_look, now, LOOK_EVERY))
        weir_lmdb_file_look(local->file);
    if (local->read_only)
        return;
    local->ticks = true;
    local->latest = now;
    if (is_due(&local->next_sweep, now, SWEEP_EVERY))
        sweep(local);
}
