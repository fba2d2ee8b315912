/*
 * One area against the rules that look at it: the prefilter tells candidates, PCRE2
 * confirms them, each only where a match may begin.  Rules that no prefilter can find are
 * tried in every line.
 *
 * A trial is one rule in one area.  It ends with the first hit, or, when the rule counts, with
 * as many as it wants; with a bound of PCRE2's, or when it has used up its share of what one
 * message may cost, which make the rule a failed one; or with the bounds on a whole message
 * (matcher_effort.h), which end all trials of a round.  Hits found before count.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/evidence/match_clock_io.h"
#include "core/evidence/matcher_impl.h"

enum {
    MATCH_REACH = 256,     /* octets a match is taken to look at behind its beginning */
    LARGE_AREA = 65536,    /* one whose scan takes time that counts */
};

struct trial {
    struct weir_matcher *matcher;
    uint32_t rule;
    const struct weir_image_rule *image;
    struct weir_regex regex;
    enum weir_area_kind kind;
    const struct weir_area *area;
    const uint32_t *selector; /* by line, or NULL */
    size_t from, until;       /* octets of the area where a match may begin */
    uint64_t spent, begun;    /* work; the time used by the message when the trial began */
    unsigned hits, most;
    struct weir_slice evidence;
    bool over;
};

static bool trial_begin(struct weir_matcher *matcher, uint32_t number, enum weir_area_kind kind,
                        struct trial *trial_r)
{
    if (number >= weir_rules_size(matcher->rules))
        return false;
    const struct weir_image_rule *rule = &matcher->rules->image.rule[number];
    if (rule->kind != (uint32_t)kind || (rule->flags & WEIR_RULE_EXISTS))
        return false;
    unsigned most = rule->hits_most > 0 && rule->hits_most < WEIR_RULE_REPEATS_MAX
                        ? rule->hits_most : WEIR_RULE_REPEATS_MAX;
    *trial_r = (struct trial){
        .matcher = matcher, .rule = number, .image = rule, .kind = kind,
        .regex = weir_rules_regex(matcher->rules, number),
        .begun = weir_effort_used(&matcher->effort),
        .most = rule->flags & WEIR_RULE_MULTIPLE ? most : 1};
    return true;
}

static void trial_end(struct trial *trial)
{
    float *value = &trial->matcher->value[trial->rule];
    if (trial->hits == 0)
        return;
    if (*value > 0 && (float)trial->hits > *value)
        *value = (float)trial->hits; /* near the ends there were fewer */
    else if (trial->image->flags & WEIR_RULE_NEGATED)
        *value = -1; /* matched: see matcher.c */
    else
        weir_matcher_hit(trial->matcher, trial->rule, (float)trial->hits, trial->evidence,
                         trial->kind);
}

/* Bounds. ---------------------------------------------------------------------- */

bool weir_matcher_has_failed(const struct weir_matcher *matcher, uint32_t rule)
{
    return matcher->failed[rule / 64] >> (rule % 64) & 1;
}

static void fail(struct trial *trial)
{
    uint64_t bit = UINT64_C(1) << (trial->rule % 64);
    uint64_t *word = &trial->matcher->failed[trial->rule / 64];
    trial->matcher->faileds += !(*word & bit);
    *word |= bit;
    trial->over = true;
}

static void note_cut(struct weir_matcher *matcher)
{
    if (matcher->effort.round == WEIR_ROUND_REST)
        matcher->cut_rest = true;
    else
        matcher->cut = true;
}

static void give_up(struct trial *trial)
{
    fail(trial);
    note_cut(trial->matcher);
}

/* Gives the rule up when so much more work is too much, for the message or for its share. */
static void spend(struct trial *trial, uint64_t units)
{
    struct weir_effort *effort = &trial->matcher->effort;
    trial->spent += units;
    if (!weir_effort_spend(effort, units) || trial->spent > weir_effort_share(effort) ||
        effort->used - trial->begun > UINT64_C(1000000) * WEIR_MATCH_RULE_TIME_MAX)
        give_up(trial);
}

/* Trying. ------------------------------------------------------------------------ */

/* Whether it takes the usual time; ready-made code costs less than looking at the clock. */
static bool is_ready(const struct trial *trial, size_t octets)
{
    return weir_regexes_is_ready(trial->matcher->rules->regexes, trial->rule, &trial->regex,
                                 octets);
}

/* What the first matches take longer, to compile and without machine code, is taken off the
 * message's time, or a process that has just begun would come to other hits. */
static int match_first(struct trial *trial, struct weir_slice line, struct weir_regex_span *span)
{
    struct weir_matcher *matcher = trial->matcher;
    uint64_t before = weir_match_used();
    int rc = weir_regexes_match(matcher->rules->regexes, trial->rule, &trial->regex,
                                matcher->room, line, span);
    matcher->effort.begun += weir_match_used() - before;
    return rc;
}

/* Octets a match that begins in this span is taken to look at. */
static size_t reach_of(struct weir_slice line, const struct weir_regex_span *span)
{
    size_t rest = line.len - span->from, places = span->until - span->from;
    return places < rest && places + MATCH_REACH < rest ? places + MATCH_REACH : rest;
}

/* One call of PCRE2, over places that are few enough for it to come back in time. */
static int match_piece(struct trial *trial, struct weir_slice line, struct weir_regex_span *span)
{
    struct weir_matcher *matcher = trial->matcher;
    uint64_t begun = matcher->profiling ? weir_match_clock() : 0;
    int rc = !is_ready(trial, line.len - span->from)
                 ? match_first(trial, line, span)
                 : weir_regexes_match(matcher->rules->regexes, trial->rule, &trial->regex,
                                      matcher->room, line, span);
    if (matcher->profiling) {
        struct weir_rule_profile *profile = &matcher->profile[trial->rule];
        profile->nanoseconds += weir_match_clock() - begun;
        profile->tried++;
    }
    if (rc < 0)
        fail(trial);
    return rc;
}

/* "A.*B" looks from each place to the end of its line, which in a line of half a megabyte without
 * an end takes minutes, and PCRE2 counts none of it.  So a long line is tried a few places at
 * a time, and between two calls the bounds on a whole message are looked at. */
static int match(struct trial *trial, struct weir_slice line, struct weir_regex_span *span)
{
    struct weir_matcher *matcher = trial->matcher;
    size_t until = span->until < line.len ? span->until : line.len;
    size_t places = line.len > 0 ? WEIR_MATCH_PIECE_MAX / line.len + 1 : 1;
    spend(trial, weir_match_cost(reach_of(line, span), trial->regex.pattern.len));
    while (!trial->over) {
        size_t end = until - span->from < places ? until : span->from + places - 1;
        struct weir_regex_span piece = {
            .from = span->from, .until = end, .not_empty = span->not_empty};
        int rc = match_piece(trial, line, &piece);
        if (rc != 0 || end == until) {
            *span = piece;
            return rc;
        }
        span->from = end + 1;
        span->not_empty = false;
        weir_effort_look(&matcher->effort);
        spend(trial, weir_match_cost(0, 0));
    }
    return 0;
}

static struct weir_slice cut(struct weir_slice line, size_t from, size_t end)
{
    end = end < line.len ? end : line.len;
    from = from < end ? from : end;
    size_t len = end - from;
    return (struct weir_slice){line.at + from,
                               len < WEIR_RULE_EVIDENCE_MAX ? len : WEIR_RULE_EVIDENCE_MAX};
}

static void note(struct trial *trial, struct weir_slice evidence)
{
    if (trial->hits++ == 0)
        trial->evidence = evidence;
    trial->over |= trial->hits >= trial->most;
}

static bool is_passed_over(const struct trial *trial, size_t line)
{
    return (line == 0 && trial->kind == WEIR_AREA_BODY &&
            (trial->image->flags & WEIR_RULE_NOSUBJECT)) ||
           (trial->selector && trial->selector[line] != trial->image->selector);
}

/* Tries a line, for matches that begin at from or later, but not behind until. */
static void try_line(struct trial *trial, size_t number, size_t from, size_t until)
{
    struct weir_slice line = weir_area_line(trial->area, number);
    size_t start = trial->area->start[number];
    if (trial->until <= start)
        return;
    if (trial->until - start - 1 < until)
        until = trial->until - start - 1;
    if (trial->from > start && trial->from - start > from)
        from = trial->from - start;
    struct weir_regex_span span = {.from = from, .until = until};
    while (!trial->over && span.from <= line.len && span.from <= until &&
           match(trial, line, &span) > 0) {
        note(trial, cut(line, span.from, span.until));
        /* As Perl's //g goes on: behind the match, and behind an empty one not again there. */
        span.not_empty = span.from == span.until;
        span.from = span.until;
        span.until = until;
    }
}

static void try_lines(struct trial *trial, size_t line)
{
    const uint32_t *start = trial->area->start;
    for (; line < trial->area->lines && start[line] < trial->until && !trial->over; line++)
        if (start[line + 1] > trial->from && !is_passed_over(trial, line))
            try_line(trial, line, 0, SIZE_MAX);
}

static void try_candidate(struct trial *trial, const struct weir_candidate *candidate)
{
    if (candidate->line >= trial->area->lines)
        return;
    if (!is_passed_over(trial, candidate->line)) {
        if (candidate->exact && trial->most == 1)
            note(trial, cut(weir_area_line(trial->area, candidate->line), candidate->from,
                            candidate->end));
        else
            try_line(trial, candidate->line, candidate->from, candidate->until);
    }
    if (candidate->rest)
        try_lines(trial, (size_t)candidate->line + 1);
}

/* Putting off. ------------------------------------------------------------------------ */

/* Whether nobody but a formula wants to know, and what is not found is simply not a hit. */
static bool may_wait(const struct weir_matcher *matcher, uint32_t number)
{
    const unsigned settled = WEIR_RULE_NEGATED | WEIR_RULE_EXISTS | WEIR_IMAGE_WITHOUT;
    uint32_t flags = matcher->rules->image.rule[number].flags;
    return matcher->lazy && (flags & WEIR_IMAGE_HIDDEN) && !(flags & settled);
}

/* Puts a rule off with its candidates, which are copied; false when memory is short or there is
 * nothing to spare. */
static bool put_it_off(struct weir_matcher *matcher, uint32_t number, struct weir_put_off what)
{
    if (number >= weir_rules_size(matcher->rules) || !may_wait(matcher, number) ||
        what.until != SIZE_MAX ||
        matcher->later[number] != 0 || (what.candidates > 0 && what.candidate[0].exact))
        return false;
    if (what.candidates > 0) {
        size_t size = what.candidates * sizeof(*what.candidate);
        struct weir_candidate *copy = weir_arena_take(matcher->arena, size);
        if (!copy)
            return false;
        memcpy(copy, what.candidate, size);
        what.candidate = copy;
    }
    matcher->put_off[matcher->put_offs++] = what;
    weir_matcher_wait(matcher, number, (uint32_t)matcher->put_offs);
    return true;
}

/* Areas. ---------------------------------------------------------------------------- */

static size_t scan(struct weir_matcher *matcher, const struct weir_put_off *what,
                   const struct weir_candidate **candidate_r)
{
    const struct weir_prefilter *prefilter = &matcher->rules->prefilter;
    size_t n = what->until == SIZE_MAX
                   ? weir_prefilter_scan(prefilter, matcher->scratch, what->kind, what->area,
                                         what->selector, candidate_r)
                   : weir_prefilter_scan_part(prefilter, matcher->scratch, what->kind, what->area,
                                              what->from, what->until, candidate_r);
    (void)weir_effort_spend(&matcher->effort, weir_prefilter_work(matcher->scratch));
    if (weir_area_len(what->area) > LARGE_AREA)
        weir_effort_look(&matcher->effort);
    return n;
}

static void try_rule(struct weir_matcher *matcher, uint32_t rule, const struct weir_put_off *what)
{
    if (!put_it_off(matcher, rule, *what))
        weir_matcher_confirm(matcher, rule, what);
}

static void try_candidates(struct weir_matcher *matcher, struct weir_put_off what)
{
    const struct weir_candidate *candidate = NULL;
    size_t n = scan(matcher, &what, &candidate);
    for (size_t i = 0; i < n; i += what.candidates) {
        what.candidate = candidate + i;
        what.candidates = 1;
        while (i + what.candidates < n && candidate[i + what.candidates].rule == candidate[i].rule)
            what.candidates++;
        try_rule(matcher, candidate[i].rule, &what);
    }
}

static void try_always(struct weir_matcher *matcher, struct weir_put_off what)
{
    const uint32_t *rule = NULL;
    size_t n = weir_prefilter_always(&matcher->rules->prefilter, what.kind, &rule);
    for (size_t i = 0; i < n; i++)
        try_rule(matcher, rule[i], &what);
}

static void try_everywhere(struct trial *trial)
{
    const struct weir_matcher *matcher = trial->matcher;
    uint32_t number = trial->image->selector;
    if (!trial->selector)
        try_lines(trial, 0);
    else if (number < WEIR_RULE_SELECTORS_MAX && matcher->has[number])
        try_lines(trial, matcher->line_of[number]);
}

/* Whether the ends of the text have told all there is to know. */
static bool is_settled(const struct trial *trial)
{
    const struct weir_matcher *matcher = trial->matcher;
    return weir_matcher_has_failed(matcher, trial->rule) ||
           (trial->most == 1 && matcher->value[trial->rule] != 0);
}

void weir_matcher_confirm(struct weir_matcher *matcher, uint32_t rule,
                          const struct weir_put_off *put_off)
{
    struct trial trial;
    if (!trial_begin(matcher, rule, put_off->kind, &trial) || is_settled(&trial))
        return;
    trial.area = put_off->area;
    trial.selector = put_off->selector;
    trial.from = put_off->from;
    trial.until = put_off->until;
    matcher->effort.round = put_off->round;
    if (weir_effort_is_over(&matcher->effort))
        give_up(&trial);
    else if (!put_off->candidate)
        try_everywhere(&trial);
    for (size_t i = 0; i < put_off->candidates && !trial.over; i++)
        try_candidate(&trial, &put_off->candidate[i]);
    trial_end(&trial);
}

static void match_part(struct weir_matcher *matcher, const struct weir_put_off *what)
{
    if (what->area->lines == 0)
        return;
    if (weir_effort_is_over(&matcher->effort)) {
        note_cut(matcher);
        return;
    }
    try_candidates(matcher, *what);
    try_always(matcher, *what);
}

void weir_matcher_ends(struct weir_matcher *matcher, enum weir_area_kind kind,
                       const struct weir_area *area)
{
    size_t len = weir_area_len(area);
    struct weir_put_off what = {.kind = kind, .area = area, .round = matcher->effort.round,
                                .from = len - WEIR_MATCH_TAIL_MAX,
                                .until = len + 1}; /* where a match of nothing may begin */
    match_part(matcher, &what); /* the lesser end first: there is always work left for it */
    what.from = 0;
    what.until = WEIR_MATCH_HEAD_MAX;
    match_part(matcher, &what);
}

void weir_matcher_area(struct weir_matcher *matcher, enum weir_area_kind kind,
                       const struct weir_area *area, const uint32_t *selector)
{
    match_part(matcher, &(struct weir_put_off){.kind = kind, .area = area, .selector = selector,
                                               .until = SIZE_MAX,
                                               .round = matcher->effort.round});
}
