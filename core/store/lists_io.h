/*
 * lists - who is never, always or no longer let in.
 *
 * Four lists of addresses and prefixes, one of domains:
 *     never    from the configuration: own addresses, gateways, the monitor;
 *              nothing automatic ever touches these
 *     accept   acceptable addresses, kept in lists.db (claim A26)
 *     black    the blacklist, kept in lists.db (claims A2, A15, A30)
 *     score    addresses whose mail bears points of its own: the rule of an address,
 *              which the monitor raises (claims A7, A18, A34)
 *     domains  acceptable sender domains (the white list of claims C2, C16)
 *
 * Never before accept, accept before black, black before score, whatever the prefix lengths; inside
 * a list the longest prefix that has not ended wins.  Every entry has a reason,
 * an origin and, unless an operator decided otherwise, an end; after its end it is as if
 * it were not there.
 *
 * lists.db (LMDB) is read in place by any number of processes without locks and
 * without reloading: a change is seen by the next look-up.  One process writes
 * at a time; LMDB makes others wait.  Where the lock file may not be written, and
 * when the file is replaced, a change is seen within a second (see lmdb_file_io.h,
 * also for modes, owners and how to restore a backup).
 *
 * Owner:    the caller owns the handle.  Threads: one handle, one thread; not
 *           across fork(); a process opens one lists.db only once at a time.
 * Errors:   a damaged file is refused when opened (WEIR_ECORRUPT); a damaged
 *           record is as if not there, and is logged.
 * Limits:   a domain without a dot is an entry as good as any: "com" lets all of
 *           .com in.  Domains are ASCII (xn--... for others).
 */
#ifndef WEIR_STORE_LISTS_IO_H
#define WEIR_STORE_LISTS_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/address.h"
#include "core/base/clock.h"
#include "core/base/limits.h"
#include "core/base/log.h"

enum weir_list {
    WEIR_LIST_NEVER,
    WEIR_LIST_ACCEPT,
    WEIR_LIST_BLACK,
    WEIR_LIST_SCORE,
    WEIR_LISTS
};

/* "never", "accept", "blacklist", "score". */
const char *weir_list_name(enum weir_list list);

/* What an entry is about: a prefix, or (accept only) a domain. */
struct weir_list_entry {
    bool is_domain;
    struct weir_prefix prefix;
    char domain[WEIR_DOMAIN_MAX + 1]; /* lower case, no dot at the end */
    weir_time added;
    weir_time ends; /* 0: does not end */
    bool defer;     /* black only: refused for now (4xx), not for good */
    double points;  /* score only: hundredths, -WEIR_RULE_SCORE_MAX..WEIR_RULE_SCORE_MAX */
    char origin[WEIR_ORIGIN_MAX + 1]; /* who or what made it: "weirctl", "monitor" */
    char reason[WEIR_REASON_MAX + 1]; /* shown to the sender: printable, one line */
};

struct weir_lists;

struct weir_lists_options {
    const char *path;            /* lists.db; path-lock lies beside it */
    bool write;                  /* for weirctl and the agent; makes the file */
    unsigned mode;               /* of a new file, e.g. 0640; 0660 of the lock file then */
    uint64_t bytes_most;         /* the file never grows beyond; 0 = 1 GiB, a million entries
                                    take about 150 MB */
    uint64_t check_pages;        /* pages checked when opened; 0 = all; short-lived
                                    processes may do with a few */
    const struct weir_prefix *never; /* copied */
    size_t nevers;
};

/* Opens the lists.  A reader of a file that does not exist yet gets empty lists
 * and looks again by itself, about once a second, when it is asked; a writer makes
 * it with the first entry.  log must live as long as the handle.  0; WEIR_EIO with
 * errno; WEIR_ECORRUPT; WEIR_ENOMEM; WEIR_ELIMIT (path).  *why_r is static text about the file
 * ("it is damaged"), "" when all is well; the log says which page. */
int weir_lists_open(const struct weir_lists_options *options, const struct weir_log *log,
                    struct weir_lists **lists_r, const char **why_r);
void weir_lists_free(struct weir_lists **lists);

/* The list that decides about an address now, and its entry (for never: prefix
 * and reason only).  1, 0 when on none, or an error (then nothing is known and
 * mail flows). */
int weir_lists_find(struct weir_lists *lists, weir_time now, const struct weir_address *address,
                    enum weir_list *list_r, struct weir_list_entry *entry_r);

/* The same in one list only. */
int weir_lists_find_in(struct weir_lists *lists, weir_time now, enum weir_list list,
                       const struct weir_address *address, struct weir_list_entry *entry_r);

/* Whether a domain, or a domain above it, is acceptable now; the entry is that
 * of the longest.  In any case, with or without a dot at the end; 0 for what is
 * no domain name.  1, 0 or an error. */
int weir_lists_find_domain(struct weir_lists *lists, weir_time now, const char *domain,
                           struct weir_list_entry *entry_r);

/* The entry of exactly this prefix or domain, also when it has ended. 1, 0 or an error. */
int weir_lists_show(struct weir_lists *lists, enum weir_list list,
                    const struct weir_list_entry *which, struct weir_list_entry *entry_r);

/* Adds n entries in one transaction; the same prefix or domain again replaces
 * its entry.  Origin and reason become one printable ASCII line ('?' for others).
 * Nothing is added when any of them is refused, *bad_r being its index: WEIR_EINVAL
 * for a black one or one with points that lies inside the never list, octets beyond the
 * prefix, a bad domain, a domain elsewhere than on the accept list, or points out of bounds;
 * WEIR_ELIMIT for a text that fills its array.  WEIR_EFULL when the file or the disk may not
 * grow.  Durable when it returns 0. */
int weir_lists_add(struct weir_lists *lists, enum weir_list list,
                   const struct weir_list_entry *entry, size_t n, size_t *bad_r);

/* Removes n entries by prefix or domain in one transaction; *removed_r says how
 * many were there.  0 or an error, and then nothing is removed. */
int weir_lists_remove(struct weir_lists *lists, enum weir_list list,
                      const struct weir_list_entry *entry, size_t n, size_t *removed_r);

/* Calls each for every entry of a list, ended ones too, by address, domains last,
 * until it gives something else than 0, which is then returned.  It must not
 * call the lists. */
int weir_lists_each(struct weir_lists *lists, enum weir_list list,
                    int (*each)(void *context, const struct weir_list_entry *entry),
                    void *context);

/* Entries of a list, domains included; ended ones too.  0 or an error. */
int weir_lists_count(struct weir_lists *lists, enum weir_list list, size_t *count_r);

/* Deletes entries that ended before this time from all lists; *removed_r says
 * how many.  0 or an error. */
int weir_lists_purge(struct weir_lists *lists, weir_time before, size_t *removed_r);

#endif
