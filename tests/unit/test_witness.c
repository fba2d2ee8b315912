/*
 * witness: which answers are found to be those of logged messages; and what calibration.c makes of
 * their lengths, whatever is in them.  witness_io.c is tested with the program
 * (tests/end2end/test_sniffer_witness.py).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/base/slice.h"
#include "sniffer/calibration.h"
#include "sniffer/witness.h"
#include "tests/unit/seeded.h"

#define NOON (1795262400 * WEIR_SECOND) /* 2026-11-21T12:00:00Z */
#define LINE(at, hops, action) \
    "at=" at " program=milter queue_id=4X listener=25 hops=" hops " name=- dkim=- " \
    "verdict=ham score=0.00 action=" action " boundary=- hop=0:x sender=<action=pass>"

static struct weir_address address(unsigned number)
{
    char text[32];
    struct weir_address address;

    snprintf(text, sizeof text, "192.0.2.%u", number);
    assert_int_equal(weir_address_parse(text, strlen(text), &address), 0);
    return address;
}

static void lines_of_the_last_seconds_about_messages_of_somebody_are_read(void **state)
{
    static const struct {
        const char *line;
        int want;
        bool accepted;
    } cases[] = {
        {LINE("2026-11-21T12:00:00Z", "192.0.2.1", "pass"), 1, true},
        {LINE("2026-11-21T12:00:00Z", "192.0.2.1,198.51.100.1", "quarantine"), 1, true},
        {LINE("2026-11-21T12:00:00Z", "192.0.2.1", "reject"), 1, false},
        {LINE("2026-11-21T12:00:00Z", "192.0.2.1", "defer"), 1, false},
        {LINE("2026-11-21T12:00:00Z", "192.0.2.1", "drop"), 1, false},
        {LINE("2026-11-21T11:59:50Z", "192.0.2.1", "pass"), 1, true},
        {LINE("2026-11-21T11:59:49Z", "192.0.2.1", "pass"), 0, false},
        {LINE("2026-11-21T12:00:01Z", "192.0.2.1", "pass"), 0, false},
        {LINE("2026-11-21", "192.0.2.1", "pass"), 0, false},
        {LINE("-", "192.0.2.1", "pass"), 0, false},
        {LINE("1795262400", "192.0.2.1", "pass"), 0, false},
        {LINE("2026-11-21T12:00:00Z", "-", "pass"), 0, false},
        {LINE("2026-11-21T12:00:00Z", "-,192.0.2.1", "pass"), 0, false},
        {LINE("2026-11-21T12:00:00Z", "", "pass"), 0, false},
        {"at=2026-11-21T12:00:00Z hops=192.0.2.1", 0, false},
        {"at=1795262400.000000 kind=traffic address=192.0.2.1 messages=1", 0, false},
        {"", 0, false},
    };
    struct weir_witness witness;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int got = weir_witness_read(weir_slice_of(cases[i].line), NOON + 500000, &witness);

        if (got != cases[i].want || (got > 0 && witness.accepted != cases[i].accepted))
            fail_msg("%d of %s", got, cases[i].line);
    }
    assert_int_equal(weir_witness_read(weir_slice_of(cases[0].line), NOON + 500000, &witness), 1);
    assert_true(witness.time == NOON && witness.port == 25);
}

/* What is heard and logged, in tenths of a second after noon and by client; then what is found. */
struct stage {
    struct weir_witnesses *witnesses;
};

static void hear(struct stage *stage, unsigned tenth, unsigned client, unsigned reply)
{
    struct weir_turn turn = {.time = NOON + tenth * (WEIR_SECOND / 10), .client = address(client),
                             .server = address(200), .port = 25, .reply = (uint16_t)reply};

    weir_witnesses_heard(stage->witnesses, &turn);
}

static void log_message(struct stage *stage, unsigned second, unsigned client, bool accepted)
{
    struct weir_witness witness = {.time = NOON + second * WEIR_SECOND, .client = address(client),
                                   .port = 25, .accepted = accepted};

    weir_witnesses_logged(stage->witnesses, &witness);
}

/* The length that is found by then; 0: none. */
static unsigned find_by(struct stage *stage, unsigned second)
{
    struct weir_turn turn;

    return weir_witnesses_next(stage->witnesses, NOON + second * WEIR_SECOND, &turn) ? turn.reply
                                                                                     : 0;
}

static struct stage stage_open(void)
{
    struct stage stage;

    assert_int_equal(weir_witnesses_new(&stage.witnesses), 0);
    return stage;
}

static void the_only_answer_to_a_client_is_that_of_its_message(void **state)
{
    struct stage stage = stage_open();

    (void)state;
    hear(&stage, 3, 1, 34);
    hear(&stage, 4, 2, 90);
    log_message(&stage, 0, 1, true);
    assert_int_equal(find_by(&stage, 3), 0); /* its time is not over */
    assert_int_equal(find_by(&stage, 4), 34);
    assert_int_equal(find_by(&stage, 9), 0);
    log_message(&stage, 0, 1, true); /* found once */
    assert_int_equal(find_by(&stage, 9), 0);
    log_message(&stage, 0, 2, false); /* refused: teaches nothing, but is found */
    log_message(&stage, 0, 2, true);
    assert_int_equal(find_by(&stage, 9), 0);
    weir_witnesses_free(&stage.witnesses);
    weir_witnesses_free(&stage.witnesses);
    weir_witnesses_free(NULL);
}

static void what_may_be_another_s_is_not_found(void **state)
{
    struct stage stage = stage_open();
    struct weir_witness other = {.time = NOON + 50 * WEIR_SECOND, .client = address(5),
                                 .port = 587, .accepted = true};

    (void)state;
    hear(&stage, 100, 1, 34); /* two answers */
    hear(&stage, 105, 1, 34);
    log_message(&stage, 10, 1, true);
    assert_int_equal(find_by(&stage, 20), 0);
    hear(&stage, 200, 2, 34); /* in the clear, too */
    hear(&stage, 205, 2, 0);
    log_message(&stage, 20, 2, true);
    assert_int_equal(find_by(&stage, 30), 0);
    hear(&stage, 299, 3, 34); /* before, and too late */
    hear(&stage, 340, 3, 34);
    log_message(&stage, 30, 3, true);
    assert_int_equal(find_by(&stage, 40), 0);
    hear(&stage, 439, 4, 35); /* just in time */
    log_message(&stage, 40, 4, true);
    assert_int_equal(find_by(&stage, 50), 35);
    hear(&stage, 500, 5, 34); /* of another port */
    weir_witnesses_logged(stage.witnesses, &other);
    assert_int_equal(find_by(&stage, 60), 0);
    weir_witnesses_free(&stage.witnesses);
}

static void more_than_is_remembered_is_not_found(void **state)
{
    struct stage stage = stage_open();

    (void)state;
    hear(&stage, 1, 1, 34);
    for (unsigned i = 0; i < WEIR_WITNESS_TURNS; i++)
        hear(&stage, 2, 2, 34);
    log_message(&stage, 0, 1, true);
    assert_int_equal(find_by(&stage, 9), 0);
    hear(&stage, 105, 1, 36);
    log_message(&stage, 10, 1, true);
    assert_int_equal(find_by(&stage, 19), 36);
    for (unsigned i = 0; i < 2 * WEIR_WITNESS_WAITING; i++)
        log_message(&stage, 30, 7, true);
    assert_int_equal(find_by(&stage, 39), 0);
    weir_witnesses_free(&stage.witnesses);
}

static void a_clock_that_steps_back_holds_nothing_up(void **state)
{
    struct stage stage = stage_open();

    (void)state;
    log_message(&stage, 5000, 1, true);
    hear(&stage, 2, 1, 34);
    log_message(&stage, 0, 1, true);
    assert_int_equal(find_by(&stage, 5), 34);
    weir_witnesses_free(&stage.witnesses);
}

static void plug_ins_teach_the_lengths_of_a_server_s_replies(void **state)
{
    struct weir_calibration calibration = {.count = 0};
    struct weir_address mx = address(1);
    unsigned least, most;

    (void)state;
    for (unsigned i = 0; i < WEIR_CALIBRATION_LEAST; i++) {
        assert_false(weir_calibration_bounds(&calibration, &mx, 25, &least, &most));
        assert_int_equal(weir_calibration_known(&calibration), 0);
        assert_true(weir_calibration_witness(&calibration, &mx, 25, 100 + i));
    }
    assert_true(weir_calibration_bounds(&calibration, &mx, 25, &least, &most));
    assert_int_equal(least, 100 - WEIR_CALIBRATION_SHORTER);
    assert_int_equal(most, 100 + WEIR_CALIBRATION_LEAST - 1 + WEIR_CALIBRATION_LONGER);
    assert_int_equal(weir_calibration_known(&calibration), 1);
    weir_calibration_learn(&calibration, &mx, 25, 9, 60, 110); /* in the clear, too */
    assert_true(weir_calibration_bounds(&calibration, &mx, 25, &least, &most));
    assert_int_equal(least, 60 - WEIR_CALIBRATION_SHORTER);
    assert_int_equal(most, 110 + WEIR_CALIBRATION_LONGER);
}

static void one_wrong_length_changes_nothing_and_many_are_forgotten(void **state)
{
    struct weir_calibration calibration = {.count = 0};
    struct weir_address mx = address(1);
    unsigned least, most;

    (void)state;
    for (unsigned i = 0; i < 3 * WEIR_CALIBRATION_RECENT; i++) {
        weir_calibration_witness(&calibration, &mx, 25, i % 2 ? 38 : 37);
        if (i % WEIR_CALIBRATION_RECENT == 5)
            weir_calibration_witness(&calibration, &mx, 25, 12);
        if (i % WEIR_CALIBRATION_RECENT == 20)
            weir_calibration_witness(&calibration, &mx, 25, 160);
    }
    assert_true(weir_calibration_bounds(&calibration, &mx, 25, &least, &most));
    assert_int_equal(least, 37 - WEIR_CALIBRATION_SHORTER);
    assert_int_equal(most, 38 + WEIR_CALIBRATION_LONGER);
    for (unsigned i = 0; i < WEIR_CALIBRATION_RECENT; i++)
        weir_calibration_witness(&calibration, &mx, 25, 150);
    weir_calibration_bounds(&calibration, &mx, 25, &least, &most);
    assert_int_equal(least, 150 - WEIR_CALIBRATION_SHORTER);
    for (unsigned i = 0; i < WEIR_CALIBRATION_RECENT; i++)
        weir_calibration_witness(&calibration, &mx, 25, 38);
    weir_calibration_bounds(&calibration, &mx, 25, &least, &most);
    assert_int_equal(most, 38 + WEIR_CALIBRATION_LONGER);
}

static void whatever_lines_say_bounds_stay_within_named_ones(void **state)
{
    struct weir_calibration calibration = {.count = 0};
    struct seeded seeded = seeded_new(__func__);
    struct weir_address mx = address(1);
    unsigned least, most, taken = 0;

    (void)state;
    assert_false(weir_calibration_witness(&calibration, &mx, 25,
                                          WEIR_CALIBRATION_REPLY_LEAST - 1));
    assert_false(weir_calibration_witness(&calibration, &mx, 25, WEIR_CALIBRATION_REPLY_MOST + 1));
    assert_false(weir_calibration_witness(&calibration, &mx, 25, 0));
    assert_int_equal(calibration.count, 0);
    for (unsigned i = 0; i < 10000; i++) {
        taken += weir_calibration_witness(&calibration, &mx, 25, seeded_below(&seeded, 70000));
        if (!weir_calibration_bounds(&calibration, &mx, 25, &least, &most))
            continue;
        assert_true(least >= WEIR_CALIBRATION_REPLY_LEAST - WEIR_CALIBRATION_SHORTER);
        assert_true(most <= WEIR_CALIBRATION_REPLY_MOST + WEIR_CALIBRATION_LONGER);
        assert_true(least < most);
    }
    assert_true(taken > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_the_last_seconds_about_messages_of_somebody_are_read),
        cmocka_unit_test(the_only_answer_to_a_client_is_that_of_its_message),
        cmocka_unit_test(what_may_be_another_s_is_not_found),
        cmocka_unit_test(more_than_is_remembered_is_not_found),
        cmocka_unit_test(a_clock_that_steps_back_holds_nothing_up),
        cmocka_unit_test(plug_ins_teach_the_lengths_of_a_server_s_replies),
        cmocka_unit_test(one_wrong_length_changes_nothing_and_many_are_forgotten),
        cmocka_unit_test(whatever_lines_say_bounds_stay_within_named_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
