/*
 * automaton - the first few steps of an expression that has no literal text.
 *
 * "v[\W_]{0,3}[i1!|][\W_]{0,3}[a4@]..." has no octet that must be there, but
 * its first steps together are rare all the same.  Here the rarest steps of an expression
 * become a small deterministic automaton, which is asked at an octet whether they stand there.
 * After some octets, or where the steps end, it accepts; so it may accept too much, never too
 * little.
 * For a first look there are pairs: which two kinds of octets may stand side by side.
 *
 * Owner:    weir_automaton_clear() frees what an automaton holds.
 * Errors:   WEIR_ENOMEM.
 */
#ifndef WEIR_EVIDENCE_AUTOMATON_H
#define WEIR_EVIDENCE_AUTOMATON_H

#include "core/evidence/need.h"

#define WEIR_AUTOMATON_PAIRS 3  /* at the first octet, at the second, at the third */
#define WEIR_AUTOMATON_KINDS 64 /* of octets */

enum weir_automaton_state { WEIR_AUTOMATON_DEAD, WEIR_AUTOMATON_ACCEPT, WEIR_AUTOMATON_START };

struct weir_automaton {
    uint8_t class_of[256];
    uint32_t classes, states;
    uint8_t *next;        /* next[state * classes + class] */
    uint32_t least, most; /* where it accepts, a match began so many octets before */
};

/* The rarest steps of an expression.  1, 0 when they are not rare or too many, or an error. */
int weir_automaton_find(const struct weir_need_node *tree, struct weir_automaton *automaton_r);
/* What to look at first.  pair_r[k][a * WEIR_AUTOMATON_KINDS + b]: where the steps stand, an
 * octet of kind a may stand k octets further on with one of kind b behind it.  Behind the octet
 * at which it accepts, anything may stand, and so may nothing. */
void weir_automaton_pairs(
    const struct weir_automaton *automaton, const uint8_t kind_of[256],
    bool pair_r[WEIR_AUTOMATON_PAIRS][WEIR_AUTOMATON_KINDS * WEIR_AUTOMATON_KINDS]);

/* The kinds that are told apart: letters (not their case), digits, blanks, ..., and above 127
 * small blocks by what they are in UTF-8. */
void weir_octet_kinds(uint8_t kind_r[256]);

void weir_automaton_clear(struct weir_automaton *automaton);

#endif
