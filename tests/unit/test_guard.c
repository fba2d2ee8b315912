/*
 * guard - changes that would make good mail spam are refused, those and no others.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "monitor/analyzer/guard.h"
#include "tests/unit/seeded.h"

static void B16_a_change_that_would_make_good_mail_spam_is_refused(void **state)
{
    struct weir_guard_rule rules[] = {{.id = 9, .now = 1, .next = 1.5}, {.id = 2, .now = 0,
                                      .next = 0.5}, {.id = 5, .now = 2, .next = 1.5}};
    const struct weir_guard_hit hit[] = {{2, 0}, {9, 1}, {77, 3.6}};
    const struct weir_guard_message message = {.uid = 42, .score = 4.6, .hit = hit, .hits = 3};

    (void)state;
    weir_guard_sort(rules, 3);
    assert_int_equal(rules[0].id, 2);
    assert_int_equal(weir_guard_take(rules, 3, 5, &message), 2); /* 4.6 + 0.5 is too much */
    assert_true(rules[0].refused && rules[0].next == 0 && rules[0].message == 42);
    assert_true(!rules[1].refused && rules[1].next == 1.5);
    assert_true(rules[2].refused && rules[2].next == 1);
    assert_int_equal(weir_guard_take(rules, 3, 5, &message), 0);
}

static void the_one_that_raises_most_goes_first_and_the_rest_may_stay(void **state)
{
    struct weir_guard_rule rules[] = {{.id = 1, .now = 0, .next = 0.3}, {.id = 2, .now = 1,
                                      .next = 1.5}};
    const struct weir_guard_hit hit[] = {{1, 0}, {2, 1}};
    const struct weir_guard_message message = {.uid = 1, .score = 4.5, .hit = hit, .hits = 2};

    (void)state;
    assert_int_equal(weir_guard_take(rules, 2, 5, &message), 1);
    assert_true(rules[1].refused && !rules[0].refused && rules[0].next == 0.3);
}

static void what_is_spam_already_or_stays_below_blames_nobody(void **state)
{
    static const struct {
        double score, then, now, next;
        unsigned refused;
    } cases[] = {
        {4.49, 1, 1, 1.5, 0}, {4.5, 1, 1, 1.5, 1}, {5, 1, 1, 1.5, 0},
        {5, 2, 1, 1.5, 0}, {5, 2, 1, 2, 1},  /* it was lowered since, and rises again */
        {4.9, 1, 1, 0.5, 0}, {3, -2, -2, 0, 1}, {2.99, -2, -2, 0, 0}, /* good marks that go */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_guard_rule rule = {.id = 7, .now = cases[i].now, .next = cases[i].next};
        const struct weir_guard_hit hit = {7, cases[i].then};
        const struct weir_guard_message message = {.uid = 1, .score = cases[i].score, .hit = &hit,
                                                   .hits = 1};

        assert_int_equal(weir_guard_take(&rule, 1, 5, &message), cases[i].refused);
        assert_int_equal(rule.refused, cases[i].refused);
    }
    assert_int_equal(weir_guard_take(NULL, 0, 5, &(struct weir_guard_message){.score = 9}), 0);
}

static void B16_what_nobody_knows_is_good_unless_ten_times_as_much_spam_speaks(void **state)
{
    static const struct {
        double spam;
        unsigned unsure;       /* messages that go through */
    } cases[] = {{0, 0}, {9.9, 0}, {10, 1}, {29, 2}, {105, 10}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct weir_guard_hit hit = {7, 1};
        struct weir_guard_message message = {.score = 4.8, .hit = &hit, .hits = 1, .unsure = true};
        struct weir_guard_rule rule = {.id = 7, .now = 1, .next = 1.5, .spam = cases[i].spam};
        struct weir_guard_rule good = rule;

        for (unsigned n = 0; n < cases[i].unsure; n++)
            assert_int_equal(weir_guard_take(&rule, 1, 5, &message), 0);
        message.uid = 99;
        assert_int_equal(weir_guard_take(&rule, 1, 5, &message), 1);
        assert_true(rule.refused && rule.message == 99 && rule.next == 1);
        message.unsure = false;
        assert_int_equal(weir_guard_take(&good, 1, 5, &message), 1);
    }
    assert_int_equal(WEIR_GUARD_SPAM, 10);
}

/* Against arithmetic: after one pass no message of all is harmed by what was let through. */
static void after_one_pass_no_good_message_is_harmed(void **state)
{
    struct seeded s = seeded_new(__func__);
    enum { RULES = 20, MESSAGES = 200, HITS = 5 };

    (void)state;
    for (int round = 0; round < 50; round++) {
        struct weir_guard_rule rules[RULES];
        struct weir_guard_hit hit[MESSAGES][HITS];
        struct weir_guard_message message[MESSAGES];

        for (unsigned i = 0; i < RULES; i++)
            rules[i] = (struct weir_guard_rule){.id = i, .now = seeded_below(&s, 300) / 100.0,
                                                .next = seeded_below(&s, 300) / 100.0};
        for (unsigned i = 0; i < MESSAGES; i++) {
            message[i] = (struct weir_guard_message){.uid = i, .hit = hit[i], .hits = HITS};
            for (unsigned h = 0; h < HITS; h++) {
                hit[i][h] = (struct weir_guard_hit){h * 4 + seeded_below(&s, 4), 1};
                message[i].score += 1;
            }
        }
        for (unsigned i = 0; i < MESSAGES; i++)
            (void)weir_guard_take(rules, RULES, 5, &message[i]);
        for (unsigned i = 0; i < MESSAGES; i++) {
            double now = 0, next = 0;

            for (unsigned h = 0; h < HITS; h++) {
                now += rules[hit[i][h].rule].now;
                next += rules[hit[i][h].rule].next;
            }
            assert_true(now > 4.9949 || next < 4.9951);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(B16_a_change_that_would_make_good_mail_spam_is_refused),
        cmocka_unit_test(B16_what_nobody_knows_is_good_unless_ten_times_as_much_spam_speaks),
        cmocka_unit_test(the_one_that_raises_most_goes_first_and_the_rest_may_stay),
        cmocka_unit_test(what_is_spam_already_or_stays_below_blames_nobody),
        cmocka_unit_test(after_one_pass_no_good_message_is_harmed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
