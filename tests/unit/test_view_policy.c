/* view_policy, view_time - limits, times, spans: what is written is read, and nothing else is. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/view/view_policy.h"
#include "monitor/view/view_time.h"

static void limits_that_are_written_are_read(void **state)
{
    static const struct { double rate, maximum; const char *text; } cases[] = {
        {1, 300, "1/s:300"}, {0.5, 30, "30/min:30"}, {1000000.0 / 86400, 5, "1000000/d:5"},
        {1234567, 1, "1234567/s:1"}, {0, 10, "0/s:10"}, {1, 2.5, "1/s:2.5"},
        {5.0 / 3600, 200, "5/h:200"}, {3, 0, "none"},
    };
    char text[WEIR_VIEW_LIMIT];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double rate = -1, maximum = -1;

        assert_string_equal(weir_view_limit_text(cases[i].rate, cases[i].maximum, text),
                            cases[i].text);
        assert_true(weir_view_limit_read(text, &rate, &maximum));
        assert_true(cases[i].maximum == 0 || fabs(rate - cases[i].rate) <= 1e-9 * rate);
        assert_true(maximum == cases[i].maximum);
    }
}

static void what_is_no_limit_is_refused(void **state)
{
    static const char *const bad[] = {"", "1", "1/s", "1/s:", "/s:1", "1/x:1", "1/s:0", "-1/s:1",
                                      "1/s:1 ", "1e3/s:1", "1/s:1e3", "1..2/s:3", "nan/s:1",
                                      "1/s:2:3", "1234567890123/s:1", "None"};
    double rate, maximum;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(weir_view_limit_read(bad[i], &rate, &maximum));
}

static void times_are_read_as_people_write_them(void **state)
{
    static const struct { const char *text; int64_t seconds; } cases[] = {
        {"1970-01-01", 0}, {"2026-11-21", 1795219200}, {"2026-11-21 18:13", 1795284780},
        {"2026-11-21T18:13:05Z", 1795284785}, {"2026-11-21T19:13:05+01:00", 1795284785},
        {"2026-11-21T12:43:05-0530", 1795284785}, {"1795284785", 1795284785},
        {"2024-02-29", 1709164800}, {"2025-02-29", -1}, {"2026-13-01", -1}, {"2026-00-01", -1},
        {"2026-11-31", -1}, {"2026-11-21T24:00", -1}, {"2026-11-21T18:60", -1}, {"", -1},
        {"x", -1}, {"1795284785x", -1}, {"-5", -1}, {" 5", -1}, {"1969-12-31", -1},
        {"2026-11-21Tx", -1}, {"99999999999999999999", -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        weir_time time = -1;
        int rc = weir_view_time_read(cases[i].text, &time);

        assert_int_equal(rc, cases[i].seconds < 0 ? WEIR_EINVAL : 0);
        assert_true(rc != 0 || time == cases[i].seconds * WEIR_SECOND);
    }
}

static void spans_are_digits_and_a_unit(void **state)
{
    static const struct { const char *text; weir_time span; } cases[] = {
        {"5ms", 5000}, {"1s", WEIR_SECOND}, {"2m", 2 * WEIR_MINUTE}, {"3h", 3 * WEIR_HOUR},
        {"7d", 7 * WEIR_DAY}, {"2w", 14 * WEIR_DAY}, {"999999s", 999999 * WEIR_SECOND},
        {"1000000s", 0}, {"", 0}, {"s", 0}, {"5", 0}, {"5x", 0}, {"-5s", 0}, {"5 s", 0},
        {"5s ", 0}, {"1.5h", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        weir_time span = 0;
        int rc = weir_view_period_read(cases[i].text, &span);

        assert_int_equal(rc, cases[i].span == 0 ? WEIR_EINVAL : 0);
        assert_true(rc != 0 || span == cases[i].span);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_that_are_written_are_read),
        cmocka_unit_test(what_is_no_limit_is_refused),
        cmocka_unit_test(times_are_read_as_people_write_them),
        cmocka_unit_test(spans_are_digits_and_a_unit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
