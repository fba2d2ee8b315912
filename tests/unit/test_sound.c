/* sound: a step of the wall clock is believed when it has gone evenly for an hour after it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "monitor/sound.h"

#define THEN (1795000000 * WEIR_SECOND)

struct clocks {
    struct weir_sound sound;
    weir_time wall, steady, right; /* right: the wall clock, had nobody set it */
};

/* Some time goes by, and the wall clock is set by so much: what the sound time is then. */
static weir_time after(struct clocks *clocks, weir_time span, weir_time by)
{
    clocks->wall += span + by;
    clocks->right += span;
    clocks->steady += span;
    return weir_sound_now(&clocks->sound, clocks->wall, clocks->steady);
}

static struct clocks begun(void)
{
    struct clocks clocks = {.wall = THEN, .right = THEN, .steady = 77 * WEIR_SECOND};

    assert_true(after(&clocks, 0, 0) == THEN);
    return clocks;
}

static void a_clock_that_is_wrong_for_less_than_an_hour_misleads_nobody(void **state)
{
    static const weir_time by[] = {365 * WEIR_DAY, -365 * WEIR_DAY, WEIR_STEP_LEAST + 1,
                                   -WEIR_STEP_LEAST - 1};

    (void)state;
    for (size_t i = 0; i < sizeof by / sizeof by[0]; i++) {
        struct clocks clocks = begun();

        assert_true(after(&clocks, WEIR_SECOND, by[i]) == clocks.right);
        assert_true(after(&clocks, WEIR_SOUND_AFTER - 1, 0) == clocks.right);
        assert_true(after(&clocks, 0, -by[i]) == clocks.right);
        assert_true(after(&clocks, 2 * WEIR_SOUND_AFTER, 0) == clocks.right);
    }
}

static void a_step_is_believed_after_an_hour_and_its_way_back_as_late(void **state)
{
    struct clocks clocks = begun();

    (void)state;
    assert_true(after(&clocks, WEIR_SECOND, WEIR_DAY) == clocks.right);
    assert_true(after(&clocks, WEIR_SOUND_AFTER, 0) == clocks.wall);
    assert_true(after(&clocks, WEIR_DAY, -WEIR_DAY) == clocks.wall + WEIR_DAY);
    assert_true(after(&clocks, WEIR_SOUND_AFTER - 1, 0) == clocks.wall + WEIR_DAY);
    assert_true(after(&clocks, 1, 0) == clocks.wall);
}

static void the_hour_begins_anew_with_each_step(void **state)
{
    struct clocks clocks = begun();

    (void)state;
    for (int i = 0; i < 9; i++)
        assert_true(after(&clocks, WEIR_SOUND_AFTER - 1, WEIR_DAY) == clocks.right);
    assert_true(after(&clocks, WEIR_SOUND_AFTER, 0) == clocks.wall);
}

static void corrections_are_followed(void **state)
{
    struct clocks clocks = begun();

    (void)state;
    for (int i = 0; i < 99; i++)
        assert_true(after(&clocks, WEIR_SECOND, WEIR_STEP_LEAST) == clocks.wall);
    assert_true(after(&clocks, WEIR_SECOND, -WEIR_STEP_LEAST) == clocks.wall);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_that_is_wrong_for_less_than_an_hour_misleads_nobody),
        cmocka_unit_test(a_step_is_believed_after_an_hour_and_its_way_back_as_late),
        cmocka_unit_test(the_hour_begins_anew_with_each_step),
        cmocka_unit_test(corrections_are_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
