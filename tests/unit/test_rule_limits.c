/*
 * The bounds on rules and their search, each at its limit and one past it (rule_regex.c,
 * rule_line.c, matcher_confirm.c, need_runs.c, prefilter.c, prefilter_build.c).
 *
 * How PCRE2 counts is its own affair: what it does under the same bounds, asked directly, is the
 * model of what rule_regex.c has to do.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/evidence/need.h"
#include "core/evidence/prefilter.h"
#include "core/evidence/rule_regex.h"
#include "tests/unit/rules_rig.h"

/* bounds on one match -------------------------------------------------------------- */

#define SUBJECT_MOST 400000 /* octets, all of them 'a' */

struct bound {
    uint32_t steps, depth;
    size_t stack; /* of machine code; 0: plain */
};

/* What PCRE2 itself says of pattern and n octets: 0, no match; or which bound it ran into. */
static int model(const char *pattern, const char *subject, size_t n, struct bound bound)
{
    int wrong;
    PCRE2_SIZE at;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, 0, &wrong, &at,
                                     NULL);
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    pcre2_jit_stack *stack = NULL;
    assert_true(code && data && context);
    pcre2_set_match_limit(context, bound.steps);
    pcre2_set_depth_limit(context, bound.depth);
    if (bound.stack) {
        assert_int_equal(pcre2_jit_compile(code, PCRE2_JIT_COMPLETE), 0);
        stack = pcre2_jit_stack_create(32768, bound.stack, NULL);
        pcre2_jit_stack_assign(context, NULL, stack);
    }
    int rc = pcre2_match(code, (PCRE2_SPTR)subject, n, 0, 0, data, context);
    pcre2_jit_stack_free(stack);
    pcre2_match_context_free(context);
    pcre2_match_data_free(data);
    pcre2_code_free(code);
    return rc == PCRE2_ERROR_NOMATCH ? 0 : rc;
}

/* The longest subject that the bound allows, and the reason against one octet more. */
static size_t longest(const char *pattern, const char *subject, struct bound bound, int *why_r)
{
    size_t good = 0, bad = SUBJECT_MOST;
    *why_r = model(pattern, subject, bad, bound);
    assert_true(*why_r < 0);
    while (bad - good > 1) {
        size_t n = good + (bad - good) / 2;
        if (model(pattern, subject, n, bound) == 0)
            good = n;
        else
            bad = n;
    }
    *why_r = model(pattern, subject, bad, bound);
    return good;
}

static int ours(const char *pattern, const char *subject, size_t n, bool machine_code)
{
    const struct weir_regex regex = {.pattern = {pattern, strlen(pattern)}};
    struct weir_regex_span span = {.from = 0, .until = SIZE_MAX};
    struct weir_regexes *regexes = NULL;
    struct weir_regex_room *room = NULL;
    assert_int_equal(weir_regexes_new(1, &regexes), 0);
    assert_int_equal(weir_regex_room_new(&room), 0);
    if (machine_code)
        assert_true(weir_regexes_prepare(regexes, 0, &regex));
    int rc = weir_regexes_match(regexes, 0, &regex, room, (struct weir_slice){subject, n}, &span);
    weir_regex_room_free(&room);
    weir_regexes_free(&regexes);
    return rc;
}

static void assert_bound(const char *pattern, struct bound bound, int want)
{
    char *subject = malloc(SUBJECT_MOST);
    int why;
    assert_non_null(subject);
    memset(subject, 'a', SUBJECT_MOST);
    size_t n = longest(pattern, subject, bound, &why);
    assert_int_equal(why, want);
    assert_int_equal(ours(pattern, subject, n, bound.stack > 0), 0);
    assert_int_equal(ours(pattern, subject, n + 1, bound.stack > 0), WEIR_ELIMIT);
    free(subject);
}

/* Each octet is one group within the one before. */
static void WEIR_MATCH_DEPTH_MAX_is_how_deep_a_match_goes(void **state)
{
    (void)state;
    assert_bound("^(?:a|b)*[cd]", (struct bound){UINT32_MAX, WEIR_MATCH_DEPTH_MAX, 0},
                 PCRE2_ERROR_DEPTHLIMIT);
}

static void WEIR_MATCH_STACK_MAX_octets_of_stack_are_used_and_no_more(void **state)
{
    (void)state;
    uint32_t possible = 0;
    pcre2_config(PCRE2_CONFIG_JIT, &possible);
    if (!possible)
        skip();
    assert_bound("^(?:a|b)*[cd]", (struct bound){UINT32_MAX, UINT32_MAX, WEIR_MATCH_STACK_MAX},
                 PCRE2_ERROR_JIT_STACKLIMIT);
}

/* hits --------------------------------------------------------------------------------- */

#define MAIL "From: a@b.example\nSubject: s\n\n"

static unsigned times(const char *rules, unsigned words)
{
    char mail[4096] = MAIL;
    for (unsigned i = 0; i < words; i++)
        strcat(mail, "pill ");
    strcat(mail, "\n");
    struct rules_rig *rig = rules_rig_new(rules);
    rules_rig_match(rig, mail);
    assert_non_null(rules_rig_hit(rig, "P"));
    unsigned n = rules_rig_hit(rig, "P")->times;
    rules_rig_free(rig);
    return n;
}

static void WEIR_RULE_REPEATS_MAX_hits_are_counted_and_no_more(void **state)
{
    (void)state;
    static const char *const rules[] = {"body P /pill/\ntflags P multiple\n",
                                        "body P /pill/\ntflags P multiple maxhits=100\n"};
    for (size_t i = 0; i < 2; i++)
        for (unsigned n = WEIR_RULE_REPEATS_MAX - 1; n <= WEIR_RULE_REPEATS_MAX + 1; n++)
            assert_int_equal(times(rules[i], n),
                             n < WEIR_RULE_REPEATS_MAX ? n : WEIR_RULE_REPEATS_MAX);
}

static void maxhits_beyond_WEIR_RULE_REPEATS_MAX_is_refused(void **state)
{
    (void)state;
    for (int n = WEIR_RULE_REPEATS_MAX; n <= WEIR_RULE_REPEATS_MAX + 1; n++) {
        char text[100];
        snprintf(text, sizeof text, "body P /pill/\ntflags P multiple maxhits=%d\n", n);
        struct rules_rig *rig = rules_rig_new(text);
        bool refused = strstr(rig->told, "maxhits is a number up to 100") != NULL;
        assert_int_equal(refused, n > WEIR_RULE_REPEATS_MAX);
        rules_rig_free(rig);
    }
}

static void WEIR_RULE_EVIDENCE_MAX_octets_of_a_match_are_shown(void **state)
{
    (void)state;
    for (size_t n = WEIR_RULE_EVIDENCE_MAX - 1; n <= WEIR_RULE_EVIDENCE_MAX + 1; n++) {
        char mail[400] = MAIL "<";
        memset(mail + strlen(mail), 'x', n - 2);
        strcat(mail, "> and more\n");
        struct rules_rig *rig = rules_rig_new("body E /<x+>/\n");
        rules_rig_match(rig, mail);
        const struct weir_rule_hit *hit = rules_rig_hit(rig, "E");
        assert_non_null(hit);
        assert_int_equal(hit->evidence.len, n < WEIR_RULE_EVIDENCE_MAX ? n
                                                                       : WEIR_RULE_EVIDENCE_MAX);
        assert_memory_equal(hit->evidence.at, "<xxx", 4);
        rules_rig_free(rig);
    }
}

/* what an expression needs ----------------------------------------------------------------- */

/* Whether "needle" is found behind n parts that cost work each. */
static bool finds_needle(const char *part, size_t n)
{
    size_t len = strlen(part);
    char *pattern = malloc(n * len + 7);
    struct weir_arena *arena = weir_arena_new(1 << 16);
    const struct weir_need_node *tree;
    struct weir_need need;
    assert_true(pattern && arena);
    for (size_t i = 0; i < n; i++)
        memcpy(pattern + i * len, part, len);
    strcpy(pattern + n * len, "needle");
    const struct weir_slice text = {pattern, n * len + 6};
    assert_int_equal(weir_need_read(arena, text, &(struct weir_need_flags){0}, &tree), 1);
    assert_int_equal(weir_need_find(arena, tree, (struct weir_slice){"", 0}, &need), 0);
    bool found = need.runs == 1 && need.run[0].len == 6;
    assert_true(found || need.runs == 0); /* less is known then, but nothing wrong */
    weir_arena_free(&arena);
    free(pattern);
    return found;
}

/* A part makes a few runs: how many is not known here, but one at least, and no more than ten. */
static void WEIR_NEED_WORK_MAX_runs_are_made_and_no_more(void **state)
{
    (void)state;
    static const char *const part[] = {"x*", "(?:x|y)*", "(?:x|y+)?"};
    for (size_t i = 0; i < sizeof part / sizeof part[0]; i++) {
        size_t good = 1, bad = WEIR_NEED_WORK_MAX;
        if (finds_needle(part[i], bad))
            fail_msg("no bound on %s", part[i]);
        while (bad - good > 1) {
            size_t n = good + (bad - good) / 2;
            if (finds_needle(part[i], n))
                good = n;
            else
                bad = n;
        }
        if (good < WEIR_NEED_WORK_MAX / 10)
            fail_msg("only %zu of %s", good, part[i]);
    }
}

/* the prefilter ------------------------------------------------------------------------- */

static enum weir_prefilter_means means_of(const char *text)
{
    const struct weir_prefilter_pattern pattern = {.area = WEIR_AREA_BODY,
                                                   .pattern = {text, strlen(text)}};
    struct weir_prefilter_builder *builder;
    enum weir_prefilter_means means;
    assert_int_equal(weir_prefilter_builder_new(&builder), 0);
    assert_int_equal(weir_prefilter_add(builder, &pattern, &means), 0);
    weir_prefilter_builder_free(&builder);
    return means;
}

/* Without a place in the index, something else than its literal has to find an expression. */
static void WEIR_PREFILTER_GRAMS_MAX_spellings_have_a_place_in_the_index(void **state)
{
    (void)state;
    assert_int_equal(8 * 8, WEIR_PREFILTER_GRAMS_MAX);
    assert_int_equal(means_of("[a-h][a-h]"), WEIR_PREFILTER_EXACT);
    assert_int_not_equal(means_of("[a-e][a-m]"), WEIR_PREFILTER_EXACT); /* 65 */
}

#define RULES 100
#define WORD "azqxj " /* \bzqxj is looked at and is not there */

/* Whether a text of len octets with so many words is too much work: then all are candidates. */
static bool floods(const struct weir_prefilter *prefilter, struct weir_prefilter_scratch *scratch,
                   size_t len, size_t words)
{
    const uint32_t start[2] = {0, (uint32_t)len};
    char *text = malloc(len);
    const struct weir_area area = {text, start, 1};
    const struct weir_candidate *candidate;
    assert_non_null(text);
    memset(text, ' ', len);
    for (size_t i = 0; i < words; i++)
        memcpy(text + i * strlen(WORD), WORD, strlen(WORD));
    size_t n = weir_prefilter_scan(prefilter, scratch, WEIR_AREA_BODY, &area, NULL, &candidate);
    free(text);
    assert_true(n == 0 || (n == RULES && candidate[0].rest && candidate[n - 1].rest));
    return n > 0;
}

/* Each word is worth a look for each rule, and one more. */
static void assert_work(const struct weir_prefilter *prefilter,
                        struct weir_prefilter_scratch *scratch, size_t len)
{
    const size_t work = len * WEIR_PREFILTER_WORK_MAX + WEIR_PREFILTER_WORK_FREE;
    const size_t most = work / (RULES + 1);
    assert_true((most + 1) * strlen(WORD) <= len);
    assert_false(floods(prefilter, scratch, len, most));
    assert_true(floods(prefilter, scratch, len, most + 1));
}

static void WEIR_PREFILTER_WORK_MAX_and_FREE_bound_the_looks_at_a_text(void **state)
{
    (void)state;
    struct weir_prefilter_pattern pattern = {.area = WEIR_AREA_BODY, .pattern = {"\\bzqxj", 6}};
    struct weir_prefilter_builder *builder;
    struct weir_prefilter_scratch *scratch = NULL;
    struct weir_prefilter prefilter;
    enum weir_prefilter_means means;
    void *octets;
    size_t len;
    assert_int_equal(weir_prefilter_builder_new(&builder), 0);
    for (; pattern.rule < RULES; pattern.rule++)
        assert_int_equal(weir_prefilter_add(builder, &pattern, &means), 0);
    assert_int_equal(weir_prefilter_build(builder, &octets, &len), 0);
    weir_prefilter_builder_free(&builder);
    assert_int_equal(weir_prefilter_attach(octets, len, &prefilter), 0);
    assert_int_equal(weir_prefilter_scratch_new(&prefilter, &scratch), 0);
    assert_work(&prefilter, scratch, 40000);
    assert_work(&prefilter, scratch, 400000);
    weir_prefilter_scratch_free(&scratch);
    free(octets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(WEIR_MATCH_DEPTH_MAX_is_how_deep_a_match_goes),
        cmocka_unit_test(WEIR_MATCH_STACK_MAX_octets_of_stack_are_used_and_no_more),
        cmocka_unit_test(WEIR_RULE_REPEATS_MAX_hits_are_counted_and_no_more),
        cmocka_unit_test(maxhits_beyond_WEIR_RULE_REPEATS_MAX_is_refused),
        cmocka_unit_test(WEIR_RULE_EVIDENCE_MAX_octets_of_a_match_are_shown),
        cmocka_unit_test(WEIR_NEED_WORK_MAX_runs_are_made_and_no_more),
        cmocka_unit_test(WEIR_PREFILTER_GRAMS_MAX_spellings_have_a_place_in_the_index),
        cmocka_unit_test(WEIR_PREFILTER_WORK_MAX_and_FREE_bound_the_looks_at_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
