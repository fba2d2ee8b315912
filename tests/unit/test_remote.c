/* remote - what is asked and answered arrives as it was said; nothing else is believed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/engine/remote.h"
#include "tests/unit/seeded.h"

static struct weir_arena *arena;
static char room[2 * WEIR_REMOTE_HEAD_MAX];

static int make_arena(void **state)
{
    (void)state;
    arena = weir_arena_new(4096);
    return arena ? 0 : -1;
}

static int free_arena(void **state)
{
    (void)state;
    weir_arena_free(&arena);
    return 0;
}

static struct weir_slice slice(const char *text)
{
    return (struct weir_slice){text, strlen(text)};
}

static void assert_slice(struct weir_slice got, struct weir_slice want)
{
    assert_int_equal(got.len, want.len);
    if (want.len > 0)
        assert_memory_equal(got.at, want.at, want.len);
}

static size_t ask(const struct weir_mail *mail)
{
    struct weir_line line = weir_line(room, sizeof room);

    weir_remote_question(mail, &line);
    assert_false(line.cut);
    return (size_t)(line.at - line.start);
}

static int read_text(const char *text, struct weir_mail *mail_r, size_t *size_r)
{
    size_t head;

    return weir_remote_read_question(text, strlen(text), arena, mail_r, &head, size_r);
}

static int answer_to(const char *text, struct weir_outcome *outcome_r)
{
    return weir_remote_read_answer(text, strlen(text), arena, outcome_r);
}

/* An answer with one more line in it. */
static int answer_with(const char *line, struct weir_outcome *outcome_r)
{
    snprintf(room, sizeof room, "weir-outcome 1\nverdict=spam\naction=pass\nscore=1\n%s\n\n", line);
    return answer_to(room, outcome_r);
}

static void a_question_arrives_as_it_was_asked(void **state)
{
    const struct weir_slice recipient[] = {slice("b@example.net"), slice("c d\\e\n@x\t\r")};
    struct weir_mail mail = {
        .envelope = {.stage = WEIR_STAGE_END, .has_client = true, .authenticated = true,
                     .client_name = slice("mx.example"), .helo = slice("[192.0.2.7]"),
                     .sender = slice("\"a\\\"=\"@example.org"), .queue_id = slice("1a-2b-3c"),
                     .recipient = recipient[0]},
        .recipient = recipient, .recipients = 2,
        .listener = slice("127.0.0.1:25"), .message = slice("Subject: x\n\nbody\n")};
    struct weir_mail got;
    size_t head, size, len;

    (void)state;
    assert_int_equal(weir_address_parse("2001:db8::7", 11, &mail.envelope.client), 0);
    len = ask(&mail);
    assert_int_equal(weir_remote_read_question(room, len, arena, &got, &head, &size), 1);
    assert_int_equal(head, len);
    assert_int_equal(size, mail.message.len);
    assert_int_equal(got.envelope.stage, WEIR_STAGE_END);
    assert_true(got.envelope.has_client && got.envelope.authenticated);
    assert_true(weir_address_equal(&got.envelope.client, &mail.envelope.client));
    assert_slice(got.envelope.client_name, mail.envelope.client_name);
    assert_slice(got.envelope.helo, mail.envelope.helo);
    assert_slice(got.envelope.sender, mail.envelope.sender);
    assert_slice(got.envelope.recipient, recipient[0]);
    assert_slice(got.envelope.queue_id, mail.envelope.queue_id);
    assert_slice(got.listener, mail.listener);
    assert_int_equal(got.recipients, 2);
    assert_slice(got.recipient[1], recipient[1]);
}

static void local_mail_without_recipients_has_no_client(void **state)
{
    struct weir_mail mail = {.envelope = {.stage = WEIR_STAGE_END}}, got;
    size_t head, size, len = ask(&mail);

    (void)state;
    assert_int_equal(weir_remote_read_question(room, len, arena, &got, &head, &size), 1);
    assert_false(got.envelope.has_client);
    assert_false(got.envelope.authenticated);
    assert_int_equal(got.envelope.sender.len, 0);
    assert_int_equal(got.recipients, 0);
    assert_int_equal(size, 0);
}

static void a_nul_cannot_be_asked(void **state)
{
    struct weir_mail mail = {.envelope = {.sender = {"a\0b", 3}}};
    struct weir_line line = weir_line(room, sizeof room);

    (void)state;
    weir_remote_question(&mail, &line);
    assert_true(line.cut);
}

static void any_octets_of_an_envelope_arrive_as_they_were(void **state)
{
    struct seeded s = seeded_new("any_octets_of_an_envelope");
    char octets[64];

    (void)state;
    for (int round = 0; round < 2000; round++) {
        struct weir_mail mail = {.envelope = {.sender = {octets, seeded_below(&s, 64)}}}, got;
        size_t head, size, len;

        seeded_fill(&s, octets, sizeof octets);
        for (size_t i = 0; i < sizeof octets; i++)
            if (seeded_below(&s, 3) == 0 || octets[i] == '\0')
                octets[i] = "\n\r\t\\nrt="[seeded_below(&s, 8)];
        len = ask(&mail);
        weir_arena_reset(arena, 65536);
        assert_int_equal(weir_remote_read_question(room, len, arena, &got, &head, &size), 1);
        assert_slice(got.envelope.sender, mail.envelope.sender);
    }
}

static void a_part_of_a_head_asks_for_more_and_the_message_is_left_alone(void **state)
{
    static const char text[] = "weir-decide 1\nsender=a@b\nsize=5\n\n12345";
    const size_t whole = sizeof text - 1 - 5;
    struct weir_mail got;
    size_t head = 0, size = 0;

    (void)state;
    for (size_t len = 0; len <= whole + 5; len++)
        assert_int_equal(weir_remote_read_question(text, len, arena, &got, &head, &size),
                         len >= whole);
    assert_int_equal(head, whole);
    assert_int_equal(size, 5);
}

static void unknown_names_are_skipped_and_wrong_questions_refused(void **state)
{
    static const struct {
        const char *text;
        int want;
    } table[] = {
        {"weir-decide 1\nsize=1\nfuture=x\n\n", 1},
        {"weir-decide 2\nsize=1\n\n", WEIR_EINVAL},
        {"GET / HTTP/1.1\r\n", WEIR_EINVAL},
        {"x", WEIR_EINVAL},
        {"weir-decide 1\n\n", WEIR_EINVAL}, /* no size */
        {"weir-decide 1\nsize=\n\n", WEIR_EINVAL},
        {"weir-decide 1\nsize=-1\n\n", WEIR_EINVAL},
        {"weir-decide 1\nsize=67108864\n\n", 1},
        {"weir-decide 1\nsize=67108865\n\n", WEIR_ELIMIT},
        {"weir-decide 1\nsize=99999999999999999999999999\n\n", WEIR_ELIMIT},
        {"weir-decide 1\nsize=1\nclient=mx.example\n\n", WEIR_EINVAL},
        {"weir-decide 1\nsize=1\nno equals sign\n\n", WEIR_EINVAL},
        {"weir-decide 1\nsize=1\nhelo=a\\x\n\n", WEIR_EINVAL},
        {"weir-decide 1\nsize=1\nhelo=a\\\n\n", WEIR_EINVAL},
    };
    struct weir_mail got;
    size_t size;

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (read_text(table[i].text, &got, &size) != table[i].want)
            fail_msg("%s: want %d", table[i].text, table[i].want);
    assert_int_equal(weir_remote_read_question("weir-decide 1\nsize=1\nhelo=\0\n\n", 29, arena,
                                               &got, &size, &size), WEIR_EINVAL);
}

static void a_head_of_WEIR_REMOTE_HEAD_MAX_octets_is_read_and_no_more(void **state)
{
    static const char first[] = "weir-decide 1\nsize=1\nhelo=";
    struct weir_mail got;
    size_t head, size;

    (void)state;
    for (size_t len = WEIR_REMOTE_HEAD_MAX; len <= WEIR_REMOTE_HEAD_MAX + 1; len++) {
        memset(room, 'h', sizeof room);
        memcpy(room, first, sizeof first - 1);
        memcpy(room + len - 2, "\n\n", 2);
        assert_int_equal(weir_remote_read_question(room, len, arena, &got, &head, &size),
                         len == WEIR_REMOTE_HEAD_MAX ? 1 : WEIR_ELIMIT);
    }
    assert_int_equal(weir_remote_read_question(room, WEIR_REMOTE_HEAD_MAX - 1, arena, &got, &head,
                                               &size), 0);
}

static void WEIR_RECIPIENTS_MAX_recipients_are_read_and_no_more(void **state)
{
    struct weir_slice recipient[WEIR_RECIPIENTS_MAX + 1];
    struct weir_mail mail = {.recipient = recipient, .recipients = WEIR_RECIPIENTS_MAX + 1}, got;
    size_t head, size, len;
    char *more;

    (void)state;
    for (size_t i = 0; i <= WEIR_RECIPIENTS_MAX; i++)
        recipient[i] = slice("u@test.example");
    len = ask(&mail); /* asks about as many as are looked at */
    assert_int_equal(weir_remote_read_question(room, len, arena, &got, &head, &size), 1);
    assert_int_equal(got.recipients, WEIR_RECIPIENTS_MAX);
    room[len] = '\0';
    more = strstr(room, "size=");
    memmove(more + 12, more, len - (size_t)(more - room) + 1);
    memcpy(more, "recipient=u\n", 12);
    assert_int_equal(read_text(room, &got, &size), WEIR_ELIMIT);
}

static void a_question_that_does_not_fit_says_so(void **state)
{
    static char sender[WEIR_REMOTE_HEAD_MAX];
    struct weir_mail mail = {.envelope = {.sender = {sender, sizeof sender}}};
    struct weir_line line = weir_line(room, WEIR_REMOTE_HEAD_MAX);

    (void)state;
    memset(sender, 's', sizeof sender);
    weir_remote_question(&mail, &line);
    assert_true(line.cut);
}

static void an_answer_arrives_as_it_was_given(void **state)
{
    const struct weir_outcome outcome = {
        .verdict = WEIR_SPAM, .action = WEIR_QUARANTINE, .score = -7.25, .reply = "550 5.7.1 no",
        .log = "verdict=spam score=7.25 words=\"a b\"", .info = "v1; abc",
        .add = {{"X-Spam-Flag", "YES"}, {"X-Weir-Info", "v1; a\n b\n\tc"}, {"X-Empty", ""}},
        .adds = 3, .remove = {"X-Weir-Info", "X-Spam-Flag"}, .removes = 2};
    struct weir_line line = weir_line(room, sizeof room);
    struct weir_outcome got;

    (void)state;
    weir_remote_answer(&outcome, &line);
    for (size_t len = 0; len < (size_t)(line.at - line.start); len++)
        assert_int_equal(weir_remote_read_answer(room, len, arena, &got), 0);
    assert_int_equal(weir_remote_read_answer(room, (size_t)(line.at - line.start), arena, &got),
                     1);
    assert_int_equal(got.verdict, WEIR_SPAM);
    assert_int_equal(got.action, WEIR_QUARANTINE);
    assert_true(got.score == -7.25);
    assert_string_equal(got.reply, outcome.reply);
    assert_string_equal(got.log, outcome.log);
    assert_string_equal(got.info, outcome.info);
    assert_int_equal(got.adds, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(got.add[i].name, outcome.add[i].name);
        assert_string_equal(got.add[i].value, outcome.add[i].value);
    }
    assert_int_equal(got.removes, 2);
    assert_string_equal(got.remove[1], "X-Spam-Flag");
}

static void every_verdict_and_action_has_its_word(void **state)
{
    struct weir_outcome outcome = {.reply = "", .log = "", .info = ""}, got;

    (void)state;
    for (int verdict = WEIR_HAM; verdict <= WEIR_BLOCKED; verdict++)
        for (int action = WEIR_PASS; action <= WEIR_QUARANTINE; action++) {
            struct weir_line line = weir_line(room, sizeof room);

            outcome.verdict = (enum weir_verdict)verdict;
            outcome.action = (enum weir_action)action;
            weir_remote_answer(&outcome, &line);
            assert_int_equal(answer_to(weir_line_end(&line), &got), 1);
            assert_int_equal(got.verdict, verdict);
            assert_int_equal(got.action, action);
            assert_string_equal(got.reply, "");
        }
}

static void header_fields_that_could_break_a_message_are_refused(void **state)
{
    static const struct {
        const char *line;
        int want;
    } table[] = {
        {"add=X-A: b", 1},
        {"add=X-A: b\\n c", 1},
        {"add=X-A: b\\nBcc: d", WEIR_EINVAL}, /* another field */
        {"add=X-A: b\\n\\nbody", WEIR_EINVAL},
        {"add=X-A: b\\n", WEIR_EINVAL},
        {"add=X-A: b\\n ", WEIR_EINVAL}, /* an empty line to some */
        {"add=X-A: b\\n \\n c", WEIR_EINVAL},
        {"add=X-A: b\\r\\n c", WEIR_EINVAL},
        {"add=X-A:b", WEIR_EINVAL},
        {"add=X A: b", WEIR_EINVAL},
        {"add=: b", WEIR_EINVAL},
        {"add=X-A", WEIR_EINVAL},
        {"remove=X-A", 1},
        {"remove=", WEIR_EINVAL},
        {"remove=X:A", WEIR_EINVAL},
        {"remove=X-A\\n", WEIR_EINVAL},
        {"verdict=maybe", WEIR_EINVAL},
        {"action=", WEIR_EINVAL},
        {"score=nan", WEIR_EINVAL},
        {"score=inf", WEIR_EINVAL},
        {"score=1.5.5", WEIR_EINVAL},
        {"score=", WEIR_EINVAL},
        {"score=0x10", WEIR_EINVAL},
        {"future=x", 1},
    };
    struct weir_outcome got;

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (answer_with(table[i].line, &got) != table[i].want)
            fail_msg("%s: want %d", table[i].line, table[i].want);
}

static void an_answer_says_verdict_action_and_score_or_nothing(void **state)
{
    struct weir_outcome got;

    (void)state;
    assert_int_equal(answer_to("weir-outcome 1\nverdict=ham\naction=pass\nscore=0\n\n", &got), 1);
    assert_int_equal(answer_to("weir-outcome 1\nverdict=ham\naction=pass\n\n", &got), WEIR_EINVAL);
    assert_int_equal(answer_to("weir-outcome 1\nverdict=ham\nscore=0\n\n", &got), WEIR_EINVAL);
    assert_int_equal(answer_to("weir-outcome 1\naction=pass\nscore=0\n\n", &got), WEIR_EINVAL);
    assert_int_equal(answer_to("action=DUNNO\n\n", &got), WEIR_EINVAL); /* a policy service */
}

static void WEIR_OUTCOME_HEADERS_MAX_fields_are_taken_and_no_more(void **state)
{
    static const char *const kind[] = {"add=X-A: b\n", "remove=X-A\n"};
    struct weir_outcome got;

    (void)state;
    for (size_t which = 0; which < 2; which++) {
        char line[32 * WEIR_OUTCOME_HEADERS_MAX] = "";

        for (int i = 0; i < WEIR_OUTCOME_HEADERS_MAX; i++)
            strcat(line, kind[which]);
        line[strlen(line) - 1] = '\0';
        assert_int_equal(answer_with(line, &got), 1);
        strcat(line, "\n");
        strcat(line, kind[which]);
        line[strlen(line) - 1] = '\0';
        assert_int_equal(answer_with(line, &got), WEIR_ELIMIT);
    }
}

static void an_answer_of_WEIR_REMOTE_ANSWER_MAX_octets_is_read_and_no_more(void **state)
{
    static const char first[] = "weir-outcome 1\nverdict=ham\naction=pass\nscore=0\nlog=";
    struct weir_outcome got;

    (void)state;
    for (size_t len = WEIR_REMOTE_ANSWER_MAX; len <= WEIR_REMOTE_ANSWER_MAX + 1; len++) {
        memset(room, 'l', sizeof room);
        memcpy(room, first, sizeof first - 1);
        memcpy(room + len - 2, "\n\n", 2);
        assert_int_equal(weir_remote_read_answer(room, len, arena, &got),
                         len == WEIR_REMOTE_ANSWER_MAX ? 1 : WEIR_ELIMIT);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_arena, free_arena)
    const struct CMUnitTest tests[] = {
        TEST(a_question_arrives_as_it_was_asked),
        TEST(local_mail_without_recipients_has_no_client),
        TEST(a_nul_cannot_be_asked),
        TEST(any_octets_of_an_envelope_arrive_as_they_were),
        TEST(a_part_of_a_head_asks_for_more_and_the_message_is_left_alone),
        TEST(unknown_names_are_skipped_and_wrong_questions_refused),
        TEST(a_head_of_WEIR_REMOTE_HEAD_MAX_octets_is_read_and_no_more),
        TEST(WEIR_RECIPIENTS_MAX_recipients_are_read_and_no_more),
        TEST(a_question_that_does_not_fit_says_so),
        TEST(an_answer_arrives_as_it_was_given),
        TEST(every_verdict_and_action_has_its_word),
        TEST(header_fields_that_could_break_a_message_are_refused),
        TEST(an_answer_says_verdict_action_and_score_or_nothing),
        TEST(WEIR_OUTCOME_HEADERS_MAX_fields_are_taken_and_no_more),
        TEST(an_answer_of_WEIR_REMOTE_ANSWER_MAX_octets_is_read_and_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
