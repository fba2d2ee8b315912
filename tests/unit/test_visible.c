/*
 * visible - what a stranger wrote is shown only where it is text to the eye (visible.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "core/base/slice.h"
#include "core/base/visible.h"

static void characters_are_as_long_as_they_are_and_others_are_none(void **state)
{
    static const struct {
        const char *text;
        size_t octets;
    } cases[] = {
        {"", 0},                  {"a", 1},                 {"~", 1},
        {" ", 1},                 {"\x1b[31m", 0},          {"\t", 0},
        {"\n", 0},                {"\x7f", 0},              {"\xc2\x80", 0},
        {"\xc2\x9b", 0},          {"\xc2\xa0", 2},          {"\xc2\xad", 0},
        {"\xc3\xbc", 2},          {"\xdf\xbf", 2},          {"\xc3", 0},
        {"\xc3z", 0},             {"\x9b", 0},              {"\xc0\x9b", 0},
        {"\xc1\xbf", 0},          {"\xe0\x82\x9b", 0},      {"\xe0\x9f\xbf", 0},
        {"\xe0\xa0\x80", 3},      {"\xe2\x82\xac", 3},      {"\xe2\x82", 0},
        {"\xe2\x80\x8b", 0},      {"\xe2\x80\x8d", 3},      {"\xe2\x80\x8f", 0},
        {"\xe2\x80\xae", 0},      {"\xe2\x81\xa6", 0},      {"\xe2\x81\xb0", 3},
        {"\xed\x9f\xbf", 3},      {"\xed\xa0\x80", 0},      {"\xed\xbf\xbf", 0},
        {"\xee\x80\x80", 3},      {"\xef\xbb\xbf", 0},      {"\xd8\x9c", 0},
        {"\xf0\x82\x82\xac", 0},  {"\xf0\x8f\xbf\xbf", 0},  {"\xf0\x90\x80\x80", 4},
        {"\xf0\x9f\x98\x80", 4},  {"\xf3\xa0\x81\x81", 0},  {"\xf4\x8f\xbf\xbf", 4},
        {"\xf4\x90\x80\x80", 0},  {"\xf5\x80\x80\x80", 0},  {"\xff", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (weir_visible_octets(weir_slice_of(cases[i].text)) != cases[i].octets)
            fail_msg("case %zu", i);
}

static void nothing_is_read_behind_the_end(void **state)
{
    static const char text[] = "\xf0\x9f\x98\x80";

    (void)state;
    for (size_t len = 0; len < 4; len++)
        assert_int_equal(weir_visible_octets((struct weir_slice){text, len}), 0);
}

static void a_text_is_visible_when_all_of_it_is(void **state)
{
    (void)state;
    assert_true(weir_visible(weir_slice_of("")));
    assert_true(weir_visible(weir_slice_of("a \xc3\xbc")));
    assert_false(weir_visible(weir_slice_of("a\x1b[2J")));
    assert_false(weir_visible(weir_slice_of("a\xc3")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(characters_are_as_long_as_they_are_and_others_are_none),
        cmocka_unit_test(nothing_is_read_behind_the_end),
        cmocka_unit_test(a_text_is_visible_when_all_of_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
