/* policy_protocol: requests as a real Postfix 3.7 sends them, each limit, each kind
 * of nonsense, and every place at which a request may be cut. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "postfix-policy/policy_protocol.h"
#include "tests/unit/seeded.h"

#define LAST_LINES                                                                          \
    "ccert_subject=\nccert_issuer=\nccert_fingerprint=\nccert_pubkey_fingerprint=\n"        \
    "encryption_protocol=\nencryption_cipher=\nencryption_keysize=0\npolicy_context=\n\n"

static const char rcpt[] =
    "request=smtpd_access_policy\nprotocol_state=RCPT\nprotocol_name=ESMTP\n"
    "client_address=192.0.2.7\nclient_name=spam.example.net\nclient_port=4321\n"
    "reverse_client_name=spam.example.net\nserver_address=127.0.0.1\nserver_port=2525\n"
    "helo_name=client.example.org\nsender=a@ex.org\nrecipient=u@test.example\n"
    "recipient_count=0\nqueue_id=\ninstance=46d4.6b01c836.e69af.0\nsize=300\netrn_domain=\n"
    "stress=\nsasl_method=\nsasl_username=\nsasl_sender=\n" LAST_LINES;

static const char connect[] =
    "request=smtpd_access_policy\nprotocol_state=CONNECT\nprotocol_name=SMTP\n"
    "client_address=2001:db8::7\nclient_name=unknown\nclient_port=4321\n"
    "reverse_client_name=unknown\nserver_address=::1\nserver_port=2525\n"
    "helo_name=\nsender=\nrecipient=\nrecipient_count=0\nqueue_id=\ninstance=\nsize=0\n"
    "etrn_domain=\nstress=\nsasl_method=\nsasl_username=\nsasl_sender=\n" LAST_LINES;

static void assert_slice(struct weir_slice slice, const char *want)
{
    if (slice.len != strlen(want) || memcmp(slice.len ? slice.at : "", want, slice.len) != 0)
        fail_msg("got \"%.*s\", want \"%s\"", (int)slice.len, slice.len ? slice.at : "", want);
}

/* Scans and parses one whole request; 0, or what went wrong. */
static int read_request(const char *bytes, size_t len, struct weir_envelope *envelope)
{
    struct weir_policy_scan scan = {0};
    enum weir_policy_kind kind;
    const char *why = NULL;
    size_t whole = 0;
    int found = weir_policy_scan(&scan, bytes, len, &whole, &why);

    if (found <= 0) {
        assert_true(found == 0 || why != NULL);
        return found < 0 ? found : WEIR_EBUG;
    }
    assert_int_equal(whole, len);
    found = weir_policy_parse(bytes, len, &kind, envelope, &why);
    assert_true(found == 0 || why != NULL);
    return found;
}

static void what_postfix_sends_at_rcpt_is_read(void **state)
{
    (void)state;
    struct weir_envelope envelope;
    char address[WEIR_ADDRESS_TEXT];

    assert_int_equal(read_request(rcpt, strlen(rcpt), &envelope), 0);
    assert_int_equal(envelope.stage, WEIR_STAGE_RCPT);
    assert_true(envelope.has_client);
    assert_string_equal(weir_address_format(&envelope.client, address), "192.0.2.7");
    assert_slice(envelope.client_name, "spam.example.net");
    assert_slice(envelope.helo, "client.example.org");
    assert_slice(envelope.sender, "a@ex.org");
    assert_slice(envelope.recipient, "u@test.example");
    assert_slice(envelope.instance, "46d4.6b01c836.e69af.0");
    assert_slice(envelope.queue_id, "");
    assert_false(envelope.authenticated);
}

static void what_postfix_sends_at_connect_is_read(void **state)
{
    (void)state;
    struct weir_envelope envelope;
    char address[WEIR_ADDRESS_TEXT];

    assert_int_equal(read_request(connect, strlen(connect), &envelope), 0);
    assert_int_equal(envelope.stage, WEIR_STAGE_CONNECT);
    assert_string_equal(weir_address_format(&envelope.client, address), "2001:db8::7");
    assert_slice(envelope.instance, "");
    assert_slice(envelope.sender, "");
}

static void each_protocol_state_is_a_stage(void **state)
{
    (void)state;
    static const struct {
        const char *state;
        enum weir_stage stage;
    } cases[] = {
        {"CONNECT", WEIR_STAGE_CONNECT}, {"XCLIENT", WEIR_STAGE_CONNECT},
        {"HELO", WEIR_STAGE_HELO},       {"EHLO", WEIR_STAGE_HELO},
        {"MAIL", WEIR_STAGE_MAIL},       {"RCPT", WEIR_STAGE_RCPT},
        {"DATA", WEIR_STAGE_DATA},       {"BDAT", WEIR_STAGE_DATA},
        {"END-OF-MESSAGE", WEIR_STAGE_END},
        {"VRFY", WEIR_STAGE_OTHER},      {"ETRN", WEIR_STAGE_OTHER},
        {"rcpt", WEIR_STAGE_OTHER},      {"RCPTS", WEIR_STAGE_OTHER},
        {"", WEIR_STAGE_OTHER},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_envelope envelope;
        char text[200];

        snprintf(text, sizeof text, "request=smtpd_access_policy\nprotocol_state=%s\n\n",
                 cases[i].state);
        assert_int_equal(read_request(text, strlen(text), &envelope), 0);
        if (envelope.stage != cases[i].stage)
            fail_msg("%s: got %d, want %d", cases[i].state, envelope.stage, cases[i].stage);
    }
}

static void values_are_taken_as_they_stand(void **state)
{
    (void)state;
    static const struct {
        const char *lines;
        bool has_client, authenticated;
        const char *sender;
    } cases[] = {
        {"client_address=192.0.2.7\nsender=a=b@ex.org\n", true, false, "a=b@ex.org"},
        {"client_address=192.0.2.7\nsender= a b@ex.org\n", true, false, " a b@ex.org"},
        {"client_address=unknown\nsender=a@ex.org\n", false, false, "a@ex.org"},
        {"client_address=\nsender=a@ex.org\n", false, false, "a@ex.org"},
        {"client_address=192.0.2.7.8\nsender=\n", false, false, ""},
        {"sender=\xc3\xa4@ex.org\n", false, false, "\xc3\xa4@ex.org"},
        {"sasl_username=bob\nsender=a@ex.org\n", false, true, "a@ex.org"},
        {"sender=first@ex.org\nsender=second@ex.org\n", false, false, "first@ex.org"},
        {"sender=\nsender=second@ex.org\n", false, false, ""},
        {"sasl_username=\nsasl_username=bob\nsender=a@b\n", false, false, "a@b"},
        {"=\n=x\nSender=x@y\nsender =x@y\nsende=x@y\nsenders=x@y\n", false, false, ""},
        {"sender=a\rb@ex.org\n", false, false, "a\rb@ex.org"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_envelope envelope;
        char text[300];

        snprintf(text, sizeof text, "%srequest=smtpd_access_policy\nprotocol_state=RCPT\n\n",
                 cases[i].lines);
        assert_int_equal(read_request(text, strlen(text), &envelope), 0);
        assert_slice(envelope.sender, cases[i].sender);
        assert_int_equal(envelope.has_client, cases[i].has_client);
        assert_int_equal(envelope.authenticated, cases[i].authenticated);
    }
}

static void malformed_requests_are_refused(void **state)
{
    (void)state;
#define TEXT(text) {text, sizeof text - 1}
    static const struct {
        const char *bytes;
        size_t len;
    } cases[] = {
        TEXT("\n"),
        TEXT("sender=a@b\n\n"),
        TEXT("request=\n\n"),
        TEXT("request=smtpd_access_polic\n\n"),
        TEXT("request=smtpd_access_policy2\n\n"),
        TEXT("request=SMTPD_ACCESS_POLICY\n\n"),
        TEXT("request=junk\nrequest=smtpd_access_policy\n\n"),
        TEXT(" request=smtpd_access_policy\n\n"),
        TEXT("request=smtpd_access_policy\nno equals sign\n\n"),
        TEXT("request=smtpd_access_policy\r\n\r\n"),
        TEXT("request=smtpd_access_policy\nsender=a@b\r\n\n"),
        TEXT("request=smtpd_access_policy\n\r\n"),
        TEXT("request=smtpd_access_policy\nsender=a\0b\n\n"),
        TEXT("request=smtpd_access_policy\n\0=\n\n"),
        TEXT("\0\n\n"),
    };
#undef TEXT

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_envelope envelope;

        if (read_request(cases[i].bytes, cases[i].len, &envelope) != WEIR_EINVAL)
            fail_msg("case %zu is malformed: %s", i, cases[i].bytes);
    }
}

static void what_cannot_become_a_request_is_refused_before_it_ends(void **state)
{
    (void)state;
    static const char *const beginnings[] = {"GET / HTTP/1.1\r\n", "EHLO me\n", "\r\n",
                                             "request=smtpd_access_policy\r\n"};
    struct weir_policy_scan scan = {0};
    const char *why;
    size_t len;

    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
        scan = (struct weir_policy_scan){0};
        assert_int_equal(weir_policy_scan(&scan, beginnings[i], strlen(beginnings[i]), &len, &why),
                         WEIR_EINVAL);
    }
    scan = (struct weir_policy_scan){0};
    assert_int_equal(weir_policy_scan(&scan, "sender\0", 7, &len, &why), WEIR_EINVAL);
}

/* A request of exactly this many octets. */
static char *request_of(size_t octets)
{
    static const char start[] = "request=smtpd_access_policy\nprotocol_state=RCPT\nsender=";
    char *text = malloc(octets + 1);

    assert_non_null(text);
    memset(text, 'x', octets);
    memcpy(text, start, strlen(start));
    memcpy(text + octets - 2, "\n\n", 3);
    return text;
}

static void WEIR_POLICY_REQUEST_MAX_octets_are_read_and_one_more_is_not(void **state)
{
    (void)state;
    struct weir_envelope envelope;
    char *fits = request_of(WEIR_POLICY_REQUEST_MAX);
    char *longer = request_of(WEIR_POLICY_REQUEST_MAX + 1);
    struct weir_policy_scan scan = {0};
    const char *why;
    size_t len;

    assert_int_equal(read_request(fits, WEIR_POLICY_REQUEST_MAX, &envelope), 0);
    assert_int_equal(read_request(longer, WEIR_POLICY_REQUEST_MAX + 1, &envelope), WEIR_ELIMIT);
    /* refused as soon as the end could only come too late */
    assert_int_equal(weir_policy_scan(&scan, longer, WEIR_POLICY_REQUEST_MAX - 1, &len, &why), 0);
    assert_int_equal(weir_policy_scan(&scan, longer, WEIR_POLICY_REQUEST_MAX, &len, &why),
                     WEIR_ELIMIT);
    free(fits);
    free(longer);
}

static void WEIR_POLICY_ATTRIBUTES_MAX_lines_are_read_and_one_more_is_not(void **state)
{
    (void)state;
    for (unsigned lines = WEIR_POLICY_ATTRIBUTES_MAX; lines <= WEIR_POLICY_ATTRIBUTES_MAX + 1;
         lines++) {
        char text[1000] = "request=smtpd_access_policy\n";
        struct weir_envelope envelope;

        for (unsigned i = 1; i < lines; i++)
            strcat(text, "a=\n");
        strcat(text, "\n");
        assert_int_equal(read_request(text, strlen(text), &envelope),
                         lines > WEIR_POLICY_ATTRIBUTES_MAX ? WEIR_ELIMIT : 0);
    }
}

static void a_request_may_be_cut_at_every_octet(void **state)
{
    (void)state;
    for (size_t cut = 0; cut <= strlen(rcpt); cut++) {
        struct weir_policy_scan scan = {0};
        const char *why = NULL;
        size_t len = 0;

        assert_int_equal(weir_policy_scan(&scan, rcpt, cut, &len, &why), cut == strlen(rcpt));
        if (cut < strlen(rcpt))
            assert_int_equal(weir_policy_scan(&scan, rcpt, strlen(rcpt), &len, &why), 1);
        assert_int_equal(len, strlen(rcpt));
    }
}

static void a_request_may_come_octet_by_octet(void **state)
{
    (void)state;
    struct weir_policy_scan scan = {0};
    const char *why = NULL;
    size_t len = 0;

    for (size_t i = 1; i < strlen(rcpt); i++)
        assert_int_equal(weir_policy_scan(&scan, rcpt, i, &len, &why), 0);
    assert_int_equal(weir_policy_scan(&scan, rcpt, strlen(rcpt), &len, &why), 1);
    assert_int_equal(len, strlen(rcpt));
}

static void requests_behind_each_other_are_found_one_by_one(void **state)
{
    (void)state;
    char text[8000] = "";
    const char *at = text, *why = NULL;
    struct weir_policy_scan scan = {0};
    size_t len;

    for (int i = 0; i < 4; i++)
        strcat(strcat(text, i % 2 ? rcpt : connect), "");
    for (int i = 0; i < 4; i++, at += len) {
        assert_int_equal(weir_policy_scan(&scan, at, strlen(at), &len, &why), 1);
        assert_int_equal(len, strlen(i % 2 ? rcpt : connect));
    }
    assert_int_equal(strlen(at), 0);
}

/* The stupid model: looks for the first empty line in the whole text. */
static void pieces_of_any_size_lead_to_the_same_end(void **state)
{
    (void)state;
    struct seeded random = seeded_new("pieces_of_any_size_lead_to_the_same_end");

    for (int round = 0; round < 2000; round++) {
        char text[400];
        struct weir_policy_scan pieces = {0}, whole = {0};
        size_t size = 1 + seeded_below(&random, (unsigned)sizeof text - 1);
        size_t given = 0, len[2] = {0, 0};
        const char *why;
        int got[2] = {0, 0};

        for (size_t i = 0; i < size; i++)
            text[i] = "ab==\n\n\r"[seeded_below(&random, 7)];
        got[0] = weir_policy_scan(&whole, text, size, &len[0], &why);
        while (got[1] == 0 && given < size) {
            given += 1 + seeded_below(&random, 20);
            given = given < size ? given : size;
            got[1] = weir_policy_scan(&pieces, text, given, &len[1], &why);
        }
        assert_int_equal(got[0], got[1]);
        assert_int_equal(len[0], len[1]);
        if (got[0] == 1 && len[0] > 1)
            assert_ptr_equal(memmem(text, size, "\n\n", 2), text + len[0] - 2);
    }
}

static void a_status_request_needs_nothing_else(void **state)
{
    (void)state;
    static const char text[] = "request=weir_status\n\n";
    struct weir_envelope envelope;
    enum weir_policy_kind kind = WEIR_POLICY_DECIDE;
    const char *why;

    assert_int_equal(weir_policy_parse(text, strlen(text), &kind, &envelope, &why), 0);
    assert_int_equal(kind, WEIR_POLICY_STATUS);
    assert_int_equal(weir_policy_parse(rcpt, strlen(rcpt), &kind, &envelope, &why), 0);
    assert_int_equal(kind, WEIR_POLICY_DECIDE);
}

static void a_parse_without_a_scan_stays_within_its_bytes(void **state)
{
    (void)state;
    for (size_t len = 0; len < strlen(rcpt); len++) {
        char *bytes = malloc(len + 1); /* exactly: a sanitizer sees one octet too far */
        struct weir_envelope envelope;
        enum weir_policy_kind kind;
        const char *why = NULL;

        assert_non_null(bytes);
        bytes = realloc(bytes, len ? len : 1);
        memcpy(bytes, rcpt, len);
        int got = weir_policy_parse(bytes, len, &kind, &envelope, &why);
        assert_true(got == 0 || (got == WEIR_EINVAL && why));
        free(bytes);
    }
}

static void answers_are_one_line_and_an_empty_one(void **state)
{
    (void)state;
    static const struct {
        const char *word, *text, *want;
    } cases[] = {
        {"DUNNO", "", "action=DUNNO\n\n"},
        {"550 5.7.1 no", "", "action=550 5.7.1 no\n\n"},
        {"PREPEND X-Weir-Policy:", "a=b c=d", "action=PREPEND X-Weir-Policy: a=b c=d\n\n"},
        {"REJECT", "a\nb\n\naction=OK", "action=REJECT a?b??action=OK\n\n"},
        {"REJECT", "\t\x7f\x80\xc3\xa4", "action=REJECT ?????\n\n"},
        {"RE\nJECT", "x", "action=RE?JECT x\n\n"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char answer[WEIR_POLICY_ANSWER_MAX];
        size_t len = weir_policy_answer(answer, cases[i].word, cases[i].text);

        assert_string_equal(answer, cases[i].want);
        assert_int_equal(len, strlen(answer));
    }
}

static void every_octet_of_an_answer_is_printable_wherever_it_stands(void **state)
{
    (void)state;
    for (int octet = 1; octet < 256; octet++) {
        for (size_t place = 0; place < 20; place++) {
            char text[21], answer[WEIR_POLICY_ANSWER_MAX], want[60];

            memset(text, '~', sizeof text - 1);
            text[sizeof text - 1] = '\0';
            text[place] = (char)octet;
            if (place + 1 < sizeof text - 1)
                text[place + 1] = ' ';
            snprintf(want, sizeof want, "action=X %s\n\n", text);
            if (octet < ' ' || octet > '~')
                want[strlen("action=X ") + place] = '?';
            weir_policy_answer(answer, "X", text);
            assert_string_equal(answer, want);
        }
    }
}

static void WEIR_POLICY_ANSWER_MAX_is_never_passed(void **state)
{
    (void)state;
    char text[2 * WEIR_POLICY_ANSWER_MAX], answer[WEIR_POLICY_ANSWER_MAX];
    const size_t most = WEIR_POLICY_ANSWER_MAX - 1; /* the NUL */

    for (size_t octets = 0; octets < sizeof text; octets++) {
        size_t want = strlen("action=REJECT \n\n") + octets;

        memset(text, 'x', octets);
        text[octets] = '\0';
        if (octets == 0)
            want--; /* no blank */
        size_t len = weir_policy_answer(answer, "REJECT", text);
        assert_int_equal(len, want < most ? want : most);
        assert_int_equal(strlen(answer), len);
        assert_string_equal(answer + len - 2, "\n\n");
        assert_ptr_equal(strchr(answer, '\n'), answer + len - 2);
    }
    assert_true(WEIR_POLICY_ANSWER_MAX > strlen("action=PREPEND X-Weir-Policy: \n\n") +
                                             WEIR_REPLY_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_postfix_sends_at_rcpt_is_read),
        cmocka_unit_test(what_postfix_sends_at_connect_is_read),
        cmocka_unit_test(each_protocol_state_is_a_stage),
        cmocka_unit_test(values_are_taken_as_they_stand),
        cmocka_unit_test(malformed_requests_are_refused),
        cmocka_unit_test(what_cannot_become_a_request_is_refused_before_it_ends),
        cmocka_unit_test(WEIR_POLICY_REQUEST_MAX_octets_are_read_and_one_more_is_not),
        cmocka_unit_test(WEIR_POLICY_ATTRIBUTES_MAX_lines_are_read_and_one_more_is_not),
        cmocka_unit_test(a_request_may_be_cut_at_every_octet),
        cmocka_unit_test(a_request_may_come_octet_by_octet),
        cmocka_unit_test(requests_behind_each_other_are_found_one_by_one),
        cmocka_unit_test(pieces_of_any_size_lead_to_the_same_end),
        cmocka_unit_test(a_status_request_needs_nothing_else),
        cmocka_unit_test(a_parse_without_a_scan_stays_within_its_bytes),
        cmocka_unit_test(answers_are_one_line_and_an_empty_one),
        cmocka_unit_test(every_octet_of_an_answer_is_printable_wherever_it_stands),
        cmocka_unit_test(WEIR_POLICY_ANSWER_MAX_is_never_passed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
