/*
 * Scanning by steps: where in a text may the first steps of an expression without literals stand?
 *
 * For a group of 64 automata the pairs of octets say, of each octet of the text, which of them
 * are worth a walk; those are walked.  Numbers that lead outside a table end a walk: they
 * find nothing.
 */
#include "core/evidence/prefilter_scan.h"

/* Whether a stepper accepts at an octet of a line that ends at end. */
static bool accepts(const struct scan *s, const struct prefilter_stepper *one, size_t at,
                    size_t end)
{
    const uint8_t *next = s->prefilter->octets + one->next.place;
    uint32_t state = WEIR_AUTOMATON_START;
    for (; at < end && state > WEIR_AUTOMATON_ACCEPT; at++) {
        uint32_t place = (state << one->stride_bits) + one->class_of[s->text[at]];
        state = place < one->next.n ? next[place] : WEIR_AUTOMATON_DEAD;
    }
    return state == WEIR_AUTOMATON_ACCEPT;
}

/* Those of a group that may stand at an octet. */
static void step(struct scan *s, uint32_t group, uint64_t which, size_t begin, size_t end,
                 size_t at)
{
    const struct prefilter_stepper *stepper =
        (const void *)(s->prefilter->octets + s->part->stepper.place);
    for (; which; which &= which - 1) {
        uint32_t number = group * 64 + (uint32_t)__builtin_ctzll(which);
        if (number >= s->part->stepper.n || s->flooded)
            return;
        const struct prefilter_stepper *one = &stepper[number];
        if (s->work < 2) {
            prefilter_flood(s);
            return;
        }
        s->work -= 2; /* a walk costs about two looks */
        if (!accepts(s, one, at, end))
            continue;
        struct prefilter_run run = {.rule = one->rule, .lead_min = one->least,
                                    .lead_max = one->most};
        prefilter_note(s, &run, begin, at);
    }
}

/* The members of a group that look at lines of this selector. */
static uint64_t members(const struct scan *s, uint32_t group, const uint32_t *selector)
{
    const struct prefilter_stepper *stepper =
        (const void *)(s->prefilter->octets + s->part->stepper.place);
    uint64_t which = 0;
    if (!selector)
        return ~UINT64_C(0);
    for (uint32_t i = group * 64; i < s->part->stepper.n && i < group * 64 + 64; i++)
        if (stepper[i].selector == selector[s->line])
            which |= UINT64_C(1) << (i - group * 64);
    return which;
}

/* The kind of an octet of the text; behind its end it does not matter: see automaton.h. */
static unsigned kind_at(const struct scan *s, const struct prefilter_pairs *p, size_t at)
{
    return at < s->len ? p->kind_of[s->text[at]] : 0;
}

/* Those of a group whose pairs allow that they stand at an octet. */
static uint64_t may_stand(const struct scan *s, const struct prefilter_pairs *p, size_t at)
{
    uint64_t which = ~UINT64_C(0);
    for (size_t k = 0; k < WEIR_AUTOMATON_PAIRS; k++)
        which &= p->pair[k][kind_at(s, p, at + k) * WEIR_AUTOMATON_KINDS +
                            kind_at(s, p, at + k + 1)];
    return which;
}

/* The same at each octet of a line, but not for each of a pair's octets anew. */
static void step_through_line(struct scan *s, uint32_t group, uint64_t members_here)
{
    const struct prefilter_pairs *p =
        (const struct prefilter_pairs *)(const void *)(s->prefilter->octets +
                                                       s->part->pairs.place) + group;
    size_t begin = s->area->start[s->line], end = s->area->start[s->line + 1];
    size_t at = begin > s->from ? begin : s->from, until = end < s->until ? end : s->until;
    size_t whole = s->len > WEIR_AUTOMATON_PAIRS ? s->len - WEIR_AUTOMATON_PAIRS : 0;
    unsigned third = kind_at(s, p, at + 2);
    unsigned pair1 = kind_at(s, p, at + 1) * WEIR_AUTOMATON_KINDS + third;
    unsigned pair = kind_at(s, p, at) * WEIR_AUTOMATON_KINDS + pair1 / WEIR_AUTOMATON_KINDS;
    for (; at < until && at < whole; at++) {
        unsigned fourth = p->kind_of[s->text[at + 3]];
        unsigned pair2 = third * WEIR_AUTOMATON_KINDS + fourth;
        uint64_t which =
            members_here & p->pair[0][pair] & p->pair[1][pair1] & p->pair[2][pair2];
        if (which)
            step(s, group, which, begin, end, at);
        pair = pair1;
        pair1 = pair2;
        third = fourth;
    }
    for (; at < until; at++)
        step(s, group, members_here & may_stand(s, p, at), begin, end, at);
}

static bool is_scanned(const struct scan *s)
{
    return s->area->start[s->line + 1] > s->from && s->area->start[s->line] < s->until;
}

void prefilter_run_steppers(struct scan *s, const uint32_t *selector)
{
    for (uint32_t group = 0; group < s->part->pairs.n; group++) {
        for (s->line = 0; s->line < s->area->lines; s->line++) {
            uint64_t which = members(s, group, selector);
            if (which && is_scanned(s))
                step_through_line(s, group, which);
        }
    }
}
