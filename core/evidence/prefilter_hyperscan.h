/*
 * prefilter_hyperscan - Hyperscan as the engine that looks for the literals of a prefilter.
 *
 * Made of a built prefilter: of each run that it has, a rare piece becomes a literal of a database,
 * one for each area.  Whole expressions are not given to Hyperscan: it takes up to a minute to
 * compile some of them, and half a second for the literals of thousands.  Header and envelope stay
 * with the built-in engine, which looks for a line's own literals only.  A database is made in the
 * process that uses it: it is neither portable nor safe to load from untrusted octets.
 *
 * Built with -DWEIR_HYPERSCAN and -lhs only (make HYPERSCAN=1); without it, or on a processor that
 * Hyperscan does not run on, making one says WEIR_EDOWN.
 *
 * Owner:    the handle owns databases; it keeps nothing of the prefilter's octets.
 * Threads:  a handle is shared; a scratch is one thread's.
 * Limits:   WEIR_HYPERSCAN_..._MAX (limits.h).
 */
#ifndef WEIR_EVIDENCE_PREFILTER_HYPERSCAN_H
#define WEIR_EVIDENCE_PREFILTER_HYPERSCAN_H

#include "core/evidence/prefilter.h"

struct hs_scratch; /* Hyperscan's own */

/* Whether there is a database for an area of this kind. */
static inline bool weir_hyperscan_serves(enum weir_area_kind kind)
{
    return kind != WEIR_AREA_HEADER && kind != WEIR_AREA_ENVELOPE;
}

/* 0, WEIR_EDOWN, WEIR_ENOMEM, or WEIR_ECORRUPT when what the prefilter says of its runs is not
 * so.  The caller puts it into a weir_prefilter of the same octets. */
int weir_hyperscan_new(const struct weir_prefilter *prefilter, struct weir_hyperscan **hyperscan_r);
void weir_hyperscan_free(struct weir_hyperscan **hyperscan);

/* 0 or WEIR_ENOMEM. */
int weir_hyperscan_scratch_new(const struct weir_hyperscan *hyperscan,
                               struct hs_scratch **scratch_r);
void weir_hyperscan_scratch_free(struct hs_scratch **scratch);

/* A piece of this run (its number in the area's part) is in the text where it has to be for the
 * run to begin at an octet.  false ends the scan. */
typedef bool weir_hyperscan_found(void *context, size_t at, uint32_t run);

/* Finds what ends behind the octet from, in any order, in a text of an area it serves; what ends
 * before is taken to have been found.  False when found said so, or Hyperscan could not go on. */
bool weir_hyperscan_scan(const struct weir_hyperscan *hyperscan, struct hs_scratch *scratch,
                         enum weir_area_kind kind, struct weir_slice text, size_t from,
                         weir_hyperscan_found *found, void *context);

#endif
