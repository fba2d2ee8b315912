/*
 * named - which rules the formulas of others name, so that none of them is retired for being idle:
 * a formula asks of it, hit or not, and without it says another thing.
 *
 * Every word of a "meta" line counts; one that is no rule's name is never asked for.
 *
 * Owner:    the caller; free it.  Threads: one.
 * Errors:   WEIR_ENOMEM.
 * Limits:   those of rule files; n log n.
 */
#ifndef WEIR_ANALYZER_NAMED_H
#define WEIR_ANALYZER_NAMED_H

#include <stdbool.h>

#include "core/base/cursor.h"

struct weir_named;

/* No names yet.  0 or WEIR_ENOMEM. */
int weir_named_new(struct weir_named **named_r);
void weir_named_free(struct weir_named **named);

/* The lines of a rule that is at work, or in the test.  0 or WEIR_ENOMEM. */
int weir_named_add(struct weir_named *named, struct weir_slice lines);

/* Whether one of them names it. */
bool weir_named_has(struct weir_named *named, const char *name);

#endif
