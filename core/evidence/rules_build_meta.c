/*
 * The formulas of a rule set: compiled, brought into an order in which each comes behind
 * those it looks at, and turned round: for each value, the formulas that look at it.  A
 * match then has to run only formulas of which something hit, and those that are
 * true when nothing does.
 *
 * Refuses unknown names and circles.  A name that is known but not in the set (draft,
 * retired, switched off) is 0.
 */
#include <math.h>
#include <string.h>

#include "core/base/error.h"
#include "core/evidence/rule_meta.h"
#include "core/evidence/rules_build_impl.h"

enum colour { WHITE, GREY, BLACK }; /* not seen, being looked at, done */

struct visit {
    uint32_t rule;
    size_t at; /* how far its program has been looked through */
};

struct order {
    struct weir_build_meta *of_rule; /* by number; code NULL for rules of other kinds */
    uint8_t *colour;
    struct visit *visit;
    size_t visits;
};

/* Compiling. ------------------------------------------------------------------- */

static int resolve(void *context, struct weir_slice name)
{
    const struct weir_build *build = context;
    const struct weir_rule_source *source = weir_build_named(build, name);
    if (source) {
        uint32_t number = build->number[source - build->sources->rule];
        return number == UINT32_MAX ? WEIR_META_ZERO : (int)number;
    }
    int fact = weir_fact_named(name.at, name.len);
    return fact < 0 ? WEIR_META_UNKNOWN : (int)build->rules + fact;
}

static int compile(struct weir_build *build, const struct weir_rule_source *source,
                   struct weir_build_meta *meta_r)
{
    struct weir_meta meta;
    char why[WEIR_META_WHY];
    if (weir_meta_compile(source->pattern, resolve, build, &meta, why) < 0) {
        weir_build_wrong(build, source, "%s", why);
        meta.len = 0;
    }
    uint32_t *code = weir_arena_take(build->arena, meta.len * sizeof(*code));
    if (!code)
        return WEIR_ENOMEM;
    memcpy(code, meta.code, meta.len * sizeof(*code));
    meta_r->code = code;
    meta_r->len = meta.len;
    return 0;
}

/* Formulas that are switched off are checked, too: they may be switched on again. */
static int compile_all(struct weir_build *build, struct weir_build_meta *of_rule)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < build->sources->rules; i++) {
        const struct weir_rule_source *source = &build->sources->rule[i];
        struct weir_build_meta unused;
        uint32_t number = build->number[i];
        if (source->kind == WEIR_RULE_META)
            rc = compile(build, source, number == UINT32_MAX ? &unused : &of_rule[number]);
    }
    return rc;
}

/* The order. -------------------------------------------------------------------- */

static void enter(struct order *order, uint32_t rule)
{
    order->colour[rule] = GREY;
    order->visit[order->visits++] = (struct visit){.rule = rule};
}

/* One step from the formula on top: down to one it looks at, or done with it. */
static void step(struct weir_build *build, struct order *order)
{
    struct visit *top = &order->visit[order->visits - 1];
    struct weir_build_meta *meta = &order->of_rule[top->rule];
    uint32_t value;
    if (!weir_meta_operand(meta->code, meta->len, &top->at, &value)) {
        order->colour[top->rule] = BLACK;
        meta->rule = top->rule;
        build->meta[build->metas++] = *meta;
        order->visits--;
    } else if (value < build->rules && order->of_rule[value].code) {
        const struct weir_rule_source *other = build->source[value];
        if (order->colour[value] == WHITE)
            enter(order, value);
        else if (order->colour[value] == GREY)
            weir_build_wrong(build, build->source[top->rule],
                             "its formula goes round in a circle through %.*s",
                             (int)other->name.len, other->name.at);
    }
}

/* The most. --------------------------------------------------------------------- */

/* Of a value nothing is known but what the set says: 0 or more, and at most so much. */
static bool range_of(void *context, uint32_t index, struct weir_meta_range *range_r)
{
    const struct weir_build *build = context;
    bool fact = index >= build->rules;
    *range_r = (struct weir_meta_range){.least = fact ? -HUGE_VAL : 0,
                                        .most = fact ? HUGE_VAL
                                                     : (double)build->rule[index].most};
    return false;
}

/* Each formula comes behind those it looks at. */
static void bound_metas(struct weir_build *build)
{
    const struct weir_meta_values values = {.range = range_of, .context = build};
    for (size_t i = 0; i < build->metas; i++) {
        const struct weir_build_meta *meta = &build->meta[i];
        struct weir_meta_range range = weir_meta_range(meta->code, meta->len, &values);
        build->rule[meta->rule].most = (float)fmax(1, range.most); /* below 0 counts as 1 */
    }
}

int weir_build_metas(struct weir_build *build)
{
    size_t n = build->rules + 1;
    struct order order = {
        .of_rule = weir_arena_zero(build->arena, n, sizeof(*order.of_rule)),
        .colour = weir_arena_zero(build->arena, n, 1),
        .visit = weir_arena_zero(build->arena, n, sizeof(*order.visit)),
    };
    build->meta = weir_arena_zero(build->arena, n, sizeof(*build->meta));
    if (!order.of_rule || !order.colour || !order.visit || !build->meta)
        return WEIR_ENOMEM;
    int rc = compile_all(build, order.of_rule);
    if (rc < 0)
        return rc;
    for (uint32_t rule = 0; rule < build->rules; rule++) {
        if (order.of_rule[rule].code && order.colour[rule] == WHITE)
            enter(&order, rule);
        while (order.visits > 0)
            step(build, &order);
    }
    bound_metas(build);
    return 0;
}

/* Pieces. -------------------------------------------------------------------------- */

static int add_code(struct weir_build *build, struct weir_image_writer *writer)
{
    size_t words = 0, at = 0;
    for (size_t i = 0; i < build->metas; i++)
        words += build->meta[i].len;
    uint32_t *code = weir_arena_zero(build->arena, words + 1, sizeof(*code));
    struct weir_image_meta *meta = weir_arena_zero(build->arena, build->metas + 1, sizeof(*meta));
    if (!code || !meta)
        return WEIR_ENOMEM;
    for (size_t i = 0; i < build->metas; i++) {
        const struct weir_build_meta *from = &build->meta[i];
        if (from->len > 0)
            memcpy(code + at, from->code, from->len * sizeof(*code));
        meta[i].rule = from->rule;
        meta[i].code = (struct weir_image_span){(uint32_t)at, (uint32_t)from->len};
        at += from->len;
    }
    weir_image_add(writer, WEIR_IMAGE_METAS, meta, build->metas);
    weir_image_add(writer, WEIR_IMAGE_CODE, code, words);
    return 0;
}

/* first[value] .. first[value + 1] of the list are the formulas that look at value. */
static int add_dependents(struct weir_build *build, struct weir_image_writer *writer)
{
    size_t values = build->rules + WEIR_FACTS, at, n = 0;
    uint32_t *first = weir_arena_zero(build->arena, values + 2, sizeof(*first));
    uint32_t value;
    if (!first)
        return WEIR_ENOMEM;
    for (size_t i = 0; i < build->metas; i++)
        for (at = 0; weir_meta_operand(build->meta[i].code, build->meta[i].len, &at, &value); n++)
            first[value + 2]++;
    for (size_t i = 2; i < values + 2; i++)
        first[i] += first[i - 1];
    uint32_t *list = weir_arena_zero(build->arena, n + 1, sizeof(*list));
    if (!list)
        return WEIR_ENOMEM;
    for (size_t i = 0; i < build->metas; i++)
        for (at = 0; weir_meta_operand(build->meta[i].code, build->meta[i].len, &at, &value);)
            list[first[value + 1]++] = (uint32_t)i;
    weir_image_add(writer, WEIR_IMAGE_DEPENDENT_FIRST, first, values + 1);
    weir_image_add(writer, WEIR_IMAGE_DEPENDENTS, list, n);
    return 0;
}

struct values {
    const float *value;
    size_t count;
};

static double value_of(void *context, uint32_t index)
{
    const struct values *values = context;
    return index < values->count ? (double)values->value[index] : 0;
}

static int add_start_true(struct weir_build *build, struct weir_image_writer *writer)
{
    size_t values = build->rules + WEIR_FACTS, words = (build->metas + 63) / 64;
    float *value = weir_arena_zero(build->arena, values, sizeof(*value));
    uint64_t *bits = weir_arena_zero(build->arena, words + 1, sizeof(*bits));
    if (!value || !bits)
        return WEIR_ENOMEM;
    struct values without_hits = {value, values};
    struct weir_meta_values known = {.value = value_of, .context = &without_hits};
    for (size_t i = 0; i < build->metas; i++) {
        const struct weir_build_meta *meta = &build->meta[i];
        double result = weir_meta_run(meta->code, meta->len, &known);
        if (result == 0)
            continue;
        value[meta->rule] = result > 0 ? (float)result : 1;
        bits[i / 64] |= UINT64_C(1) << (i % 64);
    }
    weir_image_add(writer, WEIR_IMAGE_START_TRUE, bits, words);
    return 0;
}

int weir_build_add_metas(struct weir_build *build, struct weir_image_writer *writer)
{
    int rc = add_code(build, writer);
    if (rc == 0)
        rc = add_dependents(build, writer);
    return rc < 0 ? rc : add_start_true(build, writer);
}
