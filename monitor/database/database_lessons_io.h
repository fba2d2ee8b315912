/*
 * Messages that taught the Bayesian classifier, with their tokens as hashes, so that each is
 * learned once and can be unlearned; and the counts made of them (claim C29).
 *
 *     lessons          number, uid (of the info string; of a message out of a file its own hash),
 *                      time, server, source ("verdict", "report", "corpus"), label (what it is by
 *                      its source: "spam", "ham", ""), verdict (what a server's verdict made of
 *                      it, whatever its source is now: the same), said (by people's votes), learned
 *                      (as what it is in the counts: the same), weight (times), learned_at, tokens
 *     lesson_changes   what was learned and unlearned since the counts were kept, in order
 *     bayes_counts     all counts as of a change, one row
 *
 *     SELECT source, learned, count(*) FROM lessons GROUP BY source, learned
 *
 * Counts are those of the row and of the changes behind it: after kill -9 nothing is lost or
 * counted twice.  See database_io.h for owner, threads, errors and rows.
 */
#ifndef WEIR_DATABASE_LESSONS_IO_H
#define WEIR_DATABASE_LESSONS_IO_H

#include "core/base/cursor.h"
#include "monitor/database/database_io.h"
#include "monitor/database/database_reports_io.h"

enum weir_lesson_source { WEIR_LESSON_VERDICT, WEIR_LESSON_REPORT, WEIR_LESSON_CORPUS,
                          WEIR_LESSON_SOURCES };
/* "verdict", "report", "corpus".  Static text. */
const char *weir_lesson_source_name(enum weir_lesson_source source);

struct weir_kept_lesson {
    uint64_t uid;
    weir_time time, learned_at;
    uint32_t server;
    enum weir_lesson_source source;
    enum weir_reported label, verdict, said, learned;
    unsigned weight;
    struct weir_slice tokens;  /* of lesson.h: 8 octets each */
};

/* Adds one: 1; 0 when there is one of its uid; an error. */
int weir_database_lesson_add(struct weir_database *database,
                             const struct weir_kept_lesson *lesson);

/* Changes one by its uid: source, label, verdict, said, learned, weight, learned_at.  0 or an
 * error. */
int weir_database_lesson_put(struct weir_database *database,
                             const struct weir_kept_lesson *lesson);

/* The one of a uid: 1 and a call of row(); 0: there is none; an error, which may be row's. */
int weir_database_lesson(struct weir_database *database, uint64_t uid,
                         int (*row)(void *context, const struct weir_kept_lesson *lesson),
                         void *context);

/* What is learned and its tokens, of all that are learned as something, the newest first; until
 * row() gives anything but 0. */
int weir_database_lessons_learned(struct weir_database *database,
                                  int (*row)(void *context, enum weir_reported learned,
                                             struct weir_slice tokens),
                                  void *context);

/* Lets the oldest go, so that at most so many are left, and those from before a time.  How many
 * went, or an error. */
int weir_database_lessons_forget(struct weir_database *database, uint32_t most, weir_time before);

/* Lets all go, and what changed since the counts were kept: for a new key of tokens.  How many
 * went, or an error. */
int weir_database_lessons_clear(struct weir_database *database);

/* How many are learned, by source and as what. */
struct weir_lesson_counts {
    uint64_t spam[WEIR_LESSON_SOURCES], ham[WEIR_LESSON_SOURCES];
    uint64_t kept;             /* with those that are learned as nothing */
};
int weir_database_lessons_count(struct weir_database *database,
                                struct weir_lesson_counts *counts_r);

struct weir_lesson_change {
    uint64_t uid;
    bool back, spam;           /* back: unlearned */
    unsigned weight;           /* times */
    weir_time learned_at;
    struct weir_slice tokens;
};

/* Notes a change; tokens are those of its lesson.  0 or an error. */
int weir_database_lesson_change(struct weir_database *database,
                                const struct weir_lesson_change *change);

/* All changes since the counts were kept, in order. */
int weir_database_lesson_changes(struct weir_database *database,
                                 int (*row)(void *context,
                                            const struct weir_lesson_change *change),
                                 void *context);

/* Keeps counts, with all changes so far in them, which are then forgotten.  0 or an error. */
int weir_database_bayes_put(struct weir_database *database, struct weir_slice counts,
                            weir_time now);

/* The kept counts, and when: 1 and a call of row(); 0: there are none yet; an error. */
int weir_database_bayes(struct weir_database *database,
                        int (*row)(void *context, struct weir_slice counts, weir_time at),
                        void *context);

#endif
