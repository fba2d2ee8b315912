/*
 * traffic_line - what sniffers tell is read back as it was written, and nothing else is.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/store/traffic_line.h"
#include "tests/unit/seeded.h"

#define FRONT "at=1795000000.250000 kind=traffic "

static int read_traffic(const char *text, struct weir_traffic *traffic_r)
{
    return weir_traffic_line_read((struct weir_slice){text, strlen(text)}, traffic_r);
}

static int read_health(const char *text, struct weir_health *health_r)
{
    return weir_health_line_read((struct weir_slice){text, strlen(text)}, health_r);
}

static void a_traffic_line_is_as_agreed(void **state)
{
    char text[WEIR_TRAFFIC_LINE_ROOM];
    struct weir_traffic traffic = {.time = 1795000000250000, .connections = 3, .syns = 1,
                                   .messages = 2, .accepted = 1, .recipients = 7, .estimated = 2};

    (void)state;
    weir_address_parse("192.0.2.7", 9, &traffic.address);
    assert_string_equal(weir_traffic_line_write(&traffic, text),
                        FRONT "address=192.0.2.7 connections=3 syns=1 messages=2 accepted=1 "
                        "recipients=7 estimated=2");
    traffic = (struct weir_traffic){.time = 5, .address = traffic.address, .messages = 1};
    assert_string_equal(weir_traffic_line_write(&traffic, text),
                        "at=0.000005 kind=traffic address=192.0.2.7 messages=1");
}

static void a_health_line_is_as_agreed(void **state)
{
    char text[WEIR_TRAFFIC_LINE_ROOM];
    struct weir_health again, health = {.time = WEIR_SECOND, .packets = 10, .kernel_dropped = 2,
                                        .gaps = 3, .flows = 4, .addresses = 5, .spool_dropped = 6,
                                        .calibrated = 7, .witnessed = 8, .odd = 9, .forged = 10,
                                        .unproven = 11};

    (void)state;
    assert_string_equal(weir_health_line_write(&health, text),
                        "at=1.000000 kind=health packets=10 kernel_dropped=2 gaps=3 flows=4 "
                        "addresses=5 spool_dropped=6 calibrated=7 witnessed=8 odd=9 forged=10 "
                        "unproven=11");
    assert_int_equal(read_health(text, &again), 1);
    assert_memory_equal(&again, &health, sizeof health);
    assert_int_equal(read_traffic(text, &(struct weir_traffic){.time = 0}), 0);
    assert_int_equal(read_health("at=1.0 kind=health load=0.3 packets=7", &again), 1);
    assert_int_equal(again.packets, 7);
    assert_int_equal(read_health("at=1.0 kind=health packets=-7", &again), WEIR_EINVAL);
    assert_int_equal(read_health("at=1.0 kind=health packets=7 packets=7", &again), WEIR_EINVAL);
}

static void every_quantity_has_the_name_of_its_word(void **state)
{
    (void)state;
    for (unsigned i = 0; i < WEIR_TRAFFIC_QUANTITIES; i++) {
        struct weir_traffic traffic;
        char text[100];

        snprintf(text, sizeof text, FRONT "address=::1 %s=%u", weir_traffic_quantity_name(i),
                 i + 5);
        assert_int_equal(read_traffic(text, &traffic), 1);
        for (unsigned j = 0; j < WEIR_TRAFFIC_QUANTITIES; j++)
            assert_int_equal(traffic.quantity[j], i == j ? i + 5 : 0);
    }
    assert_string_equal(weir_traffic_quantity_name(WEIR_TRAFFIC_QUANTITIES), "");
}

/* Good, bad and other lines. ------------------------------------------------------- */

static const struct { const char *text; int result; } lines[] = {
    {FRONT "address=192.0.2.7", 1},
    {FRONT "address=2001:db8::7 connections=1", 1},
    {FRONT "connections=0 address=192.0.2.7", 1},
    {FRONT "address=192.0.2.7 mood=fine x =y = == connectionss=9 connection=8", 1},
    {FRONT "  address=192.0.2.7   ", 1},
    {"at=1 kind=traffic address=192.0.2.7", 1},
    {"at=1.5 kind=traffic address=192.0.2.7", 1},
    {"at=253402300799.999999 kind=traffic address=192.0.2.7", 1},
    {"at=253402300800 kind=traffic address=192.0.2.7", WEIR_EINVAL},
    {"at=1. kind=traffic address=192.0.2.7", WEIR_EINVAL},
    {"at=1.1234567 kind=traffic address=192.0.2.7", WEIR_EINVAL},
    {"at=1.12x kind=traffic address=192.0.2.7", WEIR_EINVAL},
    {"at=.5 kind=traffic address=192.0.2.7", WEIR_EINVAL},
    {"at= kind=traffic address=192.0.2.7", WEIR_EINVAL},
    {"at=-1 kind=traffic address=192.0.2.7", WEIR_EINVAL},
    {"at=1e3 kind=traffic address=192.0.2.7", WEIR_EINVAL},
    {"on=1 kind=traffic address=192.0.2.7", WEIR_EINVAL},
    {FRONT, WEIR_EINVAL},
    {FRONT "connections=1", WEIR_EINVAL},
    {FRONT "address=", WEIR_EINVAL},
    {FRONT "address=example.org", WEIR_EINVAL},
    {FRONT "address=192.0.2.7 address=192.0.2.7", WEIR_EINVAL},
    {FRONT "address=192.0.2.7 messages=1 messages=1", WEIR_EINVAL},
    {FRONT "address=192.0.2.7 messages=", WEIR_EINVAL},
    {FRONT "address=192.0.2.7 messages=01", WEIR_EINVAL},
    {FRONT "address=192.0.2.7 messages=+1", WEIR_EINVAL},
    {FRONT "address=192.0.2.7 messages=-1", WEIR_EINVAL},
    {FRONT "address=192.0.2.7 messages=1.0", WEIR_EINVAL},
    {FRONT "address=192.0.2.7 messages=0x1", WEIR_EINVAL},
    {FRONT "address=192.0.2.7 messages=1\n", WEIR_EINVAL},
    {FRONT "address=192.0.2.7 messages=18446744073709551617", WEIR_EINVAL},
    {"", 0},
    {"at=1", 0},
    {"kind=traffic address=192.0.2.7", 0},
    {"at=1 kind=traffics address=192.0.2.7", 0},
    {"at=1 kind=Traffic address=192.0.2.7", 0},
    {"at=1 program=weir-milter kind=traffic address=192.0.2.7", 0},
    {"dropped=7", 0},
};

static void only_right_lines_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct weir_traffic traffic;
        int result = read_traffic(lines[i].text, &traffic);

        if (result != lines[i].result)
            fail_msg("%d instead of %d: %s", result, lines[i].result, lines[i].text);
    }
}

static void numbers_up_to_their_limit_are_read(void **state)
{
    struct weir_traffic traffic;
    struct weir_health health;
    char text[200];

    (void)state;
    snprintf(text, sizeof text, FRONT "address=::1 syns=%d", WEIR_TRAFFIC_MAX);
    assert_int_equal(read_traffic(text, &traffic), 1);
    assert_int_equal(traffic.syns, WEIR_TRAFFIC_MAX);
    snprintf(text, sizeof text, FRONT "address=::1 syns=%d", WEIR_TRAFFIC_MAX + 1);
    assert_int_equal(read_traffic(text, &traffic), WEIR_EINVAL);
    assert_int_equal(read_health("at=1 kind=health packets=9223372036854775807", &health), 1);
    assert_true(health.packets == WEIR_HEALTH_MAX);
    assert_int_equal(read_health("at=1 kind=health packets=9223372036854775808", &health),
                     WEIR_EINVAL);
}

static void what_is_beyond_a_limit_is_written_as_the_limit(void **state)
{
    char text[WEIR_TRAFFIC_LINE_ROOM];
    struct weir_traffic traffic = {.time = INT64_MAX}, again;
    struct weir_health health = {.time = -1, .packets = UINT64_MAX}, same;

    (void)state;
    for (unsigned i = 0; i < WEIR_TRAFFIC_QUANTITIES; i++)
        traffic.quantity[i] = UINT32_MAX;
    memset(&traffic.address, 0x11, sizeof traffic.address);
    assert_int_equal(read_traffic(weir_traffic_line_write(&traffic, text), &again), 1);
    assert_int_equal(again.time, 0);
    assert_int_equal(again.estimated, WEIR_TRAFFIC_MAX);
    health.kernel_dropped = health.gaps = health.flows = health.addresses = health.spool_dropped =
        health.calibrated = health.witnessed = health.odd = health.forged = UINT64_MAX;
    assert_int_equal(read_health(weir_health_line_write(&health, text), &same), 1);
    assert_true(same.time == 0 && same.spool_dropped == WEIR_HEALTH_MAX &&
                same.witnessed == WEIR_HEALTH_MAX && same.forged == WEIR_HEALTH_MAX);
}

static void lines_up_to_their_limit_are_read(void **state)
{
    static char text[WEIR_SPOOL_LINE_MAX + 2];
    struct weir_traffic traffic;

    (void)state;
    memset(text, 'x', sizeof text);
    memcpy(text, FRONT "address=::1 ", strlen(FRONT "address=::1 "));
    assert_int_equal(weir_traffic_line_read((struct weir_slice){text, WEIR_SPOOL_LINE_MAX},
                                            &traffic), 1);
    assert_int_equal(weir_traffic_line_read((struct weir_slice){text, WEIR_SPOOL_LINE_MAX + 1},
                                            &traffic), WEIR_EINVAL);
}

static void whatever_is_written_is_read_back(void **state)
{
    struct seeded seed = seeded_new("traffic_line");

    (void)state;
    for (int round = 0; round < 20000; round++) {
        struct weir_traffic traffic, again;
        char text[WEIR_TRAFFIC_LINE_ROOM];

        memset(&traffic, 0, sizeof traffic);
        traffic.time = (weir_time)(seeded_next(&seed) % 253402300800000000u);
        seeded_fill(&seed, &traffic.address, sizeof traffic.address);
        if (seeded_below(&seed, 2))
            weir_address_parse("192.0.2.0", 9, &traffic.address);
        for (unsigned i = 0; i < WEIR_TRAFFIC_QUANTITIES; i++)
            traffic.quantity[i] = seeded_below(&seed, 2) ? 0
                                  : seeded_below(&seed, 10u << seeded_below(&seed, 24));
        assert_int_equal(read_traffic(weir_traffic_line_write(&traffic, text), &again), 1);
        assert_memory_equal(&again, &traffic, sizeof again);
    }
}

/* A line is whole, or cut at any octet: then it is another one, or none. */
static void cut_lines_do_no_harm(void **state)
{
    static const char line[] = FRONT "address=192.0.2.77 connections=31 messages=12";

    (void)state;
    for (size_t len = 0; len < sizeof line; len++) {
        struct weir_traffic traffic;
        char *exact = strndup(line, len);
        int result = weir_traffic_line_read((struct weir_slice){exact, len}, &traffic);

        assert_true(result == 1 || result == 0 || result == WEIR_EINVAL);
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_traffic_line_is_as_agreed),
        cmocka_unit_test(a_health_line_is_as_agreed),
        cmocka_unit_test(every_quantity_has_the_name_of_its_word),
        cmocka_unit_test(only_right_lines_are_read),
        cmocka_unit_test(numbers_up_to_their_limit_are_read),
        cmocka_unit_test(what_is_beyond_a_limit_is_written_as_the_limit),
        cmocka_unit_test(lines_up_to_their_limit_are_read),
        cmocka_unit_test(whatever_is_written_is_read_back),
        cmocka_unit_test(cut_lines_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
