/*
 * automaton_impl - the steps of an expression as a graph: automaton_steps.c draws it,
 * automaton.c makes it deterministic.
 */
#ifndef WEIR_EVIDENCE_AUTOMATON_IMPL_H
#define WEIR_EVIDENCE_AUTOMATON_IMPL_H

#include "core/evidence/automaton.h"

enum step_kind {
    STEP_SET,   /* an octet of the set, then next */
    STEP_SPLIT, /* next or other, without an octet */
    STEP_ACCEPT
};

struct step {
    struct weir_octet_set set;
    uint32_t next, other;
    enum step_kind kind;
};

struct steps {
    struct step *step;
    size_t n, room;
    uint32_t start;
};

/* The automaton of steps, which looks at most at depth octets.  0, WEIR_ELIMIT when it would
 * have more than 256 states, WEIR_ENOMEM. */
int automaton_make(const struct steps *steps, uint32_t depth, struct weir_automaton *automaton_r);

#endif
