/*
 * Looking at the octets of a built prefilter before they are used: places and counts of all
 * tables must lie inside.  What the tables say of one another is checked by the scan
 * (prefilter.c) where it uses it.
 *
 * The octets are the caller's.  Refuses what another kind of machine or version built.
 */
#include "core/evidence/prefilter.h"

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/evidence/prefilter_impl.h"

static bool inside(const struct weir_prefilter *p, const struct prefilter_table *table, size_t size)
{
    return table->place % 4 == 0 && table->place <= p->len &&
           table->n <= (p->len - table->place) / size;
}

static bool numbers_below(const struct weir_prefilter *p, const struct prefilter_table *table,
                          uint32_t below)
{
    const uint32_t *number = (const void *)(p->octets + table->place);
    for (uint32_t i = 0; i < table->n; i++)
        if (number[i] >= below)
            return false;
    return true;
}

static bool pairs_are_sound(const struct weir_prefilter *p, const struct prefilter_part *part)
{
    const struct prefilter_pairs *pairs = (const void *)(p->octets + part->pairs.place);
    for (uint32_t i = 0; i < part->pairs.n; i++)
        for (size_t c = 0; c < sizeof(pairs->kind_of); c++)
            if (pairs[i].kind_of[c] >= WEIR_AUTOMATON_KINDS)
                return false;
    return true;
}

static bool steppers_are_sound(const struct weir_prefilter *p, const struct prefilter_part *part)
{
    if (!inside(p, &part->stepper, sizeof(struct prefilter_stepper)) ||
        !inside(p, &part->pairs, sizeof(struct prefilter_pairs)) ||
        part->pairs.place % 8 != 0 || part->pairs.n != (part->stepper.n + 63) / 64 ||
        !pairs_are_sound(p, part))
        return false;
    const struct prefilter_stepper *s = (const void *)(p->octets + part->stepper.place);
    for (uint32_t i = 0; i < part->stepper.n; i++, s++)
        if (!inside(p, &s->next, 1) || s->stride_bits > 8 || s->states > 256 ||
            s->next.n != s->states << s->stride_bits)
            return false;
    return true;
}

static bool part_is_sound(const struct weir_prefilter *p, uint32_t place)
{
    if (place % 4 != 0 || p->len < sizeof(struct prefilter_part) ||
        place > p->len - sizeof(struct prefilter_part))
        return false;
    const struct prefilter_part *part = (const void *)(p->octets + place);
    return inside(p, &part->always, 4) && inside(p, &part->rule, 4) &&
           inside(p, &part->filter, 8) && part->filter.place % 8 == 0 &&
           inside(p, &part->bucket, 4) && inside(p, &part->key, sizeof(struct prefilter_key)) &&
           part->key.place % 8 == 0 &&
           inside(p, &part->run, sizeof(struct prefilter_run)) && inside(p, &part->id, 4) &&
           inside(p, &part->set, sizeof(struct weir_octet_set)) && part->set.place % 8 == 0 &&
           part->filter_bits >= 6 && part->filter_bits < 32 &&
           part->filter.n == 1u << (part->filter_bits - 6) && part->bucket_bits >= 1 &&
           part->bucket_bits < 32 && part->bucket.n == (1u << part->bucket_bits) + 1 &&
           numbers_below(p, &part->always, p->rules) && numbers_below(p, &part->rule, p->rules) &&
           steppers_are_sound(p, part);
}

int weir_prefilter_attach(const void *octets, size_t len, struct weir_prefilter *prefilter_r)
{
    const struct prefilter_head *head = octets;
    if (len < sizeof *head || len > UINT32_MAX || head->magic != PREFILTER_MAGIC ||
        head->len != len || head->rules > WEIR_RULES_MAX)
        return WEIR_ECORRUPT;
    struct weir_prefilter p = {.octets = octets, .len = len, .rules = head->rules};
    for (size_t i = 0; i < WEIR_AREAS; i++) {
        if (!part_is_sound(&p, head->part[i]))
            return WEIR_ECORRUPT;
        p.part[i] = head->part[i];
    }
    *prefilter_r = p;
    return 0;
}

size_t weir_prefilter_always(const struct weir_prefilter *prefilter, enum weir_area_kind kind,
                             const uint32_t **rule_r)
{
    const struct prefilter_part *part = (const void *)(prefilter->octets + prefilter->part[kind]);
    *rule_r = (const void *)(prefilter->octets + part->always.place);
    return part->always.n;
}
