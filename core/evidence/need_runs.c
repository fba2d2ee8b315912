/*
 * From an expression's tree to the rarest runs of octet sets that are necessary for it.
 *
 * Going through a sequence, the runs of what came so far are lengthened as long
 * as there are few of them; where something endless or too various comes they are a
 * candidate, and new ones begin behind it.  The rarest candidate wins.  Lists keep the order in
 * which the expression tries its alternatives, so that the first that stands at a place is the
 * one it would match.  All memory is the caller's arena; WEIR_NEED_WORK_MAX bounds it.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/evidence/need_impl.h"

#define REPEAT_SPREAD 4      /* x{2,6} is spelled out, x{2,7} is not */
#define CHANCE_OF_A_RUN 1e-6 /* what another run costs, as chance: its place in the tables */

#define CHANCE_OF_AN_END 0.02 /* lines have so many octets */
#define CHANCE_OF_USUAL 0.009 /* of what most lines begin with: only where there is nothing else */

struct runs {
    struct weir_need_run *run;
    size_t n, room;
};

struct finder {
    struct weir_arena *arena;
    struct weir_slice usual; /* most lines begin like this */
    unsigned work; /* runs that may still be made */
    bool no_memory;
};

struct walk {
    struct finder *f;
    struct runs now;               /* the runs that end here */
    uint64_t lead_min, lead_max;   /* octets before them */
    uint64_t at_min, at_max;       /* octets before this place */
    bool broken;                   /* now is not all that came */
    struct weir_need best;
};

static void find_in(struct finder *f, const struct weir_need_node *n, struct weir_need *need_r);
static bool expand(struct finder *f, const struct weir_need_node *n, struct runs *runs_r);

/* n empty runs. */
static bool runs_new(struct finder *f, size_t n, struct runs *runs_r)
{
    if (n == 0 || n > WEIR_NEED_RUNS_MAX || n > f->work)
        return false;
    struct weir_need_run *run = weir_arena_zero(f->arena, n, sizeof *run);
    struct weir_octet_set *set =
        weir_arena_take(f->arena, n * WEIR_NEED_RUN_MAX * sizeof *set);
    if (!run || !set) {
        f->no_memory = true;
        return false;
    }
    for (size_t i = 0; i < n; i++)
        run[i].at = set + i * WEIR_NEED_RUN_MAX;
    f->work -= (unsigned)n;
    *runs_r = (struct runs){run, n, n};
    return true;
}

static bool empty_runs(struct finder *f, struct runs *runs_r)
{
    return runs_new(f, 1, runs_r);
}

/* Makes run longer by more; false when that gets too long. */
static bool append(struct weir_need_run *run, const struct weir_need_run *more)
{
    if (run->len + more->len > WEIR_NEED_RUN_MAX)
        return false;
    run->loose = run->loose || more->loose;
    if (run->len == 0)
        run->left |= more->left;
    else if (more->len == 0)
        run->right |= more->left;
    if (run->len > 0 && more->len > 0 && (run->right || more->left)) {
        run->loose = true; /* edges within a run are not kept */
        run->right = 0;
    }
    if (more->len > 0) {
        run->right = more->right;
        memcpy(run->at + run->len, more->at, more->len * sizeof *run->at);
    }
    run->len = (uint16_t)(run->len + more->len);
    return true;
}

static bool fits(const struct runs *runs, const struct runs *more)
{
    for (size_t i = 0; i < runs->n; i++)
        for (size_t k = 0; k < more->n; k++)
            if (runs->run[i].len + more->run[k].len > WEIR_NEED_RUN_MAX)
                return false;
    return true;
}

/* Each of runs followed by each of more.  False, and nothing changed, when these are too many. */
static bool cross(struct finder *f, struct runs *runs, const struct runs *more)
{
    struct runs made;
    if (!fits(runs, more))
        return false;
    if (more->n == 1) {
        for (size_t i = 0; i < runs->n; i++)
            append(&runs->run[i], &more->run[0]);
        return true;
    }
    if (!runs_new(f, runs->n * more->n, &made))
        return false;
    for (size_t i = 0; i < made.n; i++) {
        const struct weir_need_run *from = &runs->run[i / more->n];
        struct weir_octet_set *at = made.run[i].at;
        memcpy(at, from->at, from->len * sizeof *at);
        made.run[i] = *from;
        made.run[i].at = at;
        append(&made.run[i], &more->run[i % more->n]);
    }
    *runs = made;
    return true;
}

static void add_copy(struct runs *runs, const struct weir_need_run *run)
{
    struct weir_need_run *to = &runs->run[runs->n++];
    struct weir_octet_set *at = to->at;
    memcpy(at, run->at, run->len * sizeof *at);
    *to = *run;
    to->at = at;
}

/* Both lists, one after the other; runs may be none yet. */
static bool unite(struct finder *f, struct runs *runs, const struct runs *more)
{
    struct runs made = *runs;
    if (runs->n + more->n > runs->room) {
        size_t room = 2 * (runs->n + more->n), most = WEIR_NEED_RUNS_MAX;
        if (runs->n + more->n > most || !runs_new(f, room < most ? room : most, &made))
            return false;
        made.n = 0;
        for (size_t i = 0; i < runs->n; i++)
            add_copy(&made, &runs->run[i]);
    }
    for (size_t i = 0; i < more->n; i++)
        add_copy(&made, &more->run[i]);
    *runs = made;
    return true;
}

/* Each of runs followed by all that n matches.  False when these are too many or too long;
 * runs are as they were then. */
static bool lengthen(struct finder *f, struct runs *runs, const struct weir_need_node *n)
{
    struct weir_octet_set set = n->kind == NEED_SET ? n->set : (struct weir_octet_set){{0}};
    struct weir_need_run one = {.len = 1, .at = &set};
    struct runs part = {&one, 1, 1};
    return (n->kind == NEED_SET || expand(f, n, &part)) && cross(f, runs, &part);
}

static bool expand_sequence(struct finder *f, const struct weir_need_node *n, struct runs *runs_r)
{
    if (!empty_runs(f, runs_r))
        return false;
    for (const struct weir_need_node *c = n->child; c; c = c->next)
        if (!lengthen(f, runs_r, c))
            return false;
    return true;
}

static bool expand_alternatives(struct finder *f, const struct weir_need_node *n,
                                struct runs *runs_r)
{
    struct runs part;
    if (!expand(f, n->child, runs_r))
        return false;
    for (const struct weir_need_node *c = n->child->next; c; c = c->next)
        if (!expand(f, c, &part) || !unite(f, runs_r, &part))
            return false;
    return true;
}

/* The child so many times, one after the other. */
static bool expand_times(struct finder *f, const struct weir_need_node *child, uint32_t times,
                         struct runs *runs_r)
{
    if (times > WEIR_NEED_RUN_MAX || !empty_runs(f, runs_r))
        return false;
    for (uint32_t i = 0; i < times; i++)
        if (!lengthen(f, runs_r, child))
            return false;
    return true;
}

static bool expand_repeat(struct finder *f, const struct weir_need_node *n, struct runs *runs_r)
{
    struct runs part;
    if (n->max < n->min || n->max - n->min > REPEAT_SPREAD)
        return false;
    for (uint32_t i = 0; i <= n->max - n->min; i++) {
        uint32_t times = n->lazy ? n->min + i : n->max - i;
        if (!expand_times(f, n->child, times, i ? &part : runs_r) ||
            (i && !unite(f, runs_r, &part)))
            return false;
    }
    /* Of two repeated alternatives it is not this order in which they are tried. */
    bool loose = n->tight || (n->max > 1 && n->child->kind != NEED_SET);
    for (size_t i = 0; i < runs_r->n; i++)
        runs_r->run[i].loose = runs_r->run[i].loose || loose;
    return true;
}

/* All that a tree matches, when these are few runs. */
static bool expand(struct finder *f, const struct weir_need_node *n, struct runs *runs_r)
{
    switch (n->kind) {
    case NEED_SET:
    case NEED_EDGE:
    case NEED_LOOSE:
        if (!empty_runs(f, runs_r))
            return false;
        runs_r->run->len = n->kind == NEED_SET;
        if (n->kind == NEED_SET)
            runs_r->run->at[0] = n->set;
        if (n->kind == NEED_EDGE)
            runs_r->run->left = (uint8_t)n->edges;
        runs_r->run->loose = n->kind == NEED_LOOSE;
        return true;
    case NEED_CAT:
        return expand_sequence(f, n, runs_r);
    case NEED_ALT:
        return expand_alternatives(f, n, runs_r);
    case NEED_REPEAT:
        return expand_repeat(f, n, runs_r);
    default:
        return false;
    }
}

static void offer(struct walk *w, const struct weir_need *need)
{
    double now = need->chance + CHANCE_OF_A_RUN * (double)need->runs,
           best = w->best.chance + CHANCE_OF_A_RUN * (double)w->best.runs;
    if (need->runs > 0 && (w->best.runs == 0 || now < best))
        w->best = *need;
}

static uint32_t lead(uint64_t octets)
{
    return octets < WEIR_NEED_ENDLESS ? (uint32_t)octets : WEIR_NEED_ENDLESS;
}

/* Whether a run stands in the usual beginning of a line. */
static bool is_usual(const struct weir_need_run *run, struct weir_slice usual)
{
    for (size_t at = 0; at + run->len <= usual.len; at++) {
        size_t i = 0;
        while (i < run->len &&
               weir_octet_set_has(&run->at[i], (unsigned char)usual.at[at + i]))
            i++;
        if (i == run->len)
            return true;
    }
    return false;
}

static double run_chance(const struct finder *f, const struct weir_need_run *run)
{
    bool at_edge = run->left & (WEIR_NEED_BEGIN | WEIR_NEED_NEW_LINE) ||
                   run->right & (WEIR_NEED_END | WEIR_NEED_LINE_END);
    double chance = need_chance(run->at, run->len) * (at_edge ? CHANCE_OF_AN_END : 1);
    return chance < CHANCE_OF_USUAL && is_usual(run, f->usual) ? CHANCE_OF_USUAL : chance;
}

/* Offers the runs that end here as they are: a copy, because they may be lengthened in place. */
static void offer_now(struct walk *w)
{
    struct weir_need need = {.lead_min = lead(w->lead_min), .lead_max = lead(w->lead_max),
                             .times = 1};
    struct runs copy;
    for (size_t i = 0; i < w->now.n; i++) {
        if (w->now.run[i].len == 0)
            return;
        need.chance += run_chance(w->f, &w->now.run[i]);
    }
    if (!runs_new(w->f, w->now.n, &copy))
        return;
    copy.n = 0;
    for (size_t i = 0; i < w->now.n; i++)
        add_copy(&copy, &w->now.run[i]);
    need.run = copy.run;
    need.runs = copy.n;
    offer(w, &need);
}

/* Begins anew with runs, which have so many octets before them. */
static void begin(struct walk *w, const struct runs *runs, uint64_t min, uint64_t max)
{
    w->broken = true;
    w->lead_min = min;
    w->lead_max = max;
    if (runs)
        w->now = *runs;
    else if (!empty_runs(w->f, &w->now))
        w->now.n = 0;
}

/* What is necessary for a part, seen from the whole. */
static void offer_inner(struct walk *w, const struct weir_need_node *n, uint32_t times)
{
    struct weir_need need = {0};
    find_in(w->f, n, &need);
    need.exact = false;
    if (times > 1)
        need.times = times;
    need.lead_min = lead(need.lead_min + w->at_min);
    need.lead_max = lead(need.lead_max + w->at_max);
    offer(w, &need);
}

/* x+ or x{3,90}: before it what came and x, after it x and what comes. */
static void walk_repeat(struct walk *w, const struct weir_need_node *n)
{
    struct runs part;
    uint64_t before_min = w->at_min, before_max = w->at_max;
    if (n->min > 0 && expand_times(w->f, n->child, n->min, &part) && w->now.n &&
        cross(w->f, &w->now, &part)) {
        offer_now(w);
        if (expand(w->f, n->child, &part)) {
            begin(w, &part, before_min + (uint64_t)n->child->shortest * (n->min - 1),
                  n->longest >= WEIR_NEED_ENDLESS
                      ? WEIR_NEED_ENDLESS
                      : before_max + n->longest - n->child->shortest);
            return;
        }
    } else {
        offer_now(w);
        if (n->min > 0)
            offer_inner(w, n->child, n->min);
    }
    begin(w, NULL, w->at_min + n->shortest, w->at_max + n->longest);
}

static void walk_node(struct walk *w, const struct weir_need_node *n)
{
    struct runs part;
    if (n->kind == NEED_CAT) {
        for (const struct weir_need_node *c = n->child; c; c = c->next)
            walk_node(w, c);
        return;
    }
    if (n->kind == NEED_SET && w->now.n > 0 && lengthen(w->f, &w->now, n)) {
        ; /* the usual case, without a copy */
    } else if (expand(w->f, n, &part)) {
        if (part.n > 1)
            offer_now(w);
        if (w->now.n == 0 || !cross(w->f, &w->now, &part)) {
            offer_now(w);
            begin(w, &part, w->at_min, w->at_max);
        }
    } else if (n->kind == NEED_REPEAT) {
        walk_repeat(w, n);
    } else {
        offer_now(w);
        if (n->kind == NEED_ALT)
            offer_inner(w, n, 1);
        begin(w, NULL, w->at_min + n->shortest, w->at_max + n->longest);
    }
    w->at_min += n->shortest;
    w->at_max += n->longest;
}

/* One of the needs of each alternative. */
static void find_in_alternatives(struct finder *f, const struct weir_need_node *n,
                                 struct weir_need *need_r)
{
    struct weir_need all = {.lead_min = WEIR_NEED_ENDLESS, .times = 1}, one;
    struct runs runs = {NULL, 0, 0};
    for (const struct weir_need_node *c = n->child; c; c = c->next) {
        find_in(f, c, &one);
        struct runs more = {one.run, one.runs, one.runs};
        if (one.runs == 0 || !unite(f, &runs, &more))
            return;
        all.lead_min = one.lead_min < all.lead_min ? one.lead_min : all.lead_min;
        all.lead_max = one.lead_max > all.lead_max ? one.lead_max : all.lead_max;
        all.chance += one.chance;
    }
    all.run = runs.run;
    all.runs = runs.n;
    *need_r = all;
}

/* All that came is one list of runs, and nothing else is necessary. */
static bool complete(const struct walk *w)
{
    bool exact = !w->broken && w->now.n > 0;
    for (size_t i = 0; i < w->now.n; i++)
        exact = exact && w->now.run[i].len > 0 && !w->now.run[i].loose;
    return exact;
}

static void find_in(struct finder *f, const struct weir_need_node *n, struct weir_need *need_r)
{
    struct walk w = {.f = f};
    *need_r = (struct weir_need){0};
    if (n->kind == NEED_ALT && !expand(f, n, &w.now)) {
        find_in_alternatives(f, n, need_r);
        return;
    }
    if (n->kind != NEED_ALT) {
        if (!empty_runs(f, &w.now))
            return;
        walk_node(&w, n);
    }
    offer_now(&w);
    *need_r = w.best;
    if (complete(&w)) {
        need_r->run = w.now.run;
        need_r->runs = w.now.n;
        need_r->lead_min = need_r->lead_max = 0;
        need_r->times = 1;
        need_r->exact = true;
    }
}

int weir_need_find(struct weir_arena *arena, const struct weir_need_node *tree,
                   struct weir_slice usual, struct weir_need *need_r)
{
    struct finder f = {.arena = arena, .usual = usual, .work = WEIR_NEED_WORK_MAX};
    struct weir_need need;
    find_in(&f, tree, &need);
    if (f.no_memory)
        return WEIR_ENOMEM;
    *need_r = need;
    return 0;
}
