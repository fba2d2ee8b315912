/*
 * hearing - trouble of a sniffer is shown while there is some and for an hour after, whatever sums
 * it begins with.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "monitor/intake/hearing.h"

#define START (500000 * WEIR_HOUR)

static void note(struct weir_hearing *hearing, weir_time time, uint64_t packets, uint64_t dropped)
{
    weir_hearing_note(hearing, &(struct weir_health){.time = time, .packets = packets,
                                                     .kernel_dropped = dropped});
}

/* Whether it has trouble then: "packets lost". */
static const char *heard(const struct weir_hearing *hearing, weir_time now)
{
    static char text[64];
    uint64_t sum[WEIR_HEARING_KINDS];
    bool trouble = weir_hearing_sum(hearing, now, sum);

    assert_int_equal(trouble, sum[WEIR_HEARING_KERNEL_DROPPED] > 0);
    snprintf(text, sizeof text, "%llu %llu", (unsigned long long)sum[WEIR_HEARING_PACKETS],
             (unsigned long long)sum[WEIR_HEARING_KERNEL_DROPPED]);
    return text;
}

static void what_was_lost_before_it_was_heard_of_is_not_shown(void **state)
{
    struct weir_hearing hearing = {0};

    (void)state;
    assert_string_equal(heard(&hearing, START), "0 0");
    note(&hearing, START, 1000000, 5000);
    assert_string_equal(heard(&hearing, START), "0 0");
    note(&hearing, START + WEIR_SECOND, 1000100, 5000);
    assert_string_equal(heard(&hearing, START), "100 0");
    note(&hearing, START + 2 * WEIR_SECOND, 1000150, 5007);
    assert_string_equal(heard(&hearing, START), "150 7");
}

static void trouble_is_shown_for_an_hour_after_the_one_it_was_in(void **state)
{
    struct weir_hearing hearing = {0};

    (void)state;
    note(&hearing, START, 0, 0);
    note(&hearing, START + WEIR_HOUR - 1, 100, 7); /* the last moment of the hour */
    note(&hearing, START + WEIR_HOUR, 150, 8);     /* the first of the next one */
    assert_string_equal(heard(&hearing, START + WEIR_HOUR), "150 8");
    assert_string_equal(heard(&hearing, START + 2 * WEIR_HOUR - 1), "150 8");
    assert_string_equal(heard(&hearing, START + 2 * WEIR_HOUR), "50 1");
    assert_string_equal(heard(&hearing, START + 3 * WEIR_HOUR - 1), "50 1");
    assert_string_equal(heard(&hearing, START + 3 * WEIR_HOUR), "0 0");
    note(&hearing, START + 3 * WEIR_HOUR, 160, 8);
    assert_string_equal(heard(&hearing, START + 3 * WEIR_HOUR), "10 0");
}

static void a_restart_begins_anew_and_forgets_nothing(void **state)
{
    struct weir_hearing hearing = {0};

    (void)state;
    note(&hearing, START, 1000, 10);
    note(&hearing, START + 1, 1100, 15);
    note(&hearing, START + 2, 30, 15); /* fewer packets: another one */
    assert_string_equal(heard(&hearing, START), "100 5");
    note(&hearing, START + 3, 60, 16);
    assert_string_equal(heard(&hearing, START), "130 6");
}

static void lines_that_come_late_count_nothing_twice(void **state)
{
    struct weir_hearing hearing = {0};

    (void)state;
    note(&hearing, START + WEIR_MINUTE, 100, 0);
    note(&hearing, START + 2 * WEIR_MINUTE, 200, 5);
    note(&hearing, START + WEIR_MINUTE, 100, 0);
    note(&hearing, START + 2 * WEIR_MINUTE, 200, 5);
    assert_string_equal(heard(&hearing, START), "100 5");
    note(&hearing, START + 3 * WEIR_MINUTE, 300, 5);
    assert_string_equal(heard(&hearing, START), "200 5");
    note(&hearing, START - WEIR_DAY, 300, 5); /* the clock was put back */
    note(&hearing, START - WEIR_DAY + 1, 310, 6);
    assert_string_equal(heard(&hearing, START - WEIR_DAY), "10 1");
}

static void no_number_is_too_large(void **state)
{
    struct weir_hearing hearing = {0};

    (void)state;
    for (int i = 0; i < 4; i++) { /* up and down: each time a restart */
        note(&hearing, START + 2 * i, 0, 0);
        note(&hearing, START + 2 * i + 1, WEIR_HEALTH_MAX, WEIR_HEALTH_MAX);
    }
    assert_string_equal(heard(&hearing, START), "9223372036854775807 9223372036854775807");
}

static void each_trouble_counts_by_its_name_and_packets_are_none(void **state)
{
    static const struct {
        struct weir_health health;
        const char *name;
        bool trouble;
    } cases[] = {
        {{.packets = 7}, "packets", false},      {{.kernel_dropped = 7}, "kernel_dropped", true},
        {{.gaps = 7}, "gaps", true},             {{.spool_dropped = 7}, "spool_dropped", true},
        {{.odd = 7}, "odd", true},               {{.forged = 7}, "forged", true},
        {{.unproven = 7}, "unproven", true},
        {{.flows = 7, .addresses = 7}, "", false}, {{.witnessed = 7}, "", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_hearing hearing = {0};
        struct weir_health health = cases[i].health;
        uint64_t sum[WEIR_HEARING_KINDS];

        note(&hearing, START, 0, 0);
        health.time = START + 1;
        weir_hearing_note(&hearing, &health);
        assert_int_equal(weir_hearing_sum(&hearing, START, sum), cases[i].trouble);
        for (unsigned kind = 0; kind < WEIR_HEARING_KINDS; kind++)
            assert_int_equal(sum[kind], strcmp(weir_hearing_name(kind), cases[i].name) ? 0 : 7);
    }
    assert_string_equal(weir_hearing_name(WEIR_HEARING_KINDS), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_lost_before_it_was_heard_of_is_not_shown),
        cmocka_unit_test(trouble_is_shown_for_an_hour_after_the_one_it_was_in),
        cmocka_unit_test(a_restart_begins_anew_and_forgets_nothing),
        cmocka_unit_test(lines_that_come_late_count_nothing_twice),
        cmocka_unit_test(no_number_is_too_large),
        cmocka_unit_test(each_trouble_counts_by_its_name_and_packets_are_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
