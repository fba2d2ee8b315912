/*
 * publish_differ - how a set that is to be published differs from the one before (claim B31).
 *
 * Threads:  pure.  Limits: none of its own.
 */
#ifndef WEIR_ANALYZER_PUBLISH_DIFFER_H
#define WEIR_ANALYZER_PUBLISH_DIFFER_H

#include "core/evidence/rule_parcel.h"
#include "monitor/analyzer/rules_diff.h"

/* Counts how so many rules differ from those of the set before: rules of one that cannot be read
 * any more are all gone.  Where there was none, its section and number are empty. */
void weir_publish_differ(const struct weir_rule_parcel *before, struct weir_slice rules,
                         size_t count, unsigned differences[static WEIR_RULE_DIFFERENCES]);

/* Whether a set's list of words is another one than before: how many were in it, and are; none of
 * both is no difference. */
bool weir_publish_other_words(struct weir_slice before, struct weir_slice list, size_t *were_r,
                              size_t *are_r);

#endif
