/*
 * rules - a rule set at work: which rules does this message hit?
 *
 * A set is built once, from sources, into an image: one piece of octets without
 * pointers that every process maps and uses where it lies.  Expressions are compiled
 * (PCRE2, JIT where the system allows) when the prefilter first asks for them, and
 * kept for the life of the handle; daemons may compile all at once beforehand.
 *
 * A match is bounded: WEIR_MATCH_STEPS_MAX, _DEPTH_MAX, and for a message WEIR_MATCH_..._WORK_MAX,
 * work that is counted; the clock (WEIR_MATCH_TIME_MAX) is a last resort.  A message that stays
 * within them gets the same hits whenever it comes.  At the bounds a new process may come to others
 * than one that has its machine code, and Hyperscan to others than the built-in engine
 * (matcher_effort.c).  What stands near the ends of a long text is tried before the rest.  An
 * expression that runs into a bound is given up for this message: the result names its rule; hits
 * found before count.
 *
 * Owner:    the caller owns handles; the image's octets must outlive the rules.
 * Threads:  struct weir_rules is shared by all; a struct weir_matcher is one thread's.
 * Errors:   build: reported by file and line; WEIR_EINVAL and no image.  attach: WEIR_ECORRUPT.
 * See also: claims A5, A6, B5, B6; rules_io.h opens image files and changes sets at work.
 */
#ifndef WEIR_EVIDENCE_RULES_H
#define WEIR_EVIDENCE_RULES_H

#include "core/evidence/facts.h"
#include "core/evidence/rule_source.h"
#include "core/mail/envelope.h"

/* building ------------------------------------------------------------------ */

struct weir_rules_options {
    uint32_t serial;          /* of the rule set; carried in info strings */
};

/* Builds an image.  Every expression is compiled once to see that it is one; meta rules are
 * checked for unknown names and circles.  Draft and retired rules are left out, and those with
 * a score of 0 that are not in the test and whose names do not begin with "__": for formulas all
 * these are 0.  0 with octets (malloc'ed, the caller frees), WEIR_EINVAL when something is wrong
 * (reported), WEIR_ENOMEM, WEIR_ELIMIT. */
int weir_rules_build(const struct weir_rule_sources *sources,
                     const struct weir_rules_options *options, weir_rule_report *report,
                     void *context, void **octets_r, size_t *len_r);

/* Whether weir_rules_build() would find anything wrong: every expression is compiled and every
 * formula looked at, which is some third of its work.  0; WEIR_EINVAL (reported), WEIR_ENOMEM,
 * WEIR_ELIMIT: but for memory and limits on all rules together, there is an image of these then. */
int weir_rules_check(const struct weir_rule_sources *sources, weir_rule_report *report,
                     void *context);

/* using ---------------------------------------------------------------------- */

struct weir_rules;

/* full: check the checksum over all octets, too (1 ms a megabyte).  0, WEIR_ECORRUPT,
 * WEIR_ENOMEM. */
int weir_rules_attach(const void *octets, size_t len, bool full, struct weir_rules **rules_r);
void weir_rules_free(struct weir_rules **rules);

/* Lets expressions be taken as the image holds them compiled, which a process that reads one
 * message has time for only so; to be called before there is a matcher.  PCRE2 believes such
 * code: only for an image that nobody else could have written.  False when the image has none, or
 * none of this PCRE2's: then they are compiled. */
bool weir_rules_trust(struct weir_rules *rules);

/* Lets Hyperscan look for literals (prefilter_hyperscan.h); to be called before there is a
 * matcher.  Below the bounds hits are the same.  0, or, and then the built-in engine stays,
 * WEIR_EDOWN when this program or processor has no Hyperscan, WEIR_ENOMEM, WEIR_ECORRUPT. */
int weir_rules_use_hyperscan(struct weir_rules *rules);

uint32_t weir_rules_serial(const struct weir_rules *rules);
size_t weir_rules_count(const struct weir_rules *rules);

/* Compiles all expressions now.  Returns how many could not be (they are never hit and
 * reported as errors when they are wanted). */
size_t weir_rules_compile_all(struct weir_rules *rules);

struct weir_rule { /* one of the set, in place */
    uint32_t id;
    struct weir_slice name, description, selector, pattern;
    enum weir_rule_kind kind;
    enum weir_rule_state state;
    unsigned flags;
    float score;              /* what a hit adds now: 0 in state test */
};
/* By its number 0..count-1, or by id or name.  1 or 0. */
int weir_rules_get(const struct weir_rules *rules, size_t number, struct weir_rule *rule_r);
int weir_rules_find(const struct weir_rules *rules, uint32_t id, struct weir_rule *rule_r);
int weir_rules_named(const struct weir_rules *rules, struct weir_slice name,
                     struct weir_rule *rule_r);

struct weir_matcher;
/* Room for matching one message after the other.  0 or WEIR_ENOMEM. */
int weir_matcher_new(const struct weir_rules *rules, struct weir_matcher **matcher_r);
void weir_matcher_free(struct weir_matcher **matcher);

/* The rules a matcher works with, for names and descriptions of its hits. */
const struct weir_rules *weir_matcher_rules(const struct weir_matcher *matcher);

struct weir_rule_input {
    struct weir_message *message;
    const struct weir_content *content;
    struct weir_charsets *charsets;
    const struct weir_envelope *envelope;     /* NULL: not known, its rules do not hit */
    const struct weir_slice *recipient;       /* all of them */
    size_t recipients;
    const struct weir_address *boundary;      /* NULL: none */
    const float *fact;                        /* WEIR_FACTS of them */
};

struct weir_rule_hit {
    uint32_t number;          /* for weir_rules_get() */
    float points;
    uint32_t times;           /* of a rule that counts; else 1 */
    struct weir_slice evidence; /* the text that matched, in place; empty for meta and facts */
    enum weir_area_kind area; /* where; meaningless for ip and meta */
};

struct weir_rule_profile { uint32_t number; uint64_t nanoseconds; uint32_t tried; };

struct weir_rule_result {
    const struct weir_rule_hit *hit; /* scored and test rules, by number; "__" rules, too, when
                                      * asked for */
    size_t hits;
    double score;             /* the sum of their points */
    const uint32_t *failed;   /* rules that ran into a bound or could not be compiled */
    size_t faileds;
    bool cut;                 /* something was left out: a bound on all was reached, or a rule's
                               * share of it (WEIR_RULE_HITS_MAX, header text, too) */
    bool cut_rest;            /* the same, but only farther than WEIR_MATCH_HEAD_MAX from the
                               * beginning and WEIR_MATCH_TAIL_MAX from the end of a long text */
};

enum weir_match_want { WEIR_MATCH_HIDDEN = 1, /* also "__" rules */
                       WEIR_MATCH_PROFILE = 2 };

/* Matches all rules against a message.  Result and hits live in the arena; profile is
 * added to the matcher's and read by weir_matcher_profile().  0 or WEIR_ENOMEM. */
int weir_rules_match(struct weir_matcher *matcher, const struct weir_rule_input *input,
                     unsigned want, struct weir_arena *arena, struct weir_rule_result *result_r);

/* Time spent by rule since the matcher was made, most first; returns how many are in
 * profile_r. */
size_t weir_matcher_profile(const struct weir_matcher *matcher, struct weir_rule_profile *profile_r,
                            size_t most);

#endif
