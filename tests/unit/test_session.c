/*
 * Sessions fed with frames made by hand: who is charged with what, and when; record.c is tested
 * with the program (tests/end2end/test_sniffer.py).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "sniffer/session.h"
#include "tests/unit/tls_rig.h"

struct stage {
    struct weir_tally *tally;
    struct weir_sessions *sessions;
    uint32_t next[2]; /* sequence numbers of client and server */
    uint16_t port;
    weir_time now;
};

static struct weir_address address_of(const char *text)
{
    struct weir_address address;

    assert_int_equal(weir_address_parse(text, strlen(text), &address), 0);
    return address;
}

/* proxy: trusted, or NULL; own: of the machine, or NULL; calibration: NULL for one of its own. */
static struct stage stage_open_with(const char *proxy, const struct weir_own *own,
                                    struct weir_calibration *calibration)
{
    static const uint16_t port[] = {25};
    struct weir_prefix trusted;
    const char *why;
    struct weir_sessions_options options = {.ports = port, .port_count = 1, .own = own,
                                            .calibration = calibration,
                                            .key = weir_hash_key_random()};
    struct stage stage = {.now = WEIR_SECOND, .port = 40000};

    if (proxy) {
        assert_int_equal(weir_prefix_parse(proxy, strlen(proxy), &trusted, &why), 0);
        options.proxies = &trusted;
        options.proxy_count = 1;
    }
    assert_int_equal(weir_tally_new(64, 64, &options.key, &stage.tally), 0);
    struct weir_sessions_handler handler = {NULL, NULL, NULL};
    assert_int_equal(weir_sessions_new(&options, &handler, stage.tally, &stage.sessions), 0);
    return stage;
}

static struct stage stage_open_on(const char *proxy, const struct weir_own *own)
{
    return stage_open_with(proxy, own, NULL);
}

static struct stage stage_open(const char *proxy)
{
    return stage_open_on(proxy, NULL);
}

static void stage_close(struct stage *stage)
{
    weir_sessions_free(&stage->sessions);
    weir_tally_free(&stage->tally);
}

/* A raw IPv4 frame between 192.0.2.1 and port 25 of 198.51.100.9. */
static void send(struct stage *stage, char side, unsigned flags, const void *octets, size_t len)
{
    static const uint8_t address[2][4] = {{192, 0, 2, 1}, {198, 51, 100, 9}};
    bool server = side == 'S';
    uint8_t frame[2048] = {0x45, 0, (uint8_t)((40 + len) >> 8), (uint8_t)(40 + len),
                           [8] = 64, [9] = 6};
    uint8_t *tcp = frame + 20;
    uint16_t ports[2] = {stage->port, 25};
    uint32_t numbers[2] = {stage->next[server], stage->next[!server]};

    memcpy(frame + 12, address[server], 4);
    memcpy(frame + 16, address[!server], 4);
    for (unsigned i = 0; i < 2; i++) {
        unsigned value = ports[i == 0 ? server : !server];
        tcp[2 * i] = (uint8_t)(value >> 8);
        tcp[2 * i + 1] = (uint8_t)value;
    }
    for (unsigned i = 0; i < 8; i++)
        tcp[4 + i] = (uint8_t)(numbers[i / 4] >> (24 - 8 * (i % 4)));
    tcp[12] = 0x50;
    tcp[13] = (uint8_t)flags;
    memcpy(tcp + 20, octets, len);
    stage->next[server] += (uint32_t)len + ((flags & (WEIR_TCP_SYN | WEIR_TCP_FIN)) != 0);
    stage->now += WEIR_SECOND / 100;
    weir_sessions_frame(stage->sessions, stage->now, WEIR_LINK_RAW, frame, 40 + len, 40 + len);
}

static void say(struct stage *stage, char side, const char *text)
{
    send(stage, side, WEIR_TCP_ACK | WEIR_TCP_PSH, text, strlen(text));
}

static void handshake(struct stage *stage)
{
    stage->next[0] = stage->now & 0xffffff;
    stage->next[1] = 5000;
    stage->port++;
    send(stage, 'C', WEIR_TCP_SYN, "", 0);
    send(stage, 'S', WEIR_TCP_SYN | WEIR_TCP_ACK, "", 0);
    send(stage, 'C', WEIR_TCP_ACK, "", 0);
}

static void mail(struct stage *stage, const char *reply)
{
    say(stage, 'C', "MAIL FROM:<a@b.example>\r\n");
    say(stage, 'S', "250 ok\r\n");
    say(stage, 'C', "RCPT TO:<c@d.example>\r\n");
    say(stage, 'S', "250 ok\r\n");
    say(stage, 'C', "DATA\r\n");
    say(stage, 'S', "354 go\r\n");
    say(stage, 'C', "Subject: x\r\n\r\ntext\r\n.\r\n");
    say(stage, 'S', reply);
}

static void hang_up(struct stage *stage)
{
    send(stage, 'S', WEIR_TCP_FIN | WEIR_TCP_ACK, "", 0);
    send(stage, 'C', WEIR_TCP_FIN | WEIR_TCP_ACK, "", 0);
}

/* The client says something, and the server does. */
static void answered(struct stage *stage)
{
    say(stage, 'C', "NOOP\r\n");
    say(stage, 'S', "250 ok\r\n");
}

/* Compares connections, messages, accepted, recipients. */
static void assert_charged(struct stage *stage, const char *address, unsigned connections,
                           unsigned messages, unsigned accepted, unsigned recipients)
{
    struct weir_address whose = address_of(address);
    const struct weir_traffic none = {0};
    const struct weir_traffic *record = weir_tally_find(stage->tally, &whose);

    record = record ? record : &none;
    assert_int_equal(record->connections, connections);
    assert_int_equal(record->messages, messages);
    assert_int_equal(record->accepted, accepted);
    assert_int_equal(record->recipients, recipients);
}

static void charges_come_with_greeting_and_final_reply(void **state)
{
    struct stage stage = stage_open(NULL);

    (void)state;
    handshake(&stage);
    assert_charged(&stage, "192.0.2.1", 0, 0, 0, 0);
    say(&stage, 'S', "220 hi\r\n");
    assert_charged(&stage, "192.0.2.1", 1, 0, 0, 0);
    mail(&stage, "");
    assert_charged(&stage, "192.0.2.1", 1, 0, 0, 0);
    say(&stage, 'S', "250 queued\r\n");
    assert_charged(&stage, "192.0.2.1", 1, 1, 1, 1);
    mail(&stage, "550 no\r\n");
    assert_charged(&stage, "192.0.2.1", 1, 2, 1, 2);
    stage_close(&stage);
}

static void midstream_connections_are_charged_only_if_they_begin(void **state)
{
    struct stage stage = stage_open(NULL);

    (void)state;
    stage.next[1] = 77;
    say(&stage, 'S', "250 ok\r\n"); /* of one that was there before */
    answered(&stage);
    assert_charged(&stage, "192.0.2.1", 0, 0, 0, 0);
    stage.port++;
    say(&stage, 'S', "220 hi\r\n"); /* the handshake was forgotten */
    answered(&stage);
    assert_charged(&stage, "192.0.2.1", 1, 0, 0, 0);
    stage.port++;
    send(&stage, 'S', WEIR_TCP_ACK, "\x16\x03\x03\x00\x30\x02", 6);
    answered(&stage);
    assert_charged(&stage, "192.0.2.1", 2, 0, 0, 0);
    stage.port++;
    send(&stage, 'S', WEIR_TCP_ACK, "\x17\x03\x03\x00\x30\x02", 6);
    answered(&stage);
    assert_charged(&stage, "192.0.2.1", 2, 0, 0, 0);
    stage_close(&stage);
}

static void nobody_is_charged_with_what_one_side_alone_says(void **state)
{
    struct stage stage = stage_open(NULL);
    size_t records;

    (void)state;
    stage.next[1] = 77;
    for (int i = 0; i < 3; i++) {
        stage.port++;
        say(&stage, 'S', i == 0 ? "220 hi\r\n" : "250 ok\r\n");
        say(&stage, 'S', "250 ok\r\n354 go\r\n");
        say(&stage, 'S', "250 2.0.0 Ok: queued as 1\r\n");
        if (i == 1)
            send(&stage, 'S', WEIR_TCP_FIN | WEIR_TCP_ACK, "", 0);
        if (i == 2)
            send(&stage, 'C', WEIR_TCP_RST, "", 0);
    }
    weir_sessions_finish(stage.sessions);
    weir_tally_records(stage.tally, &records);
    assert_int_equal(records, 0);
    assert_int_equal(weir_sessions_counts(stage.sessions)->unproven, 3);
    stage_close(&stage);
}

static void connections_are_charged_once_the_client_answers_though_the_handshake_was_forgotten(
    void **state)
{
    struct stage stage = stage_open(NULL);

    (void)state;
    say(&stage, 'S', "220 hi\r\n");
    assert_charged(&stage, "192.0.2.1", 0, 0, 0, 0);
    mail(&stage, "250 queued\r\n");
    assert_charged(&stage, "192.0.2.1", 1, 1, 1, 1);
    stage.port++;
    say(&stage, 'S', "220 hi\r\n"); /* and one that says nothing */
    send(&stage, 'C', WEIR_TCP_ACK, "", 0);
    hang_up(&stage);
    assert_charged(&stage, "192.0.2.1", 2, 1, 1, 1);
    assert_int_equal(weir_sessions_counts(stage.sessions)->unproven, 0);
    stage_close(&stage);
}

static void who_follows_an_XCLIENT_without_an_address_is_not_charged(void **state)
{
    static const char *const tells[] = {"XCLIENT ADDR=203.0.113.5\r\n",
                                        "XCLIENT ADDR=[UNAVAILABLE]\r\n"};
    struct stage stage = stage_open("192.0.2.0/24");

    (void)state;
    handshake(&stage);
    say(&stage, 'S', "220 hi\r\n");
    for (int i = 0; i < 2; i++) {
        say(&stage, 'C', tells[i]);
        say(&stage, 'S', "220 hi\r\n");
        mail(&stage, "250 queued\r\n");
    }
    hang_up(&stage);
    assert_charged(&stage, "203.0.113.5", 1, 1, 1, 1);
    assert_charged(&stage, "192.0.2.1", 0, 0, 0, 0);
    stage_close(&stage);
}

static void add_syns(void *context, const struct weir_address *address, uint32_t syns)
{
    (void)address;
    *(unsigned *)context += syns;
}

static void the_machines_own_addresses_are_charged_with_nothing(void **state)
{
    static struct weir_own own;
    struct weir_address address = address_of("192.0.2.1");
    unsigned syns = 0;
    size_t records;

    (void)state;
    assert_int_equal(weir_own_add(&own, &address), 0);
    struct stage stage = stage_open_on(NULL, &own);
    handshake(&stage);
    say(&stage, 'S', "220 hi\r\n");
    mail(&stage, "250 queued\r\n");
    hang_up(&stage);
    handshake(&stage); /* nobody answers */
    weir_sessions_finish(stage.sessions);
    weir_tally_records(stage.tally, &records);
    assert_int_equal(records, 0);
    weir_tally_syns(stage.tally, INT64_MAX, add_syns, &syns);
    assert_int_equal(syns, 0);
    stage_close(&stage);
}

static void a_trusted_proxys_connection_is_its_clients(void **state)
{
    struct stage stage = stage_open("192.0.2.0/24");

    (void)state;
    handshake(&stage);
    say(&stage, 'C', "PROXY TCP4 203.0.113.5 203.0.113.6 4000 25\r\n");
    say(&stage, 'S', "220 hi\r\n");
    mail(&stage, "250 queued\r\n");
    hang_up(&stage);
    assert_charged(&stage, "203.0.113.5", 1, 1, 1, 1);
    assert_charged(&stage, "192.0.2.1", 0, 0, 0, 0);
    stage_close(&stage);
}

static void health_checks_are_charged_to_nobody(void **state)
{
    struct stage stage = stage_open("192.0.2.0/24");
    size_t records;

    (void)state;
    handshake(&stage);
    say(&stage, 'C', "PROXY UNKNOWN\r\n");
    say(&stage, 'S', "220 hi\r\n");
    say(&stage, 'C', "QUIT\r\n");
    say(&stage, 'S', "221 bye\r\n");
    hang_up(&stage);
    weir_sessions_finish(stage.sessions);
    weir_tally_records(stage.tally, &records);
    assert_int_equal(records, 0);
    stage_close(&stage);
}

static void a_proxy_that_tells_nobody_is_charged_itself(void **state)
{
    struct stage stage = stage_open("192.0.2.0/24");

    (void)state;
    handshake(&stage);
    say(&stage, 'S', "220 hi\r\n");
    assert_charged(&stage, "192.0.2.1", 0, 0, 0, 0);
    say(&stage, 'C', "EHLO me\r\n");
    say(&stage, 'S', "250 hi\r\n");
    mail(&stage, "250 queued\r\n");
    assert_charged(&stage, "192.0.2.1", 1, 1, 1, 1);
    stage_close(&stage);
}

static void XCLIENT_charges_the_connection_to_each_client_it_tells(void **state)
{
    struct stage stage = stage_open("192.0.2.0/24");

    (void)state;
    handshake(&stage);
    say(&stage, 'S', "220 hi\r\n");
    for (unsigned i = 0; i < 2; i++) {
        say(&stage, 'C', i == 0 ? "XCLIENT ADDR=203.0.113.5\r\n" : "XCLIENT ADDR=203.0.113.6\r\n");
        say(&stage, 'S', "220 hi\r\n");
        say(&stage, 'C', "EHLO me\r\n");
        say(&stage, 'S', "250 hi\r\n");
        mail(&stage, "250 queued\r\n");
    }
    assert_charged(&stage, "203.0.113.5", 1, 1, 1, 1);
    assert_charged(&stage, "203.0.113.6", 1, 1, 1, 1);
    assert_charged(&stage, "192.0.2.1", 0, 0, 0, 0);
    stage_close(&stage);
}

/* A record of TLS 1.3 with so many octets of plaintext. */
static void record(struct stage *stage, char side, size_t plain)
{
    uint8_t room[1024];

    send(stage, side, WEIR_TCP_ACK, room, tls_record(room, 23, plain + tls_overhead(TLS_13)));
}

/* The server's hello, and the client's first words behind it. */
static void open_tls(struct stage *stage)
{
    uint8_t room[256];

    send(stage, 'S', WEIR_TCP_ACK, room, tls_hello(room, TLS_13, 32));
    record(stage, 'C', 36); /* finished */
    record(stage, 'C', 24); /* EHLO */
    record(stage, 'S', 210);
}

/* A mail inside TLS whose queued reply has so many octets. */
static void secret_mail(struct stage *stage, unsigned queued)
{
    handshake(stage);
    say(stage, 'S', "220 hi\r\n");
    say(stage, 'C', "STARTTLS\r\n");
    say(stage, 'S', "220 go\r\n");
    send(stage, 'C', WEIR_TCP_ACK, "\x16\x03\x01\x00\x04\x01\x00\x00\x00", 9);
    open_tls(stage);
    record(stage, 'C', 40); /* MAIL */
    record(stage, 'S', 14);
    record(stage, 'C', 40); /* RCPT */
    record(stage, 'S', 14);
    record(stage, 'C', 6);
    record(stage, 'S', 37);
    record(stage, 'C', 900);
    record(stage, 'S', queued);
    record(stage, 'C', 6);
    record(stage, 'S', 15);
    hang_up(stage);
}

static void replies_in_the_clear_calibrate_later_estimates(void **state)
{
    static const char long_reply[] = "250 2.0.0 thank you very much for this message, it is queued "
                                     "here now under the name of 4F2C61A0B3\r\n";
    struct stage stage = stage_open(NULL);

    (void)state;
    secret_mail(&stage, sizeof long_reply - 1); /* longer than what is usual */
    assert_charged(&stage, "192.0.2.1", 1, 0, 0, 0);
    handshake(&stage);
    say(&stage, 'S', "220 hi\r\n");
    for (unsigned i = 0; i < 6; i++)
        mail(&stage, long_reply);
    hang_up(&stage);
    weir_sessions_finish(stage.sessions);
    assert_charged(&stage, "192.0.2.1", 2, 6, 6, 6);
    secret_mail(&stage, sizeof long_reply - 1);
    assert_charged(&stage, "192.0.2.1", 3, 7, 7, 7);
    stage_close(&stage);
}

static void what_other_servers_say_to_this_machine_is_not_learned(void **state)
{
    static struct weir_own own;
    static struct weir_calibration calibration;
    struct weir_address address = address_of("192.0.2.1"), server = address_of("198.51.100.9");
    unsigned least, most;

    (void)state;
    for (int is_own = 0; is_own < 2; is_own++) {
        if (is_own)
            assert_int_equal(weir_own_add(&own, &address), 0);
        calibration = (struct weir_calibration){.count = 0};
        struct stage stage = stage_open_with(NULL, &own, &calibration);
        handshake(&stage);
        say(&stage, 'S', "220 hi\r\n");
        for (unsigned i = 0; i < 2 * WEIR_CALIBRATION_LEAST; i++)
            mail(&stage, "250 2.0.0 Ok: queued as 4F2C61A0B3\r\n");
        hang_up(&stage);
        assert_int_equal(weir_calibration_bounds(&calibration, &server, 25, &least, &most),
                         !is_own);
        stage_close(&stage);
    }
}

/* The seconds until then go by, each with its tick. */
static void wait_until(struct stage *stage, weir_time then)
{
    for (; stage->now < then; stage->now += WEIR_SECOND)
        weir_sessions_tick(stage->sessions, stage->now);
}

static void a_connection_of_hours_is_one_and_its_messages_are_told_as_they_end(void **state)
{
    static const unsigned minutes[] = {1, 9, 9, 25, 9, 90, 45}; /* ten are the idle time */
    struct stage stage = stage_open(NULL);
    struct weir_address client = address_of("192.0.2.1");
    unsigned connections = 0, accepted = 0;

    (void)state;
    handshake(&stage);
    say(&stage, 'S', "220 hi\r\n");
    for (size_t i = 0; i < sizeof minutes / sizeof minutes[0]; i++) {
        wait_until(&stage, stage.now + minutes[i] * WEIR_MINUTE);
        mail(&stage, "250 queued\r\n");
        wait_until(&stage, stage.now + 5 * WEIR_SECOND); /* found again behind a silence */
        const struct weir_traffic *record = weir_tally_find(stage.tally, &client);
        assert_non_null(record);
        connections += record->connections;
        accepted += record->accepted;
        assert_int_equal(accepted, i + 1);
        weir_tally_clear(stage.tally); /* written down, as each second */
    }
    hang_up(&stage);
    assert_int_equal(connections, 1);
    stage_close(&stage);
}

/* Up to the answer to a body, which waits for more. */
static void mail_inside_tls(struct stage *stage)
{
    record(stage, 'C', 110);
    record(stage, 'S', 65);
    record(stage, 'C', 800);
    record(stage, 'S', 37);
}

static void a_message_inside_tls_counts_although_the_client_says_nothing_more(void **state)
{
    struct stage stage = stage_open(NULL);

    (void)state;
    handshake(&stage);
    open_tls(&stage);
    for (unsigned i = 1; i <= 3; i++) {
        mail_inside_tls(&stage);
        assert_charged(&stage, "192.0.2.1", 1, i - 1, i - 1, i - 1);
        weir_sessions_tick(stage.sessions, stage.now + WEIR_SECOND / 2);
        assert_charged(&stage, "192.0.2.1", 1, i - 1, i - 1, i - 1);
        weir_sessions_tick(stage.sessions, stage.now + WEIR_SECOND);
        assert_charged(&stage, "192.0.2.1", 1, i, i, i);
        weir_sessions_tick(stage.sessions, stage.now + 2 * WEIR_SECOND);
        assert_charged(&stage, "192.0.2.1", 1, i, i, i);
    }
    mail_inside_tls(&stage); /* two without a tick between them, and the end */
    mail_inside_tls(&stage);
    hang_up(&stage);
    weir_sessions_finish(stage.sessions);
    assert_charged(&stage, "192.0.2.1", 1, 5, 5, 5);
    stage_close(&stage);
}

static void of_many_that_wait_any_may_end_first(void **state)
{
    struct stage stage = stage_open(NULL);

    (void)state;
    stage.next[1] = 5000;
    for (unsigned i = 0; i < 5; i++) { /* each of a connection of its own, begun before */
        stage.port = (uint16_t)(50000 + i);
        stage.next[0] = stage.next[1] = 1000 + i;
        record(&stage, 'S', 14);
        mail_inside_tls(&stage);
        if (i == 1 || i == 3)
            hang_up(&stage);
    }
    weir_sessions_tick(stage.sessions, stage.now + WEIR_MINUTE);
    assert_charged(&stage, "192.0.2.1", 0, 5, 5, 5);
    stage_close(&stage);
}

static void a_clock_that_is_set_back_holds_up_no_message(void **state)
{
    struct stage stage = stage_open(NULL);

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        stage.now = i == 0 ? 2 * WEIR_HOUR : WEIR_HOUR;
        stage.port = (uint16_t)(50000 + i);
        stage.next[0] = stage.next[1] = 1000;
        record(&stage, 'S', 14);
        mail_inside_tls(&stage);
    }
    weir_sessions_tick(stage.sessions, stage.now + WEIR_SECOND);
    assert_charged(&stage, "192.0.2.1", 0, 2, 2, 2);
    stage_close(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(charges_come_with_greeting_and_final_reply),
        cmocka_unit_test(midstream_connections_are_charged_only_if_they_begin),
        cmocka_unit_test(nobody_is_charged_with_what_one_side_alone_says),
        cmocka_unit_test(
            connections_are_charged_once_the_client_answers_though_the_handshake_was_forgotten),
        cmocka_unit_test(the_machines_own_addresses_are_charged_with_nothing),
        cmocka_unit_test(who_follows_an_XCLIENT_without_an_address_is_not_charged),
        cmocka_unit_test(a_trusted_proxys_connection_is_its_clients),
        cmocka_unit_test(health_checks_are_charged_to_nobody),
        cmocka_unit_test(a_proxy_that_tells_nobody_is_charged_itself),
        cmocka_unit_test(XCLIENT_charges_the_connection_to_each_client_it_tells),
        cmocka_unit_test(replies_in_the_clear_calibrate_later_estimates),
        cmocka_unit_test(what_other_servers_say_to_this_machine_is_not_learned),
        cmocka_unit_test(a_connection_of_hours_is_one_and_its_messages_are_told_as_they_end),
        cmocka_unit_test(a_message_inside_tls_counts_although_the_client_says_nothing_more),
        cmocka_unit_test(of_many_that_wait_any_may_end_first),
        cmocka_unit_test(a_clock_that_is_set_back_holds_up_no_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
