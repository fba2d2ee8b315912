/*
 * matcher_impl - what the parts of a matcher share; not for callers.
 */
#ifndef WEIR_EVIDENCE_MATCHER_IMPL_H
#define WEIR_EVIDENCE_MATCHER_IMPL_H

#include "core/evidence/matcher_effort.h"
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

/* What is to be tried.  A rule that only formulas look at is not confirmed before one does: it is
 * put off with what was found for it. */
struct weir_put_off {
    enum weir_area_kind kind;
    const struct weir_area *area;
    const uint32_t *selector;
    const struct weir_candidate *candidate; /* NULL: it is to be tried in every line */
    size_t candidates;
    size_t from, until;       /* octets of the area where a match may begin */
    enum weir_round round;    /* whose work it is */
};

enum { WEIR_LATER_META = 1u << 31 }; /* in later: the number of a formula, not of a put_off */

struct weir_matcher {
    const struct weir_rules *rules;
    struct weir_prefilter_scratch *scratch;
    struct weir_regex_room *room;
    float *value;             /* of each rule how often it hit; behind them the facts */
    uint64_t *dirty;          /* bits of formulas that have to be run */
    uint64_t *failed;         /* bits of rules that could not be matched */
    struct weir_found *found;
    size_t founds, faileds;
    uint32_t *later;          /* by rule: 0, or what decides it when a formula asks: a formula,
                               * or one more than the index of a put_off */
    uint64_t *waiting;        /* bits of formulas that are in later */
    struct weir_put_off *put_off;
    uint32_t *waits;          /* the rules that have been in later, to be cleared */
    size_t put_offs, waits_n;
    struct weir_rule_profile *profile; /* by rule; NULL until asked for */

    /* of the message being matched */
    const struct weir_rule_input *input;
    struct weir_arena *arena;
    bool profiling;
    bool cut;                 /* something was left out: to be reported */
    bool cut_rest;            /* the same, in the rest of long texts */
    bool fields_cut;          /* "not found" in a field does not mean "not there" */
    bool lazy;                /* hidden rules wait until they are asked for */
    unsigned depth;           /* of formulas that asked for one another */
    struct weir_selected header, envelope;
    size_t next_meta;         /* formulas before it have been run, and are not run again */
    struct weir_effort effort;
    bool has[WEIR_RULE_SELECTORS_MAX]; /* there is such a field or value */
    uint32_t line_of[WEIR_RULE_SELECTORS_MAX]; /* the first line of it, when there is */
};

/* Notes a hit.  Hits of a rule that hit before are passed over. */
void weir_matcher_hit(struct weir_matcher *matcher, uint32_t rule, float times,
                      struct weir_slice evidence, enum weir_area_kind area);

/* The formulas that look at a value have to be run. */
void weir_matcher_touch(struct weir_matcher *matcher, size_t value);

/* Whether the rule was given up: what was not found of it may be there. */
bool weir_matcher_has_failed(const struct weir_matcher *matcher, uint32_t rule);

/* From now on the rule is decided when it is asked for. */
void weir_matcher_wait(struct weir_matcher *matcher, uint32_t rule, uint32_t later);

/* matcher_metas.c: the formulas, and what they ask for. */
void weir_matcher_metas(struct weir_matcher *matcher);

/* matcher_areas.c: makes the area of header or envelope, with what the rules of the set
 * look at, in the arena.  0 or WEIR_ENOMEM. */
int weir_matcher_header(struct weir_matcher *matcher, struct weir_selected *selected_r);
int weir_matcher_envelope(struct weir_matcher *matcher, struct weir_selected *selected_r);

/* matcher_confirm.c: the rules of an area, candidates and always ones; the same of the two ends of
 * a long one; and one rule that was put off. */
void weir_matcher_ends(struct weir_matcher *matcher, enum weir_area_kind kind,
                       const struct weir_area *area);
void weir_matcher_area(struct weir_matcher *matcher, enum weir_area_kind kind,
                       const struct weir_area *area, const uint32_t *selector);
void weir_matcher_confirm(struct weir_matcher *matcher, uint32_t rule,
                          const struct weir_put_off *put_off);

#endif
