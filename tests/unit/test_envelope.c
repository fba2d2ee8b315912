/*
 * The parts of a mailbox, and who must always be reachable.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "core/mail/envelope.h"

static struct weir_slice slice(const char *text)
{
    return (struct weir_slice){text, strlen(text)};
}

static void check(const char *mailbox, const char *what, struct weir_slice got, const char *want)
{
    if (got.len != strlen(want) || (got.len > 0 && memcmp(got.at, want, got.len) != 0))
        fail_msg("%s of %s: got \"%.*s\", want \"%s\"", what, mailbox, (int)got.len,
                 got.at ? got.at : "", want);
}

static void a_mailbox_is_parted_at_its_last_unquoted_at(void **state)
{
    static const struct {
        const char *mailbox, *local, *domain;
    } cases[] = {
        {"user@example.com", "user", "example.com"},
        {"user", "user", ""},
        {"", "", ""},
        {"@example.com", "", "example.com"},
        {"user@", "user", ""},
        {"a@b@example.com", "a@b", "example.com"},
        {"\"a@b\"@example.com", "\"a@b\"", "example.com"},
        {"\"a\\\"@bank.com\"@evil.com", "\"a\\\"@bank.com\"", "evil.com"},
        {"\"a\\\\\"@example.com", "\"a\\\\\"", "example.com"},
        {"\"a@bank.com", "\"a@bank.com", ""},           /* the quote never ends */
        {"a@bank.com\"@evil.com", "a", "bank.com\"@evil.com"}, /* no domain when looked at */
        {"\"a\\", "\"a\\", ""},
        {"a\\@b@c", "a\\@b", "c"},
        {"@relay,@other:user@example.com", "@relay,@other:user", "example.com"},
        {"user@[192.0.2.7]", "user", "[192.0.2.7]"},
        {"us\xc3\xa9r@b\xc3\xbc.de", "us\xc3\xa9r", "b\xc3\xbc.de"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct weir_slice mailbox = slice(cases[i].mailbox);
        check(cases[i].mailbox, "local part", weir_mailbox_local(mailbox), cases[i].local);
        check(cases[i].mailbox, "domain", weir_mailbox_domain(mailbox), cases[i].domain);
    }
    struct weir_slice none = {NULL, 0};
    assert_int_equal(weir_mailbox_domain(none).len, 0);
    assert_int_equal(weir_mailbox_local(none).len, 0);
}

static void the_null_sender_is_an_empty_one_from_stage_mail_on(void **state)
{
    static const struct {
        enum weir_stage stage;
        const char *sender;
        bool null;
    } cases[] = {
        {WEIR_STAGE_MAIL, "", true},      {WEIR_STAGE_RCPT, "", true},
        {WEIR_STAGE_END, "<>", true},     {WEIR_STAGE_RCPT, "a@example.com", false},
        {WEIR_STAGE_RCPT, "<", false},    {WEIR_STAGE_CONNECT, "", false},
        {WEIR_STAGE_HELO, "", false},     {WEIR_STAGE_OTHER, "", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct weir_envelope envelope = {.stage = cases[i].stage,
                                         .sender = slice(cases[i].sender)};
        assert_int_equal(weir_envelope_null_sender(&envelope), cases[i].null);
    }
}

static void postmaster_and_abuse_are_known_in_any_spelling(void **state)
{
    static const char *const roles[] = {"postmaster", "abuse"};
    static const struct {
        const char *recipient;
        bool role;
    } cases[] = {
        {"postmaster@example.com", true},
        {"PostMaster@example.com", true},
        {"postmaster", true}, /* RFC 5321 4.5.1: without a domain, too */
        {"ABUSE@example.com", true},
        {"abuse+ticket42@example.com", true},
        {"abuse+@example.com", true},
        {"abus@example.com", false},
        {"abuse2@example.com", false},
        {"user+abuse@example.com", false},
        {"+abuse@example.com", false},
        {"user@abuse", false},
        {"@example.com", false},
        {"", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct weir_envelope envelope = {.stage = WEIR_STAGE_RCPT,
                                         .recipient = slice(cases[i].recipient)};
        if (weir_envelope_role_recipient(&envelope, roles, 2) != cases[i].role)
            fail_msg("%s: want %d", cases[i].recipient, cases[i].role);
    }
    struct weir_envelope nobody = {.stage = WEIR_STAGE_RCPT};
    assert_false(weir_envelope_role_recipient(&nobody, roles, 2));
    assert_false(weir_envelope_role_recipient(&nobody, NULL, 0));
}

static void a_queue_id_is_letters_digits_and_little_else(void **state)
{
    static const char *const good[] = {"4XYZbC3lqfz1", "3F2504E04F89", "1rTQ5x-000Kz1-2a",
                                       "1tB4aA-00000000abc-0Xyz", "x", "a.b_c"};
    static const char *const bad[] = {"", " ", "4X Y", "4X\nid=1", "4X=5", "<b>", "4X\xc3\xa9",
                                      "'; DROP TABLE messages", "a/b", "a,b"};
    char text[WEIR_QUEUE_ID_MAX + 2];

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(weir_queue_id_is(slice(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (weir_queue_id_is(slice(bad[i])))
            fail_msg("\"%s\" is taken for a queue id", bad[i]);
    assert_false(weir_queue_id_is((struct weir_slice){"a\0b", 3}));
    assert_false(weir_queue_id_is((struct weir_slice){NULL, 0}));
    memset(text, 'A', sizeof text);
    assert_true(weir_queue_id_is((struct weir_slice){text, WEIR_QUEUE_ID_MAX}));
    assert_false(weir_queue_id_is((struct weir_slice){text, WEIR_QUEUE_ID_MAX + 1}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mailbox_is_parted_at_its_last_unquoted_at),
        cmocka_unit_test(the_null_sender_is_an_empty_one_from_stage_mail_on),
        cmocka_unit_test(a_queue_id_is_letters_digits_and_little_else),
        cmocka_unit_test(postmaster_and_abuse_are_known_in_any_spelling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
