/*
 * hits - six numbers of a rule, its decayed ones, and that nothing is counted twice.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "monitor/analyzer/hits.h"
#include "tests/unit/seeded.h"

#define NOW (20000 * WEIR_DAY)
#define HALF_LIFE (30 * WEIR_DAY)

static struct weir_hits *hits_new(void)
{
    const struct weir_hits_settings settings = {
        .half_life = HALF_LIFE, .spam_score = 5, .unsure_score = 3, .key = {{1}}};
    struct weir_hits *hits = NULL;

    assert_int_equal(weir_hits_new(&settings, &hits), 0);
    return hits;
}

static struct weir_info decision(uint64_t uid, weir_time at, float score)
{
    return (struct weir_info){.uid = uid, .at = at, .score = score};
}

static void with(struct weir_info *info, uint32_t id, float points)
{
    info->rule[info->rules++] = (struct weir_info_rule){id, points};
}

static struct weir_hits_rule rule_at(const struct weir_hits *hits, uint32_t id, weir_time at)
{
    struct weir_hits_rule rule;

    assert_int_equal(weir_hits_find(hits, id, at, &rule), 1);
    return rule;
}

static void B4_seven_spam_three_ham_and_a_false_positive_give_exactly_these_numbers(void **state)
{
    struct weir_hits *hits = hits_new();
    struct weir_hits_rule rule;
    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        struct weir_info info = decision(100 + i, NOW + i * WEIR_SECOND, i < 7 ? 9 : 2);

        with(&info, 7, 1);
        with(&info, 8, i < 7 ? 8 : 1);
        assert_int_equal(weir_hits_take(hits, 1, &info, NOW + WEIR_DAY), WEIR_HITS_COUNTED);
        if (i == 3)
            assert_int_equal(weir_hits_report(hits, 1, &info, false, false, NOW + WEIR_DAY), 0);
    }
    rule = rule_at(hits, 7, NOW);
    assert_int_equal(rule.hits, 10);
    assert_int_equal(rule.spam, 6); /* and the one that was moved */
    assert_int_equal(rule.ham, 4);
    assert_int_equal(rule.false_positives, 1);
    assert_true(rule.first_hit == NOW && rule.last_hit == NOW + 9 * WEIR_SECOND);
    assert_true(fabs(rule.decayed.spam - 6) < 1e-4 && fabs(rule.decayed.ham - 4) < 1e-4);
    assert_true(fabs(weir_hits_all(hits, NOW).spam - 6) < 1e-4);
    rule = rule_at(hits, 8, NOW); /* which decided alone */
    assert_int_equal(rule.hits, 10);
    assert_int_equal(rule.spam, 6);
    assert_int_equal(rule.ham, 4);
    assert_true(rule.decayed.spam < 1e-4 && fabs(rule.decayed.ham - 4) < 1e-4);
    weir_hits_free(&hits);
}

static void a_decision_that_comes_again_changes_nothing(void **state)
{
    struct weir_hits *hits = hits_new();
    struct weir_info info = decision(1, NOW, 9);
    (void)state;
    with(&info, 7, 1);
    assert_int_equal(weir_hits_take(hits, 1, &info, NOW), WEIR_HITS_COUNTED);
    assert_int_equal(weir_hits_take(hits, 1, &info, NOW), WEIR_HITS_REPEATED);
    info.server = 2;
    assert_int_equal(weir_hits_take(hits, 1, &info, NOW), WEIR_HITS_REPEATED);
    assert_int_equal(rule_at(hits, 7, NOW).hits, 1);
    weir_hits_free(&hits);
}

static void between_unsure_and_spam_a_hit_says_neither(void **state)
{
    static const struct {
        float score;
        unsigned spam, ham;
    } cases[] = {{5.99f, 0, 0}, {6, 1, 0}, {4, 0, 0}, {3.99f, 0, 1}, {-20, 0, 1}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weir_hits *hits = hits_new();
        struct weir_info info = decision(1, NOW, cases[i].score);
        struct weir_hits_rule rule;

        with(&info, 7, 1);
        weir_hits_take(hits, 1, &info, NOW);
        rule = rule_at(hits, 7, NOW);
        if (fabs(rule.decayed.spam - cases[i].spam) > 1e-9 ||
            fabs(rule.decayed.ham - cases[i].ham) > 1e-9)
            fail_msg("%g: %g, %g", (double)cases[i].score, rule.decayed.spam, rule.decayed.ham);
        weir_hits_free(&hits);
    }
}

static void a_report_that_is_taken_back_leaves_what_was(void **state)
{
    struct seeded s = seeded_new(__func__);
    struct weir_hits *hits = hits_new(), *other = hits_new();
    (void)state;
    for (unsigned i = 0; i < 2000; i++) {
        struct weir_info info = decision(i, NOW + seeded_below(&s, 90) * WEIR_DAY,
                                         (float)seeded_below(&s, 100) / 10);
        bool spam = seeded_below(&s, 2);

        for (uint32_t id = 1; id <= 5; id++)
            if (seeded_below(&s, 2))
                with(&info, id, (float)seeded_below(&s, 70) / 10 - 2);
        weir_hits_take(hits, 1, &info, NOW + 90 * WEIR_DAY);
        weir_hits_take(other, 1, &info, NOW + 90 * WEIR_DAY);
        weir_hits_report(hits, 1, &info, spam, false, NOW + 90 * WEIR_DAY);
        weir_hits_report(hits, 1, &info, spam, true, NOW + 90 * WEIR_DAY);
    }
    for (uint32_t id = 1; id <= 5; id++) {
        struct weir_hits_rule a = rule_at(hits, id, NOW), b = rule_at(other, id, NOW);

        assert_true(a.spam == b.spam && a.ham == b.ham && a.hits == b.hits);
        assert_int_equal(a.false_positives, 0);
        assert_true(fabs(a.decayed.spam - b.decayed.spam) < 1e-6 * (1 + b.decayed.spam));
        assert_true(fabs(a.decayed.ham - b.decayed.ham) < 1e-6 * (1 + b.decayed.ham));
    }
    weir_hits_free(&hits);
    weir_hits_free(&other);
}

static void weights_halve_in_a_half_life_in_whatever_order_messages_come(void **state)
{
    struct weir_hits *hits = hits_new(), *backwards = hits_new();
    (void)state;
    for (int i = 0; i < 30; i++) { /* 30 half-lives, and back */
        struct weir_info info = decision((uint64_t)i, NOW + i * HALF_LIFE, 9);

        with(&info, 7, 1);
        weir_hits_take(hits, 1, &info, NOW + 1000 * HALF_LIFE);
        info.at = NOW + (29 - i) * HALF_LIFE;
        weir_hits_take(backwards, 1, &info, NOW + 1000 * HALF_LIFE);
    }
    assert_true(fabs(rule_at(hits, 7, NOW + 29 * HALF_LIFE).decayed.spam - 2) < 1e-6);
    assert_true(fabs(rule_at(backwards, 7, NOW + 29 * HALF_LIFE).decayed.spam - 2) < 1e-6);
    assert_true(fabs(rule_at(hits, 7, NOW + 39 * HALF_LIFE).decayed.spam - 2 / 1024.0) < 1e-6);
    weir_hits_free(&hits);
    weir_hits_free(&backwards);
}

static void a_clock_that_is_ahead_outweighs_nobody(void **state)
{
    struct weir_hits *hits = hits_new();
    struct weir_info honest = decision(1, NOW, 9), ahead = decision(2, INT64_MAX, 9);
    (void)state;
    with(&honest, 7, 1);
    with(&ahead, 8, 1);
    weir_hits_take(hits, 1, &honest, NOW);
    weir_hits_take(hits, 1, &ahead, NOW);
    assert_true(rule_at(hits, 7, NOW).decayed.spam == rule_at(hits, 8, NOW).decayed.spam);
    assert_true(rule_at(hits, 8, NOW).last_hit == NOW);
    weir_hits_free(&hits);
}

/* Two servers' messages, one of them dated two half-lives later, when the clock goes back. */
static void what_a_clock_that_was_ahead_dated_later_counts_for_no_more_than_it_did(void **state)
{
    struct weir_hits *hits = hits_new();
    weir_time later = NOW + 2 * HALF_LIFE;
    struct weir_hit_server told;
    struct weir_hits_rule rule;

    (void)state;
    for (uint64_t i = 0; i < 5; i++) {
        struct weir_info info = decision(i, i < 4 ? NOW : later, 9);

        with(&info, i < 4 ? 7 : 8, 1);
        weir_hits_take(hits, 1, &info, later);
    }
    weir_hits_kept(hits);
    assert_true(weir_hits_latest(hits) == later);
    assert_true(fabs(weir_hits_all(hits, later).spam - 2) < 1e-6);
    assert_false(weir_hits_rebase(hits, later));
    assert_false(rule_at(hits, 8, NOW).changed);
    assert_true(weir_hits_rebase(hits, NOW));
    assert_true(weir_hits_latest(hits) == NOW);
    assert_true(fabs(weir_hits_all(hits, NOW).spam - 2) < 1e-6);
    rule = rule_at(hits, 8, NOW);
    assert_true(fabs(rule.decayed.spam - 1) < 1e-6 && rule.changed);
    assert_true(rule.first_hit == NOW && rule.last_hit == NOW && rule.hits == 1);
    rule = rule_at(hits, 7, NOW);
    assert_true(fabs(rule.decayed.spam - 1) < 1e-6 && rule.changed && rule.hits == 4);
    for (size_t i = 0; weir_hits_told(hits, i, NOW, &told); i++) {
        bool all = told.rule == WEIR_HIT_SERVERS_ALL;

        assert_true(told.changed && fabs(told.decayed.spam - (all ? 2 : 1)) < 1e-6);
    }
    assert_false(weir_hits_rebase(hits, NOW));
    weir_hits_free(&hits);
}

static void what_was_kept_is_taken_up_again(void **state)
{
    struct weir_hits *hits = hits_new(), *again = hits_new();
    struct weir_info info = decision(1, NOW, 9);
    struct weir_score_counts all;
    struct weir_hits_rule rule;
    (void)state;
    with(&info, 7, 1);
    weir_hits_take(hits, 1, &info, NOW);
    rule = rule_at(hits, 7, NOW + HALF_LIFE);
    all = weir_hits_all(hits, NOW + HALF_LIFE);
    assert_int_equal(weir_hits_load_all(again, &all, NOW + HALF_LIFE), 0);
    assert_int_equal(weir_hits_load(again, &rule, NOW + HALF_LIFE), 0);
    rule = rule_at(again, 7, NOW + 2 * HALF_LIFE);
    assert_true(fabs(rule.decayed.spam - 0.25) < 1e-9 && rule.hits == 1 && rule.spam == 1);
    assert_true(fabs(weir_hits_all(again, NOW).spam - 1) < 1e-9);
    weir_hits_free(&hits);
    weir_hits_free(&again);
}

static void rules_beyond_the_limit_are_counted_together(void **state)
{
    struct weir_hits *hits = hits_new();
    struct weir_hits_rule rule;
    (void)state;
    for (uint32_t id = 1; id <= WEIR_RULES_MAX + 2; id++) {
        struct weir_info info = decision(id, NOW, 9);

        with(&info, id, 1);
        assert_int_equal(weir_hits_take(hits, 1, &info, NOW), WEIR_HITS_COUNTED);
    }
    assert_int_equal(weir_hits_rules(hits), WEIR_RULES_MAX + 1);
    assert_int_equal(rule_at(hits, WEIR_RULES_MAX, NOW).hits, 1);
    assert_int_equal(weir_hits_find(hits, WEIR_RULES_MAX + 1, NOW, &rule), 0);
    assert_int_equal(rule_at(hits, 0, NOW).hits, 2);
    weir_hits_free(&hits);
}

static void settings_out_of_range_are_refused(void **state)
{
    static const struct weir_hits_settings bad[] = {
        {.half_life = 0, .spam_score = 5}, {.half_life = 1, .spam_score = 2, .unsure_score = 3},
        {.half_life = 1, .spam_score = NAN},
        {.half_life = 1, .seen_most = WEIR_HITS_SEEN_MAX + 1}};
    struct weir_hits *hits = NULL;
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(weir_hits_new(&bad[i], &hits), WEIR_EINVAL);
    assert_null(hits);
}

struct day_model {
    int32_t hits, spam, ham, blamed;
};

static void day_is(const struct weir_hits *hits, uint32_t rule, int32_t day,
                   struct day_model want)
{
    const struct weir_hit_day *row;
    size_t i = 0;

    while ((row = weir_hit_days_get(weir_hits_days(hits), i)) != NULL &&
           (row->rule != rule || row->day != day))
        i++;
    assert_int_equal(row ? row->hits : 0, want.hits);
    assert_int_equal(row ? row->spam : 0, want.spam);
    assert_int_equal(row ? row->ham : 0, want.ham);
    assert_int_equal(row ? row->false_positives : 0, want.blamed);
}

static void B22_days_are_those_of_the_messages_and_follow_what_people_say(void **state)
{
    const int32_t today = weir_hit_day(NOW);
    struct weir_hits *hits = hits_new();
    struct weir_info info;
    (void)state;
    for (unsigned i = 0; i < 6; i++) { /* two days each, the last two too old and not yet */
        weir_time at = i < 4 ? NOW - i / 2 * WEIR_DAY : i < 5 ? NOW - 92 * WEIR_DAY
                                                              : NOW + 5 * WEIR_DAY;

        info = decision(i, at, i % 2 ? 9 : 1);
        with(&info, 7, 1);
        assert_int_equal(weir_hits_take(hits, 1, &info, NOW), WEIR_HITS_COUNTED);
        assert_int_equal(weir_hits_take(hits, 1, &info, NOW), WEIR_HITS_REPEATED);
    }
    day_is(hits, 7, today, (struct day_model){3, 2, 1, 0}); /* what is not yet is of today */
    day_is(hits, 7, today - 1, (struct day_model){2, 1, 1, 0});
    day_is(hits, 7, today - 92, (struct day_model){0, 0, 0, 0});
    day_is(hits, WEIR_HIT_DAYS_ALL, today, (struct day_model){3, 2, 1, 0});
    info = decision(3, NOW - WEIR_DAY, 9);
    with(&info, 7, 1);
    assert_int_equal(weir_hits_report(hits, 1, &info, false, false, NOW), 0);
    day_is(hits, 7, today - 1, (struct day_model){2, 0, 2, 1});
    day_is(hits, WEIR_HIT_DAYS_ALL, today - 1, (struct day_model){2, 0, 2, 0});
    assert_int_equal(weir_hits_report(hits, 1, &info, false, true, NOW), 0);
    day_is(hits, 7, today - 1, (struct day_model){2, 1, 1, 0});
    weir_hits_kept(hits);
    day_is(hits, 7, today, (struct day_model){0, 0, 0, 0});
    assert_int_equal(rule_at(hits, 7, NOW).hits, 6);
    weir_hits_free(&hits);
}

static void what_a_person_renewed_has_proven_nothing_and_its_hits_remain(void **state)
{
    struct weir_hits *hits = hits_new();
    struct weir_info info = decision(1, NOW, 9);
    struct weir_hits_rule rule;
    (void)state;

    with(&info, 7, 1);
    with(&info, 8, 1);
    weir_hits_take(hits, 1, &info, NOW);
    weir_hits_kept(hits);
    weir_hits_renew(hits, 7);
    weir_hits_renew(hits, 99);
    rule = rule_at(hits, 7, NOW);
    assert_true(rule.decayed.spam < 1e-9 && rule.changed);
    assert_int_equal(rule.hits, 1);
    rule = rule_at(hits, 8, NOW);
    assert_true(rule.decayed.spam > 0.9 && !rule.changed);
    weir_hits_free(&hits);
}

/* "server spam ham" of a rule, in the order of servers. */
static void told_is(const struct weir_hits *hits, uint32_t rule, const char *text)
{
    char is[200] = "";
    struct weir_hit_server told;

    for (uint32_t server = 0; server < 10; server++)
        for (size_t i = 0; weir_hits_told(hits, i, NOW, &told); i++)
            if (told.rule == rule && told.server == server)
                snprintf(is + strlen(is), sizeof is - strlen(is), "%u: %.0f %.0f| ",
                         (unsigned)server, told.decayed.spam, told.decayed.ham);
    assert_string_equal(is, text);
}

static void B4_what_counts_is_known_by_who_told_it(void **state)
{
    struct weir_hits *hits = hits_new();
    struct weir_info info = decision(1, NOW, 9), other = decision(2, NOW, 1);
    (void)state;
    with(&info, 7, 1);
    with(&other, 7, 0);
    info.server = 3;
    other.server = 0; /* a server's string that does not know its number */
    weir_hits_take(hits, 3, &info, NOW);
    weir_hits_take(hits, 4, &other, NOW);
    weir_hits_take(hits, 5, &other, NOW); /* again */
    told_is(hits, 7, "3: 1 0| 4: 0 1| ");
    told_is(hits, WEIR_HIT_SERVERS_ALL, "3: 1 0| 4: 0 1| ");
    weir_hits_report(hits, 5, &info, false, false, NOW); /* by people of another server */
    told_is(hits, 7, "3: 0 1| 4: 0 1| ");
    weir_hits_report(hits, 5, &info, false, true, NOW);
    told_is(hits, 7, "3: 1 0| 4: 0 1| ");
    info.server = 8; /* which never told anything: nothing is told in its name */
    weir_hits_report(hits, 5, &info, false, false, NOW);
    info.server = UINT64_C(1) << 40;
    weir_hits_report(hits, 5, &info, false, false, NOW);
    told_is(hits, 7, "3: 1 0| 4: 0 1| 5: 0 2| ");
    weir_hits_renew(hits, 7);
    told_is(hits, 7, "3: 0 0| 4: 0 0| 5: 0 0| ");
    told_is(hits, WEIR_HIT_SERVERS_ALL, "3: 1 0| 4: 0 1| 5: 0 2| ");
    weir_hits_free(&hits);
}

/* The sum of all accounts is what was counted, in any order of times. */
static void accounts_lose_weight_as_all_counts_do(void **state)
{
    struct weir_hits *hits = hits_new();
    struct weir_hit_server told;
    double sum = 0;
    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        struct weir_info info = decision(i, NOW + (i * 37 % 1000) * HALF_LIFE, 9);

        with(&info, 7, 1);
        weir_hits_take(hits, i % 3, &info, NOW + 1000 * HALF_LIFE);
    }
    for (size_t i = 0; weir_hits_told(hits, i, NOW + 1000 * HALF_LIFE, &told); i++)
        if (told.rule == 7)
            sum += told.decayed.spam;
    assert_true(fabs(sum - rule_at(hits, 7, NOW + 1000 * HALF_LIFE).decayed.spam) < 1e-9);
    weir_hits_free(&hits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(B4_seven_spam_three_ham_and_a_false_positive_give_exactly_these_numbers),
        cmocka_unit_test(a_decision_that_comes_again_changes_nothing),
        cmocka_unit_test(between_unsure_and_spam_a_hit_says_neither),
        cmocka_unit_test(a_report_that_is_taken_back_leaves_what_was),
        cmocka_unit_test(weights_halve_in_a_half_life_in_whatever_order_messages_come),
        cmocka_unit_test(a_clock_that_is_ahead_outweighs_nobody),
        cmocka_unit_test(
            what_a_clock_that_was_ahead_dated_later_counts_for_no_more_than_it_did),
        cmocka_unit_test(what_was_kept_is_taken_up_again),
        cmocka_unit_test(rules_beyond_the_limit_are_counted_together),
        cmocka_unit_test(settings_out_of_range_are_refused),
        cmocka_unit_test(B22_days_are_those_of_the_messages_and_follow_what_people_say),
        cmocka_unit_test(what_a_person_renewed_has_proven_nothing_and_its_hits_remain),
        cmocka_unit_test(B4_what_counts_is_known_by_who_told_it),
        cmocka_unit_test(accounts_lose_weight_as_all_counts_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
