/*
 * matcher_impl - what the parts of a matcher share; not for callers.
 */
#ifndef WEIR_EVIDENCE_MATCHER_IMPL_H
#define WEIR_EVIDENCE_MATCHER_IMPL_H

#include "core/evidence/rules_impl.h"

struct weir_found { /* a rule that hit, hidden ones included */
    uint32_t rule;
    enum weir_area_kind area;
    struct weir_slice evidence;
};

/* An area with what each of its lines is: header and envelope, which are made here. */
struct weir_selected {
    struct weir_area area;
    const uint32_t *selector; /* by line */
};

struct weir_matcher {
    const struct weir_rules *rules;
    struct weir_prefilter_scratch *scratch;
    struct weir_regex_room *room;
    float *value;             /* of each rule how often it hit; behind them the facts */
    uint64_t *dirty;          /* bits of formulas that have to be run */
    uint64_t *failed;         /* bits of rules that could not be matched */
    struct weir_found *found;
    size_t founds, faileds;
    struct weir_rule_profile *profile; /* by rule; NULL until asked for */

    /* of the message being matched */
    const struct weir_rule_input *input;
    struct weir_arena *arena;
    bool profiling;
    bool cut;                 /* something was left out: to be reported */
    bool over;                /* a bound on the whole message: no more trials */
    size_t next_meta;         /* formulas before it have been run, and are not run again */
    size_t work;              /* octets handed to expressions so far */
    size_t next_look;         /* at the clock: when work is so much */
    uint64_t begun;           /* the clock's reading at the beginning */
    bool has[WEIR_RULE_SELECTORS_MAX]; /* there is such a field or value */
    uint32_t line_of[WEIR_RULE_SELECTORS_MAX]; /* the first line of it, when there is */
};

/* Notes a hit.  Hits of a rule that hit before are passed over. */
void weir_matcher_hit(struct weir_matcher *matcher, uint32_t rule, float times,
                      struct weir_slice evidence, enum weir_area_kind area);

/* matcher_areas.c: makes the area of header or envelope, with what the rules of the set
 * look at, in the arena.  0 or WEIR_ENOMEM. */
int weir_matcher_header(struct weir_matcher *matcher, struct weir_selected *selected_r);
int weir_matcher_envelope(struct weir_matcher *matcher, struct weir_selected *selected_r);

/* matcher_confirm.c: the rules of an area, candidates and always ones. */
void weir_matcher_area(struct weir_matcher *matcher, enum weir_area_kind kind,
                       const struct weir_area *area, const uint32_t *selector);

#endif
