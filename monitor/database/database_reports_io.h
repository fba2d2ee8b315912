/*
 * What people reported, one row each, and what came of it (claims B16, B32, B33).
 *
 *     reports        a vote is the one row of a person about a message; what is not believed
 *                    has rows, too, and no vote
 *     reported       what the votes about a message made of it: "spam", "ham", or "" for nothing;
 *                    and as what it is entered in reputation: the same, or "unsure" (reports_io.h)
 *     report_counts  how many a day, of a user, of a server, and by what came of them
 *
 *     SELECT name, count(*) FROM reports WHERE vote = 1 AND kind = 'ham' GROUP BY user
 *
 * Numbers of messages and users are random or keyed hashes: 64 bits, as SQLite has them, signed.
 * See database_io.h for owner, threads, errors and rows.  Limits: WEIR_DATABASE_TEXT_MAX.
 */
#ifndef WEIR_DATABASE_REPORTS_IO_H
#define WEIR_DATABASE_REPORTS_IO_H

#include "core/base/limits.h"
#include "core/evidence/reputation.h"
#include "monitor/database/database_io.h"

struct weir_database_report {
    int64_t number;            /* given when it is added */
    weir_time time, taken_back; /* taken_back: when, or 0 */
    uint32_t server;           /* that told of it */
    uint64_t user, uid;
    bool spam, vote, weighs;
    const char *name, *told, *way, *state, *came;
    const char *verdict;       /* of the decision, "" when the string does not tell, as below */
    double score;
    const char *address, *domain, *info;
};

/* Adds a report: its number.  0; WEIR_EINVAL for a second vote of a user about a message. */
int weir_database_report_add(struct weir_database *database,
                             const struct weir_database_report *report, int64_t *number_r);

/* A person's vote about a message: its number, spam, weighs and taken_back.  1, 0 when there is
 * none, or an error. */
int weir_database_report_vote(struct weir_database *database, uint64_t uid, uint64_t user,
                              struct weir_database_report *vote_r);

/* Changes a vote by its number: time, server, spam, weighs, came and taken_back.  0 or an error. */
int weir_database_report_change(struct weir_database *database,
                                const struct weir_database_report *vote);

#define WEIR_REPORT_DESK 0 /* as a server: who is logged in at the monitor's console */

/* The votes about a message: how many stand and weigh, by kind, and how many there are at all; of
 * them those of the desk, which decide.  0 or an error. */
struct weir_report_votes { unsigned spam, ham, all, desk_spam, desk_ham; };
int weir_database_report_votes(struct weir_database *database, uint64_t uid,
                               struct weir_report_votes *votes_r);

/* The string of the newest report about a message that is not the desk's, and whether those who
 * wrote in, or, where they are as many, the newest, say spam: 1, 0 when there is none that counts,
 * or an error. */
int weir_database_report_said(struct weir_database *database, uint64_t uid,
                              char info_r[static WEIR_INFO_TEXT_MAX + 1], bool *spam_r);

/* Of a person's last votes that stand, at most so many: those about messages of which a majority,
 * he and others with weight together, says the same, and of them those that said the opposite.
 * 0 or an error. */
struct weir_report_record { unsigned decided, opposed; };
int weir_database_report_record(struct weir_database *database, uint64_t user, unsigned most,
                                struct weir_report_record *record_r);

/* What the votes made of a message, as it is in the hits. */
enum weir_reported { WEIR_REPORTED_NOTHING, WEIR_REPORTED_SPAM, WEIR_REPORTED_HAM };
const char *weir_reported_name(enum weir_reported is); /* "", "spam", "ham" */
enum weir_reported weir_reported_of(const char *name); /* NOTHING: of no other name */
int weir_database_reported(struct weir_database *database, uint64_t uid,
                           enum weir_reported *effect_r);
int weir_database_reported_put(struct weir_database *database, uint64_t uid,
                               enum weir_reported effect, weir_time now);

/* As what a message that was reported is entered in the reputation; NOTHING when it is not.  0 or
 * an error. */
int weir_database_report_entered(struct weir_database *database, uint64_t uid,
                                 enum weir_said *entered_r);
int weir_database_report_entered_put(struct weir_database *database, uint64_t uid,
                                     enum weir_said entered);

/* Other messages of a domain about which a person's vote of a kind stands and weighs: their
 * addresses, and as what they are entered. */
struct weir_report_voice {
    uint64_t user, uid;        /* uid: not this one */
    bool spam;
    const char *domain;
};
int weir_database_report_voices(struct weir_database *database,
                                const struct weir_report_voice *voice,
                                int (*row)(void *context, const char *address,
                                           enum weir_said entered),
                                void *context);

/* Counts something of a day, and how many there are.  0 or an error. */
int weir_database_report_count(struct weir_database *database, int64_t day, const char *what,
                               uint64_t whose);
int weir_database_report_counted(struct weir_database *database, int64_t day, const char *what,
                                 uint64_t whose, uint64_t *count_r);

/* Counts one more of a day, unless there are so many: 0; 1: it is one too many; or an error. */
int weir_database_report_capped(struct weir_database *database, int64_t day, const char *what,
                                uint64_t whose, uint64_t most);

/* All of something counted, of all days kept. */
int weir_database_report_totals(struct weir_database *database, const char *prefix,
                                int (*row)(void *context, const char *what, uint64_t count),
                                void *context);

/* Those of a user's name (any case; NULL: all), state or what came of them (NULL: all) and kind
 * ("spam", "ham", NULL: both) since a time, the newest first, at most so many; behind one of a time
 * and number (0: from the first on). */
struct weir_report_choice {
    const char *name, *state, *kind;
    weir_time since, behind;
    int64_t number;
    unsigned most;
};
int weir_database_reports(struct weir_database *database, const struct weir_report_choice *choice,
                          int (*row)(void *context, const struct weir_database_report *report),
                          void *context);

/* How many votes that stand and weigh say since a time that mail is good, by the server that told
 * of them, in the order of numbers. */
int weir_database_reports_good(struct weir_database *database, weir_time since,
                               int (*row)(void *context, uint32_t server, unsigned votes),
                               void *context);

#endif
