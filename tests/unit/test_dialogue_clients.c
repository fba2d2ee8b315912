/*
 * dialogue: whose connection it is (PROXY, XCLIENT), when it becomes TLS, what is no SMTP, and
 * the limits of what is kept (dialogue_names.c, dialogue_queue.c, dialogue_command.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "sniffer/dialogue_impl.h"
#include "tests/unit/dialogue_rig.h"
#include "tests/unit/tls_rig.h"

#define HELLO {'S', "220 mx\r\n"}, {'C', "EHLO c\r\n"}, {'S', "250-mx\r\n250 XCLIENT\r\n"}
#define MAIL {'C', "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\n"}, \
             {'S', "250 ok\r\n250 ok\r\n354 go\r\n"}, {'C', "x\r\n.\r\n"}, {'S', "250 ok\r\n"}

static const struct {
    const char *name;
    bool trusted;
    struct turn turns[20];
    const char *client; /* NULL: the connection's own */
    unsigned port;
    bool health_check, unknown;
} clients[] = {
    {"PROXY", true, {{'C', "PROXY TCP4 192.0.2.7 192.0.2.2 4711 25\r\n"}, HELLO, MAIL, {0}},
     "192.0.2.7", 4711, false, false},
    {"PROXY with the client talking early", true,
     {{'C', "PROXY TCP6 2001:db8::7 ::1 4711 25\r\nEHLO c\r\n"}, {'S', "220 mx\r\n250 mx\r\n"},
      MAIL, {0}}, "2001:db8::7", 4711, false, false},
    {"PROXY of a stranger is a command", false,
     {{'C', "PROXY TCP4 192.0.2.7 192.0.2.2 4711 25\r\n"}, {'S', "220 mx\r\n500 what\r\n"},
      {'C', "EHLO c\r\n"}, {'S', "250 mx\r\n"}, MAIL, {0}}, NULL, 0, false, false},
    {"no PROXY of a trusted proxy", true, {HELLO, MAIL, {0}}, NULL, 0, false, false},
    {"a PROXY header that is none", true,
     {{'C', "PROXY TCP9 x\r\nEHLO c\r\n"}, {'S', "220 mx\r\n500 what\r\n250 mx\r\n"}, MAIL, {0}},
     NULL, 0, false, false},
    {"PROXY UNKNOWN is a health check", true,
     {{'C', "PROXY UNKNOWN\r\n"}, HELLO, MAIL, {0}}, NULL, 0, true, false},
    {"XCLIENT", true,
     {HELLO, {'C', "XCLIENT NAME=c.example ADDR=IPv6:2001:db8::9 PORT=99\r\n"}, HELLO, MAIL, {0}},
     "2001:db8::9", 99, false, false},
    {"XCLIENT behind PROXY", true,
     {{'C', "PROXY TCP4 192.0.2.7 192.0.2.2 4711 25\r\n"}, HELLO,
      {'C', "XCLIENT ADDR=192.0.2.9\r\n"}, HELLO, MAIL, {0}}, "192.0.2.9", 0, false, false},
    {"XCLIENT refused", true,
     {HELLO, {'C', "XCLIENT ADDR=192.0.2.9\r\n"}, {'S', "550 no\r\n"}, MAIL, {0}}, NULL, 0,
     false, false},
    {"XCLIENT of a stranger", false,
     {HELLO, {'C', "XCLIENT ADDR=192.0.2.9\r\n"}, HELLO, MAIL, {0}}, NULL, 0, false, false},
    {"XCLIENT without an address", true,
     {HELLO, {'C', "XCLIENT NAME=[UNAVAILABLE] ADDR=[UNAVAILABLE]\r\n"}, HELLO, MAIL, {0}}, NULL, 0,
     false, true},
    {"XCLIENT that takes one back", true,
     {HELLO, {'C', "XCLIENT ADDR=192.0.2.9 PORT=99\r\n"}, HELLO,
      {'C', "XCLIENT ADDR=[TEMPUNAVAIL]\r\n"}, HELLO, MAIL, {0}}, NULL, 0, false, true},
    {"XCLIENT that names one again", true,
     {HELLO, {'C', "XCLIENT ADDR=[UNAVAILABLE]\r\n"}, HELLO,
      {'C', "XCLIENT ADDR=192.0.2.9\r\n"}, HELLO, MAIL, {0}}, "192.0.2.9", 0, false, false},
    {"XFORWARD is ignored", true,
     {HELLO, {'C', "XFORWARD ADDR=192.0.2.9\r\n"}, {'S', "250 ok\r\n"}, MAIL, {0}}, NULL, 0, false,
     false},
};

static void check_client(size_t i, int cut)
{
    struct weir_dialogue_options options = dialogue_options();
    struct dialogue_rig rig;
    char address[WEIR_ADDRESS_TEXT];
    const char *own = "198.51.100.1", *want = clients[i].client ? clients[i].client : own;

    options.trusted_proxy = clients[i].trusted;
    options.client_port = 40000;
    assert_int_equal(weir_address_parse(own, strlen(own), &options.client), 0);
    struct weir_heard heard = dialogue_hear(&rig, options, clients[i].turns, cut, NULL);
    if (strcmp(weir_address_format(&heard.client, address), want) != 0 ||
        heard.client_port != (clients[i].client ? clients[i].port : 40000) ||
        heard.proxied != (clients[i].client != NULL) ||
        heard.health_check != clients[i].health_check || heard.unknown != clients[i].unknown ||
        strcmp(rig.told, "accepted 250 <a@x> to <b@y> 1+0 3\n") != 0)
        fail_msg("%s: %s port %u\n%s", clients[i].name, address, heard.client_port, rig.told);
}

static void only_trusted_proxies_tell_another_client(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
        check_client(i, DIALOGUE_WHOLE);
        check_client(i, DIALOGUE_OCTETS);
    }
}

static void record(struct dialogue_rig *rig, char side, uint8_t type, size_t len)
{
    static uint8_t room[TLS_RECORD_MOST];

    dialogue_rig_octets(rig, side, room, tls_record(room, type, len));
}

/* A session of TLS 1.2 in which one message of 900 octets is accepted. */
static void speak_tls(struct dialogue_rig *rig)
{
    static const struct {
        char side;
        unsigned plain;
    } says[] = {{'C', 24}, {'S', 210}, {'C', 110}, {'S', 65}, {'C', 900}, {'S', 37}};
    uint8_t room[256];

    record(rig, 'C', 22, 300);
    dialogue_rig_octets(rig, 'S', room, tls_hello(room, TLS_12_GCM, 0));
    for (size_t i = 0; i < sizeof(says) / sizeof(says[0]); i++)
        record(rig, says[i].side, 23, says[i].plain + 24);
}

static void behind_starttls_messages_are_estimated(void **state)
{
    static const struct turn turns[] = {
        HELLO, MAIL, {'C', "STARTTLS\r\n"}, {'S', "220 go ahead\r\n"}, {0}};
    struct dialogue_rig rig;

    (void)state;
    dialogue_rig_open(&rig, dialogue_options());
    for (const struct turn *turn = turns; turn->side; turn++)
        dialogue_rig_turn(&rig, turn, DIALOGUE_WHOLE, NULL);
    speak_tls(&rig);
    weir_dialogue_end(rig.dialogue, rig.now);
    const struct weir_heard *heard = weir_dialogue_heard(rig.dialogue);
    assert_true(heard->starttls && heard->tls && !heard->lost);
    assert_int_equal(heard->accepted, 2);
    assert_string_equal(rig.told, "accepted 250 <a@x> to <b@y> 1+0 3\n"
                                  "accepted 0 ? to 1+0 900 estimate\n");
    dialogue_rig_close(&rig);
}

static void tls_from_the_first_octet_needs_no_greeting(void **state)
{
    struct dialogue_rig rig;

    (void)state;
    for (int trusted = 0; trusted < 2; trusted++) {
        struct weir_dialogue_options options = dialogue_options();

        options.trusted_proxy = trusted;
        dialogue_rig_open(&rig, options);
        if (trusted)
            dialogue_rig_turn(&rig, &(struct turn){'C', "PROXY UNKNOWN\r\n"}, DIALOGUE_WHOLE, NULL);
        speak_tls(&rig);
        dialogue_rig_gap(&rig, 'C', 10);
        weir_dialogue_end(rig.dialogue, rig.now);
        const struct weir_heard *heard = weir_dialogue_heard(rig.dialogue);
        assert_true(heard->tls && !heard->starttls && !heard->greeted && heard->gap);
        assert_string_equal(rig.told, "accepted 0 ? to 1+0 900 estimate gap\n");
        dialogue_rig_close(&rig);
    }
}

static void a_client_that_only_looks_like_tls_is_still_heard(void **state)
{
    static const struct turn turns[] = {
        {'C', "\x16\x03\x01 what a beginning\r\n"}, {'S', "220 mx\r\n"}, {'S', "500 what\r\n"},
        {'C', "EHLO c\r\n"}, {'S', "250 mx\r\n"}, MAIL, {0}};
    struct dialogue_rig rig;
    struct weir_heard heard = dialogue_hear(&rig, dialogue_options(), turns, DIALOGUE_WHOLE, NULL);

    (void)state;
    assert_false(heard.tls || heard.lost);
    assert_string_equal(rig.told, "accepted 250 <a@x> to <b@y> 1+0 3\n");
}

static void what_is_no_smtp_is_lost(void **state)
{
    struct dialogue_rig rig;

    (void)state;
    dialogue_rig_open(&rig, dialogue_options());
    for (int i = 0; i <= WEIR_DIALOGUE_ODD_MAX; i++) {
        assert_false(weir_dialogue_heard(rig.dialogue)->lost);
        dialogue_rig_octets(&rig, 'S', "hello there\r\n", 13);
    }
    assert_true(weir_dialogue_heard(rig.dialogue)->lost);
    dialogue_rig_octets(&rig, 'S', "220 mx\r\n354 go\r\n250 ok\r\n", 24);
    dialogue_rig_gap(&rig, 'C', 10);
    weir_dialogue_end(rig.dialogue, rig.now);
    assert_string_equal(rig.told, "");
    dialogue_rig_close(&rig);
}

static void a_dialogue_without_names_is_below_2_KiB(void **state)
{
    (void)state;
    assert_true(sizeof(struct weir_dialogue) < 2048);
    print_message("%zu octets\n", sizeof(struct weir_dialogue));
}

/* "RCPT TO:<xxx...@y>" with so many octets in all, without CR LF. */
static void rcpt_of(char *line, size_t len, size_t mailbox)
{
    memset(line, ' ', len);
    memcpy(line, "RCPT TO:<", 9);
    memset(line + len - mailbox - 1, 'x', mailbox);
    memcpy(line + len - mailbox - 2, "<", 1);
    memcpy(line + 8, " ", 1);
    memcpy(line + len - 3, "@y>", 3);
    memcpy(line + len, "\r\n", 3);
}

static size_t named(const char *rcpt, unsigned *accepted_r)
{
    const struct turn turns[] = {
        HELLO, {'C', "MAIL FROM:<>\r\n"}, {'S', "250 ok\r\n"}, {'C', rcpt},
        {'S', "250 ok\r\n"}, {0}};
    struct dialogue_rig rig;
    struct weir_heard heard = dialogue_hear(&rig, dialogue_options(), turns, DIALOGUE_WHOLE, NULL);
    const char *name = strstr(rig.told, "to <");

    *accepted_r = heard.recipients;
    return name ? strcspn(name + 4, ">") : 0;
}

static void lines_and_addresses_are_kept_up_to_their_limits(void **state)
{
    char line[WEIR_DIALOGUE_LINE_MAX + 16];
    unsigned accepted;

    (void)state;
    rcpt_of(line, WEIR_DIALOGUE_LINE_MAX - 1, 10);
    assert_int_equal(named(line, &accepted), 10);
    rcpt_of(line, WEIR_DIALOGUE_LINE_MAX + 1, 10);
    assert_int_equal(named(line, &accepted), 0);
    assert_int_equal(accepted, 1);
    rcpt_of(line, 400, WEIR_MAILBOX_MAX);
    assert_int_equal(named(line, &accepted), WEIR_MAILBOX_MAX);
    rcpt_of(line, 400, WEIR_MAILBOX_MAX + 1);
    assert_int_equal(named(line, &accepted), 0);
    assert_int_equal(accepted, 1);
}

static size_t names_of(unsigned recipients, const char *name, unsigned *accepted_r)
{
    struct dialogue_rig rig;
    char line[80];
    size_t count = 0;

    dialogue_rig_open(&rig, dialogue_options());
    dialogue_rig_octets(&rig, 'S', "220 mx\r\n", 8);
    dialogue_rig_octets(&rig, 'C', "MAIL FROM:<>\r\n", 14);
    for (unsigned i = 0; i < recipients; i++) {
        snprintf(line, sizeof(line), "RCPT TO:<%s>\r\n", name);
        dialogue_rig_octets(&rig, 'C', line, strlen(line));
    }
    for (unsigned i = 0; i <= recipients; i++)
        dialogue_rig_octets(&rig, 'S', "250 ok\r\n", 8);
    weir_dialogue_end(rig.dialogue, rig.now);
    *accepted_r = weir_dialogue_heard(rig.dialogue)->recipients;
    dialogue_rig_close(&rig);
    for (const char *at = rig.told; (at = strstr(at, name)); at++)
        count++;
    return count;
}

static void all_recipients_are_counted_and_the_first_named(void **state)
{
    unsigned accepted;

    (void)state;
    assert_int_equal(names_of(WEIR_DIALOGUE_RECIPIENTS_MAX, "r@y", &accepted),
                     WEIR_DIALOGUE_RECIPIENTS_MAX);
    assert_int_equal(names_of(WEIR_DIALOGUE_RECIPIENTS_MAX + 1, "r@y", &accepted),
                     WEIR_DIALOGUE_RECIPIENTS_MAX);
    assert_int_equal(accepted, WEIR_DIALOGUE_RECIPIENTS_MAX + 1);
    names_of(20000, "someone.with.a.name@somewhere.example", &accepted);
    assert_int_equal(accepted, 20000);
}

/* NOOP and VRFY are one run; RSET is none. */
static void commands_beyond_the_queue_put_it_out_of_step(void **state)
{
    (void)state;
    for (unsigned over = 0; over < 2; over++) {
        struct dialogue_rig rig;

        dialogue_rig_open(&rig, dialogue_options());
        dialogue_rig_octets(&rig, 'S', "220 mx\r\n", 8);
        for (unsigned i = 0; i < WEIR_DIALOGUE_QUEUE_MAX - 2 + over; i++)
            dialogue_rig_octets(&rig, 'C', "RSET\r\n", 6);
        dialogue_rig_octets(&rig, 'C', "MAIL FROM:<a@x>\r\nBDAT 2 LAST\r\n\r\n", 33);
        for (unsigned i = 0; i < WEIR_DIALOGUE_QUEUE_MAX + over; i++)
            dialogue_rig_octets(&rig, 'S', "250 ok\r\n", 8);
        dialogue_rig_turn(&rig, &(struct turn){'C', "NOOP\r\n"}, DIALOGUE_WHOLE, NULL);
        dialogue_rig_turn(&rig, &(struct turn){'S', "250 ok\r\n"}, DIALOGUE_WHOLE, NULL);
        assert_int_equal(weir_dialogue_heard(rig.dialogue)->accepted, 1 - over);
        const struct turn mail[] = {MAIL};
        for (size_t i = 0; i < sizeof(mail) / sizeof(mail[0]); i++)
            dialogue_rig_turn(&rig, &mail[i], DIALOGUE_WHOLE, NULL);
        assert_int_equal(weir_dialogue_heard(rig.dialogue)->accepted, 2 - over);
        dialogue_rig_close(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_trusted_proxies_tell_another_client),
        cmocka_unit_test(behind_starttls_messages_are_estimated),
        cmocka_unit_test(tls_from_the_first_octet_needs_no_greeting),
        cmocka_unit_test(a_client_that_only_looks_like_tls_is_still_heard),
        cmocka_unit_test(what_is_no_smtp_is_lost),
        cmocka_unit_test(a_dialogue_without_names_is_below_2_KiB),
        cmocka_unit_test(lines_and_addresses_are_kept_up_to_their_limits),
        cmocka_unit_test(all_recipients_are_counted_and_the_first_named),
        cmocka_unit_test(commands_beyond_the_queue_put_it_out_of_step),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
