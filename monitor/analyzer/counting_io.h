/*
 * counting - the decisions of all servers as they come in, counted and kept (claims B4, B15, B23),
 * and what people say of them (B33).
 *
 *     a server's line -> record.h: is it signed, and its own? -> hits.h -> the table of hits
 *                                                               `-> sample.h -> recent messages
 *                                                               `-> ledger.h -> counters
 *                     -> reports_io.h: whose vote is it, and does it count? -> all of them
 *                     -> gather.h: what comes in parts -> whole -> its taker
 *
 * A report may come before its decision, from another server than the one that decided.  What
 * people say moves what was counted: so the decision is counted with the report, unless it is older
 * than WEIR_COUNTING_AHEAD, and its own line repeats it then.  Of older ones nobody knows for sure
 * that they were not counted before.
 *
 * Lines are read in a batch, which is the work, and then counted with the journal's position behind
 * it; what the database has already, is passed over when the journal is read again.  Only what is
 * kept counts: after kill -9 each decision is counted once, after a power cut a second's decisions
 * may be missing.
 *
 * Limits:   WEIR_COUNTER_EVENTS_MAX decisions wait to be folded into the counters of reputation; at
 *           the limit they are folded before more is stored, and beyond as many in memory servers
 *           wait.
 * Owner:    the caller; the database must outlive it.  Threads: any, one mutex; storing needs the
 *           database's lock besides.
 * Errors:   as those of the database; a line that is not believed is counted by why.
 */
#ifndef WEIR_ANALYZER_COUNTING_IO_H
#define WEIR_ANALYZER_COUNTING_IO_H

#include "core/engine/verdict.h"
#include "monitor/analyzer/record.h"
#include "monitor/analyzer/gather.h"
#include "monitor/analyzer/hits.h"
#include "monitor/analyzer/reports_io.h"
#include "monitor/analyzer/training_io.h"
#include "monitor/database/database_io.h"

#define WEIR_COUNTING_AHEAD WEIR_HOUR
#define WEIR_COUNTING_SERVERS 1024 /* told apart where decisions are not believed */

struct weir_counting;

/* The counters of reputation, in the database as the servers have them. */
struct weir_counting_counters {
    struct weir_reputation_settings reputation;
    const char *key_file;                /* of the servers: it is not made here; NULL: none */
    uint64_t most;                       /* records */
    uint64_t events;                     /* that may wait; 0: WEIR_COUNTER_EVENTS_MAX */
};

struct weir_counting_options {
    struct weir_database *database;
    const struct weir_log *log;          /* NULL: none */
    struct weir_counting_counters counters; /* key_file must live as long as it is in use */
    struct weir_info_keys keys;          /* copied */
    uint32_t messages;                   /* recent ones that are kept; 0: WEIR_MESSAGES_TRIED */
    struct weir_hits_settings hits;
    struct weir_reports_settings reports;
    struct weir_gather_taker taker[WEIR_GATHER_TAKERS_MAX]; /* of what comes in parts */
    size_t takers;
    struct weir_training *training;      /* NULL: nothing is learned; else it takes part */
};

/* Whether counters are kept. */
enum weir_counting_kept {
    WEIR_COUNTING_KEPT,
    WEIR_COUNTING_NO_KEY,                /* the file is not there, or no key */
    WEIR_COUNTING_OTHER_KEY,             /* the database's were made with another one */
    WEIR_COUNTING_OFF,                   /* none are wanted */
};
/* "kept", "no-key", "other-key", "off". */
const char *weir_counting_kept_name(enum weir_counting_kept kept);

struct weir_counting_counts {
    uint64_t state[WEIR_RECORD_STATES];  /* lines, by how far they were believed */
    uint64_t verdict[WEIR_BLOCKED + 1];  /* messages that were counted, by what was decided */
    uint64_t repeated, lost;             /* of the good ones; lost: memory was short */
    uint64_t left_out;                   /* counted, and not kept among recent messages */
    uint64_t untallied;                  /* of the good ones: not counted in the reputation, for
                                            memory was short */
    uint64_t hurried;                    /* times that too many events waited: they were folded
                                            in before more were stored */
    enum weir_counting_kept counters;
    uint32_t counters_key;               /* fingerprint of the key, 0: none */
    size_t rules;
    struct weir_reports_counts reports;
    struct weir_gather_counts gather;
};

/* Goes on where the database is.  0, an error of the database, WEIR_ENOMEM, WEIR_EINVAL. */
int weir_counting_open(const struct weir_counting_options *options,
                       struct weir_counting **counting_r);
void weir_counting_free(struct weir_counting **counting);

/* Other settings of reports from now on. */
void weir_counting_use(struct weir_counting *counting,
                       const struct weir_reports_settings *reports);

/* A person changed these rules, as weir_hits_renew() has it; kept with the next store. */
void weir_counting_renew(struct weir_counting *counting, const uint32_t *rule, size_t rules);

/* A line of a report (report_line.h) as the desk's own, WEIR_REPORT_DESK, entered and stored at
 * once; when that fails it is with the next store.  0; WEIR_EINVAL for a line that is none; or the
 * database's. */
int weir_counting_say(struct weir_counting *counting, struct weir_slice line, weir_time now);

/* The clock was put back to a time, and all so far is kept: as weir_hits_rebase() has it, kept with
 * the next store.  Whether anything was later. */
bool weir_counting_rebase(struct weir_counting *counting, weir_time now);

struct weir_counting_batch;

/* Reads lines of a server's log.  0 with a batch (NULL for no lines), which the caller frees, or
 * WEIR_ENOMEM. */
int weir_counting_read(const struct weir_counting *counting, uint32_t server,
                       const struct weir_slice *line, size_t lines,
                       struct weir_counting_batch **batch_r);
void weir_counting_batch_free(struct weir_counting_batch **batch);

/* Counts what was read, and ends at a position of the journal.  Reports are taken out of the batch,
 * and wait until it is kept. */
void weir_counting_take(struct weir_counting *counting, struct weir_counting_batch *batch,
                        uint64_t position, weir_time now);

/* Whether there is room for what was read before the next weir_counting_store(); else it is to be
 * stored first.  A batch always fits where nothing waits. */
bool weir_counting_fits(struct weir_counting *counting, const struct weir_counting_batch *batch);

/* Enters reports, and keeps what was counted since the last time, if anything was, in a transaction
 * of its own; to be done before the database lets the journal go.  0; 1: too much waits to be
 * folded, a piece of it was, and nothing is stored before the next call; or an error. */
int weir_counting_store(struct weir_counting *counting, weir_time now);

/* Folds what was kept into the counters of reputation: all of little; of much, gathers or writes a
 * piece, a tenth of a second.  1 when there is more, 0, or an error. */
int weir_counting_fold(struct weir_counting *counting, weir_time now);

/* Forgets all counters, and begins anew with the key that is there; in the caller's transaction.  0
 * and how many records there were, or an error. */
int weir_counting_forget(struct weir_counting *counting, uint64_t *records_r);

/* How many decisions of a server came within the last hour, by how far they were believed; whether
 * any was not, and whether that is news. */
bool weir_counting_disbelief(struct weir_counting *counting, uint32_t server, weir_time now,
                             uint64_t sum_r[static WEIR_RECORD_STATES], bool *news_r);

struct weir_counting_counts weir_counting_counts(struct weir_counting *counting);

#endif
