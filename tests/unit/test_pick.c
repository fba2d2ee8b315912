/*
 * Which rules are published, and as what text (monitor/analyzer/pick.c): by their state, their age
 * and their last hit, and with whatever formulas name.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "monitor/analyzer/pick.h"

#define NOW (1795000000 * WEIR_SECOND)
#define IDLE (30 * WEIR_DAY)

struct rig {
    struct weir_arena *arena;
    struct weir_pick *pick;
    uint32_t id;
};

static int setup(void **state)
{
    static struct rig rig;

    rig.arena = weir_arena_new(1 << 16);
    rig.id = 0;
    assert_int_equal(weir_pick_new(rig.arena, IDLE, NOW, &rig.pick), 0);
    *state = &rig;
    return 0;
}

static int teardown(void **state)
{
    struct rig *rig = *state;

    weir_arena_free(&rig->arena);
    return 0;
}

/* A rule that came into its state so long ago, and was hit so long ago (-1: never). */
static void add(struct rig *rig, const char *name, enum weir_rule_kind kind, const char *text,
                enum weir_rule_state state, weir_time since, weir_time hit)
{
    const struct weir_kept_rule rule = {.id = ++rig->id, .name = name, .kind = kind, .text = text,
                                        .state = state, .score = 1.5, .author = "",
                                        .since = NOW - since};

    assert_int_equal(weir_pick_add(rig->pick, &rule, hit < 0 ? 0 : NOW - hit), 0);
}

static void body(struct rig *rig, const char *name, enum weir_rule_state state, weir_time since,
                 weir_time hit)
{
    char text[128];

    snprintf(text, sizeof text, "body %s /x/\n", name);
    add(rig, name, WEIR_RULE_BODY, text, state, since, hit);
}

/* The names of what is picked, by their score lines, with a blank behind each. */
static void picked(struct rig *rig, const char *names)
{
    struct weir_slice text, line;
    char found[1024] = "";
    size_t rules, scores = 0;

    assert_int_equal(weir_pick_end(rig->pick, &text, &rules), 0);
    while (text.len > 0) {
        const char *end = memchr(text.at, '\n', text.len);

        line = weir_slice_between(text.at, end);
        text = weir_slice_behind(text, line.len + 1);
        if (weir_slice_equals(weir_slice_word(&line), "score")) {
            struct weir_slice name = weir_slice_word(&line);

            snprintf(found + strlen(found), sizeof found - strlen(found), "%.*s ", (int)name.len,
                     name.at);
            scores++;
        }
    }
    assert_string_equal(found, names);
    assert_int_equal(rules, scores);
}

static void B11_rules_matched_in_the_period_are_published(void **state)
{
    body(*state, "RECENT", WEIR_RULE_ACTIVE, 90 * WEIR_DAY, 29 * WEIR_DAY);
    body(*state, "AT_THE_END", WEIR_RULE_ACTIVE, 90 * WEIR_DAY, IDLE);
    body(*state, "OLD", WEIR_RULE_ACTIVE, 90 * WEIR_DAY, IDLE + 1);
    body(*state, "TRIED", WEIR_RULE_TEST, 90 * WEIR_DAY, WEIR_DAY);
    body(*state, "TRIED_LONG", WEIR_RULE_TEST, 90 * WEIR_DAY, -1);
    picked(*state, "RECENT AT_THE_END TRIED ");
}

static void B11_new_and_locked_ones_are_published_without_a_hit(void **state)
{
    body(*state, "NEW", WEIR_RULE_ACTIVE, WEIR_DAY, -1);
    body(*state, "NEW_TEST", WEIR_RULE_TEST, WEIR_DAY, -1);
    body(*state, "LOCKED", WEIR_RULE_LOCKED, 900 * WEIR_DAY, -1);
    body(*state, "DRAFT", WEIR_RULE_DRAFT, 0, 0);
    body(*state, "RETIRED", WEIR_RULE_RETIRED, 0, 0);
    picked(*state, "NEW NEW_TEST LOCKED ");
}

static void B11_rules_about_addresses_are_published_always(void **state)
{
    add(*state, "NET", WEIR_RULE_IP, "ip NET 192.0.2.0/24\n", WEIR_RULE_ACTIVE, 900 * WEIR_DAY, -1);
    add(*state, "NET_GONE", WEIR_RULE_IP, "ip NET_GONE 192.0.2.0/24\n", WEIR_RULE_RETIRED, 0, 0);
    picked(*state, "NET ");
}

static void what_a_picked_meta_names_comes_along_through_others_too(void **state)
{
    body(*state, "__A", WEIR_RULE_ACTIVE, 900 * WEIR_DAY, -1);
    body(*state, "__B", WEIR_RULE_ACTIVE, 0, 0);
    body(*state, "__UNUSED", WEIR_RULE_ACTIVE, 0, 0);
    body(*state, "OLD", WEIR_RULE_ACTIVE, 900 * WEIR_DAY, -1);
    body(*state, "GONE", WEIR_RULE_RETIRED, 900 * WEIR_DAY, -1);
    body(*state, "AA", WEIR_RULE_ACTIVE, 900 * WEIR_DAY, -1);
    add(*state, "__INNER", WEIR_RULE_META, "meta __INNER (__B+OLD>1)\n", WEIR_RULE_ACTIVE, 0, 0);
    add(*state, "OUTER", WEIR_RULE_META, "describe OUTER AA\nmeta OUTER __A && !__INNER || GONE",
        WEIR_RULE_ACTIVE, 0, 0);
    add(*state, "IDLE", WEIR_RULE_META, "meta IDLE __UNUSED\n", WEIR_RULE_ACTIVE, 31 * WEIR_DAY,
        -1);
    picked(*state, "__A __B OLD GONE __INNER OUTER ");
}

static void metas_that_name_each_other_end(void **state)
{
    add(*state, "A", WEIR_RULE_META, "meta A B\n", WEIR_RULE_ACTIVE, 0, 0);
    add(*state, "B", WEIR_RULE_META, "meta B C || B\n", WEIR_RULE_ACTIVE, 99 * WEIR_DAY, -1);
    add(*state, "C", WEIR_RULE_META, "meta C A\n", WEIR_RULE_ACTIVE, 99 * WEIR_DAY, -1);
    picked(*state, "A B C ");
}

static void the_text_says_score_id_and_state(void **state)
{
    struct rig *rig = *state;
    struct weir_slice text;
    size_t rules;

    add(rig, "A", WEIR_RULE_BODY, "body A /x/\ndescribe A words\n", WEIR_RULE_ACTIVE, 0, 0);
    add(rig, "B", WEIR_RULE_BODY, "body B /x/", WEIR_RULE_LOCKED, 0, 0);
    assert_int_equal(weir_pick_end(rig->pick, &text, &rules), 0);
    assert_true(weir_slice_equals(text, "body A /x/\ndescribe A words\nscore A 1.50\nid A 1\n"
                                  "body B /x/\nscore B 1.50\nid B 2\nstate B locked\n"));
    assert_int_equal(rules, 2);
}

static void nothing_makes_an_empty_text(void **state)
{
    picked(*state, "");
}

static void idle_0_leaves_nothing_out_for_its_age(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(weir_pick_new(rig->arena, 0, NOW, &rig->pick), 0);
    body(rig, "OLD", WEIR_RULE_ACTIVE, 900 * WEIR_DAY, -1);
    body(rig, "RETIRED", WEIR_RULE_RETIRED, 0, 0);
    picked(rig, "OLD ");
}

static void limit_WEIR_RULES_MAX(void **state)
{
    struct rig *rig = *state;
    const struct weir_kept_rule rule = {.id = 1, .name = "A", .text = "", .author = "",
                                        .state = WEIR_RULE_RETIRED};

    for (size_t i = 0; i < WEIR_RULES_MAX; i++)
        assert_int_equal(weir_pick_add(rig->pick, &rule, 0), 0);
    assert_int_equal(weir_pick_add(rig->pick, &rule, 0), WEIR_ELIMIT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(B11_rules_matched_in_the_period_are_published),
        TEST(B11_new_and_locked_ones_are_published_without_a_hit),
        TEST(B11_rules_about_addresses_are_published_always),
        TEST(what_a_picked_meta_names_comes_along_through_others_too),
        TEST(metas_that_name_each_other_end),
        TEST(the_text_says_score_id_and_state),
        TEST(nothing_makes_an_empty_text),
        TEST(idle_0_leaves_nothing_out_for_its_age),
        TEST(limit_WEIR_RULES_MAX),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
