/*
 * Each entity is one row with its packed record.  How many there are is kept as a number, for to
 * count a million rows each second would take longer than to write those that changed.
 */
#include "monitor/database/database_counters_io.h"

#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/database/database_impl.h"

#define RECORDS "counters_records"
#define EVICTED "counters_evicted"
#define KEY "counters_key"
#define WAITING "counters_waiting"
#define FOLD_UPTO "counters_fold_upto"
#define FOLD_PLACE "counters_fold_place"
#define EVICT_MORE 4096 /* in one transaction, than came with it */

/* Records. ------------------------------------------------------------------ */

/* 1, 0 when there is none, or an error; one that is damaged counts as none. */
static int read_record(struct weir_database *database, const struct weir_entity *entity,
                       struct weir_counter_record *record_r, weir_time *updated_r)
{
    struct weir_query q = weir_query(database, "SELECT record, updated FROM counters "
                                     "WHERE place = ?");
    int found, rc;

    record_r->n = 0;
    weir_bind_number(&q, weir_ledger_place(entity));
    found = weir_query_row(&q);
    if (found == 1) {
        struct weir_slice packed = weir_column_slice(&q);

        (void)weir_counter_record_read(entity, packed.at, packed.len, record_r);
        *updated_r = weir_column_number(&q);
    }
    rc = weir_query_end(&q);
    return rc < 0 ? rc : found;
}

static int put_record(struct weir_database *database, const struct weir_entity *entity,
                      const struct weir_counter_record *record, weir_time updated)
{
    struct weir_query q = weir_query(database, "INSERT OR REPLACE INTO counters "
                                     "(place, entity, record, updated) VALUES (?, ?, ?, ?)");
    uint8_t packed[WEIR_COUNTER_RECORD_MAX];

    weir_bind_number(&q, weir_ledger_place(entity));
    weir_bind_octets(&q, entity->id, sizeof entity->id);
    weir_bind_octets(&q, packed, weir_counter_record_write(entity, record, packed));
    weir_bind_number(&q, updated);
    return weir_query_run(&q);
}

/* A slot has an index to find the oldest by: where it stays, only the record is written. */
static int change_record(struct weir_database *database, const struct weir_entity *entity,
                         const struct weir_counter_record *record)
{
    struct weir_query q = weir_query(database, "UPDATE counters SET record = ? WHERE place = ?");
    uint8_t packed[WEIR_COUNTER_RECORD_MAX];

    weir_bind_octets(&q, packed, weir_counter_record_write(entity, record, packed));
    weir_bind_number(&q, weir_ledger_place(entity));
    return weir_query_run(&q);
}

static int remove_record(struct weir_database *database, const struct weir_entity *entity)
{
    struct weir_query q = weir_query(database, "DELETE FROM counters WHERE place = ?");

    weir_bind_number(&q, weir_ledger_place(entity));
    return weir_query_run(&q);
}

static void change(struct weir_counter_record *record, const struct weir_ledger_change *by,
                   weir_time now)
{
    weir_counter_record_change(
        record, &(struct weir_counter_change){
                    .counter = by->counter,
                    .epoch = by->epoch,
                    .expires = weir_decay_expires(by->epoch, by->counter.half_life),
                    .amount = (uint64_t)(by->amount < 0 ? -by->amount : by->amount),
                    .take_back = by->amount < 0,
                    .when = now,
                });
}

/* The changes of one entity.  By how many records there are more, or an error below -1. */
static int change_entity(struct weir_database *database, const struct weir_ledger_change *by,
                         size_t changes, weir_time now, int *more_r)
{
    const struct weir_entity *entity = &by->counter.entity;
    weir_time slot = now / WEIR_COUNTERS_SLOT * WEIR_COUNTERS_SLOT, updated = 0;
    struct weir_counter_record record;
    int found = read_record(database, entity, &record, &updated);

    if (found < 0)
        return found;
    weir_counter_record_drop_expired(&record, now);
    for (size_t i = 0; i < changes; i++)
        if (by[i].amount != 0)
            change(&record, &by[i], now);
    if (record.n == 0) {
        *more_r = -found;
        return found ? remove_record(database, entity) : 0;
    }
    *more_r = !found;
    return found && updated == slot ? change_record(database, entity, &record)
                                    : put_record(database, entity, &record, slot);
}

static size_t run_of(const struct weir_ledger_change *change, size_t changes)
{
    size_t n = 1;

    while (n < changes && memcmp(&change[n].counter.entity, &change->counter.entity,
                                 sizeof change->counter.entity) == 0)
        n++;
    return n;
}

/* How many went, or an error.  What came in the last minutes goes only when it alone is too much:
 * senders that are invented by the million. */
static int evict(struct weir_database *database, uint64_t much, bool fresh, weir_time now)
{
    struct weir_query q = weir_query(database, "DELETE FROM counters WHERE place IN "
        "(SELECT place FROM counters WHERE updated < ? ORDER BY updated LIMIT ?)");

    weir_bind_number(&q, fresh ? INT64_MAX : now - WEIR_COUNTERS_SLOT);
    weir_bind_number(&q, (int64_t)much);
    return weir_query_change(&q);
}

static int keep_most(struct weir_database *database, uint64_t records, uint64_t came, uint64_t most,
                     weir_time now)
{
    uint64_t much = records > most ? records - most : 0, hard = most + most / 8;
    int gone = 0, more = 0;

    if (much > came + EVICT_MORE)
        much = came + EVICT_MORE;
    if (much > 0)
        gone = evict(database, much, false, now);
    if (gone >= 0 && records - (uint64_t)gone > hard)
        more = evict(database, records - (uint64_t)gone - hard, true, now);
    return gone < 0 ? gone : more < 0 ? more : gone + more;
}

static int keep_bounds(struct weir_database *database, int64_t more, weir_time now, uint64_t most)
{
    uint64_t records, evicted;
    int gone = 0, rc = weir_state_get(database, RECORDS, &records);

    if (rc == 0)
        rc = weir_state_get(database, EVICTED, &evicted);
    if (rc < 0)
        return rc;
    records = more < 0 && records < (uint64_t)-more ? 0 : records + (uint64_t)more;
    gone = keep_most(database, records, more > 0 ? (uint64_t)more : 0, most, now);
    if (gone < 0)
        return gone;
    rc = weir_state_put(database, RECORDS, records - (uint64_t)gone);
    return rc < 0 || gone == 0 ? rc : weir_state_put(database, EVICTED, evicted + (uint64_t)gone);
}

int weir_database_counters_forget_oldest(struct weir_database *database, unsigned rows)
{
    uint64_t records, evicted;
    int gone = evict(database, rows, true, 0), rc = weir_state_get(database, RECORDS, &records);

    rc = rc < 0 ? rc : weir_state_get(database, EVICTED, &evicted);
    if (gone <= 0 || rc < 0)
        return gone < 0 ? gone : rc;
    rc = weir_state_put(database, RECORDS,
                        records > (uint64_t)gone ? records - (uint64_t)gone : 0);
    rc = rc < 0 ? rc : weir_state_put(database, EVICTED, evicted + (uint64_t)gone);
    return rc < 0 ? rc : gone;
}

int weir_database_counters_add(struct weir_database *database,
                               const struct weir_ledger_change *change, size_t changes,
                               weir_time now, uint64_t most)
{
    int64_t all = 0;
    int rc = 0, more;
    bool own;

    if (changes == 0)
        return 0;
    rc = weir_change_begin(database, &own);
    if (rc < 0)
        return rc;
    for (size_t at = 0, n; at < changes && rc >= 0; at += n) {
        n = run_of(change + at, changes - at);
        rc = change_entity(database, change + at, n, now, &more);
        all += rc < 0 ? 0 : more;
    }
    rc = rc < 0 ? rc : keep_bounds(database, all, now, most);
    return weir_change_end(database, own, rc);
}

int weir_database_counters(struct weir_database *database, const struct weir_entity *behind,
                           unsigned most,
                           int (*row)(void *context, const struct weir_entity *entity,
                                      const struct weir_counter_record *record),
                           void *context)
{
    struct weir_query q = weir_query(database, "SELECT entity, record FROM counters "
                                     "WHERE place > ? ORDER BY place LIMIT ?");
    int calls = 0, stop = 0;

    weir_bind_number(&q, behind ? weir_ledger_place(behind) : INT64_MIN);
    weir_bind_number(&q, most);
    while (stop == 0 && weir_query_row(&q) == 1) {
        struct weir_counter_record record;
        struct weir_entity entity;
        struct weir_slice packed;

        if (!weir_column_octets(&q, entity.id, sizeof entity.id))
            break;
        packed = weir_column_slice(&q);
        (void)weir_counter_record_read(&entity, packed.at, packed.len, &record);
        stop = row(context, &entity, &record);
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}

int weir_database_counters_state(struct weir_database *database,
                                 struct weir_database_counters_state *state_r)
{
    int rc = weir_state_get(database, RECORDS, &state_r->records);

    rc = rc < 0 ? rc : weir_state_get(database, EVICTED, &state_r->evicted);
    rc = rc < 0 ? rc : weir_state_get(database, WAITING, &state_r->waiting);
    return rc < 0 ? rc : weir_state_get(database, KEY, &state_r->key);
}

int weir_database_counters_key(struct weir_database *database, uint64_t key)
{
    return weir_state_put(database, KEY, key);
}

int weir_database_counters_forget(struct weir_database *database)
{
    bool own;
    int rc = weir_change_begin(database, &own);

    if (rc < 0)
        return rc;
    rc = weir_database_run(database, "DELETE FROM counters; DELETE FROM counter_events");
    rc = rc < 0 ? rc : weir_database_fold_put(database, &(struct weir_database_fold){0, 0});
    rc = rc < 0 ? rc : weir_state_put(database, WAITING, 0);
    rc = rc < 0 ? rc : weir_state_put(database, RECORDS, 0);
    rc = rc < 0 ? rc : weir_state_put(database, KEY, 0);
    return weir_change_end(database, own, rc);
}

/* Events. ------------------------------------------------------------------- */

static int add_waiting(struct weir_database *database, int64_t events)
{
    uint64_t waiting;
    int rc = weir_state_get(database, WAITING, &waiting);

    if (rc < 0)
        return rc;
    waiting = events < 0 && waiting < (uint64_t)-events ? 0 : waiting + (uint64_t)events;
    return weir_state_put(database, WAITING, waiting);
}

int weir_database_counter_events_put(struct weir_database *database, struct weir_slice octets,
                                     uint64_t events)
{
    struct weir_query q = weir_query(database, "INSERT INTO counter_events (count, events) "
                                     "VALUES (?, ?)");
    int rc;

    weir_bind_number(&q, (int64_t)events);
    weir_bind_octets(&q, octets.at, octets.len);
    rc = weir_query_run(&q);
    return rc < 0 ? rc : add_waiting(database, (int64_t)events);
}

int weir_database_counter_events(struct weir_database *database, int64_t behind, int64_t upto,
                                 unsigned most,
                                 int (*row)(void *context, int64_t number, uint64_t events,
                                            struct weir_slice octets),
                                 void *context)
{
    struct weir_query q = weir_query(database, "SELECT number, count, events FROM counter_events "
                                     "WHERE number > ? AND number <= ? ORDER BY number LIMIT ?");
    int calls = 0, stop = 0;

    weir_bind_number(&q, behind);
    weir_bind_number(&q, upto);
    weir_bind_number(&q, most);
    while (stop == 0 && weir_query_row(&q) == 1) {
        int64_t number = weir_column_number(&q);
        uint64_t events = (uint64_t)weir_column_number(&q);

        stop = row(context, number, events, weir_column_slice(&q));
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}

int weir_database_counter_events_forget(struct weir_database *database, int64_t number,
                                        uint64_t events)
{
    struct weir_query q = weir_query(database, "DELETE FROM counter_events WHERE number <= ?");
    int rc;

    weir_bind_number(&q, number);
    rc = weir_query_run(&q);
    rc = rc < 0 ? rc : weir_database_fold_put(database, &(struct weir_database_fold){0, 0});
    return rc < 0 ? rc : add_waiting(database, -(int64_t)events);
}

int weir_database_fold(struct weir_database *database, struct weir_database_fold *fold_r)
{
    uint64_t upto = 0, place = 0;
    int rc = weir_state_get(database, FOLD_UPTO, &upto);

    rc = rc < 0 ? rc : weir_state_get(database, FOLD_PLACE, &place);
    *fold_r = (struct weir_database_fold){(int64_t)upto, (int64_t)place};
    return rc;
}

int weir_database_fold_put(struct weir_database *database, const struct weir_database_fold *fold)
{
    int rc = weir_state_put(database, FOLD_UPTO, (uint64_t)fold->upto);

    return rc < 0 ? rc : weir_state_put(database, FOLD_PLACE, (uint64_t)fold->place);
}

/* Votes. -------------------------------------------------------------------- */

static const char *const said[] = {[WEIR_SAID_NOTHING] = "", [WEIR_SAID_SPAM] = "spam",
                                   [WEIR_SAID_GOOD] = "ham", [WEIR_SAID_UNSURE] = "unsure"};

static int64_t pack_counted(const struct weir_counted *counted)
{
    return counted->computer | counted->stranger << 2 | counted->new_group << 3;
}

static struct weir_counted unpack_counted(int64_t octet)
{
    return (struct weir_counted){.computer = (enum weir_said)(octet & 3), .stranger = octet & 4,
                                 .new_group = octet & 8};
}

int weir_database_vote_add(struct weir_database *database, struct weir_database_vote *vote)
{
    const struct weir_info *info = &vote->info;
    struct weir_query q = weir_query(database, "INSERT INTO votes (time, uid, judged_by, told_by, "
        "at, address, domain, counted, was, now) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    int rc;

    weir_bind_number(&q, vote->time);
    weir_bind_number(&q, (int64_t)info->uid);
    weir_bind_number(&q, (int64_t)info->server);
    weir_bind_number(&q, vote->told_by);
    weir_bind_number(&q, info->at);
    weir_bind_octets(&q, info->boundary.octet, sizeof info->boundary.octet);
    weir_bind_text(&q, info->domain_hashed ? "" : info->domain);
    weir_bind_number(&q, pack_counted(&info->counted));
    weir_bind_text(&q, said[vote->was]);
    weir_bind_text(&q, said[vote->is]);
    rc = weir_query_run(&q);
    if (rc == 0)
        vote->number = sqlite3_last_insert_rowid(database->sqlite);
    return rc;
}

static enum weir_said said_of(const char *text)
{
    return text[0] == 's'   ? WEIR_SAID_SPAM
           : text[0] == 'h' ? WEIR_SAID_GOOD
           : text[0] == 'u' ? WEIR_SAID_UNSURE
                            : WEIR_SAID_NOTHING;
}

static bool read_vote(struct weir_query *q, struct weir_database_vote *vote)
{
    struct weir_info *info = &vote->info;

    *vote = (struct weir_database_vote){.number = weir_column_number(q)};
    vote->time = weir_column_number(q);
    info->uid = (uint64_t)weir_column_number(q);
    info->server = (uint64_t)weir_column_number(q);
    vote->told_by = (uint32_t)weir_column_number(q);
    info->at = weir_column_number(q);
    info->has_boundary = weir_column_octets(q, info->boundary.octet, sizeof info->boundary.octet);
    snprintf(info->domain, sizeof info->domain, "%s", weir_column_text(q));
    info->counted = unpack_counted(weir_column_number(q));
    vote->was = said_of(weir_column_text(q));
    vote->is = said_of(weir_column_text(q));
    return info->has_boundary;
}

int weir_database_votes(struct weir_database *database, int64_t behind, unsigned most,
                        int (*row)(void *context, const struct weir_database_vote *vote),
                        void *context)
{
    struct weir_query q = weir_query(database, "SELECT number, time, uid, judged_by, told_by, at, "
        "address, domain, counted, was, now FROM votes WHERE number > ? ORDER BY number LIMIT ?");
    int calls = 0, stop = 0;

    weir_bind_number(&q, behind);
    weir_bind_number(&q, most);
    while (stop == 0 && weir_query_row(&q) == 1) {
        struct weir_database_vote vote;

        if (!read_vote(&q, &vote))
            break;
        stop = row(context, &vote);
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}

int weir_database_vote_newest(struct weir_database *database, int64_t *number_r)
{
    struct weir_query q = weir_query(database, "SELECT coalesce(max(number), 0) FROM votes");

    *number_r = weir_query_row(&q) == 1 ? weir_column_number(&q) : 0;
    return weir_query_end(&q);
}
