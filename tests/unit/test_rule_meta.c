/* rule_meta: formulas against their values worked out by hand and by a second way. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/evidence/rule_meta.h"
#include "tests/unit/seeded.h"

/* a .. z are values 0 .. 25; OFF is always 0. */
static int resolve(void *context, struct weir_slice name)
{
    (void)context;
    if (name.len == 1 && name.at[0] >= 'a' && name.at[0] <= 'z')
        return name.at[0] - 'a';
    return name.len == 3 && memcmp(name.at, "OFF", 3) == 0 ? WEIR_META_ZERO : WEIR_META_UNKNOWN;
}

/* a = 1, b = 2, c = 3, the rest 0 */
static const float values[26] = {1, 2, 3};

/* context: bits of the values that were asked for, or NULL. */
static double value_of(void *context, uint32_t index)
{
    uint32_t *asked = context;
    if (asked && index < 26)
        *asked |= 1u << index;
    return index < 26 ? (double)values[index] : 0;
}

static const struct weir_meta_values all_known = {.value = value_of};

static void what_does_not_decide_is_not_asked_for(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t asked;
    } table[] = {
        {"z && a", 1u << 25}, {"a && z", 1 | 1u << 25}, {"a || b", 1}, {"z || b", 2 | 1u << 25},
        {"z && a || b", 2 | 1u << 25}, {"a || b && c", 1}, {"(z && a) + c", 4 | 1u << 25},
        {"z && (a || b) && c", 1u << 25}, {"!(a || b) && c", 1}, {"a + b > 9 && c", 3},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct weir_meta meta;
        char why[WEIR_META_WHY] = "";
        uint32_t asked = 0;
        struct weir_slice text = {table[i].text, strlen(table[i].text)};
        assert_int_equal(weir_meta_compile(text, resolve, NULL, &meta, why), 0);
        (void)weir_meta_run(meta.code, meta.len,
                            &(struct weir_meta_values){value_of, NULL, &asked});
        if (asked != table[i].asked)
            fail_msg("%s asks for %#x, not %#x", table[i].text, asked, table[i].asked);
    }
}

static void formulas_give_what_Perl_gives(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double want;
    } table[] = {
        {"a", 1}, {"z", 0}, {"OFF", 0}, {"4.5", 4.5}, {".5", 0.5}, {"!a", 0}, {"!z", 1}, {"!!b", 1},
        {"a && b", 2}, {"z && b", 0}, {"z || c", 3}, {"b || c", 2}, {"a && z || c", 3},
        {"a+b*c", 7}, {"(a+b)*c", 9}, {"c-b-a", 0}, {"c-(b-a)", 2}, {"c/b", 1.5}, {"c/z", 0},
        {"c%b", 1}, {"c%z", 0}, {"-b", -2}, {"+b", 2}, {"c - -b", 5}, {"!z + 1", 2}, {"-a*b", -2},
        {"a+b > b", 1}, {"a+b>=c", 1}, {"c<b", 0}, {"b<=b", 1}, {"c==3", 1}, {"c!=3", 0},
        {"a<b == b<c", 1}, {"(a && b + c > 4) && !z", 1}, {"( ( a ) )", 1}, {"a&&b&&c", 3},
        {"!(a && z)", 1}, {"1 + (a || b) + 1", 3}, {"z && 1 / z", 0},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct weir_meta meta;
        char why[WEIR_META_WHY] = "";
        struct weir_slice text = {table[i].text, strlen(table[i].text)};
        if (weir_meta_compile(text, resolve, NULL, &meta, why) != 0)
            fail_msg("%s: %s", table[i].text, why);
        double got = weir_meta_run(meta.code, meta.len, &all_known);
        if (got != table[i].want)
            fail_msg("%s is %g, not %g", table[i].text, got, table[i].want);
    }
}

static void what_is_no_formula_is_refused_with_a_reason(void **state)
{
    (void)state;
    static const char *const table[] = {
        "", " ", "a b", "a &&", "&& a", "(a", "a)", "()", "a & b", "a | b", "a = b", "!", "a !b",
        "1x", "1.2.3", "a ? b", "unknown", "a + unknown", "((a)", "a, b", "\"a\"", "a\n&&b",
        "-", "1 2", "999999999999999999999",
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct weir_meta meta;
        char why[WEIR_META_WHY] = "";
        struct weir_slice text = {table[i], strlen(table[i])};
        if (weir_meta_compile(text, resolve, NULL, &meta, why) != WEIR_EINVAL || why[0] == '\0')
            fail_msg("\"%s\" is taken", table[i]);
    }
}

/* text n times, and then end. */
static int compile_many(const char *text, size_t n, const char *end, double *value_r)
{
    static struct weir_meta meta;
    size_t len = strlen(text);
    char why[WEIR_META_WHY], *all = malloc(n * len + strlen(end) + 1);
    assert_non_null(all);
    for (size_t i = 0; i < n; i++)
        memcpy(all + i * len, text, len);
    strcpy(all + n * len, end);
    int rc = weir_meta_compile((struct weir_slice){all, strlen(all)}, resolve, NULL, &meta, why);
    *value_r = rc == 0 ? weir_meta_run(meta.code, meta.len, &all_known) : NAN;
    free(all);
    return rc;
}

static void WEIR_RULE_META_MAX_terms_are_taken_and_not_one_more(void **state)
{
    (void)state;
    double value;
    assert_int_equal(compile_many("a+", WEIR_RULE_META_MAX - 1, "a", &value), 0);
    assert_true(value == WEIR_RULE_META_MAX);
    assert_int_equal(compile_many("a+", WEIR_RULE_META_MAX, "a", &value), WEIR_ELIMIT);
    assert_int_equal(compile_many("!", WEIR_RULE_META_MAX, "z", &value), 0);
    assert_true(value == 0);
    assert_int_equal(compile_many("!", WEIR_RULE_META_MAX + 1, "z", &value), WEIR_ELIMIT);
    assert_int_equal(compile_many("(", 1000000, "a", &value), WEIR_ELIMIT);
    /* the deepest stack: a+(a+(a+( ... */
    assert_int_equal(compile_many("a+(", 200, "a", &value), WEIR_EINVAL);
}

static void operands_of_a_program_are_listed_in_their_order(void **state)
{
    (void)state;
    struct weir_meta meta;
    char why[WEIR_META_WHY], found[8] = "";
    size_t at = 0, n = 0;
    uint32_t value;
    struct weir_slice text = {"c && (7 + a > 2) || !c", 22};
    assert_int_equal(weir_meta_compile(text, resolve, NULL, &meta, why), 0);
    while (n < sizeof(found) - 1 && weir_meta_operand(meta.code, meta.len, &at, &value))
        found[n++] = (char)('a' + value);
    assert_string_equal(found, "cac");
}

/* A formula of random shape written down while its value is worked out. */
static double random_formula(struct seeded *s, unsigned depth, char **at)
{
    static const char *const sign[] = {"+", "-", "*", "<", ">=", "==", "&&", "||"};
    if (depth == 0 || seeded_below(s, 4) == 0) {
        unsigned value = seeded_below(s, 4);
        *at += sprintf(*at, "%c", (char)('a' + value));
        return (double)values[value];
    }
    if (seeded_below(s, 5) == 0) {
        *at += sprintf(*at, "!(");
        double inner = random_formula(s, depth - 1, at);
        *at += sprintf(*at, ")");
        return inner == 0;
    }
    unsigned which = seeded_below(s, 8);
    *at += sprintf(*at, "(");
    double a = random_formula(s, depth - 1, at);
    *at += sprintf(*at, ") %s (", sign[which]);
    double b = random_formula(s, depth - 1, at);
    *at += sprintf(*at, ")");
    const double results[] = {a + b, a - b, a * b, a < b, a >= b, a == b,
                              a != 0 ? b : a, a != 0 ? a : b};
    return results[which];
}

static void random_formulas_give_what_they_are_made_to_give(void **state)
{
    (void)state;
    struct seeded s = seeded_new("rule_meta");
    for (unsigned i = 0; i < 3000; i++) {
        static char text[65536];
        char *at = text, why[WEIR_META_WHY];
        struct weir_meta meta;
        double want = random_formula(&s, 6, &at);
        struct weir_slice formula = {text, (size_t)(at - text)};
        assert_int_equal(weir_meta_compile(formula, resolve, NULL, &meta, why), 0);
        if (weir_meta_run(meta.code, meta.len, &all_known) != want)
            fail_msg("%s is not %g", text, want);
    }
}

/* Values that are work until they are asked for: at most `most` of each. */
struct work {
    unsigned waits, asked; /* bits */
    double most;
};

static double find_out(void *context, uint32_t index)
{
    struct work *work = context;
    unsigned bit = index < 26 ? 1u << index : 0;
    work->asked |= work->waits & bit;
    work->waits &= ~bit;
    return value_of(NULL, index);
}

static bool look_only(void *context, uint32_t index, struct weir_meta_range *range_r)
{
    const struct work *work = context;
    bool waits = index < 26 && work->waits >> index & 1;
    double value = value_of(NULL, index);
    *range_r = waits ? (struct weir_meta_range){0, work->most, false}
                     : (struct weir_meta_range){value, value, value != 0};
    return !waits;
}

static void what_the_result_does_not_hang_on_is_not_found_out(void **state)
{
    (void)state;
    static const struct {
        const char *text, *waits, *asked;
    } table[] = {
        {"a && z", "a", ""}, {"z && a", "a", ""}, {"a || z", "a", "a"},
        {"a && b", "a", "a"}, {"z + z + a > 1", "a", ""}, {"a + z + a > 1", "a", "a"},
{"!z || a", "a", ""}, {"!(a || b)", "a", ""},
        {"(a || b) && c", "a", ""}, {"a * z", "a", ""}, {"a < b", "a", ""}, {"b >= a", "a", ""},
        {"a == 7", "a", ""}, {"a != 7 && z", "a", ""}, {"a > 1", "a", ""}, {"-a > 0", "a", ""},
        {"a / z", "a", "a"}, {"c % a", "a", "a"}, {"a - b < 0", "a", ""}, {"a + a", "a", "a"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct weir_meta meta;
        char why[WEIR_META_WHY] = "";
        struct weir_slice text = {table[i].text, strlen(table[i].text)};
        struct work work = {.most = 1};
        unsigned asked = 0;
        for (const char *at = table[i].waits; *at; at++)
            work.waits |= 1u << (*at - 'a');
        for (const char *at = table[i].asked; *at; at++)
            asked |= 1u << (*at - 'a');
        assert_int_equal(weir_meta_compile(text, resolve, NULL, &meta, why), 0);
        double want = weir_meta_run(meta.code, meta.len, &all_known);
        struct weir_meta_values lazy = {find_out, look_only, &work};
        if (weir_meta_run(meta.code, meta.len, &lazy) != want || work.asked != asked)
            fail_msg("%s: found out %#x, not %#x", table[i].text, work.asked, asked);
    }
}

static void formulas_give_the_same_whatever_is_known_before(void **state)
{
    (void)state;
    struct seeded s = seeded_new("rule_meta work");
    unsigned spared = 0;
    for (unsigned i = 0; i < 5000; i++) {
        static char text[65536];
        char *at = text, why[WEIR_META_WHY];
        struct weir_meta meta;
        struct work work = {.waits = seeded_below(&s, 16),
                            .most = seeded_below(&s, 2) ? 3 : HUGE_VAL};
        unsigned before = work.waits;
        double want = random_formula(&s, 4, &at);
        struct weir_slice formula = {text, (size_t)(at - text)};
        assert_int_equal(weir_meta_compile(formula, resolve, NULL, &meta, why), 0);
        struct weir_meta_values lazy = {find_out, look_only, &work};
        if (weir_meta_run(meta.code, meta.len, &lazy) != want)
            fail_msg("%s is not %g with %#x to be found out", text, want, before);
        spared += work.waits != 0;
    }
    assert_true(spared > 500);
}

static void damaged_programs_give_some_number_and_stay_inside(void **state)
{
    (void)state;
    struct seeded s = seeded_new("rule_meta damage");
    for (unsigned i = 0; i < 20000; i++) {
        uint32_t code[40];
        size_t len = seeded_below(&s, 41), at = 0;
        uint32_t value;
        for (size_t j = 0; j < len; j++) {
            code[j] = (uint32_t)seeded_next(&s);
            if (seeded_below(&s, 2))
                code[j] &= 0x1f00001f;
        }
        struct work work = {.waits = seeded_below(&s, 16), .most = 1};
        (void)weir_meta_run(code, len, &all_known);
        (void)weir_meta_run(code, len,
                            &(struct weir_meta_values){find_out, look_only, &work});
        while (weir_meta_operand(code, len, &at, &value))
            assert_true(at <= len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_decide_is_not_asked_for),
        cmocka_unit_test(formulas_give_what_Perl_gives),
        cmocka_unit_test(what_is_no_formula_is_refused_with_a_reason),
        cmocka_unit_test(WEIR_RULE_META_MAX_terms_are_taken_and_not_one_more),
        cmocka_unit_test(operands_of_a_program_are_listed_in_their_order),
        cmocka_unit_test(random_formulas_give_what_they_are_made_to_give),
        cmocka_unit_test(what_the_result_does_not_hang_on_is_not_found_out),
        cmocka_unit_test(formulas_give_the_same_whatever_is_known_before),
        cmocka_unit_test(damaged_programs_give_some_number_and_stay_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
