/*
 * dialogue: replies that cannot be to what the client seems to have said, and segments that
 * contradict each other: what the server accepted is counted all the same, and it is told
 * (dialogue_doubt.c, dialogue_word.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "core/base/limits.h"
#include "core/base/slice.h"
#include "sniffer/dialogue_word.h"
#include "tests/unit/dialogue_rig.h"
#include "tests/unit/tls_rig.h"

#define QUEUED {'S', "250 2.0.0 Ok: queued as 4AB\r\n"}
#define BODY GO_AHEAD, {'C', "x\r\n.\r\n"}, QUEUED
#define TAKEN ACCEPTED "3\n"

static const struct {
    const char *name;
    struct turn turns[24];
    const char *want;
    unsigned odd;
} cases[] = {
    {"nothing is odd", {GREETING, ENVELOPE, BODY, BYE}, TAKEN, 0},
    {"354 to RSET, that was DATA",
     {GREETING, ENVELOPE, {'C', "RSET\r\n"}, {'S', "354 go\r\n"}, {'C', "x\r\n.\r\n"}, QUEUED, BYE},
     TAKEN, 1},
    {"250 to DATA, that was NOOP",
     {GREETING, ENVELOPE, {'C', "DATA\r\n"}, {'S', "250 2.0.0 Ok\r\n"}, BODY, BYE}, TAKEN, 1},
    {"250 to DATA and a rest of what it replaced",
     {GREETING, {'C', "DATA\r\nROM:<a@x>\r\n"}, {'S', "250 2.1.0 Ok\r\n"},
      {'C', "RCPT TO:<b@y>\r\n"}, {'S', "250 2.1.5 Ok\r\n"}, BODY, BYE},
     "accepted 250 ? to <b@y> 1+0 3 gap\n", 1},
    {"250 to QUIT does not end a mail",
     {GREETING, ENVELOPE, {'C', "QUIT\r\n"}, {'S', "250 2.0.0 Ok\r\n"}, BODY, BYE}, TAKEN, 1},
    {"250 to STARTTLS in one go with a mail by BDAT",
     {GREETING, {'C', "STARTTLS\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nBDAT 3 LAST\r\nx\r\n"},
      {'S', "250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n"}, BYE}, ACCEPTED "3 gap\n", 1},
    {"250 before a megabyte of a chunk is over",
     {GREETING, {'C', "BDAT 1000000\r\n"}, {'S', "250 2.1.0 Ok\r\n"}, {'C', "RCPT TO:<b@y>\r\n"},
      {'S', "250 2.1.5 Ok\r\n"}, BODY, BYE}, "accepted 250 ? to <b@y> 1+0 3\n", 1},
    {"250 to a chunk whose reply was given",
     {GREETING, {'C', "BDAT 1000000 LAST\r\n"}, {'S', "550 no\r\n"}, {'C', "MAIL FROM:<a@x>\r\n"},
      {'S', "250 2.1.0 Ok\r\n"}, {'C', "RCPT TO:<b@y>\r\n"}, {'S', "250 2.1.5 Ok\r\n"}, BODY, BYE},
     "accepted 250 ? to <b@y> 1+0 3\n", 1},
    {"a mail by BDAT within a chunk that is none, pipelined",
     {GREETING, {'C', "BDAT 1000000\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nRCPT TO:<c@y>\r\n"},
      {'S', "250 2.0.0 Ok\r\n250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n250 2.1.5 Ok\r\n"},
      {'C', "BDAT 3 LAST\r\nx\r\n"}, QUEUED, BYE}, "accepted 250 ? to 2+0 3\n", 1},
    {"a mail by BDAT, taken for one long line",
     {GREETING, {'C', "a very long line"}, {'S', "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n"}, {'C', "on"},
      {'S', "250 2.1.5 Ok\r\n"}, {'C', "and on"}, QUEUED, BYE}, "accepted 250 ? to 2+0 0 gap\n", 3},
    {"a message queued in reply to NOOP",
     {GREETING, {'C', "NOOP\r\nNOOP\r\nNOOP\r\n"}, {'S', "250 OK\r\n250 Accepted\r\n"},
      {'S', "250 OK id=1vMabc-000000001Xy-2Zab\r\n"}, BYE}, "accepted 250 ? to 1+0 0 gap\n", 1},
    {"354 although MAIL and RCPT were not answered",
     {GREETING, {'C', "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\n"}, {'S', "354 go\r\n"},
      {'C', "x\r\n.\r\n"}, QUEUED, BYE}, "accepted 250 ? to <b@y> 1+0 3 gap\n", 1},
    {"354 although nothing at all was answered",
     {{'C', "EHLO c\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\n"}, {'S', "354 go\r\n"},
      {'C', "x\r\n.\r\n"}, QUEUED, BYE}, "accepted 250 ? to <b@y> 1+0 3 gap\n", 1},
    {"250 before the dot",
     {GREETING, ENVELOPE, GO_AHEAD, {'C', "x"}, QUEUED, {'C', "EHLO c\r\n"}, {'S', "250 mx\r\n"},
      BYE}, ACCEPTED "1\n", 1},
    {"552 before the dot",
     {GREETING, ENVELOPE, GO_AHEAD, {'C', "x"}, {'S', "552 too big\r\n"}},
     "rejected 552 <a@x> to <b@y> 1+0 1\n", 0},
    {"a second greeting",
     {GREETING, ENVELOPE, {'C', "NOOP\r\nRSET\r\n"}, {'S', "250 ok\r\n220 mx\r\n"}, BODY, BYE},
     TAKEN, 1},
    {"a reply to nothing", {GREETING, {'S', "250 ok\r\n"}, ENVELOPE, BODY, BYE}, TAKEN, 1},
    {"a refusal of nothing, and a timeout",
     {GREETING, {'S', "500 too many\r\n"}, ENVELOPE, BODY, {'S', "421 timeout\r\n"}}, TAKEN, 0},
    {"VRFY and AUTH have replies like others",
     {GREETING, {'C', "VRFY b\r\n"}, {'S', "250 2.1.5 b@y\r\n"}, {'C', "AUTH LOGIN\r\n"},
      {'S', "334 x\r\n"}, {'C', "YQ==\r\n"}, {'S', "235 ok\r\n"}, ENVELOPE, BODY, BYE},
     TAKEN, 0},
    {"a name that says it is queued",
     {{'S', "220 mx\r\n"}, {'C', "HELO queued\r\n"}, {'S', "250 mx Hello id=7 queued\r\n"},
      {'C', "MAIL FROM:<\" queued as \"@x>\r\n"},
      {'S', "250 2.1.0 <\" queued as \"@x> ok\r\n"}, BYE},
     "unfinished 0 <\" queued as \"@x> to 0+0 0\n", 0},
    {"STARTTLS granted, and all goes on in the clear",
     {GREETING, {'C', "STARTTLS\r\n"}, {'S', "220 go\r\n"}, {'C', "EHLO c\r\n"},
      {'S', "250 mx\r\n"}, ENVELOPE, BODY, BYE}, ACCEPTED "3 gap\n", 2},
    {"STARTTLS granted, a hello, and all goes on in the clear, by BDAT",
     {GREETING, {'C', "STARTTLS\r\n"}, {'S', "220 go\r\n"}, {'C', "\x16\x03\x01\x02 and more\r\n"},
      {'S', "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n"}, {'C', "BDAT 3 LAST\r\nx\r\n"}, QUEUED, BYE},
     "accepted 250 ? to 1+0 3 gap\n", 1},
    {"an alert of TLS, and on in the clear",
     {GREETING, {'C', "STARTTLS\r\n"}, {'S', "220 go\r\n"}, {'C', "what\r\n"},
      {'S', "\x15\x03\x03\x01\x01!250 mx\r\n"}, {'C', "no"}, {'S', "\r\n"}, BYE}, "", 1},
    {"a forged dot, and commands in the body",
     {GREETING, ENVELOPE, GO_AHEAD, {'C', "\r\n.\r\n"}, {'F', "Subj"},
      {'C', "ect: x\r\nBDAT 90000\r\nRSET\r\n.\r\n"}, QUEUED, {'C', "MAIL FROM:<a@x>\r\n"},
      {'S', "250 2.1.0 Ok\r\n"}, {'C', "RCPT TO:<b@y>\r\n"}, {'S', "250 2.1.5 Ok\r\n"}, BODY, BYE},
     ACCEPTED "2\naccepted 250 ? to <b@y> 1+0 3\n", 0},
};

static void check(size_t i, int cut, struct seeded *seeded)
{
    struct dialogue_rig rig;
    struct weir_heard heard =
        dialogue_hear(&rig, dialogue_options(), cases[i].turns, cut, seeded);

    if (strcmp(rig.told, cases[i].want) != 0 || heard.odd != cases[i].odd)
        fail_msg("%s (cut %d): odd %u, got\n%swant\n%s", cases[i].name, cut, heard.odd, rig.told,
                 cases[i].want);
    assert_false(heard.gap || heard.lost);
}

static void what_the_server_accepted_is_counted_whatever_the_client_pretends(void **state)
{
    struct seeded seeded = seeded_new(__func__);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check(i, DIALOGUE_WHOLE, NULL);
        check(i, DIALOGUE_OCTETS, NULL);
        for (int times = 0; times < 20; times++)
            check(i, DIALOGUE_PIECES, &seeded);
    }
}

static void behind_a_hole_or_without_a_client_nothing_is_odd(void **state)
{
    static const struct turn server[] = {
        {'S', "220 mx\r\n250 mx\r\n250 ok\r\n354 go\r\n250 queued\r\n250 ok\r\n"}, {0}};
    static const struct turn turns[] = {
        {'C', "NOOP\r\n"}, {'S', "250 ok\r\n"}, {'C', "NOOP\r\n"}, {'S', "250 ok\r\n"},
        {'C', "DATA\r\n"}, {'S', "250 ok\r\n250 ok\r\n"}};
    struct dialogue_rig rig;

    (void)state;
    assert_int_equal(
        dialogue_hear(&rig, dialogue_options(), server, DIALOGUE_WHOLE, NULL).odd, 0);
    dialogue_rig_open(&rig, dialogue_options());
    dialogue_rig_gap(&rig, 'S', 10);
    for (size_t i = 0; i < sizeof(turns) / sizeof(turns[0]); i++)
        dialogue_rig_turn(&rig, &turns[i], DIALOGUE_WHOLE, NULL);
    assert_int_equal(weir_dialogue_heard(rig.dialogue)->odd, 0);
    dialogue_rig_close(&rig);
}

/* So many commands that no run joins, then a mail by BDAT, all in one go. */
static unsigned say_at_once(struct dialogue_rig *rig, unsigned commands)
{
    char client[2048] = "", server[2048] = "";

    for (unsigned i = 0; i < commands; i++) {
        strcat(client, i % 2 ? "RSET\r\n" : "NOOP\r\n");
        strcat(server, "250 2.0.0 Ok\r\n");
    }
    strcat(client, "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nBDAT 3 LAST\r\nx\r\n");
    strcat(server, "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n");
    const struct turn turns[] = {GREETING, {'C', client}, {'S', server}, QUEUED, BYE, {0}};
    return dialogue_hear(rig, dialogue_options(), turns, DIALOGUE_WHOLE, NULL).odd;
}

static void more_commands_at_once_than_can_wait_hide_no_mail(void **state)
{
    struct dialogue_rig rig;

    (void)state;
    assert_int_equal(say_at_once(&rig, WEIR_DIALOGUE_QUEUE_MAX - 3), 0);
    assert_string_equal(rig.told, TAKEN);
    assert_int_equal(say_at_once(&rig, WEIR_DIALOGUE_QUEUE_MAX - 2), 1);
    assert_string_equal(rig.told, "accepted 250 ? to 1+0 0 gap\n");
    assert_int_equal(say_at_once(&rig, WEIR_DIALOGUE_QUEUE_MAX + 1), 1);
    assert_string_equal(rig.told, "accepted 250 ? to 1+0 0 gap\n");
}

static void replies_say_by_themselves_what_was_accepted(void **state)
{
    static const struct {
        const char *line;
        enum weir_word want;
    } lines[] = {
        {"250 2.1.0 Ok", WEIR_WORD_SENDER}, {"250 2.1.5 Ok", WEIR_WORD_RECIPIENT},
        {"250 Accepted", WEIR_WORD_RECIPIENT}, {"250 Accepted it", WEIR_WORD_NONE},
        {"250 2.0.0 Ok: queued as 4AB", WEIR_WORD_QUEUED},
        {"250 ok: QUEUED AS 12", WEIR_WORD_QUEUED},
        {"250 OK id=1vMabc-000000001Xy-2Zab", WEIR_WORD_QUEUED},
        {"250 2.0.0 5AM9 Message accepted for delivery", WEIR_WORD_QUEUED},
        {"250 2.6.0 <a@b> [InternalId=7] Queued mail for delivery", WEIR_WORD_QUEUED},
        {"250 2.0.0 Ok: 812 bytes queued as 4", WEIR_WORD_QUEUED},
        {"250 2.1.7 x queued as 4", WEIR_WORD_NONE}, {"250 2.0.0 Ok", WEIR_WORD_NONE},
        {"550 2.1.5 Ok", WEIR_WORD_NONE}, {"450 queued as x", WEIR_WORD_NONE},
        {"250", WEIR_WORD_NONE}, {"250 ", WEIR_WORD_NONE}, {"", WEIR_WORD_NONE},
        {"250 queued as", WEIR_WORD_NONE}, {"250 x queued as", WEIR_WORD_NONE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        if (weir_word_read(weir_slice_of(lines[i].line)) != lines[i].want)
            fail_msg("%s", lines[i].line);
}

static void only_so_much_of_a_reply_is_read(void **state)
{
    char line[WEIR_DIALOGUE_REPLY_KEPT + 40];
    const char *text = " queued as 4";

    (void)state;
    for (unsigned over = 0; over < 2; over++) {
        struct dialogue_rig rig;
        size_t at = WEIR_DIALOGUE_REPLY_KEPT - strlen(" queued as ") + over;

        memset(line, 'x', sizeof(line));
        memcpy(line, "250 ", 4);
        strcpy(line + at, text);
        strcat(line, "\r\n");
        dialogue_rig_open(&rig, dialogue_options());
        dialogue_rig_octets(&rig, 'S', "220 mx\r\n", 8);
        dialogue_rig_octets(&rig, 'C', "NOOP\r\n", 6);
        dialogue_rig_octets(&rig, 'S', line, strlen(line));
        assert_int_equal(weir_dialogue_heard(rig.dialogue)->accepted, 1 - over);
        dialogue_rig_close(&rig);
    }
}

static void record(struct dialogue_rig *rig, char side, uint8_t type, size_t len)
{
    static uint8_t room[TLS_RECORD_MOST];

    dialogue_rig_octets(rig, side, room, tls_record(room, type, len));
}

/* TLS 1.2 up to the server's answer to the envelope. */
static void open_tls(struct dialogue_rig *rig)
{
    static const unsigned plain[] = {24, 210, 110, 65};
    uint8_t room[256];

    dialogue_rig_open(rig, dialogue_options());
    record(rig, 'C', 22, 300);
    dialogue_rig_octets(rig, 'S', room, tls_hello(room, TLS_12_GCM, 0));
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
        record(rig, "CS"[i % 2], 23, plain[i] + 24);
}

static void close_tls(struct dialogue_rig *rig, unsigned odd, unsigned forged)
{
    record(rig, 'S', 23, 37 + 24);
    record(rig, 'C', 23, 110 + 24);
    record(rig, 'S', 23, 65 + 24);
    record(rig, 'C', 23, 700 + 24);
    record(rig, 'S', 23, 37 + 24);
    weir_dialogue_end(rig->dialogue, rig->now);
    const struct weir_heard *heard = weir_dialogue_heard(rig->dialogue);
    assert_int_equal(heard->accepted, 2);
    assert_int_equal(heard->odd, odd);
    assert_int_equal(heard->forged, forged);
    assert_true(heard->tls && !heard->lost);
    dialogue_rig_close(rig);
}

static void what_is_no_record_of_the_client_loses_nothing_behind_it(void **state)
{
    struct dialogue_rig rig;

    (void)state;
    open_tls(&rig);
    dialogue_rig_octets(&rig, 'C', "QUIT\r\n\0\0\0\0", 10);
    record(&rig, 'C', 23, 900 + 24);
    close_tls(&rig, 1, 0);
}

static void a_forged_head_of_a_record_hides_no_message(void **state)
{
    struct dialogue_rig rig;

    (void)state;
    open_tls(&rig);
    dialogue_rig_octets(&rig, 'C', "\x17\x03\x03\x40\x00 and some octets", 21);
    weir_dialogue_forged(rig.dialogue, rig.now, 924);
    dialogue_rig_octets(&rig, 'C', "the rest of the true one", 24);
    close_tls(&rig, 0, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_server_accepted_is_counted_whatever_the_client_pretends),
        cmocka_unit_test(behind_a_hole_or_without_a_client_nothing_is_odd),
        cmocka_unit_test(more_commands_at_once_than_can_wait_hide_no_mail),
        cmocka_unit_test(replies_say_by_themselves_what_was_accepted),
        cmocka_unit_test(only_so_much_of_a_reply_is_read),
        cmocka_unit_test(what_is_no_record_of_the_client_loses_nothing_behind_it),
        cmocka_unit_test(a_forged_head_of_a_record_hides_no_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
