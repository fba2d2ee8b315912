/*
 * parcel_patch - a signed rule set (rule_parcel.h) told as what became of another one, for servers
 * that have that one; or of none, which is the smallest form it has on its way.
 *
 *     weir-patch 1                 and a line's end
 *     id                           of the set before, 8 octets; 0: none
 *     octets of the file, of it in front of its word list, behind that, and of the list; and of the
 *     stream: 4 octets each, big-endian
 *     the stream, as one frame of zstd, to which what is in front of the list in the set before is
 *     known (its "prefix"): the file's octets in front of its list, those behind it, and its list
 *     as bayes_columns.h has it
 *
 * A patch is not signed and nothing of it is believed: what it makes is a file, whose signature is
 * looked at as if it had come whole.
 *
 * Owner:    what is made is malloc'ed.  Threads:  pure functions.
 * Errors:   WEIR_ECORRUPT with *why_r (static text); WEIR_ELIMIT; WEIR_ENOMEM.
 * Limits:   WEIR_RULE_PARCEL_MAX octets of a file and of a stream, however little they are
 *           compressed to; memory is taken for what a head says, up to that.
 */
#ifndef WEIR_EVIDENCE_PARCEL_PATCH_H
#define WEIR_EVIDENCE_PARCEL_PATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/cursor.h"

/* Which file that is, by 64 bits of BLAKE2b, never 0; 0 for no octets. */
uint64_t weir_parcel_id(struct weir_slice file);

/* What makes `next` of `before` (empty: none): 0 with octets.  WEIR_ECORRUPT: one of them is no
 * set, or has a word list that does not hold; then there is no patch. */
int weir_parcel_patch_make(struct weir_slice before, struct weir_slice next, void **octets_r,
                           size_t *len_r);

/* Whether octets are a patch, of this version, and no file. */
bool weir_parcel_is_patch(struct weir_slice octets);

/* Makes the file: 0 with octets. */
int weir_parcel_patch_apply(struct weir_slice before, struct weir_slice patch, void **octets_r,
                            size_t *len_r, const char **why_r);

#endif
