/*
 * training - what the Bayesian classifier learns from: sure verdicts that servers tell of, what
 * people report, and messages that an operator hands in (claims C29, B16).
 *
 *     lessons of servers -> whose, proven, sure, within the caps of the day? -> the table of
 *     people's majority -> what was learned is unlearned, and learned anew      lessons and changes
 *     an operator's messages ->                                              -> counts in memory
 *     counts, lessons -> weir_training_words() -> the section "bayes" of the next published set
 *
 * A message is learned once, as what people say it is, else as what its source says, and exactly
 * unlearned when that changes; what people say weighs more.  A server's word counts for messages it
 * decided about itself, by the score that rules alone gave in its signed string; reports may come
 * from any server, and then only tell the tokens, for the votes decide (reports_io.h).
 *
 * Without counts it begins anew with another key of tokens, and without the lessons there were:
 * their tokens are none under that key.
 *
 * All of it is written in the transaction of whoever calls, and done to the counts in memory when
 * that is kept: nothing is lost or counted twice after kill -9.
 *
 * Owner:    the caller; the database must outlive it.  Threads: with the database's lock.
 * Errors:   those of the database, WEIR_ENOMEM; a lesson that is not believed is counted by why.
 * Limits:   WEIR_LESSONS_MAX messages that can be unlearned, none older than WEIR_TRAINING_OLDEST;
 *           caps a day, of each kind (weir_training_settings).
 */
#ifndef WEIR_ANALYZER_TRAINING_IO_H
#define WEIR_ANALYZER_TRAINING_IO_H

#include "core/base/log.h"
#include "core/engine/info.h"
#include "core/engine/lesson.h"
#include "monitor/analyzer/bayes_learn.h"
#include "monitor/analyzer/word_list.h"
#include "monitor/database/database_lessons_io.h"

#define WEIR_TRAINING_OLDEST (90 * WEIR_DAY)

struct weir_training;

struct weir_training_settings {
    double learn_spam, learn_ham;     /* scores of rules alone that are sure */
    uint64_t server_day, day;         /* learned by verdicts, of each kind: of a server, of all */
    uint64_t told_day;                /* messages whose tokens a server tells for reports' sake */
    unsigned report_weight;           /* 1 to 10 */
    size_t tokens;                    /* published, at most; twice as many are counted */
    uint64_t least;                   /* lessons of each kind; of fewer no weights are made */
};

/* What came of a lesson. */
enum weir_training_came {
    WEIR_TRAINING_LEARNED,
    WEIR_TRAINING_KEPT,        /* its tokens are there, should people say what it is */
    WEIR_TRAINING_AGAIN,       /* they were there */
    WEIR_TRAINING_UNSURE,      /* the score says neither */
    WEIR_TRAINING_FOREIGN,     /* another server decided about it, or signed with another key */
    WEIR_TRAINING_BAD,         /* forged or damaged, or the string is another message's */
    WEIR_TRAINING_OTHER_KEY,   /* tokens of another word list */
    WEIR_TRAINING_TOO_OLD,
    WEIR_TRAINING_SERVER_CAP,
    WEIR_TRAINING_DAY_CAP,
    WEIR_TRAINING_CAMES
};
/* "learned", "kept", "again", "unsure", "foreign", "bad", "other-key", "too-old", "server-cap",
 * "day-cap".  Static text. */
const char *weir_training_came_name(enum weir_training_came came);

/* Goes on where the database is; without counts there, with a new key.  0 or an error. */
int weir_training_open(struct weir_database *database,
                       const struct weir_training_settings *settings,
                       const struct weir_info_keys *keys, const struct weir_log *log,
                       struct weir_training **training_r);
void weir_training_free(struct weir_training **training);

/* Other settings from now on; tokens at the next start. */
void weir_training_use(struct weir_training *training,
                       const struct weir_training_settings *settings);

/* In a transaction of the caller's: --------------------------------------------------------- */

/* A lesson that a server told of, at a time.  0 or an error. */
int weir_training_take(struct weir_training *training, uint32_t server, struct weir_slice octets,
                       weir_time now);

/* What people made of a message.  0 or an error. */
int weir_training_said(struct weir_training *training, uint64_t uid, enum weir_reported said,
                       weir_time now);

/* A message an operator handed in, or took back (learned as nothing, or as the verdict before it
 * said); tokens as in lessons,
 * growing.  1; 0: that is how it was, or, taken back, it was not learned from a file; an error. */
int weir_training_corpus(struct weir_training *training, uint64_t uid, enum weir_reported label,
                         struct weir_slice tokens, weir_time now);

/* Afterwards: it is kept, or not. */
void weir_training_settle(struct weir_training *training, bool kept);

/* Outside of one: --------------------------------------------------------------------------- */

/* Keeps the counts when much has changed since, or anything and now is asked for, and lets go of
 * what is too old.  0 or an error. */
int weir_training_keep(struct weir_training *training, weir_time now, bool at_once);

/* Forgets tokens that few had, long ago; then keeps the counts.  0 or an error. */
int weir_training_prune(struct weir_training *training, weir_time now);

/* Forgets tokens ahead of need, when there are nearly as many as may be: a piece of some
 * milliseconds.  1: there is more to do; 0. */
int weir_training_tidy(struct weir_training *training);

/* What a word list is made of, as of now: a copy of the counts, and the lessons that are kept, the
 * newest as far as they fit.  0 or an error. */
int weir_training_words(const struct weir_training *training, struct weir_words *words_r);

struct weir_training_state {
    struct weir_bayes_learner_state learner;
    uint64_t came[WEIR_TRAINING_CAMES];    /* since the start */
    bool broken;               /* memory was short: counts are put right at the next start */
};
struct weir_training_state weir_training_state(const struct weir_training *training);

const struct weir_hash_key *weir_training_key(const struct weir_training *training);

#endif
