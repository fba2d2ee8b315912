/*
 * Changing the lists.  All of a call's entries go into one transaction, and with
 * them the counts that tell readers which prefix lengths are in use.
 *
 * Refuses the whole call when one entry is not fit, before anything is written.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/store/lists_handle.h"

/* One transaction and the counts of one list within it. */
struct change {
    struct weir_lists *lists;
    MDB_txn *txn;
    enum weir_list list;
    struct weir_list_counts counts;
    weir_time before; /* of purge */
    size_t added, removed;
};

/* Counts. ---------------------------------------------------------------- */

static int recount_step(void *context, MDB_cursor *cursor, const MDB_val *key,
                        const MDB_val *value)
{
    struct change *change = context;
    struct weir_list_entry entry;
    (void)cursor, (void)value;
    if (weir_list_key_read(key->mv_data, key->mv_size, &entry) == 0)
        ++*weir_list_counts_of(&change->counts, &entry);
    return 0;
}

/* Damaged counts are counted anew.  0 or an error. */
static int counts_load(struct change *change)
{
    int rc = weir_lists_counts_get(change->lists, change->txn, change->list, &change->counts);
    if (rc != WEIR_ECORRUPT)
        return rc < 0 ? rc : 0;
    weir_lists_damaged(change->lists, change->list);
    change->counts = (struct weir_list_counts){.domains = 0};
    return weir_lists_walk(change->lists, change->txn, change->list, recount_step, change);
}

static int counts_store(struct change *change)
{
    uint8_t octets[WEIR_LIST_KEY_COUNTS], record[WEIR_LIST_COUNTS_MAX];
    MDB_val key = {.mv_size = weir_list_key_counts(change->list, octets), .mv_data = octets};
    MDB_val value = {.mv_size = weir_list_counts_write(&change->counts, record)};
    value.mv_data = record;
    int error = mdb_put(change->txn, weir_lmdb_file_dbi(change->lists->file), &key, &value, 0);
    return error ? weir_lmdb_file_error(error) : 0;
}

static void count_down(struct change *change, const struct weir_list_entry *entry)
{
    uint32_t *count = weir_list_counts_of(&change->counts, entry);
    if (*count > 0)
        --*count;
    change->removed++;
}

/* Transactions. ---------------------------------------------------------- */

static int change_begin(struct change *change)
{
    int rc = weir_lmdb_file_write(change->lists->file, &change->txn);
    if (rc < 0)
        return rc;
    rc = counts_load(change);
    if (rc < 0)
        weir_lmdb_file_abort(change->lists->file);
    return rc;
}

/* Commits when all went well so far, else gives up.  0 or an error. */
static int change_end(struct change *change, int rc)
{
    bool changed = change->added + change->removed > 0;
    if (rc == 0 && changed)
        rc = counts_store(change);
    if (rc == 0 && changed)
        return weir_lmdb_file_commit(change->lists->file);
    weir_lmdb_file_abort(change->lists->file); /* else we wait for the disk for nothing */
    return rc;
}

/* Adding. ---------------------------------------------------------------- */

static bool is_inside_never(const struct weir_lists *lists, const struct weir_prefix *prefix)
{
    for (size_t i = 0; i < lists->nevers; i++)
        if (lists->never[i].bits <= prefix->bits &&
            weir_prefix_contains(&lists->never[i], &prefix->address))
            return true;
    return false;
}

static int entry_fit(const struct weir_lists *lists, enum weir_list list,
                     const struct weir_list_entry *entry, struct weir_list_entry *tidy_r)
{
    int rc = weir_list_entry_tidy(entry, tidy_r);
    if (rc < 0)
        return rc;
    if (list == WEIR_LIST_ACCEPT)
        return 0;
    return tidy_r->is_domain || is_inside_never(lists, &tidy_r->prefix) ? WEIR_EINVAL : 0;
}

static int entry_put(struct change *change, const struct weir_list_entry *tidy)
{
    uint8_t octets[WEIR_LIST_KEY_MAX], record[WEIR_LIST_RECORD_MAX];
    MDB_dbi dbi = weir_lmdb_file_dbi(change->lists->file);
    MDB_val key = {.mv_size = weir_list_key(change->list, tidy, octets), .mv_data = octets};
    MDB_val value = {.mv_size = weir_list_record_write(tidy, record), .mv_data = record};
    MDB_val fresh = value; /* LMDB shows an old value in the one it is given */
    int error = mdb_put(change->txn, dbi, &key, &value, MDB_NOOVERWRITE);
    if (error == MDB_KEYEXIST)
        error = mdb_put(change->txn, dbi, &key, &fresh, 0);
    else if (!error)
        ++*weir_list_counts_of(&change->counts, tidy);
    change->added++;
    return error ? weir_lmdb_file_error(error) : 0;
}

static bool is_kept_list(enum weir_list list)
{
    return list > WEIR_LIST_NEVER && list < WEIR_LISTS;
}

int weir_lists_add(struct weir_lists *lists, enum weir_list list,
                   const struct weir_list_entry *entry, size_t n, size_t *bad_r)
{
    struct change change = {.lists = lists, .list = list};
    struct weir_list_entry tidy;
    if (!is_kept_list(list))
        return WEIR_EINVAL;
    for (size_t i = 0; i < n; i++) {
        int rc = entry_fit(lists, list, &entry[i], &tidy);
        if (rc < 0 && bad_r)
            *bad_r = i;
        if (rc < 0)
            return rc;
    }
    if (n == 0)
        return 0;
    int rc = change_begin(&change);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = entry_fit(lists, list, &entry[i], &tidy);
        if (rc == 0)
            rc = entry_put(&change, &tidy);
    }
    return change_end(&change, rc);
}

/* Removing. -------------------------------------------------------------- */

static int entry_remove(struct change *change, const struct weir_list_entry *tidy)
{
    uint8_t octets[WEIR_LIST_KEY_MAX];
    MDB_val key = {.mv_size = weir_list_key(change->list, tidy, octets), .mv_data = octets};
    int error = mdb_del(change->txn, weir_lmdb_file_dbi(change->lists->file), &key, NULL);
    if (!error)
        count_down(change, tidy);
    return error && error != MDB_NOTFOUND ? weir_lmdb_file_error(error) : 0;
}

int weir_lists_remove(struct weir_lists *lists, enum weir_list list,
                      const struct weir_list_entry *entry, size_t n, size_t *removed_r)
{
    struct change change = {.lists = lists, .list = list};
    struct weir_list_entry tidy;
    int rc = is_kept_list(list) ? 0 : WEIR_EINVAL;
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = weir_list_which_tidy(&entry[i], &tidy);
    if (rc == 0)
        rc = change_begin(&change);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = weir_list_which_tidy(&entry[i], &tidy);
        if (rc == 0)
            rc = entry_remove(&change, &tidy);
    }
    rc = change_end(&change, rc);
    if (rc == 0 && removed_r)
        *removed_r = change.removed;
    return rc;
}

static int purge_step(void *context, MDB_cursor *cursor, const MDB_val *key, const MDB_val *value)
{
    struct change *change = context;
    struct weir_list_entry entry;
    weir_time ends;
    if (weir_list_key_read(key->mv_data, key->mv_size, &entry) < 0 ||
        weir_list_record_ends(value->mv_data, value->mv_size, &ends) < 0)
        return 0;
    if (ends == 0 || ends >= change->before)
        return 0;
    int error = mdb_cursor_del(cursor, 0);
    if (!error)
        count_down(change, &entry);
    return error ? weir_lmdb_file_error(error) : 0;
}

int weir_lists_purge(struct weir_lists *lists, weir_time before, size_t *removed_r)
{
    size_t removed = 0;
    int rc = 0;
    for (enum weir_list list = WEIR_LIST_ACCEPT; list < WEIR_LISTS && rc == 0; list++) {
        struct change change = {.lists = lists, .list = list, .before = before};
        rc = change_begin(&change);
        if (rc < 0)
            return rc;
        rc = change_end(&change, weir_lists_walk(lists, change.txn, list, purge_step, &change));
        removed += change.removed;
    }
    if (rc == 0 && removed_r)
        *removed_r = removed;
    return rc;
}
