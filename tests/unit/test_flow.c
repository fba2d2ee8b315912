/* flow, flow_table: connections, where they begin and end, and what floods cost (flow.c,
 * flow_table.c, flow_early.c). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "tests/unit/flow_rig.h"
#include "tests/unit/seeded.h"

static void a_dialogue_is_told_in_order(void **state)
{
    (void)state;
    struct rig *rig = rig_new(0, false);
    rig_greet(rig);
    assert_string_equal(rig_log(rig), "opened S:220 hi\r\n");
    rig_send(rig, C, 1001, 5009, "EHLO x\r\n");
    rig_send(rig, S, 5009, 1009, "250 ok\r\n");
    rig_send(rig, C, 1009, 5017, "QUIT\r\n");
    assert_string_equal(rig_log(rig), "C:EHLO x\r\n S:250 ok\r\n C:QUIT\r\n");
    struct weir_segment bye = rig_segment(S, 5017, 1015, WEIR_TCP_FIN, "221\r\n");
    rig_take(rig, &bye);
    rig_mark(rig, C, 1015, 5023, WEIR_TCP_FIN);
    assert_string_equal(rig_log(rig), "S:221\r\n finished");
    rig_take(rig, &bye); /* sent again: opens nothing */
    rig_mark(rig, S, 5023, 1016, 0);
    assert_string_equal(rig_log(rig), "");
    assert_int_equal(rig->last.octets[C], 14);
    assert_int_equal(rig->last.octets[S], 21);
    assert_int_equal(rig->last.gaps, 0);
    assert_int_equal(rig->syns, 1);
    assert_int_equal(COUNT(rig, open), 0);
    rig_free(&rig);
}

static void nothing_begins_without_the_server(void **state)
{
    (void)state;
    static const char *const no[] = {"EHLO x\r\n", "hello", "620 x\r\n", "200x", "2x0 ", "\x19\3\1",
                                     "\x16\2", "\x16\3\5", "\x16\3\1\x48\x01", ""};
    static const char *const yes[] = {"220 x\r\n", "2", "22", "421-", "554\r", "\x16", "\x16\3\3",
                                      "\x16\3\1\x48", "\x15\3\3\1\1"};
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
        struct rig *rig = rig_new(0, false);
        rig_mark(rig, C, 1000, 0, WEIR_TCP_SYN);
        rig_mark(rig, S, 5000, 1001, WEIR_TCP_SYN);
        rig_send(rig, C, 1001, 5001, "220 I am not the server\r\n");
        rig_send(rig, S, 5001, 1001, no[i]);
        assert_string_equal(rig_log(rig), "");
        assert_int_equal(COUNT(rig, unanswered), 1);
        rig_free(&rig);
    }
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        struct rig *rig = rig_new(0, false);
        rig_send(rig, S, 5001, 1001, yes[i]);
        assert_int_equal(rig->opened, 1);
        rig_free(&rig);
    }
}

static void other_ports_are_left_alone(void **state)
{
    (void)state;
    struct rig *rig = rig_new(0, false);
    struct weir_segment segment = rig_segment(S, 1, 1, 0, "220 x\r\n");
    segment.source_port = 80;
    rig_take(rig, &segment);
    assert_int_equal(COUNT(rig, segments), 0);
    assert_int_equal(rig->opened, 0);
    rig_free(&rig);
}

static void a_beginning_in_the_middle_is_flagged(void **state)
{
    (void)state;
    struct rig *rig = rig_new(0, false);
    rig_send(rig, S, 77777, 4444, "250 ok\r\n");
    rig_send(rig, C, 4444, 77785, "RSET\r\n");
    assert_string_equal(rig_log(rig), "opened-midstream S:250 ok\r\n C:RSET\r\n");
    assert_int_equal(COUNT(rig, midstream), 1);
    rig_free(&rig);
    rig = rig_new(0, false);
    rig_send(rig, C, 4440, 77777, "NOOP"); /* just before: told first */
    rig_send(rig, S, 77777, 4444, "250 ok\r\n");
    assert_string_equal(rig_log(rig), "opened-midstream C:NOOP S:250 ok\r\n");
    rig_free(&rig);
}

static void a_lost_greeting_is_a_gap(void **state)
{
    (void)state;
    struct rig *rig = rig_new(0, false);
    rig_mark(rig, C, 1000, 0, WEIR_TCP_SYN);
    rig_mark(rig, S, 5000, 1001, WEIR_TCP_SYN);
    rig_send(rig, C, 1001, 5009, "EHLO x\r\n");
    rig_send(rig, S, 5009, 1009, "250 ok\r\n");
    rig_send(rig, C, 1009, 5017, "RSET\r\n");
    weir_flows_tick(rig->flows, rig->now + 2 * WEIR_SECOND);
    assert_string_equal(rig_log(rig), "opened C:EHLO x\r\n gap S 8 S:250 ok\r\n C:RSET\r\n");
    rig_free(&rig);
}

static void what_a_client_says_first_is_told_first(void **state)
{
    (void)state;
    struct rig *rig = rig_new(0, false);
    rig_mark(rig, C, 1000, 0, WEIR_TCP_SYN);
    rig_mark(rig, S, 5000, 1001, WEIR_TCP_SYN);
    rig_send(rig, C, 1001, 5001, "PROXY TCP4 ");
    rig_send(rig, C, 1012, 5001, "a b 1 2\r\n");
    rig_send(rig, S, 5001, 1021, "220 hi\r\n");
    assert_string_equal(rig_log(rig), "opened C:PROXY TCP4 a b 1 2\r\n S:220 hi\r\n");
    rig_free(&rig);
}

static void as_much_is_kept_of_it_as_the_limit_and_the_rest_is_a_gap(void **state)
{
    (void)state;
    static char text[WEIR_FLOW_EARLY_MAX + 2];
    for (size_t len = WEIR_FLOW_EARLY_MAX; len <= WEIR_FLOW_EARLY_MAX + 1; len++) {
        struct rig *rig = rig_new(0, false);
        memset(text, 'x', len);
        text[len] = '\0';
        rig_mark(rig, C, 1000, 0, WEIR_TCP_SYN);
        rig_mark(rig, S, 5000, 1001, WEIR_TCP_SYN);
        rig_send(rig, C, 1001, 5001, text);
        rig_send(rig, S, 5001, (uint32_t)(1001 + len), "220 hi\r\n");
        rig_send(rig, C, (uint32_t)(1001 + len), 5009, "RSET\r\n");
        weir_flows_finish(rig->flows);
        assert_int_equal(rig->last.gap_octets, len - WEIR_FLOW_EARLY_MAX);
        assert_int_equal(rig->last.octets[C], WEIR_FLOW_EARLY_MAX + 6);
        rig_free(&rig);
    }
}

/* Client number n, from anywhere, with a segment to or from it. */
static struct weir_segment from(uint32_t n, enum weir_side side, uint32_t seq, uint32_t ack,
                                unsigned flags, const char *payload)
{
    struct weir_segment segment = rig_segment(side, seq, ack, flags, payload);
    struct weir_address *client = side == C ? &segment.source : &segment.destination;
    memcpy(client->octet + 12, &n, 4);
    return segment;
}

static void a_proxys_header_survives_a_flood_of_strangers(void **state)
{
    (void)state;
    struct rig *rig = rig_new(0, false);
    struct weir_address proxy;
    weir_address_parse("10.9.1.1", 8, &proxy);
    struct weir_segment part[] = {rig_segment(C, 1000, 0, WEIR_TCP_SYN, NULL),
                                  rig_segment(S, 5000, 1001, WEIR_TCP_SYN, NULL),
                                  rig_segment(C, 1001, 5001, 0, "PROXY"),
                                  rig_segment(S, 5001, 1006, 0, "220\r\n")};
    for (size_t i = 0; i < 4; i++)
        *(i % 2 ? &part[i].destination : &part[i].source) = proxy;
    for (size_t i = 0; i < 3; i++)
        rig_take(rig, &part[i]);
    for (uint32_t n = 0; n < 20000; n++) {
        struct weir_segment stranger = from(n * 2654435761u, C, 1, 1, 0, "PROXY x");
        weir_flows_take(rig->flows, rig->now, &stranger);
    }
    rig_take(rig, &part[3]);
    assert_string_equal(rig_log(rig), "opened C:PROXY S:220\r\n");
    rig_free(&rig);
}

static void floods_cost_no_memory_and_open_nothing(void **state)
{
    (void)state;
    struct rig *rig = rig_new(0, false);
    struct seeded s = seeded_new(__func__);
    rig_greet(rig);
    size_t before = mallinfo2().uordblks;
    for (int i = 0; i < 300000; i++) {
        uint32_t n = (uint32_t)seeded_next(&s);
        struct weir_segment syn = from(n, C, n, 0, WEIR_TCP_SYN, NULL);
        struct weir_segment answer = from(n, S, 1, n + 1, WEIR_TCP_SYN, NULL);
        struct weir_segment data = from(n, C, n + 1, 2, 0, "MAIL FROM:<x>\r\n");
        weir_flows_take(rig->flows, rig->now, &syn);
        weir_flows_take(rig->flows, rig->now, &answer);
        weir_flows_take(rig->flows, rig->now, &data);
    }
    assert_int_equal(mallinfo2().uordblks, before);
    assert_int_equal(COUNT(rig, open), 1);
    assert_int_equal(rig->opened, 1);
    assert_in_range(rig->syns, 299900, 300001);
    assert_int_equal(COUNT(rig, unanswered), 300000);
    rig_free(&rig);
}

static void a_syn_sent_again_counts_once(void **state)
{
    (void)state;
    struct rig *rig = rig_new(0, false);
    for (int i = 0; i < 5; i++)
        rig_mark(rig, C, 1000, 0, WEIR_TCP_SYN);
    assert_int_equal(rig->syns, 1);
    assert_int_equal(COUNT(rig, syns_again), 4);
    rig_mark(rig, S, 5000, 1001, WEIR_TCP_SYN);
    rig_mark(rig, C, 1000, 0, WEIR_TCP_SYN);
    assert_int_equal(rig->syns, 1);
    rig_mark(rig, C, 2000, 0, WEIR_TCP_SYN);
    assert_int_equal(rig->syns, 2);
    struct weir_segment from_server = rig_segment(S, 1, 0, WEIR_TCP_SYN, NULL);
    from_server.flags = WEIR_TCP_SYN; /* the mail server as a client of others */
    rig_take(rig, &from_server);
    assert_int_equal(rig->syns, 2);
    rig_free(&rig);
}

static void connections_up_to_the_most_and_one_more_takes_the_oldests_place(void **state)
{
    (void)state;
    struct rig *rig = rig_new(100, false);
    for (uint32_t n = 0; n < 100; n++) {
        struct weir_segment greeting = from(n, S, 1, 1, 0, "220 hi\r\n");
        rig->now += WEIR_SECOND;
        rig_take(rig, &greeting);
    }
    assert_int_equal(COUNT(rig, open), 100);
    assert_int_equal(rig->closed, 0);
    struct weir_segment busy = from(0, C, 1, 9, 0, "EHLO\r\n"); /* client 1 is then the oldest */
    rig_take(rig, &busy);
    struct weir_segment one_more = from(100, S, 1, 1, 0, "220 hi\r\n");
    rig_take(rig, &one_more);
    assert_int_equal(COUNT(rig, open), 100);
    assert_int_equal(rig->closed, 1);
    assert_int_equal(rig->end, WEIR_FLOW_EVICTED);
    uint32_t one = 1;
    assert_memory_equal(rig->last.client.octet + 12, &one, 4);
    rig_free(&rig);
}

static void many_connections_are_all_found_again(void **state)
{
    (void)state;
    struct rig *rig = rig_new(0, false);
    struct seeded s = seeded_new(__func__);
    enum { MANY = 20000 };
    static uint32_t seq[MANY];
    static bool open[MANY];
    memset(open, 0, sizeof(open));
    for (int i = 0; i < 400000; i++) {
        uint32_t n = seeded_below(&s, MANY);
        struct weir_segment segment;
        if (!open[n]) {
            seq[n] = (uint32_t)seeded_next(&s);
            segment = from(n, S, seq[n], 1, 0, "220 hi\r\n");
            seq[n] += 8;
        } else if (i % 3 == 0) {
            segment = from(n, S, seq[n], 1, WEIR_TCP_RST, NULL);
            rig_take(rig, &segment);
            segment = from(n, S, seq[n] - 5000, 2, WEIR_TCP_SYN, NULL); /* gone at once */
        } else {
            segment = from(n, S, seq[n], 1, 0, "250\r\n");
            seq[n] += 5;
        }
        open[n] = !(segment.flags & WEIR_TCP_SYN);
        rig->log_len = 0;
        weir_flows_take(rig->flows, rig->now, &segment);
        unsigned want = 0;
        for (uint32_t k = 0; i % 50000 == 0 && k < MANY; k++)
            want += open[k];
        if (i % 50000 == 0)
            assert_int_equal(COUNT(rig, open), want);
        assert_string_not_equal(open[n] ? rig_log(rig) : "x", "");
    }
    assert_int_equal(COUNT(rig, astray), 0);
    weir_flows_finish(rig->flows);
    assert_int_equal(rig->opened, rig->closed);
    rig_free(&rig);
}

static void silence_ends_connections(void **state)
{
    (void)state;
    struct rig *rig = rig_new(0, false);
    rig_greet(rig);
    weir_flows_tick(rig->flows, rig->now + 10 * WEIR_MINUTE - WEIR_SECOND);
    assert_int_equal(rig->closed, 0);
    weir_flows_tick(rig->flows, rig->now + 10 * WEIR_MINUTE + WEIR_SECOND);
    assert_int_equal(rig->end, WEIR_FLOW_IDLE);
    assert_int_equal(rig->closed, 1);
    rig_free(&rig);

    rig = rig_new(0, false);
    rig_greet(rig);
    rig_mark(rig, S, 5009, 1001, WEIR_TCP_FIN);
    weir_flows_tick(rig->flows, rig->now + 2 * WEIR_MINUTE);
    assert_int_equal(rig->end, WEIR_FLOW_FINISHED);
    rig_free(&rig);

    rig = rig_new(0, false);
    rig_greet(rig);
    weir_flows_finish(rig->flows);
    assert_int_equal(rig->end, WEIR_FLOW_CUT);
    rig_free(&rig);
}

static void a_servers_reset_ends_if_it_falls_silent_and_a_blind_one_does_not(void **state)
{
    (void)state;
    static const struct {
        uint32_t seq;
        bool ends;
    } cases[] = {{5009, true}, {5009 + WEIR_FLOW_RESET_MAX - 1, true},
                 {5009 + WEIR_FLOW_RESET_MAX, false}, {5008, false}, {0, false},
                 {0x80001391, false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rig *rig = rig_new(0, false);
        rig_greet(rig);
        rig_send(rig, C, 1001, 5009, "NOOP\r\n");
        rig_mark(rig, S, cases[i].seq, 1001, WEIR_TCP_RST);
        assert_int_equal(rig->closed, 0);
        weir_flows_tick(rig->flows, rig->now + 2 * WEIR_MINUTE);
        assert_int_equal(rig->closed, cases[i].ends);
        if (cases[i].ends)
            assert_int_equal(rig->end, WEIR_FLOW_RESET);
        rig_free(&rig);
    }
}

static void a_reset_ends_only_if_the_server_falls_silent(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct rig *rig = rig_new(0, false);
        bool goes_on = i % 2;
        rig_greet(rig);
        rig_send(rig, C, 1001, 5009, "RSET\r\n");
        if (i < 2)
            rig_mark(rig, C, 1007, 5009, WEIR_TCP_RST);
        else /* a firewall's, in its name */
            rig_mark(rig, S, 5009, 1007, WEIR_TCP_RST);
        assert_int_equal(rig->closed, 0);
        if (goes_on)
            rig_send(rig, S, 5009, 1007, "250\r\n");
        weir_flows_tick(rig->flows, rig->now + 2 * WEIR_MINUTE);
        assert_int_equal(rig->closed, !goes_on);
        if (!goes_on)
            assert_int_equal(rig->end, WEIR_FLOW_RESET);
        rig_free(&rig);
    }
}

static void a_reset_behind_the_servers_last_word_ends_at_once(void **state)
{
    (void)state;
    for (int side = 0; side < 2; side++) {
        struct rig *rig = rig_new(0, false);
        rig_greet(rig);
        rig_mark(rig, S, 5009, 1001, WEIR_TCP_FIN);
        rig_mark(rig, side ? S : C, side ? 5010 : 1001, 5010, WEIR_TCP_RST);
        assert_int_equal(rig->closed, 1);
        assert_int_equal(rig->end, WEIR_FLOW_RESET);
        rig_free(&rig);
    }
}

static void a_connection_that_was_reset_gives_way_to_one_between_the_same_ends(void **state)
{
    struct rig *rig = rig_new(0, false);
    (void)state;
    rig_greet(rig);
    rig_mark(rig, S, 5009, 1001, WEIR_TCP_RST);
    rig_mark(rig, C, 2000, 0, WEIR_TCP_SYN); /* near the old one's numbers */
    rig_mark(rig, S, 6000, 2001, WEIR_TCP_SYN);
    rig_send(rig, S, 6001, 2001, "220 again\r\n");
    assert_string_equal(rig_log(rig), "opened S:220 hi\r\n reset opened S:220 again\r\n");
    rig_free(&rig);
}

static void ports_used_anew_are_a_new_connection(void **state)
{
    (void)state;
    struct rig *rig = rig_new(0, false);
    rig_greet(rig);
    rig_mark(rig, C, 900000, 0, WEIR_TCP_SYN); /* alone it proves nothing: it may be spoofed */
    assert_string_equal(rig_log(rig), "opened S:220 hi\r\n");
    rig_mark(rig, S, 70000000, 900001, WEIR_TCP_SYN);
    rig_send(rig, S, 70000001, 900001, "220 again\r\n");
    assert_string_equal(rig_log(rig), "replaced opened S:220 again\r\n");
    rig_mark(rig, C, 8000000, 0, WEIR_TCP_SYN); /* its answer was not captured */
    rig_send(rig, S, 4000000000u, 8000001, "220 third\r\n");
    assert_string_equal(rig_log(rig), "replaced opened S:220 third\r\n");
    rig_free(&rig);
}

static void between_two_watched_ports_the_handshake_tells_who_serves(void **state)
{
    (void)state;
    for (int seen = 0; seen < 2; seen++) {
        for (int turned = 0; turned < 2; turned++) {
            struct rig *rig = rig_new(0, false);
            struct weir_segment part[] = {rig_segment(C, 1000, 0, WEIR_TCP_SYN, NULL),
                                          rig_segment(S, 5000, 1001, WEIR_TCP_SYN, NULL),
                                          rig_segment(C, 1001, 5001, 0, "2"),
                                          rig_segment(S, 5001, 1002, 0, "220\r\n")};
            for (int i = seen ? 0 : 3; i < 4; i++) {
                struct weir_address source = part[i].source;
                part[i].source_port = part[i].destination_port = 25;
                if (turned) {
                    part[i].source = part[i].destination;
                    part[i].destination = source;
                }
                rig_take(rig, &part[i]);
            }
            assert_string_equal(rig_log(rig), seen ? "opened C:2 S:220\r\n"
                                                   : "opened-midstream S:220\r\n");
            rig_free(&rig);
        }
    }
}

static void options_out_of_bounds_are_refused(void **state)
{
    (void)state;
    static const uint16_t ports[WEIR_SNIFFER_PORTS_MAX + 1] = {25};
    static const struct weir_prefix proxies[WEIR_SNIFFER_PROXIES_MAX + 1];
    static const struct {
        size_t ports, proxies;
        int want;
    } cases[] = {{0, 0, WEIR_EINVAL}, {WEIR_SNIFFER_PORTS_MAX, 0, 0},
                 {WEIR_SNIFFER_PORTS_MAX + 1, 0, WEIR_EINVAL}, {1, WEIR_SNIFFER_PROXIES_MAX, 0},
                 {1, WEIR_SNIFFER_PROXIES_MAX + 1, WEIR_EINVAL}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weir_flows *flows = NULL;
        struct weir_flow_handler handler = {.context = NULL};
        struct weir_flows_options options = {.ports = ports, .port_count = cases[i].ports,
                                             .proxies = proxies, .proxy_count = cases[i].proxies};
        assert_int_equal(weir_flows_new(&options, &handler, &flows), cases[i].want);
        weir_flows_free(&flows);
    }
}

static void count_one(void *context, const struct weir_flow *flow)
{
    *(unsigned *)context += flow->server_port == 25;
}

static void open_connections_are_counted_one_by_one(void **state)
{
    (void)state;
    struct rig *rig = rig_new(0, false);
    for (uint32_t n = 0; n < 7; n++) {
        struct weir_segment greeting = from(n, S, 1, 1, n == 3 ? WEIR_TCP_FIN : 0, "220 hi\r\n");
        rig_take(rig, &greeting);
    }
    struct weir_segment reset = from(3, S, 10, 1, WEIR_TCP_RST, NULL);
    rig_take(rig, &reset);
    unsigned count = 0;
    weir_flows_each(rig->flows, count_one, &count);
    assert_int_equal(count, 6);
    assert_int_equal(COUNT(rig, open), 6);
    rig_free(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dialogue_is_told_in_order),
        cmocka_unit_test(nothing_begins_without_the_server),
        cmocka_unit_test(other_ports_are_left_alone),
        cmocka_unit_test(a_beginning_in_the_middle_is_flagged),
        cmocka_unit_test(a_lost_greeting_is_a_gap),
        cmocka_unit_test(what_a_client_says_first_is_told_first),
        cmocka_unit_test(as_much_is_kept_of_it_as_the_limit_and_the_rest_is_a_gap),
        cmocka_unit_test(a_proxys_header_survives_a_flood_of_strangers),
        cmocka_unit_test(floods_cost_no_memory_and_open_nothing),
        cmocka_unit_test(a_syn_sent_again_counts_once),
        cmocka_unit_test(connections_up_to_the_most_and_one_more_takes_the_oldests_place),
        cmocka_unit_test(many_connections_are_all_found_again),
        cmocka_unit_test(silence_ends_connections),
        cmocka_unit_test(a_servers_reset_ends_if_it_falls_silent_and_a_blind_one_does_not),
        cmocka_unit_test(a_reset_ends_only_if_the_server_falls_silent),
        cmocka_unit_test(a_reset_behind_the_servers_last_word_ends_at_once),
        cmocka_unit_test(a_connection_that_was_reset_gives_way_to_one_between_the_same_ends),
        cmocka_unit_test(ports_used_anew_are_a_new_connection),
        cmocka_unit_test(between_two_watched_ports_the_handshake_tells_who_serves),
        cmocka_unit_test(options_out_of_bounds_are_refused),
        cmocka_unit_test(open_connections_are_counted_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
