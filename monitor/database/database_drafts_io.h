/*
 * What drafts of rules are made of, and what was drafted (monitor/analyzer/drafting.h; claim B32).
 *
 *     drafts          one row a draft: when, its rule, what that looks for (link 1: a domain; else
 *                     a phrase), how many servers told of it, whether a person rejected it
 *     draft_messages  the messages of its cluster
 *
 * See database_io.h for owner, threads, errors and rows.
 */
#ifndef WEIR_DATABASE_DRAFTS_IO_H
#define WEIR_DATABASE_DRAFTS_IO_H

#include "core/base/cursor.h"
#include "monitor/database/database_io.h"

/* A reported message of which the text is here, proven, and the votes are one way. */
struct weir_drafts_text {
    uint64_t uid;
    bool spam;                 /* what the votes say; else ham */
    weir_time time;            /* it came */
    bool judged;               /* it was judged spam when it came */
    bool rejected;             /* a person rejected a draft that was made of it */
    struct weir_slice octets;  /* packed */
};

/* The newest first, at most so many. */
int weir_database_drafts_texts(struct weir_database *database, unsigned most,
                               int (*row)(void *context, const struct weir_drafts_text *text),
                               void *context);

/* Rules that the analyzer retired and whose draft nobody rejected, those retired last first, at
 * most so many; of those that it put back to the test after a time before, what mail hit since. */
struct weir_drafts_retired {
    uint32_t rule;
    const char *name;
    weir_time updated;
};
int weir_database_drafts_retired(struct weir_database *database, weir_time since, unsigned most,
                                 int (*row)(void *context,
                                            const struct weir_drafts_retired *rule),
                                 void *context);

/* The votes about a message that stand and weigh, and are for "spam", or for "ham". */
int weir_database_drafts_votes(struct weir_database *database, uint64_t uid, const char *kind,
                               int (*row)(void *context, uint64_t user, uint32_t server,
                                          const char *name),
                               void *context);

/* Good messages as their tokens (database_lessons_io.h), but for those that were learned for the
 * word of fewer people alone: how many there are whose texts are not here, too; and all of them. */
int weir_database_drafts_ham_count(struct weir_database *database, unsigned people,
                                   uint64_t *count_r);
int weir_database_drafts_ham(struct weir_database *database, unsigned people,
                             int (*row)(void *context, struct weir_slice tokens), void *context);

/* How many drafts were made since a time; one_server: of what one server alone told.  0 or an
 * error. */
int weir_database_drafts_since(struct weir_database *database, weir_time since, bool one_server,
                               uint64_t *count_r);

struct weir_drafts_row {
    weir_time time;
    uint32_t rule;
    const char *name, *text;
    bool link;                 /* text is a domain; else a phrase */
    size_t servers;
    const uint64_t *uid;
    size_t uids;
};

/* Adds a draft, in the caller's transaction.  0 or an error. */
int weir_database_draft_add(struct weir_database *database, const struct weir_drafts_row *draft);

/* Drafts whose rules are still the analyzer's, and in the test with a person's approval or at work:
 * without uids. */
int weir_database_drafts_live(struct weir_database *database,
                              int (*row)(void *context, const struct weir_drafts_row *draft),
                              void *context);

/* The rule of the last draft that was made of a message among others and that nobody rejected: 1,
 * 0 when there is none, or an error. */
int weir_database_draft_of(struct weir_database *database, uint64_t uid, uint32_t *rule_r);

/* A person rejected the draft of a rule: 1; 0 when the rule is none; or an error. */
int weir_database_draft_reject(struct weir_database *database, uint32_t rule);

/* Forgets drafts from before a time whose rules are retired, or not there.  0 or an error. */
int weir_database_drafts_expire(struct weir_database *database, weir_time before);

#endif
