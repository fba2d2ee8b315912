/*
 * ctl_entries - what is to be put on a list or taken off it.
 *
 * From the command line and from a file, checked before anything is done:
 *
 *     203.0.113.7
 *     198.51.100.0/24   a reason of its own   # and a comment
 *     partner.example
 *
 * Owner:    the caller owns the entries.
 * Limits:   WEIR_CTL_LINE_MAX octets a line, WEIR_CTL_ENTRIES_MAX entries.
 */
#ifndef WEIR_CTL_ENTRIES_H
#define WEIR_CTL_ENTRIES_H

#include "monitor/ctl/ctl.h"

struct weir_ctl_entry {
    struct weir_prefix prefix;
    char *domain; /* NULL: it is the prefix */
    char *reason; /* NULL: none of its own */
    const char *file; /* where it stands; NULL: on the command line */
    unsigned long line;
};

#define WEIR_CTL_COMPLAINTS_MOST 50 /* told one by one; the rest is counted */

struct weir_ctl_entries {
    struct weir_ctl_entry *entry;
    size_t n, room;
};

/* Reads arguments and --file for the list of ctl->verb.  0, or an exit code
 * after all that is wrong was told. */
int weir_ctl_entries_read(struct weir_ctl *ctl, struct weir_ctl_entries *entries_r);
void weir_ctl_entries_free(struct weir_ctl_entries *entries);

/* Reads one address, prefix or domain.  0, or an error and *why_r (static text). */
int weir_ctl_entry_parse(enum weir_list list, const char *text, size_t len,
                         struct weir_ctl_entry *entry_r, const char **why_r);

/* Of a prefix so wide that it is most likely a mistake. */
#define WEIR_CTL_TOO_WIDE "wider than " WEIR_PREFIX_WIDEST

void weir_ctl_entry_free(struct weir_ctl_entry *entry);

/* The same as the lists have it, without times and origin. */
void weir_ctl_entry_fill(const struct weir_ctl_entry *from, struct weir_list_entry *entry_r);

#endif
