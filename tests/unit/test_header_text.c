/*
 * What rules read of a header (header_text.c, encoded_word.c, address_list.c): words,
 * mailboxes and selectors.  What is expected of selectors is what SpamAssassin 4.0's get()
 * gives for the same message.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/mail/header_text.h"

struct decoded {
    const char *value, *want;
    unsigned defects;
};

static struct weir_slice slice(const char *text)
{
    return (struct weir_slice){text, strlen(text)};
}

static void check_all(const struct decoded *cases, size_t n)
{
    struct weir_charsets *charsets;
    assert_int_equal(weir_charsets_new(&charsets), 0);
    for (size_t i = 0; i < n; i++) {
        char room[400];
        struct weir_line out = weir_line(room, sizeof room);
        unsigned defects = 77;
        weir_header_decode(charsets, slice(cases[i].value), &out, &defects);
        if (strcmp(weir_line_end(&out), cases[i].want) != 0)
            fail_msg("%s: got \"%s\", want \"%s\"", cases[i].value, room, cases[i].want);
        if (defects != cases[i].defects)
            fail_msg("%s: defects %u", cases[i].value, defects);
    }
    weir_charsets_free(&charsets);
}

static void a_value_is_unfolded_and_its_ends_are_trimmed(void **state)
{
    static const struct decoded cases[] = {
        {"", "", 0},
        {" \t ", "", 0},
        {" plain  text ", "plain  text", 0},
        {" a\n b", "a b", 0},
        {" a\r\n\t \tb", "a b", 0},
        {" a \n b", "a  b", 0},
        {"\n a\n \n b\n ", "a  b", 0},
        {"a\nb", "ab", 0},
        {"a\rb", "a\rb", 0},
    };
    (void)state;
    check_all(cases, sizeof cases / sizeof *cases);
}

static void encoded_words_are_decoded(void **state)
{
    static const struct decoded cases[] = {
        {"=?utf-8?q?gr=C3=BC=C3=9Fe?=", "gr\xc3\xbc\xc3\x9f" "e", 0},
        {"=?ISO-8859-1?B?Z3L832U=?=", "gr\xc3\xbc\xc3\x9f" "e", 0},
        {"=?utf8?Q?a_b?=", "a b", 0},
        {"=?us-ascii*en?q?Keith?= Moore", "Keith Moore", 0},
        {"=?utf-8?q?a?= =?utf-8?q?b?=", "ab", 0},
        {"=?utf-8?q?a?=\r\n =?iso-8859-1?b?Yg==?=", "ab", 0},
        {"=?utf-8?q?a?= b =?utf-8?q?c?=", "a b c", 0},
        {"a =?utf-8?q?b?= c", "a b c", 0},
        {"=?utf-8?q?\?=", "", 0},
        {"=?koi8-r?B?8NLJ?=", "\xd0\x9f\xd1\x80\xd0\xb8", 0},
        {"=?utf-8?q?_a_?=", " a ", 0},
        {"=?gb2312?B?xOM=?=", "\xe4\xbd\xa0", 0},
    };
    (void)state;
    check_all(cases, sizeof cases / sizeof *cases);
}

static void encoded_words_are_decoded_as_leniently_as_mail_readers_do(void **state)
{
    static const struct decoded cases[] = {
        /* a character cut in two, in base64 and in Q */
        {"=?utf-8?B?4g==?= =?utf-8?B?gqw=?=", "\xe2\x82\xac", 0},
        {"=?utf-8?Q?=E2=82?= =?UTF-8?b?rA==?=", "\xe2\x82\xac", 0},
        {"=?utf-8?q?a?==?utf-8?q?b?=", "ab", 0},
        {"x=?utf-8?q?a?=y", "xay", 0},
        {"\"=?utf-8?q?a?=\" <b@c>", "\"a\" <b@c>", 0},
        {"=?utf-8?Q?two words?=", "two words", 0},
        {"=?utf-8?Q?what?\?=", "what?", 0},
        {"=?utf-8?Q?=3d=?=", "==", WEIR_HEADER_BAD_WORD},
        {"=?utf-8?Q?100%=?=", "100%=", WEIR_HEADER_BAD_WORD},
        {"=?utf-8?B?YWJj?", "=?utf-8?B?YWJj?", 0}, /* no end: no word */
        {"=?utf-8?B?YW Jj?=", "abc", 0},
        {"=?utf-8?B?YW*Jj?=", "abc", WEIR_HEADER_BAD_WORD},
        {"=?utf-8?B?YQ==YQ==?=", "aa", WEIR_HEADER_BAD_WORD},
        {"=?utf-8?B?YWI?=", "ab", WEIR_HEADER_BAD_WORD},
        {"=?utf-8?q?open =?utf-8?q?a?=", "=?utf-8?q?open a", 0},
        {"=?x-unknown?q?=E4?=", "\xc3\xa4", WEIR_HEADER_BAD_CHARSET},
        {"=?utf-7?q?+AOQ-?=", "\xc3\xa4", 0},
        {"=?utf-8?q?=E4?=", "\xef\xbf\xbd", WEIR_HEADER_BAD_CHARSET},
        {"=?utf-8?x?a?=", "=?utf-8?x?a?=", 0},
        {"=??q?a?=", "=??q?a?=", 0},
        {"=?=?utf-8?q?a?=", "=?a", 0},
        {"=?", "=?", 0},
        {"=?a?q?", "=?a?q?", 0},
    };
    (void)state;
    check_all(cases, sizeof cases / sizeof *cases);
}

static void raw_octets_are_utf_8_or_else_windows_1252(void **state)
{
    static const struct decoded cases[] = {
        {"gr\xc3\xbc\xc3\x9f" "e", "gr\xc3\xbc\xc3\x9f" "e", 0},
        {"gr\xfc\xdf" "e", "gr\xc3\xbc\xc3\x9f" "e", WEIR_HEADER_BAD_CHARSET},
        {"\x93x\x94 =?utf-8?q?y?=", "\xe2\x80\x9cx\xe2\x80\x9d y", WEIR_HEADER_BAD_CHARSET},
    };
    (void)state;
    check_all(cases, sizeof cases / sizeof *cases);
}

struct addressed {
    const char *value, *want;
    bool several;
};

static void the_first_address_is_found(void **state)
{
    static const struct addressed cases[] = {
        {" a@example.com", "a@example.com", false},
        {"A Name <a@example.com>", "a@example.com", false},
        {"\"Name, A <x@y>\" <a@example.com>", "a@example.com", false},
        {"\"q \\\" <x@y>\" < a@example.com >", "a@example.com", false},
        {"<a@example.com> (comment)", "a@example.com", false},
        {"a@example.com (A Name)", "a@example.com", false},
        {"<a@example.com (x)>", "a@example.com", false},
        {"\"a b\"@example.com", "\"a b\"@example.com", false},
        {"<a@[192.0.2.1]>", "a@[192.0.2.1]", false},
        {"a@example.com, b@example.com", "a@example.com", true},
        {"a@example.com; b@example.com", "a@example.com", true},
        {"Nobody, A <a@example.com>", "a@example.com", false},
        {"group: a@example.com, b@example.com;", "a@example.com", true},
        {"mailto:a@example.com", "a@example.com", false},
        {"undisclosed-recipients:;", "", false},
        {"unlisted-recipients: ; (no To-header on input) <x@example.com>", "", false},
        {"\"a@example.com\"", "a@example.com", false},
        {"\"x@example.com\" <a@example.com>", "a@example.com", false},
        {"A <a@example.com> and more", "a@example.com", false},
        {"A \" lonely <a@example.com>", "a@example.com", false},
        {"<a@example.com> <a@example.com>", "a@example.com", false},
        {"a@b@example.com", "a@b", false},
        {"", "", false},
        {"<>", "", false},
        {"A Name", "", false},
        {"<a example.com>", "", false},
        {"@example.com", "", false},
        {"a@", "", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool several;
        struct weir_slice got = weir_header_address(slice(cases[i].value), &several);
        if (got.len != strlen(cases[i].want) || memcmp(got.at, cases[i].want, got.len) != 0)
            fail_msg("%s: got \"%.*s\"", cases[i].value, (int)got.len, got.at);
        if (several != cases[i].several)
            fail_msg("%s: several %d", cases[i].value, several);
    }
}

struct selected {
    const char *selector;
    const char *want; /* NULL: none */
};

/* Checks selectors on a message; returns its defects. */
static uint64_t check_message(const char *text, const struct selected *cases, size_t n)
{
    struct weir_arena *arena = weir_arena_new(4096);
    struct weir_charsets *charsets;
    struct weir_message message;
    assert_non_null(arena);
    assert_int_equal(weir_charsets_new(&charsets), 0);
    assert_int_equal(weir_message_parse(text, strlen(text), arena, &message), 0);
    for (size_t i = 0; i < n; i++) {
        char room[2000];
        struct weir_line out = weir_line(room, sizeof room);
        int rc = weir_header_text(&message, charsets, slice(cases[i].selector), &out);
        weir_line_end(&out);
        if (rc != (cases[i].want != NULL) || (rc && strcmp(room, cases[i].want) != 0))
            fail_msg("%s: %d \"%s\", want \"%s\"", cases[i].selector, rc, room,
                     cases[i].want ? cases[i].want : "none");
    }
    weir_charsets_free(&charsets);
    weir_arena_free(&arena);
    return message.defects;
}

#define MESSAGE \
    "Received: by b; one\r\n" \
    "Received: by a;\r\n\ttwo =?utf-8?q?x?=\r\n" \
    "SUBJECT: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n =?utf-8?q?_an?= alle \r\n" \
    "From: \"=?utf-8?q?J=C3=BCrgen?= (x)\"  (c)\r\n S. <j@example.com> (work)\r\n" \
    "To: 'Anna' <anna@example.com>,\r\n Bert <bert@example.com>\r\n" \
    "Cc: carl@example.com (Carl)\r\n" \
    "To: dora@example.com\r\n" \
    "Message-Id: <1@example.com>\r\n" \
    "X-Message-Id: <2@example.com>\r\n" \
    "X-Empty:\r\n" \
    "Sender: <> \r\n" \
    "\r\n" \
    "Subject: body\r\n"

static void a_name_gives_all_fields_of_that_name_decoded(void **state)
{
    static const struct selected cases[] = {
        {"Subject", "Gr\xc3\xbc\xc3\x9f" "e an alle\n"},
        {"subject", "Gr\xc3\xbc\xc3\x9f" "e an alle\n"},
        {"Received", "by b; one\nby a; two =?utf-8?q?x?=\n"}, /* no words there */
        {"From", "\"J\xc3\xbcrgen (x)\"  (c) S. <j@example.com> (work)\n"},
        {"X-Empty", "\n"},
        {"X-None", NULL},
        {"", NULL},
        {"To:first", "'Anna' <anna@example.com>, Bert <bert@example.com>\n"},
        {"To:last", "dora@example.com\n"},
        {"Subject:strange", "Gr\xc3\xbc\xc3\x9f" "e an alle\n"},
    };
    (void)state;
    assert_false(check_message(MESSAGE, cases, sizeof cases / sizeof *cases) &
                 UINT64_C(1) << WEIR_DEFECT_BAD_CHARSET);
}

static void raw_gives_fields_as_they_stand(void **state)
{
    static const struct selected cases[] = {
        {"Subject:raw", " =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n =?utf-8?q?_an?= alle \n"},
        {"To:raw:first", " 'Anna' <anna@example.com>,\n Bert <bert@example.com>\n"},
        {"X-Empty:raw", "\n"},
        {"ToCc:raw", " 'Anna' <anna@example.com>, Bert <bert@example.com>\n"
                     " dora@example.com\n carl@example.com (Carl)\n"},
    };
    (void)state;
    check_message(MESSAGE, cases, sizeof cases / sizeof *cases);
}

static void addr_and_name_take_mailboxes_apart(void **state)
{
    static const struct selected cases[] = {
        {"From:addr", "j@example.com"},
        {"From:name", "J\xc3\xbcrgen (x) S."},
        {"From:name:raw", "=?utf-8?q?J=C3=BCrgen?= (x)  \n S. "},
        {"To:addr", "anna@example.com\nbert@example.com\ndora@example.com"},
        {"To:name", "Anna\nBert"},
        {"To:addr:last", "dora@example.com"},
        {"Cc:name", "Carl"},
        {"ToCc:addr", "anna@example.com\nbert@example.com\ndora@example.com\ncarl@example.com"},
        {"Sender:addr", NULL},
        {"Sender:name", NULL},
        {"X-None:addr", NULL},
    };
    (void)state;
    check_message(MESSAGE, cases, sizeof cases / sizeof *cases);
}

static void groups_and_all_are_known(void **state)
{
    static const struct selected cases[] = {
        {"ToCc", "'Anna' <anna@example.com>, Bert <bert@example.com>\ndora@example.com\n"
                 "carl@example.com (Carl)\n"},
        {"MESSAGEID", "<2@example.com>\n<1@example.com>\n"},
        {"MESSAGEID:first", "<2@example.com>\n"},
        {"messageid", NULL}, /* in capitals only */
        {"all", NULL},
    };
    static const struct selected two[] = {
        {"ALL", "A: b c\nD: \xc3\xbc\n"},
        {"ALL:raw", "A : b\n c\nD: =?latin1?q?=FC?=\n"},
    };
    (void)state;
    check_message(MESSAGE, cases, sizeof cases / sizeof *cases);
    check_message("A : b\r\n c\r\nD: =?latin1?q?=FC?=\r\n\r\nx", two, 2);
}

static void defects_are_noted_in_the_message(void **state)
{
    static const struct selected case_ = {"Subject", "a\n"};
    uint64_t defects;
    (void)state;
    defects = check_message("Subject: =?none?b?YQ?=\n\n", &case_, 1);
    assert_true(defects & UINT64_C(1) << WEIR_DEFECT_BAD_WORD);
    assert_true(defects & UINT64_C(1) << WEIR_DEFECT_BAD_CHARSET);
}

static void WEIR_HEADER_TEXT_MAX_octets_are_given_and_not_one_more(void **state)
{
    char *value = malloc(WEIR_HEADER_TEXT_MAX + 1), *room = malloc(2 * WEIR_HEADER_TEXT_MAX);
    (void)state;
    memset(value, 'x', WEIR_HEADER_TEXT_MAX + 1);
    for (size_t more = 0; more < 2; more++) {
        struct weir_line out = weir_line(room, (size_t)2 * WEIR_HEADER_TEXT_MAX);
        unsigned defects;
        weir_header_decode(NULL, (struct weir_slice){value, WEIR_HEADER_TEXT_MAX + more}, &out,
                           &defects);
        assert_int_equal(out.at - out.start, WEIR_HEADER_TEXT_MAX);
    }
    free(value);
    free(room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_unfolded_and_its_ends_are_trimmed),
        cmocka_unit_test(encoded_words_are_decoded),
        cmocka_unit_test(encoded_words_are_decoded_as_leniently_as_mail_readers_do),
        cmocka_unit_test(raw_octets_are_utf_8_or_else_windows_1252),
        cmocka_unit_test(the_first_address_is_found),
        cmocka_unit_test(a_name_gives_all_fields_of_that_name_decoded),
        cmocka_unit_test(raw_gives_fields_as_they_stand),
        cmocka_unit_test(addr_and_name_take_mailboxes_apart),
        cmocka_unit_test(groups_and_all_are_known),
        cmocka_unit_test(defects_are_noted_in_the_message),
        cmocka_unit_test(WEIR_HEADER_TEXT_MAX_octets_are_given_and_not_one_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
