/*
 * bayes_table - the published word list: how much spam and how much ham had each token, and what
 * weight it got when weights were fitted to messages (monitor/analyzer/bayes_fit.h).
 *
 * One piece of octets without pointers, read where it lies, so that every process of a server
 * maps the same file.  Little-endian on every machine.
 *
 *     head    64 octets: magic, version, key, spam and ham learned, entries, bits of the index,
 *             checksum of all that follows the head
 *     index   2^bits + 1 numbers of 32 bits: where the entries begin whose hashes have these
 *             leading bits
 *     entries by hash: hash, spam, ham, 16 octets; in version 2 also the weight, 18 octets
 *
 * A list without weights is of version 1, with the octets it had before there were any.
 *
 * The same counts give the same octets, whatever order they came in.
 *
 * Owner:    the caller; the octets must outlive the table, which is a plain value.
 * Threads:  any number may look up.
 * Errors:   attach: WEIR_ECORRUPT.  A look-up in damaged octets that were attached without the
 *           full check finds nothing or wrong counts, and never reads outside.
 * Limits:   WEIR_BAYES_ENTRIES_MAX entries; the builder drops what says least.
 * See also: claims B12, C28; bayes.h judges with it.
 */
#ifndef WEIR_EVIDENCE_BAYES_TABLE_H
#define WEIR_EVIDENCE_BAYES_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/keyed_hash.h"

/* The token that counts messages of which reputation was asked about (bayes_tokens.h). */
#define WEIR_BAYES_REPUTATIONS "rep:any"

struct weir_bayes_count {
    uint64_t hash;
    uint32_t spam, ham; /* messages that had it */
    int16_t weight;     /* of WEIR_BAYES_WEIGHT_ONE: over 0 for spam */
};

#define WEIR_BAYES_WEIGHT_ONE 8192

struct weir_bayes_table {
    const uint8_t *index, *entry;
    size_t entries, entry_len;
    unsigned bits;
    bool weighed;        /* it has weights */
    struct weir_hash_key key;
    uint64_t spam, ham; /* messages learned */
};

/* Looks at a table; full: checks its checksum and order, too (a millisecond a
 * megabyte).  0 or WEIR_ECORRUPT. */
int weir_bayes_table_attach(const void *octets, size_t len, bool full,
                            struct weir_bayes_table *table_r);

/* How often a token was learned.  1, or 0 and zeros. */
int weir_bayes_table_find(const struct weir_bayes_table *table, uint64_t hash,
                          struct weir_bayes_count *count_r);

/* Entry number 0..entries-1, by hash.  1, or 0 when there is none. */
int weir_bayes_table_get(const struct weir_bayes_table *table, size_t number,
                         struct weir_bayes_count *count_r);

struct weir_bayes_counts {
    struct weir_hash_key key;
    uint64_t spam, ham;                   /* messages learned */
    const struct weir_bayes_count *count; /* no hash twice; those without spam and ham are left
                                           * out */
    size_t counts;
    bool weighed;                         /* their weights are to be in it, too */
};

/* Makes a table of counts, at most so many entries (0: WEIR_BAYES_ENTRIES_MAX).  What says least
 * is dropped first: that is a token's number of messages times how far its share of spam is from
 * one half, squared; of equal ones that with the larger hash; rep:any never.  0 with octets
 * (malloc'ed, the caller frees), WEIR_ENOMEM, WEIR_EINVAL for a hash that comes twice, WEIR_ELIMIT
 * for more entries than WEIR_BAYES_ENTRIES_MAX asked for. */
int weir_bayes_table_build(const struct weir_bayes_counts *counts, size_t most, void **octets_r,
                           size_t *len_r);

#endif
