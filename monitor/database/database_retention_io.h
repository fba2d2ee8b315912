/*
 * Forgetting: what is older than it may be, and, when the database is larger than it may be, the
 * oldest of what grows: first traffic (minutes, addresses, and of events, decisions, ladder and
 * audit what is over), then, as far as that is not enough, recent messages, counters of reputation,
 * reported messages, drafts of rules that are retired, published sets, lessons, those that the kept
 * counts do not have yet behind the others, and last people's votes and what the analyzer changed
 * in rules more than WEIR_RETENTION_HISTORY ago.  A bounded piece at a time, so that the writer is
 * never kept long: call it every second or so while `more` is said, else every minute.
 *
 * See database_io.h for owner, threads and errors.
 */
#ifndef WEIR_DATABASE_RETENTION_IO_H
#define WEIR_DATABASE_RETENTION_IO_H

#include "monitor/database/database_io.h"

/* Ages after which rows are forgotten; 0: never. */
struct weir_retention {
    weir_time minutes;
    weir_time addresses;  /* since last seen */
    weir_time streams;    /* since something came: longer than any spool is kept */
    weir_time events;     /* since they were cleared, and silences since they ended;
                           * those that stand, stay */
    weir_time decisions;  /* since they ended or were undone; those that stand, stay */
    weir_time ladder;     /* since the last event and the step's end */
    weir_time audit;
    weir_time history;    /* of what the analyzer changed: thinned then, database_rules_io.h */
    weir_time reports;    /* longer than a message may be reported: its vote is known so long */
    uint64_t octets_most; /* of the database; 0: as the disk allows */
    unsigned rows;        /* forgotten of each table in one call: 5,000 is some 20 ms */
    bool untimely;        /* the clock is in doubt: nothing goes by age */
};

struct weir_forgotten {
    uint64_t minutes, addresses, streams, events, decisions, ladder, audit, reports, history, hits;
    uint64_t messages, counters, texts, drafts, sets, lessons; /* these only by size */
    uint64_t early;       /* of these: because of octets_most */
    bool more;            /* there is more to forget */
};

/* What a database that is too large keeps of events that are over, of decisions, and of the audit,
 * whatever its size: an attacker who fills it must not be able to wipe out his traces. */
#define WEIR_RETENTION_LEAST 10000 /* and of votes */
#define WEIR_RETENTION_HISTORY (30 * WEIR_DAY)

/* Forgets up to rows of each; minutes of more than a day in the future, too.  0 or an error. */
int weir_database_retain(struct weir_database *database, const struct weir_retention *retention,
                         weir_time now, struct weir_forgotten *forgotten_r);

/* When something was last forgotten by age; 0: never.  0 or an error. */
int weir_database_retained(struct weir_database *database, weir_time *when_r);

/* Rows forgotten early since the file was made: shown to the operator.  0 or an error. */
int weir_database_forgotten_early(struct weir_database *database, uint64_t *rows_r);

#endif
