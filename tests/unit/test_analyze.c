/*
 * analyze - what becomes of rules by scripted histories, day by day under a clock of our own.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "monitor/analyzer/analyze.h"

#define NOW (20000 * WEIR_DAY)

static const struct weir_score_counts tenthousand = {10000, 10000};

static struct weir_analyze_settings settings(void)
{
    return (struct weir_analyze_settings){.life = weir_life_defaults(), .spam_score = 5};
}

/* A rule at work for long, hit just now by so much spam and ham. */
static struct weir_analyze_rule a_rule(double score, double spam, double ham)
{
    return (struct weir_analyze_rule){
        .name = "A", .state = WEIR_RULE_ACTIVE, .score = score, .base = 1, .since = NOW - WEIR_DAY,
        .approved = true,
        .hits = {.id = 1, .last_hit = NOW, .hits = (uint64_t)(spam + ham),
                 .decayed = {spam, ham}}};
}

/* Runs until nothing changes any more; how many runs changed something. */
static unsigned run_out(struct weir_analyze_rule *rule)
{
    const struct weir_analyze_settings with = settings();
    struct weir_analyze_change change;
    unsigned runs = 0;

    while (weir_analyze(rule, &tenthousand, &with, NOW, &change) == 1) {
        assert_true(fabs(change.score - rule->score) < 0.501);
        rule->score = change.score;
        rule->state = change.state;
        rule->approved = change.approved;
        runs++;
        assert_true(runs < 100);
    }
    return runs;
}

static void B4_a_score_goes_where_its_hits_say_by_half_a_point_a_run(void **state)
{
    static const struct {
        double score, spam, ham, to;
        unsigned runs;
    } cases[] = {
        {0.5, 100, 0, 2.08, 4},   /* 1, 1.5, 2, 2.08 */
        {0.5, 1000, 50, 1.93, 3}, /* 1, 1.5, 1.93 */
        {3, 1000, 50, 1.93, 3},   /* 2.5, 2, 1.93 */
        {2.05, 100, 0, 2.05, 0},  /* not worth a change */
        {1.2, 10000, 0, 3.5, 5},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_analyze_rule rule = a_rule(cases[i].score, cases[i].spam, cases[i].ham);

        assert_int_equal(run_out(&rule), cases[i].runs);
        if (fabs(rule.score - cases[i].to) > 1e-9)
            fail_msg("case %zu comes to %g", i, rule.score);
        assert_int_equal(rule.state, WEIR_RULE_ACTIVE);
    }
}

static void B4_five_of_ten_thousand_leave_a_rule_what_its_author_gave_it(void **state)
{
    struct weir_analyze_rule rule = a_rule(1.2, 5, 0);

    (void)state;
    rule.base = 1.2;
    assert_int_equal(run_out(&rule), 0);
    rule.score = 0.3; /* it had hit good mail, which is long ago */
    assert_int_equal(run_out(&rule), 2);
    assert_true(rule.score == 1.2 && rule.state == WEIR_RULE_ACTIVE);
}

static void B4_five_of_ten_thousand_are_worth_nothing_alone(void **state)
{
    struct weir_analyze_rule rule = a_rule(1.2, 5, 0);

    (void)state;
    rule.base = 0;
    assert_int_equal(run_out(&rule), 3);
    assert_true(rule.score == 0);
    assert_int_equal(rule.state, WEIR_RULE_TEST); /* where it is counted on */
    assert_true(rule.approved);
}

/* Drafted of missed spam, which is judged good as long as nothing but the rule tells it. */
static void B32_what_was_drafted_goes_to_work_and_stays_until_good_mail_is_reported(void **state)
{
    const struct weir_analyze_settings with = settings();
    struct weir_analyze_rule rule = a_rule(2, 0, 500);
    struct weir_analyze_change change;

    (void)state;
    rule.base = 2;
    rule.state = WEIR_RULE_TEST;
    rule.since = NOW - with.life.trial;
    assert_int_equal(weir_analyze(&rule, &tenthousand, &with, NOW, &change), 1);
    assert_int_equal(change.state, WEIR_RULE_TEST); /* anybody else's: it goes down */
    assert_true(change.score < 2);
    rule.drafted = true;
    assert_int_equal(weir_analyze(&rule, &tenthousand, &with, NOW, &change), 1);
    assert_true(change.state == WEIR_RULE_ACTIVE && change.score == WEIR_LIFE_SCORE_FIRST);
    rule.since = NOW - with.life.trial + 1;
    assert_int_equal(weir_analyze(&rule, &tenthousand, &with, NOW, &change), 0);
    rule.since = NOW - with.life.trial;
    rule.approved = false;
    assert_int_equal(weir_analyze(&rule, &tenthousand, &with, NOW, &change), 0);
    rule.approved = true;
    rule.state = WEIR_RULE_ACTIVE;
    assert_int_equal(weir_analyze(&rule, &tenthousand, &with, NOW, &change), 0);
    rule.false_positives = 1;
    assert_int_equal(weir_analyze(&rule, &tenthousand, &with, NOW, &change), 1);
    assert_int_equal(change.state, WEIR_RULE_TEST);
    rule.false_positives = 0;
    rule.hits.decayed = (struct weir_score_counts){1000, 0};
    assert_int_equal(weir_analyze(&rule, &tenthousand, &with, NOW, &change), 1);
    assert_true(change.score == 2.5); /* it may earn more */
}

static void too_little_to_go_by_changes_nothing(void **state)
{
    static const struct {
        struct weir_score_counts hits, all;
    } cases[] = {
        {{0, 0}, {10000, 10000}}, {{3.9, 0}, {10000, 10000}}, {{0, 3.9}, {10000, 10000}},
        {{50, 0}, {99, 10000}}, {{50, 0}, {10000, 99}}, {{50, 0}, {0, 0}},
    };
    const struct weir_analyze_settings with = settings();
    struct weir_analyze_change change;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_analyze_rule rule = a_rule(3, cases[i].hits.spam, cases[i].hits.ham);

        assert_int_equal(weir_analyze(&rule, &cases[i].all, &with, NOW, &change), 0);
        assert_true(change.score == 3 && change.state == WEIR_RULE_ACTIVE);
        assert_string_equal(change.why, "");
    }
}

static void a_score_keeps_within_its_bounds_and_on_its_authors_side(void **state)
{
    static const struct {
        double score, base, low, high, spam, ham, to;
    } cases[] = {
        {1, 1, -1, 1.5, 10000, 0, 1.5}, {1, 1, 0, 0, 0, 1000, 0}, {-1, -1, 0, 0, 1000, 0, 0},
        {-1, -1, 0, 0, 0, 10000, -3.5}, {5, 1, 0, 6, 10000, 0, 5.3}, {-0.2, 0, 0, 0, 5, 0, 0},
    };
    const struct weir_analyze_settings with = settings();
    struct weir_analyze_change change;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_analyze_rule rule = a_rule(cases[i].score, cases[i].spam, cases[i].ham);

        rule.base = cases[i].base;
        rule.low = cases[i].low;
        rule.high = cases[i].high;
        rule.state = WEIR_RULE_TEST;
        rule.approved = false;
        for (int run = 0; run < 20; run++)
            if (weir_analyze(&rule, &tenthousand, &with, NOW, &change) == 1)
                rule.score = change.score;
        if (fabs(rule.score - cases[i].to) > 1e-9)
            fail_msg("case %zu comes to %g", i, rule.score);
    }
}

static void B7_B8_idle_for_29_days_stays_and_for_31_is_retired(void **state)
{
    static const struct {
        weir_time idle, setting;
        bool retired;
    } cases[] = {
        {29 * WEIR_DAY, 30 * WEIR_DAY, false}, {31 * WEIR_DAY, 30 * WEIR_DAY, true},
        {31 * WEIR_DAY, 60 * WEIR_DAY, false}, {8 * WEIR_DAY, 7 * WEIR_DAY, true},
        {999 * WEIR_DAY, 0, false},
    };
    struct weir_analyze_settings with = settings();
    struct weir_analyze_change change;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_analyze_rule rule = a_rule(1, 2, 0);

        rule.since = NOW - 400 * WEIR_DAY;
        rule.hits.last_hit = NOW - cases[i].idle;
        with.life.idle = cases[i].setting;
        assert_int_equal(weir_analyze(&rule, &tenthousand, &with, NOW, &change),
                         cases[i].retired);
        assert_int_equal(change.state, cases[i].retired ? WEIR_RULE_RETIRED : WEIR_RULE_ACTIVE);
        assert_true(change.score == 1);
        if (i == 1)
            assert_string_equal(change.why, "no mail has hit it for too long: 31 days since the "
                                "last hit");
    }
}

static void B33_three_reports_of_good_mail_put_a_rule_to_the_test(void **state)
{
    const struct weir_analyze_settings with = settings();
    struct weir_analyze_rule rule = a_rule(2, 100, 3);
    struct weir_analyze_change change;

    (void)state;
    rule.score = 1.2; /* near what it deserves */
    rule.false_positives = 2;
    (void)weir_analyze(&rule, &tenthousand, &with, NOW, &change);
    assert_int_equal(change.state, WEIR_RULE_ACTIVE);
    rule.false_positives = 3;
    rule.people = 2;
    assert_int_equal(weir_analyze(&rule, &tenthousand, &with, NOW, &change), 1);
    assert_int_equal(change.state, WEIR_RULE_TEST);
    assert_false(change.approved);
    assert_string_equal(change.why, "people reported good mail that it hit: 3 within 7 days; it "
                        "hit 100 of 10000 spam and 3 of 10000 good messages lately");
}

static void from_the_test_it_comes_with_two_points_at_most_and_approved(void **state)
{
    const struct weir_analyze_settings with = settings();
    struct weir_analyze_rule rule = a_rule(3, 10000, 0);
    struct weir_analyze_change change;

    (void)state;
    rule.state = WEIR_RULE_TEST;
    assert_int_equal(weir_analyze(&rule, &tenthousand, &with, NOW, &change), 1);
    assert_int_equal(change.state, WEIR_RULE_ACTIVE);
    assert_true(change.score == WEIR_LIFE_SCORE_FIRST);
    rule.score = 0;
    assert_int_equal(weir_analyze(&rule, &tenthousand, &with, NOW, &change), 1);
    assert_true(change.state == WEIR_RULE_ACTIVE && change.score == 0.5);
    rule.approved = false;
    assert_int_equal(weir_analyze(&rule, &tenthousand, &with, NOW, &change), 1);
    assert_true(change.state == WEIR_RULE_TEST && change.score == 0.5);
}

static void a_rule_for_good_mail_comes_back_from_the_test(void **state)
{
    const struct weir_analyze_settings with = settings();
    struct weir_analyze_rule rule = a_rule(-3, 0, 10000);
    struct weir_analyze_change change;

    (void)state;
    rule.base = -3;
    rule.state = WEIR_RULE_TEST;
    assert_int_equal(weir_analyze(&rule, &tenthousand, &with, NOW, &change), 1);
    assert_int_equal(change.state, WEIR_RULE_ACTIVE);
    assert_true(change.score == -WEIR_LIFE_SCORE_FIRST);
    rule.score = 0; /* it has hit spam, which is long ago */
    assert_int_equal(weir_analyze(&rule, &tenthousand, &with, NOW, &change), 1);
    assert_true(change.state == WEIR_RULE_ACTIVE && change.score == -0.5);
    rule.hits.decayed = (struct weir_score_counts){10000, 0};
    assert_int_equal(weir_analyze(&rule, &tenthousand, &with, NOW, &change), 0);
}

static void what_a_person_decides_and_formulas_are_left_alone(void **state)
{
    static const enum weir_rule_state states[] = {WEIR_RULE_LOCKED, WEIR_RULE_DRAFT,
                                                  WEIR_RULE_RETIRED, WEIR_RULE_ACTIVE};
    const struct weir_analyze_settings with = settings();
    struct weir_analyze_change change;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct weir_analyze_rule rule = a_rule(1, 0, 10000);

        rule.state = states[i];
        rule.false_positives = 99;
        rule.since = 1;
        rule.name = states[i] == WEIR_RULE_ACTIVE ? "__A" : "A";
        assert_int_equal(weir_analyze(&rule, &tenthousand, &with, NOW, &change), 0);
        assert_true(change.score == 1 && change.state == states[i]);
    }
}

static void figures_are_in_the_words(void **state)
{
    const struct weir_analyze_settings with = settings();
    struct weir_analyze_rule rule = a_rule(1, 100, 0);
    struct weir_analyze_change change;

    (void)state;
    assert_int_equal(weir_analyze(&rule, &tenthousand, &with, NOW, &change), 1);
    assert_true(change.score == 1.5 && fabs(change.deserved - 2.08) < 1e-9);
    assert_string_equal(change.why, "it hit 100 of 10000 spam and 0 of 10000 good messages lately, "
                        "which is worth 2.08 to 5.34; its author gave it 1.00");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(B4_a_score_goes_where_its_hits_say_by_half_a_point_a_run),
        cmocka_unit_test(B4_five_of_ten_thousand_leave_a_rule_what_its_author_gave_it),
        cmocka_unit_test(B4_five_of_ten_thousand_are_worth_nothing_alone),
        cmocka_unit_test(a_rule_for_good_mail_comes_back_from_the_test),
        cmocka_unit_test(
            B32_what_was_drafted_goes_to_work_and_stays_until_good_mail_is_reported),
        cmocka_unit_test(too_little_to_go_by_changes_nothing),
        cmocka_unit_test(a_score_keeps_within_its_bounds_and_on_its_authors_side),
        cmocka_unit_test(B7_B8_idle_for_29_days_stays_and_for_31_is_retired),
        cmocka_unit_test(B33_three_reports_of_good_mail_put_a_rule_to_the_test),
        cmocka_unit_test(from_the_test_it_comes_with_two_points_at_most_and_approved),
        cmocka_unit_test(what_a_person_decides_and_formulas_are_left_alone),
        cmocka_unit_test(figures_are_in_the_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
