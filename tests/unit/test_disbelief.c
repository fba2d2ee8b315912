/* disbelief: decisions that were not believed are shown for an hour, and told of once. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "monitor/analyzer/disbelief.h"

#define START (500000 * WEIR_HOUR)

static uint64_t unknown_at(const struct weir_disbelief *disbelief, weir_time now)
{
    uint64_t sum[WEIR_RECORD_STATES];
    bool there = weir_disbelief_sum(disbelief, now, sum);

    assert_int_equal(there, sum[WEIR_RECORD_UNKNOWN_KEY] > 0);
    return sum[WEIR_RECORD_UNKNOWN_KEY];
}

static void what_was_not_believed_is_shown_for_an_hour(void **state)
{
    struct weir_disbelief disbelief = {0};

    (void)state;
    assert_int_equal(unknown_at(&disbelief, START), 0);
    for (int i = 0; i < 9; i++)
        weir_disbelief_note(&disbelief, WEIR_RECORD_UNKNOWN_KEY, START + i * 10 * WEIR_MINUTE);
    assert_int_equal(unknown_at(&disbelief, START + 80 * WEIR_MINUTE), 7);
    assert_int_equal(unknown_at(&disbelief, START + 140 * WEIR_MINUTE), 1);
    assert_int_equal(unknown_at(&disbelief, START + 150 * WEIR_MINUTE), 0);
    assert_int_equal(unknown_at(&disbelief, START + 1000 * WEIR_HOUR), 0);
    assert_int_equal(unknown_at(&disbelief, START), 0); /* a clock that went back */
}

static void what_is_good_or_something_else_is_no_trouble(void **state)
{
    struct weir_disbelief disbelief = {0};
    uint64_t sum[WEIR_RECORD_STATES];

    (void)state;
    weir_disbelief_note(&disbelief, WEIR_RECORD_GOOD, START);
    weir_disbelief_note(&disbelief, WEIR_RECORD_OTHER, START);
    assert_false(weir_disbelief_sum(&disbelief, START, sum));
    assert_int_equal(sum[WEIR_RECORD_GOOD], 1);
    for (enum weir_record_state of = WEIR_RECORD_FOREIGN; of < WEIR_RECORD_STATES; of++) {
        struct weir_disbelief another = {0};

        weir_disbelief_note(&another, of, START);
        assert_true(weir_disbelief_sum(&another, START, sum));
    }
}

static void it_is_told_once_for_as_long_as_it_lasts(void **state)
{
    struct weir_disbelief disbelief = {0};

    (void)state;
    assert_false(weir_disbelief_news(&disbelief, START));
    weir_disbelief_note(&disbelief, WEIR_RECORD_BAD, START);
    assert_true(weir_disbelief_news(&disbelief, START));
    weir_disbelief_note(&disbelief, WEIR_RECORD_BAD, START + 50 * WEIR_MINUTE);
    assert_false(weir_disbelief_news(&disbelief, START + 100 * WEIR_MINUTE));
    assert_false(weir_disbelief_news(&disbelief, START + 120 * WEIR_MINUTE)); /* it is over */
    weir_disbelief_note(&disbelief, WEIR_RECORD_BAD, START + 121 * WEIR_MINUTE);
    assert_true(weir_disbelief_news(&disbelief, START + 121 * WEIR_MINUTE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_not_believed_is_shown_for_an_hour),
        cmocka_unit_test(what_is_good_or_something_else_is_no_trouble),
        cmocka_unit_test(it_is_told_once_for_as_long_as_it_lasts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
