/* flow_order: octets in order, holes, waits and their bounds, told as stories. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/base/limits.h"
#include "tests/unit/flow_rig.h"

static void later_octets_wait_for_earlier_ones(void **state)
{
    (void)state;
    struct rig *rig = rig_greeted();
    rig_send(rig, C, 1005, 5009, "bbbb");
    rig_send(rig, C, 1013, 5009, "dddd");
    rig_send(rig, C, 1009, 5009, "cccc");
    assert_string_equal(rig_log(rig), "");
    assert_int_equal(COUNT(rig, reordered), 3);
    rig_send(rig, C, 1001, 5009, "aaaa");
    assert_string_equal(rig_log(rig), "C:aaaa C:bbbb C:cccc C:dddd");
    assert_int_equal(COUNT(rig, octets_kept), 0);
    rig_free(&rig);
}

static void replies_wait_for_what_they_acknowledge_and_commands_too(void **state)
{
    (void)state;
    struct rig *rig = rig_greeted();
    rig_send(rig, S, 5009, 1007, "250-1 ");
    rig_send(rig, C, 1007, 5015, "MAIL");
    rig_send(rig, S, 5015, 1011, "250-2 ");
    assert_string_equal(rig_log(rig), "");
    rig_send(rig, C, 1001, 5009, "EHLO \n");
    assert_string_equal(rig_log(rig), "C:EHLO \n S:250-1  C:MAIL S:250-2");
    assert_int_equal(COUNT(rig, held), 1);
    rig_free(&rig);
}

static void what_came_first_wins(void **state)
{
    (void)state;
    struct rig *rig = rig_greeted();
    rig_send(rig, C, 1001, 5009, "aaaa");
    rig_send(rig, C, 1001, 5009, "XXXX");
    rig_send(rig, C, 999, 5009, "XXXXXXbb"); /* two octets are new */
    assert_string_equal(rig_log(rig), "C:aaaa forged 4 forged 8 C:bb");
    rig_send(rig, C, 1009, 5009, "dd");
    rig_send(rig, C, 1013, 5009, "ff");
    rig_send(rig, C, 1008, 5009, "cXXeeXXgg"); /* around both */
    rig_send(rig, C, 1007, 5009, "C");
    assert_string_equal(rig_log(rig), "forged 9 C:C C:c C:dd C:ee C:ff C:gg");
    assert_int_equal(COUNT(rig, retransmitted), 2);
    rig_free(&rig);
}

static void probes_and_keep_alives_change_nothing(void **state)
{
    (void)state;
    struct rig *rig = rig_greeted();
    rig_send(rig, C, 1001, 5009, "ab");
    rig_mark(rig, C, 1002, 5009, 0);
    rig_send(rig, C, 1002, 5009, "\1");
    rig_send(rig, C, 1003, 5009, "c"); /* into a closed window ... */
    rig_send(rig, C, 1003, 5009, "cd"); /* ... and again when it opened */
    rig_send(rig, C, 1005, 5009, "e");
    assert_string_equal(rig_log(rig), "C:ab C:c C:d C:e");
    rig_free(&rig);
}

static void sequence_numbers_wrap_around(void **state)
{
    (void)state;
    struct rig *rig = rig_new(0, false);
    rig_mark(rig, C, 0xfffffffb, 0, WEIR_TCP_SYN);
    rig_mark(rig, S, 0xfffffffe, 0xfffffffc, WEIR_TCP_SYN);
    rig_send(rig, S, 0xffffffff, 0xfffffffc, "220-");
    rig_send(rig, C, 2, 3, "cc");
    rig_send(rig, C, 0xfffffffe, 3, "bbbb");
    rig_send(rig, S, 3, 4, "250-");
    rig_send(rig, C, 0xfffffffc, 3, "aa");
    assert_string_equal(rig_log(rig), "opened S:220- C:aa C:bbbb C:cc S:250-");
    rig_free(&rig);
}

static void missing_octets_of_the_client_are_a_gap_when_the_server_has_them(void **state)
{
    (void)state;
    struct rig *rig = rig_greeted();
    rig_send(rig, C, 1005, 5009, "bbbb");
    rig->now += 5 * WEIR_MINUTE;
    weir_flows_tick(rig->flows, rig->now);
    assert_string_equal(rig_log(rig), ""); /* perhaps the server did not get it, either */
    rig_mark(rig, S, 5009, 1009, 0);
    assert_string_equal(rig_log(rig), "gap C 4 C:bbbb");
    rig_send(rig, S, 5009, 1020, "250-");
    assert_string_equal(rig_log(rig), "");
    rig->now += 2 * WEIR_SECOND;
    weir_flows_tick(rig->flows, rig->now);
    assert_string_equal(rig_log(rig), "gap C 11 S:250-");
    weir_flows_finish(rig->flows);
    assert_int_equal(rig->last.gaps, 2);
    assert_int_equal(rig->last.gap_octets, 15);
    rig_free(&rig);
}

static void a_wait_is_over_after_a_hundred_segments(void **state)
{
    (void)state;
    struct rig *rig = rig_greeted();
    rig_send(rig, S, 5009, 1005, "250-");
    for (int i = 0; i < 99; i++)
        rig_mark(rig, C, 1005, 5009, 0);
    assert_string_equal(rig_log(rig), "");
    rig_mark(rig, C, 1005, 5009, 0);
    assert_string_equal(rig_log(rig), "gap C 4 S:250-");
    rig_free(&rig);
}

static void a_client_that_acknowledges_what_was_never_said_cannot_silence_the_server(void **state)
{
    (void)state;
    struct rig *rig = rig_greeted();
    rig_send(rig, C, 1001, 5009 + 5000, "MAIL");
    weir_flows_tick(rig->flows, rig->now + 2 * WEIR_SECOND);
    assert_string_equal(rig_log(rig), "C:MAIL");
    rig_send(rig, S, 5009, 1005, "250-");
    rig_send(rig, C, 1005 + 20000, 5013, "garbage far ahead");
    rig_send(rig, C, 1005, 5013, "RCPT");
    rig_send(rig, S, 5013, 1009, "250-");
    assert_string_equal(rig_log(rig), "S:250- C:RCPT S:250-");
    rig_free(&rig);
}

static void missing_octets_of_the_server_are_a_gap_when_it_goes_on(void **state)
{
    (void)state;
    struct rig *rig = rig_greeted();
    rig_send(rig, C, 1001, 5009, "a");
    rig_send(rig, S, 5013, 1002, "250-");
    weir_flows_tick(rig->flows, rig->now + 2 * WEIR_SECOND);
    assert_string_equal(rig_log(rig), "C:a");
    rig_send(rig, C, 1002, 5017, "b");
    weir_flows_tick(rig->flows, rig->now + 2 * WEIR_SECOND);
    assert_string_equal(rig_log(rig), "gap S 4 S:250- C:b");
    rig_free(&rig);
}

static void a_client_that_is_not_captured_is_not_waited_for(void **state)
{
    (void)state;
    struct rig *rig = rig_new(0, false);
    rig_mark(rig, S, 5000, 1001, WEIR_TCP_SYN);
    uint32_t seq = 5001, ack = 1001;
    for (int i = 0; i < 20; i++, seq += 4, ack += 10)
        rig_send(rig, S, seq, ack, "250-");
    rig_log(rig);
    rig_send(rig, S, seq, ack, "251-");
    assert_string_equal(rig_log(rig), "gap C 10 S:251-");
    rig_send(rig, S, seq + 8, ack, "253-");
    assert_string_equal(rig_log(rig), ""); /* it waits for its own side */
    rig_send(rig, S, seq + 4, ack, "252-");
    assert_string_equal(rig_log(rig), "S:252- S:253-");
    rig_send(rig, S, seq + 16, ack, "255-");
    weir_flows_tick(rig->flows, rig->now + 2 * WEIR_SECOND);
    assert_string_equal(rig_log(rig), "gap S 4 S:255-");
    rig_free(&rig);
}

static void what_was_not_captured_of_a_segment_is_a_gap(void **state)
{
    (void)state;
    struct rig *rig = rig_greeted();
    struct weir_segment cut = rig_segment(C, 1001, 5009, 0, "0123456789");
    cut.payload.len = 4;
    rig_take(rig, &cut);
    assert_string_equal(rig_log(rig), "C:0123 gap C 6");
    cut.seq = 1021; /* one that waits, of which the middle is overlapped */
    rig_take(rig, &cut);
    rig_send(rig, C, 1011, 5009, "abcdefghij0123");
    assert_string_equal(rig_log(rig), "C:abcdefghij C:0123 gap C 6");
    cut.seq = 1025; /* only the last four octets are new, and not there */
    cut.payload_len = 10;
    rig_take(rig, &cut);
    assert_string_equal(rig_log(rig), "gap C 4");
    rig_free(&rig);
}

static void octets_with_syn_and_with_fin_count(void **state)
{
    (void)state;
    struct rig *rig = rig_new(0, false);
    struct weir_segment syn = rig_segment(C, 1000, 0, WEIR_TCP_SYN, "EHLO\n");
    struct weir_segment answer = rig_segment(S, 5000, 1006, WEIR_TCP_SYN, "220-");
    struct weir_segment bye = rig_segment(C, 1006, 5005, WEIR_TCP_FIN, "QUIT\n");
    struct weir_segment end = rig_segment(S, 5005, 1012, WEIR_TCP_FIN, "221-");
    rig_take(rig, &syn);
    rig_take(rig, &answer);
    rig_take(rig, &end); /* out of order */
    assert_string_equal(rig_log(rig), "opened C:EHLO\n S:220-");
    rig_take(rig, &bye);
    assert_string_equal(rig_log(rig), "C:QUIT\n S:221- finished");
    rig_free(&rig);
}

static void a_fin_of_the_client_that_the_server_ignores_ends_nothing(void **state)
{
    (void)state;
    struct rig *rig = rig_greeted();
    rig_mark(rig, C, 1001, 5009, WEIR_TCP_FIN);
    rig_send(rig, C, 1001, 5009, "MAIL\n");
    rig_send(rig, S, 5009, 1006, "250-");
    assert_string_equal(rig_log(rig), "C:MAIL\n S:250-");
    rig_free(&rig);
}

static void segments_far_away_are_astray(void **state)
{
    (void)state;
    static const struct {
        int32_t distance;
        bool astray;
    } cases[] = {{WEIR_FLOW_AHEAD_MAX - 1, false}, {WEIR_FLOW_AHEAD_MAX, true},
                 {-WEIR_FLOW_AHEAD_MAX + 1, false}, {-WEIR_FLOW_AHEAD_MAX, true},
                 {INT32_MIN, true}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rig *rig = rig_greeted();
        rig_send(rig, C, 1001 + (uint32_t)cases[i].distance, 5009, "x");
        assert_int_equal(COUNT(rig, astray), cases[i].astray);
        rig_free(&rig);
    }
    struct rig *rig = rig_greeted();
    struct weir_segment bare = rig_segment(C, 1001, 0, 0, "x");
    bare.flags = 0;
    rig_take(rig, &bare);
    assert_int_equal(COUNT(rig, astray), 1);
    rig_free(&rig);
}

/* Client octets behind a hole that nobody confirms, one for each segment. */
static void as_many_segments_wait_as_the_limit_and_one_more_does_not(void **state)
{
    (void)state;
    struct rig *rig = rig_greeted();
    for (uint32_t i = 0; i < WEIR_FLOW_SEGMENTS_MAX; i++)
        rig_send(rig, C, 1003 + 2 * i, 5009, "x");
    size_t full = COUNT(rig, octets_kept);
    assert_int_equal(COUNT(rig, discarded), 0);
    rig_send(rig, C, 1003 + 2 * WEIR_FLOW_SEGMENTS_MAX, 5009, "x");
    assert_int_equal(COUNT(rig, discarded), 1);
    assert_int_equal(COUNT(rig, octets_kept), full);
    assert_string_equal(rig_log(rig), "");
    rig_free(&rig);
    rig = rig_greeted(); /* the server is believed: its first hole is a gap, the rest waits on */
    for (uint32_t i = 0; i <= WEIR_FLOW_SEGMENTS_MAX; i++)
        rig_send(rig, S, 5011 + 2 * i, 1001, "x");
    assert_int_equal(COUNT(rig, discarded), 0);
    assert_string_equal(rig_log(rig), "gap S 2 S:x");
    rig_free(&rig);
}

/* What the server drops, from far ahead up to the limit of segments, or of octets. */
static void fill_up(struct rig *rig, const char *text, uint32_t far)
{
    for (uint32_t i = 0; COUNT(rig, discarded) == 0; i++)
        rig_send(rig, C, 1001 + far + i * ((uint32_t)strlen(text) + 1), 5009, text);
    rig_log(rig);
}

static void a_client_that_fills_all_room_far_ahead_cannot_silence_the_server(void **state)
{
    (void)state;
    static char text[65536];
    memset(text, 'x', sizeof(text) - 1);
    for (int full_of_octets = 0; full_of_octets < 2; full_of_octets++) {
        struct rig *rig = rig_greeted();
        fill_up(rig, full_of_octets ? text : "x", 100000);
        rig_send(rig, C, 1001, 5009, "MAIL");
        rig_send(rig, S, 5009, 1005, "250-");
        assert_string_equal(rig_log(rig), "C:MAIL S:250-");
        rig_send(rig, S, 5017, 1005, "252-"); /* replies out of order have room, too */
        rig_send(rig, S, 5013, 1005, "251-");
        assert_string_equal(rig_log(rig), "S:251- S:252-");
        rig_send(rig, C, 1009, 5021, "DATA");
        rig_send(rig, C, 1005, 5021, "RCPT");
        assert_string_equal(rig_log(rig), "C:RCPT C:DATA");
        assert_true(COUNT(rig, octets_kept) <= WEIR_FLOW_KEPT_MAX);
        rig_free(&rig);
    }
}

static void as_many_octets_wait_as_the_limits_and_no_more(void **state)
{
    (void)state;
    static char text[65536];
    memset(text, 'x', sizeof(text) - 1);
    struct rig *rig = rig_new(0, false);
    size_t most = 0;
    for (uint32_t n = 0; n < 80; n++) {
        struct weir_segment segment = rig_segment(S, 1, 1, 0, "220-");
        segment.destination_port = (uint16_t)(1000 + n);
        rig_take(rig, &segment);
        size_t before = COUNT(rig, octets_kept);
        for (uint32_t i = 0; i < 20; i++) {
            segment = rig_segment(C, 11 + 65535 * i, 5, 0, text);
            segment.source_port = (uint16_t)(1000 + n);
            weir_flows_take(rig->flows, rig->now, &segment);
        }
        if (n == 0)
            assert_in_range(COUNT(rig, octets_kept) - before, WEIR_FLOW_KEPT_MAX - 65536,
                            WEIR_FLOW_KEPT_MAX);
        most = COUNT(rig, octets_kept) > most ? COUNT(rig, octets_kept) : most;
    }
    assert_in_range(most, WEIR_FLOWS_KEPT_MAX - (1u << 20), WEIR_FLOWS_KEPT_MAX);
    weir_flows_finish(rig->flows);
    assert_int_equal(COUNT(rig, octets_kept), 0);
    rig_free(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(later_octets_wait_for_earlier_ones),
        cmocka_unit_test(replies_wait_for_what_they_acknowledge_and_commands_too),
        cmocka_unit_test(what_came_first_wins),
        cmocka_unit_test(probes_and_keep_alives_change_nothing),
        cmocka_unit_test(sequence_numbers_wrap_around),
        cmocka_unit_test(missing_octets_of_the_client_are_a_gap_when_the_server_has_them),
        cmocka_unit_test(a_wait_is_over_after_a_hundred_segments),
        cmocka_unit_test(a_client_that_acknowledges_what_was_never_said_cannot_silence_the_server),
        cmocka_unit_test(missing_octets_of_the_server_are_a_gap_when_it_goes_on),
        cmocka_unit_test(a_client_that_is_not_captured_is_not_waited_for),
        cmocka_unit_test(what_was_not_captured_of_a_segment_is_a_gap),
        cmocka_unit_test(octets_with_syn_and_with_fin_count),
        cmocka_unit_test(a_fin_of_the_client_that_the_server_ignores_ends_nothing),
        cmocka_unit_test(segments_far_away_are_astray),
        cmocka_unit_test(as_many_segments_wait_as_the_limit_and_one_more_does_not),
        cmocka_unit_test(a_client_that_fills_all_room_far_ahead_cannot_silence_the_server),
        cmocka_unit_test(as_many_octets_wait_as_the_limits_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
