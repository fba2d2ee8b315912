/*
 * reports - what people say about messages, believed as far as it is proven (claims B16, B32, B33).
 *
 *     a server's line -> is its string ours, and that message's? -> caps -> one vote a person and
 *     message -> what the votes make of the message -> hits.h
 *
 * A message is moved once, whoever and how many say so: to spam or ham by the majority of the votes
 * that stand and weigh, back to what it was judged when they are equal, opposed or taken back.  The
 * opposite vote of the same person replaces his first.  Nobody's vote about a message moves more
 * than that message; so many votes only of a person and of a server count in a day (UTC); a
 * person who opposed the majority in WEIR_REPORTS_OPPOSED of a hundred of at least
 * WEIR_REPORTS_DECIDED messages that others voted about, too, and that have one, weighs nothing.
 *
 * Who decides at the console (WEIR_REPORT_DESK) votes, too, and his votes come before the majority:
 * they always weigh, and no cap holds for them.
 *
 * In the reputation a person has one voice about one sender (a domain's network), and one more with
 * the fourth message he says the same of, with the sixteenth and so on: nobody is condemned by less
 * than three votes (engine.h), and these are three people's.  What he says beyond his voices takes
 * back what the program said of the message and adds nothing, until somebody else who has a voice
 * left says the same of it.
 *
 * What is not proven is kept and counted by why, and changes nothing.
 *
 * Votes, what they made of messages, hits and the journal's position are written in one
 * transaction, so that after kill -9 each counts once; when that fails, the hits in memory are put
 * back.  What the votes change in the reputation of address and domain is a row of the table of
 * votes, too, for the servers to fetch.
 *
 * Owner:    the caller.  Threads: under one lock of the caller's, but weir_reports_read().
 * Errors:   those of the database, WEIR_ENOMEM.
 * Limits:   WEIR_REPORTS_WAITING_MAX between two writes, WEIR_REPORTS_WAITING_SERVER of one server;
 *           more are lost and counted;
 *           WEIR_REPORT_VOTERS_MAX votes of a message, WEIR_REPORT_RECORD_MAX of a person that are
 *           looked at; messages up to WEIR_REPORTS_OLDEST old; a vote that
 *           is kept can be taken back whatever age its message has.
 */
#ifndef WEIR_ANALYZER_REPORTS_IO_H
#define WEIR_ANALYZER_REPORTS_IO_H

#include "core/engine/info.h"
#include "monitor/analyzer/hits.h"
#include "monitor/analyzer/ledger_event.h"
#include "monitor/database/database_io.h"
#include "monitor/database/database_reports_io.h"

#define WEIR_REPORTS_DECIDED 10          /* messages */
#define WEIR_REPORTS_OPPOSED 80          /* of a hundred */
#define WEIR_REPORTS_OLDEST (90 * WEIR_DAY)

struct weir_reports;

struct weir_reports_settings {
    uint64_t user_day, server_day;       /* votes that count of a person, and of a server,
                                            and as many reports that prove nothing */
};

/* What came of a report. */
enum weir_report_came {
    WEIR_REPORT_COUNTED,
    WEIR_REPORT_REPLACED,     /* his opposite vote */
    WEIR_REPORT_REPEATED,     /* he has said so */
    WEIR_REPORT_TAKEN_BACK,
    WEIR_REPORT_NOT_THERE,    /* what was to be taken back */
    WEIR_REPORT_NO_WEIGHT,    /* he is against the others too often */
    WEIR_REPORT_CROWDED,      /* too many have voted about it */
    WEIR_REPORT_USER_CAP,
    WEIR_REPORT_SERVER_CAP,
    WEIR_REPORT_TOO_OLD,
    WEIR_REPORT_UNBOUND,      /* the string is another message's */
    WEIR_REPORT_UNKNOWN_KEY,
    WEIR_REPORT_BAD,
    WEIR_REPORT_MALFORMED,
    WEIR_REPORT_NONE,         /* there was no string */
    WEIR_REPORT_CAMES
};

/* "counted", ..., "none".  Static text. */
const char *weir_report_came_name(enum weir_report_came came);

/* Keys and settings are copied; the database must outlive it.  0 or WEIR_ENOMEM. */
int weir_reports_new(const struct weir_reports_settings *settings,
                     const struct weir_info_keys *keys, struct weir_database *database,
                     struct weir_reports **reports_r);
void weir_reports_free(struct weir_reports **reports);

/* What is told when people's votes made something else of a message, within the transaction: an
 * error fails it. */
struct weir_reports_hearer {
    int (*said)(void *context, const struct weir_info *info, enum weir_reported is, weir_time now);
    void *context;
};
void weir_reports_tell(struct weir_reports *reports, struct weir_reports_hearer hearer);

/* Other settings from now on. */
void weir_reports_use(struct weir_reports *reports, const struct weir_reports_settings *settings);

/* Reports that were read, in order. */
struct weir_report_item;
struct weir_report_items {
    struct weir_report_item *first, *last;
    size_t count;
};

/* Reads a line of a server's log and verifies it: 1 and one item more; 0 when it tells of no
 * report; WEIR_ENOMEM. */
int weir_reports_read(const struct weir_reports *reports, struct weir_slice line, uint32_t server,
                      struct weir_report_items *items);
void weir_report_items_free(struct weir_report_items *items);

/* Takes items of one server over, to be entered as of now; or none of them, when more would wait
 * than may: they are lost then, and counted so. */
void weir_reports_wait(struct weir_reports *reports, struct weir_report_items *items,
                       weir_time now);

/* Calls for each decision that what waits has proven, with the server that told of the report. */
void weir_reports_proven(const struct weir_reports *reports,
                         void (*call)(void *context, uint32_t server,
                                      const struct weir_info *info),
                         void *context);

/* Where votes go besides the tables. */
struct weir_reports_into {
    struct weir_hits *hits;
    struct weir_ledger_pack *votes; /* NULL: counters are not kept */
};

/* Enters what waits into tables, hits and votes, in a transaction the caller has begun.  0; or an
 * error, and the hits are as before; the votes are the caller's to clear then. */
int weir_reports_enter(struct weir_reports *reports, const struct weir_reports_into *into);

/* Afterwards: what was entered is kept, or not; then it waits on, and the hits are as before. */
void weir_reports_entered(struct weir_reports *reports, struct weir_hits *hits, bool kept);

struct weir_reports_counts {
    uint64_t came[WEIR_REPORT_CAMES]; /* since the start */
    uint64_t lost;
};
struct weir_reports_counts weir_reports_counts(const struct weir_reports *reports);

#endif
