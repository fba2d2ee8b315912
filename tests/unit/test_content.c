/*
 * The texts of messages that rules look at: body, raw, html, full, attachments (content.c,
 * content_text.c, content_body.c).  test_content_uri.c has the links.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/base/arena_impl.h"
#include "core/base/limits.h"
#include "tests/unit/content_rig.h"
#include "tests/unit/seeded.h"

#define HEAD "Subject: s\n"
#define HTML HEAD "Content-Type: text/html\n\n"
#define MIXED HEAD "Content-Type: multipart/mixed; boundary=b\n\n"

static void check_area(void **state, enum weir_area_kind kind, const struct content_case *cases,
                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct content_rig *rig = *state;
        const char *got = content_rig_lines(rig, cases[i].text, strlen(cases[i].text), kind);
        if (strcmp(got, cases[i].want) != 0)
            fail_msg("%s\ngot  %s\nwant %s", cases[i].text, got, cases[i].want);
    }
}

#define CHECK(kind, cases) check_area(state, kind, cases, sizeof(cases) / sizeof((cases)[0]))

static void the_body_is_the_subject_and_paragraphs_a_line_each(void **state)
{
    static const struct content_case cases[] = {
        {"A: b\n\n", "$"},
        {HEAD "\n", "s$"},
        {HEAD "\nHello\n", "s$|Hello "},
        {HEAD "\nHello \n there\n\nYou\n", "s$|Hello there$|You "},
        {HEAD "\nHello\n\n\n\nYou", "s$|Hello$|You"},
        {HEAD "\nHello\r\n\r\nYou\r\n", "s$|Hello$|You "},
        {HEAD "\na \n \t\n b", "s$|a $| b"},
        {HEAD "\na\v\fb\rc\xc2\xa0" "d\xe2\x80\xa8" "e", "s$|a b c d e"},
        {HEAD "\n\xc3\xa4\xe2\x82\xac", "s$|\xc3\xa4\xe2\x82\xac"},
        {"Subject: =?utf-8?q?=C3=A4?=\n folded\n\nx", "\xc3\xa4 folded$|x"},
    };
    CHECK(WEIR_AREA_BODY, cases);
}

static void the_body_has_the_text_of_all_text_parts(void **state)
{
    static const struct content_case cases[] = {
        {MIXED "pre\n--b\n\nOne\n--b\nContent-Type: text/html\n\n<b>Two</b>\n--b--\npost\n",
         "s$|One Two"},
        {MIXED "--b\nContent-Type: image/png\n\nOne\n--b\n\nTwo\n--b--\n", "s$|Two"},
        {MIXED "--b\nContent-Disposition: attachment\n\nOne\n--b--\n", "s$|One"},
        {MIXED "--b\nContent-Type: message/rfc822\n\nSubject: t\n\nOne\n--b--\n", "s$|One"},
        {MIXED "--c\nno such part\n", "s$|--c no such part "},
        {HEAD "Content-Type: text/plain; charset=iso-8859-1\n\n\xe4", "s$|\xc3\xa4"},
        {HEAD "Content-Type: text/plain; charset=iso-8859-1\n\n\xc3\xa4", "s$|\xc3\xa4"},
        {HEAD "Content-Transfer-Encoding: quoted-printable\n\na=20=\nb=3D", "s$|a b="},
        {HEAD "Content-Transfer-Encoding: base64\n\nSGVs\nbG8=\n", "s$|Hello"},
        {HEAD "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n"
         "QTogYgoKT25lCg==\n", "s$|One "},
        {HEAD "Content-Type: application/octet-stream; name=a.HTML\n\n<i>x</i>", "s$|x"},
        {HEAD "\nsee\nbegin 644 a.txt\n%:&5L;&\\`\n`\nend\n",
         "s$|see begin 644 a.txt %:&5L;&\\` ` end$|hello"},
    };
    CHECK(WEIR_AREA_BODY, cases);
}

static void hidden_text_is_in_its_place_and_what_is_seen_comes_once_more(void **state)
{
    static const struct content_case cases[] = {
        {HTML "V<i style=\"display:none\">hidden words</i>iagra", "s$|Vhidden wordsiagra$|Viagra"},
        {HTML "V<i style=\"display:none\">x</i>iagra", "s$|Vxiagra$|Viagra"},
        {HTML "<title>t</title><p>Viagra", "s$|t$|Viagra"},
        {HTML "<p>One<p>V<i hidden>x</i>iagra<p>Two", "s$|One$|Vxiagra$|Two$|Viagra"},
        {HTML "<p>One<p hidden>x<p>Two", "s$|One$|x$|Two$|One"},
        {HTML "<p>One</p><p hidden>x</p><p>Two", "s$|One$|x$|Two"},
        {HTML "<p>One</p><i hidden>x</i>Two", "s$|One$|xTwo$|Two"},
        {HTML "One<i hidden>x</i><p>Two", "s$|Onex$|Two$|One"},
        {HTML "Via<p hidden></p>gra", "s$|Via$|gra$|Viagra"},
        {HTML "Hi <b>there</b><br>you<br><br>all", "s$|Hi there you$|all"},
    };
    CHECK(WEIR_AREA_BODY, cases);
}

#define ZW "\xe2\x80\x8b"
#define SHY "\xc2\xad"

static void paragraphs_with_invisible_characters_come_once_more_without(void **state)
{
    static const struct content_case cases[] = {
        {HEAD "\nf" ZW "ree\n\nmoney\n", "s$|f" ZW "ree$|money$|free"},
        {HEAD "\nmoney\n\nf" SHY "r" ZW ZW "ee", "s$|money$|f" SHY "r" ZW ZW "ee$|free"},
        {HEAD "\nfree " ZW " money", "s$|free " ZW " money$|free money"},
        {HEAD "\n\xe2\x9d\xa4\xef\xb8\x8f yes", "s$|\xe2\x9d\xa4\xef\xb8\x8f yes"},
        {HEAD "\n\xd9\x85\xe2\x80\x8c\xd9\x85", "s$|\xd9\x85\xe2\x80\x8c\xd9\x85"},
        {HTML "<p>One<p>f&shy;r&#8203;ee<p>Two",
         "s$|One$|f" SHY "r" ZW "ee$|Two$|free"},
        {HTML "<p>f<i hidden>x</i>r&#8203;ee", "s$|fxr" ZW "ee$|free"},
        {HTML "<p>Offers &zwnj;&nbsp;&zwnj;<p>Two",
         "s$|Offers \xe2\x80\x8c \xe2\x80\x8c$|Two$|Offers "},
        {"Subject: f" ZW "ree\n\nx", "f" ZW "ree free$|x"},
        {"Subject: =?utf-8?q?f=C2=ADree?=\n\nx", "f" SHY "ree free$|x"},
    };
    static const struct content_case raw[] = {
        {HEAD "\nf" ZW "ree", "f" ZW "ree"},
    };
    CHECK(WEIR_AREA_BODY, cases);
    CHECK(WEIR_AREA_RAW, raw);
}

static void invisible_characters_inside_words_are_counted(void **state)
{
    static const struct {
        const char *text;
        size_t want;
    } cases[] = {
        {HEAD "\nf" ZW "r" ZW "ee", 2},
        {HEAD "\nf " ZW " ree" ZW, 0},
        {HTML "f&#8203;ree<i hidden>f&#8203;ree</i>", 1},
        {HTML "<title>f&#8203;ree</title>&zwnj;&nbsp;&zwnj;", 0},
        {"Subject: f" ZW "ree\n\nx", 1},
        {"From: f" ZW "ree <a@b.example>\n\nx", 1},
        {HTML "Don&shy;au&shy;dampf", 0},
        {HTML "v&shy;i&shy;a&shy;gra", 3},
    };
    struct content_rig *rig = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        content_rig_read(rig, cases[i].text, strlen(cases[i].text));
        if (rig->content.invisible != cases[i].want)
            fail_msg("%s: %zu, not %zu", cases[i].text, rig->content.invisible, cases[i].want);
    }
}

static void a_part_in_utf_7_is_read(void **state)
{
    static const struct content_case cases[] = {
        {HEAD "Content-Type: text/plain; charset=utf-7\n\n+AGYAcgBlAGU- 1 +- 1",
         "s$|free 1 + 1"},
        {HEAD "Content-Type: text/html; charset=\"unicode-1-1-utf-7\"\n\n+ADw-b+AD4-x",
         "s$|x"},
    };
    CHECK(WEIR_AREA_BODY, cases);
}

static void raw_text_is_decoded_and_nothing_else(void **state)
{
    static const struct content_case cases[] = {
        {HEAD "\nA  b\n\nc\n", "A  b$$c$"},
        {HEAD "\nA\r\nb\rc\r\n", "A$b\rc$"},
        {HEAD "Content-Transfer-Encoding: base64\n\nPGI+SGk8L2I+\n", "<b>Hi</b>"},
        {HTML "<b>\xe4</b>\n", "<b>\xe4</b>$"},
        {MIXED "--b\n\nOne\n--b\nContent-Type: text/html\n\n<b>\n--b--\n", "One|<b>"},
        {MIXED "--b\nContent-Type: image/png\n\nOne\n--b--\n", ""},
    };
    static const struct content_case html[] = {
        {HTML "<b>\n<i>\n", "<b>$|<i>$"},
        {HEAD "\n<b>\n", ""},
    };
    CHECK(WEIR_AREA_RAW, cases);
    CHECK(WEIR_AREA_HTML, html);
}

static void the_full_text_is_the_message_as_it_stands(void **state)
{
    static const struct content_case cases[] = {
        {"From ann\n" HEAD "\nA\r\nb", "Subject: s$$A\r$b"},
        {"", ""},
    };
    CHECK(WEIR_AREA_FULL, cases);
}

static void attachments_are_counted(void **state)
{
    static const char *const one[] = {
        "Content-Type: image/png; name=\"a b.png\"\n\n", "Content-Type: image/png\n\n",
        "Content-Disposition: attachment; filename*=utf-8''%C3%A4.txt\n\n",
        "\nbegin 644 a.exe\n#0V%T\n`\nend\n",
    };
    struct content_rig *rig = *state;
    for (size_t i = 0; i < sizeof(one) / sizeof(one[0]); i++) {
        content_rig_read(rig, one[i], strlen(one[i]));
        assert_int_equal(rig->content.attachments, 1);
    }
    content_rig_read(rig, "A: b\n\nx", 7);
    assert_int_equal(rig->content.attachments, 0);
    assert_true(rig->content.has_text && !rig->content.has_html);
}

static void what_is_called_html_is_html_however_its_name_is_written(void **state)
{
    static const struct {
        const char *head;
        bool html;
    } cases[] = {
        {"Content-Type: a/b; name=a.html", true},
        {"Content-Type: a/b; name=\"a.HTM\"", true},
        {"Content-Type: a/b; name=a.html.", true},
        {"Content-Type: a/b; name=\"a.html .\"", true},
        {"Content-Type: a/b; name=\"a.ht\\\\ml\"", false},
        {"Content-Type: a/b name=a.html", true},
        {"Content-Type: a/b; charset=x name=a.html", true},
        {"Content-Type: a/b\nContent-Disposition: inline; filename*0=\"a.ht\"; filename*1=\"ml\"",
         true},
        {"Content-Type: a/b\nContent-Disposition: inline; filename*1=ml; filename*0=a.ht", true},
        {"Content-Type: a/b\nContent-Disposition: inline; filename*=utf-8''a%2Ehtml", true},
        {"Content-Type: a/b\nContent-Disposition: inline; filename*=utf-16be''%00.%00h%00t%00m",
         true},
        {"Content-Type: a/b; name=\"=?utf-8?q?a=2Eht?= =?utf-8?q?ml?=\"", true},
        {"Content-Type: a/b; name=\"=?iso-8859-1?b?YS5odG1s?=\"", true},
        {"Content-Type: a/b; name=a.html.txt", false},
        {"Content-Type: a/b; name=html", false},
        {"Content-Type: a/b; name=\"\"", false},
        {"Content-Type: a/b", false},
    };
    struct content_rig *rig = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[300];
        int len = snprintf(text, sizeof(text), "%s\n\n<p>x", cases[i].head);
        content_rig_read(rig, text, (size_t)len);
        if (rig->content.has_html != cases[i].html)
            fail_msg("%s: %d", cases[i].head, rig->content.has_html);
    }
}

static void wrong_encodings_and_charsets_are_noted(void **state)
{
    static const struct {
        const char *text;
        enum weir_defect want;
    } cases[] = {
        {"Content-Transfer-Encoding: base64\n\nSGVs!!bG8=\n", WEIR_DEFECT_BAD_BASE64},
        {"Content-Transfer-Encoding: quoted-printable\n\na=zz\n", WEIR_DEFECT_BAD_QUOTED},
        {"Content-Type: text/plain; charset=x-none\n\nx\n", WEIR_DEFECT_BAD_CHARSET},
    };
    struct content_rig *rig = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        content_rig_read(rig, cases[i].text, strlen(cases[i].text));
        assert_true(rig->message.defects >> cases[i].want & 1);
    }
}

/* Fills a body with a piece and gives the area. */
static const struct weir_area *filled(struct content_rig *rig, const char *head, const char *piece,
                                      size_t times, enum weir_area_kind kind)
{
    size_t head_len = strlen(head), len = strlen(piece);
    static char text[2 * WEIR_AREA_MAX];
    assert_true(head_len + times * len <= sizeof(text));
    memcpy(text, head, head_len);
    for (size_t i = 0; i < times; i++)
        memcpy(text + head_len + i * len, piece, len);
    content_rig_read(rig, text, head_len + times * len);
    return &rig->content.area[kind];
}

static bool limited(const struct content_rig *rig)
{
    return rig->message.defects >> WEIR_DEFECT_LIMIT & 1;
}

static void a_body_line_of_WEIR_AREA_LINE_MAX_is_whole_and_a_longer_one_is_split(void **state)
{
    struct content_rig *rig = *state;
    assert_int_equal(filled(rig, "A: b\n\n", "x", WEIR_AREA_LINE_MAX, WEIR_AREA_BODY)->lines, 2);
    const struct weir_area *body = filled(rig, "A: b\n\n", "x", WEIR_AREA_LINE_MAX + 1,
                                          WEIR_AREA_BODY);
    assert_int_equal(body->lines, 3);
    assert_int_equal(weir_area_line(body, 1).len, WEIR_AREA_LINE_MAX);
    body = filled(rig, "A: b\n\n", "word ", WEIR_AREA_LINE_MAX, WEIR_AREA_BODY);
    for (size_t i = 1; i < body->lines; i++) {
        struct weir_slice line = weir_area_line(body, i);
        assert_true(line.len <= WEIR_AREA_LINE_MAX + 1 && line.at[line.len - 1] == ' ');
    }
}

static void raw_pieces_are_whole_lines_of_one_to_two_times_WEIR_AREA_LINE_MAX(void **state)
{
    struct content_rig *rig = *state;
    const struct weir_area *raw = filled(rig, "A: b\n\n", "a line\n", 10000, WEIR_AREA_RAW);
    assert_int_equal(weir_area_len(raw), 70000);
    for (size_t i = 0; i < raw->lines; i++) {
        struct weir_slice piece = weir_area_line(raw, i);
        assert_int_equal(piece.at[piece.len - 1], '\n');
        assert_true(piece.len <= 2 * WEIR_AREA_LINE_MAX);
        assert_true(i + 1 == raw->lines || piece.len >= WEIR_AREA_LINE_MAX);
    }
}

static void text_past_WEIR_AREA_MAX_is_cut(void **state)
{
    struct content_rig *rig = *state;
    const struct weir_area *raw = filled(rig, "A: b\n\n", "x", WEIR_AREA_MAX, WEIR_AREA_RAW);
    assert_int_equal(weir_area_len(raw), WEIR_AREA_MAX);
    raw = filled(rig, "A: b\n\n", "x", WEIR_AREA_MAX + 1, WEIR_AREA_RAW);
    assert_int_equal(weir_area_len(raw), WEIR_AREA_MAX);
    assert_true(limited(rig));
    filled(rig, "A: b\n\n", "x", WEIR_AREA_MAX / 2, WEIR_AREA_RAW);
    assert_false(limited(rig));
}

static void ends_with(const struct weir_area *area, const char *want)
{
    size_t len = strlen(want);
    assert_true(weir_area_len(area) >= len);
    assert_memory_equal(area->text + weir_area_len(area) - len, want, len);
}

/* What comes twice, or decoded too, takes no room from the parts behind it. */
static void a_part_that_grows_and_comes_once_more_leaves_room_for_the_next(void **state)
{
    static const char euros[] = MIXED "--b\nContent-Type: text/plain; charset=windows-1252\n\n";
    static const char uuencoded[] = MIXED "--b\n\nbegin 644 a.txt\n";
    static const char next[] = "a\xad" "b\n--b\n\nWhat it is about\n--b--\n";
    static const char last[] = "`\nend\n--b\n\nWhat it is about\n--b--\n";
    static const struct {
        const char *head, *piece, *tail;
        enum weir_area_kind kind;
        const char *want;
    } cases[] = {
        {euros, "\x80", next, WEIR_AREA_BODY, "What it is about"},
        {uuencoded, "%:&5L;&\\`\n", last, WEIR_AREA_RAW, "What it is about"},
    };
    struct content_rig *rig = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t len = strlen(cases[i].head), most = len + 20000;
        static char text[21000];
        memcpy(text, cases[i].head, len);
        for (size_t piece = strlen(cases[i].piece); len + piece <= most; len += piece)
            memcpy(text + len, cases[i].piece, piece);
        memcpy(text + len, cases[i].tail, strlen(cases[i].tail));
        content_rig_read(rig, text, len + strlen(cases[i].tail));
        assert_false(limited(rig));
        ends_with(&rig->content.area[cases[i].kind], cases[i].want);
    }
}

static void a_text_has_at_most_WEIR_AREA_LINES_MAX_lines(void **state)
{
    struct content_rig *rig = *state;
    for (size_t more = 0; more < 2; more++) {
        const struct weir_area *body = filled(rig, "A: b\n\n", "x\n\n",
                                              WEIR_AREA_LINES_MAX - 1 + more, WEIR_AREA_BODY);
        assert_int_equal(body->lines, WEIR_AREA_LINES_MAX);
        assert_int_equal(limited(rig), more);
    }
}

/* Paragraphs and blanks as the header says it, run by run. */
static size_t body_model(const char *text, size_t len, char *out)
{
    size_t size = 0;
    for (size_t i = 0, end; i < len; i = end) {
        size_t lines = 0, first = 0, last = 0;
        for (end = i; end < len && memchr(" \t\n", text[end], 3); end++) {
            if (text[end] == '\n') {
                last = end;
                first = lines++ == 0 ? end : first;
            }
        }
        if (end == i) {
            out[size++] = text[end++];
        } else if (lines < 2) {
            out[size++] = ' ';
        } else {
            if (first > i)
                out[size++] = ' ';
            out[size++] = '\n';
            if (last + 1 < end)
                out[size++] = ' ';
        }
    }
    return size;
}

static void random_text_is_collapsed_as_a_simple_model_does(void **state)
{
    struct content_rig *rig = *state;
    struct seeded s = seeded_new(__func__);
    for (int round = 0; round < 3000; round++) {
        char text[100] = "A: b\n\n", want[100];
        size_t len = seeded_below(&s, 90);
        for (size_t i = 0; i < len; i++)
            text[6 + i] = "ab \t\n\n"[seeded_below(&s, 6)];
        size_t want_len = body_model(text + 6, len, want);
        content_rig_read(rig, text, 6 + len);
        const struct weir_area *body = &rig->content.area[WEIR_AREA_BODY];
        assert_int_equal(weir_area_len(body), 1 + want_len);
        assert_memory_equal(body->text + 1, want, want_len);
    }
}

static void when_memory_is_short_it_is_said(void **state)
{
    static const char text[] = MIXED "--b\n\nhttp://a.example/\n--b\n"
                               "Content-Type: a/b; name=x\n\n--b--\n";
    struct content_rig *rig = *state;
    struct weir_content content;
    unsigned n = 1;
    for (;; n++) {
        content_rig_parse(rig, text, strlen(text));
        weir_arena_fail_nth(rig->arena, n);
        int rc = weir_content_read(&rig->message, rig->charsets, rig->arena, &content);
        if (!weir_arena_failed(rig->arena)) {
            assert_int_equal(rc, 0);
            break;
        }
        assert_int_equal(rc, WEIR_ENOMEM);
    }
    assert_true(n > 10);
    weir_arena_fail_nth(rig->arena, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, content_rig_up, content_rig_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_body_is_the_subject_and_paragraphs_a_line_each),
        TEST(the_body_has_the_text_of_all_text_parts),
        TEST(hidden_text_is_in_its_place_and_what_is_seen_comes_once_more),
        TEST(paragraphs_with_invisible_characters_come_once_more_without),
        TEST(invisible_characters_inside_words_are_counted),
        TEST(a_part_in_utf_7_is_read),
        TEST(raw_text_is_decoded_and_nothing_else),
        TEST(the_full_text_is_the_message_as_it_stands),
        TEST(attachments_are_counted),
        TEST(what_is_called_html_is_html_however_its_name_is_written),
        TEST(wrong_encodings_and_charsets_are_noted),
        TEST(a_body_line_of_WEIR_AREA_LINE_MAX_is_whole_and_a_longer_one_is_split),
        TEST(raw_pieces_are_whole_lines_of_one_to_two_times_WEIR_AREA_LINE_MAX),
        TEST(text_past_WEIR_AREA_MAX_is_cut),
        TEST(a_part_that_grows_and_comes_once_more_leaves_room_for_the_next),
        TEST(a_text_has_at_most_WEIR_AREA_LINES_MAX_lines),
        TEST(random_text_is_collapsed_as_a_simple_model_does),
        TEST(when_memory_is_short_it_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
