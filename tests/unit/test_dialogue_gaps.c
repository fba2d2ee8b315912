/*
 * dialogue: octets that are missing, wherever they are, never make a message accepted that was
 * not; and what is still found out without them.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "tests/unit/dialogue_rig.h"

/* In step, pipelined, in chunks; what was accepted is never the last. */
static const struct {
    unsigned accepted, recipients;
    bool says_queued; /* of each that it accepts (dialogue_word.h) */
    struct turn turns[32];
} stories[] = {
    {2, 3, true,
     {{'S', "220 mx.example ESMTP\r\n"}, {'C', "EHLO c\r\n"}, {'S', "250-mx\r\n250 SIZE\r\n"},
      {'C', "MAIL FROM:<a@x>\r\n"}, {'S', "250 ok\r\n"}, {'C', "RCPT TO:<b@y>\r\n"},
      {'S', "250 ok\r\n"}, {'C', "DATA\r\n"}, {'S', "354 go\r\n"},
      {'C', "Subject: a\r\n\r\nDATA\r\nRSET\r\n.\r\n"}, {'S', "250 2.0.0 Ok: queued as 1\r\n"},
      {'C', "MAIL FROM:<c@x>\r\n"}, {'S', "250 ok\r\n"}, {'C', "RCPT TO:<d@y>\r\n"},
      {'S', "250 ok\r\n"}, {'C', "DATA\r\n"}, {'S', "354 go\r\n"}, {'C', "spam\r\n.\r\n"},
      {'S', "554 spam\r\n"}, {'C', "MAIL FROM:<e@x>\r\n"}, {'S', "250 ok\r\n"},
      {'C', "RCPT TO:<f@y>\r\n"}, {'S', "250 ok\r\n"}, {'C', "DATA\r\n"}, {'S', "354 go\r\n"},
      {'C', "more\r\n.\r\n"}, {'S', "250 2.0.0 Ok: queued as 2\r\n"}, {'C', "QUIT\r\n"},
      {'S', "221 bye\r\n"}}},
    {2, 3, false,
     {{'S', "220 mx.example ESMTP\r\n"}, {'C', "EHLO c\r\n"}, {'S', "250-mx\r\n250 PIPELINING\r\n"},
      {'C', "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nRCPT TO:<c@y>\r\nDATA\r\n"},
      {'S', "250 ok\r\n250 ok\r\n550 no\r\n354 go\r\n"},
      {'C', "text\r\n.\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\n"},
      {'S', "250 queued\r\n250 ok\r\n550 no\r\n554 none\r\n"},
      {'C', "RSET\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\n"},
      {'S', "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n"},
      {'C', "virus\r\n.\r\nRSET\r\nNOOP\r\n"}, {'S', "554 no\r\n250 ok\r\n250 ok\r\n"},
      {'C', "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\n"},
      {'S', "250 ok\r\n250 ok\r\n354 go\r\n"}, {'C', "text\r\n.\r\nQUIT\r\n"},
      {'S', "250 queued\r\n221 bye\r\n"}}},
    {3, 7, true,
     {{'S', "220 mx.example ESMTP\r\n"}, {'C', "EHLO c\r\n"}, {'S', "250-mx\r\n250 CHUNKING\r\n"},
      {'C', "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nBDAT 7 LAST\r\ntext \r\n"},
      {'S', "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n250 2.0.0 Ok: queued as 3\r\n"},
      {'C', "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nBDAT 6\r\nRSET\r\nBDAT 7 LAST\r\nvirus\r\n"},
      {'S', "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n250 6\r\n554 no\r\n"},
      {'C', "RSET\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nRCPT TO:<c@y>\r\nBDAT 2 LAST\r\n\r\n"},
      {'S', "250 ok\r\n250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n250 2.1.5 Ok\r\n554 no\r\n"},
      {'C', "NOOP\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nBDAT 2 LAST\r\n\r\n"},
      {'S', "250 ok\r\n250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n250 2.0.0 Ok: queued as 3\r\n"},
      {'C', "MAIL FROM:<a@x>\r\n"}, {'S', "250 2.1.0 Ok\r\n"}, {'C', "RCPT TO:<b@y>\r\n"},
      {'S', "250 2.1.5 Ok\r\n"}, {'C', "BDAT 4 LAST\r\nxx\r\n"}, {'S', "451 later\r\n"},
      {'C', "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nBDAT 2 LAST\r\n\r\n"},
      {'S', "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n250 2.0.0 Ok: queued as 3\r\n"}, {'C', "QUIT\r\n"},
      {'S', "221 bye\r\n"}}},
};

enum { STORIES = sizeof(stories) / sizeof(stories[0]) };

/* A hole in one side's octets. */
struct hole {
    size_t from, to;
};

static size_t side_length(const struct turn *turns, char side)
{
    size_t len = 0;

    for (; turns->side; turns++)
        len += turns->side == side ? strlen(turns->text) : 0;
    return len;
}

/* Feeds what is outside of the hole.  Of the hole what lies in this turn is told at its place. */
static void feed_around(struct dialogue_rig *rig, const struct turn *turn, size_t at,
                        struct hole hole)
{
    size_t len = strlen(turn->text);
    size_t before = hole.from <= at ? 0 : hole.from - at < len ? hole.from - at : len;
    size_t behind = hole.to <= at ? 0 : hole.to - at < len ? hole.to - at : len;

    dialogue_rig_octets(rig, turn->side, turn->text, before);
    if (behind <= before)
        behind = before;
    dialogue_rig_gap(rig, turn->side, behind - before);
    dialogue_rig_octets(rig, turn->side, turn->text + behind, len - behind);
}

static struct weir_heard hear_with_holes(struct dialogue_rig *rig, const struct turn *turns,
                                         struct hole client, struct hole server)
{
    size_t at[2] = {0, 0};

    dialogue_rig_open(rig, dialogue_options());
    for (; turns->side; turns++) {
        int side = turns->side == 'S';

        feed_around(rig, turns, at[side], side ? server : client);
        at[side] += strlen(turns->text);
    }
    weir_dialogue_end(rig->dialogue, rig->now);
    struct weir_heard heard = *weir_dialogue_heard(rig->dialogue);
    dialogue_rig_close(rig);
    return heard;
}

static void check(size_t story, struct hole client, struct hole server)
{
    struct dialogue_rig rig;
    struct weir_heard heard = hear_with_holes(&rig, stories[story].turns, client, server);

    bool sure = server.from == server.to && stories[story].says_queued;

    if (heard.accepted > stories[story].accepted || !heard.gap ||
        (sure && heard.accepted < stories[story].accepted) ||
        heard.recipients > stories[story].recipients ||
        heard.messages != heard.accepted + heard.rejected + heard.unfinished)
        fail_msg("story %zu, client %zu to %zu, server %zu to %zu: %s\n%s", story, client.from,
                 client.to, server.from, server.to, heard.gap ? "gap" : "no gap", rig.told);
}

static void without_a_hole_all_is_heard(void **state)
{
    (void)state;
    for (size_t i = 0; i < STORIES; i++) {
        struct dialogue_rig rig;
        struct weir_heard heard =
            hear_with_holes(&rig, stories[i].turns, (struct hole){0}, (struct hole){0});

        if (heard.accepted != stories[i].accepted || heard.gap ||
            heard.recipients != stories[i].recipients)
            fail_msg("story %zu:\n%s", i, rig.told);
    }
}

static void a_hole_of_any_length_anywhere_never_adds_an_accepted_message(void **state)
{
    (void)state;
    for (size_t i = 0; i < STORIES; i++) {
        size_t client = side_length(stories[i].turns, 'C');
        size_t server = side_length(stories[i].turns, 'S');

        for (size_t from = 0; from < client; from++)
            for (size_t to = from + 1; to <= client; to++)
                check(i, (struct hole){from, to}, (struct hole){0});
        for (size_t from = 0; from < server; from++)
            for (size_t to = from + 1; to <= server; to++)
                check(i, (struct hole){0}, (struct hole){from, to});
    }
}

static struct hole random_hole(struct seeded *seeded, size_t len)
{
    size_t from = seeded_below(seeded, (unsigned)len);
    size_t most = len - from < 60 ? len - from : 60;

    return (struct hole){from, from + 1 + seeded_below(seeded, (unsigned)most)};
}

static void holes_on_both_sides_never_add_an_accepted_message(void **state)
{
    struct seeded seeded = seeded_new(__func__);

    (void)state;
    for (unsigned times = 0; times < 60000; times++) {
        size_t i = times % STORIES;

        check(i, random_hole(&seeded, side_length(stories[i].turns, 'C')),
              random_hole(&seeded, side_length(stories[i].turns, 'S')));
    }
}

/* The head of a message, a hole in its body, the dot. */
static void a_hole_in_a_body_costs_nothing_but_octets(void **state)
{
    static const struct {
        const char *head, *behind;
        unsigned hole;
        const char *want;
    } cases[] = {
        {"DATA\r\n", "rest\r\n.\r\n", 100, "accepted 250 <a@x> to <b@y> 1+0 110 gap\n"},
        {"DATA\r\n", "", 5000, "accepted 250 <a@x> to <b@y> 1+0 5004 gap\n"},
        {"BDAT 100 LAST\r\n", "", 96, "accepted 250 <a@x> to <b@y> 1+0 100 gap\n"},
        {"BDAT 100 LAST\r\n", "rest", 92, "accepted 250 <a@x> to <b@y> 1+0 100 gap\n"},
        {"BDAT 100 LAST\r\n", "", 97, "accepted 250 <a@x> to <b@y> 1+0 100 gap\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct turn head[] = {
            {'S', "220 mx\r\n"}, {'C', "EHLO c\r\n"}, {'S', "250 mx\r\n"},
            {'C', "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\n"}, {'S', "250 ok\r\n250 ok\r\n"},
            {'C', cases[i].head}, {'S', i < 2 ? "354 go\r\n" : ""}, {'C', "head"}, {0}};
        struct dialogue_rig rig;

        dialogue_rig_open(&rig, dialogue_options());
        dialogue_rig_turns(&rig, head);
        dialogue_rig_gap(&rig, 'C', cases[i].hole);
        dialogue_rig_octets(&rig, 'C', cases[i].behind, strlen(cases[i].behind));
        dialogue_rig_octets(&rig, 'S', "250 queued\r\n", 12);
        dialogue_rig_close(&rig);
        assert_string_equal(rig.told, cases[i].want);
    }
}

static void a_final_reply_cut_behind_its_code_still_counts(void **state)
{
    static const struct turn head[] = {
        {'S', "220 mx\r\n"}, {'C', "HELO c\r\nMAIL FROM:<a@x>\r\nDATA\r\n"},
        {'S', "250 mx\r\n250 ok\r\n354 go\r\n"}, {'C', "x\r\n.\r\n"},
        {'S', "250 2.0.0 Ok: que"}, {0}};
    struct dialogue_rig rig;

    (void)state;
    dialogue_rig_open(&rig, dialogue_options());
    dialogue_rig_turns(&rig, head);
    dialogue_rig_gap(&rig, 'S', 10);
    assert_string_equal(rig.told, "accepted 250 <a@x> to 0+0 3 gap\n");
    dialogue_rig_close(&rig);
}

static void open_greeted(struct dialogue_rig *rig)
{
    static const struct turn greeting[] = {GREETING, {0}};

    dialogue_rig_open(rig, dialogue_options());
    dialogue_rig_turns(rig, greeting);
}

/* Of a mail by BDAT, in one go or step by step, nothing of the client is captured. */
static void the_word_queued_tells_of_a_mail_in_a_hole(void **state)
{
    static const char *const replies[] = {"250 2.1.0 Ok\r\n", "250 2.1.5 Ok\r\n",
                                          "250 2.1.5 Ok\r\n",
                                          "250 2.0.0 Ok: 7 bytes queued as 4AB\r\n"};
    static const struct turn behind[] = {
        {'C', "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nBDAT 2 LAST\r\n\r\n"},
        {'S', "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n250 2.0.0 Ok: queued as 4AC\r\n"}, BYE, {0}};

    (void)state;
    for (int steps = 0; steps < 2; steps++) {
        struct dialogue_rig rig;

        open_greeted(&rig);
        for (size_t i = 0; i < 4; i++) {
            if (i == 0 || steps)
                dialogue_rig_gap(&rig, 'C', 20);
            dialogue_rig_octets(&rig, 'S', replies[i], strlen(replies[i]));
        }
        dialogue_rig_turns(&rig, behind);
        dialogue_rig_close(&rig);
        assert_string_equal(rig.told, "accepted 250 ? to 2+0 0 gap\n"
                                      "accepted 250 <a@x> to <b@y> 1+0 2 gap\n");
    }
}

static void recipients_in_a_hole_are_those_the_server_says_it_accepts(void **state)
{
    static const struct turn behind[] = {
        {'S', "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n550 5.1.1 no\r\n250 2.1.5 Ok\r\n"}, GO_AHEAD,
        {'C', "x\r\n.\r\n"}, {'S', "250 2.0.0 Ok\r\n"}, {0}};
    static const struct turn reset[] = { /* of a server without enhanced codes */
        {'S', "250 OK\r\n250 Accepted\r\n250 Accepted\r\n"},
        {'C', "RSET\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\n"},
        {'S', "250 Reset OK\r\n250 OK\r\n250 Accepted\r\n354 go\r\n"},
        {'C', "x\r\n.\r\n"}, {'S', "250 OK id=1vMabc-000000001Xy-2Zab\r\n"}, {0}};

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct dialogue_rig rig;

        open_greeted(&rig);
        dialogue_rig_gap(&rig, 'C', 80);
        dialogue_rig_turns(&rig, i == 0 ? behind : reset);
        dialogue_rig_close(&rig);
        assert_string_equal(rig.told, i == 0 ? "accepted 250 ? to 2+0 3 gap\n"
                                             : "accepted 250 <a@x> to <b@y> 1+0 3 gap\n");
    }
}

static void a_server_alone_tells_messages_by_354(void **state)
{
    static const struct turn turns[] = {
        {'S', "220 mx\r\n250 mx\r\n250 ok\r\n250 ok\r\n354 go\r\n250 queued\r\n"},
        {'S', "250 ok\r\n250 ok\r\n354 go\r\n550 spam\r\n250 ok\r\n250 ok\r\n221 bye\r\n"}, {0}};
    struct dialogue_rig rig;
    struct weir_dialogue_options options = dialogue_options();

    (void)state;
    dialogue_hear(&rig, options, turns, DIALOGUE_WHOLE, NULL);
    assert_string_equal(rig.told, "accepted 250 ? to 0+0 0\nrejected 550 ? to 0+0 0 gap\n");
    options.midstream = true;
    dialogue_hear(&rig, options, turns, DIALOGUE_OCTETS, NULL);
    assert_string_equal(rig.told, "accepted 250 ? to 0+0 0 gap\nrejected 550 ? to 0+0 0 gap\n");
}

static void a_client_alone_is_never_believed(void **state)
{
    static const struct turn turns[] = {
        {'C', "EHLO c\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\nx\r\n.\r\n"},
        {'C', "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nBDAT 2 LAST\r\n\r\nQUIT\r\n"}, {0}};
    struct dialogue_rig rig;
    struct weir_heard heard = dialogue_hear(&rig, dialogue_options(), turns, DIALOGUE_WHOLE, NULL);

    (void)state;
    assert_string_equal(rig.told, "");
    assert_int_equal(heard.messages, 0);
}

static void from_the_middle_no_more_is_heard_than_is_left(void **state)
{
    struct weir_dialogue_options options = dialogue_options();

    (void)state;
    options.midstream = true;
    for (size_t i = 0; i < STORIES; i++)
        for (const struct turn *turn = stories[i].turns; turn->side; turn++) {
            struct dialogue_rig rig;
            struct weir_heard heard =
                dialogue_hear(&rig, options, turn, DIALOGUE_WHOLE, NULL);

            assert_true(heard.accepted <= stories[i].accepted);
            if (turn == stories[i].turns)
                assert_true(heard.accepted + (i == 2) >= stories[i].accepted);
        }
}

static void behind_a_hole_one_even_turn_restores_belief_in_chunks(void **state)
{
    static const struct turn turns[] = {
        {'S', "250 ok\r\n"}, {'C', "MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\n"},
        {'S', "250 ok\r\n250 ok\r\n"}, {'C', "BDAT 2 LAST\r\n\r\n"}, {'S', "250 queued\r\n"}, {0}};
    struct weir_dialogue_options options = dialogue_options();
    struct dialogue_rig rig;

    (void)state;
    options.midstream = true;
    dialogue_hear(&rig, options, turns, DIALOGUE_WHOLE, NULL);
    assert_string_equal(rig.told, "accepted 250 <a@x> to <b@y> 1+0 2 gap\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_hole_all_is_heard),
        cmocka_unit_test(a_hole_of_any_length_anywhere_never_adds_an_accepted_message),
        cmocka_unit_test(holes_on_both_sides_never_add_an_accepted_message),
        cmocka_unit_test(a_hole_in_a_body_costs_nothing_but_octets),
        cmocka_unit_test(a_final_reply_cut_behind_its_code_still_counts),
        cmocka_unit_test(the_word_queued_tells_of_a_mail_in_a_hole),
        cmocka_unit_test(recipients_in_a_hole_are_those_the_server_says_it_accepts),
        cmocka_unit_test(a_server_alone_tells_messages_by_354),
        cmocka_unit_test(a_client_alone_is_never_believed),
        cmocka_unit_test(from_the_middle_no_more_is_heard_than_is_left),
        cmocka_unit_test(behind_a_hole_one_even_turn_restores_belief_in_chunks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
