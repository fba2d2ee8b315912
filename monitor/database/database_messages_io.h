/*
 * Recent messages, or as many of them as there is room for, with the rules they hit: what new
 * scores are tried on before they are used, and what people's reports are about (claims B1, B24).
 *
 *     SELECT messages.* FROM messages JOIN message_hits ON message = number
 *         WHERE rule = 17 AND verdict = 'spam' AND reported = 'ham'   -- false positives of rule 17
 *
 *     messages       number, uid (of the info string), time, server, address, domain, verdict,
 *                    score, serial (of the rule set), reported ("", "ham", "spam"), reported_at
 *                    (when people said so last, or took it back; 0: never); what the string says
 *                    of its making: lacking (bits), probability (NULL: from before they were kept);
 *                    and by the server's word alone queue_id, action, ground, basis ("": not told),
 *                    confidence and the limits of scores unsure_at, spam_at, reject_at (NULL)
 *     message_hits   message (its number), rule, points
 *
 * Numbers grow; the oldest go when there are more than are to be kept, but for those that people
 * said something of within WEIR_LIFE_REPORTS: rules are judged by these, however much other mail
 * there is.  They are as many as people may report.
 *
 * See database_io.h for owner, threads, errors and rows; a row() that returns an error ends the
 * list with it.
 */
#ifndef WEIR_DATABASE_MESSAGES_IO_H
#define WEIR_DATABASE_MESSAGES_IO_H

#include "core/base/address.h"
#include "core/engine/info.h"
#include "monitor/analyzer/guard.h"
#include "monitor/analyzer/record.h"
#include "monitor/database/database_io.h"

/* Keeps decisions, which were read and verified, but for those that are there already, and lets the
 * oldest beyond so many go as of a time.  One that was known by a report alone learns what is
 * beside its string.  How many are new, or an error. */
int weir_database_messages_put(struct weir_database *database, const struct weir_record *record,
                               size_t count, uint32_t most, weir_time now);

/* Notes what a person says of it, "ham" or "spam"; "": it was taken back.  One that is not there
 * is put.  0 or an error. */
int weir_database_message_report(struct weir_database *database, const struct weir_info *info,
                                 const char *said, weir_time time);

/* Lets the oldest go, so that at most so many are left, and what was reported lately; after a look
 * at WEIR_MESSAGES_AT_ONCE numbers the rest is left to the next call.  How many went, or an
 * error. */
int weir_database_messages_forget(struct weir_database *database, uint32_t most, weir_time now);

/* Messages that rules hit and that are not known to be spam, oldest first: ham or unsure by their
 * verdict, or ham by what people said; none reported as spam.  Of the last WEIR_MESSAGES_TRIED, and
 * of those before that people said something of. */
int weir_database_messages_good(struct weir_database *database,
                                int (*row)(void *context, const struct weir_guard_message *message),
                                void *context);

/* A message that a rule hit. */
struct weir_kept_message {
    uint64_t uid;
    weir_time time;
    struct weir_address address; /* where has_address */
    bool has_address;
    const char *domain, *verdict, *reported; /* reported: "", "ham", "spam" */
    const char *queue_id;        /* "": not told */
    double score, points;        /* points: of the rule */
};

/* Those that a rule hit, newest first, at most so many. */
int weir_database_messages_of(struct weir_database *database, uint32_t rule, unsigned most,
                              int (*row)(void *context, const struct weir_kept_message *message),
                              void *context);

/* How many messages are kept, and how many of them a rule hit: by what people said of them, else by
 * their verdict.  What is neither is in neither.  0 or an error. */
struct weir_kept_counts {
    uint64_t spam, ham, hit_spam, hit_ham, neither, hit_neither;
};
int weir_database_messages_count(struct weir_database *database, uint32_t rule,
                                 struct weir_kept_counts *counts_r);

/* By rule, in the order of ids: how many messages are said to be good since a time that were spam
 * by their verdict and got points by the rule, and how many people say so.  What came before a
 * person changed the rule's lines, state, base or approval last, or was judged by a set from before
 * that, is not about the rule as he wants it. */
int weir_database_messages_blamed(struct weir_database *database, weir_time since,
                                  int (*row)(void *context, uint32_t rule, unsigned messages,
                                             unsigned people),
                                  void *context);

/* The same by rule and the server that told of people's reports (0: of none that still stands), in
 * that order: how many messages. */
int weir_database_messages_blamed_by(struct weir_database *database, weir_time since,
                                     int (*row)(void *context, uint32_t rule, uint32_t server,
                                                unsigned messages),
                                     void *context);

#endif
