/*
 * From steps to a deterministic automaton: each state is the set of steps that may
 * come next, found by trying every class of octets in every state.
 *
 * A step is kept with the number of octets taken so far; the same step with more of them
 * accepts sooner, so only that one is kept.  All that is allocated is freed on all ways
 * out; the number of states is bounded by the type of a state.
 */
#include "core/evidence/automaton.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/evidence/automaton_impl.h"
#include "core/evidence/need_impl.h"

#define DEPTH_BITS 4 /* an item: step << DEPTH_BITS | octets taken */
#define STATES_MOST 256
#define SLOTS 1024

struct list {
    uint32_t *at;
    size_t n, room;
};

struct making {
    const struct steps *steps;
    uint32_t depth;
    unsigned char octet[256];           /* one of each class */
    struct weir_automaton made;
    struct list state[STATES_MOST];     /* items */
    uint16_t slot[SLOTS];               /* states by hash, + 1 */
    struct list now, stack;             /* a state in the making */
    bool accepts;                       /* it does */
    uint32_t *visited, visit;           /* steps seen in this closure */
    bool no_memory;
};

static void push(struct making *m, struct list *list, uint32_t value)
{
    if (list->n == list->room) {
        size_t room = list->room ? list->room * 2 : 16;
        uint32_t *more = realloc(list->at, room * sizeof *more);
        if (!more) {
            m->no_memory = true;
            return;
        }
        list->at = more;
        list->room = room;
    }
    list->at[list->n++] = value;
}

/* Splits classes by a set. */
static void split_classes(uint8_t class_of[256], uint32_t *classes,
                          const struct weir_octet_set *set)
{
    int inside[256];
    uint32_t before = *classes;
    bool out[256] = {false};
    memset(inside, -1, sizeof inside);
    for (unsigned c = 0; c < 256; c++)
        if (!weir_octet_set_has(set, c))
            out[class_of[c]] = true;
    for (unsigned c = 0; c < 256; c++) {
        unsigned old = class_of[c];
        if (!weir_octet_set_has(set, c) || !out[old] || old >= before)
            continue;
        if (inside[old] < 0)
            inside[old] = (int)(*classes)++;
        class_of[c] = (uint8_t)inside[old];
    }
}

static void find_classes(struct making *m)
{
    m->made.classes = 1;
    for (size_t i = 0; i < m->steps->n; i++)
        if (m->steps->step[i].kind == STEP_SET)
            split_classes(m->made.class_of, &m->made.classes, &m->steps->step[i].set);
    for (unsigned c = 0; c < 256; c++)
        m->octet[m->made.class_of[c]] = (unsigned char)c;
}

/* Adds what is reached from a step without an octet. */
static void close_over(struct making *m, uint32_t from, uint32_t depth)
{
    m->stack.n = 0;
    m->visit++;
    push(m, &m->stack, from);
    while (m->stack.n > 0 && !m->no_memory) {
        uint32_t number = m->stack.at[--m->stack.n];
        const struct step *s = &m->steps->step[number];
        if (m->visited[number] == m->visit)
            continue;
        m->visited[number] = m->visit;
        if (s->kind == STEP_ACCEPT)
            m->accepts = true;
        else if (s->kind == STEP_SET)
            push(m, &m->now, number << DEPTH_BITS | depth);
        if (s->kind == STEP_SPLIT) {
            push(m, &m->stack, s->next);
            push(m, &m->stack, s->other);
        }
    }
}

/* What an item leads to by an octet. */
static void follow(struct making *m, uint32_t item, unsigned octet)
{
    const struct step *s = &m->steps->step[item >> DEPTH_BITS];
    uint32_t depth = (item & ((1u << DEPTH_BITS) - 1)) + 1;
    if (!weir_octet_set_has(&s->set, octet))
        return;
    if (depth >= m->depth)
        m->accepts = true;
    else
        close_over(m, s->next, depth);
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Sorts; of the same step only the deepest stays. */
static void tidy(struct list *list)
{
    size_t kept = 0;
    if (list->n > 1)
        qsort(list->at, list->n, sizeof *list->at, by_value);
    for (size_t i = 0; i < list->n; i++)
        if (i + 1 == list->n || list->at[i] >> DEPTH_BITS != list->at[i + 1] >> DEPTH_BITS)
            list->at[kept++] = list->at[i];
    list->n = kept;
}

static size_t hash_list(const struct list *list)
{
    uint64_t hash = list->n;
    for (size_t i = 0; i < list->n; i++) {
        hash = (hash ^ list->at[i]) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
    }
    return (size_t)hash;
}

static bool same(const struct list *a, const struct list *b)
{
    return a->n == b->n && memcmp(a->at, b->at, a->n * sizeof *a->at) == 0;
}

/* The number of the state in the making, which may be new. */
static int state_number(struct making *m, uint8_t *number_r)
{
    *number_r = m->accepts ? WEIR_AUTOMATON_ACCEPT : WEIR_AUTOMATON_DEAD;
    if (m->no_memory)
        return WEIR_ENOMEM;
    if (m->accepts || m->now.n == 0)
        return 0;
    tidy(&m->now);
    size_t slot = hash_list(&m->now) % SLOTS;
    while (m->slot[slot] && !same(&m->state[m->slot[slot] - 1], &m->now))
        slot = (slot + 1) % SLOTS;
    if (!m->slot[slot]) {
        if (m->made.states == STATES_MOST)
            return WEIR_ELIMIT;
        for (size_t i = 0; i < m->now.n; i++)
            push(m, &m->state[m->made.states], m->now.at[i]);
        m->slot[slot] = (uint16_t)++m->made.states;
    }
    *number_r = (uint8_t)(m->slot[slot] - 1);
    return m->no_memory ? WEIR_ENOMEM : 0;
}

/* All ways out of a state. */
static int leave(struct making *m, uint32_t number)
{
    for (uint32_t class = 0; class < m->made.classes; class++) {
        m->now.n = 0;
        m->accepts = false;
        for (size_t i = 0; i < m->state[number].n; i++)
            follow(m, m->state[number].at[i], m->octet[class]);
        int error = state_number(m, &m->made.next[number * m->made.classes + class]);
        if (error < 0)
            return error;
    }
    return 0;
}

static int make_states(struct making *m)
{
    uint8_t start;
    m->made.states = WEIR_AUTOMATON_START;
    close_over(m, m->steps->start, 0);
    int error = state_number(m, &start);
    if (!error && start != WEIR_AUTOMATON_START)
        error = WEIR_ELIMIT; /* it accepts nothing, or the empty text: of no use */
    for (uint32_t i = WEIR_AUTOMATON_START; i < m->made.states && !error; i++)
        error = leave(m, i);
    return error;
}

/* Marks the kinds of octets that lead from a state to one that is not dead, and on from there. */
static void mark_pairs(const struct weir_automaton *a, uint32_t state, const uint64_t *kinds,
                       bool *pair)
{
    for (uint32_t c = 0; c < a->classes; c++) {
        uint32_t then = a->next[state * a->classes + c];
        uint64_t on = 0;
        for (uint32_t d = 0; d < a->classes; d++)
            if (a->next[then * a->classes + d] != WEIR_AUTOMATON_DEAD)
                on |= kinds[d];
        for (unsigned k = 0; k < WEIR_AUTOMATON_KINDS && on; k++)
            for (unsigned l = 0; l < WEIR_AUTOMATON_KINDS && kinds[c] >> k & 1; l++)
                if (on >> l & 1)
                    pair[k * WEIR_AUTOMATON_KINDS + l] = true;
    }
}

void weir_automaton_pairs(
    const struct weir_automaton *automaton, const uint8_t kind_of[256],
    bool pair_r[WEIR_AUTOMATON_PAIRS][WEIR_AUTOMATON_KINDS * WEIR_AUTOMATON_KINDS])
{
    bool here[STATES_MOST] = {[WEIR_AUTOMATON_START] = true};
    uint64_t kinds[256] = {0}; /* of each class, bits */
    for (unsigned c = 0; c < 256; c++)
        kinds[automaton->class_of[c]] |= UINT64_C(1) << kind_of[c] % WEIR_AUTOMATON_KINDS;
    for (int at = 0; at < WEIR_AUTOMATON_PAIRS; at++) {
        bool then[STATES_MOST] = {false};
        memset(pair_r[at], 0, sizeof pair_r[at]);
        for (uint32_t s = WEIR_AUTOMATON_ACCEPT; s < automaton->states; s++) {
            if (!here[s])
                continue;
            mark_pairs(automaton, s, kinds, pair_r[at]);
            for (uint32_t c = 0; c < automaton->classes; c++)
                then[automaton->next[s * automaton->classes + c]] = true;
        }
        memcpy(here, then, sizeof here);
    }
}

static void clean_up(struct making *m)
{
    for (size_t i = 0; i < STATES_MOST; i++)
        free(m->state[i].at);
    free(m->visited);
    free(m->now.at);
    free(m->stack.at);
    free(m);
}

int automaton_make(const struct steps *steps, uint32_t depth, struct weir_automaton *automaton_r)
{
    struct making *m = calloc(1, sizeof *m);
    if (!m)
        return WEIR_ENOMEM;
    m->steps = steps;
    m->depth = depth;
    find_classes(m);
    m->visited = calloc(steps->n, sizeof *m->visited);
    m->made.next = calloc(STATES_MOST, m->made.classes);
    int error = m->visited && m->made.next ? make_states(m) : WEIR_ENOMEM;
    if (!error) { /* what has accepted goes on accepting */
        memset(m->made.next + WEIR_AUTOMATON_ACCEPT * m->made.classes, WEIR_AUTOMATON_ACCEPT,
               m->made.classes);
        *automaton_r = m->made;
    } else {
        weir_automaton_clear(&m->made);
    }
    clean_up(m);
    return error;
}

void weir_automaton_clear(struct weir_automaton *automaton)
{
    free(automaton->next);
    *automaton = (struct weir_automaton){.classes = 0};
}
