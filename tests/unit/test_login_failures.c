/*
 * login_failures - the first of a burst at once, the rest by the clock, never one for each guess.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "monitor/console/login_failures.h"

#define NOW (1000 * WEIR_DAY)
#define WALL (1790000000 * WEIR_SECOND) /* 2026-09-21T14:13:20Z */

static struct weir_login_failures *failures;

static int setup(void **state)
{
    (void)state;
    return weir_login_failures_new(&failures);
}

static int teardown(void **state)
{
    (void)state;
    weir_login_failures_free(&failures);
    weir_login_failures_free(&failures);
    return 0;
}

static void fails(const char *from, const char *name, bool refused, weir_time after)
{
    struct weir_address address;

    assert_int_equal(weir_address_parse(from, strlen(from), &address), 0);
    if (refused)
        weir_login_failures_refused(failures, &address, name, NOW + after);
    else
        weir_login_failures_note(failures, &address, name, NOW + after, WALL + after);
}

/* How many lines are due; the last one's text. */
static unsigned told(weir_time after, bool all, char text[static WEIR_LOGIN_BURST_TEXT])
{
    struct weir_login_burst due;
    unsigned lines = 0;

    while (weir_login_failures_due(failures, NOW + after, all, &due)) {
        weir_login_burst_text(&due, text);
        weir_login_failures_told(failures, &due, NOW + after, WALL + after);
        lines++;
    }
    return lines;
}

static void the_first_is_told_at_once_and_the_rest_later(void **state)
{
    char text[WEIR_LOGIN_BURST_TEXT];

    (void)state;
    assert_int_equal(told(0, true, text), 0);
    fails("203.0.113.9", "anna", false, 0);
    assert_int_equal(told(0, false, text), 1);
    assert_string_equal(text, "as anna from 203.0.113.9");
    for (unsigned i = 0; i < 40; i++)
        fails("203.0.113.9", i % 2 ? "Anna" : "anna", i >= 30, WEIR_MINUTE);
    assert_int_equal(told(WEIR_LOGIN_BURST_SPAN - 1, false, text), 0);
    assert_int_equal(told(WEIR_LOGIN_BURST_SPAN, false, text), 1);
    assert_string_equal(text, "as anna from 203.0.113.9: 30 more since 2026-09-21T14:13:20Z, and "
                              "10 that were not looked at, for they came too soon");
    assert_int_equal(told(2 * WEIR_DAY, true, text), 0);
}

static void who_guesses_slowly_makes_no_line_for_each(void **state)
{
    char text[WEIR_LOGIN_BURST_TEXT];
    unsigned lines = 0;

    (void)state;
    for (unsigned i = 0; i < 96; i++) { /* a day, at the slowest that the limit makes him */
        fails("203.0.113.9", "anna", false, i * WEIR_LOGIN_BURST_SPAN);
        lines += told(i * WEIR_LOGIN_BURST_SPAN, false, text);
    }
    assert_in_range(lines, 2, 49);
    fails("203.0.113.9", "anna", false, 96 * WEIR_LOGIN_BURST_SPAN);
    (void)told(96 * WEIR_LOGIN_BURST_SPAN + WEIR_LOGIN_BURST_QUIET, false, text);
    fails("203.0.113.9", "anna", false, 100 * WEIR_LOGIN_BURST_SPAN);
    assert_int_equal(told(100 * WEIR_LOGIN_BURST_SPAN, false, text), 1); /* another burst */
    assert_string_equal(text, "as anna from 203.0.113.9");
}

static void what_is_left_is_told_when_all_ends(void **state)
{
    char text[WEIR_LOGIN_BURST_TEXT];

    (void)state;
    fails("2001:db8::1", "anna", false, 0);
    assert_int_equal(told(0, false, text), 1);
    fails("2001:db8::2", "anna", false, 1); /* of the same /64 */
    assert_int_equal(told(2, false, text), 0);
    assert_int_equal(told(2, true, text), 1);
    assert_string_equal(text, "as anna from 2001:db8::: 1 more since 2026-09-21T14:13:20Z");
    fails("192.0.2.1", "boris", true, 3); /* refused for others' sake: no burst of its own */
    assert_int_equal(told(3, true, text), 0);
}

static void a_name_that_nobody_has_is_not_told(void **state)
{
    char text[WEIR_LOGIN_BURST_TEXT];

    (void)state;
    fails("203.0.113.9", NULL, false, 0);
    fails("203.0.113.9", NULL, false, 1);
    fails("203.0.113.9", "correct-horse", true, 2);
    assert_int_equal(told(2, true, text), 2);
    assert_string_equal(text, "as an unknown name from 203.0.113.9: 1 more since "
                              "2026-09-21T14:13:20Z, and 1 that were not looked at, for they "
                              "came too soon");
}

static void beyond_the_places_only_the_number_is_kept(void **state)
{
    char text[WEIR_LOGIN_BURST_TEXT], from[32];

    (void)state;
    for (unsigned i = 0; i < WEIR_LOGIN_BURSTS + 1000; i++) {
        snprintf(from, sizeof from, "192.0.%u.%u", i / 250, i % 250 + 1);
        fails(from, "anna", false, 0);
    }
    assert_int_equal(told(0, false, text), WEIR_LOGIN_BURSTS);
    assert_int_equal(told(WEIR_LOGIN_BURST_SPAN, false, text), 1);
    assert_string_equal(text, "as many others: 1000 since 2026-09-21T14:13:20Z");
    fails("198.51.100.1", "anna", false, WEIR_LOGIN_BURST_QUIET); /* there is room again */
    assert_int_equal(told(WEIR_LOGIN_BURST_QUIET, false, text), 1);
    assert_string_equal(text, "as anna from 198.51.100.1");
}

static void a_name_that_somebody_has_takes_the_place_of_one_that_nobody_has(void **state)
{
    char text[WEIR_LOGIN_BURST_TEXT], from[32];

    (void)state;
    for (unsigned i = 0; i < WEIR_LOGIN_BURSTS; i++) {
        snprintf(from, sizeof from, "192.0.2.%u", i + 1);
        fails(from, NULL, false, 0);
    }
    assert_int_equal(told(0, false, text), WEIR_LOGIN_BURSTS);
    fails("192.0.2.1", NULL, false, 1);
    fails("192.0.2.1", NULL, false, 1);
    for (unsigned i = 0; i < WEIR_LOGIN_BURSTS; i++) {
        fails("203.0.113.9", "admin", false, 2);
        fails("203.0.113.9", i % 2 ? "anna" : "ben", false, 2);
    }
    assert_int_equal(told(2, false, text), 3);
    assert_string_equal(text, "as anna from 203.0.113.9");
    assert_int_equal(told(WEIR_LOGIN_BURST_SPAN + 2, false, text), 4);
    assert_string_equal(text, "as many others: 2 since 2026-09-21T14:13:20Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_is_told_at_once_and_the_rest_later, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(who_guesses_slowly_makes_no_line_for_each, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_left_is_told_when_all_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(a_name_that_nobody_has_is_not_told, setup, teardown),
        cmocka_unit_test_setup_teardown(beyond_the_places_only_the_number_is_kept, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            a_name_that_somebody_has_takes_the_place_of_one_that_nobody_has, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
