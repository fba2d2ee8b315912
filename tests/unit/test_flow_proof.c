/*
 * The flow table live: what one side's packets alone, which anybody can send, can do and cannot
 * (sniffer/flow.c, sniffer/flow_table.c); and the machine's own addresses (sniffer/own.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "sniffer/own.h"
#include "tests/unit/flow_rig.h"

static const struct weir_flows_counts *counts(const struct rig *rig)
{
    return weir_flows_counts(rig->flows);
}

/* Between port 25 of both. */
static void send_25(struct rig *rig, enum weir_side side, uint32_t seq, uint32_t ack,
                    unsigned flags, const char *says)
{
    struct weir_segment segment = rig_segment(side, seq, ack, flags, says);
    segment.source_port = segment.destination_port = 25;
    if (flags == (WEIR_TCP_SYN | WEIR_TCP_ACK))
        segment.flags = (uint8_t)flags;
    rig_take(rig, &segment);
}

/* A greeting out of the blue, to a client of its own. */
static void lone_greeting(struct rig *rig, unsigned client)
{
    struct weir_segment segment = rig_segment(WEIR_SIDE_SERVER, 5000, 1000, WEIR_TCP_PSH,
                                              "220 hello\r\n");
    segment.destination_port = (uint16_t)(10000 + client % 50000);
    segment.destination.octet[15] = (uint8_t)(client / 50000);
    rig_take(rig, &segment);
}

static void a_handshake_and_a_greeting_prove_a_connection(void **state)
{
    struct rig *rig = rig_new_live(0);
    (void)state;
    rig_greet(rig);
    assert_int_equal(counts(rig)->unproven, 0);
    weir_flows_finish(rig->flows);
    assert_string_equal(rig_log(rig), "opened S:220 hi\r\n cut");
    rig_free(&rig);
}

static void what_a_server_alone_says_proves_nothing(void **state)
{
    struct rig *rig = rig_new_live(0);
    (void)state;
    rig_mark(rig, WEIR_SIDE_SERVER, 5000, 1001, WEIR_TCP_SYN);
    rig_send(rig, WEIR_SIDE_SERVER, 5001, 1001, "220 hi\r\n");
    rig_send(rig, WEIR_SIDE_SERVER, 5009, 1001, "354 go\r\n");
    rig_send(rig, WEIR_SIDE_SERVER, 5017, 1001, "250 queued as 1\r\n");
    assert_int_equal(counts(rig)->unproven, 1);
    weir_flows_tick(rig->flows, rig->now + 31 * WEIR_SECOND);
    assert_non_null(strstr(rig_log(rig), "idle-unproven"));
    assert_int_equal(counts(rig)->unproven + counts(rig)->open, 0);
    rig_free(&rig);
}

static void a_client_that_acknowledges_the_server_proves_a_connection(void **state)
{
    static const struct { uint32_t seq, ack; const char *says; bool proves; } cases[] = {
        {1001, 5009, "EHLO x\r\n", true}, {1001, 5009, NULL, true}, {1001, 5008, NULL, true},
        {1001, 5001, "EHLO x\r\n", false},    /* acknowledges nothing */
        {1001, 4000, "EHLO x\r\n", false},
        {90000000, 5009, "EHLO x\r\n", false}, /* not where the server expects it */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rig *rig = rig_new_live(0);
        rig_send(rig, WEIR_SIDE_SERVER, 5001, 1001, "220 hi\r\n");
        assert_int_equal(counts(rig)->unproven, 1);
        rig_send(rig, WEIR_SIDE_CLIENT, cases[i].seq, cases[i].ack, cases[i].says);
        assert_int_equal(counts(rig)->unproven, !cases[i].proves);
        weir_flows_tick(rig->flows, rig->now + 31 * WEIR_SECOND);
        assert_int_equal(counts(rig)->open, cases[i].proves);
        rig_free(&rig);
    }
}

static void a_reset_of_what_nobody_proved_ends_it_when_nothing_more_comes(void **state)
{
    struct rig *rig = rig_new_live(0);
    (void)state;
    for (int side = 0; side < 2; side++) {
        rig_send(rig, WEIR_SIDE_SERVER, 5001, 1001, "220 hi\r\n");
        rig_mark(rig, (enum weir_side)side, side == WEIR_SIDE_CLIENT ? 1001 : 5009, 0,
                 WEIR_TCP_RST);
        rig->now += 31 * WEIR_SECOND;
        weir_flows_tick(rig->flows, rig->now);
        assert_string_equal(rig_log(rig), "opened-midstream S:220 hi\r\n reset-unproven");
        assert_int_equal(counts(rig)->unproven + counts(rig)->open, 0);
    }
    rig_free(&rig);
}

/* They may have a wrong checksum, or too short a way. */
static void a_client_whose_resets_the_server_drops_is_heard_all_the_same(void **state)
{
    struct rig *rig = rig_new_live(0);
    uint32_t client = 1001, server = 5001;
    static const char *const says[] = {"220 hi\r\n", "EHLO x\r\n", "250 ok\r\n", "QUIT\r\n",
                                       "221 ok\r\n"};
    (void)state;
    rig_mark(rig, C, 1000, 0, WEIR_TCP_SYN);
    rig_mark(rig, S, 5000, 1001, WEIR_TCP_SYN);
    rig_mark(rig, C, client, 0, WEIR_TCP_RST);
    rig_mark(rig, C, client, server, 0);
    for (size_t i = 0; i < sizeof says / sizeof says[0]; i++) {
        bool from_server = i % 2 == 0;
        rig_send(rig, from_server ? S : C, from_server ? server : client,
                 from_server ? client : server, says[i]);
        *(from_server ? &server : &client) += (uint32_t)strlen(says[i]);
        if (from_server) {
            rig_mark(rig, C, client, 0, WEIR_TCP_RST);
            rig_mark(rig, S, server, client, WEIR_TCP_RST); /* that a firewall answers with */
            rig_mark(rig, C, client, server, 0);
        }
    }
    weir_flows_finish(rig->flows);
    assert_string_equal(rig_log(rig), "opened S:220 hi\r\n C:EHLO x\r\n S:250 ok\r\n "
                                      "C:QUIT\r\n S:221 ok\r\n reset");
    rig_free(&rig);
}

static void octets_that_the_server_drops_hide_no_proof(void **state)
{
    static char junk[WEIR_FLOW_RESET_MAX / 16 + 1];
    struct rig *rig = rig_new_live(0);
    (void)state;
    memset(junk, 'x', sizeof junk - 1);
    rig_send(rig, S, 5001, 1001, "220 hi\r\n");
    for (uint32_t i = 0; i < 20; i++) /* acknowledging nothing */
        rig_send(rig, C, 1001 + i * (uint32_t)(sizeof junk - 1), 5001, junk);
    assert_int_equal(counts(rig)->unproven, 1);
    rig_mark(rig, C, 1001, 5009, 0);
    assert_int_equal(counts(rig)->unproven, 0);
    rig_free(&rig);
}

static void a_handshake_that_a_host_knows_nothing_of_is_none(void **state)
{
    struct rig *rig = rig_new_live(0);
    (void)state;
    rig_mark(rig, WEIR_SIDE_CLIENT, 1000, 0, WEIR_TCP_SYN); /* by another, in its name */
    rig_mark(rig, WEIR_SIDE_SERVER, 5000, 1001, WEIR_TCP_SYN);
    rig_mark(rig, WEIR_SIDE_CLIENT, 1001, 0, WEIR_TCP_RST);
    rig_send(rig, WEIR_SIDE_SERVER, 5001, 1001, "220 hi\r\n");
    assert_int_equal(counts(rig)->unproven, 1);
    rig_free(&rig);
}

static void greetings_out_of_the_blue_take_no_connections_place(void **state)
{
    struct rig *rig = rig_new_live(WEIR_FLOWS_UNPROVEN_MAX + 2);
    (void)state;
    rig_greet(rig);
    for (unsigned i = 0; i < 65536; i++) {
        lone_greeting(rig, i);
        rig_log(rig);
    }
    assert_int_equal(counts(rig)->unproven, WEIR_FLOWS_UNPROVEN_MAX);
    assert_int_equal(counts(rig)->open, WEIR_FLOWS_UNPROVEN_MAX + 1);
    assert_int_equal(counts(rig)->evicted, 65536 - WEIR_FLOWS_UNPROVEN_MAX);
    rig_log(rig);
    rig_send(rig, WEIR_SIDE_CLIENT, 1001, 5009, "EHLO x\r\n");
    assert_string_equal(rig_log(rig), "C:EHLO x\r\n");
    rig_free(&rig);
}

static void one_that_is_not_proven_makes_room_for_others(void **state)
{
    struct rig *rig = rig_new_live(3);
    (void)state;
    rig_greet(rig);
    for (unsigned i = 0; i < 5; i++)
        lone_greeting(rig, i);
    assert_int_equal(counts(rig)->open, 3);
    assert_int_equal(counts(rig)->unproven, 2);
    rig_free(&rig);
}

static void a_client_from_a_servers_port_stays_the_client(void **state)
{
    enum { BEFORE, BEFORE_SEQ, BETWEEN, BEHIND_ANSWER, BEHIND_GREETING, PLACES };
    (void)state;
    for (int place = BEFORE; place < PLACES; place++) {
        struct rig *rig = rig_new_live(0);
        for (int at = BEFORE; at < PLACES; at++) {
            if (at == place) /* in the second case it fits the SYN to come */
                send_25(rig, WEIR_SIDE_CLIENT, 900000, at == BEFORE_SEQ ? 1001 : 77,
                        WEIR_TCP_SYN | WEIR_TCP_ACK, NULL);
            if (at == BEFORE_SEQ)
                send_25(rig, WEIR_SIDE_CLIENT, 1000, 0, WEIR_TCP_SYN, NULL);
            if (at == BETWEEN)
                send_25(rig, WEIR_SIDE_SERVER, 5000, 1001, WEIR_TCP_SYN | WEIR_TCP_ACK, NULL);
            if (at == BEHIND_ANSWER) {
                send_25(rig, WEIR_SIDE_CLIENT, 1001, 5001, WEIR_TCP_PSH, "220 me\r\n");
                send_25(rig, WEIR_SIDE_SERVER, 5001, 1009, WEIR_TCP_PSH, "220 hi\r\n");
            }
        }
        send_25(rig, WEIR_SIDE_CLIENT, 1009, 5009, WEIR_TCP_PSH, "QUIT\r\n");
        const char *forged = place < BETWEEN ? "" : place < BEHIND_GREETING ? "forged 0 " : "";
        char want[128];
        snprintf(want, sizeof want, "opened C:220 me\r\n %sS:220 hi\r\n %sC:QUIT\r\n", forged,
                 place == BEHIND_GREETING ? "forged 0 " : "");
        assert_string_equal(rig_log(rig), want);
        rig_free(&rig);
    }
}

static struct weir_address address_of(const char *text)
{
    struct weir_address address;
    assert_int_equal(weir_address_parse(text, strlen(text), &address), 0);
    return address;
}

static void own_addresses_are_found_but_those_of_the_loopback(void **state)
{
    static const struct { const char *text; bool own; } cases[] = {
        {"203.0.113.9", true}, {"2001:db8::1", true}, {"203.0.113.8", true}, {"::2", true},
        {"127.0.0.1", false}, {"127.255.0.1", false}, {"::1", false}};
    static struct weir_own own;
    (void)state;
    for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        struct weir_address address = address_of(cases[i / 2].text);
        assert_int_equal(weir_own_add(&own, &address), 0);
    }
    assert_int_equal(own.count, 4);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_address address = address_of(cases[i].text);
        assert_int_equal(weir_own_has(&own, &address), cases[i].own);
    }
    struct weir_address other = address_of("203.0.113.10");
    assert_false(weir_own_has(&own, &other));
}

static void there_are_own_addresses_up_to_the_limit(void **state)
{
    static struct weir_own own;
    struct weir_address address = address_of("2001:db8::");
    (void)state;
    for (unsigned i = 0; i <= WEIR_SNIFFER_OWN_MAX; i++) {
        address.octet[14] = (uint8_t)(i >> 8);
        address.octet[15] = (uint8_t)i;
        assert_int_equal(weir_own_add(&own, &address),
                         i < WEIR_SNIFFER_OWN_MAX ? 0 : WEIR_ELIMIT);
    }
    assert_false(weir_own_has(&own, &address));
}

static void there_are_cards_up_to_the_limit_and_each_once(void **state)
{
    static struct weir_own own;
    uint8_t card[WEIR_CARD] = {0};
    (void)state;
    assert_int_equal(weir_own_add_card(&own, card), 0);
    assert_false(weir_own_has_card(&own, card)); /* the loopback's */
    for (unsigned i = 0; i <= 2 * WEIR_SNIFFER_CARDS_MAX; i++) {
        card[0] = 2;
        card[4] = (uint8_t)(i / 2 >> 8);
        card[5] = (uint8_t)(i / 2);
        assert_int_equal(weir_own_add_card(&own, card),
                         i < 2 * WEIR_SNIFFER_CARDS_MAX ? 0 : WEIR_ELIMIT);
    }
    assert_int_equal(own.cards, WEIR_SNIFFER_CARDS_MAX);
}

static void a_card_is_none_of_ours_only_where_all_of_ours_are_known(void **state)
{
    static struct weir_own own;
    static const uint8_t none[WEIR_CARD], strange[WEIR_CARD] = {4};
    (void)state;
    assert_false(weir_own_lacks_card(&own, strange));
    for (unsigned i = WEIR_SNIFFER_CARDS_MAX; i > 0; i--) {
        const uint8_t card[WEIR_CARD] = {2, [4] = (uint8_t)(i >> 8), [5] = (uint8_t)i};
        assert_int_equal(weir_own_add_card(&own, card), 0);
        assert_true(weir_own_has_card(&own, card));
        assert_false(weir_own_lacks_card(&own, card));
        assert_int_equal(weir_own_lacks_card(&own, strange), i > 1);
    }
    own.cards--;
    assert_true(weir_own_lacks_card(&own, strange));
    assert_false(weir_own_lacks_card(&own, none)); /* the loopback's */
}

/* How a segment came, as far as that is told, and whether it may be this machine's. */
static const uint8_t ours[WEIR_CARD] = {2, 0, 0, 0, 0, 1}, another[WEIR_CARD] = {2, 0, 0, 0, 0, 2};
static const struct way {
    bool outgoing, incoming;
    const uint8_t *card;
    bool may_be_ours;
} ways[] = {
    {false, false, NULL, true}, {true, false, NULL, true},   {false, true, NULL, false},
    {false, false, ours, true}, {false, false, another, false}};

static void send_by(struct rig *rig, const struct way *way, enum weir_side side, uint32_t seq,
                    uint32_t ack, unsigned flags, const char *payload)
{
    struct weir_segment segment = rig_segment(side, seq, ack, flags, payload);
    segment.outgoing = way->outgoing;
    segment.incoming = way->incoming;
    segment.card = way->card;
    rig_take(rig, &segment);
}

static struct rig *rig_on_the_server(void)
{
    struct rig *rig = rig_new_live(0);
    struct weir_address server = address_of("198.51.100.9");
    assert_int_equal(weir_own_add(&rig->own, &server), 0);
    assert_int_equal(weir_own_add_card(&rig->own, ours), 0);
    return rig;
}

static void a_dialogue_in_this_machines_name_that_came_in_is_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * sizeof ways / sizeof ways[0]; i++) {
        const struct way *way = &ways[i / 2];
        struct rig *rig = rig_on_the_server();
        if (i % 2) { /* with a handshake */
            rig_mark(rig, C, 1000, 0, WEIR_TCP_SYN);
            send_by(rig, way, S, 5000, 1001, WEIR_TCP_SYN, NULL);
        }
        send_by(rig, way, S, 5001, 1001, WEIR_TCP_PSH, "220 hi\r\n");
        rig_send(rig, C, 1001, 5009, "HELO x\r\n");
        assert_string_equal(rig_log(rig), !way->may_be_ours ? "" :
                            i % 2 ? "opened S:220 hi\r\n C:HELO x\r\n" :
                            "opened-midstream S:220 hi\r\n C:HELO x\r\n");
        assert_int_equal(COUNT(rig, foreign), way->may_be_ours ? 0 : 1 + i % 2);
        rig_free(&rig);
    }
}

static void what_came_in_says_nothing_for_this_machine_and_ends_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        static const unsigned flags[] = {WEIR_TCP_PSH, WEIR_TCP_FIN, WEIR_TCP_RST, WEIR_TCP_SYN};
        struct rig *rig = rig_on_the_server();
        rig_greet(rig);
        rig_send(rig, C, 1001, 5009, "DATA\r\n");
        rig_log(rig);
        for (size_t n = 0; !ways[i].may_be_ours && n < 4; n++)
            send_by(rig, &ways[i], S, 5009, 1007, flags[n], n ? NULL : "503 no\r\n");
        send_by(rig, &ways[ways[i].may_be_ours ? i : 0], S, 5009, 1007, WEIR_TCP_PSH,
                "354 go\r\n");
        assert_string_equal(rig_log(rig), "S:354 go\r\n");
        assert_int_equal(COUNT(rig, foreign), ways[i].may_be_ours ? 0 : 4);
        assert_int_equal(COUNT(rig, open), 1);
        rig_free(&rig);
    }
}

static void what_a_client_says_comes_in(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct rig *rig = rig_on_the_server();
        rig_greet(rig);
        rig_log(rig);
        send_by(rig, &ways[i], C, 1001, 5009, WEIR_TCP_PSH, "DATA\r\n");
        assert_string_equal(rig_log(rig), "C:DATA\r\n");
        assert_int_equal(COUNT(rig, foreign), 0);
        rig_free(&rig);
    }
}

static void the_machines_interfaces_can_be_read(void **state)
{
    static struct weir_own own;
    struct weir_address loopback = address_of("127.0.0.1");
    (void)state;
    assert_int_equal(weir_own_read(&own), 0);
    assert_false(weir_own_has(&own, &loopback));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handshake_and_a_greeting_prove_a_connection),
        cmocka_unit_test(what_a_server_alone_says_proves_nothing),
        cmocka_unit_test(a_client_that_acknowledges_the_server_proves_a_connection),
        cmocka_unit_test(a_reset_of_what_nobody_proved_ends_it_when_nothing_more_comes),
        cmocka_unit_test(a_client_whose_resets_the_server_drops_is_heard_all_the_same),
        cmocka_unit_test(octets_that_the_server_drops_hide_no_proof),
        cmocka_unit_test(a_handshake_that_a_host_knows_nothing_of_is_none),
        cmocka_unit_test(a_card_is_none_of_ours_only_where_all_of_ours_are_known),
        cmocka_unit_test(a_dialogue_in_this_machines_name_that_came_in_is_none),
        cmocka_unit_test(what_came_in_says_nothing_for_this_machine_and_ends_nothing),
        cmocka_unit_test(what_a_client_says_comes_in),
        cmocka_unit_test(greetings_out_of_the_blue_take_no_connections_place),
        cmocka_unit_test(one_that_is_not_proven_makes_room_for_others),
        cmocka_unit_test(a_client_from_a_servers_port_stays_the_client),
        cmocka_unit_test(own_addresses_are_found_but_those_of_the_loopback),
        cmocka_unit_test(there_are_own_addresses_up_to_the_limit),
        cmocka_unit_test(there_are_cards_up_to_the_limit_and_each_once),
        cmocka_unit_test(the_machines_interfaces_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
