/*
 * lines - what of a batch's text is traffic, and what becomes of lines that anybody may forge.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/intake/lines.h"

#define NOW (1795000000 * WEIR_SECOND)

static struct weir_lines read_text(const char *text)
{
    struct weir_lines lines;

    assert_int_equal(weir_lines_read((struct weir_slice){text, strlen(text)}, NOW - WEIR_DAY, NOW,
                                     &lines), 0);
    return lines;
}

static void lines_of_other_kinds_are_passed_over_and_wrong_ones_counted(void **state)
{
    struct weir_lines lines = read_text(
        "at=1795000000.000000 kind=traffic address=192.0.2.1 connections=1\n"
        "at=1795000000.000000 program=weir-milter verdict=ham\n"
        "at=1795000000.000000 kind=traffic address=nobody connections=1\n"
        "\n"
        "at=1794999999.000000 kind=health packets=7\n"
        "at=1795000000.000000 kind=traffic address=192.0.2.2 messages=2"); /* no line end */

    (void)state;
    assert_int_equal(lines.lines, 6);
    assert_int_equal(lines.count, 2);
    assert_int_equal(lines.bad, 1);
    assert_int_equal(lines.traffic[1].messages, 2);
    assert_int_equal(lines.healths, 1);
    assert_int_equal(lines.health[0].packets, 7);
    weir_lines_clear(&lines);
    assert_null(lines.traffic);
    assert_null(lines.health);
}

/* A server whose clock is ahead has a sniffer all the same. */
static void a_sniffer_whose_clock_is_ahead_is_heard_as_of_now(void **state)
{
    struct weir_lines lines = read_text("at=1795000005.000000 kind=health packets=7\n"
                                        "at=1795000005.000001 kind=health packets=8\n");

    (void)state;
    assert_int_equal(lines.healths, 2);
    assert_true(lines.health[0].time == NOW + WEIR_LINES_AHEAD);
    assert_true(lines.health[1].time == NOW && lines.last == NOW);
    weir_lines_clear(&lines);
}

static void a_time_that_is_ahead_is_now_beyond_the_limit(void **state)
{
    struct weir_lines lines = read_text(
        "at=1795000005.000000 kind=traffic address=192.0.2.1 connections=1\n"
        "at=1795000005.000001 kind=traffic address=192.0.2.1 connections=1\n");

    (void)state;
    assert_int_equal(lines.ahead, 1);
    assert_true(lines.traffic[0].time == NOW + WEIR_LINES_AHEAD);
    assert_true(lines.traffic[1].time == NOW);
    weir_lines_clear(&lines);
}

static void a_line_from_long_ago_is_passed_over_and_counted(void **state)
{
    struct weir_lines lines = read_text(
        "at=1794913600.000000 kind=traffic address=192.0.2.1 connections=1\n"
        "at=1794913599.999999 kind=traffic address=192.0.2.2 connections=1\n");

    (void)state;
    assert_int_equal(lines.old, 1);
    assert_int_equal(lines.lines, 2);
    assert_int_equal(lines.bad, 0);
    assert_int_equal(lines.count, 1);
    assert_true(lines.traffic[0].time == NOW - WEIR_DAY && lines.last == NOW - WEIR_DAY);
    weir_lines_clear(&lines);
}

/* So many lines of nothing but a SYN, each from an address of its own; how many keep it. */
static size_t kept(struct weir_bare *bare, size_t count, weir_time time)
{
    struct weir_lines lines = {.traffic = calloc(count, sizeof *lines.traffic), .count = count};
    size_t own = 0;

    assert_non_null(lines.traffic);
    for (size_t i = 0; i < count; i++)
        lines.traffic[i] = (struct weir_traffic){
            .time = time, .address = {{10, (uint8_t)(i >> 8), (uint8_t)i, 1}}, .syns = 2};
    weir_lines_lump(&lines, bare);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(lines.traffic[i].syns, 2);
        own += lines.traffic[i].address.octet[0] == 10;
    }
    weir_lines_clear(&lines);
    return own;
}

static void SYNs_that_may_be_forged_fill_no_table(void **state)
{
    struct weir_bare bare = {0};
    struct weir_lines whole = read_text(
        "at=1795000001.000000 kind=traffic address=192.0.2.1 connections=1 syns=1\n");

    (void)state;
    assert_int_equal(kept(&bare, WEIR_BARE_MAX, NOW), WEIR_BARE_MAX);
    assert_int_equal(kept(&bare, 1, NOW), 0);       /* one past the limit */
    assert_int_equal(kept(&bare, 1000, NOW + WEIR_SECOND), 0);
    weir_lines_lump(&whole, &bare);                 /* who was greeted is nobody forged */
    assert_int_equal(whole.traffic[0].address.octet[12], 192);
    weir_lines_clear(&whole);
    assert_int_equal(kept(&bare, 1000, NOW + WEIR_MINUTE), WEIR_BARE_MAX);
    assert_int_equal(kept(&bare, 1, NOW), 0);       /* servers need not be at the same minute */
    assert_int_equal(kept(&bare, 1, NOW + WEIR_MINUTE), 0);
    assert_int_equal(kept(&bare, 1, NOW + WEIR_BARE_MINUTES * WEIR_MINUTE), 1);
    assert_int_equal(kept(&bare, 1, NOW), 0);       /* too far back to be counted */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_other_kinds_are_passed_over_and_wrong_ones_counted),
        cmocka_unit_test(a_sniffer_whose_clock_is_ahead_is_heard_as_of_now),
        cmocka_unit_test(a_time_that_is_ahead_is_now_beyond_the_limit),
        cmocka_unit_test(a_line_from_long_ago_is_passed_over_and_counted),
        cmocka_unit_test(SYNs_that_may_be_forged_fill_no_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
