/*
 * The counters of reputation beside the hits.  A message changes eleven of them and costs more than
 * all else that is counted of it: so it is stored as an event first, and a moment later many events
 * are folded into the counters together (counting_fold_io.c).
 *
 * Votes have a pack of their own: when a transaction fails they are entered anew, and decisions are
 * not.
 *
 * The key is the servers'; one that was made here would name counters nobody asks for.  It is
 * remembered with what was counted, and with another one nothing more is.
 */
#include <unistd.h>

#include "core/base/error.h"
#include "core/engine/stores_io.h"
#include "core/store/counters_key.h"
#include "monitor/analyzer/counting_impl.h"
#include "monitor/database/database_counters_io.h"

#define LOOK_EVERY WEIR_SECOND

const char *weir_counting_kept_name(enum weir_counting_kept kept)
{
    static const char *const name[] = {"kept", "no-key", "other-key", "off"};

    return name[kept];
}

/* With the key that is there. */
static int use_key(struct weir_counting *counting, const struct weir_hash_key *key)
{
    struct weir_database *database = counting->options.database;
    struct weir_database_counters_state state;
    int rc = weir_database_counters_state(database, &state);

    counting->counters_key = weir_counters_fingerprint(key);
    if (rc == 0 && state.key != 0 && state.key != counting->counters_key) {
        counting->counters = WEIR_COUNTING_OTHER_KEY;
        if (counting->refused == counting->counters_key) /* it is looked at each second */
            return 0;
        counting->refused = counting->counters_key;
        weir_log(counting->options.log, WEIR_LOG_ERROR, "%s: the counters in the database were "
                 "made with another key: nothing is added to them; put the old key back, or "
                 "begin anew with weirctl counters forget", counting->options.counters.key_file);
        return 0;
    }
    counting->refused = 0;
    if (rc == 0)
        rc = weir_database_counters_key(database, counting->counters_key);
    rc = rc < 0 ? rc
                : weir_ledger_new(&counting->options.counters.reputation, key, &counting->ledger);
    if (rc == 0)
        counting->counters = WEIR_COUNTING_KEPT;
    return rc;
}

int weir_counting_ledger_open(struct weir_counting *counting)
{
    const struct weir_counting_counters *options = &counting->options.counters;
    struct weir_hash_key key;
    int rc;

    counting->counters = options->key_file ? WEIR_COUNTING_NO_KEY : WEIR_COUNTING_OFF;
    counting->counters_key = 0;
    if (!options->key_file || access(options->key_file, R_OK) != 0 ||
        weir_key_file(options->key_file, &key) < 0)
        return 0;
    rc = use_key(counting, &key);
    explicit_bzero(&key, sizeof key);
    return rc;
}

void weir_counting_ledger_close(struct weir_counting *counting)
{
    weir_counting_fold_end(counting);
    weir_ledger_free(&counting->ledger);
    weir_ledger_pack_free(&counting->verdicts);
    weir_ledger_pack_free(&counting->votes);
}

void weir_counting_ledger_look(struct weir_counting *counting, weir_time now)
{
    if ((counting->counters != WEIR_COUNTING_NO_KEY &&
         counting->counters != WEIR_COUNTING_OTHER_KEY) ||
        (now >= counting->looked && now - counting->looked < LOOK_EVERY))
        return;
    counting->looked = now;
    (void)weir_counting_ledger_open(counting);
}

void weir_counting_ledger_take(struct weir_counting *counting, const struct weir_info *info,
                              weir_time now)
{
    const struct weir_ledger_event event = {.info = info};

    if (counting->ledger && weir_ledger_pack_add(&counting->verdicts, &event, now) < 0)
        counting->untallied++;
}

int weir_counting_forget(struct weir_counting *counting, uint64_t *records_r)
{
    struct weir_database_counters_state state = {.records = 0};
    int rc;

    pthread_mutex_lock(&counting->lock);
    rc = weir_database_counters_state(counting->options.database, &state);
    rc = rc < 0 ? rc : weir_database_counters_forget(counting->options.database);
    if (rc == 0) {
        weir_counting_ledger_close(counting);
        rc = weir_counting_ledger_open(counting);
    }
    pthread_mutex_unlock(&counting->lock);
    *records_r = state.records;
    return rc;
}

struct weir_ledger_pack *weir_counting_ledger_votes(struct weir_counting *counting)
{
    return counting->ledger ? &counting->votes : NULL;
}

/* Storing. ------------------------------------------------------------------ */

static int put(struct weir_counting *counting, const struct weir_ledger_pack *pack)
{
    int rc = 0;

    for (size_t i = 0; i < pack->cuts && rc >= 0; i++) {
        size_t events;
        struct weir_slice piece = weir_ledger_pack_piece(pack, i, &events);

        rc = weir_database_counter_events_put(counting->options.database, piece, events);
    }
    return rc;
}

/* What votes take back stands before them. */
int weir_counting_ledger_put(struct weir_counting *counting)
{
    int rc = put(counting, &counting->verdicts);

    return rc < 0 ? rc : put(counting, &counting->votes);
}

void weir_counting_ledger_kept(struct weir_counting *counting, bool kept)
{
    weir_ledger_pack_clear(&counting->votes);
    if (kept)
        weir_ledger_pack_clear(&counting->verdicts);
}

void weir_counting_ledger_count(const struct weir_counting *counting,
                               struct weir_counting_counts *counts_r)
{
    counts_r->untallied = counting->untallied;
    counts_r->hurried = counting->hurried;
    counts_r->counters = counting->counters;
    counts_r->counters_key = counting->counters_key;
}
