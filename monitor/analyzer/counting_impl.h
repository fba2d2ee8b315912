/*
 * counting_impl - counting from inside: decisions and reports (counting_io.c), and what they change
 * in the counters of reputation (counting_ledger_io.c, and from there counting_fold_io.c).
 */
#ifndef WEIR_ANALYZER_COUNTING_IMPL_H
#define WEIR_ANALYZER_COUNTING_IMPL_H

#include <pthread.h>

#include "monitor/analyzer/counting_io.h"
#include "monitor/analyzer/disbelief.h"
#include "monitor/analyzer/sample.h"
#include "monitor/database/database_counters_io.h"

/* Events on their way into the counters: gathered from the database a piece at a time, then written
 * a piece at a time.  How far that is in stands in the database. */
struct weir_fold {
    bool begun, gathered;
    int64_t upto;          /* number of the last row of events that is gathered */
    uint64_t events;
    struct weir_database_fold there; /* begun before the start */
    const struct weir_ledger_change *change;
    size_t changes, at;    /* written up to there */
};

struct weir_counting {
    struct weir_counting_options options;
    struct weir_hits *hits;
    struct weir_reports *reports;
    struct weir_gather *gather;
    struct weir_sample *sample; /* of those that were counted and not yet stored */
    struct weir_ledger *ledger;   /* NULL: counters are not kept */
    struct weir_ledger_pack verdicts, votes; /* events that are not yet stored */
    struct weir_fold fold;
    bool full;             /* what was to be stored was beyond the most, when tried last */
    uint64_t hurried;
    enum weir_counting_kept counters;
    uint32_t counters_key, refused; /* refused: another one, which was told */
    uint64_t untallied;
    weir_time looked;      /* for the key */
    uint64_t before;       /* position: everything up to there was counted before the start */
    uint64_t position;     /* behind the last line that was counted */
    uint64_t kept;         /* up to there it is in the database */
    bool renewed;          /* rules were, and that is not */
    struct weir_counting_counts counts;
    struct weir_disbelief *disbelief; /* of servers by number modulo WEIR_COUNTING_SERVERS */
    pthread_mutex_t lock;
};

/* Begins to keep counters when the key is there and that of the database's.  0, or an error of the
 * database, or WEIR_ENOMEM; that they are not kept is none. */
int weir_counting_ledger_open(struct weir_counting *counting);
void weir_counting_ledger_close(struct weir_counting *counting);

/* Forgets what is gathered: it is gathered anew. */
void weir_counting_fold_end(struct weir_counting *counting);

/* What is to be stored would be beyond the most that may wait: folds a piece, and nothing is to be
 * stored now: 1; else 0, or an error. */
int weir_counting_fold_room(struct weir_counting *counting, weir_time now);

/* Looks now and then for a key that was not there, or for the old one in the place of another. */
void weir_counting_ledger_look(struct weir_counting *counting, weir_time now);

/* Notes a decision that was counted. */
void weir_counting_ledger_take(struct weir_counting *counting, const struct weir_info *info,
                              weir_time now);

/* Where votes go; NULL when counters are not kept. */
struct weir_ledger_pack *weir_counting_ledger_votes(struct weir_counting *counting);

/* Puts all events into the database, in the caller's transaction; and what came of that. */
int weir_counting_ledger_put(struct weir_counting *counting);
void weir_counting_ledger_kept(struct weir_counting *counting, bool kept);

void weir_counting_ledger_count(const struct weir_counting *counting,
                               struct weir_counting_counts *counts_r);

#endif
