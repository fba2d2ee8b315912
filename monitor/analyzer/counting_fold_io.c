/*
 * From events to counters.  To read and to write a counter costs as much as a dozen events, so many
 * events are added up in memory, each address and domain once, before the database is asked: the
 * more there are the less each costs.
 *
 * Nobody may wait for all of that: a call gathers a piece, or writes one in a transaction of its
 * own, in the order of places, and notes with it how far it came.  Events go with the last piece.
 * After a kill in between the same events are gathered again, and written from there on: each
 * counts once.
 */
#include "core/base/error.h"
#include "monitor/analyzer/counting_impl.h"

#define PIECES 12    /* gathered at once: a tenth of a second */
#define ENTITIES 16384 /* written at once: the same */

void weir_counting_fold_end(struct weir_counting *counting)
{
    counting->fold = (struct weir_fold){.begun = false};
    if (counting->ledger)
        weir_ledger_clear(counting->ledger);
}

/* Gathering. ---------------------------------------------------------------- */

struct piece {
    struct weir_counting *counting;
    weir_time now;
};

static int take_piece(void *context, int64_t number, uint64_t events, struct weir_slice octets)
{
    const struct piece *piece = context;
    struct weir_fold *fold = &piece->counting->fold;
    int rc = weir_ledger_events(piece->counting->ledger, octets.at, octets.len, piece->now);

    fold->upto = number;
    fold->events += events;
    return rc < 0 && rc != WEIR_ECORRUPT ? rc : 0; /* what is damaged stays so */
}

/* 1 when what is to be written together is there, 0 when there is more to gather, or an error. */
static int gather(struct weir_counting *counting, weir_time now)
{
    struct weir_database *database = counting->options.database;
    struct weir_fold *fold = &counting->fold;
    struct piece piece = {counting, now};
    int rc = fold->begun ? 0 : weir_database_fold(database, &fold->there);

    if (rc < 0)
        return rc;
    fold->begun = true;
    rc = weir_database_counter_events(database, fold->upto,
                                      fold->there.upto > 0 ? fold->there.upto : INT64_MAX, PIECES,
                                      take_piece, &piece);
    if (rc < 0)
        return rc;
    fold->gathered = rc < PIECES || (fold->there.upto == 0 &&
                                     weir_ledger_size(counting->ledger) >= WEIR_FOLD_CHANGES);
    return fold->gathered;
}

/* Writing. ------------------------------------------------------------------ */

static int64_t place_at(const struct weir_fold *fold, size_t at)
{
    return weir_ledger_place(&fold->change[at].counter.entity);
}

/* All in their order; those that were written before the start are passed over. */
static void sort_out(struct weir_counting *counting)
{
    struct weir_fold *fold = &counting->fold;

    fold->change = weir_ledger_changes(counting->ledger, &fold->changes);
    fold->at = 0;
    if (fold->there.upto > 0)
        while (fold->at < fold->changes && place_at(fold, fold->at) <= fold->there.place)
            fold->at++;
}

/* Where a piece ends: between two entities. */
static size_t end_of(const struct weir_fold *fold)
{
    size_t at = fold->at;

    for (unsigned entities = 0; at < fold->changes; at++)
        if ((at == fold->at || place_at(fold, at) != place_at(fold, at - 1)) &&
            ++entities > ENTITIES)
            break;
    return at;
}

static int put(struct weir_counting *counting, size_t end, weir_time now)
{
    struct weir_database *database = counting->options.database;
    struct weir_fold *fold = &counting->fold;
    int rc = weir_database_counters_add(database, fold->change + fold->at, end - fold->at, now,
                                        counting->options.counters.most);

    if (rc < 0)
        return rc;
    if (end == fold->changes)
        return weir_database_counter_events_forget(database, fold->upto, fold->events);
    return weir_database_fold_put(database, &(struct weir_database_fold){
                                                fold->upto, place_at(fold, end - 1)});
}

static int write(struct weir_counting *counting, weir_time now)
{
    struct weir_database *database = counting->options.database;
    struct weir_fold *fold = &counting->fold;
    int rc = weir_database_begin(database);
    size_t end;

    if (rc < 0)
        return rc;
    if (!fold->change)
        sort_out(counting);
    end = end_of(fold);
    rc = put(counting, end, now);
    if (rc < 0) {
        weir_database_abandon(database);
        return rc;
    }
    fold->at = end;
    return weir_database_commit(database);
}

int weir_counting_fold(struct weir_counting *counting, weir_time now)
{
    struct weir_database_counters_state state = {.waiting = 0};
    struct weir_fold *fold = &counting->fold;
    uint64_t events;
    int rc = counting->ledger ? weir_database_counters_state(counting->options.database, &state)
                              : 0;

    if (rc < 0 || state.waiting == 0)
        return rc;
    rc = fold->gathered ? 1 : gather(counting, now);
    if (rc == 0)
        return 1;
    if (rc == 1 && fold->events == 0 && fold->there.upto == 0)
        fold->events = state.waiting; /* none is there: the number was wrong */
    rc = rc < 0 ? rc : write(counting, now);
    if (rc == 0 && fold->at < fold->changes)
        return 1;
    events = fold->events;
    weir_counting_fold_end(counting); /* or with an error: it begins anew */
    return rc < 0 ? rc : events < state.waiting;
}

int weir_counting_fold_room(struct weir_counting *counting, weir_time now)
{
    uint64_t coming = counting->verdicts.events, most = counting->options.counters.events;
    struct weir_database_counters_state state = {.waiting = 0};
    int rc = counting->ledger ? weir_database_counters_state(counting->options.database, &state)
                              : 0;
    bool full = rc == 0 && state.waiting > 0 && state.waiting + coming > most;

    counting->hurried += full && !counting->full;
    counting->full = full;
    if (full)
        rc = weir_counting_fold(counting, now);
    return rc < 0 ? rc : full;
}
