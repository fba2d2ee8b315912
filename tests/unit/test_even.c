/* even: what a clock that is set does to it: nothing. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "sniffer/even.h"

#define THEN (1795000000 * WEIR_SECOND)

static void it_begins_as_the_wall_clock_and_goes_on_as_the_steady_one(void **state)
{
    struct weir_even even = {.now = 0};

    (void)state;
    weir_even_look(&even, THEN, 5 * WEIR_SECOND);
    assert_true(even.now == THEN);
    assert_true(weir_even_of(&even, THEN - 7) == THEN - 7);
    for (int hours = -2; hours <= 2; hours++) {
        weir_even_look(&even, THEN + hours * WEIR_HOUR + 3, 6 * WEIR_SECOND);
        assert_true(even.now == THEN + WEIR_SECOND);
        assert_true(weir_even_of(&even, THEN + hours * WEIR_HOUR) == even.now - 3);
    }
}

static void a_time_from_the_other_side_of_a_step_is_now_at_most(void **state)
{
    struct weir_even even = {.now = 0};

    (void)state;
    weir_even_look(&even, THEN, 5 * WEIR_SECOND);
    assert_true(weir_even_of(&even, THEN + WEIR_HOUR) == THEN); /* set ahead, not looked at yet */
    weir_even_look(&even, THEN - WEIR_HOUR, 5 * WEIR_SECOND);
    assert_true(weir_even_of(&even, THEN - 1) == THEN); /* from before it was set back */
    weir_even_look(&even, THEN, 5 * WEIR_SECOND);
    assert_true(weir_even_of(&even, THEN - WEIR_EVEN_LATE) == THEN - WEIR_EVEN_LATE);
    assert_true(weir_even_of(&even, THEN - WEIR_EVEN_LATE - 1) == THEN); /* and set ahead */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_begins_as_the_wall_clock_and_goes_on_as_the_steady_one),
        cmocka_unit_test(a_time_from_the_other_side_of_a_step_is_now_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
