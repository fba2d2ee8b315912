/* settled: when a clock may say what is old. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "monitor/settled.h"

#define THEN (1795000000 * WEIR_SECOND)

struct clocks {
    struct weir_settled settled;
    weir_time wall, steady;
};

static struct clocks started(weir_time last, weir_time wall)
{
    return (struct clocks){weir_settled_begin(last), wall, 77 * WEIR_SECOND};
}

static bool after(struct clocks *clocks, weir_time span, weir_time step)
{
    clocks->wall += span + step;
    clocks->steady += span;
    return weir_settled(&clocks->settled, clocks->wall, clocks->steady, step);
}

static void a_clock_that_goes_on_is_trusted_at_once(void **state)
{
    static const struct {
        weir_time away;
        bool trusted;
    } cases[] = {{0, true}, {WEIR_MINUTE, true}, {WEIR_SETTLED_AWAY, true},
                 {WEIR_SETTLED_AWAY + 1, false}, {-WEIR_SETTLED_BEHIND, true},
                 {-WEIR_SETTLED_BEHIND - 1, false}, {-400 * WEIR_DAY, false}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct clocks clocks = started(THEN, THEN + cases[i].away);
        assert_int_equal(after(&clocks, 0, 0), cases[i].trusted);
    }
}

static void another_time_is_trusted_when_it_has_gone_evenly_for_an_hour(void **state)
{
    struct clocks clocks = started(0, THEN);

    (void)state;
    assert_false(after(&clocks, 0, 0));
    assert_false(after(&clocks, WEIR_SETTLED_AFTER - 1, 0));
    assert_true(after(&clocks, 1, 0));
    assert_true(after(&clocks, WEIR_MINUTE, 0));
}

static void a_step_takes_the_trust_away_and_the_way_back_gives_it_at_once(void **state)
{
    struct clocks clocks = started(THEN, THEN);

    (void)state;
    assert_true(after(&clocks, WEIR_MINUTE, 0));
    assert_false(after(&clocks, WEIR_MINUTE, 40 * WEIR_DAY));
    assert_false(after(&clocks, WEIR_MINUTE, 0));
    assert_true(after(&clocks, WEIR_MINUTE, -40 * WEIR_DAY));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_that_goes_on_is_trusted_at_once),
        cmocka_unit_test(another_time_is_trusted_when_it_has_gone_evenly_for_an_hour),
        cmocka_unit_test(a_step_takes_the_trust_away_and_the_way_back_gives_it_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
