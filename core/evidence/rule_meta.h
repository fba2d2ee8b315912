/*
 * rule_meta - the formulas of meta rules as small programs for a stack.
 *
 *     A && (B + C > 1) && !D     values: how often a rule hit, or a fact
 *
 * Operators bind as in C and Perl; && and || give the value of an operand, as in Perl, so
 * that "A || B" is how often one of them hit; division by zero is 0.  The right side of &&
 * and || is not looked at when the left one decides: looking may be work.
 *
 * Owner:    the caller; a program is an array of numbers without pointers.
 * Threads:  pure functions.
 * Errors:   WEIR_EINVAL with a reason, WEIR_ELIMIT.  A damaged program gives some
 *           number, but never steps outside.
 * Limits:   WEIR_RULE_META_MAX names, numbers and operators each.
 */
#ifndef WEIR_EVIDENCE_RULE_META_H
#define WEIR_EVIDENCE_RULE_META_H

#include "core/base/cursor.h"
#include "core/base/limits.h"

enum { WEIR_META_CODE_MAX = 4 * WEIR_RULE_META_MAX, WEIR_META_WHY = 120 };

struct weir_meta {
    uint32_t code[WEIR_META_CODE_MAX];
    size_t len;
};

enum { WEIR_META_UNKNOWN = -1, WEIR_META_ZERO = -2 };

/* The index of a name's value; WEIR_META_ZERO for one that is always 0; WEIR_META_UNKNOWN. */
typedef int weir_meta_resolve(void *context, struct weir_slice name);

/* 0; WEIR_EINVAL or WEIR_ELIMIT with why_r. */
int weir_meta_compile(struct weir_slice text, weir_meta_resolve *resolve, void *context,
                      struct weir_meta *meta_r, char why_r[static WEIR_META_WHY]);

/* What may be known of a value that is not known yet. */
struct weir_meta_range {
    double least, most;
    bool nonzero; /* whatever it is, it is not 0 */
};

struct weir_meta_values {
    /* A value by its index, with all the work that takes; 0 for one that is not there. */
    double (*value)(void *context, uint32_t index);
    /* What is known of it without work; true when that is all.  NULL: all values are known. */
    bool (*range)(void *context, uint32_t index, struct weir_meta_range *range_r);
    void *context;
};

/* The result over values that are asked for as they are needed: before one that is work, whether
 * the result hangs on it ("A && B" is 0 when B is known to be, and "A + B + C > 1" is when
 * A and B are). */
double weir_meta_run(const uint32_t *code, size_t len, const struct weir_meta_values *values);

/* What is known of the result, by values->range alone. */
struct weir_meta_range weir_meta_range(const uint32_t *code, size_t len,
                                       const struct weir_meta_values *values);

/* The next value a program looks at, at or behind *at: 1 with its index, or 0. */
int weir_meta_operand(const uint32_t *code, size_t len, size_t *at, uint32_t *value_r);

#endif
