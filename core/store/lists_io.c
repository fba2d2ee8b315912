/*
 * Looking up in the lists; changing them is in lists_write_io.c, the layout in
 * lists_impl.h, the file in lmdb_file_io.h.  The handle owns the open file and
 * the copy of the never list.
 *
 * A look-up renews one read transaction, asks once for each prefix length in
 * use (which it knows as long as nobody commits), and takes no memory.
 * Refuses nothing: what cannot be read is logged and counts as not listed.
 */
#include "core/store/lists_io.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/store/lists_handle.h"

#define LOOK_EVERY WEIR_SECOND
#define DAMAGE_EVERY WEIR_MINUTE
#define VERSION 1

static const char kind[] = "weir lists";
static const char never_reason[] = "on the never list of the configuration";

const char *weir_list_name(enum weir_list list)
{
    static const char *const name[WEIR_LISTS] = {"never", "accept", "blacklist", "score"};
    return (unsigned)list < WEIR_LISTS ? name[list] : "?";
}

void weir_lists_damaged(struct weir_lists *lists, enum weir_list list)
{
    struct weir_clock clock = weir_clock_steady();
    unsigned held;
    if (weir_log_gate_open(&lists->damage, weir_clock_now(&clock), DAMAGE_EVERY, &held))
        weir_log(lists->log, WEIR_LOG_ERROR,
                 "the %s list has a damaged record, which counts as not there (%u more like this)",
                 weir_list_name(list), held);
}

/* Opening. --------------------------------------------------------------- */

static int prefix_order(const void *a, const void *b)
{
    const struct weir_prefix *one = a, *other = b;
    int order = memcmp(one->address.octet, other->address.octet, sizeof(one->address.octet));
    return order != 0 ? order : (one->bits > other->bits) - (one->bits < other->bits);
}

static int never_copy(struct weir_lists *lists, const struct weir_lists_options *options)
{
    if (options->nevers == 0)
        return 0;
    lists->never = calloc(options->nevers, sizeof(*lists->never));
    if (!lists->never)
        return WEIR_ENOMEM;
    memcpy(lists->never, options->never, options->nevers * sizeof(*lists->never));
    lists->nevers = options->nevers;
    qsort(lists->never, lists->nevers, sizeof(*lists->never), prefix_order);
    return 0;
}

int weir_lists_open(const struct weir_lists_options *options, const struct weir_log *log,
                    struct weir_lists **lists_r, const char **why_r)
{
    struct weir_lmdb_file_options file = {
        .path = options->path,
        .kind = kind,
        .version = VERSION,
        .write = options->write,
        .mode = options->mode,
        .bytes_most = options->bytes_most,
        .check_pages = options->check_pages,
    };
    struct weir_lists *lists = calloc(1, sizeof(*lists));
    *why_r = "";
    if (!lists || never_copy(lists, options) < 0) {
        weir_lists_free(&lists);
        *why_r = weir_error_text(WEIR_ENOMEM);
        return WEIR_ENOMEM;
    }
    lists->log = log;
    int rc = weir_lmdb_file_open(&file, log, &lists->file, why_r);
    if (rc < 0)
        weir_lists_free(&lists);
    else
        *lists_r = lists;
    return rc;
}

void weir_lists_free(struct weir_lists **lists)
{
    if (!lists || !*lists)
        return;
    weir_lmdb_file_free(&(*lists)->file);
    free((*lists)->never);
    free(*lists);
    *lists = NULL;
}

/* What is in use. -------------------------------------------------------- */

int weir_lists_counts_get(struct weir_lists *lists, MDB_txn *txn, enum weir_list list,
                          struct weir_list_counts *counts_r)
{
    uint8_t octets[WEIR_LIST_KEY_COUNTS];
    MDB_val key = {.mv_size = weir_list_key_counts(list, octets), .mv_data = octets}, value;
    *counts_r = (struct weir_list_counts){.domains = 0};
    int error = mdb_get(txn, weir_lmdb_file_dbi(lists->file), &key, &value);
    if (error)
        return error == MDB_NOTFOUND ? 0 : weir_lmdb_file_error(error);
    int rc = weir_list_counts_read(value.mv_data, value.mv_size, counts_r);
    return rc < 0 ? rc : 1;
}

static void use_everything(struct weir_list_use *use)
{
    *use = (struct weir_list_use){.damaged = true, .domains = 1};
    for (int bits = 128; bits >= 0; bits--)
        use->bits[use->lengths++] = (uint8_t)bits;
}

static void use_counted(struct weir_list_use *use, const struct weir_list_counts *counts)
{
    *use = (struct weir_list_use){.domains = counts->domains};
    use->entries = weir_list_counts_sum(counts);
    for (int bits = 128; bits >= 0; bits--)
        if (counts->prefixes[bits] > 0)
            use->bits[use->lengths++] = (uint8_t)bits;
}

/* Learns what is in use, unless nothing was committed since.  0 or an error. */
static int use_refresh(struct weir_lists *lists, MDB_txn *txn)
{
    uint64_t opened = weir_lmdb_file_times_opened(lists->file), id = mdb_txn_id(txn);
    if (lists->use_opened == opened && lists->use_txn == id)
        return 0;
    for (enum weir_list list = WEIR_LIST_ACCEPT; list < WEIR_LISTS; list++) {
        struct weir_list_counts counts;
        int rc = weir_lists_counts_get(lists, txn, list, &counts);
        if (rc < 0 && rc != WEIR_ECORRUPT)
            return rc;
        if (rc == WEIR_ECORRUPT) {
            weir_lists_damaged(lists, list);
            use_everything(&lists->use[list]);
        } else {
            use_counted(&lists->use[list], &counts);
        }
    }
    lists->use_opened = opened;
    lists->use_txn = id;
    return 0;
}

/* Reading. --------------------------------------------------------------- */

static void look(struct weir_lists *lists)
{
    lists->trouble = weir_lmdb_file_look(lists->file);
}

static void look_sometimes(struct weir_lists *lists, weir_time now)
{
    /* the clock may have been set back */
    if (lists->has_looked && now >= lists->looked && now - lists->looked < LOOK_EVERY)
        return;
    lists->looked = now;
    lists->has_looked = true;
    look(lists);
}

/* 1 and a transaction to be ended; 0 when there is no file; an error. */
static int read_begin(struct weir_lists *lists, MDB_txn **txn_r)
{
    int rc = weir_lmdb_file_read(lists->file, txn_r);
    if (rc == 0)
        return lists->trouble;
    if (rc < 0)
        return rc;
    rc = use_refresh(lists, *txn_r);
    if (rc < 0)
        weir_lmdb_file_done(lists->file);
    return rc < 0 ? rc : 1;
}

/* The value of a key, read into *entry_r when it is live at now; at the beginning of
 * time everything is.  1, 0 or an error. */
static int entry_get(struct weir_lists *lists, MDB_txn *txn, enum weir_list list, weir_time now,
                     MDB_val *key, struct weir_list_entry *entry_r)
{
    MDB_val value;
    weir_time ends;
    int error = mdb_get(txn, weir_lmdb_file_dbi(lists->file), key, &value);
    if (error)
        return error == MDB_NOTFOUND ? 0 : weir_lmdb_file_error(error);
    int rc = weir_list_record_ends(value.mv_data, value.mv_size, &ends);
    if (rc == 0 && ends != 0 && ends <= now)
        return 0;
    struct weir_list_entry entry = {.is_domain = false};
    if (rc == 0)
        rc = weir_list_key_read(key->mv_data, key->mv_size, &entry);
    if (rc == 0)
        rc = weir_list_record_read(value.mv_data, value.mv_size, &entry);
    if (rc < 0) {
        weir_lists_damaged(lists, list);
        return 0;
    }
    *entry_r = entry;
    return 1;
}

/* The longest live prefix of one list that holds the address. */
static int prefix_find(struct weir_lists *lists, MDB_txn *txn, weir_time now, enum weir_list list,
                       const struct weir_address *address, struct weir_list_entry *entry_r)
{
    const struct weir_list_use *use = &lists->use[list];
    for (size_t i = 0; i < use->lengths; i++) {
        uint8_t octets[WEIR_LIST_KEY_PREFIX];
        struct weir_prefix prefix = weir_address_mask(address, use->bits[i]);
        if (!weir_prefix_contains(&prefix, address))
            continue; /* an IPv6 prefix, an IPv4 address */
        MDB_val key = {.mv_size = weir_list_key_prefix(list, &prefix, octets), .mv_data = octets};
        int rc = entry_get(lists, txn, list, now, &key, entry_r);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static void never_entry(const struct weir_prefix *prefix, struct weir_list_entry *entry_r)
{
    *entry_r = (struct weir_list_entry){.prefix = *prefix};
    memcpy(entry_r->reason, never_reason, sizeof(never_reason));
}

/* The never list is short: a walk is as quick as anything. */
static int never_find(const struct weir_lists *lists, const struct weir_address *address,
                      struct weir_list_entry *entry_r)
{
    const struct weir_prefix *best = NULL;
    for (size_t i = 0; i < lists->nevers; i++) {
        const struct weir_prefix *prefix = &lists->never[i];
        if (weir_prefix_contains(prefix, address) && (!best || prefix->bits > best->bits))
            best = prefix;
    }
    if (!best)
        return 0;
    never_entry(best, entry_r);
    return 1;
}

int weir_lists_find(struct weir_lists *lists, weir_time now, const struct weir_address *address,
                    enum weir_list *list_r, struct weir_list_entry *entry_r)
{
    MDB_txn *txn;
    *list_r = WEIR_LIST_NEVER;
    if (never_find(lists, address, entry_r))
        return 1;
    look_sometimes(lists, now);
    int rc = read_begin(lists, &txn);
    if (rc <= 0)
        return rc;
    rc = 0;
    for (enum weir_list list = WEIR_LIST_ACCEPT; list < WEIR_LISTS && rc == 0; list++) {
        *list_r = list;
        rc = prefix_find(lists, txn, now, list, address, entry_r);
    }
    weir_lmdb_file_done(lists->file);
    return rc;
}

int weir_lists_find_in(struct weir_lists *lists, weir_time now, enum weir_list list,
                       const struct weir_address *address, struct weir_list_entry *entry_r)
{
    MDB_txn *txn;
    if ((unsigned)list >= WEIR_LISTS)
        return WEIR_EINVAL;
    if (list == WEIR_LIST_NEVER)
        return never_find(lists, address, entry_r);
    look_sometimes(lists, now);
    int rc = read_begin(lists, &txn);
    if (rc <= 0)
        return rc;
    rc = prefix_find(lists, txn, now, list, address, entry_r);
    weir_lmdb_file_done(lists->file);
    return rc;
}

/* The domain, then what is behind its first dot, and so on. */
static int domain_find(struct weir_lists *lists, MDB_txn *txn, weir_time now, const char *domain,
                       struct weir_list_entry *entry_r)
{
    int rc = 0;
    while (domain && rc == 0) {
        uint8_t octets[WEIR_LIST_KEY_MAX];
        size_t len = weir_list_key_domain(WEIR_LIST_ACCEPT, domain, strlen(domain), octets);
        MDB_val key = {.mv_size = len, .mv_data = octets};
        rc = entry_get(lists, txn, WEIR_LIST_ACCEPT, now, &key, entry_r);
        domain = strchr(domain, '.');
        if (domain)
            domain++;
    }
    return rc;
}

int weir_lists_find_domain(struct weir_lists *lists, weir_time now, const char *domain,
                           struct weir_list_entry *entry_r)
{
    char tidy[WEIR_DOMAIN_MAX + 1];
    MDB_txn *txn;
    if (weir_list_domain_tidy(domain, tidy) == 0)
        return 0;
    look_sometimes(lists, now);
    int rc = read_begin(lists, &txn);
    if (rc <= 0)
        return rc;
    rc = 0;
    if (lists->use[WEIR_LIST_ACCEPT].domains > 0)
        rc = domain_find(lists, txn, now, tidy, entry_r);
    weir_lmdb_file_done(lists->file);
    return rc;
}

/* Showing. --------------------------------------------------------------- */

static int never_show(const struct weir_lists *lists, const struct weir_prefix *which,
                      struct weir_list_entry *entry_r)
{
    for (size_t i = 0; i < lists->nevers; i++) {
        if (prefix_order(&lists->never[i], which) != 0)
            continue;
        never_entry(which, entry_r);
        return 1;
    }
    return 0;
}

int weir_lists_show(struct weir_lists *lists, enum weir_list list,
                    const struct weir_list_entry *which, struct weir_list_entry *entry_r)
{
    struct weir_list_entry tidy;
    uint8_t octets[WEIR_LIST_KEY_MAX];
    MDB_txn *txn;
    int rc = weir_list_which_tidy(which, &tidy);
    if (rc < 0 || (unsigned)list >= WEIR_LISTS || (tidy.is_domain && list != WEIR_LIST_ACCEPT))
        return WEIR_EINVAL;
    if (list == WEIR_LIST_NEVER)
        return never_show(lists, &tidy.prefix, entry_r);
    look(lists);
    rc = read_begin(lists, &txn);
    if (rc <= 0)
        return rc;
    MDB_val key = {.mv_size = weir_list_key(list, &tidy, octets), .mv_data = octets};
    rc = entry_get(lists, txn, list, 0, &key, entry_r);
    weir_lmdb_file_done(lists->file);
    return rc;
}

int weir_lists_walk(struct weir_lists *lists, MDB_txn *txn, enum weir_list list,
                    int (*step)(void *context, MDB_cursor *cursor, const MDB_val *key,
                                const MDB_val *value),
                    void *context)
{
    uint8_t first = (uint8_t)list;
    MDB_cursor *cursor;
    MDB_val key = {.mv_size = 1, .mv_data = &first}, value;
    int rc = 0, error = mdb_cursor_open(txn, weir_lmdb_file_dbi(lists->file), &cursor);
    if (error)
        return weir_lmdb_file_error(error);
    error = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (!error && rc == 0 && *(const uint8_t *)key.mv_data == (uint8_t)list) {
        if (!weir_list_key_is_counts(key.mv_data, key.mv_size))
            rc = step(context, cursor, &key, &value);
        if (rc == 0)
            error = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return error && error != MDB_NOTFOUND ? weir_lmdb_file_error(error) : rc;
}

struct each {
    struct weir_lists *lists;
    enum weir_list list;
    int (*call)(void *context, const struct weir_list_entry *entry);
    void *context;
};

static int each_step(void *context, MDB_cursor *cursor, const MDB_val *key, const MDB_val *value)
{
    const struct each *each = context;
    struct weir_list_entry entry = {.is_domain = false};
    (void)cursor;
    if (weir_list_key_read(key->mv_data, key->mv_size, &entry) == 0 &&
        weir_list_record_read(value->mv_data, value->mv_size, &entry) == 0)
        return each->call(each->context, &entry);
    weir_lists_damaged(each->lists, each->list);
    return 0;
}

static int never_each(const struct each *each)
{
    int rc = 0;
    for (size_t i = 0; i < each->lists->nevers && rc == 0; i++) {
        struct weir_list_entry entry;
        never_entry(&each->lists->never[i], &entry);
        rc = each->call(each->context, &entry);
    }
    return rc;
}

int weir_lists_each(struct weir_lists *lists, enum weir_list list,
                    int (*each)(void *context, const struct weir_list_entry *entry),
                    void *context)
{
    struct each state = {.lists = lists, .list = list, .call = each, .context = context};
    MDB_txn *txn;
    if ((unsigned)list >= WEIR_LISTS)
        return WEIR_EINVAL;
    if (list == WEIR_LIST_NEVER)
        return never_each(&state);
    look(lists);
    int rc = read_begin(lists, &txn);
    if (rc <= 0)
        return rc;
    rc = weir_lists_walk(lists, txn, list, each_step, &state);
    weir_lmdb_file_done(lists->file);
    return rc;
}

static int count_step(void *context, const struct weir_list_entry *entry)
{
    size_t *count = context;
    (void)entry;
    ++*count;
    return 0;
}

int weir_lists_count(struct weir_lists *lists, enum weir_list list, size_t *count_r)
{
    MDB_txn *txn;
    size_t count = 0;
    int rc = 0;
    if ((unsigned)list >= WEIR_LISTS)
        return WEIR_EINVAL;
    if (list == WEIR_LIST_NEVER) {
        *count_r = lists->nevers;
        return 0;
    }
    look(lists);
    rc = read_begin(lists, &txn);
    if (rc > 0) {
        weir_lmdb_file_done(lists->file);
        rc = 0;
        if (lists->use[list].damaged)
            rc = weir_lists_each(lists, list, count_step, &count);
        else
            count = lists->use[list].entries;
    }
    if (rc == 0)
        *count_r = count;
    return rc;
}
