/*
 * How far a server's clock is from the monitor's, and ends in its own time (monitor/agent/skew.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "monitor/agent/skew.h"

#define S WEIR_SECOND
#define NOW (1795000000 * S)

/* An answer of a monitor against which we are so far ahead, made so long behind the question. */
static bool answer(struct weir_skew *skew, weir_time ahead, weir_time before, weir_time behind)
{
    weir_time said = NOW / S * S;

    return weir_skew_note(skew, NOW + ahead - before, NOW + ahead + behind, said);
}

static void small_differences_and_slow_answers_are_none(void **state)
{
    static const struct { weir_time ahead, before, behind; } cases[] = {
        {0, 0, 0}, {4 * S, 0, 0}, {-4 * S, 0, 0}, {0, 25 * S, 0}, {0, 0, 60 * S},
        {0, 20 * S, 90 * S}, {S / 2, S, S}};
    struct weir_skew skew = {0};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_false(answer(&skew, cases[i].ahead, cases[i].before, cases[i].behind));
        assert_int_equal(skew.ahead, 0);
    }
}

static void a_clock_that_is_wrong_is_known_and_forgotten_when_it_is_set(void **state)
{
    struct weir_skew skew = {0};

    (void)state;
    assert_true(answer(&skew, 600 * S, S / 100, S / 100));
    assert_in_range(skew.ahead, 598 * S, 602 * S);
    assert_false(answer(&skew, 600 * S, 25 * S, 0)); /* what is known fits */
    assert_false(answer(&skew, 601 * S, S, S));
    assert_true(answer(&skew, -3600 * S, S / 100, S / 100));
    assert_in_range(-skew.ahead, 3598 * S, 3602 * S);
    assert_true(answer(&skew, 0, S / 100, S / 100));
    assert_int_equal(skew.ahead, 0);
}

static void times_that_cannot_be_are_not_believed(void **state)
{
    struct weir_skew skew = {0};

    (void)state;
    assert_false(weir_skew_note(&skew, NOW, NOW - S, NOW - 900 * S)); /* set back meanwhile */
    assert_false(weir_skew_note(&skew, NOW, NOW, 0));
    assert_int_equal(skew.ahead, 0);
}

static void ends_are_moved_but_for_none(void **state)
{
    struct weir_command_entry set[] = {{.entry.ends = NOW}, {.entry.ends = 0},
                                       {.entry.ends = 3 * S}, {.entry.ends = INT64_MAX / S * S}};
    struct weir_command command = {.set = set, .sets = 4};
    struct weir_skew skew = {-600 * S - S / 2};

    (void)state;
    weir_skew_convert(&skew, &command);
    assert_int_equal(set[0].entry.ends, NOW - 600 * S);
    assert_int_equal(set[1].entry.ends, 0);
    assert_int_equal(set[2].entry.ends, S); /* over, and not for ever */
    assert_int_equal(set[3].entry.ends, INT64_MAX / S * S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_differences_and_slow_answers_are_none),
        cmocka_unit_test(a_clock_that_is_wrong_is_known_and_forgotten_when_it_is_set),
        cmocka_unit_test(times_that_cannot_be_are_not_believed),
        cmocka_unit_test(ends_are_moved_but_for_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
