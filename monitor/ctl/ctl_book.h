/*
 * ctl_book - the monitor's rulebook with what its rules hit, as of now, for verbs that show it.
 *
 * Rows are rules of the book, in the order of their ids, and, where that is asked for, what else
 * was hit: points of Weir's own, and rules that only servers' own files have.
 *
 * Owner:    the caller closes it; rows and their texts live in ctl->arena.
 * Errors:   exit codes, after what went wrong was told.
 */
#ifndef WEIR_CTL_BOOK_H
#define WEIR_CTL_BOOK_H

#include "monitor/analyzer/analyze.h"
#include "monitor/analyzer/shares.h"
#include "monitor/ctl/ctl_table.h"
#include "monitor/database/database_io.h"
#include "monitor/database/database_rules_io.h"

struct weir_ctl_book_rule {
    struct weir_kept_rule is;
    bool in_book;
    struct weir_hits_rule hits; /* decayed up to now, as it was counted */
    struct weir_weighed weighed;  /* what is to score it */
    const char *bounded;        /* whose word was, most of all; NULL or "": nobody's */
    unsigned blamed, people;    /* false positives reported within WEIR_LIFE_REPORTS; by whom */
    unsigned blame;             /* as many of them as count */
    double deserved;
};

struct weir_ctl_book {
    struct weir_ctl *ctl;
    struct weir_database *database;
    weir_time now;
    weir_time idle;             /* without a hit for longer, it retires */
    struct weir_score_counts all; /* messages, decayed up to now, as they were counted */
    struct weir_ctl_book_rule *rule;
    size_t rules, room, at;
    bool strangers;             /* what is not in the book, too */
};

/* Reads the configuration and the book.  strangers: with what is not in it. */
int weir_ctl_book_open(struct weir_ctl *ctl, bool strangers, struct weir_ctl_book *book);
void weir_ctl_book_close(struct weir_ctl_book *book);

/* By name or number; NULL. */
const struct weir_ctl_book_rule *weir_ctl_book_find(const struct weir_ctl_book *book,
                                                    const char *which);

/* What the analyzer's next run would make of it: 1, or 0 when it stays as it is. */
int weir_ctl_book_analyze(const struct weir_ctl_book *book, const struct weir_ctl_book_rule *rule,
                          struct weir_analyze_change *change_r);

/* Days since it hit something, or came into its state. */
double weir_ctl_book_idle(const struct weir_ctl_book *book, const struct weir_ctl_book_rule *rule);

/* As a table of all there is to know. */
struct weir_ctl_table weir_ctl_book_table(const struct weir_ctl_book *book);

/* weirctl rules list --book, rules show of a rule of the book (WEIR_CTL_NOT_THERE, untold: it is
 * not in it), rules stats. */
int weir_ctl_book_list(struct weir_ctl *ctl);
int weir_ctl_book_show(struct weir_ctl *ctl, const char *which);

#endif
