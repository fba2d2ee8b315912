/* line - lines are bounded, clean, and numbers read as people expect. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/line.h"

static void pieces_follow_each_other(void **state)
{
    char buffer[64];
    struct weir_line line = weir_line(buffer, sizeof buffer);

    (void)state;
    weir_line_text(&line, "a=");
    weir_line_count(&line, 0);
    weir_line_text(&line, " b=");
    weir_line_count(&line, UINT64_MAX);
    assert_string_equal(weir_line_end(&line), "a=0 b=18446744073709551615");
    assert_false(line.cut);
}

static void a_line_is_filled_to_the_last_octet_and_not_beyond(void **state)
{
    char buffer[9] = "########";
    struct weir_line line = weir_line(buffer, 8);

    (void)state;
    weir_line_text(&line, "1234567");
    assert_false(line.cut);
    assert_string_equal(weir_line_end(&line), "1234567");
    weir_line_text(&line, "8");
    assert_true(line.cut);
    assert_string_equal(weir_line_end(&line), "1234567");
    assert_int_equal(buffer[8], '\0');

    line = weir_line(buffer, 1);
    weir_line_text(&line, "x");
    assert_string_equal(weir_line_end(&line), "");
}

static void foreign_text_cannot_forge_lines_or_fields(void **state)
{
    static const struct {
        const char *in;
        bool blanks;
        const char *out;
    } table[] = {
        {"plain@example.com", false, "plain@example.com"},
        {"two words", false, "two_words"},
        {"two words", true, "two words"},
        {"line\nverdict=ham", false, "line?verdict=ham"},
        {"\033[31mred\177", true, "?[31mred?"},
        {"gr\303\274n", true, "gr??n"},
    };
    char buffer[64];

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct weir_line line = weir_line(buffer, sizeof buffer);
        weir_line_foreign(&line, (struct weir_slice){table[i].in, strlen(table[i].in)},
                          table[i].blanks);
        assert_string_equal(weir_line_end(&line), table[i].out);
    }
}

static void numbers_are_as_printf_writes_them(void **state)
{
    char buffer[64], want[64];
    unsigned seed = getenv("WEIR_SEED") ? (unsigned)atoi(getenv("WEIR_SEED")) : 20261121;

    (void)state;
    print_message("WEIR_SEED=%u\n", seed);
    srand(seed);
    for (int i = 0; i < 20000; i++) {
        /* Halves are rounded away from zero, which printf does not: keep off them. */
        double number = (rand() % 2000001 - 1000000) / 997.0;
        unsigned digits = (unsigned)rand() % 7;
        struct weir_line line = weir_line(buffer, sizeof buffer);

        weir_line_number(&line, number, digits);
        snprintf(want, sizeof want, "%.*f", (int)digits, number);
        /* printf writes "-0.00" for what rounds to nothing; a log reader would wonder. */
        assert_string_equal(weir_line_end(&line), want + (want[0] == '-' && atof(want) == 0));
    }
}

static void odd_numbers_are_written_too(void **state)
{
    static const struct {
        double number;
        unsigned digits;
        const char *out;
    } table[] = {
        {0, 2, "0.00"},
        {-0.0, 2, "0.00"},
        {0.005, 2, "0.01"},
        {-0.004, 2, "0.00"},
        {0.999, 2, "1.00"},
        {-2.0 / 3, 2, "-0.67"},
        {NAN, 2, "-"},
        {INFINITY, 2, "-"},
        {-INFINITY, 0, "-"},
        {1e17, 0, "100000000000000000"},
        {1e300, 2, "-"},
        {3.0, 9, "3.000000"},
        {0.000001, 6, "0.000001"},
    };
    char buffer[64];

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct weir_line line = weir_line(buffer, sizeof buffer);
        weir_line_number(&line, table[i].number, table[i].digits);
        assert_string_equal(weir_line_end(&line), table[i].out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_follow_each_other),
        cmocka_unit_test(a_line_is_filled_to_the_last_octet_and_not_beyond),
        cmocka_unit_test(foreign_text_cannot_forge_lines_or_fields),
        cmocka_unit_test(numbers_are_as_printf_writes_them),
        cmocka_unit_test(odd_numbers_are_written_too),
    };
    return cmocka_run_group_tests_name("line", tests, NULL, NULL);
}
