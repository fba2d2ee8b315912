/*
 * Slices (core/base/slice.h): words, blanks and hex digits, against what C's library says.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <stdlib.h>

#include "core/base/slice.h"

static void a_character_is_of_its_kind(void **state)
{
    (void)state;
    for (int c = -128; c < 256; c++) {
        char octet = (char)c;
        int value = (unsigned char)octet;
        assert_int_equal(weir_is_wsp(octet), isblank(value) != 0);
        assert_int_equal(weir_is_space(octet), isspace(value) != 0);
        assert_int_equal(weir_is_blank(octet), value && strchr(" \t\r\n", value) != NULL);
        assert_int_equal(weir_is_digit(octet), isdigit(value) != 0);
        const char hex[] = {octet, '\0'};
        assert_int_equal(weir_hex_value(octet), isxdigit(value) ? strtol(hex, NULL, 16) : -1);
    }
}

static void a_slice_is_compared_as_far_as_it_goes(void **state)
{
    struct weir_slice text = {"Abc.HTML", 7}; /* its L is not in it */
    (void)state;
    assert_true(weir_slice_is(text, "abc.htm") && !weir_slice_is(text, "abc.html"));
    assert_true(weir_slice_equals(text, "Abc.HTM") && !weir_slice_equals(text, "abc.htm"));
    assert_true(weir_slice_begins(text, "ABC") && !weir_slice_begins(text, "abc.html"));
    assert_true(weir_slice_ends(text, ".htm") && !weir_slice_ends(text, "xabc.htm"));
    assert_true(weir_slice_same(text, weir_slice_of("Abc.HTM")));
    assert_true(weir_slice_same((struct weir_slice){NULL, 0}, weir_slice_of("")));
    assert_true(weir_slice_is(weir_slice_of(""), "") && weir_slice_begins(text, ""));
}

static void words_are_taken_off_one_by_one(void **state)
{
    struct weir_slice text = weir_slice_of(" \t one\ftwo \r\n three\v ");
    (void)state;
    assert_true(weir_slice_equals(weir_slice_word(&text), "one"));
    assert_true(weir_slice_equals(text, "two \r\n three"));
    assert_true(weir_slice_equals(weir_slice_word(&text), "two"));
    assert_true(weir_slice_equals(weir_slice_word(&text), "three"));
    assert_int_equal(weir_slice_word(&text).len, 0);
    assert_int_equal(weir_slice_trim(weir_slice_of(" \n")).len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_character_is_of_its_kind),
        cmocka_unit_test(a_slice_is_compared_as_far_as_it_goes),
        cmocka_unit_test(words_are_taken_off_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
