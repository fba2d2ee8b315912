/*
 * Connections that a listener sees twice, before and behind a translation of addresses, and who is
 * the server where both ports are watched (sniffer/flow_copy.c, sniffer/flow_role.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "core/base/limits.h"
#include "tests/unit/flow_rig.h"

static struct weir_address address_of(const char *text)
{
    struct weir_address address;
    assert_int_equal(weir_address_parse(text, strlen(text), &address), 0);
    return address;
}

/* What a connection's ends are called at one place of its way; NULL: as the rig calls them. */
struct view {
    const char *client, *server;
    uint16_t client_port;
};

static void seen_at(struct rig *rig, const struct view *view, enum weir_side side,
                    struct weir_segment segment)
{
    if (view->client)
        *(side == C ? &segment.source : &segment.destination) = address_of(view->client);
    if (view->server)
        *(side == C ? &segment.destination : &segment.source) = address_of(view->server);
    if (view->client_port)
        *(side == C ? &segment.source_port : &segment.destination_port) = view->client_port;
    rig_take(rig, &segment);
}

/* Seen at both places in the order in which it passes them. */
static void passes(struct rig *rig, const struct view view[2], enum weir_side side, uint32_t seq,
                   uint32_t ack, unsigned flags, const char *says)
{
    struct weir_segment segment = rig_segment(side, seq, ack, flags, says);
    seen_at(rig, &view[side == C ? 0 : 1], side, segment);
    seen_at(rig, &view[side == C ? 1 : 0], side, segment);
}

static void handshake_passes(struct rig *rig, const struct view view[2], uint32_t server)
{
    passes(rig, view, C, 1000, 0, WEIR_TCP_SYN, NULL);
    passes(rig, view, S, server - 1, 1001, WEIR_TCP_SYN, NULL);
    passes(rig, view, C, 1001, server, 0, NULL);
}

static void dialogue_passes(struct rig *rig, const struct view view[2])
{
    passes(rig, view, S, 5001, 1001, WEIR_TCP_PSH, "220 hi\r\n");
    passes(rig, view, C, 1001, 5009, WEIR_TCP_PSH, "QUIT\r\n");
    passes(rig, view, S, 5009, 1007, WEIR_TCP_PSH, "221 ok\r\n");
    passes(rig, view, S, 5017, 1007, WEIR_TCP_FIN, NULL);
    passes(rig, view, C, 1007, 5018, WEIR_TCP_FIN, NULL);
    passes(rig, view, S, 5018, 1008, 0, NULL);
}

static const struct view behind_dnat[2] = {{NULL, NULL, 0}, {NULL, "172.18.0.2", 0}};

static void a_connection_whose_server_is_translated_is_told_once(void **state)
{
    (void)state;
    for (int live = 0; live < 2; live++) {
        struct rig *rig = live ? rig_new_live(0) : rig_new(0, false);
        handshake_passes(rig, behind_dnat, 5001);
        dialogue_passes(rig, behind_dnat);
        assert_string_equal(rig_log(rig), "opened S:220 hi\r\n copied C:QUIT\r\n S:221 ok\r\n "
                                          "finished");
        assert_int_equal(COUNT(rig, copies), 1);
        assert_int_equal(COUNT(rig, open) + COUNT(rig, unproven), 0);
        weir_flows_tick(rig->flows, rig->now + WEIR_HOUR);
        assert_string_equal(rig_log(rig), "");
        rig_free(&rig);
    }
}

static void of_one_whose_handshake_was_forgotten_one_stays(void **state)
{
    struct rig *rig = rig_new_live(0);
    (void)state;
    dialogue_passes(rig, behind_dnat);
    assert_string_equal(rig_log(rig), "opened-midstream S:220 hi\r\n opened-midstream S:220 hi\r\n "
                                      "C:QUIT\r\n replaced-unproven S:221 ok\r\n finished");
    assert_int_equal(COUNT(rig, open) + COUNT(rig, unproven), 0);
    rig_free(&rig);
}

static void of_two_clients_the_one_that_is_not_the_machine_is_the_true_one(void **state)
{
    static const struct view masqueraded[2] = {{NULL, NULL, 0}, {"172.18.0.1", "172.18.0.2", 0}};
    struct rig *rig = rig_new_live(0);
    struct weir_address gateway = address_of("172.18.0.1");
    (void)state;
    assert_int_equal(weir_own_add(&rig->own, &gateway), 0);
    handshake_passes(rig, masqueraded, 5001);
    dialogue_passes(rig, masqueraded);
    assert_string_equal(rig_log(rig), "opened S:220 hi\r\n replaced opened S:220 hi\r\n "
                                      "C:QUIT\r\n S:221 ok\r\n finished");
    struct weir_address client = address_of("192.0.2.1");
    assert_true(weir_address_equal(&rig->last.client, &client));
    rig_free(&rig);
}

static void what_only_looks_alike_is_another_connection(void **state)
{
    static const struct view other[] = {{"192.0.2.2", NULL, 0},       /* client */
                                        {NULL, "172.18.0.2", 40001},  /* its port */
                                        {NULL, "172.18.0.2", 0}};     /* the server's numbers */
    (void)state;
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++) {
        struct rig *rig = rig_new_live(0);
        const struct view twice[2] = {other[i], other[i]};
        uint32_t server = i == 2 ? 5002 : 5001;
        rig_greet(rig);
        handshake_passes(rig, twice, server);
        passes(rig, twice, S, server, 1001, WEIR_TCP_PSH, "220 hi\r\n");
        assert_int_equal(COUNT(rig, open), 2);
        assert_int_equal(COUNT(rig, copies), 0);
        rig_free(&rig);
    }
}

static void a_copy_gives_way_to_a_new_connection_between_the_same_ends(void **state)
{
    struct rig *rig = rig_new_live(0);
    (void)state;
    for (int i = 0; i < 3; i++) {
        handshake_passes(rig, behind_dnat, 5001);
        dialogue_passes(rig, behind_dnat);
        rig_log(rig);
        handshake_passes(rig, behind_dnat, 90000001);
        passes(rig, behind_dnat, S, 90000001, 1001, WEIR_TCP_PSH, "220 hi\r\n");
        assert_string_equal(rig_log(rig), "opened S:220 hi\r\n copied");
        passes(rig, behind_dnat, S, 90000009, 1001, WEIR_TCP_FIN, NULL);
        passes(rig, behind_dnat, C, 1001, 90000010, WEIR_TCP_FIN, NULL);
        rig_log(rig);
    }
    rig_free(&rig);
}

static void a_copy_that_is_reset_or_over_stays_one_while_the_server_goes_on(void **state)
{
    struct rig *rig = rig_new_live(0);
    (void)state;
    handshake_passes(rig, behind_dnat, 5001);
    passes(rig, behind_dnat, S, 5001, 1001, WEIR_TCP_PSH, "220 hi\r\n");
    rig_log(rig);
    passes(rig, behind_dnat, C, 1001, 5009, WEIR_TCP_FIN, NULL); /* that the server drops */
    passes(rig, behind_dnat, C, 1001, 5009, WEIR_TCP_RST, NULL);
    passes(rig, behind_dnat, C, 1001, 5009, WEIR_TCP_PSH, "NOOP\r\n");
    passes(rig, behind_dnat, S, 5009, 1007, WEIR_TCP_PSH, "250 ok\r\n");
    assert_string_equal(rig_log(rig), "C:NOOP\r\n S:250 ok\r\n");
    assert_int_equal(COUNT(rig, open), 1);
    rig_free(&rig);
}

static void copies_make_room_for_others(void **state)
{
    struct rig *rig = rig_new_live(2);
    static const struct view third = {"192.0.2.3", NULL, 0};
    const struct view twice[2] = {third, third};
    (void)state;
    handshake_passes(rig, behind_dnat, 5001);
    passes(rig, behind_dnat, S, 5001, 1001, WEIR_TCP_PSH, "220 hi\r\n");
    handshake_passes(rig, twice, 7001);
    passes(rig, twice, S, 7001, 1001, WEIR_TCP_PSH, "220 hi\r\n");
    assert_int_equal(COUNT(rig, open), 2);
    assert_int_equal(COUNT(rig, evicted), 0);
    rig_free(&rig);
}

/* A bridge, and what hangs on it, show each packet several times. */
static void packets_seen_several_times_are_told_once(void **state)
{
    static const struct view same[2] = {{NULL, NULL, 0}, {NULL, NULL, 0}};
    struct rig *rig = rig_new_live(0);
    (void)state;
    handshake_passes(rig, same, 5001);
    dialogue_passes(rig, same);
    assert_string_equal(rig_log(rig), "opened S:220 hi\r\n C:QUIT\r\n S:221 ok\r\n finished");
    assert_int_equal(rig->syns, 1);
    rig_free(&rig);
}

/* Both from port 25: the client's words come first, and the server drops them. */
static void client_says_220_first(struct rig *rig)
{
    static const struct { bool server; uint32_t seq, ack; const char *says; } parts[] = {
        {false, 1001, 5001, "220 me\r\n"}, {true, 5001, 1001, "220 hi\r\n"},
        {false, 1001, 5009, "EHLO x\r\n"}, {true, 5009, 1009, "250 ok\r\n"}};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        struct weir_segment segment = rig_segment(parts[i].server ? S : C, parts[i].seq,
                                                  parts[i].ack, WEIR_TCP_PSH, parts[i].says);
        segment.source_port = segment.destination_port = 25;
        rig_take(rig, &segment);
    }
}

static bool is_the_server(const struct rig *rig, const char *server)
{
    struct weir_address address = address_of(server);
    return weir_address_equal(&rig->last.server, &address);
}

static void the_machines_own_address_serves_where_the_handshake_was_forgotten(void **state)
{
    struct rig *rig = rig_new_live(0);
    struct weir_address own = address_of("198.51.100.9");
    struct weir_segment answer = rig_segment(C, 900000, 5001, WEIR_TCP_SYN | WEIR_TCP_ACK, NULL);
    (void)state;
    assert_int_equal(weir_own_add(&rig->own, &own), 0);
    answer.source_port = 25;
    answer.flags = WEIR_TCP_SYN | WEIR_TCP_ACK; /* the client's, to a SYN that never was */
    rig_take(rig, &answer);
    client_says_220_first(rig);
    assert_int_equal(COUNT(rig, unproven), 0);
    weir_flows_finish(rig->flows);
    assert_true(is_the_server(rig, "198.51.100.9"));
    assert_non_null(strstr(rig_log(rig), "S:220 hi"));
    rig_free(&rig);
}

static void who_was_a_server_before_is_one_where_the_handshake_was_forgotten(void **state)
{
    struct rig *rig = rig_new_live(0);
    (void)state;
    rig_greet(rig); /* to a client from a port of its own */
    client_says_220_first(rig);
    weir_flows_finish(rig->flows);
    assert_int_equal(rig->closed, 2);
    assert_true(is_the_server(rig, "198.51.100.9"));
    rig_free(&rig);
}

static void a_client_that_resets_the_handshake_of_this_machine_is_heard(void **state)
{
    struct rig *rig = rig_new_live(0);
    struct weir_address own = address_of("198.51.100.9");
    (void)state;
    assert_int_equal(weir_own_add(&rig->own, &own), 0);
    rig_mark(rig, C, 1000, 0, WEIR_TCP_SYN);
    rig_mark(rig, S, 5000, 1001, WEIR_TCP_SYN);
    rig_mark(rig, C, 1001, 0, WEIR_TCP_RST);
    rig_send(rig, S, 5001, 1001, "220 hi\r\n"); /* which it would not say */
    assert_int_equal(COUNT(rig, unproven), 0);
    rig_free(&rig);
}

static void what_this_machines_kernel_sends_proves_a_connection(void **state)
{
    static const uint8_t card[] = {2, 0, 0, 0, 0, 1}, router[] = {2, 0, 0, 0, 0, 2};
    static const struct { bool own, outgoing; const uint8_t *card; bool proves; } cases[] = {
        {true, true, NULL, true},    {true, false, card, true}, {true, false, router, false},
        {true, false, NULL, false},  {false, true, card, false}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rig *rig = rig_new_live(0);
        struct weir_address own = address_of("198.51.100.9");
        struct weir_segment greeting = rig_segment(S, 5001, 1001, WEIR_TCP_PSH, "220 hi\r\n");
        assert_int_equal(weir_own_add_card(&rig->own, card), 0);
        if (cases[i].own)
            assert_int_equal(weir_own_add(&rig->own, &own), 0);
        greeting.outgoing = cases[i].outgoing;
        greeting.card = cases[i].card;
        rig_take(rig, &greeting); /* the client's segments cannot be read */
        assert_int_equal(COUNT(rig, open) - COUNT(rig, unproven), cases[i].proves);
        rig_free(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_whose_server_is_translated_is_told_once),
        cmocka_unit_test(of_one_whose_handshake_was_forgotten_one_stays),
        cmocka_unit_test(of_two_clients_the_one_that_is_not_the_machine_is_the_true_one),
        cmocka_unit_test(what_only_looks_alike_is_another_connection),
        cmocka_unit_test(a_copy_gives_way_to_a_new_connection_between_the_same_ends),
        cmocka_unit_test(a_copy_that_is_reset_or_over_stays_one_while_the_server_goes_on),
        cmocka_unit_test(copies_make_room_for_others),
        cmocka_unit_test(packets_seen_several_times_are_told_once),
        cmocka_unit_test(the_machines_own_address_serves_where_the_handshake_was_forgotten),
        cmocka_unit_test(who_was_a_server_before_is_one_where_the_handshake_was_forgotten),
        cmocka_unit_test(what_this_machines_kernel_sends_proves_a_connection),
        cmocka_unit_test(a_client_that_resets_the_handshake_of_this_machine_is_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
