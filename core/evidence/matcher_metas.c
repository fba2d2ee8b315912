/*
 * The formulas of a set against what hit.
 *
 * A formula is run only when something it looks at is not as it is without hits, in an order in
 * which each comes behind those it looks at.  Hidden rules serve formulas alone: an
 * expression of one whose literals stand in the message, and a hidden formula over such, wait
 * until a formula that counts asks for them, which what is known already often spares.
 */
#include "core/evidence/matcher_impl.h"
#include "core/evidence/rule_meta.h"

enum { DEPTH_MAX = 16 }; /* of formulas asking for formulas; then they are run in their order */

static double value_of(void *context, uint32_t index);
static bool range_of(void *context, uint32_t index, struct weir_meta_range *range_r);

static struct weir_meta_values values_of(struct weir_matcher *matcher)
{
    return (struct weir_meta_values){value_of, range_of, matcher};
}

static void note_result(struct weir_matcher *matcher, size_t number, double result)
{
    const struct weir_image *image = &matcher->rules->image;
    uint32_t rule = image->meta[number].rule;
    if (rule >= weir_rules_size(matcher->rules))
        return;
    if (result != 0)
        weir_matcher_hit(matcher, rule, (float)result, (struct weir_slice){"", 0},
                         WEIR_AREA_HEADER);
    else if (image->start_true[number / 64] >> (number % 64) & 1)
        weir_matcher_touch(matcher, rule);
}

static void run(struct weir_matcher *matcher, size_t number)
{
    const struct weir_image *image = &matcher->rules->image;
    const struct weir_meta_values values = values_of(matcher);
    size_t len;
    const uint32_t *code = weir_image_code(image, image->meta[number].code, &len);
    note_result(matcher, number, weir_meta_run(code, len, &values));
}

/* Whether what is known gives the result; then it is noted. */
static bool run_without_asking(struct weir_matcher *matcher, size_t number)
{
    const struct weir_image *image = &matcher->rules->image;
    const struct weir_meta_values values = values_of(matcher);
    size_t len;
    const uint32_t *code = weir_image_code(image, image->meta[number].code, &len);
    struct weir_meta_range result = weir_meta_range(code, len, &values);
    if (result.least != result.most)
        return false;
    note_result(matcher, number, result.least);
    return true;
}

/* Runs a formula that waits. */
static void run_waiting(struct weir_matcher *matcher, size_t number)
{
    uint32_t rule = matcher->rules->image.meta[number].rule;
    matcher->waiting[number / 64] &= ~(UINT64_C(1) << (number % 64));
    matcher->later[rule] = 0;
    run(matcher, number);
}

/* All formulas before this one that wait: none of them then has to ask for another. */
static void run_waiting_before(struct weir_matcher *matcher, size_t number)
{
    for (size_t word = 0; word <= number / 64; word++) {
        uint64_t before = word < number / 64 ? UINT64_MAX : (UINT64_C(1) << (number % 64)) - 1;
        while (matcher->waiting[word] & before)
            run_waiting(matcher, word * 64 +
                                     (size_t)__builtin_ctzll(matcher->waiting[word] & before));
    }
}

static void decide(struct weir_matcher *matcher, uint32_t rule)
{
    uint32_t later = matcher->later[rule];
    matcher->later[rule] = 0;
    if (!(later & WEIR_LATER_META)) {
        weir_matcher_confirm(matcher, rule, &matcher->put_off[later - 1]);
        return;
    }
    size_t number = later & ~(uint32_t)WEIR_LATER_META;
    if (matcher->depth == DEPTH_MAX)
        run_waiting_before(matcher, number);
    matcher->depth++;
    run_waiting(matcher, number);
    matcher->depth--;
}

static double value_of(void *context, uint32_t index)
{
    struct weir_matcher *matcher = context;
    size_t rules = weir_rules_size(matcher->rules);
    if (index >= rules + WEIR_FACTS)
        return 0;
    if (index < rules && matcher->later[index] != 0)
        decide(matcher, index);
    return (double)matcher->value[index];
}

static bool range_of(void *context, uint32_t index, struct weir_meta_range *range_r)
{
    const struct weir_matcher *matcher = context;
    size_t rules = weir_rules_size(matcher->rules);
    double value = index < rules + WEIR_FACTS ? (double)matcher->value[index] : 0;
    bool waits = index < rules && matcher->later[index] != 0;
    double most = waits ? (double)matcher->rules->image.rule[index].most : value;
    *range_r = (struct weir_meta_range){value, most, value != 0};
    return !waits;
}

static void run_or_wait(struct weir_matcher *matcher, size_t number)
{
    const struct weir_image *image = &matcher->rules->image;
    uint32_t rule = image->meta[number].rule;
    if (!matcher->lazy || rule >= weir_rules_size(matcher->rules) ||
        !(image->rule[rule].flags & WEIR_IMAGE_HIDDEN)) {
        run(matcher, number);
        return;
    }
    if (run_without_asking(matcher, number))
        return;
    matcher->waiting[number / 64] |= UINT64_C(1) << (number % 64);
    weir_matcher_wait(matcher, rule, WEIR_LATER_META | (uint32_t)number);
}

void weir_matcher_metas(struct weir_matcher *matcher)
{
    const struct weir_image *image = &matcher->rules->image;
    for (size_t word = 0; word < image->count[WEIR_IMAGE_START_TRUE]; word++) {
        while (matcher->dirty[word] != 0) {
            unsigned bit = (unsigned)__builtin_ctzll(matcher->dirty[word]);
            matcher->dirty[word] &= matcher->dirty[word] - 1;
            matcher->next_meta = word * 64 + bit + 1;
            if (word * 64 + bit < image->count[WEIR_IMAGE_METAS])
                run_or_wait(matcher, word * 64 + bit);
        }
    }
}
