/*
 * Hyperscan behind the prefilter's interface: one block-mode database for each area, all
 * patterns in its prefiltering mode, each line scanned by itself.  The handle owns databases and
 * scratch; what Hyperscan does not take is stubborn.
 * Without WEIR_HYPERSCAN there is only the refusal.
 */
#include "core/evidence/prefilter_hyperscan.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/limits.h"

#ifdef WEIR_HYPERSCAN
#include <hs/hs.h>

struct part {
    hs_database_t *database;
    uint32_t *always;
    size_t always_n;
};

struct weir_hyperscan {
    struct part part[WEIR_AREAS];
    hs_scratch_t *scratch;
    uint32_t *selector;              /* by rule */
    bool *rest;                      /* by rule: a candidate to the text's end */
    struct weir_candidate *candidate;
    size_t n, room;
    uint32_t line, line_len, line_selector; /* being scanned */
    bool header;
};

struct list { /* patterns of one area, as hs_compile_ext_multi() wants them */
    const char **text;
    unsigned *flags, *ids;
    unsigned n;
};

static unsigned flags_of(const struct weir_prefilter_pattern *p)
{
    return HS_FLAG_PREFILTER | HS_FLAG_ALLOWEMPTY | HS_FLAG_SINGLEMATCH |
           (p->caseless ? HS_FLAG_CASELESS : 0u) | (p->multiline ? HS_FLAG_MULTILINE : 0u) |
           (p->dotall ? HS_FLAG_DOTALL : 0u);
}

/* The pattern with a NUL, as Hyperscan takes it alone; NULL when it does not, or it is long. */
static char *taken(const struct weir_prefilter_pattern *p)
{
    hs_database_t *alone = NULL;
    hs_compile_error_t *error = NULL;
    if (p->extended || p->pattern.len > WEIR_HYPERSCAN_PATTERN_MAX ||
        memchr(p->pattern.at, '\0', p->pattern.len))
        return NULL;
    char *text = strndup(p->pattern.at, p->pattern.len);
    if (text && hs_compile(text, flags_of(p), HS_MODE_BLOCK, NULL, &alone, &error) != HS_SUCCESS) {
        free(text);
        text = NULL;
    }
    hs_free_database(alone);
    hs_free_compile_error(error);
    return text;
}

static int compile_part(struct weir_hyperscan *h, struct part *part, struct list *list)
{
    hs_compile_error_t *error = NULL;
    if (list->n == 0)
        return 0;
    hs_error_t result = hs_compile_multi(list->text, list->flags, list->ids, list->n, HS_MODE_BLOCK,
                                         NULL, &part->database, &error);
    hs_free_compile_error(error);
    if (result != HS_SUCCESS || hs_alloc_scratch(part->database, &h->scratch) != HS_SUCCESS)
        return WEIR_ENOMEM;
    return 0;
}

static int make_part(struct weir_hyperscan *h, enum weir_area_kind kind,
                     const struct weir_prefilter_pattern *pattern, size_t patterns)
{
    struct part *part = &h->part[kind];
    struct list list = {calloc(patterns + 1, sizeof *list.text),
                        calloc(patterns + 1, sizeof *list.flags),
                        calloc(patterns + 1, sizeof *list.ids), 0};
    part->always = calloc(patterns + 1, sizeof *part->always);
    int error = list.text && list.flags && list.ids && part->always ? 0 : WEIR_ENOMEM;
    for (size_t i = 0; i < patterns && !error; i++) {
        if (pattern[i].area != kind)
            continue;
        char *text = taken(&pattern[i]);
        if (!text) {
            part->always[part->always_n++] = pattern[i].rule;
            continue;
        }
        list.text[list.n] = text;
        list.flags[list.n] = flags_of(&pattern[i]);
        list.ids[list.n++] = pattern[i].rule;
    }
    if (!error)
        error = compile_part(h, part, &list);
    for (unsigned i = 0; i < list.n; i++)
        free((void *)(uintptr_t)list.text[i]);
    free(list.text);
    free(list.flags);
    free(list.ids);
    return error;
}

int weir_hyperscan_new(const struct weir_prefilter_pattern *pattern, size_t patterns,
                       struct weir_hyperscan **hyperscan_r)
{
    struct weir_hyperscan *h = calloc(1, sizeof *h);
    if (h) {
        h->room = WEIR_PREFILTER_CANDIDATES_MAX + patterns;
        h->selector = calloc(WEIR_RULES_MAX, sizeof *h->selector);
        h->rest = calloc(WEIR_RULES_MAX, sizeof *h->rest);
        h->candidate = malloc(h->room * sizeof *h->candidate);
    }
    int error = h && h->selector && h->rest && h->candidate ? 0 : WEIR_ENOMEM;
    for (size_t i = 0; i < patterns && !error; i++) {
        if (pattern[i].rule >= WEIR_RULES_MAX)
            error = WEIR_ELIMIT;
        else
            h->selector[pattern[i].rule] = pattern[i].selector;
    }
    for (int kind = 0; kind < WEIR_AREAS && !error; kind++)
        error = make_part(h, (enum weir_area_kind)kind, pattern, patterns);
    if (error)
        weir_hyperscan_free(&h);
    *hyperscan_r = h;
    return error;
}

void weir_hyperscan_free(struct weir_hyperscan **hyperscan)
{
    struct weir_hyperscan *h = *hyperscan;
    for (size_t i = 0; h && i < WEIR_AREAS; i++) {
        hs_free_database(h->part[i].database);
        free(h->part[i].always);
    }
    if (h) {
        hs_free_scratch(h->scratch);
        free(h->selector);
        free(h->rest);
        free(h->candidate);
    }
    free(h);
    *hyperscan = NULL;
}

static int found(unsigned rule, unsigned long long from, unsigned long long to, unsigned flags,
                 void *context)
{
    struct weir_hyperscan *h = context;
    (void)from, (void)to, (void)flags;
    if (h->header && h->selector[rule] != h->line_selector)
        return 0;
    bool rest = h->n >= WEIR_PREFILTER_CANDIDATES_MAX;
    if (h->rest[rule] || h->n == h->room)
        return 0;
    h->rest[rule] = rest;
    h->candidate[h->n++] = (struct weir_candidate){.rule = rule, .line = h->line,
                                                   .until = h->line_len, .rest = rest};
    return 0;
}

static int by_rule(const void *a, const void *b)
{
    const struct weir_candidate *x = a, *y = b;
    if (x->rule != y->rule)
        return x->rule < y->rule ? -1 : 1;
    return (x->line > y->line) - (x->line < y->line);
}

size_t weir_hyperscan_scan(struct weir_hyperscan *hyperscan, enum weir_area_kind kind,
                           const struct weir_area *area, const uint32_t *selector,
                           const struct weir_candidate **candidate_r)
{
    struct weir_hyperscan *h = hyperscan;
    if (h->n > WEIR_PREFILTER_CANDIDATES_MAX)
        memset(h->rest, 0, WEIR_RULES_MAX * sizeof *h->rest);
    h->n = 0;
    h->header = selector != NULL;
    for (size_t line = 0; h->part[kind].database && line < area->lines; line++) {
        struct weir_slice text = weir_area_line(area, line);
        h->line = (uint32_t)line;
        h->line_len = (uint32_t)text.len;
        h->line_selector = selector ? selector[line] : 0;
        hs_scan(h->part[kind].database, text.at, (unsigned)text.len, 0, h->scratch, found, h);
    }
    if (h->n > 1)
        qsort(h->candidate, h->n, sizeof *h->candidate, by_rule);
    *candidate_r = h->candidate;
    return h->n;
}

size_t weir_hyperscan_always(const struct weir_hyperscan *hyperscan, enum weir_area_kind kind,
                             const uint32_t **rule_r)
{
    *rule_r = hyperscan->part[kind].always;
    return hyperscan->part[kind].always_n;
}

#else

int weir_hyperscan_new(const struct weir_prefilter_pattern *pattern, size_t patterns,
                       struct weir_hyperscan **hyperscan_r)
{
    (void)pattern, (void)patterns;
    *hyperscan_r = NULL;
    return WEIR_EDOWN;
}

void weir_hyperscan_free(struct weir_hyperscan **hyperscan)
{
    *hyperscan = NULL;
}

size_t weir_hyperscan_scan(struct weir_hyperscan *hyperscan, enum weir_area_kind kind,
                           const struct weir_area *area, const uint32_t *selector,
                           const struct weir_candidate **candidate_r)
{
    (void)hyperscan, (void)kind, (void)area, (void)selector;
    *candidate_r = NULL;
    return 0;
}

size_t weir_hyperscan_always(const struct weir_hyperscan *hyperscan, enum weir_area_kind kind,
                             const uint32_t **rule_r)
{
    (void)hyperscan, (void)kind;
    *rule_r = NULL;
    return 0;
}
#endif
