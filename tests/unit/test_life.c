/*
 * life - which state a rule goes to, by the day and by what it did.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "monitor/analyzer/life.h"

#define NOW (20000 * WEIR_DAY)

static const struct weir_score_evidence for_spam = {3, 0.1, 2.8, 3.2}, unsure = {0, 1, -1.6, 1.6},
                                        for_ham = {-3, 0.1, -3.2, -2.8};

static enum weir_rule_state next(struct weir_life_facts facts, const char **why_r)
{
    struct weir_life_settings settings = weir_life_defaults();

    return weir_life_next(&facts, &settings, NOW, why_r);
}

static void B8_idle_for_thirty_days_stays_and_longer_is_retired(void **state)
{
    static const struct {
        weir_time since, last_hit;
        bool retired;
    } cases[] = {
        {100 * WEIR_DAY, 29 * WEIR_DAY, false}, {100 * WEIR_DAY, 30 * WEIR_DAY, false},
        {100 * WEIR_DAY, 30 * WEIR_DAY + 1, true}, {100 * WEIR_DAY, 31 * WEIR_DAY, true},
        {29 * WEIR_DAY, NOW, false}, {31 * WEIR_DAY, NOW, true}, {-WEIR_DAY, NOW, false},
    };
    const char *why;
    (void)state;
    for (int test = 0; test <= 1; test++)
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            enum weir_rule_state now = test ? WEIR_RULE_TEST : WEIR_RULE_ACTIVE;
            enum weir_rule_state then =
                next((struct weir_life_facts){.state = now, .score = 1,
                                              .since = NOW - cases[i].since,
                                              .last_hit = NOW - cases[i].last_hit,
                                              .evidence = unsure}, &why);
            assert_int_equal(then, cases[i].retired ? WEIR_RULE_RETIRED : now);
            assert_string_equal(why, cases[i].retired ? "no mail has hit it for too long" : "");
        }
}

static void the_period_is_a_setting(void **state)
{
    struct weir_life_facts facts = {.state = WEIR_RULE_ACTIVE, .since = NOW - 8 * WEIR_DAY,
                                    .evidence = unsure};
    struct weir_life_settings settings = weir_life_defaults();
    const char *why;
    (void)state;
    settings.idle = 7 * WEIR_DAY;
    assert_int_equal(weir_life_next(&facts, &settings, NOW, &why), WEIR_RULE_RETIRED);
    settings.idle = 0;
    facts.since = 0;
    assert_int_equal(weir_life_next(&facts, &settings, NOW, &why), WEIR_RULE_ACTIVE);
}

static void who_does_harm_goes_to_the_test(void **state)
{
    static const struct {
        double score;
        const struct weir_score_evidence *evidence;
        unsigned blamed, people;
        bool demoted;
    } cases[] = {
        {2, &for_spam, 2, 2, false}, {2, &for_spam, 3, 2, true}, {2, &for_spam, 99, 1, false},
        {2, &unsure, 0, 0, false}, {2, &for_ham, 0, 0, true}, {-2, &for_ham, 9, 9, false},
        {-2, &for_spam, 0, 0, true}, {0, &for_ham, 9, 9, false},
    };
    const char *why;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum weir_rule_state then =
            next((struct weir_life_facts){.state = WEIR_RULE_ACTIVE, .score = cases[i].score,
                                          .since = NOW - WEIR_DAY, .last_hit = NOW,
                                          .false_positives = cases[i].blamed,
                                          .people = cases[i].people,
                                          .evidence = *cases[i].evidence}, &why);
        assert_int_equal(then, cases[i].demoted ? WEIR_RULE_TEST : WEIR_RULE_ACTIVE);
        assert_int_equal(why[0] != '\0', cases[i].demoted);
    }
}

static void from_the_test_comes_who_is_approved_and_proven_for_a_day(void **state)
{
    static const struct {
        double next;
        bool approved;
        weir_time trial;
        const struct weir_score_evidence *evidence;
        unsigned blamed;
        bool active;
    } cases[] = {
        {1, true, WEIR_DAY, &for_spam, 0, true}, {1, true, WEIR_DAY - 1, &for_spam, 0, false},
        {1, false, WEIR_DAY, &for_spam, 0, false}, {1, true, WEIR_DAY, &unsure, 0, false},
        {1, true, WEIR_DAY, &for_spam, 1, false}, {1, true, WEIR_DAY, &for_ham, 0, false},
        {-1, true, WEIR_DAY, &for_ham, 0, true}, {-1, true, WEIR_DAY, &for_ham, 5, true},
        {-1, true, WEIR_DAY, &for_spam, 0, false}, {-1, true, WEIR_DAY, &unsure, 0, false},
        {-1, false, WEIR_DAY, &for_ham, 0, false}, {0, true, WEIR_DAY, &for_spam, 0, false},
    };
    const char *why;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(next((struct weir_life_facts){.state = WEIR_RULE_TEST, .last_hit = NOW,
                                                       .since = NOW - cases[i].trial,
                                                       .next = cases[i].next,
                                                       .false_positives = cases[i].blamed,
                                                       .evidence = *cases[i].evidence,
                                                       .approved = cases[i].approved}, &why),
                         cases[i].active ? WEIR_RULE_ACTIVE : WEIR_RULE_TEST);
}

static void what_a_person_decides_stays(void **state)
{
    static const enum weir_rule_state states[] = {WEIR_RULE_LOCKED, WEIR_RULE_DRAFT,
                                                  WEIR_RULE_RETIRED};
    const char *why;
    (void)state;
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        assert_int_equal(next((struct weir_life_facts){.state = states[i], .score = 3,
                                                       .false_positives = 99,
                                                       .evidence = for_ham}, &why), states[i]);
        assert_string_equal(why, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(B8_idle_for_thirty_days_stays_and_longer_is_retired),
        cmocka_unit_test(the_period_is_a_setting),
        cmocka_unit_test(who_does_harm_goes_to_the_test),
        cmocka_unit_test(from_the_test_comes_who_is_approved_and_proven_for_a_day),
        cmocka_unit_test(what_a_person_decides_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
