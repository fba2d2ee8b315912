/*
 * milter_session - what a milter is handed becomes the message as it came.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/base/limits.h"
#include "postfix-policy/milter_session.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define SIZE 65536

static struct weir_milter_memory memory;

static int set_up(void **state)
{
    struct weir_milter_session *session = NULL;

    memory.most = WEIR_MILTER_MEMORY_MAX;
    assert_int_equal(weir_milter_session_new(SIZE, &memory, &session), 0);
    *state = session;
    return 0;
}

static int tear_down(void **state)
{
    struct weir_milter_session *session = *state;

    weir_milter_session_free(&session);
    assert_null(session);
    assert_int_equal(memory.held, 0);
    weir_milter_session_free(&session);
    return 0;
}

static void connect_from(struct weir_milter_session *session, const char *address,
                         const char *name)
{
    struct weir_address at;

    assert_int_equal(weir_address_parse(address, strlen(address), &at), 0);
    weir_milter_session_connect(session, name, &at);
    weir_milter_session_helo(session, "client.example");
}

static void begin(struct weir_milter_session *session)
{
    connect_from(session, "192.0.2.7", "mx.example.net");
    weir_milter_session_mail(session, "<a@example.org>", false, "127.0.0.1");
    weir_milter_session_recipient(session, "<u@test.example>");
}

static struct weir_mail end(struct weir_milter_session *session)
{
    struct weir_mail mail;

    assert_int_equal(weir_milter_session_end(session, "4F2", &mail), 1);
    return mail;
}

static void assert_text(struct weir_slice got, const char *want)
{
    if (got.len != strlen(want) || memcmp(got.at, want, got.len) != 0)
        fail_msg("got \"%.*s\", want \"%s\"", (int)got.len, got.at, want);
}

static void a_message_is_put_together_as_it_came(void **state)
{
    struct weir_milter_session *session = *state;
    struct weir_mail mail;

    begin(session);
    weir_milter_session_recipient(session, "v@test.example");
    weir_milter_session_field(session, "Subject", " one\n\ttwo");
    weir_milter_session_field(session, "X-Bare", "no blank");
    weir_milter_session_head_ends(session);
    weir_milter_session_body(session, "line\r\nlast\r\n", 12);
    mail = end(session);
    assert_text(mail.message, "Subject: one\n\ttwo\nX-Bare:no blank\n\nline\nlast\n");
    assert_text(mail.envelope.sender, "a@example.org");
    assert_text(mail.envelope.recipient, "u@test.example");
    assert_text(mail.envelope.client_name, "mx.example.net");
    assert_text(mail.envelope.helo, "client.example");
    assert_text(mail.envelope.queue_id, "4F2");
    assert_int_equal(mail.recipients, 2);
    assert_text(mail.recipient[1], "v@test.example");
    assert_int_equal(mail.envelope.stage, WEIR_STAGE_END);
}

static void line_ends_become_lf_wherever_the_body_is_cut(void **state)
{
    static const char body[] = "a\r\nb\rc\r\r\nd\n\r\n";
    struct weir_milter_session *session = *state;

    for (size_t one = 0; one < sizeof body - 1; one++)
        for (size_t two = one; two < sizeof body - 1; two++) {
            begin(session);
            weir_milter_session_head_ends(session);
            weir_milter_session_body(session, body, one);
            weir_milter_session_body(session, body + one, two - one);
            weir_milter_session_body(session, body + two, sizeof body - 1 - two);
            assert_text(end(session).message, "\na\nb\rc\r\nd\n\n");
        }
}

static void a_cr_at_the_very_end_is_kept(void **state)
{
    struct weir_milter_session *session = *state;

    begin(session);
    weir_milter_session_body(session, "x\r", 2);
    assert_text(end(session).message, "x\r");
}

static void a_client_without_verified_name_has_none(void **state)
{
    struct weir_milter_session *session = *state;
    struct weir_mail mail;

    connect_from(session, "192.0.2.7", "[192.0.2.7]");
    weir_milter_session_mail(session, "<>", false, "");
    mail = end(session);
    assert_int_equal(mail.envelope.client_name.len, 0);
    assert_true(weir_envelope_null_sender(&mail.envelope));
}

static void local_submission_has_no_client(void **state)
{
    struct weir_milter_session *session = *state;

    weir_milter_session_connect(session, "localhost", NULL);
    assert_false(end(session).envelope.has_client);
    connect_from(session, "2001:db8::7", "mx");
    assert_true(end(session).envelope.has_client);
}

static void the_next_message_knows_nothing_of_the_one_before(void **state)
{
    struct weir_milter_session *session = *state;
    struct weir_mail mail;

    begin(session);
    weir_milter_session_field(session, "Subject", " one");
    weir_milter_session_mail(session, "<b@example.org>", true, "");
    weir_milter_session_recipient(session, "<w@test.example>");
    weir_milter_session_field(session, "Subject", " two");
    mail = end(session);
    assert_text(mail.message, "Subject: two\n");
    assert_text(mail.envelope.sender, "b@example.org");
    assert_true(mail.envelope.authenticated);
    assert_int_equal(mail.recipients, 1);
    assert_text(mail.envelope.helo, "client.example");
}

static void fields_are_counted_in_any_case_and_only_in_the_header(void **state)
{
    struct weir_milter_session *session = *state;

    begin(session);
    weir_milter_session_field(session, "X-Weir-Info", " v1; x");
    weir_milter_session_field(session, "x-weir-INFO", " v1; y\n X-Weir-Info: no field");
    weir_milter_session_field(session, "X-Weir-Infos", " other");
    weir_milter_session_head_ends(session);
    weir_milter_session_body(session, "X-Weir-Info: body\n", 18);
    assert_int_equal(weir_milter_session_count(session, "X-Weir-Info"), 2);
    assert_int_equal(weir_milter_session_count(session, "Subject"), 0);
}

static void fields_are_counted_however_many_and_whatever_is_kept(void **state)
{
    struct weir_milter_session *session = *state;
    static char long_value[2 * SIZE];
    const unsigned many = 3 * WEIR_FIELDS_MAX;

    memset(long_value, 'x', sizeof long_value - 1);
    begin(session);
    for (unsigned i = 0; i < many; i++)
        weir_milter_session_field(session, "Subject", " another");
    weir_milter_session_field(session, "--boundary", " of nothing");
    weir_milter_session_field(session, "X-Large", long_value);
    for (unsigned i = 0; i < many; i++)
        weir_milter_session_field(session, "X-Spam-Flag", " NO");
    assert_int_equal(end(session).message.len, SIZE);
    assert_int_equal(weir_milter_session_count(session, "X-Spam-Flag"), many);
    begin(session);
    assert_int_equal(weir_milter_session_count(session, "X-Spam-Flag"), 0);
}

static void fields_of_our_names_are_known_by_any_form_of_the_name(void **state)
{
    static const struct {
        const char *handed, *name;
        unsigned count;
    } cases[] = {
        {"X-Weir-Info", "X-Weir-Info", 1},      {"x-weir-info \t ", "X-Weir-Info", 1},
        {"X-SPAM-LEVEL\t", "X-Spam-Level", 1},  {"X-Spam-Score", "x-spam-score", 1},
        {"X-Weir-Policy ", "X-Weir-Policy", 1}, {" X-Spam-Flag", "X-Spam-Flag", 0},
        {"X-Spam-Flag", "X-Spam-Fla", 0},       {"X-Spam-Fla", "X-Spam-Flag", 0},
        {"--X-Spam-Flag", "X-Spam-Flag", 0},    {"", "X-Spam-Flag", 0},
        {"  ", "X-Spam-Flag", 0},               {"X-Spam -Flag", "X-Spam-Flag", 0},
    };
    struct weir_milter_session *session = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin(session);
        weir_milter_session_field(session, cases[i].handed, " v");
        if (weir_milter_session_count(session, cases[i].name) != cases[i].count)
            fail_msg("\"%s\" counts wrongly as %s", cases[i].handed, cases[i].name);
    }
}

static void the_policy_field_is_first_only_as_the_very_first(void **state)
{
    struct weir_milter_session *session = *state;

    begin(session);
    assert_false(weir_milter_session_policy_first(session));
    weir_milter_session_field(session, "x-weir-policy", " verdict=ham");
    weir_milter_session_field(session, "Subject", " one");
    assert_true(weir_milter_session_policy_first(session));
    begin(session);
    weir_milter_session_field(session, "Subject", " one");
    weir_milter_session_field(session, "X-Weir-Policy", " verdict=ham");
    assert_false(weir_milter_session_policy_first(session));
    assert_int_equal(weir_milter_session_count(session, "X-Weir-Policy"), 1);
}

static void octets_at_the_limit_are_kept_and_one_beyond_is_not(void **state)
{
    struct weir_milter_session *session = *state;
    static char body[SIZE];

    memset(body, 'x', sizeof body);
    begin(session);
    weir_milter_session_body(session, body, SIZE);
    assert_int_equal(end(session).message.len, SIZE);
    weir_milter_session_body(session, body, 1);
    assert_int_equal(end(session).message.len, SIZE);
    assert_false(weir_milter_session_cut(session));
}

/* Feeds a body of len octets in pieces; gives how many were kept. */
static size_t kept(struct weir_milter_session *session, size_t len)
{
    static char piece[65536];
    struct weir_mail mail;

    memset(piece, 'x', sizeof piece);
    begin(session);
    for (size_t more; len > 0; len -= more) {
        more = len < sizeof piece ? len : sizeof piece;
        weir_milter_session_body(session, piece, more);
    }
    mail = end(session);
    for (size_t i = 0; i < mail.message.len; i++)
        assert_int_equal(mail.message.at[i], 'x');
    return mail.message.len;
}

static void all_sessions_together_hold_no_more_than_the_shared_memory(void **state)
{
    struct weir_milter_session *session[12] = {0};
    const size_t large = 4 * WEIR_MILTER_SHORT_MAX;
    size_t sum = 0, got, shorter = 0;

    (void)state;
    memory.most = 3 * large;
    for (size_t i = 0; i < 12; i++) {
        assert_int_equal(weir_milter_session_new(large, &memory, &session[i]), 0);
        sum += got = kept(session[i], large);
        assert_true(memory.held <= memory.most && sum <= memory.most);
        assert_int_equal(weir_milter_session_cut(session[i]), got < large);
        shorter += got > 0 && got <= WEIR_MILTER_SHORT_MAX;
    }
    assert_true(shorter >= 2); /* when large ones find no room any more, short ones do */
    assert_true(memory.held > memory.most / 8 * 7);
    weir_milter_session_free(&session[0]);
    assert_true(kept(session[11], WEIR_MILTER_SHORT_MAX) == WEIR_MILTER_SHORT_MAX);
    assert_false(weir_milter_session_cut(session[11]));
    for (size_t i = 1; i < 12; i++)
        weir_milter_session_free(&session[i]);
}

static void nothing_follows_what_was_not_kept(void **state)
{
    struct weir_milter_session *session = *state, *other = NULL;

    memory.most = 3 * 16384 + 64; /* for recipients */
    assert_int_equal(weir_milter_session_new(SIZE, &memory, &other), 0);
    weir_milter_session_body(other, "12", 2);
    assert_int_equal(kept(session, 20000), 20000);
    assert_int_equal(kept(session, 40000), 32768);
    weir_milter_session_free(&other);
    weir_milter_session_body(session, "y", 1);
    assert_int_equal(end(session).message.len, 32768);
    memory.most = 3 * SIZE;
    assert_int_equal(kept(session, 40000), 40000);
}

static void recipients_beyond_the_shared_memory_are_not_kept(void **state)
{
    struct weir_milter_session *session = *state;
    size_t one = strlen("<u@test.example>");

    memory.most = 3 * one;
    begin(session);
    for (int i = 0; i < 5; i++)
        weir_milter_session_recipient(session, "<u@test.example>");
    assert_int_equal(end(session).recipients, 3);
    assert_int_equal(memory.held, 3 * one);
    begin(session);
    assert_int_equal(end(session).recipients, 1);
}

static void recipients_beyond_the_limit_are_counted_and_not_kept(void **state)
{
    struct weir_milter_session *session = *state;

    begin(session);
    for (int i = 0; i < WEIR_RECIPIENTS_MAX - 1; i++)
        weir_milter_session_recipient(session, "<more@test.example>");
    assert_int_equal(end(session).recipients, WEIR_RECIPIENTS_MAX);
    assert_int_equal(end(session).recipients_more, 0);
    weir_milter_session_recipient(session, "<more@test.example>");
    assert_int_equal(end(session).recipients, WEIR_RECIPIENTS_MAX);
    assert_int_equal(end(session).recipients_more, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_is_put_together_as_it_came),
        TEST(line_ends_become_lf_wherever_the_body_is_cut),
        TEST(a_cr_at_the_very_end_is_kept),
        TEST(a_client_without_verified_name_has_none),
        TEST(local_submission_has_no_client),
        TEST(the_next_message_knows_nothing_of_the_one_before),
        TEST(fields_are_counted_in_any_case_and_only_in_the_header),
        TEST(fields_are_counted_however_many_and_whatever_is_kept),
        TEST(fields_of_our_names_are_known_by_any_form_of_the_name),
        TEST(the_policy_field_is_first_only_as_the_very_first),
        TEST(all_sessions_together_hold_no_more_than_the_shared_memory),
        TEST(nothing_follows_what_was_not_kept),
        TEST(recipients_beyond_the_shared_memory_are_not_kept),
        TEST(octets_at_the_limit_are_kept_and_one_beyond_is_not),
        TEST(recipients_beyond_the_limit_are_counted_and_not_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
