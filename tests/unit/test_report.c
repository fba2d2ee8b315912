/*
 * report - what is found in what people hand in, also in what nobody should.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/slice.h"
#include "core/mail/report.h"
#include "tests/unit/seeded.h"

#define PART "\n--b\n"
#define END "\n--b--\n"
#define LETTER(type) "From: Ann <ann@example.org>\nSubject: look\nContent-Type: " type \
    "; boundary=b\n"
#define WORDS PART "\nIs this spam?\n"
#define SPAM "From: x@y.example\nSubject: win\n\nmoney"
#define SPAM64 "RnJvbTogeEB5LmV4YW1wbGUKU3ViamVjdDogd2luCgptb25leQ=="
#define RFC822 "Content-Type: message/rfc822\n"
#define MACHINE(type) PART "Content-Type: message/feedback-report\n\nFeedback-Type: " type \
    "\nUser-Agent: x/1\nVersion: 1\nSource-IP: 192.0.2.1\nOriginal-Mail-From: <s@y.example>\n"
#define ARF "multipart/report; report-type=feedback-report"

struct sample {
    const char *name, *text;
    enum weir_report_way wish;
    const char *want; /* way, what is said, From, then the originals */
};

static struct weir_arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = weir_arena_new(1 << 16);
    return arena ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    weir_arena_free(&arena);
    return 0;
}

static struct weir_report *read_octets(const char *octets, size_t len, enum weir_report_way wish)
{
    static struct weir_report report;
    struct weir_message message;

    weir_arena_reset(arena, SIZE_MAX);
    assert_int_equal(weir_message_parse(octets, len, arena, &message), 0);
    assert_int_equal(weir_report_read(&message, wish, arena, &report), 0);
    return &report;
}

static const char *shown(const struct weir_report *report)
{
    static const char *const said[] = {"nothing", "spam", "ham", "no-opinion"};
    static char text[4096];
    int at = snprintf(text, sizeof text, "%s %s <%.*s>", weir_report_way_name(report->way),
                      said[report->said], (int)report->from.len, report->from.at);

    for (size_t i = 0; i < report->originals; i++)
        at += snprintf(text + at, sizeof text - (size_t)at, "%s%s{%.*s}",
                       report->original[i].head ? " head" : " ",
                       report->original[i].cut ? "cut" : "", (int)report->original[i].octets.len,
                       report->original[i].octets.at);
    return text;
}

static void check(const struct sample *sample, size_t samples)
{
    for (size_t i = 0; i < samples; i++, sample++) {
        const char *got = shown(read_octets(sample->text, strlen(sample->text), sample->wish));

        if (strcmp(got, sample->want) != 0)
            fail_msg("%s:\ngot  %s\nwant %s", sample->name, got, sample->want);
    }
}

#define CHECK(samples) check(samples, sizeof(samples) / sizeof((samples)[0]))

static void a_message_by_itself_reports_itself(void **state)
{
    static const struct sample samples[] = {
        {"plain", SPAM, WEIR_REPORT_ANY, "itself nothing <> {" SPAM "}"},
        {"mbox line", "From x Sat Jan  1 00:00:00 2000\n" SPAM, WEIR_REPORT_ANY,
         "itself nothing <> {" SPAM "}"},
        {"nothing", "", WEIR_REPORT_ANY, "itself nothing <> {}"},
        {"spam with a message attached, moved to Junk", LETTER("multipart/mixed") PART RFC822 "\n"
         SPAM END, WEIR_REPORT_ITSELF, "itself nothing <> {" LETTER("multipart/mixed") PART RFC822
         "\n" SPAM END "}"},
        {"a feedback report that is spam itself", LETTER(ARF) MACHINE("abuse") END,
         WEIR_REPORT_ITSELF, "itself nothing <> {" LETTER(ARF) MACHINE("abuse") END "}"},
        {"a bounce", LETTER("multipart/report") WORDS PART RFC822 "\n" SPAM END, WEIR_REPORT_ANY,
         "itself nothing <> {" LETTER("multipart/report") WORDS PART RFC822 "\n" SPAM END "}"},
    };
    (void)state;
    CHECK(samples);
}

static void attached_messages_are_reported_and_the_letter_is_not(void **state)
{
    static const struct sample samples[] = {
        {"one", LETTER("multipart/mixed") WORDS PART RFC822 "\n" SPAM END, WEIR_REPORT_ANY,
         "attached nothing <ann@example.org> {" SPAM "}"},
        {"two", LETTER("multipart/mixed") PART RFC822 "\n" SPAM PART RFC822 "\nA: b\n\nc" END,
         WEIR_REPORT_ANY, "attached nothing <ann@example.org> {" SPAM "} {A: b\n\nc}"},
        {"message/global", LETTER("multipart/mixed") PART "Content-Type: message/global\n\n" SPAM
         END, WEIR_REPORT_ANY, "attached nothing <ann@example.org> {" SPAM "}"},
        {"the letter is nothing else", "From: ann@example.org\n" RFC822 "\n" SPAM, WEIR_REPORT_ANY,
         "attached nothing <ann@example.org> {" SPAM "}"},
        {"a digest", LETTER("multipart/digest") PART "\n" SPAM PART "\nA: b\n\n" END,
         WEIR_REPORT_ANY, "attached nothing <ann@example.org> {" SPAM "} {A: b\n\n}"},
        {"deeper", LETTER("multipart/mixed") PART "Content-Type: multipart/mixed; boundary=c\n"
         "\n--c\n" RFC822 "\n" SPAM "\n--c--\n" END, WEIR_REPORT_ANY,
         "attached nothing <ann@example.org> {" SPAM "}"},
        {"within an attached one", LETTER("multipart/mixed") PART RFC822 "\n" RFC822 "\n" SPAM END,
         WEIR_REPORT_ANY, "attached nothing <ann@example.org> {" RFC822 "\n" SPAM "}"},
        {"a bounce, sent on as a letter", LETTER("multipart/report") PART RFC822 "\n" SPAM END,
         WEIR_REPORT_ATTACHED, "attached nothing <ann@example.org> {" SPAM "}"},
        {"base64", LETTER("multipart/mixed") PART RFC822 "Content-Transfer-Encoding: base64\n\n"
         SPAM64 END, WEIR_REPORT_ANY, "attached nothing <ann@example.org> {" SPAM "}"},
        {"base64 that is none", LETTER("multipart/mixed") PART RFC822
         "Content-Transfer-Encoding: base64\n\n" SPAM END, WEIR_REPORT_ANY,
         "attached nothing <ann@example.org> {" SPAM "}"},
        {"quoted-printable", LETTER("multipart/mixed") PART "Content-Type: message/global\n"
         "Content-Transfer-Encoding: quoted-printable\n\nFrom:=20x@y.exam=\nple\n\nmoney" END,
         WEIR_REPORT_ANY, "attached nothing <ann@example.org> {From: x@y.example\n\nmoney}"},
        {"a file", LETTER("multipart/mixed") PART "Content-Type: application/octet-stream; "
         "name=\"Spam.EML\"\nContent-Transfer-Encoding: base64\n\n" SPAM64 END, WEIR_REPORT_ANY,
         "attached nothing <ann@example.org> {" SPAM "}"},
        {"nothing", LETTER("multipart/mixed") WORDS END, WEIR_REPORT_ATTACHED,
         "attached nothing <ann@example.org>"},
        {"an empty one", LETTER("multipart/mixed") PART RFC822 "\n" END, WEIR_REPORT_ATTACHED,
         "attached nothing <ann@example.org>"},
        {"a header is no message", LETTER("multipart/mixed") PART
         "Content-Type: text/rfc822-headers\n\n" SPAM END, WEIR_REPORT_ATTACHED,
         "attached nothing <ann@example.org>"},
    };
    (void)state;
    CHECK(samples);
}

#define REPORT(type) LETTER(ARF) WORDS MACHINE(type)
#define SAID(word) "arf " word " <ann@example.org>"

static void RFC5965_feedback_reports_say_what_they_report(void **state)
{
    static const struct sample samples[] = {
        {"abuse", REPORT("abuse") PART RFC822 "\n" SPAM END, WEIR_REPORT_ANY,
         SAID("spam") " {" SPAM "}"},
        {"fraud", REPORT("Fraud") PART RFC822 "\n" SPAM END, WEIR_REPORT_ANY,
         SAID("spam") " {" SPAM "}"},
        {"virus", REPORT("virus") END, WEIR_REPORT_ANY, SAID("spam")},
        {"not-spam", REPORT("not-spam ; x") PART RFC822 "\n" SPAM END, WEIR_REPORT_ATTACHED,
         SAID("ham") " {" SPAM "}"},
        {"other", REPORT("other") PART RFC822 "\n" SPAM END, WEIR_REPORT_ANY,
         SAID("nothing") " {" SPAM "}"},
        {"a new one", REPORT("abuses") PART RFC822 "\n" SPAM END, WEIR_REPORT_ANY,
         SAID("nothing") " {" SPAM "}"},
        {"RFC 6591", REPORT("auth-failure") PART RFC822 "\n" SPAM END, WEIR_REPORT_ANY,
         SAID("no-opinion") " {" SPAM "}"},
        {"header", REPORT("abuse") PART "Content-Type: text/rfc822-headers\n\nA: b\n" END,
         WEIR_REPORT_ANY, SAID("spam") " head{A: b\n}"},
        {"global header", REPORT("abuse") PART "Content-Type: message/global-headers\n"
         "Content-Transfer-Encoding: base64\n\n" SPAM64 END, WEIR_REPORT_ANY,
         SAID("spam") " head{" SPAM "}"},
        {"no type", LETTER(ARF) PART "Content-Type: message/feedback-report\n\n" END,
         WEIR_REPORT_ANY, SAID("nothing")},
        {"machine part in base64", LETTER(ARF) PART "Content-Type: message/feedback-report\n"
         "Content-Transfer-Encoding: base64\n\nRmVlZGJhY2stVHlwZTogYWJ1c2UK" END, WEIR_REPORT_ANY,
         SAID("spam")},
        {"two machine parts", LETTER(ARF) MACHINE("abuse") MACHINE("not-spam") END,
         WEIR_REPORT_ANY, SAID("spam")},
        {"said inside an attached message", LETTER("multipart/mixed") PART RFC822 "\n"
         "Content-Type: message/feedback-report\n\nFeedback-Type: not-spam\n" END, WEIR_REPORT_ANY,
         "attached nothing <ann@example.org> {Content-Type: message/feedback-report\n\n"
         "Feedback-Type: not-spam\n}"},
    };
    const struct weir_report *report;
    (void)state;
    CHECK(samples);
    report = read_octets(REPORT("abuse") END, strlen(REPORT("abuse") END), WEIR_REPORT_ANY);
    assert_true(weir_slice_equals(report->feedback, "abuse"));
    assert_true(weir_slice_equals(report->source, "192.0.2.1"));
    assert_true(weir_slice_equals(report->sender, "<s@y.example>"));
}

static void who_reports_is_one_address_or_nobody(void **state)
{
    static const struct {
        const char *from, *want;
    } cases[] = {
        {"From: ann@example.org\n", "ann@example.org"},
        {"From: \"A, B\" <ann@example.org> (x)\n", "ann@example.org"},
        {"From: a@b.example, c@d.example\n", ""},
        {"From: a@b.example\nFrom: c@d.example\n", ""},
        {"From: nobody\n", ""},
        {"Sender: ann@example.org\n", ""},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512];
        const struct weir_report *report;

        snprintf(text, sizeof text, "%s" RFC822 "\n" SPAM, cases[i].from);
        report = read_octets(text, strlen(text), WEIR_REPORT_ANY);
        if (!weir_slice_equals(report->from, cases[i].want))
            fail_msg("%s: %.*s", cases[i].from, (int)report->from.len, report->from.at);
    }
}

/* A letter with so many messages of 3 octets. */
static const struct weir_report *many(size_t messages)
{
    char *text = malloc(200 + messages * 64), *at = text;
    const struct weir_report *report;

    assert_non_null(text);
    at += sprintf(at, LETTER("multipart/mixed"));
    for (size_t i = 0; i < messages; i++)
        at += sprintf(at, PART RFC822 "\nA:b");
    report = read_octets(text, (size_t)(at - text), WEIR_REPORT_ANY);
    free(text);
    return report;
}

static void WEIR_REPORT_ORIGINALS_MAX_messages_are_found_and_more_are_counted(void **state)
{
    (void)state;
    assert_int_equal(many(WEIR_REPORT_ORIGINALS_MAX)->originals, WEIR_REPORT_ORIGINALS_MAX);
    assert_int_equal(many(WEIR_REPORT_ORIGINALS_MAX)->more, 0);
    assert_int_equal(many(WEIR_REPORT_ORIGINALS_MAX + 1)->originals, WEIR_REPORT_ORIGINALS_MAX);
    assert_int_equal(many(WEIR_REPORT_ORIGINALS_MAX + 1)->more, 1);
    assert_int_equal(many(WEIR_PARTS_MAX)->originals, WEIR_REPORT_ORIGINALS_MAX);
}

/* An encoded message of so many octets. */
static struct weir_report_original encoded(size_t octets)
{
    size_t room = 300 + octets / 3 * 4 + 8;
    char *text = malloc(room), *at = text;
    struct weir_report_original original;

    assert_non_null(text);
    at += sprintf(at, LETTER("multipart/mixed") PART "Content-Type: message/rfc822\n"
                  "Content-Transfer-Encoding: base64\n\n");
    memset(at, 'Q', (octets / 3) * 4);
    at += octets / 3 * 4;
    at += sprintf(at, "%s", octets % 3 == 0 ? "" : octets % 3 == 1 ? "QQ==" : "QUE=");
    original = read_octets(text, (size_t)(at - text), WEIR_REPORT_ANY)->original[0];
    free(text);
    return original;
}

static void WEIR_REPORT_DECODED_MAX_octets_are_decoded_and_no_more(void **state)
{
    struct weir_report_original at = encoded(WEIR_REPORT_DECODED_MAX);
    struct weir_report_original past = encoded(WEIR_REPORT_DECODED_MAX + 1);
    (void)state;
    assert_true(at.octets.len == WEIR_REPORT_DECODED_MAX && !at.cut);
    assert_true(past.octets.len == WEIR_REPORT_DECODED_MAX && past.cut);
}

static enum weir_report_said said_behind(size_t octets)
{
    static char text[WEIR_REPORT_MACHINE_MAX + 1000];
    char *at = text + sprintf(text, LETTER(ARF) PART
                              "Content-Type: message/feedback-report\n\nA: ");

    memset(at, 'x', octets - 4);
    at += octets - 4;
    at += sprintf(at, "\nFeedback-Type: abuse\n" END);
    return read_octets(text, (size_t)(at - text), WEIR_REPORT_ANY)->said;
}

static void WEIR_REPORT_MACHINE_MAX_octets_of_the_machines_part_are_read(void **state)
{
    size_t field = strlen("Feedback-Type: abuse");
    (void)state;
    assert_int_equal(said_behind(WEIR_REPORT_MACHINE_MAX - field), WEIR_REPORT_SPAM);
    assert_int_equal(said_behind(WEIR_REPORT_MACHINE_MAX - field + 1), WEIR_REPORT_NOTHING);
}

/* Real mail attached to a letter: what comes out is what went in. */
static void real_mails_come_out_as_they_were_attached(void **state)
{
    static const char front[] = LETTER("multipart/mixed; boundary=Zz8_letter") "\n--Zz8_letter\n"
        RFC822 "\n", back[] = "\n--Zz8_letter--\n";
    static char text[1 << 20];
    glob_t found;
    size_t tried = 0;
    (void)state;
    if (glob("tests/data/mail/*.eml", 0, NULL, &found) != 0)
        fail_msg("tests/data/mail is not there: start it in the top folder");
    for (size_t i = 0; i < found.gl_pathc; i++) {
        FILE *file = fopen(found.gl_pathv[i], "rb");
        size_t len = sizeof front - 1, got;
        const struct weir_report *report;

        assert_non_null(file);
        memcpy(text, front, len);
        got = fread(text + len, 1, sizeof text - 1000 - len, file);
        fclose(file);
        got -= got > 0 && text[len + got - 1] == '\r'; /* it would be half a line end */
        memcpy(text + len + got, back, sizeof back - 1);
        report = read_octets(text, len + got + sizeof back - 1, WEIR_REPORT_ATTACHED);
        if (got > 0 && (report->originals < 1 || report->original[0].octets.len != got ||
                        memcmp(report->original[0].octets.at, text + len, got) != 0))
            fail_msg("%s", found.gl_pathv[i]);
        tried++;
    }
    assert_true(tried >= 5);
    globfree(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_by_itself_reports_itself),
        cmocka_unit_test(attached_messages_are_reported_and_the_letter_is_not),
        cmocka_unit_test(RFC5965_feedback_reports_say_what_they_report),
        cmocka_unit_test(who_reports_is_one_address_or_nobody),
        cmocka_unit_test(WEIR_REPORT_ORIGINALS_MAX_messages_are_found_and_more_are_counted),
        cmocka_unit_test(WEIR_REPORT_DECODED_MAX_octets_are_decoded_and_no_more),
        cmocka_unit_test(WEIR_REPORT_MACHINE_MAX_octets_of_the_machines_part_are_read),
        cmocka_unit_test(real_mails_come_out_as_they_were_attached),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
