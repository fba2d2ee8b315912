/*
 * score - what a rule deserves by its hits, and how it gets there.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "monitor/analyzer/score.h"
#include "tests/unit/seeded.h"

static const struct weir_score_bounds bounds = {-3.5, 3.5};

static double deserved_from(double base, double spam, double ham, double of_spam, double of_ham)
{
    struct weir_score_evidence evidence =
        weir_score_evidence(&(struct weir_score_counts){spam, ham},
                            &(struct weir_score_counts){of_spam, of_ham});
    return weir_score_deserved(&evidence, base, &bounds);
}

/* Without anybody's word for it. */
static double deserved(double spam, double ham, double of_spam, double of_ham)
{
    return deserved_from(0, spam, ham, of_spam, of_ham);
}

static void B4_a_rule_gets_what_its_hits_can_be_relied_on_for(void **state)
{
    static const struct {
        double spam, ham, points;
    } cases[] = {
        {0, 0, 0}, {5, 0, 0}, {100, 0, 2.08}, {1000, 50, 1.93}, {50, 50, 0},
        {0, 100, -2.08}, {50, 1000, -1.93}, {10000, 0, 3.5}, {0, 10000, -3.5},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        double points = deserved(cases[i].spam, cases[i].ham, 10000, 10000);
        if (fabs(points - cases[i].points) > 0.0051)
            fail_msg("%g : %g gives %g", cases[i].spam, cases[i].ham, points);
    }
}

static void B4_few_hits_leave_a_base_where_it_is_and_many_move_it(void **state)
{
    static const struct {
        double spam, ham, base, points;
    } cases[] = {
        {0, 0, 2, 2}, {5, 0, 0, 0}, {5, 0, 1, 1}, {5, 0, 3, 3}, {20, 0, 1, 1}, {20, 0, 3, 3},
        {100, 0, 1, 2.08}, {100, 0, 3, 3}, {1000, 50, 1, 1.93}, {1000, 50, 2, 2},
        {1000, 50, 3, 2.26}, {0, 4, 2, 0.18}, {0, 5, 2, 0.02}, {2, 2, 3, 1.03}, {50, 50, 2, 0.23},
        {0, 20, -1, -1}, {0, 1000, 1, -3.5}, {4, 0, 99, 3.25}, {5, 0, -2, -0.02}, {5, 0, NAN, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        double points =
            deserved_from(cases[i].base, cases[i].spam, cases[i].ham, 10000, 10000);
        if (fabs(points - cases[i].points) > 0.0051)
            fail_msg("%g : %g from %g gives %g", cases[i].spam, cases[i].ham, cases[i].base,
                     points);
    }
}

static void what_is_deserved_lies_between_the_base_and_what_hits_alone_are_worth(void **state)
{
    struct seeded s = seeded_new(__func__);
    (void)state;
    for (int i = 0; i < 10000; i++) {
        double A = 1 + seeded_below(&s, 100000), B = 1 + seeded_below(&s, 100000);
        double a = seeded_below(&s, (unsigned)A), b = seeded_below(&s, (unsigned)B);
        double base = (seeded_below(&s, 701) - 350.0) / 100, llr, points;

        llr = weir_score_evidence(&(struct weir_score_counts){a, b},
                                  &(struct weir_score_counts){A, B}).llr;
        llr = fmax(bounds.low, fmin(bounds.high, 0.7 * llr));
        points = deserved_from(base, a, b, A, B);
        assert_true(points > fmin(base, llr) - 0.0051 && points < fmax(base, llr) + 0.0051);
    }
}

static void spam_and_ham_are_mirrored(void **state)
{
    struct seeded s = seeded_new(__func__);
    (void)state;
    for (int i = 0; i < 10000; i++) {
        double A = seeded_below(&s, 100000), B = seeded_below(&s, 100000);
        double a = seeded_below(&s, (unsigned)A + 1), b = seeded_below(&s, (unsigned)B + 1);
        assert_true(deserved(a, b, A, B) == -deserved(b, a, B, A));
    }
}

static void more_spam_never_lowers_a_score_and_more_ham_never_raises_it(void **state)
{
    (void)state;
    for (double ham = 0; ham <= 2000; ham += 50)
        for (double spam = 0; spam < 2000; spam += 50) {
            double points = deserved(spam, ham, 2000, 2000);
            assert_true(deserved(spam + 50, ham, 2000, 2000) >= points);
            assert_true(deserved(ham, spam + 50, 2000, 2000) <= deserved(ham, spam, 2000, 2000));
        }
}

static void numbers_that_are_none_say_nothing_new(void **state)
{
    (void)state;
    assert_true(deserved(NAN, NAN, NAN, NAN) == 0);
    assert_true(deserved(-5, -5, 100, 100) == 0);
    assert_true(deserved(200, 0, 100, 100) == deserved(100, 0, 100, 100));
    assert_true(isfinite(deserved(INFINITY, 0, INFINITY, 1e300)));
}

static void no_rule_condemns_alone(void **state)
{
    (void)state;
    assert_true(fabs(weir_score_bounds(5).high - 3.5) < 1e-9);
    assert_true(weir_score_bounds(5).low == -weir_score_bounds(5).high);
    assert_true(weir_score_bounds(0).high == 0);
    assert_true(weir_score_bounds(NAN).high == 0);
}

static void a_score_moves_by_half_a_point_a_run_and_stops_at_nothing(void **state)
{
    static const struct {
        double now, to, next;
    } cases[] = {
        {0, 2.08, 0.5}, {0.5, 2.08, 1}, {2, 2.08, 2.08}, {2.08, 2.08, 2.08}, {3, 0, 2.5},
        {0.3, -2, 0}, {-0.3, 2, 0}, {0, -2, -0.5}, {9, 3.5, 8.5}, {-9, 0, -8.5},
        {1, NAN, 1}, {NAN, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        double next = weir_score_next(cases[i].now, cases[i].to, &bounds);
        if (fabs(next - cases[i].next) > 1e-9)
            fail_msg("from %g to %g: %g", cases[i].now, cases[i].to, next);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(B4_a_rule_gets_what_its_hits_can_be_relied_on_for),
        cmocka_unit_test(B4_few_hits_leave_a_base_where_it_is_and_many_move_it),
        cmocka_unit_test(what_is_deserved_lies_between_the_base_and_what_hits_alone_are_worth),
        cmocka_unit_test(spam_and_ham_are_mirrored),
        cmocka_unit_test(more_spam_never_lowers_a_score_and_more_ham_never_raises_it),
        cmocka_unit_test(numbers_that_are_none_say_nothing_new),
        cmocka_unit_test(no_rule_condemns_alone),
        cmocka_unit_test(a_score_moves_by_half_a_point_a_run_and_stops_at_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
