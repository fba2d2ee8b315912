/*
 * From sources to an image: chooses the rules that are in the set, checks every expression with
 * PCRE2, gives them to the prefilter, and writes all pieces.  Formulas are in
 * rules_build_meta.c, networks in rules_build_network.c.
 *
 * All work lies in an arena of its own and is gone afterwards.  Refuses a set with
 * anything wrong in it, after telling all that is.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/evidence/prefilter.h"
#include "core/evidence/rule_regex.h"
#include "core/evidence/rules_build_impl.h"

enum { WHY_MAX = 400, ARENA_FIRST = 1 << 18 };

void weir_build_wrong(struct weir_build *build, const struct weir_rule_source *source,
                      const char *format, ...)
{
    char why[WHY_MAX];
    int len = snprintf(why, sizeof(why), "rule %.*s: ", (int)source->name.len, source->name.at);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why + len, sizeof(why) - (size_t)len, format, arguments);
    va_end(arguments);
    build->errors++;
    if (build->report)
        build->report(build->context, source->file, source->line, why);
}

/* Names. ----------------------------------------------------------------------- */

static int compare(struct weir_slice a, struct weir_slice b)
{
    int order = memcmp(a.at, b.at, a.len < b.len ? a.len : b.len);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int by_name(const void *a, const void *b)
{
    return compare((*(const struct weir_rule_source *const *)a)->name,
                   (*(const struct weir_rule_source *const *)b)->name);
}

const struct weir_rule_source *weir_build_named(const struct weir_build *build,
                                                struct weir_slice name)
{
    struct weir_rule_source wanted = {.name = name};
    const struct weir_rule_source *key = &wanted;
    const struct weir_rule_source **found = NULL;
    if (build->sources->rules > 0)
        found = bsearch(&key, build->by_name, build->sources->rules, sizeof(*build->by_name),
                        by_name);
    return found ? *found : NULL;
}

struct weir_image_span weir_build_text(struct weir_build *build, struct weir_slice text)
{
    struct weir_image_span span = {(uint32_t)build->text_len, (uint32_t)text.len};
    if (text.len > 0)
        memcpy(build->text + build->text_len, text.at, text.len);
    build->text_len += text.len;
    return span;
}

/* Choosing. ------------------------------------------------------------------------ */

static bool is_hidden(const struct weir_rule_source *source)
{
    return source->name.len > 2 && memcmp(source->name.at, "__", 2) == 0;
}

static bool is_in_set(const struct weir_rule_source *source)
{
    if (source->state == WEIR_RULE_DRAFT || source->state == WEIR_RULE_RETIRED)
        return false;
    return is_hidden(source) || source->score != 0 || source->state == WEIR_RULE_TEST;
}

static int choose(struct weir_build *build)
{
    size_t n = build->sources->rules, text = 0;
    build->source = weir_arena_zero(build->arena, n + 1, sizeof(*build->source));
    build->by_name = weir_arena_zero(build->arena, n + 1, sizeof(*build->by_name));
    build->number = weir_arena_zero(build->arena, n + 1, sizeof(*build->number));
    if (!build->source || !build->by_name || !build->number)
        return WEIR_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        const struct weir_rule_source *source = &build->sources->rule[i];
        build->by_name[i] = source;
        build->number[i] = UINT32_MAX;
        if (weir_fact_named(source->name.at, source->name.len) >= 0)
            weir_build_wrong(build, source, "this is the name of a fact");
        if (!is_in_set(source))
            continue;
        build->number[i] = (uint32_t)build->rules;
        build->source[build->rules++] = source;
        text += source->name.len + source->description.len + source->pattern.len +
                source->selector.len;
    }
    qsort(build->by_name, n, sizeof(*build->by_name), by_name);
    build->rule = weir_arena_zero(build->arena, build->rules + 1, sizeof(*build->rule));
    build->text = weir_arena_take(build->arena, text);
    build->ready = weir_arena_zero(build->arena, build->rules + 1, sizeof(*build->ready));
    return build->rule && build->text && build->ready ? 0 : WEIR_ENOMEM;
}

/* Rules. ----------------------------------------------------------------------------- */

/* The number of a selector, which rules share. */
static uint32_t selector_of(struct weir_build *build, const struct weir_rule_source *source)
{
    bool wants_text = !(source->flags & WEIR_RULE_EXISTS);
    for (size_t i = 0; i < build->selectors; i++) {
        struct weir_image_selector *selector = &build->selector[i];
        struct weir_slice name = {build->text + selector->name.at, selector->name.len};
        if (selector->kind == (uint32_t)source->kind && compare(name, source->selector) == 0) {
            selector->wants_text |= wants_text;
            return (uint32_t)i;
        }
    }
    if (build->selectors == WEIR_RULE_SELECTORS_MAX) {
        weir_build_wrong(build, source, "the rules look at more than %d header fields",
                         WEIR_RULE_SELECTORS_MAX);
        return 0;
    }
    build->selector[build->selectors] = (struct weir_image_selector){
        .kind = (uint32_t)source->kind, .wants_text = wants_text,
        .name = weir_build_text(build, source->selector)};
    return (uint32_t)build->selectors++;
}

/* PCRE2 sees the expression, and what it makes of a field that is not there. */
static int check_regex(struct weir_build *build, const struct weir_rule_source *source,
                       size_t number)
{
    struct weir_image_rule *rule = &build->rule[number];
    char why[WEIR_REGEX_WHY];
    const struct weir_regex regex = {.pattern = source->pattern, .flags = source->flags};
    bool selected = source->kind == WEIR_RULE_HEADER || source->kind == WEIR_RULE_ENVELOPE;
    struct weir_slice without = {"", 0};
    if (selected && source->unset.len > 0)
        without = source->unset;
    bool room = !build->checks && build->readies < WEIR_RULES_READY_MAX;
    int rc = weir_regex_try(&regex, without, room ? build->arena : NULL, &build->ready[number],
                            why);
    build->readies += build->ready[number].len;
    if (rc == WEIR_EINVAL)
        weir_build_wrong(build, source, "%s", why);
    if (rc > 0 && selected)
        rule->flags |= WEIR_IMAGE_WITHOUT;
    return rc == WEIR_ENOMEM ? rc : 0;
}

/* Of a formula, until its order is known, anything. */
static double most_hits(const struct weir_rule_source *source)
{
    if (source->kind == WEIR_RULE_META)
        return HUGE_VAL;
    if (!(source->flags & WEIR_RULE_MULTIPLE))
        return 1;
    return source->hits_most > 0 ? source->hits_most : WEIR_RULE_REPEATS_MAX;
}

static int fill_rule(struct weir_build *build, size_t number)
{
    const struct weir_rule_source *source = build->source[number];
    struct weir_image_rule *rule = &build->rule[number];
    *rule = (struct weir_image_rule){
        .id = source->id, .kind = (uint32_t)source->kind, .state = (uint32_t)source->state,
        .flags = source->flags | (is_hidden(source) ? WEIR_IMAGE_HIDDEN : 0),
        .hits_most = source->hits_most, .selector = WEIR_IMAGE_NO_SELECTOR,
        .score = source->score, .most = (float)most_hits(source),
        .name = weir_build_text(build, source->name),
        .description = weir_build_text(build, source->description),
        .pattern = weir_build_text(build, source->pattern)};
    if (source->kind == WEIR_RULE_HEADER || source->kind == WEIR_RULE_ENVELOPE)
        rule->selector = selector_of(build, source);
    bool has_regex = source->kind < WEIR_RULE_IP && !(source->flags & WEIR_RULE_EXISTS);
    return has_regex ? check_regex(build, source, number) : 0;
}

static int fill_rules(struct weir_build *build)
{
    int rc = 0;
    for (size_t number = 0; rc == 0 && number < build->rules; number++)
        rc = fill_rule(build, number);
    return rc;
}

/* Pieces. ----------------------------------------------------------------------------- */

static int add_special(struct weir_build *build, struct weir_image_writer *writer)
{
    uint32_t *special = weir_arena_zero(build->arena, build->rules + 1, sizeof(*special));
    size_t n = 0;
    if (!special)
        return WEIR_ENOMEM;
    for (size_t i = 0; i < build->rules; i++)
        if (build->rule[i].flags & (WEIR_RULE_NEGATED | WEIR_RULE_EXISTS | WEIR_IMAGE_WITHOUT))
            special[n++] = (uint32_t)i;
    weir_image_add(writer, WEIR_IMAGE_SPECIAL, special, n);
    return 0;
}

static int by_id(const void *a, const void *b)
{
    uint32_t one = (*(const struct weir_rule_source *const *)a)->id;
    uint32_t other = (*(const struct weir_rule_source *const *)b)->id;
    return (one > other) - (one < other);
}

/* Numbers of the set's rules in the order of sources sorted (all, or those of the set). */
static int add_index(struct weir_build *build, const struct weir_rule_source *const *sorted,
                     size_t n, enum weir_image_piece piece, struct weir_image_writer *writer)
{
    uint32_t *index = weir_arena_zero(build->arena, build->rules + 1, sizeof(*index));
    size_t numbers = 0;
    if (!index)
        return WEIR_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        uint32_t number = build->number[sorted[i] - build->sources->rule];
        if (number != UINT32_MAX)
            index[numbers++] = number;
    }
    weir_image_add(writer, piece, index, numbers);
    return 0;
}

static int add_indexes(struct weir_build *build, struct weir_image_writer *writer)
{
    int rc = add_index(build, build->by_name, build->sources->rules, WEIR_IMAGE_BY_NAME, writer);
    /* Last of all, for the sources lose their order by number. */
    qsort(build->source, build->rules, sizeof(*build->source), by_id);
    return rc < 0 ? rc : add_index(build, build->source, build->rules, WEIR_IMAGE_BY_ID, writer);
}

static int prefilter_add(struct weir_prefilter_builder *builder, struct weir_build *build,
                         size_t number)
{
    const struct weir_rule_source *source = build->source[number];
    enum weir_prefilter_means means;
    if (source->kind >= WEIR_RULE_IP || (source->flags & WEIR_RULE_EXISTS))
        return 0;
    uint32_t selector = build->rule[number].selector;
    const struct weir_prefilter_pattern pattern = {
        .rule = (uint32_t)number, .area = (enum weir_area_kind)source->kind,
        .selector = selector == WEIR_IMAGE_NO_SELECTOR ? 0 : selector,
        .pattern = source->pattern,
        .caseless = source->flags & WEIR_RULE_CASELESS,
        .multiline = source->flags & WEIR_RULE_MULTILINE,
        .dotall = source->flags & WEIR_RULE_DOTALL,
        .extended = source->flags & WEIR_RULE_EXTENDED};
    return weir_prefilter_add(builder, &pattern, &means);
}

static int add_prefilter(struct weir_build *build, struct weir_image_writer *writer)
{
    struct weir_prefilter_builder *builder = NULL;
    void *octets = NULL;
    size_t len = 0;
    int rc = weir_prefilter_builder_new(&builder);
    for (size_t number = 0; rc >= 0 && number < build->rules; number++)
        rc = prefilter_add(builder, build, number);
    if (rc >= 0)
        rc = weir_prefilter_build(builder, &octets, &len);
    if (rc >= 0)
        weir_image_add(writer, WEIR_IMAGE_PREFILTER, octets, len);
    free(octets);
    weir_prefilter_builder_free(&builder);
    return rc < 0 ? rc : 0;
}

static int write_image(struct weir_build *build, uint32_t serial, void **octets_r, size_t *len_r)
{
    struct weir_image_writer writer;
    weir_image_begin(&writer);
    weir_image_add(&writer, WEIR_IMAGE_RULES, build->rule, build->rules);
    weir_image_add(&writer, WEIR_IMAGE_SELECTORS, build->selector, build->selectors);
    weir_image_add(&writer, WEIR_IMAGE_TEXT, build->text, build->text_len);
    int rc = weir_build_add_metas(build, &writer);
    if (rc == 0)
        rc = weir_build_add_networks(build, &writer);
    if (rc == 0)
        rc = add_special(build, &writer);
    if (rc == 0)
        rc = add_prefilter(build, &writer);
    if (rc == 0)
        rc = weir_build_add_ready(build, &writer);
    if (rc == 0)
        rc = add_indexes(build, &writer);
    if (rc < 0) {
        free(writer.octets);
        return rc;
    }
    return weir_image_end(&writer, serial, octets_r, len_r);
}

/* All of it. ---------------------------------------------------------------------------- */

/* All that can be wrong with single rules is found here. */
static int check(struct weir_build *build)
{
    int rc = choose(build);
    if (rc == 0)
        rc = fill_rules(build);
    if (rc == 0)
        rc = weir_build_metas(build);
    return rc == 0 && build->errors > 0 ? WEIR_EINVAL : rc;
}

static int begin(const struct weir_rule_sources *sources, weir_rule_report *report, void *context,
                 struct weir_build **build_r)
{
    if (sources->errors > 0)
        return WEIR_EINVAL; /* told by the reader */
    if (sources->rules > WEIR_RULES_MAX)
        return WEIR_ELIMIT;
    struct weir_arena *arena = weir_arena_new(ARENA_FIRST);
    struct weir_build *build = arena ? weir_arena_zero(arena, 1, sizeof(*build)) : NULL;
    if (!build) {
        weir_arena_free(&arena);
        return WEIR_ENOMEM;
    }
    build->arena = arena;
    build->sources = sources;
    build->report = report;
    build->context = context;
    *build_r = build;
    return 0;
}

static void end(struct weir_build *build)
{
    struct weir_arena *arena = build->arena; /* it lies in it */
    weir_arena_free(&arena);
}

int weir_rules_build(const struct weir_rule_sources *sources,
                     const struct weir_rules_options *options, weir_rule_report *report,
                     void *context, void **octets_r, size_t *len_r)
{
    struct weir_build *build;
    int rc = begin(sources, report, context, &build);
    if (rc < 0)
        return rc;
    rc = check(build);
    if (rc == 0)
        rc = write_image(build, options->serial, octets_r, len_r);
    end(build);
    return rc;
}

int weir_rules_check(const struct weir_rule_sources *sources, weir_rule_report *report,
                     void *context)
{
    struct weir_build *build;
    int rc = begin(sources, report, context, &build);
    if (rc < 0)
        return rc;
    build->checks = true;
    rc = check(build);
    end(build);
    return rc;
}
