/*
 * rule_meta_impl - the words of a formula's program, for the parts of rule_meta; not for callers.
 */
#ifndef WEIR_EVIDENCE_RULE_META_IMPL_H
#define WEIR_EVIDENCE_RULE_META_IMPL_H

#include "core/evidence/rule_meta.h"

enum weir_meta_op {
    OP_NUMBER, OP_VALUE, OP_NOT, OP_MINUS, /* one operand or none */
    OP_MULTIPLY, OP_DIVIDE, OP_REMAINDER, OP_ADD, OP_SUBTRACT, OP_LESS, OP_LESS_EQUAL, OP_MORE,
    OP_MORE_EQUAL, OP_EQUAL, OP_UNEQUAL, OP_AND, OP_OR,
    OP_SKIP_IF_ZERO, OP_SKIP_IF_NOT, /* behind the left side of && and ||: where to go on */
    OP_OPEN, /* a bracket, never in a program */
};

enum { OP_SHIFT = 24, OP_REST = (1 << OP_SHIFT) - 1 };

/* What an operator between two values gives. */
double weir_meta_combine(enum weir_meta_op op, double a, double b);

/* The number that stands at a place of a program. */
double weir_meta_number(const uint32_t *code, size_t len, size_t at);

/* The last word that is done with a skip: itself, or one further down when its condition holds.
 * Never back. */
size_t weir_meta_skip(uint32_t word, size_t at, bool zero);

/* rule_meta_range.c: looking through a whole program for what is known of its result. */
struct weir_meta_pass {
    const uint32_t *code;
    size_t len;
    const struct weir_meta_values *values;
    bool wanted; /* it may tell something that it did not tell before */
};

/* Whether this value need not be asked for, because what is known without asking gives the result
 * already. */
bool weir_meta_is_settled(struct weir_meta_pass *pass, uint32_t index, double *result_r);

#endif
