/*
 * judge - RULES_CUT: what a message gets that made so much work that rules were given up
 * (judge_score.c).  The clock stands still, in the place of match_clock_io.c: what is too much here
 * is counted work, on a busy machine, too.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/evidence/match_clock_io.h"
#include "tests/unit/judge_rig.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)

enum { PATTERN = 30000, /* octets: so long that a text counts as much work */
       SHORT = WEIR_MATCH_WHOLE_MAX - 1000, LONG = 3 * WEIR_MATCH_WHOLE_MAX };

uint64_t weir_match_used(void)
{
    return 0;
}

uint64_t weir_match_clock(void)
{
    return 0;
}

/* So many rules that are too much work for a text, but not for the ends of a long one. */
static void make_hogs(struct judge_rig *rig, unsigned hogs)
{
    char *text = malloc(hogs * (PATTERN + 100) + 200), *at = text;
    assert_non_null(text);
    at += sprintf(at, "body LOAN /cheap loan/\nscore LOAN 3\nbody AWFUL /awful/\nscore AWFUL 20\n");
    for (unsigned i = 0; i < hogs; i++) {
        at += sprintf(at, "full HOG%u /a(?:", i);
        memset(at, 'x', PATTERN);
        at += PATTERN;
        at += sprintf(at, "|a)\\z/\n");
    }
    assert_int_equal(rig_rules(rig, text), 0);
    free(text);
}

/* A message with this line and so many octets of filling. */
static const struct weir_judgement *judge(struct judge_rig *rig, const char *line, size_t filling)
{
    char *body = malloc(filling + 200);
    const char *mail;
    int len;

    assert_non_null(body);
    len = sprintf(body, "%s\n\n", line);
    memset(body + len, 'a', filling);
    body[(size_t)len + filling] = '\0';
    mail = rig_message(rig, "a@x.example", body);
    free(body);
    return rig_judge(rig, "203.0.113.7", "a@x.example", mail);
}

/* What is said about RULES_CUT; "" when there is no such line. */
static const char *said(struct judge_rig *rig, const struct weir_judgement *judgement)
{
    for (size_t i = 0; i < judgement->points; i++) {
        const struct weir_point *point = &judgement->point[i];
        if (point->id == WEIR_POINT_RULES_CUT)
            return weir_arena_copy(rig->arena, point->description.at, point->description.len);
    }
    return "";
}

static void who_makes_too_much_work_gets_what_lacks_to_be_unsure(void **state)
{
    struct judge_rig *rig = *state;
    const struct weir_judgement *judgement;

    make_hogs(rig, 1);
    judgement = judge(rig, "hello", SHORT);
    assert_true(fabs(rig_points(judgement, "RULES_CUT") - rig->config.unsure_score) < 0.001);
    assert_true(fabs(judgement->decision.score - rig->config.unsure_score) < 0.001);
    assert_int_equal(judgement->decision.verdict, WEIR_UNSURE);
    assert_string_equal(said(rig, judgement), "it made too much work, near the ends of its texts, "
                                              "too; given up were HOG0");
    judgement = judge(rig, "a cheap loan", SHORT);
    assert_true(fabs(rig_points(judgement, "RULES_CUT") - (rig->config.unsure_score - 3)) < 0.001);
    assert_int_equal(judgement->decision.verdict, WEIR_UNSURE);
    judgement = judge(rig, "awful", SHORT);
    assert_true(fabs(rig_points(judgement, "RULES_CUT")) < 0.001);
    assert_int_equal(judgement->decision.verdict, WEIR_SPAM);
}

static void what_is_given_up_far_from_the_ends_of_a_long_text_costs_nothing(void **state)
{
    struct judge_rig *rig = *state;
    const struct weir_judgement *judgement;

    make_hogs(rig, 1);
    judgement = judge(rig, "hello", LONG);
    assert_true(fabs(rig_points(judgement, "RULES_CUT")) < 0.001);
    assert_int_equal(judgement->decision.verdict, WEIR_HAM);
    assert_string_equal(said(rig, judgement),
                        "its texts are too much work far from their ends; given up were HOG0");
    judgement = judge(rig, "hello", 100);
    assert_true(isnan(rig_points(judgement, "RULES_CUT")));
}

static void WEIR_MATCH_NAMES_MAX_rules_are_named_and_more_are_counted(void **state)
{
    struct judge_rig *rig = *state;
    const char *text;

    for (unsigned more = 0; more <= 1; more++) {
        make_hogs(rig, WEIR_MATCH_NAMES_MAX + more);
        text = said(rig, judge(rig, "hello", SHORT));
        for (unsigned i = 0; i <= WEIR_MATCH_NAMES_MAX; i++) {
            char name[20];
            snprintf(name, sizeof name, "HOG%u", i);
            assert_int_equal(strstr(text, name) != NULL, i < WEIR_MATCH_NAMES_MAX);
        }
        assert_int_equal(strstr(text, " and 1 more") != NULL, more);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_makes_too_much_work_gets_what_lacks_to_be_unsure),
        TEST(what_is_given_up_far_from_the_ends_of_a_long_text_costs_nothing),
        TEST(WEIR_MATCH_NAMES_MAX_rules_are_named_and_more_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
