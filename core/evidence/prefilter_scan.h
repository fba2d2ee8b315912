/*
 * prefilter_scan - one scan of a text, as the parts of the engine share it: prefilter.c looks
 * for runs, prefilter_steppers.c for steps, and both note what stands where.
 */
#ifndef WEIR_EVIDENCE_PREFILTER_SCAN_H
#define WEIR_EVIDENCE_PREFILTER_SCAN_H

#include "core/evidence/prefilter_impl.h"

struct hs_scratch;

#define NO_CANDIDATE UINT32_MAX

struct seen { /* a rule */
    uint32_t stamp, index;   /* the line it was last seen in, and its candidate there */
    uint32_t times, last;    /* how often, and where the last time */
    uint32_t from;           /* the first octet a match may begin at */
};

struct standing { /* a run, told by Hyperscan */
    uint32_t at, run;
};

struct weir_prefilter_scratch {
    uint32_t rules, stamp;
    struct hs_scratch *hyperscan;    /* NULL: the built-in engine */
    struct standing *standing;       /* of a piece of text; with Hyperscan only */
    size_t standings;
    uint64_t work;                   /* of the last scan: weir_prefilter_work() */
    size_t n, room;
    struct seen *seen;               /* by rule */
    struct weir_candidate *candidate, *sorted;
    uint32_t *order;                 /* of an exact candidate: which alternative */
    uint64_t *key, *key_room;        /* for sorting */
};

struct scan {
    const struct weir_prefilter *prefilter;
    const struct prefilter_part *part;
    const uint64_t *filter;
    const uint32_t *bucket, *id;
    const struct prefilter_key *key;
    const struct prefilter_run *run;
    const struct weir_octet_set *set;
    struct weir_prefilter_scratch *scratch;
    const unsigned char *text;
    const struct weir_area *area;
    size_t len;
    size_t from, until; /* what of it is scanned */
    size_t line;        /* where the scan is */
    uint32_t stamp;     /* of line 0 */
    uint64_t work;      /* looks that are left */
    uint64_t notes;     /* runs that stand somewhere */
    bool flooded;
};

/* A run stands at an octet of the current line, which begins at begin. */
void prefilter_note(struct scan *s, const struct prefilter_run *run, size_t begin, size_t at);

/* Too much work: every rule is a candidate from here on. */
void prefilter_flood(struct scan *s);

/* prefilter_steppers.c: notes where rules found by automata may stand. */
void prefilter_run_steppers(struct scan *s, const uint32_t *selector);

#endif
