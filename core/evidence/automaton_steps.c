/*
 * From an expression's tree to the few steps of it that an automaton looks for.
 *
 * A sequence is entered at the element from which on it is rarest, and left after
 * DEPTH_MOST octets.  Where alternatives are spellings of one letter in many octets (UTF-8,
 * &#...;), those of one length are taken together, which accepts more and needs far fewer
 * states.  Nothing but the automaton outlives the call.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/evidence/automaton_impl.h"
#include "core/evidence/need_impl.h"

#define DEPTH_MOST 10      /* octets looked at */
#define DEPTH_LEAST 3
#define ELEMENTS_MOST 400  /* of a sequence that are thought of */
#define STEPS_MOST 3000    /* of one expression */
#define CHANCE_MOST 3e-3   /* more is not rare */
#define SAMPLE 4096        /* octets of text like mail */
#define COMMON_MOST 32     /* of them it may accept at */
#define LEVELS_MOST 40     /* groups within groups, of those that are not just opened */
#define NONE UINT32_MAX

struct maker {
    struct steps steps;
    unsigned level;
    bool no_memory, too_many;
};

static uint32_t new_step(struct maker *m, enum step_kind kind, uint32_t next, uint32_t other)
{
    struct steps *s = &m->steps;
    if (s->n >= STEPS_MOST)
        m->too_many = true;
    if (m->too_many || m->no_memory)
        return NONE;
    if (s->n == s->room) {
        size_t room = s->room ? s->room * 2 : 256;
        struct step *more = realloc(s->step, room * sizeof *more);
        if (!more) {
            m->no_memory = true;
            return NONE;
        }
        s->step = more;
        s->room = room;
    }
    s->step[s->n] = (struct step){.next = next, .other = other, .kind = kind};
    return (uint32_t)s->n++;
}

static uint32_t set_step(struct maker *m, const struct weir_octet_set *set, uint32_t next)
{
    uint32_t made = new_step(m, STEP_SET, next, NONE);
    if (made != NONE)
        m->steps.step[made].set = *set;
    return made;
}

/* Of octets above 127 an automaton knows only kinds, for the sake of its size. */
static struct weir_octet_set coarse(struct weir_octet_set set)
{
    uint8_t kind_of[256];
    uint64_t kinds = 0;
    if (!(set.word[2] | set.word[3]))
        return set;
    weir_octet_kinds(kind_of);
    for (unsigned c = 128; c < 256; c++)
        if (weir_octet_set_has(&set, c))
            kinds |= UINT64_C(1) << kind_of[c];
    for (unsigned c = 128; c < 256; c++)
        if (kinds >> kind_of[c] & 1)
            octet_set_add(&set, c);
    return set;
}

static uint32_t make(struct maker *m, const struct weir_need_node *n, uint32_t next);

/* Children from last to first: each leads to the one behind it. */
static uint32_t make_sequence(struct maker *m, const struct weir_need_node *child, uint32_t next)
{
    if (!child || m->too_many || m->no_memory)
        return next;
    const struct weir_need_node *order[ELEMENTS_MOST];
    size_t n = 0;
    for (; child && n < ELEMENTS_MOST; child = child->next)
        order[n++] = child;
    if (child)
        m->too_many = true;
    while (n > 0)
        next = make(m, order[--n], next);
    return next;
}

static uint32_t make_repeat(struct maker *m, const struct weir_need_node *n, uint32_t next)
{
    uint32_t least = n->min < DEPTH_MOST ? n->min : DEPTH_MOST;
    if (n->max > n->min && n->max - n->min > DEPTH_MOST) { /* as good as endless */
        uint32_t loop = new_step(m, STEP_SPLIT, NONE, next);
        uint32_t body = make(m, n->child, loop);
        if (body != NONE && loop != NONE)
            m->steps.step[loop].next = body;
        next = loop;
    } else {
        uint32_t out = next;
        for (uint32_t i = n->min; i < n->max && !m->too_many; i++) {
            uint32_t body = make(m, n->child, next);
            next = new_step(m, STEP_SPLIT, body, out);
        }
    }
    for (uint32_t i = 0; i < least && !m->too_many; i++)
        next = make(m, n->child, next);
    return next;
}

/* A child that is nothing but sets: its length, else 0. */
static size_t plain_length(const struct weir_need_node *n)
{
    size_t len = 0;
    if (n->kind != NEED_CAT)
        return n->kind == NEED_SET;
    for (const struct weir_need_node *c = n->child; c; c = c->next, len++)
        if (c->kind != NEED_SET)
            return 0;
    return len;
}

static void unite_plain(struct weir_octet_set *at, const struct weir_need_node *n)
{
    if (n->kind == NEED_SET) {
        octet_set_unite(at, &n->set);
        return;
    }
    for (const struct weir_need_node *c = n->child; c; c = c->next)
        octet_set_unite(at++, &c->set);
}

/* Whether all begin with an octet that is no ASCII letter or digit: a letter's spelling. */
static bool is_spelling(const struct weir_need_node *n)
{
    while (n->kind == NEED_CAT && n->child)
        n = n->child;
    if (n->kind != NEED_SET)
        return false;
    struct weir_octet_set ascii = n->set;
    ascii.word[0] &= ~(UINT64_C(1) << '&');
    return !(ascii.word[0] | ascii.word[1]);
}

/* All octets that may be in what a tree matches. */
static void unite_all(struct weir_octet_set *set, const struct weir_need_node *n)
{
    if (n->kind == NEED_SET)
        octet_set_unite(set, &n->set);
    if (n->kind == NEED_ANYTHING)
        *set = octet_set_not((struct weir_octet_set){{0}});
    for (const struct weir_need_node *c = n->child; c; c = c->next)
        unite_all(set, c);
}

/* Of a spelling its first octet is kept, how long it may be, and which octets it is made of. */
static uint32_t make_spelling(struct maker *m, const struct weir_need_node *n, uint32_t next)
{
    static const struct weir_octet_set reference = /* of &#...; */
        {{UINT64_C(0x0bff000800000000), UINT64_C(0x07fffffe07fffffe), 0, 0}};
    struct weir_octet_set tail = {{0, 0, ~UINT64_C(0), 0}}; /* 80..bf */
    const struct weir_need_node *first = n;
    uint32_t longest = n->longest > DEPTH_MOST ? DEPTH_MOST : n->longest, out = next;
    while (first->kind == NEED_CAT)
        first = first->child;
    struct weir_octet_set head = coarse(first->set);
    if (head.word[0])
        tail = reference;
    unite_all(&tail, n);
    tail = coarse(tail);
    for (uint32_t left = 1; left < longest; left++) {
        next = set_step(m, &tail, next);
        if (longest - left >= n->shortest)
            next = new_step(m, STEP_SPLIT, next, out);
    }
    return set_step(m, &head, next);
}

static uint32_t make_alternatives(struct maker *m, const struct weir_need_node *n, uint32_t next)
{
    struct weir_octet_set at[DEPTH_MOST + 1][DEPTH_MOST];
    size_t many[DEPTH_MOST + 1] = {0};
    uint32_t made = NONE;
    memset(at, 0, sizeof at);
    for (const struct weir_need_node *c = n->child; c; c = c->next) {
        size_t len = plain_length(c);
        if (len == 1 || (len > 1 && len <= DEPTH_MOST && is_spelling(c))) {
            unite_plain(at[len], c);
            many[len]++;
            continue;
        }
        uint32_t one = is_spelling(c) ? make_spelling(m, c, next) : make(m, c, next);
        made = made == NONE ? one : new_step(m, STEP_SPLIT, one, made);
    }
    for (size_t len = 1; len <= DEPTH_MOST; len++) {
        uint32_t one = next;
        for (size_t i = len; many[len] && i-- > 0;) {
            struct weir_octet_set set = coarse(at[len][i]);
            one = set_step(m, &set, one);
        }
        if (many[len])
            made = made == NONE ? one : new_step(m, STEP_SPLIT, one, made);
    }
    return made;
}

static uint32_t make_node(struct maker *m, const struct weir_need_node *n, uint32_t next)
{
    struct weir_octet_set set;
    switch (n->kind) {
    case NEED_SET:
        set = coarse(n->set);
        return set_step(m, &set, next);
    case NEED_CAT:
        return make_sequence(m, n->child, next);
    case NEED_ALT:
        return make_alternatives(m, n, next);
    case NEED_REPEAT:
        return make_repeat(m, n, next);
    case NEED_ANYTHING:
        return new_step(m, STEP_ACCEPT, NONE, NONE);
    default:
        return next;
    }
}

/* The steps of a tree, leading to next. */
static uint32_t make(struct maker *m, const struct weir_need_node *n, uint32_t next)
{
    if (++m->level > LEVELS_MOST)
        m->too_many = true;
    uint32_t made = m->too_many || m->no_memory ? NONE : make_node(m, n, next);
    m->level--;
    return made;
}

/* choosing ------------------------------------------------------------------------ */

/* How probable it is that a tree matches at an octet, very roughly. */
static double rough_chance(const struct weir_need_node *n)
{
    double chance = n->kind == NEED_ALT ? 0 : 1;
    uint32_t most;
    switch (n->kind) {
    case NEED_SET:
        return need_chance(&n->set, 1);
    case NEED_CAT:
        for (const struct weir_need_node *c = n->child; c; c = c->next)
            chance *= rough_chance(c);
        return chance;
    case NEED_ALT:
        for (const struct weir_need_node *c = n->child; c; c = c->next)
            chance += rough_chance(c);
        return chance < 1 ? chance : 1;
    case NEED_REPEAT: /* beyond the depth nothing gets rarer */
        most = DEPTH_MOST / (n->child->shortest ? n->child->shortest : 1) + 1;
        return pow(n->min ? rough_chance(n->child) : 1, n->min < most ? n->min : most);
    default:
        return 1;
    }
}

struct elements {
    const struct weir_need_node *at[ELEMENTS_MOST];
    double chance[ELEMENTS_MOST];
    uint64_t before_min[ELEMENTS_MOST], before_max[ELEMENTS_MOST]; /* octets before it */
    uint64_t min, max;
    size_t n;
};

/* The sequence a tree is, groups opened. */
static void collect(struct elements *e, const struct weir_need_node *n)
{
    if (n->kind == NEED_CAT) {
        for (const struct weir_need_node *c = n->child; c; c = c->next)
            collect(e, c);
    } else if (e->n < ELEMENTS_MOST && n->kind != NEED_EDGE && n->kind != NEED_LOOSE) {
        e->chance[e->n] = rough_chance(n);
        e->before_min[e->n] = e->min;
        e->before_max[e->n] = e->max;
        e->min += n->shortest;
        e->max += n->longest;
        e->at[e->n++] = n;
    }
}

/* Where steps of at least depth octets that begin at an element end. */
static size_t end_of(const struct elements *e, size_t begin, uint32_t depth)
{
    uint64_t octets = 0;
    size_t i = begin;
    while (i < e->n && octets < depth && e->at[i]->kind != NEED_ANYTHING)
        octets += e->at[i++]->shortest;
    return i;
}

/* The element at which the rarest steps begin. */
static size_t rarest(const struct elements *e, uint32_t depth, double *chance_r)
{
    size_t best = 0;
    *chance_r = 1;
    for (size_t i = 0; i < e->n; i++) {
        double chance = 1;
        size_t end = end_of(e, i, depth);
        if (e->at[i]->shortest == 0)
            continue;
        for (size_t k = i; k < end; k++)
            chance *= e->chance[k];
        if (chance < *chance_r) {
            *chance_r = chance;
            best = i;
        }
    }
    return best;
}

static uint32_t at_most_endless(uint64_t octets)
{
    return octets < WEIR_NEED_ENDLESS ? (uint32_t)octets : WEIR_NEED_ENDLESS;
}

/* Whether it accepts too often in text that is like mail. */
static bool too_common(const struct weir_automaton *a)
{
    unsigned char text[SAMPLE];
    unsigned often = 0;
    need_sample(text, sizeof text);
    for (size_t i = 0; i < sizeof text; i++) {
        uint32_t state = WEIR_AUTOMATON_START;
        for (size_t at = i; at < sizeof text && state > WEIR_AUTOMATON_ACCEPT; at++)
            state = a->next[state * a->classes + a->class_of[text[at]]];
        often += state == WEIR_AUTOMATON_ACCEPT;
    }
    return often > COMMON_MOST;
}

/* 1 when steps of this depth make a small enough automaton. */
static int try_depth(struct maker *m, const struct elements *e, uint32_t depth,
                     struct weir_automaton *automaton_r)
{
    double chance;
    size_t begin = rarest(e, depth, &chance), end = end_of(e, begin, depth);
    if (chance > CHANCE_MOST)
        return 0;
    m->steps.n = 0;
    m->too_many = false;
    uint32_t start = new_step(m, STEP_ACCEPT, NONE, NONE);
    for (size_t i = end; i > begin; i--)
        start = make(m, e->at[i - 1], start);
    m->steps.start = start;
    if (m->no_memory)
        return WEIR_ENOMEM;
    int error = m->too_many ? WEIR_ELIMIT : automaton_make(&m->steps, depth, automaton_r);
    if (error)
        return error == WEIR_ELIMIT ? 0 : error;
    if (too_common(automaton_r)) {
        weir_automaton_clear(automaton_r);
        return 0;
    }
    automaton_r->least = at_most_endless(e->before_min[begin]);
    automaton_r->most = at_most_endless(e->before_max[begin]);
    return 1;
}

int weir_automaton_find(const struct weir_need_node *tree, struct weir_automaton *automaton_r)
{
    struct maker m = {.level = 0};
    struct elements *e = calloc(1, sizeof *e);
    int result = 0;
    if (!e)
        return WEIR_ENOMEM;
    if (tree->longest > 1) /* one octet is found faster by PCRE2 itself */
        collect(e, tree);
    for (uint32_t depth = DEPTH_MOST; depth >= DEPTH_LEAST && result == 0; depth--)
        result = try_depth(&m, e, depth, automaton_r);
    free(m.steps.step);
    free(e);
    return result;
}
