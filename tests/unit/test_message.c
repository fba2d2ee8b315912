/*
 * Messages taken apart: structure and defects of whole and broken ones (message.c,
 * multipart.c, mime_type.c, message_field.c, message_lines.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/message_outline.h"

struct sample {
    const char *name, *text, *want, *defects;
};

static void check_sample(struct weir_arena *arena, const struct sample *sample)
{
    struct weir_message message;
    char got[OUTLINE_ROOM], defects[OUTLINE_ROOM];
    weir_arena_reset(arena, SIZE_MAX);
    assert_int_equal(weir_message_parse(sample->text, strlen(sample->text), arena, &message), 0);
    outline(&message, got);
    outline_defects(&message, defects);
    if (strcmp(got, sample->want) != 0 || strcmp(defects, sample->defects) != 0)
        fail_msg("%s:\ngot  %s (%s)\nwant %s (%s)", sample->name, got, defects, sample->want,
                 sample->defects);
}

static void check_samples(const struct sample *sample, size_t samples)
{
    struct weir_arena *arena = weir_arena_new(1024);
    assert_non_null(arena);
    for (size_t i = 0; i < samples; i++)
        check_sample(arena, &sample[i]);
    weir_arena_free(&arena);
}

#define CHECK(samples) check_samples(samples, sizeof(samples) / sizeof((samples)[0]))
#define MIXED(boundary) "Content-Type: multipart/mixed; boundary=" boundary "\n\n"

static void a_message_without_parts_is_one_part(void **state)
{
    static const struct sample samples[] = {
        {"nothing", "", "0P''", "NO_HEAD"},
        {"plain", "Subject: x\n\nHello\n", "0P1'Hello\n'", ""},
        {"CRLF", "Subject: x\r\n\r\nHello\r\n", "0P1'Hello\r\n'", ""},
        {"no body", "Subject: x\n", "0P1''", ""},
        {"no body, no line end", "Subject: x", "0P1''", ""},
        {"html", "Content-Type: text/html\n\n<b>\n", "0H1'<b>\n'", ""},
        {"xhtml", "content-type: APPLICATION/XHTML+xml\n\n", "0H1''", ""},
        {"calendar", "Content-Type: text/calendar\n\nx", "0T1'x'", ""},
        {"picture", "Content-Type: image/png; name=a.png\n\nx", "0O-1'x'", ""},
        {"mbox line", "From ann Sat Jan  1 00:00:00 2000\nA: b\n\nx", "0P1'x'", ""},
        {"comment", "Content-Type: (a (b) \\) c) text/html (d); x=y\n\n", "0H1''", ""},
        {"folded", "Content-Type:\n\ttext/html;\n charset=x\n\n", "0H1''", ""},
        {"first wins", "Content-Type: text/html\nContent-Type: a/b\n\n", "0H2''", ""},
    };
    (void)state;
    CHECK(samples);
}

static void parts_of_multiparts_follow_depth_first(void **state)
{
    static const struct sample samples[] = {
        {"two", MIXED("b") "--b\n\nOne\n--b\nContent-Type: text/html\n\nTwo\n--b--\n",
         "0M1 1P'One' 1H1'Two'", ""},
        {"preamble and epilogue", MIXED("b") "pre\n--b\n\nOne\n--b--\npost\n", "0M1 1P'One'", ""},
        {"CRLF", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nOne\r\n--b--\r\n",
         "0M1 1P'One'", ""},
        {"quoted boundary", MIXED("\"b \\\"c\"") "--b \"c\n\nOne\n--b \"c--\n", "0M1 1P'One'", ""},
        {"blanks behind", MIXED("b") "--b \t\n\nOne\n--b--  \n", "0M1 1P'One'", ""},
        {"nested", MIXED("a") "--a\n" MIXED("b") "--b\n\nOne\n--b--\n\n--a\n\nTwo\n--a--\n",
         "0M1 1M1 2P'One' 1P'Two'", ""},
        {"inner never closed", MIXED("a") "--a\n" MIXED("b") "--b\n\nOne\n--a\n\nTwo\n--a--\n",
         "0M1 1M1 2P'One' 1P'Two'", "UNCLOSED"},
        {"prefix", MIXED("a") "--a\n" MIXED("aa") "--aa\n\nOne\n--aa--\n--a--\n",
         "0M1 1M1 2P'One'", ""},
        {"same boundary", MIXED("a") "--a\n" MIXED("a") "--a\n\nOne\n--a--\n--a\n\nTwo\n--a--\n",
         "0M1 1M1 2P'One' 1P'Two'", ""},
        {"digest", "Content-Type: multipart/digest; boundary=b\n\n--b\n\nA: b\n\nOne\n--b--\n",
         "0M1 1R 2P1'One'", ""},
        {"message", "Content-Type: message/rfc822\n\nA: b\nC: d\n\nOne\n", "0R1 1P2'One\n'", ""},
        {"message in a part", MIXED("b") "--b\nContent-Type: message/rfc822\n\n" MIXED("c")
         "--c\n\nOne\n--c--\n\n--b\n\nTwo\n--b--\n", "0M1 1R1 2M1 3P'One' 1P'Two'", ""},
        {"boundary in pieces", "Content-Type: multipart/mixed; boundary*0=b; boundary*1=c\n\n"
         "--bc\n\nOne\n--bc--\n", "0M1 1P'One'", ""},
    };
    (void)state;
    CHECK(samples);
}

static void broken_structure_is_read_as_mail_readers_do(void **state)
{
    static const struct sample samples[] = {
        {"no boundary", "Content-Type: multipart/mixed\n\n--b\n\nOne\n", "0M1'--b\n\nOne\n'",
         "NO_BOUNDARY"},
        {"empty boundary", MIXED("\"\"") "--\n\nOne\n", "0M1'--\n\nOne\n'", "NO_BOUNDARY"},
        {"wrong boundary", MIXED("b") "--c\n\nOne\n--c--\n", "0M1'--c\n\nOne\n--c--\n'",
         "BOUNDARY_UNUSED"},
        {"no closing line", MIXED("b") "--b\n\nOne\n", "0M1 1P'One\n'", "UNCLOSED"},
        {"ends at the boundary", MIXED("b") "--b\n\nOne\n--b", "0M1 1P'One' 1P''", "UNCLOSED"},
        {"not at a line's start", MIXED("b") "--b\n\nOne --b--\n--b--\n", "0M1 1P'One --b--'", ""},
        {"longer line", MIXED("b") "--b\n\n--bc\n--b--\n", "0M1 1P'--bc'", ""},
        {"boundary twice", MIXED("b") "--b\n--b\n\nOne\n--b--\n", "0M1 1P'One'", ""},
        {"empty part", MIXED("b") "--b\n\n--b--\n", "0M1 1P''", ""},
        {"no separator in a part", MIXED("b") "--b\nOne line\n--b--\n", "0M1 1P'One line'",
         "NO_SEPARATOR"},
        {"part is but a head", MIXED("b") "--b\nA: b\n--b--\n", "0M1 1P1''", "NO_SEPARATOR"},
        {"bad type", "Content-Type: text\n\nx", "0P1'x'", "BAD_TYPE"},
        {"two slashes", "Content-Type: a/b/c\n\nx", "0P1'x'", "BAD_TYPE"},
        {"unknown encoding", "Content-Transfer-Encoding: x-own\n\nx", "0P1'x'", "BAD_ENCODING"},
        {"multipart in base64", "Content-Transfer-Encoding: base64\n" MIXED("b")
         "--b\n\nOne\n--b--\n", "0M2 1P'One'", "BAD_ENCODING"},
        {"message in base64", "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n"
         "QTogYgoKT25lCg==\n", "0R2'QTogYgoKT25lCg==\n'", ""},
        {"message that is not in base64", "Content-Transfer-Encoding: base64\n"
         "Content-Type: message/rfc822\n\nA: b\n\nOne", "0R2 1P1'One'", ""},
        {"partial", "Content-Type: message/partial; id=x\n\nA: b\n\nOne", "0O1'A: b\n\nOne'",
         "PARTIAL"},
        {"mbox line in a message", "Content-Type: message/rfc822\n\nFrom ann\nA: b\n\nOne",
         "0R1 1P1'One'", "BAD_FIELD"},
    };
    (void)state;
    CHECK(samples);
}

static void lines_that_are_no_fields_end_the_header_or_are_stepped_over(void **state)
{
    static const struct sample samples[] = {
        {"only text", "Hello\nthere\n", "0P'Hello\nthere\n'",
         "NO_HEAD BAD_FIELD NO_SEPARATOR"},
        {"text, then an empty line", "Hello\n\nthere\n", "0P'Hello\n\nthere\n'",
         "NO_HEAD BAD_FIELD NO_SEPARATOR"},
        {"one between fields", "A: b\nno field\nC: d\n\nx", "0P2'x'", "BAD_FIELD"},
        {"one with folding", "A: b\nno field\n folded\nC: d\n\nx", "0P2'x'", "BAD_FIELD"},
        {"three", "A: b\n1\n2\n3\nC: d\n\nx", "0P2'x'", "BAD_FIELD"},
        {"four", "A: b\n1\n2\n3\n4\nC: d\n\nx", "0P1'1\n2\n3\n4\nC: d\n\nx'",
         "BAD_FIELD NO_SEPARATOR"},
        {"at the end", "A: b\n1\n2\n", "0P1'1\n2\n'", "BAD_FIELD NO_SEPARATOR"},
        {"dashes", "A: b\n--c\n\nx", "0P1'--c\n\nx'", "NO_SEPARATOR"},
        {"folding first", " A: b\nC: d\n\nx", "0P1'x'", "BAD_FIELD"},
        {"no name", ": b\nC: d\n\nx", "0P1'x'", "BAD_FIELD"},
        {"blank in the name", "A b: c\nC: d\n\nx", "0P2'x'", "BAD_FIELD"},
        {"blank behind the name", "A : c\nC: d\n\nx", "0P2'x'", ""},
        {"8-bit name", "\xc3\xa4: c\nC: d\n\nx", "0P2'x'", "BAD_FIELD"},
        {"strange names only", "A b: c\n\nx", "0P'A b: c\n\nx'",
         "NO_HEAD BAD_FIELD NO_SEPARATOR"},
        {"strange name, folded", "A b: c\n d\nC: d\n\nx", "0P2'x'", "BAD_FIELD"},
        {"strange names at the end", "A: b\nB c: d\nE f: g\n", "0P1'B c: d\nE f: g\n'",
         "BAD_FIELD NO_SEPARATOR"},
        {"four strange names", "A: b\n1 2: 3\n1 2: 3\n1 2: 3\n1 2: 3\nC: d\n\nx",
         "0P1'1 2: 3\n1 2: 3\n1 2: 3\n1 2: 3\nC: d\n\nx'", "BAD_FIELD NO_SEPARATOR"},
        {"strange name in a part", MIXED("b") "--b\nA b: c\nC: d\n\nx\n--b--\n",
         "0M1 1P'A b: c\nC: d\n\nx'", "NO_SEPARATOR"},
        {"dashes and a name", "A: b\n--c: d\nE: f\n\nx", "0P3'x'", ""},
        {"dashes and a name in a part", MIXED("b") "--b\n--c: d\nE: f\n\nx\n--b--\n",
         "0M1 1P2'x'", ""},
        {"a boundary that looks like a field", MIXED("\"b:c\"")
         "--b:c\nA: b\n--b:c\n\nx\n--b:c--\n",
         "0M1 1P1'' 1P'x'", "NO_SEPARATOR"},
        {"dashes and a blank", "A: b\n--c d: e\n\nx", "0P1'--c d: e\n\nx'", "NO_SEPARATOR"},
        {"From and a colon first", "From : a@b\nA: b\n\nx", "0P2'x'", ""},
        {"From and a tab first", "From \t: a@b\nA: b\n\nx", "0P2'x'", ""},
    };
    (void)state;
    CHECK(samples);
}

static void line_ends_and_octets_that_should_not_be_are_noted(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        const char *want;
    } cases[] = {
        {"A: b\n\nx\0y", 9, "NUL"},
        {"A: b\r\n\r\nx\r\n", 11, ""},
        {"A: b\n\nx\ry\n", 10, "BARE_CR"},
        {"A: b\n\nx\r", 8, "BARE_CR"},
        {"A: b\r\n\nx", 8, "MIXED_LINE_ENDS"},
        {"A: b\r\n\r\nx\ry\n", 12, "BARE_CR MIXED_LINE_ENDS"},
        {"A: \xe4\n\nx", 7, "8BIT_HEAD"},
        {"A: \xc3\xa4\n\nx", 8, ""},
        {"A: b\n\n\xe4", 7, ""},
        {"To: a\nto: b\n\n", 13, "DUPLICATE_FIELD"},
        {"Received: a\nReceived: b\n\n", 25, ""},
    };
    struct weir_arena *arena = weir_arena_new(1024);
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weir_message message;
        char got[OUTLINE_ROOM];
        weir_arena_reset(arena, SIZE_MAX);
        assert_int_equal(weir_message_parse(cases[i].text, cases[i].len, arena, &message), 0);
        assert_string_equal(outline_defects(&message, got), cases[i].want);
    }
    weir_arena_free(&arena);
}

static bool has(const struct weir_message *message, enum weir_defect defect)
{
    return message->defects >> defect & 1;
}

static void missing_fields_of_a_message_are_noted(void **state)
{
    static const char full[] = "Date: x\nFrom: y\nMESSAGE-ID: z\n\n", empty[] = "A: b\n\nFrom: c\n";
    struct weir_arena *arena = weir_arena_new(1024);
    struct weir_message message;
    (void)state;
    assert_int_equal(weir_message_parse(full, strlen(full), arena, &message), 0);
    assert_true(message.defects == 0);
    assert_int_equal(weir_message_parse(empty, strlen(empty), arena, &message), 0);
    assert_true(has(&message, WEIR_DEFECT_NO_DATE));
    assert_true(has(&message, WEIR_DEFECT_NO_FROM));
    assert_true(has(&message, WEIR_DEFECT_NO_MESSAGE_ID));
    weir_arena_free(&arena);
}

static void assert_slice(struct weir_slice got, const char *want)
{
    if (got.len != strlen(want) || memcmp(got.at, want, got.len) != 0)
        fail_msg("got '%.*s', want '%s'", (int)got.len, got.at, want);
}

static void fields_are_found_by_name_in_any_case_one_after_the_other(void **state)
{
    static const char text[] = "Received: a\nX: y\nrEceiveD: b\n\tc\n\nReceived: d\n";
    struct weir_arena *arena = weir_arena_new(1024);
    struct weir_message message;
    size_t from = 0;
    (void)state;
    assert_int_equal(weir_message_parse(text, strlen(text), arena, &message), 0);
    assert_slice(weir_message_field(&message, 0, "received", &from)->value, " a");
    const struct weir_field *second = weir_message_field(&message, 0, "received", &from);
    assert_slice(second->value, " b\n\tc");
    assert_slice(second->name, "rEceiveD");
    assert_int_equal(second->hash, weir_field_hash("RECEIVED", 8));
    assert_null(weir_message_field(&message, 0, "received", &from));
    from = 0;
    assert_null(weir_message_field(&message, 0, "receive", &from));
    assert_slice(message.part[0].head, "Received: a\nX: y\nrEceiveD: b\n\tc\n");
    weir_arena_free(&arena);
}

/* type, charset, name and what each is found with, for a message of one part. */
static void parameters_mean_the_same_to_all_who_ask(void **state)
{
    static const struct {
        const char *head, *charset, *name;
        bool attachment, bad;
    } cases[] = {
        {"Content-Type: a/b; charset=x; name=y\n", "x", "y", true, false},
        {"Content-Type: a/b charset=x name=\"y z\"\n", "x", "y z", true, true},
        {"Content-Type: a/b (c; charset=no) ; charset = x\n", "x", "", false, false},
        {"Content-Type: a/b; charset*0=x; charset*1=y\n", "xy", "", false, false},
        {"Content-Type: a/b; charset*=us-ascii''x%79\n", "xy", "", false, false},
        {"Content-Type: a/b; charset=x y\n", "x", "", false, false},
        {"Content-Type: a/b; charset=\" x \"\n", "x", "", false, false},
        {"Content-Type: a/b; name*1=ml; name*0=\"a.ht\"\n", "", "a.html", true, false},
        {"Content-Type: a/b; name=\"a\\\"b\"\n", "", "a\"b", true, false},
        {"Content-Type: a/b; name=\"a\n b\"\n", "", "a b", true, false},
        {"Content-Type: a/b; name=a; name=b\n", "", "a", true, true},
        {"Content-Type: a/b; xname=a\n", "", "", false, false},
        {"Content-Disposition: inline filename=a.b\n", "", "a.b", false, false},
        {"Content-Disposition: (c) attachment; filename*0*=utf-8''a%2E; filename*1=b\n", "",
         "a.b", true, false},
        {"Content-Type: a/b; name=no\nContent-Disposition: inline; filename=yes\n", "", "yes",
         true, false},
    };
    struct weir_arena *arena = weir_arena_new(1024);
    struct weir_message message;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *head = cases[i].head;
        assert_int_equal(weir_message_parse(head, strlen(head), arena, &message), 0);
        const struct weir_part *part = &message.part[0];
        assert_slice(part->charset, cases[i].charset);
        assert_slice(part->name, cases[i].name);
        if (part->attachment != cases[i].attachment)
            fail_msg("%s: attachment", head);
        if ((message.defects >> WEIR_DEFECT_BAD_PARAMETER & 1) != cases[i].bad)
            fail_msg("%s: bad", head);
    }
    weir_arena_free(&arena);
}

static void a_part_knows_what_its_fields_say(void **state)
{
    static const char text[] =
        "Content-Type: Text/Plain; format=flowed; Charset=\"utf-8\"\n"
        "Content-Transfer-Encoding: BASE64\nContent-Disposition: attachment; filename=a.txt\n\n";
    struct weir_arena *arena = weir_arena_new(1024);
    struct weir_message message;
    (void)state;
    assert_int_equal(weir_message_parse(text, strlen(text), arena, &message), 0);
    const struct weir_part *part = &message.part[0];
    assert_slice(part->type, "Text/Plain");
    assert_slice(part->charset, "utf-8");
    assert_slice(part->parameters, "; format=flowed; Charset=\"utf-8\"");
    assert_slice(part->disposition, " attachment; filename=a.txt");
    assert_int_equal(part->transfer, WEIR_TRANSFER_BASE64);
    assert_true(part->attachment);
    assert_string_equal(weir_defect_name(WEIR_DEFECT_PARTIAL), "PARTIAL");
    weir_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_without_parts_is_one_part),
        cmocka_unit_test(parts_of_multiparts_follow_depth_first),
        cmocka_unit_test(broken_structure_is_read_as_mail_readers_do),
        cmocka_unit_test(lines_that_are_no_fields_end_the_header_or_are_stepped_over),
        cmocka_unit_test(line_ends_and_octets_that_should_not_be_are_noted),
        cmocka_unit_test(missing_fields_of_a_message_are_noted),
        cmocka_unit_test(fields_are_found_by_name_in_any_case_one_after_the_other),
        cmocka_unit_test(a_part_knows_what_its_fields_say),
        cmocka_unit_test(parameters_mean_the_same_to_all_who_ask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
