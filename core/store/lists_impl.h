/*
 * lists_impl - how entries lie in lists.db.  For core/store, its tests and its fuzzer.
 *
 *     key                                  value
 *     list 1 | 'a' | address 16 | bits 1   a record: added, ends, origin, reason; and points
 *                                          or deferral, where there are any
 *     list 1 | 'd' | domain 1..253         the same
 *     list 1 | '#'                         how many entries of which kind: a look-up
 *                                          asks only for prefix lengths in use
 *     "weir lists"                         the version (lmdb_file_io)
 *
 * Sorted by key, a list shows its prefixes by address, the shorter first, and
 * then its domains.
 */
#ifndef WEIR_STORE_LISTS_IMPL_H
#define WEIR_STORE_LISTS_IMPL_H

#include "core/store/lists_io.h"

/* Records. --------------------------------------------------------------- */

#define WEIR_LIST_RECORD_MAX 512

/* Writes added, ends, deferral, points, origin and reason; returns the length, 0 when it
 * does not fit. */
size_t weir_list_record_write(const struct weir_list_entry *entry,
                              uint8_t record[static WEIR_LIST_RECORD_MAX]);

/* Reads them back; the rest of *entry_r is left alone.  0 or WEIR_ECORRUPT, and
 * then nothing is changed. */
int weir_list_record_read(const void *record, size_t len, struct weir_list_entry *entry_r);

/* Only when an entry ends: for look-ups that pass many ended ones.  0 or WEIR_ECORRUPT. */
int weir_list_record_ends(const void *record, size_t len, weir_time *ends_r);

/* Keys. ------------------------------------------------------------------ */

#define WEIR_LIST_KEY_MAX (2 + WEIR_DOMAIN_MAX)
#define WEIR_LIST_KEY_PREFIX 19

/* The key of a prefix; returns its length, WEIR_LIST_KEY_PREFIX. */
size_t weir_list_key_prefix(enum weir_list list, const struct weir_prefix *prefix,
                            uint8_t key[static WEIR_LIST_KEY_PREFIX]);

/* The key of a domain of len octets, at most WEIR_DOMAIN_MAX; returns its length. */
size_t weir_list_key_domain(enum weir_list list, const char *domain, size_t len,
                            uint8_t key[static WEIR_LIST_KEY_MAX]);

/* The key of an entry that was made by weir_list_which_tidy(). */
size_t weir_list_key(enum weir_list list, const struct weir_list_entry *entry,
                     uint8_t key[static WEIR_LIST_KEY_MAX]);

#define WEIR_LIST_KEY_COUNTS 2

/* The key of a list's counts, and whether a key is one; returns its length. */
size_t weir_list_key_counts(enum weir_list list, uint8_t key[static WEIR_LIST_KEY_COUNTS]);
bool weir_list_key_is_counts(const void *key, size_t len);

/* Reads prefix or domain back out of an entry's key.  0 or WEIR_ECORRUPT. */
int weir_list_key_read(const void *key, size_t len, struct weir_list_entry *entry_r);

/* Counts. ---------------------------------------------------------------- */

struct weir_list_counts {
    uint32_t domains;
    uint32_t prefixes[129]; /* by bits */
};

#define WEIR_LIST_COUNTS_MAX (1 + 4 + 129 * 5)

/* As with records: the length; 0 or WEIR_ECORRUPT, and then nothing is changed. */
size_t weir_list_counts_write(const struct weir_list_counts *counts,
                              uint8_t record[static WEIR_LIST_COUNTS_MAX]);
int weir_list_counts_read(const void *record, size_t len, struct weir_list_counts *counts_r);

/* All of them together. */
size_t weir_list_counts_sum(const struct weir_list_counts *counts);

/* The number that counts entries of this one's kind. */
uint32_t *weir_list_counts_of(struct weir_list_counts *counts,
                              const struct weir_list_entry *entry);

/* What people enter. ----------------------------------------------------- */

/* A domain in lower case and without a dot at its end.  Its length, or 0 for
 * what is no domain name (letters, digits, '-' and '_' in labels of 1 to 63). */
size_t weir_list_domain_tidy(const char *domain, char tidy_r[static WEIR_DOMAIN_MAX + 1]);

/* A copy of what an entry is about, its prefix or domain tidy; the rest is empty.
 * 0; WEIR_EINVAL for a prefix with octets beyond its bits or a bad domain;
 * WEIR_ELIMIT for a domain that fills its room without a NUL. */
int weir_list_which_tidy(const struct weir_list_entry *entry, struct weir_list_entry *tidy_r);

/* A whole copy fit for a list: besides, origin and reason are one printable
 * ASCII line each (a refusal carries the reason; SMTP replies are ASCII).  0; as
 * above; WEIR_EINVAL for a negative time; WEIR_ELIMIT for a text without a NUL. */
int weir_list_entry_tidy(const struct weir_list_entry *entry, struct weir_list_entry *tidy_r);

#endif
