/*
 * ctl_rules_import - rules of SpamAssassin's on their way into one of ours, a file or the book.
 *
 * Owner:    all of it in ctl->arena.
 * Errors:   exit codes, after what went wrong was told.
 */
#ifndef WEIR_CTL_RULES_IMPORT_H
#define WEIR_CTL_RULES_IMPORT_H

#include "monitor/ctl/ctl.h"
#include "monitor/ctl/sa_import.h"

struct weir_ctl_import {
    struct weir_ctl *ctl;
    struct weir_sa_file *file; /* with room for all there are */
    size_t files;
    struct weir_sa_import result;
};

/* Keeps a copy of a file until all are read; its name is shown to people. */
int weir_ctl_import_keep(struct weir_ctl_import *import, const char *name,
                         struct weir_slice octets);

/* What was not taken, rule by rule, on the standard error. */
void weir_ctl_import_tell(const struct weir_sa_import *result);

/* weirctl rules import --book. */
int weir_ctl_import_book(struct weir_ctl *ctl);

#endif
