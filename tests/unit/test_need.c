/*
 * What need.c, need_class.c, need_runs.c and need_chance.c say of an expression, judged by
 * PCRE2: wherever it matches, what is necessary must be there; where it is exact, nothing else
 * may match.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/evidence/need.h"
#include "tests/unit/expression_model.h"

/* 1 with what is necessary, 0 when there is no information. */
static int find(struct weir_arena *arena, const char *pattern, size_t len,
                const struct weir_need_flags *flags, struct weir_need *need)
{
    const struct weir_need_node *tree;
    int known = weir_need_read(arena, (struct weir_slice){pattern, len}, flags, &tree);
    assert_true(known >= 0);
    if (known == 0)
        return 0;
    assert_int_equal(weir_need_find(arena, tree, (struct weir_slice){"", 0}, need), 0);
    return need->runs > 0;
}

/* A run in words: octets of a set together, lower case for both cases. */
static void spell(const struct weir_need_run *run, char *text)
{
    for (size_t i = 0; i < run->len; i++) {
        unsigned n = 0, last = 0;
        for (unsigned c = 0; c < 256; c++)
            if (weir_octet_set_has(&run->at[i], c)) {
                n++;
                last = c;
            }
        *text++ = n <= 2 ? (char)last : '*';
    }
    *text = '\0';
}

static const struct {
    const char *pattern, *runs; /* runs with '|' between; NULL: no information */
    bool exact;
} table[] = {
    {"viagra", "viagra", true},
    {"\\bfree (?:trial|offer)\\b", "free trial|free offer", true},
    {"offers?", "offers|offer", true},
    {"offers??", "offer|offers", true},
    {"^From", "From", true},
    {"abc.*defgh", "defgh", false},
    {"(?:abc|abd)+x", "abcx|abdx", false},
    {"x(?=yz)uvw", "xuvw", false},
    {"(?!not)this", "this", false},
    {"(?<=very )cheap", "cheap", false},
    {"(?i)Ab(?-i)C", "abC", true},
    {"(?i:A)B", "aB", true},
    {"a(?#comment)b", "ab", true},
    {"\\Qa.b\\E", "a.b", true},
    {"\\Qa|b", "a|b", true},
    {"\\x41\\102\\o{103}DE", "CDE", false}, /* \102 may be a reference */
    {"\\x41\\x{42}\\o{103}", "ABC", true},
    {"(?<name>abc)\\k<name>", "abc", false},
    {"(a)(?(1)bc|de)xyz", "xyz", false},
    {"(?R)?abc", "abc", false},
    {"a|b*", NULL, false},
    {"", NULL, false},
    {"[[:alpha:]]\\d", "**", true},
    {"ab{2}c", "abbc", true},
    {"ab{2,}c", "abb|bbc", false},
    {"a{,2}b", NULL, false},
    {"(*ACCEPT)abc", NULL, false},
    {"abc(*F)", NULL, false},
    {"\\Gabc", NULL, false},
    {"abc(?C1)", NULL, false},
    {"(?:x{3}yz){2}", "xxxyzxxxyz", false},
};

static void what_is_necessary_is_found_for_every_construct(void **state)
{
    (void)state;
    struct weir_arena *arena = weir_arena_new(1 << 16);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct weir_need need = {0};
        char words[4096] = "", one[WEIR_NEED_RUN_MAX + 1];
        int known = find(arena, table[i].pattern, strlen(table[i].pattern),
                         &(struct weir_need_flags){0}, &need);
        for (size_t k = 0; k < need.runs; k++) {
            spell(&need.run[k], one);
            strcat(strcat(words, k ? "|" : ""), one);
        }
        if (known != (table[i].runs != NULL) || (known && need.exact != table[i].exact))
            fail_msg("%s: got %s%s", table[i].pattern, words, need.exact ? " (exact)" : "");
        if (known && !strstr(table[i].runs, words) && !strstr(words, table[i].runs))
            fail_msg("%s: got %s, want %s", table[i].pattern, words, table[i].runs);
        weir_arena_reset(arena, 1 << 20);
    }
    weir_arena_free(&arena);
}

static void extended_syntax_ignores_blanks_and_comments(void **state)
{
    (void)state;
    struct weir_arena *arena = weir_arena_new(1 << 16);
    struct weir_need need;
    char word[WEIR_NEED_RUN_MAX + 1];
    const char *pattern = " a b # comment ( [ \n \\ c [ ] d";
    assert_int_equal(find(arena, pattern, strlen(pattern),
                          &(struct weir_need_flags){.extended = true}, &need), 1);
    spell(&need.run[0], word);
    assert_string_equal(word, "ab c d");
    weir_arena_free(&arena);
}

/* Where the expression matches, its need must hold; where it is exact, both must agree. */
static void judge(const char *pattern, size_t len, const struct weir_need_flags *flags,
                  const struct weir_need *need, const pcre2_code *code, const char *text,
                  size_t text_len)
{
    size_t start = 0, end = 0;
    bool hit = model_match(code, text, text_len, 0, PCRE2_UNSET, &start, &end);
    bool right = !hit || model_need_holds(need, text, text_len, start);
    if (need->exact)
        right = right && hit == (model_places(need, text, text_len, 0, text_len) > 0);
    if (!right)
        fail_msg("/%.*s/%s%s%s%s on \"%.*s\": match %d at %zu", (int)len, pattern,
                 flags->caseless ? "i" : "", flags->multiline ? "m" : "", flags->dotall ? "s" : "",
                 flags->extended ? "x" : "", (int)text_len, text, hit, start);
}

static void random_expressions_never_match_without_what_is_necessary(void **state)
{
    (void)state;
    struct seeded s = seeded_new(__func__);
    struct weir_arena *arena = weir_arena_new(1 << 16);
    unsigned judged = 0, exact = 0;
    for (unsigned round = 0; round < 60000; round++) {
        char pattern[64], text[24];
        size_t len = model_expression(&s, pattern, sizeof pattern);
        unsigned bits = seeded_below(&s, 16);
        struct weir_need_flags flags = {bits & 1, bits & 2, bits & 4, (bits & 8) != 0 && bits & 1};
        struct weir_need need = {0};
        pcre2_code *code = model_compile(pattern, len, &flags);
        int known = find(arena, pattern, len, &flags, &need);
        for (unsigned i = 0; i < 12 && code && known; i++) {
            size_t text_len = model_text(&s, text, sizeof text);
            judge(pattern, len, &flags, &need, code, text, text_len);
        }
        judged += code && known;
        exact += code && known && need.exact;
        pcre2_code_free(code);
        weir_arena_reset(arena, 1 << 20);
    }
    assert_true(judged > 1000 && exact > 100); /* the test tests something */
    weir_arena_free(&arena);
}

static int groups(struct weir_arena *arena, size_t depth)
{
    char pattern[2 * WEIR_NEED_DEPTH_MAX + 16];
    struct weir_need need;
    memset(pattern, '(', depth);
    memcpy(pattern + depth, "abc", 3);
    memset(pattern + depth + 3, ')', depth);
    return find(arena, pattern, 2 * depth + 3, &(struct weir_need_flags){0}, &need);
}

static void groups_are_read_up_to_NEED_DEPTH_MAX(void **state)
{
    (void)state;
    struct weir_arena *arena = weir_arena_new(1 << 16);
    assert_int_equal(groups(arena, WEIR_NEED_DEPTH_MAX), 1);
    assert_int_equal(groups(arena, WEIR_NEED_DEPTH_MAX + 1), 0);
    weir_arena_free(&arena);
}

static void a_literal_is_exact_up_to_NEED_RUN_MAX(void **state)
{
    (void)state;
    struct weir_arena *arena = weir_arena_new(1 << 16);
    struct weir_need need;
    char pattern[WEIR_NEED_RUN_MAX + 1];
    memset(pattern, 'x', sizeof pattern);
    const struct weir_need_flags none = {0};
    assert_int_equal(find(arena, pattern, WEIR_NEED_RUN_MAX, &none, &need), 1);
    assert_true(need.exact);
    assert_int_equal(need.run[0].len, WEIR_NEED_RUN_MAX);
    assert_int_equal(find(arena, pattern, sizeof pattern, &none, &need), 1);
    assert_false(need.exact);
    weir_arena_free(&arena);
}

static int alternatives(struct weir_arena *arena, unsigned n)
{
    static char pattern[8 * (WEIR_NEED_RUNS_MAX + 1)];
    struct weir_need need;
    char *at = pattern;
    for (unsigned i = 0; i < n; i++)
        at += sprintf(at, "%sw%04u", i ? "|" : "", i);
    return find(arena, pattern, (size_t)(at - pattern), &(struct weir_need_flags){0}, &need);
}

static void alternatives_are_told_up_to_NEED_RUNS_MAX(void **state)
{
    (void)state;
    struct weir_arena *arena = weir_arena_new(1 << 16);
    assert_int_equal(alternatives(arena, WEIR_NEED_RUNS_MAX), 1);
    assert_int_equal(alternatives(arena, WEIR_NEED_RUNS_MAX + 1), 0);
    weir_arena_free(&arena);
}

/* Beyond NEED_WORK_MAX runs there is less information, but time and memory stay bounded. */
/* In URIs "http" is no news. */
static void what_most_lines_begin_with_is_necessary_only_where_nothing_else_is(void **state)
{
    static const struct {
        const char *pattern, *run;
    } row[] = {
        {"^https?://\\S+the\\S+x", "*the*"},
        {"^http[^x]+[a-z]", "http*"},
    };
    struct weir_arena *arena = weir_arena_new(1 << 16);
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct weir_slice pattern = {row[i].pattern, strlen(row[i].pattern)};
        const struct weir_need_node *tree;
        struct weir_need need;
        char text[WEIR_NEED_RUN_MAX + 1];
        assert_int_equal(
            weir_need_read(arena, pattern, &(struct weir_need_flags){0}, &tree), 1);
        assert_int_equal(
            weir_need_find(arena, tree, (struct weir_slice){"http://www.", 11}, &need), 0);
        assert_int_equal(need.runs, 1);
        spell(&need.run[0], text);
        assert_string_equal(text, row[i].run);
    }
    weir_arena_free(&arena);
}

static void an_expression_of_32768_octets_costs_little(void **state)
{
    (void)state;
    static const char *const piece[] = {"[ab]?", "(?:a|b|c)", "(?:x+|y)", "(a|", "a{0,4}",
                                        "((b+)+"};
    struct weir_arena *arena = weir_arena_new(1 << 16);
    static char pattern[WEIR_RULE_PATTERN_MAX];
    for (size_t i = 0; i < sizeof piece / sizeof *piece; i++) {
        struct weir_need need;
        size_t len = 0;
        for (; len + strlen(piece[i]) <= sizeof pattern; len += strlen(piece[i]))
            memcpy(pattern + len, piece[i], strlen(piece[i]));
        find(arena, pattern, len, &(struct weir_need_flags){0}, &need);
        assert_true(weir_arena_used(arena) < WEIR_ARENA_MAX);
        weir_arena_reset(arena, 1 << 20);
    }
    weir_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_necessary_is_found_for_every_construct),
        cmocka_unit_test(extended_syntax_ignores_blanks_and_comments),
        cmocka_unit_test(random_expressions_never_match_without_what_is_necessary),
        cmocka_unit_test(groups_are_read_up_to_NEED_DEPTH_MAX),
        cmocka_unit_test(a_literal_is_exact_up_to_NEED_RUN_MAX),
        cmocka_unit_test(alternatives_are_told_up_to_NEED_RUNS_MAX),
        cmocka_unit_test(what_most_lines_begin_with_is_necessary_only_where_nothing_else_is),
        cmocka_unit_test(an_expression_of_32768_octets_costs_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
