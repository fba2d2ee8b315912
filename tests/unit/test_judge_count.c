/*
 * judge_count - what a message teaches the reputation is what the rules say of it, once, and stands
 * in its string; what reputation itself made of it teaches nothing.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "core/base/slice.h"
#include "tests/unit/judge_rig.h"

#define CLIENT "198.51.100.7"
#define RULES "body LOAN /cheap/\nscore LOAN 6\nbody ODD /strange/\nscore ODD 4\n"

static void open_rig(struct judge_rig *rig)
{
    rig->config.learn = true;
    assert_int_equal(rig_rules(rig, RULES), 0);
    rig_open(rig);
}

static const struct weir_judgement *judge(struct judge_rig *rig, const char *body)
{
    return rig_judge(rig, CLIENT, "a@d.example", rig_message(rig, "a@d.example", body));
}

/* The counters of the pair, as they are stored. */
static struct weir_cell pair_of(struct judge_rig *rig)
{
    struct weir_reading reading[WEIR_REPUTATION_READINGS];
    struct weir_reputation_query query = {.domain = "d.example"};
    struct weir_reputation reputation;

    rig->now += WEIR_SECOND;
    weir_judges_tick(rig->judges, rig->now);
    assert_int_equal(weir_address_parse(CLIENT, strlen(CLIENT), &query.address), 0);
    size_t n = weir_reputation_plan(&rig->config.reputation, &rig->stores.key, &query, reading);
    assert_int_equal(weir_counters_read(rig->stores.counters, rig->now, reading, n), 1);
    weir_reputation_judge(&rig->config.reputation, &query, reading, &reputation);
    return reputation.cell[WEIR_BASIS_PAIR];
}

static void C27_what_the_rules_say_is_counted_and_stands_in_the_string(void **state)
{
    struct judge_rig *rig = *state;
    const struct weir_judgement *judgement;
    struct weir_info info;

    open_rig(rig);
    judgement = judge(rig, "a cheap loan\r\n");
    assert_int_equal(judgement->counted.computer, WEIR_SAID_SPAM);
    assert_true(judgement->counted.stranger && judgement->counted.new_group);
    assert_true(weir_info_read(weir_slice_of(judgement->outcome.info), 0,
                               weir_judges_keys(rig->judges), &info) <= WEIR_INFO_UNBOUND);
    assert_memory_equal(&info.counted, &judgement->counted, sizeof info.counted);
    assert_int_equal(info.verdict, WEIR_SPAM);
    assert_true(pair_of(rig).spam_computer > 0.9);
    judgement = judge(rig, "a strange thing\r\n");
    assert_int_equal(judgement->counted.computer, WEIR_SAID_UNSURE);
    assert_false(judgement->counted.stranger);
    judgement = judge(rig, "hello\r\n");
    assert_int_equal(judgement->counted.computer, WEIR_SAID_GOOD);
    assert_true(pair_of(rig).good_computer > 0.9 && pair_of(rig).indeterminate > 0.9);
}

static void C27_reputation_does_not_confirm_itself(void **state)
{
    struct judge_rig *rig = *state;
    const struct weir_judgement *judgement;

    open_rig(rig);
    rig_vote(rig, CLIENT, "d.example", WEIR_VOTE_SPAM, 40);
    judgement = judge(rig, "hello\r\n");
    assert_true(judgement->decision.score > 2);
    assert_int_equal(judgement->counted.computer, WEIR_SAID_GOOD);
}

static void what_nobody_asks_reputation_about_teaches_nothing(void **state)
{
    struct judge_rig *rig = *state;

    open_rig(rig);
    rig_list(rig, WEIR_LIST_ACCEPT, CLIENT);
    assert_int_equal(judge(rig, "a cheap loan\r\n")->counted.computer, WEIR_SAID_NOTHING);
    assert_true(pair_of(rig).spam_computer == 0);
    rig->config.learn = false;
    rig_open(rig);
    assert_int_equal(judge(rig, "a cheap loan\r\n")->counted.computer, WEIR_SAID_NOTHING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            C27_what_the_rules_say_is_counted_and_stands_in_the_string, rig_set_up,
            rig_tear_down),
        cmocka_unit_test_setup_teardown(C27_reputation_does_not_confirm_itself, rig_set_up,
                                        rig_tear_down),
        cmocka_unit_test_setup_teardown(what_nobody_asks_reputation_about_teaches_nothing,
                                        rig_set_up, rig_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
