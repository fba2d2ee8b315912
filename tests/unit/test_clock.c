/* clock: a hand that moves when told, the system's two, and time as text. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/clock.h"
#include "tests/unit/seeded.h"

static void a_fixed_clock_shows_its_hand(void **state)
{
    (void)state;
    weir_time hand = 5 * WEIR_SECOND;
    struct weir_clock clock = weir_clock_fixed(&hand);
    assert_true(weir_clock_now(&clock) == 5 * WEIR_SECOND);
    assert_true(weir_clock_now(&clock) == 5 * WEIR_SECOND);
    hand += WEIR_DAY;
    assert_true(weir_clock_now(&clock) == 5 * WEIR_SECOND + WEIR_DAY);
}

static void the_system_clock_agrees_with_time(void **state)
{
    (void)state;
    struct weir_clock clock = weir_clock_system();
    time_t before = time(NULL);
    weir_time now = weir_clock_now(&clock);
    time_t after = time(NULL);
    assert_in_range(now / WEIR_SECOND, before, after + 1);
}

static void the_steady_clock_never_goes_back(void **state)
{
    (void)state;
    struct weir_clock clock = weir_clock_steady();
    weir_time last = weir_clock_now(&clock);
    for (int i = 0; i < 1000; i++) {
        weir_time now = weir_clock_now(&clock);
        assert_true(now >= last);
        last = now;
    }
}

static void known_times_are_written_as_known(void **state)
{
    (void)state;
    static const struct {
        weir_time time;
        const char *want;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z"},
        {999999, "1970-01-01T00:00:00Z"},
        {INT64_C(951782399) * WEIR_SECOND, "2000-02-28T23:59:59Z"},
        {INT64_C(951782400) * WEIR_SECOND, "2000-02-29T00:00:00Z"},
        {INT64_C(951868800) * WEIR_SECOND, "2000-03-01T00:00:00Z"},
        {INT64_C(4107542399) * WEIR_SECOND, "2100-02-28T23:59:59Z"},
        {INT64_C(4107542400) * WEIR_SECOND, "2100-03-01T00:00:00Z"},
        {INT64_C(253402300800) * WEIR_SECOND - 1, "9999-12-31T23:59:59Z"},
        {INT64_C(253402300800) * WEIR_SECOND, "-"},
        {-1, "-"},
        {INT64_MIN, "-"},
        {INT64_MAX, "-"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char buffer[WEIR_TIME_TEXT];
        assert_string_equal(weir_time_format(cases[i].time, buffer), cases[i].want);
    }
}

static void check_against_the_c_library(int64_t second)
{
    char got[WEIR_TIME_TEXT], want[64];
    time_t time = (time_t)second;
    struct tm tm;
    gmtime_r(&time, &tm);
    strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%SZ", &tm);
    assert_string_equal(weir_time_format(second * WEIR_SECOND, got), want);
}

static void every_day_to_the_year_10000_is_the_c_librarys(void **state)
{
    (void)state;
    struct seeded s = seeded_new(__func__);
    const int64_t end = INT64_C(253402300800);
    for (int64_t day = 0; day < end; day += 86400)
        check_against_the_c_library(day + seeded_below(&s, 86400));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fixed_clock_shows_its_hand),
        cmocka_unit_test(the_system_clock_agrees_with_time),
        cmocka_unit_test(the_steady_clock_never_goes_back),
        cmocka_unit_test(known_times_are_written_as_known),
        cmocka_unit_test(every_day_to_the_year_10000_is_the_c_librarys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
