/*
 * ctl_book - the monitor's rulebook (monitor/view/book.h), for verbs that show it.
 *
 * Owner:    the caller closes it; rows and their texts live in ctl->arena.
 * Errors:   exit codes, after what went wrong was told.
 */
#ifndef WEIR_CTL_BOOK_H
#define WEIR_CTL_BOOK_H

#include "monitor/ctl/ctl_table.h"
#include "monitor/view/book.h"

/* Reads the configuration and the book, from a handle of its own.  strangers: with what is not in
 * it. */
int weir_ctl_book_open(struct weir_ctl *ctl, bool strangers, struct weir_book *book);
void weir_ctl_book_close(struct weir_book *book);

/* weirctl rules list --book, rules show of a rule of the book (WEIR_CTL_NOT_THERE, untold: it is
 * not in it), rules stats. */
int weir_ctl_book_list(struct weir_ctl *ctl);
int weir_ctl_book_show(struct weir_ctl *ctl, const char *which);

#endif
