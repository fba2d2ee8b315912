/*
 * ctl_chart - bars of text, line by line.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/ctl/ctl_chart.h"

static void chart_is(const struct weir_ctl_chart *chart, const char *want)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    weir_ctl_chart(chart, out);
    fclose(out);
    assert_string_equal(text, want);
    free(text);
}

static void bars_stand_as_high_as_their_numbers(void **state)
{
    static const double values[] = {0, 1, 4, 8, 16, 0.01, -3};
    const struct weir_ctl_chart blocks = {values, 7, 2, true, false};
    const struct weir_ctl_chart plain = {values, 7, 2, false, true};
    (void)state;
    chart_is(&blocks, "        16 |    █  \n"
                      "         0 | ▁▄██▁ \n");
    chart_is(&plain, "        16 |        #     \n"
                     "         0 |  . : # # .   \n");
}

static void nothing_and_numbers_that_are_none_have_no_bar(void **state)
{
    static const double values[] = {NAN, 0, INFINITY};
    const struct weir_ctl_chart chart = {values, 3, 1, true, false};
    const struct weir_ctl_chart none = {values, 0, 1, true, false};
    (void)state;
    chart_is(&chart, "         0 |   \n");
    chart_is(&none, "         0 |\n");
}

static void a_bar_that_lies_is_as_long_as_its_part(void **state)
{
    static const struct {
        double part;
        const char *utf8, *plain;
    } cases[] = {
        {0, "", ""}, {1, "████", "####"}, {0.5, "██", "##"}, {7, "████", "####"},
        {0.001, "▏", "#"}, {0.28, "█▏", "#"}, {NAN, "", ""}, {-1, "", ""},
    };
    char text[16];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_string_equal(weir_ctl_bar(cases[i].part, 4, true, text), cases[i].utf8);
        assert_string_equal(weir_ctl_bar(cases[i].part, 4, false, text), cases[i].plain);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bars_stand_as_high_as_their_numbers),
        cmocka_unit_test(nothing_and_numbers_that_are_none_have_no_bar),
        cmocka_unit_test(a_bar_that_lies_is_as_long_as_its_part),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
