/* step: a wall clock that is set, seen from the steady one. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/base/step.h"

#define THEN (1795000000 * WEIR_SECOND)

struct clocks {
    struct weir_step step;
    weir_time wall, steady;
};

/* Some time goes by, and the wall clock is set by so much. */
static weir_time after(struct clocks *clocks, weir_time span, weir_time by)
{
    clocks->wall += span + by;
    clocks->steady += span;
    return weir_step_look(&clocks->step, clocks->wall, clocks->steady);
}

static void a_step_is_told_once_and_so_is_the_way_back(void **state)
{
    struct clocks clocks = {.wall = THEN, .steady = 77 * WEIR_SECOND};

    (void)state;
    assert_true(after(&clocks, 0, 0) == 0);
    assert_true(after(&clocks, WEIR_MINUTE, 40 * WEIR_DAY) == 40 * WEIR_DAY);
    assert_true(after(&clocks, WEIR_MINUTE, 0) == 0);
    assert_true(after(&clocks, WEIR_DAY, -40 * WEIR_DAY) == -40 * WEIR_DAY);
    assert_true(after(&clocks, WEIR_MINUTE, 0) == 0);
}

static void corrections_up_to_the_limit_are_no_steps(void **state)
{
    struct clocks clocks = {.wall = THEN};

    (void)state;
    assert_true(after(&clocks, 0, 0) == 0);
    for (int i = 0; i < 59; i++)
        assert_true(after(&clocks, WEIR_MINUTE, i % 3 ? WEIR_STEP_LEAST : -WEIR_STEP_LEAST) == 0);
    assert_true(after(&clocks, WEIR_MINUTE, WEIR_STEP_LEAST + 1) == WEIR_STEP_LEAST + 1);
    assert_true(after(&clocks, WEIR_MINUTE, -WEIR_STEP_LEAST - 1) == -WEIR_STEP_LEAST - 1);
}

/* Where the steady clock begins at 0 and the wall clock, too, nothing is mistaken for "never". */
static void the_first_look_says_nothing_whatever_the_clocks_say(void **state)
{
    struct clocks zero = {.wall = 0}, late = {.wall = THEN};

    (void)state;
    assert_true(after(&zero, 0, 0) == 0);
    assert_true(after(&zero, WEIR_SECOND, WEIR_HOUR) == WEIR_HOUR);
    assert_true(after(&late, 0, 0) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_is_told_once_and_so_is_the_way_back),
        cmocka_unit_test(corrections_up_to_the_limit_are_no_steps),
        cmocka_unit_test(the_first_look_says_nothing_whatever_the_clocks_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
