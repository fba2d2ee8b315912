/*
 * prefilter_hyperscan - Hyperscan as the engine behind prefilter.h's candidates.
 *
 * The same question and the same answer's form as weir_prefilter_scan(), by a database compiled
 * in this process: Hyperscan's databases are neither portable nor safe to load from untrusted
 * octets.  It gives more candidates than the built-in engine (whole lines, nothing exact), so
 * that after confirming the hits are the same.  Built with -DWEIR_HYPERSCAN and -lhs only; without
 * it, making one says WEIR_EDOWN.
 *
 * Owner:    patterns are copied into the database.
 * Threads:  one handle, one thread: it carries the scratch.
 * Limits:   patterns over WEIR_HYPERSCAN_PATTERN_MAX octets, and what Hyperscan refuses, are
 *           stubborn: Hyperscan takes up to a minute to compile some of them.
 */
#ifndef WEIR_EVIDENCE_PREFILTER_HYPERSCAN_H
#define WEIR_EVIDENCE_PREFILTER_HYPERSCAN_H

#include "core/evidence/prefilter.h"

struct weir_hyperscan;

/* 0, WEIR_EDOWN when built without it, WEIR_ENOMEM, WEIR_ELIMIT for a rule beyond
 * WEIR_RULES_MAX. */
int weir_hyperscan_new(const struct weir_prefilter_pattern *pattern, size_t patterns,
                       struct weir_hyperscan **hyperscan_r);
void weir_hyperscan_free(struct weir_hyperscan **hyperscan);

/* As weir_prefilter_scan(). */
size_t weir_hyperscan_scan(struct weir_hyperscan *hyperscan, enum weir_area_kind kind,
                           const struct weir_area *area, const uint32_t *selector,
                           const struct weir_candidate **candidate_r);

/* As weir_prefilter_always(). */
size_t weir_hyperscan_always(const struct weir_hyperscan *hyperscan, enum weir_area_kind kind,
                             const uint32_t **rule_r);

#endif
