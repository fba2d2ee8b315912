/*
 * prefilter - which of thousands of expressions could match this text at all?
 *
 * An expression can only match where some literal text of it stands.  For each
 * expression the rarest necessary literals are found when the rule set is built
 * (need.h); one pass over a text then gives the expressions whose literals are in it, and
 * where, so that PCRE2 has to confirm only these, and only where they were seen.  What has no
 * literal is found by its rarest steps (automaton.h), or is always a candidate ("stubborn").
 *
 * A subject is a line with its '\n', in octets: neither PCRE2_UTF nor PCRE2_UCP.
 *
 * It may only err on one side: a candidate that does not match costs time, a match
 * that is no candidate would be a rule lost.
 *
 * Built form: one piece of octets, without pointers, that is used where it lies (a mapped file).
 * Two engines look for the literals, and give the same candidates: the built-in one, and
 * Hyperscan where the program was built with it (prefilter_hyperscan.h).
 *
 * Owner:    the builder owns what it is given until freed; built octets are the caller's.
 * Threads:  a built prefilter is shared; weir_prefilter_scratch is one thread's.
 * Errors:   WEIR_ENOMEM, WEIR_ELIMIT; WEIR_ECORRUPT from attach: every offset in the octets is
 *           checked there or when it is used, so that damaged octets cannot lead outside.
 */
#ifndef WEIR_EVIDENCE_PREFILTER_H
#define WEIR_EVIDENCE_PREFILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/mail/content.h"

/* building ------------------------------------------------------------------ */

struct weir_prefilter_pattern {
    uint32_t rule;               /* the caller's number; what a candidate is reported as */
    enum weir_area_kind area;
    uint32_t selector;           /* header, envelope: only lines with this number count; else 0 */
    struct weir_slice pattern;
    bool caseless, multiline, dotall, extended;
};

enum weir_prefilter_means { /* how a pattern will be found */
    WEIR_PREFILTER_EXACT,    /* its runs are all of it: a candidate is a hit */
    WEIR_PREFILTER_LITERALS, /* candidate where necessary literals stand */
    WEIR_PREFILTER_ALWAYS,   /* stubborn: a candidate in every line of its area */
};

struct weir_prefilter_builder;
/* 0 or WEIR_ENOMEM. */
int weir_prefilter_builder_new(struct weir_prefilter_builder **builder_r);
void weir_prefilter_builder_free(struct weir_prefilter_builder **builder);
/* The pattern's octets are copied.  0 or an error; *means_r says how. */
int weir_prefilter_add(struct weir_prefilter_builder *builder,
                       const struct weir_prefilter_pattern *pattern,
                       enum weir_prefilter_means *means_r);
/* The built form, malloc'ed: the caller frees it. */
int weir_prefilter_build(struct weir_prefilter_builder *builder, void **octets_r, size_t *len_r);

/* using ---------------------------------------------------------------------- */

struct weir_hyperscan;

struct weir_prefilter { /* filled by attach; a view into the octets */
    const uint8_t *octets;
    size_t len;
    uint32_t rules;          /* one more than the largest rule number */
    uint32_t part[WEIR_AREAS]; /* where each area's tables begin; the engine's own use */
    const struct weir_hyperscan *hyperscan; /* made of it; NULL: the built-in engine */
};

/* Looks at built octets, aligned to 8, which must outlive it.  0 or WEIR_ECORRUPT. */
int weir_prefilter_attach(const void *octets, size_t len, struct weir_prefilter *prefilter_r);

/* Matches of this rule in this line begin at an octet from .. until, or there are none.
 * Of an exact one nothing is left to confirm: its first match is from .. end. */
struct weir_candidate {
    uint32_t rule;
    uint32_t line;        /* of the area */
    uint32_t from, until; /* octets of the line: pcre2_match()'s start offset and offset limit */
    uint32_t end;         /* of an exact one */
    bool exact;           /* it is a hit */
    bool rest;            /* there were too many: any later line may have a match, too */
};

struct weir_prefilter_scratch;
/* 0 or WEIR_ENOMEM.  Serves every prefilter of no more rules, but by Hyperscan only this one. */
int weir_prefilter_scratch_new(const struct weir_prefilter *prefilter,
                               struct weir_prefilter_scratch **scratch_r);
void weir_prefilter_scratch_free(struct weir_prefilter_scratch **scratch);

/* Scans an area and gives candidates, each (rule, line) once, sorted by rule and line.
 * selector[line] says which selector each line of a header or envelope area is; NULL for
 * other areas.  Stubborn rules are not among them: weir_prefilter_always() lists those.  The
 * array lives in the scratch until the next scan.  Returns how many. */
size_t weir_prefilter_scan(const struct weir_prefilter *prefilter,
                           struct weir_prefilter_scratch *scratch, enum weir_area_kind kind,
                           const struct weir_area *area, const uint32_t *selector,
                           const struct weir_candidate **candidate_r);

/* The same for a part of a text without selectors: of what stands at octets from .. until.  What
 * has to stand more than once in a line is looked for in that part only. */
size_t weir_prefilter_scan_part(const struct weir_prefilter *prefilter,
                                struct weir_prefilter_scratch *scratch, enum weir_area_kind kind,
                                const struct weir_area *area, size_t from, size_t until,
                                const struct weir_candidate **candidate_r);

/* What the last scan cost, in units of about half a nanosecond: counted, not measured. */
uint64_t weir_prefilter_work(const struct weir_prefilter_scratch *scratch);

/* The rules of this kind of area that are candidates in every line.  Returns how many. */
size_t weir_prefilter_always(const struct weir_prefilter *prefilter, enum weir_area_kind kind,
                             const uint32_t **rule_r);

#endif
