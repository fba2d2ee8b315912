/*
 * dialogue: tables of dialogues and the messages they carry, fed whole, octet by octet and in
 * random pieces (dialogue.c, dialogue_client.c, dialogue_server.c, dialogue_message.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "tests/unit/dialogue_rig.h"

static const struct {
    const char *name;
    struct turn turns[24];
    const char *want;
} cases[] = {
    {"one message",
     {GREETING, ENVELOPE, GO_AHEAD, {'C', "Subject: x\r\n\r\n..\r\n.\r\n"}, {'S', "250 queued\r\n"},
      BYE},
     ACCEPTED "18\n"},
    {"an empty body", {GREETING, ENVELOPE, GO_AHEAD, {'C', ".\r\n"}, {'S', "250 q\r\n"}, BYE},
     ACCEPTED "0\n"},
    {"refused at the dot",
     {GREETING, ENVELOPE, GO_AHEAD, {'C', "x\r\n.\r\n"}, {'S', "550-spam\r\n550 spam\r\n"}, BYE},
     "rejected 550 <a@x> to <b@y> 1+0 3\n"},
    {"deferred at the dot",
     {GREETING, ENVELOPE, GO_AHEAD, {'C', "x\r\n.\r\n"}, {'S', "451 4.7.1 later\r\n"}},
     "rejected 451 <a@x> to <b@y> 1+0 3\n"},
    {"a reply for each recipient: one is refused",
     {GREETING,
      {'C', "MAIL FROM:<a@x> PRDR\r\nRCPT TO:<b@y>\r\nRCPT TO:<c@y>\r\nDATA\r\n"},
      {'S', "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n"},
      {'C', "x\r\n.\r\nMAIL FROM:<e@x>\r\nRCPT TO:<f@y>\r\n"},
      {'S', "353 each\r\n550 not b\r\n250 c\r\n250 queued\r\n250 ok\r\n250 ok\r\n"},
      GO_AHEAD, {'C', "yy\r\n.\r\n"}, {'S', "250 queued\r\n"}, BYE},
     "accepted 250 <a@x> to <b@y> <c@y> 1+1 3\naccepted 250 <e@x> to <f@y> 1+0 4\n"},
    {"a reply for each recipient, and in the end none for all",
     {GREETING, ENVELOPE, GO_AHEAD, {'C', "x\r\n.\r\n"},
      {'S', "353 each\r\n250 b\r\n550 spam\r\n"}, BYE},
     "rejected 550 <a@x> to <b@y> 1+0 3\n"},
    {"a reply for each recipient behind a chunk",
     {GREETING, ENVELOPE, {'C', "BDAT 3 LAST\r\nx\r\n"},
      {'S', "353 each\r\n250 b\r\n250 queued\r\n"}, BYE},
     ACCEPTED "3\n"},
    {"the server leaves in the midst of them",
     {GREETING, ENVELOPE, GO_AHEAD, {'C', "x\r\n.\r\n"}, {'S', "353 each\r\n421 bye\r\n"}},
     "rejected 421 <a@x> to <b@y> 1+0 3\n"},
    {"pipelined, one recipient of three refused",
     {GREETING,
      {'C', "MAIL FROM:<a@x> SIZE=9\r\nRCPT TO:<b@y>\r\n"
            "RCPT TO:<c@y>\r\nRCPT TO:<d@y>\r\nDATA\r\n"},
      {'S', "250 ok\r\n250 ok\r\n550 no\r\n250 ok\r\n354 go\r\n"},
      {'C', "x\r\n.\r\nQUIT\r\n"}, {'S', "250 queued\r\n221 bye\r\n"}},
     "accepted 250 <a@x> to <b@y> <c@y> <d@y> 2+1 3\n"},
    {"the next mail behind the dot",
     {GREETING, ENVELOPE, GO_AHEAD,
      {'C', "x\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<c@y>\r\nDATA\r\n"},
      {'S', "250 queued\r\n250 ok\r\n250 ok\r\n354 go\r\n"}, {'C', "yy\r\n.\r\n"},
      {'S', "250 queued\r\n"}},
     ACCEPTED "3\naccepted 250 <> to <c@y> 1+0 4\n"},
    {"DATA refused, no recipient left",
     {GREETING, {'C', "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\n"},
      {'S', "250 ok\r\n550 no\r\n554 no valid recipients\r\n"}, {'C', "RSET\r\n"},
      {'S', "250 ok\r\n"}},
     "unfinished 0 <a@x> to <b@y> 0+1 0\n"},
    {"DATA refused although a recipient was accepted",
     {GREETING, ENVELOPE, {'C', "DATA\r\n"}, {'S', "451 no room\r\n"}, BYE},
     "rejected 451 <a@x> to <b@y> 1+0 0\n"},
    {"DATA refused, then granted",
     {GREETING, ENVELOPE, {'C', "DATA\r\n"}, {'S', "451 wait\r\n"}, GO_AHEAD, {'C', "x\r\n.\r\n"},
      {'S', "250 ok\r\n"}},
     ACCEPTED "3\n"},
    {"354 refused, but the client has sent its body",
     {GREETING,
      {'C', "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\nSubject: x\r\nRSET\r\n.\r\nQUIT\r\n"},
      {'S', "250 ok\r\n550 no\r\n503 no\r\n500 what\r\n250 reset\r\n500 what\r\n221 bye\r\n"}},
     "unfinished 0 <a@x> to <b@y> 0+1 0\n"},
    {"354 granted, and the client has sent its body",
     {GREETING, {'C', "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\nRSET\r\nDATA\r\n.\r\nQUIT\r\n"},
      {'S', "250 ok\r\n250 ok\r\n354 go\r\n250 queued\r\n221 bye\r\n"}},
     ACCEPTED "12\n"},
    {"half the body before 354",
     {GREETING, ENVELOPE, {'C', "DATA\r\nfirst\r\n."}, {'S', "354 go\r\n"}, {'C', "\r\n"},
      {'S', "250 queued\r\n"}, BYE},
     ACCEPTED "7\n"},
    {"two mails blindly",
     {GREETING,
      {'C', "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\nx\r\n.\r\n"
            "MAIL FROM:<c@x>\r\nRCPT TO:<d@y>\r\nDATA\r\nyyy\r\n.\r\nQUIT\r\n"},
      {'S', "250 ok\r\n250 ok\r\n354 go\r\n250 queued\r\n"
            "250 ok\r\n250 ok\r\n354 go\r\n550 spam\r\n221 bye\r\n"}},
     ACCEPTED "3\nrejected 550 <c@x> to <d@y> 1+0 5\n"},
    {"RSET", {GREETING, ENVELOPE, {'C', "RSET\r\n"}, {'S', "250 ok\r\n"}, BYE},
     "unfinished 0 <a@x> to <b@y> 1+0 0\n"},
    {"EHLO in between", {GREETING, ENVELOPE, {'C', "EHLO again\r\n"}, {'S', "250 ok\r\n"}},
     "unfinished 0 <a@x> to <b@y> 1+0 0\n"},
    {"QUIT after MAIL", {GREETING, {'C', "MAIL FROM:<a@x>\r\n"}, {'S', "250 ok\r\n"}, BYE},
     "unfinished 0 <a@x> to 0+0 0\n"},
    {"the end of the connection in the body",
     {GREETING, ENVELOPE, GO_AHEAD, {'C', "some text\r\n"}},
     "unfinished 0 <a@x> to <b@y> 1+0 11\n"},
    {"421 while the body is awaited",
     {GREETING, ENVELOPE, GO_AHEAD, {'C', "some"}, {'S', "421 timeout\r\n"}},
     "unfinished 0 <a@x> to <b@y> 1+0 4\n"},
    {"421 at once", {{'S', "421 busy\r\n"}}, ""},
    {"MAIL refused, RCPT and DATA with it",
     {GREETING, {'C', "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\n"},
      {'S', "550 no\r\n503 no\r\n503 no\r\n"}, BYE}, ""},
    {"MAIL within MAIL refused, then RCPT",
     {GREETING, {'C', "MAIL FROM:<a@x>\r\nMAIL FROM:<z@x>\r\nRCPT TO:<b@y>\r\nDATA\r\n"},
      {'S', "250 ok\r\n503 nested\r\n250 ok\r\n354 go\r\n"}, {'C', ".\r\n"}, {'S', "250 ok\r\n"}},
     ACCEPTED "0\n"},
    {"BDAT in three chunks",
     {GREETING, ENVELOPE,
      {'C', "BDAT 6\r\nQUIT\r\nBDAT 3\r\n.\r\nBDAT 2 LAST\r\n\r\nQUIT\r\n"},
      {'S', "250 6\r\n250 3\r\n250 queued\r\n221 bye\r\n"}},
     ACCEPTED "11\n"},
    {"BDAT pipelined with its envelope, LAST of no octets",
     {GREETING,
      {'C', "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nBDAT 4\r\nDATABDAT 0 LAST\r\nMAIL FROM:<c@x>\r\n"},
      {'S', "250 ok\r\n250 ok\r\n250 ok\r\n250 queued\r\n250 ok\r\n"}, BYE},
     ACCEPTED "4\nunfinished 0 <c@x> to 0+0 0\n"},
    {"BDAT refused: no recipients",
     {GREETING,
      {'C', "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nBDAT 6 LAST\r\nQUIT\r\nRSET\r\n"},
      {'S', "250 ok\r\n550 no\r\n503 no\r\n250 ok\r\n"}, BYE},
     "unfinished 0 <a@x> to <b@y> 0+1 0\n"},
    {"a chunk refused and LAST with it",
     {GREETING, ENVELOPE, {'C', "BDAT 3\r\nabcBDAT 2 LAST\r\n\r\n"},
      {'S', "552 too big\r\n503 no\r\n"}, BYE},
     "rejected 503 <a@x> to <b@y> 1+0 0\n"},
    {"a chunk refused and given up",
     {GREETING, ENVELOPE, {'C', "BDAT 3\r\nabc"}, {'S', "552 too big\r\n"}, {'C', "RSET\r\n"},
      {'S', "250 ok\r\n"}},
     "rejected 552 <a@x> to <b@y> 1+0 0\n"},
    {"a chunk size that is none: what follows are commands",
     {GREETING, ENVELOPE, {'C', "BDAT 18446744073709551621 LAST\r\nRSET\r\n"},
      {'S', "501 size\r\n250 ok\r\n"}, ENVELOPE, GO_AHEAD, {'C', ".\r\n"}, {'S', "250 ok\r\n"}},
     "rejected 501 <a@x> to <b@y> 1+0 0\n" ACCEPTED "0\n"},
    {"a server without BDAT takes the chunk for commands",
     {GREETING, ENVELOPE, {'C', "BDAT 1000\r\nRSET\r\n"}, {'S', "502 what\r\n250 ok\r\n"},
      {'C', "MAIL FROM:<c@y>\r\n"}, {'S', "250 ok\r\n"}, {'C', "RCPT TO:<d@y>\r\n"},
      {'S', "250 ok\r\n"}, GO_AHEAD, {'C', "x\r\n.\r\n"}, {'S', "250 ok\r\n"}},
     "rejected 502 <a@x> to <b@y> 1+0 0\naccepted 250 <c@y> to <d@y> 1+0 3 gap\n"},
    {"AUTH LOGIN's lines are no commands",
     {GREETING, {'C', "AUTH LOGIN\r\n"}, {'S', "334 VXNlcg==\r\n"}, {'C', "DATA\r\n"},
      {'S', "334 UGFzcw==\r\n"}, {'C', "BDAT 100\r\n"}, {'S', "235 ok\r\n"}, ENVELOPE, GO_AHEAD,
      {'C', "x\r\n.\r\n"}, {'S', "250 ok\r\n"}},
     ACCEPTED "3\n"},
    {"unknown commands and empty lines",
     {GREETING, {'C', "XFORWARD NAME=z\r\nBURL x\r\n\r\nVRFY z\r\n"},
      {'S', "250 ok\r\n502 no\r\n500 no\r\n252 maybe\r\n"}, ENVELOPE, GO_AHEAD, {'C', ".\r\n"},
      {'S', "250 ok\r\n"}},
     ACCEPTED "0\n"},
    {"lines without CR",
     {{'S', "220 mx\n"}, {'C', "HELO c\nMAIL FROM:<a@x>\nRCPT TO:<b@y>\nDATA\n"},
      {'S', "250 ok\n250 ok\n250 ok\n354 go\n"}, {'C', "x\n.\n"}, {'S', "250 ok\n"}, BYE},
     ACCEPTED "4\n"},
    {"a mail smuggled behind a lone dot counts when the server takes it for one",
     {GREETING, ENVELOPE, GO_AHEAD,
      {'C', "x\n.\nMAIL FROM:<s@x>\r\nRCPT TO:<t@y>\r\nDATA\r\nz\r\n.\r\n"},
      {'S', "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n"}},
     ACCEPTED "45\naccepted 250 ? to 1+0 0 gap\n"},
    {"and not when it does not",
     {GREETING, ENVELOPE, GO_AHEAD,
      {'C', "x\n.\nMAIL FROM:<s@x>\r\nRCPT TO:<t@y>\r\nDATA\r\nz\r\n.\r\n"}, {'S', "250 ok\r\n"}},
     ACCEPTED "45\n"},
    {"the client talks before the greeting",
     {{'C', "EHLO c\r\nMAIL FROM:<a@x>\r\n"}, {'S', "220 mx\r\n250 ok\r\n250 ok\r\n"},
      {'C', "RCPT TO:<b@y>\r\n"}, {'S', "250 ok\r\n"}, GO_AHEAD, {'C', ".\r\n"},
      {'S', "250 ok\r\n"}},
     ACCEPTED "0\n"},
    {"a reply too few: 354 belongs to DATA",
     {GREETING, {'C', "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\n"},
      {'S', "250 ok\r\n354 go\r\n"}, {'C', "x\r\n.\r\n"}, {'S', "250 ok\r\n"}, BYE},
     "accepted 250 <a@x> to <b@y> 1+0 3\n"},
    {"a reply too many", {GREETING, ENVELOPE, {'S', "250 once more\r\n"}, GO_AHEAD,
      {'C', "x\r\n.\r\n"}, {'S', "250 ok\r\n"}},
     ACCEPTED "3\n"},
    {"quoted local parts, source routes, missing brackets, long addresses",
     {GREETING, {'C', "MAIL FROM:<@r,@s:\"a>b \\\" c\"@x> BODY=8BITMIME\r\n"}, {'S', "250 ok\r\n"},
      {'C', "rcpt to: b@y NOTIFY=NEVER\r\nRCPT TO:<\"c d\"@y>\r\nRCPT TO:<never closed\r\n"},
      {'S', "250 ok\r\n250 ok\r\n501 no\r\n"}, BYE},
     "unfinished 0 <\"a>b \\\" c\"@x> to <b@y> <\"c d\"@y> 2+1 0\n"},
    {"STARTTLS refused, all goes on",
     {GREETING, {'C', "STARTTLS\r\n"}, {'S', "454 not now\r\n"}, ENVELOPE, GO_AHEAD,
      {'C', ".\r\n"}, {'S', "250 ok\r\n"}},
     ACCEPTED "0\n"},
    {"only 220 grants STARTTLS: a client's word alone hides nothing",
     {GREETING, {'C', "STARTTLS\r\n"}, {'S', "250 ok\r\n"}, ENVELOPE, GO_AHEAD,
      {'C', ".\r\n"}, {'S', "250 ok\r\n"}},
     ACCEPTED "0\n"},
    {"STARTTLS within a mail", {GREETING, ENVELOPE, {'C', "STARTTLS\r\n"}, {'S', "220 go\r\n"}},
     "unfinished 0 <a@x> to <b@y> 1+0 0\n"},
};

static void check(size_t i, int cut, struct seeded *seeded)
{
    struct dialogue_rig rig;
    struct weir_heard heard =
        dialogue_hear(&rig, dialogue_options(), cases[i].turns, cut, seeded);

    if (strcmp(rig.told, cases[i].want) != 0)
        fail_msg("%s (cut %d): got\n%swant\n%s", cases[i].name, cut, rig.told, cases[i].want);
    assert_false(heard.gap);
    assert_false(heard.lost);
}

static void dialogues_carry_the_messages_the_server_took_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check(i, DIALOGUE_WHOLE, NULL);
}

static void pieces_change_nothing(void **state)
{
    struct seeded seeded = seeded_new(__func__);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check(i, DIALOGUE_OCTETS, NULL);
        for (int times = 0; times < 50; times++)
            check(i, DIALOGUE_PIECES, &seeded);
    }
}

static void a_recipient_that_is_refused_in_the_end_stays_so_though_octets_are_missing(void **state)
{
    static const struct turn before[] = {
        GREETING, {'C', "MAIL FROM:<a@x> PRDR\r\nRCPT TO:<b@y>\r\nRCPT TO:<c@y>\r\nDATA\r\n"},
        {'S', "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n250 2.1.5 Ok\r\n354 go\r\n"},
        {'C', "x\r\n.\r\n"}, {'S', "353 each\r\n550 not b\r\n250 c\r\n"}, {0}};
    static const struct turn behind[] = {{'S', "250 queued\r\n"}, {0}};
    struct dialogue_rig rig;

    (void)state;
    dialogue_rig_open(&rig, dialogue_options());
    dialogue_rig_turns(&rig, before);
    dialogue_rig_gap(&rig, 'C', 10);
    dialogue_rig_turns(&rig, behind);
    assert_string_equal(rig.told, "accepted 250 <a@x> to <b@y> <c@y> 1+1 3 gap\n");
    dialogue_rig_close(&rig);
}

static void sums_tell_recipients_and_what_was_seen(void **state)
{
    static const struct turn turns[] = {
        GREETING, {'C', "AUTH PLAIN AGEAYg==\r\n"}, {'S', "235 ok\r\n"},
        {'C', "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nRCPT TO:<c@y>\r\nDATA\r\n"},
        {'S', "250 ok\r\n250 ok\r\n450 no\r\n354 go\r\n"}, {'C', "x\r\n.\r\n"},
        {'S', "250 2.0.0 Ok: queued as 4AB\r\n"}, ENVELOPE, BYE, {0}};
    struct dialogue_rig rig;
    struct weir_heard heard = dialogue_hear(&rig, dialogue_options(), turns, DIALOGUE_WHOLE, NULL);

    (void)state;
    assert_true(heard.greeted && heard.authenticated);
    assert_false(heard.starttls || heard.tls || heard.proxied || heard.health_check);
    assert_int_equal(heard.messages, 2);
    assert_int_equal(heard.accepted, 1);
    assert_int_equal(heard.unfinished, 1);
    assert_int_equal(heard.recipients, 2);
    assert_int_equal(heard.recipients_rejected, 1);
}

static void lengths_of_queued_replies_are_remembered(void **state)
{
    static const struct turn turns[] = {
        GREETING, ENVELOPE, GO_AHEAD, {'C', "x\r\n.\r\n"}, {'S', "250 2.0.0 Ok: queued as 4AB\r\n"},
        ENVELOPE, GO_AHEAD, {'C', "x\r\n.\r\n"}, {'S', "250 2.0.0 Ok: queued as 4ABCDE\r\n"},
        ENVELOPE, GO_AHEAD, {'C', "x\r\n.\r\n"}, {'S', "550 no\r\n"}, {0}};
    struct dialogue_rig rig;
    unsigned least, most;

    (void)state;
    dialogue_rig_open(&rig, dialogue_options());
    dialogue_rig_turns(&rig, turns);
    assert_int_equal(weir_dialogue_queued(rig.dialogue, &least, &most), 2);
    assert_int_equal(least, 29);
    assert_int_equal(most, 32);
    dialogue_rig_close(&rig);
    assert_null(rig.dialogue);
    weir_dialogue_free(&rig.dialogue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dialogues_carry_the_messages_the_server_took_or_refused),
        cmocka_unit_test(pieces_change_nothing),
        cmocka_unit_test(
            a_recipient_that_is_refused_in_the_end_stays_so_though_octets_are_missing),
        cmocka_unit_test(sums_tell_recipients_and_what_was_seen),
        cmocka_unit_test(lengths_of_queued_replies_are_remembered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
