/*
 * Decisions: what the monitor, or somebody through it, put on the servers' lists, and took back.
 *
 * Each change, making or undoing, has a generation, one more than the change before.  A server that
 * has applied generation G needs those that changed since G: of them it lists those that stand, and
 * removes those that are undone.  What has ended, servers forget by themselves.
 *
 * See database_io.h for owner, threads, errors and rows.  Limits: WEIR_REASON_MAX,
 * WEIR_ORIGIN_MAX, as the servers' lists have them; WEIR_ORIGIN_MAX of undone_by (WEIR_ELIMIT).
 */
#ifndef WEIR_DATABASE_DECISIONS_IO_H
#define WEIR_DATABASE_DECISIONS_IO_H

#include "core/base/address.h"
#include "monitor/database/database_io.h"

#define WEIR_UNDONE_AT_ONCE 1000

struct weir_database_decision {
    int64_t number;            /* given when it is added */
    weir_time made;
    int64_t event;             /* because of which, or 0 */
    uint64_t generation;       /* of its making; given */
    uint64_t changed;          /* of its last change; given */
    const char *list;          /* "blacklist", "accept", "score" */
    struct weir_prefix prefix;
    weir_time ends;            /* 0: never */
    bool defer;                /* refused for now, instead of for good */
    double points;             /* on the list "score" */
    const char *reason, *origin;
    weir_time undone;          /* 0: it was not */
    const char *undone_by;
};

/* What lists call for each. */
typedef int weir_database_decision_row(void *context,
                                       const struct weir_database_decision *decision);

/* Adds a decision (made to origin count): its number and generation.  0 or an error. */
int weir_database_decision_add(struct weir_database *database,
                               const struct weir_database_decision *decision, int64_t *number_r,
                               uint64_t *generation_r);

/* Undoes a decision, or all that stand about exactly this prefix (on a list, or on all: NULL), as
 * one change.  How many were undone, and then its generation; 0 when none stood; an error. */
int weir_database_decision_undo(struct weir_database *database, int64_t number, const char *by,
                                weir_time now, uint64_t *generation_r);
int weir_database_decisions_undo(struct weir_database *database, const struct weir_prefix *prefix,
                                 const char *list, const char *by, weir_time now,
                                 uint64_t *generation_r);

/* Undoes all that stand on the lists "blacklist" and "score" about a prefix or what is below it.
 * Each WEIR_UNDONE_AT_ONCE of them are one change, so that a server may learn of many in pieces.
 * How many were undone, and then the generation of the last change; 0 when none stood; an error. */
int weir_database_decisions_undo_below(struct weir_database *database,
                                       const struct weir_prefix *prefix, const char *by,
                                       weir_time now, uint64_t *generation_r);

/* Puts back what was undone on those lists at one moment about a prefix or what is below it, as new
 * decisions with the reason, end and origin they had: those that have not ended, and in whose
 * place nothing else stands.  How many, in changes as above; or an error. */
int weir_database_decisions_restore(struct weir_database *database,
                                    const struct weir_prefix *prefix, weir_time undone,
                                    weir_time now, uint64_t *generation_r);

/* Those made in the future (a clock was set back) are made now, and end so much earlier: how many,
 * in changes as above; or an error. */
int weir_database_decisions_rebase(struct weir_database *database, weir_time now,
                                   uint64_t *generation_r);

/* The last generation; 0 before the first change. */
int weir_database_generation(struct weir_database *database, uint64_t *generation_r);

/* Those that stand now: neither undone nor ended; in the order of their changes. */
int weir_database_decisions_active(struct weir_database *database, weir_time now,
                                   weir_database_decision_row *row,
                                   void *context);

/* The same of the list "accept" alone. */
int weir_database_decisions_accepted(struct weir_database *database, weir_time now,
                                     weir_database_decision_row *row,
                                     void *context);

/* Those that stand now on a list ("": on any) with numbers below `before` (0: all), newest
 * first. */
int weir_database_decisions_newest(struct weir_database *database, const char *list,
                                   int64_t before, weir_time now, weir_database_decision_row *row,
                                   void *context);

/* All that changed after a generation, in the order of their changes. */
int weir_database_decisions_since(struct weir_database *database, uint64_t generation,
                                  weir_database_decision_row *row,
                                  void *context);

/* Those that stand now about exactly this prefix on a list ("": on any), newest first. */
int weir_database_decisions_about(struct weir_database *database, const struct weir_prefix *prefix,
                                  const char *list, weir_time now,
                                  weir_database_decision_row *row,
                                  void *context);

/* All about exactly this prefix, also those that ended or were undone, as long as they are kept:
 * those that stand first, then newest first, `most` at most. */
int weir_database_decisions_ever(struct weir_database *database, const struct weir_prefix *prefix,
                                 weir_time now, unsigned most, weir_database_decision_row *row,
                                 void *context);

/* The one of a number, whatever became of it, as long as it is kept: 1, 0, or an error. */
int weir_database_decision(struct weir_database *database, int64_t number,
                           weir_database_decision_row *row, void *context);

/* Whether one stands. */
bool weir_database_decision_stands(const struct weir_database_decision *decision, weir_time now);

#endif
