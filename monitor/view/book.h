/*
 * book - the monitor's rulebook with what its rules hit, as of now, for whoever shows it.
 *
 * Rows are rules of the book, in the order of their ids, and, where that is asked for, what else
 * was hit: points of Weir's own, and rules that only servers' own files have.
 *
 * Owner:    the caller closes it; texts of rows live in the arena, the database is the caller's.
 * Threads:  as the database's handle.
 * Errors:   those of the database.
 */
#ifndef WEIR_VIEW_BOOK_H
#define WEIR_VIEW_BOOK_H

#include "monitor/analyzer/analyze.h"
#include "monitor/analyzer/shares.h"
#include "monitor/database/database_io.h"
#include "monitor/database/database_rules_io.h"
#include "monitor/view/table.h"

struct weir_book_rule {
    struct weir_kept_rule is;
    bool in_book;
    struct weir_hits_rule hits; /* decayed up to now, as it was counted */
    struct weir_weighed weighed;  /* what is to score it */
    const char *bounded;        /* whose word was, most of all; NULL or "": nobody's */
    unsigned blamed, people;    /* false positives reported within WEIR_LIFE_REPORTS; by whom */
    unsigned blame;             /* as many of them as count */
    double deserved;
};

/* Of [analyzer] and [message]. */
struct weir_book_settings {
    weir_time idle, trial;
    unsigned false_positives, people;
    double spam_score, server_share;
    bool strangers;             /* what is not in the book, too */
};

struct weir_book {
    struct weir_book_settings settings;
    struct weir_database *database;
    struct weir_arena *arena;
    weir_time now;
    weir_time idle;             /* without a hit for longer, it retires */
    struct weir_score_counts all; /* messages, decayed up to now, as they were counted */
    struct weir_book_rule *rule;
    size_t rules, room, at;
    bool strangers;
};

/* Reads it, and what each rule deserves.  0 or an error. */
int weir_book_read(struct weir_book *book, const struct weir_book_settings *settings,
                   struct weir_database *database, struct weir_arena *arena, weir_time now);
void weir_book_close(struct weir_book *book);

/* Works out anew what rules deserve, once strangers have their scores. */
void weir_book_weigh(struct weir_book *book);

/* By name or number; NULL. */
const struct weir_book_rule *weir_book_find(const struct weir_book *book, const char *which);

/* What the analyzer's next run would make of it: 1, or 0 when it stays as it is. */
int weir_book_analyze(const struct weir_book *book, const struct weir_book_rule *rule,
                      struct weir_analyze_change *change_r);

/* Days since it hit something, or came into its state. */
double weir_book_idle(const struct weir_book *book, const struct weir_book_rule *rule);

/* As a table of all there is to know. */
struct weir_table weir_book_table(const struct weir_book *book);

#endif
