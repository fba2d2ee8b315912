/*
 * What a style sheet hides: html_sheet.c, seen from outside, by whether the "x" in a text with
 * that sheet is shown.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <time.h>

#include "tests/unit/html_rig.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

struct sheet_case {
    const char *sheet, *body;
};

static bool shows(const char *text, size_t len)
{
    struct html_rig *rig = html_read(text, len);
    bool shown = strchr(rig->visible, 'x') != NULL;
    free(rig);
    return shown;
}

static void check(const struct sheet_case *cases, size_t count, bool want)
{
    for (size_t i = 0; i < count; i++) {
        char text[1024];
        int len = snprintf(text, sizeof(text), "<style>%s</style>%s", cases[i].sheet,
                           cases[i].body);
        if (shows(text, (size_t)len) != want)
            fail_msg("%s, %s: %s", cases[i].sheet, cases[i].body, want ? "hidden" : "shown");
    }
}

static void what_simple_selectors_hide_is_hidden(void **state)
{
    static const struct sheet_case cases[] = {
        {".h{display:none}", "<b class=h>x"},
        {".h{display:none}", "<b class='a h c'>x"},
        {".h { DISPLAY : None ; }", "<b class=H>x"},
        {"#h{visibility:hidden}", "<b id=h>x"},
        {"b{font-size:0}", "<b>x"},
        {"b.h{font-size:1px}", "<b class=h>x"},
        {"b#h{opacity:0}", "<b id=h>x"},
        {"a, .h , i{color:#fff}", "<b class=h>x"},
        {".h{color:white}.h{background:#fff}", "<b class=h>x"},
        {"body .h{display:none}", "<b class=h>x"},
        {"html body b{display:none}", "<b>x"},
        {"/* a { */ .h{display:none}", "<b class=h>x"},
        {"@import 'a';.h{display:none}", "<b class=h>x"},
        {"@media print{.a{color:red}}.h{display:none}", "<b class=h>x"},
        {"<!-- .h{display:none} -->", "<b class=h>x"},
        {".a{content:'}'}.h{display:none}", "<b class=h>x"},
        {".\\68 {disp\\6c ay:none}", "<b class=h>x"},
        {".h{display:none", "<b class=h>x"},
        {".h{display:none}", "<b class='&#104;'>x"},
        {".h{max-height:0;overflow:hidden}", "<b class=h>x"},
        {"o-o{display:none}", "<o-o>x"},
        {"o-o.h{display:none}", "<o-o class=h>x"},
        {".h{display:none!important}", "<b class=h style=display:inline>x"},
        {".h{display:block}#i{display:none}", "<b id=i class=h>x"},
        {"#i{display:none}.h{display:block}", "<b id=i class=h>x"},
        {".a{display:block}.h{display:none}", "<b class='h a'>x"},
        {".h{display:none}td .a{color:red}", "<b class=h>x"},
        {".h{color:#fff}.h:hover{color:red}", "<b class=h>x"},
        {".h{color:#fff}@font-face{font-family:a}@page{margin:0}", "<b class=h>x"},
        {".h{color:#fff}@media print{.a{width:1px}}", "<b class=h>x"},
        {".h{display:none}@media screen{.a{color:red}}", "<b class=h>x"},
        {".y{display:block}.x{display:none}.y{color:red}", "<b class='x y'>x"},
        {".x{display:block}", "<b class=x style='display:none!important;display:block'>x"},
        {".x{display:block!important}", "<b class=x style=display:none!important>x"},
    };
    (void)state;
    check(cases, COUNT(cases), false);
}

static void what_they_do_not_hide_is_shown(void **state)
{
    static const struct sheet_case cases[] = {
        {"", "<b class=h>x"},
        {".h{display:none}", "<b class=hh>x"},
        {".h{display:none}", "<b id=h>x"},
        {".h{display:none}", "<i class=h>h</i>x"},
        {"i.h{display:none}", "<b class=h>x"},
        {".h{display:none}.h{display:block}", "<b class=h>x"},
        {".h{display:none}", "<b class=h style=display:inline>x"},
        {".h{display:none}#i{display:block}", "<b id=i class=h>x"},
        {".x{display:none}.y{display:block}.x{color:red}", "<b class='x y'>x"},
        {".x{opacity:0!important}.y{opacity:1!important}.x{color:red!important}",
         "<b class='y x'>x"},
        {".x{display:none!important}", "<b class=x style=display:block!important>x"},
        {".h.g{display:none}", "<b class=h>x"},
        {"i .h{display:none}", "<b class=h>x"},
        {"i>.h{display:none}", "<b class=h>x"},
        {".h:hover{display:none}", "<b class=h>x"},
        {"[class=h]{display:none}", "<b class=h>x"},
        {"@media (max-width:600px){.h{display:none}}", "<b class=h>x"},
        {"@media print{a{color:red}.h{display:none}}", "<b class=h>x"},
        {"@media print{a{color:red}.h{display:none}", "<b class=h>x"},
        {"/* .h{display:none}", "<b class=h>x"},
        {".h{display:none}", "<!-- <b class=h> -->x"},
        {"{}{}}}{", "<b class=h>x"},
        {"@", "x"}, {"\\", "x"}, {"/*", "x"}, {"'", "x"}, {".", "x"}, {".{display:none}", "<b>x"},
        /* something was not understood: the background may be another one */
        {".h{color:#fff}td b{background:#000}", "<b class=h>x"},
        {".h{background:#000}.h b{color:#fff}", "<b class=h>x"},
        {".h{font-size:0}.h td{font-size:14px}", "<b class=h>x"},
        {".h{color:#fff}@media screen{.h{background:#06c}}", "<b class=h>x"},
        {".h{color:#fff}@supports(a){@media screen{a:hover{b:c}.h{background:#06c!important",
         "<b class=h>x"},
    };
    static const char *const media[] = {
        "<style media=print>.h{display:none}</style><b class=h>x",
        "<style media='screen and (max-width:600px)'>.h{display:none}</style><b class=h>x",
        "<!--[if mso]><style>.h{display:none}</style><![endif]--><b class=h>x",
        "<style media=tv>.h{background:#06c}</style><style>.h{color:#fff}</style><b class=h>x",
        "<style>.h{color:#fff}</style><b class=h>x</b><style media=tv>b{background:#06c}</style>",
        "<style>.h{color:#fff}</style><b class=h>x</b><style>td b{background:#06c}</style>",
    };
    (void)state;
    check(cases, COUNT(cases), true);
    for (size_t i = 0; i < COUNT(media); i++)
        assert_true(shows(media[i], strlen(media[i])));
}

static void a_sheet_holds_for_what_stands_before_it(void **state)
{
    static const char text[] =
        "<title>t</title>V<b class=h>123456789x</b>iagra <a href=http://a.example/>a</a>"
        "<style>.h{display:none}</style>";
    (void)state;
    struct html_rig *rig = html_read(text, sizeof(text) - 1);
    assert_string_equal(rig->visible, "Viagra a");
    assert_string_equal(rig->all, "t\n\nV123456789xiagra a");
    assert_string_equal(rig->again, "Viagra a");
    assert_int_equal(rig->html.links, 1);
    assert_int_equal(rig->html.title.len, 1);
    assert_true(html_fact(rig, WEIR_HTML_HIDDEN_TEXT));
    free(rig);
}

/* Limits. ----------------------------------------------------------------------- */

static void the_last_of_WEIR_HTML_RULES_MAX_selectors_counts_and_no_other(void **state)
{
    (void)state;
    for (unsigned more = 0; more <= 1; more++) {
        char text[16 * WEIR_HTML_RULES_MAX];
        struct weir_line line = weir_line(text, sizeof(text));
        weir_line_text(&line, "<style>");
        for (unsigned i = 1; i < WEIR_HTML_RULES_MAX + more; i++) {
            weir_line_text(&line, ".a");
            weir_line_count(&line, i);
            weir_line_text(&line, ",");
        }
        weir_line_text(&line, ".h{display:none}</style><b class=h>x");
        assert_false(line.cut);
        assert_int_equal(shows(text, (size_t)(line.at - text)), more);
    }
}

static void rules_with_only_colours_leave_room_for_others(void **state)
{
    static const char *const last[] = {
        ".h{display:none}</style><b class=h>x",
        "#h{color:#fff}</style><b id=h>x",
    };
    (void)state;
    for (unsigned most = WEIR_HTML_COLOUR_RULES_MAX - 1; most <= WEIR_HTML_RULES_MAX; most++) {
        char text[20 * WEIR_HTML_RULES_MAX];
        for (size_t i = 0; i < COUNT(last); i++) {
            struct weir_line line = weir_line(text, sizeof(text));
            weir_line_text(&line, "<style>.a");
            for (unsigned name = 1; name < most; name++) {
                weir_line_text(&line, ",.a");
                weir_line_count(&line, name);
            }
            weir_line_text(&line, "{color:red}");
            weir_line_text(&line, last[i]);
            assert_false(line.cut);
            bool kept = i == 0 || most < WEIR_HTML_COLOUR_RULES_MAX;
            assert_int_equal(shows(text, (size_t)(line.at - text)), !kept);
        }
    }
}

/* However many rules an element has, the one that hides is among them. */
static void as_many_rules_of_an_element_count_as_there_are(void **state)
{
    static const char *const last[] = {".h{display:none}", "#i{display:none}",
                                       "b#i{display:none}"};
    (void)state;
    for (size_t i = 0; i < COUNT(last); i++) {
        char text[2000];
        struct weir_line line = weir_line(text, sizeof(text));
        weir_line_text(&line, "<style>");
        for (unsigned name = 0; name < 40; name++) {
            weir_line_text(&line, ".a");
            weir_line_count(&line, name);
            weir_line_text(&line, "{color:red}");
        }
        weir_line_text(&line, last[i]);
        weir_line_text(&line, "</style><b id=i class='");
        for (unsigned name = 0; name < 40; name++) {
            weir_line_text(&line, "a");
            weir_line_count(&line, name);
            weir_line_text(&line, " ");
        }
        weir_line_text(&line, "h'>x");
        assert_false(line.cut);
        assert_false(shows(text, (size_t)(line.at - text)));
    }
}

static void a_selector_of_WEIR_HTML_SELECTOR_MAX_octets_is_kept_and_no_longer_one(void **state)
{
    (void)state;
    for (int more = 0; more <= 1; more++) {
        char name[WEIR_HTML_SELECTOR_MAX + 1], text[1024];
        memset(name, 'a', sizeof(name));
        int len = snprintf(text, sizeof(text), "<style>.%.*s{display:none}</style><b class=%.*s>x",
                           WEIR_HTML_SELECTOR_MAX - 1 + more, name,
                           WEIR_HTML_SELECTOR_MAX - 1 + more, name);
        assert_int_equal(shows(text, (size_t)len), more);
    }
}

static void WEIR_HTML_SHEET_MAX_octets_of_sheets_are_read(void **state)
{
    static char text[2 * WEIR_HTML_SHEET_MAX];
    static const char rule[] = ".h{display:none}";
    (void)state;
    for (int more = 0; more <= 1; more++) { /* the rule ends at the limit, or its name is cut */
        int blanks = WEIR_HTML_SHEET_MAX - (more ? 1 : (int)sizeof(rule) - 1);
        int len = snprintf(text, sizeof(text), "<style>%*s</style><style>%*s%s</style><b class=h>x",
                           blanks / 2, "", blanks - blanks / 2, "", rule);
        assert_int_equal(shows(text, (size_t)len), more);
    }
}

static void what_lies_past_WEIR_HTML_SHEET_MAX_octets_may_set_any_colour(void **state)
{
    static char text[2 * WEIR_HTML_SHEET_MAX];
    static const char rule[] = ".h{color:#fff}";
    (void)state;
    for (int more = 0; more <= 1; more++) {
        int len = snprintf(text, sizeof(text), "<style>%s%*s</style><b class=h>x", rule,
                           WEIR_HTML_SHEET_MAX - (int)sizeof(rule) + 1 + more, "");
        assert_int_equal(shows(text, (size_t)len), more);
    }
}

static double seconds_for(const char *begin, const char *again, const char *end)
{
    enum { LARGE = 5 << 20 };
    char *text = malloc(LARGE);
    struct weir_line line = weir_line(text, LARGE - strlen(end));
    weir_line_text(&line, begin);
    while (!line.cut)
        weir_line_text(&line, again);
    line.end = text + LARGE;
    weir_line_text(&line, end);
    clock_t before = clock();
    shows(text, (size_t)(line.at - text));
    free(text);
    return (double)(clock() - before) / CLOCKS_PER_SEC;
}

static void five_megabytes_of_the_worst_take_a_second_at_most(void **state)
{
    static const char *const worst[][3] = {
        {"<style>.a,.b,b.a,#a,b{display:none}</style><b ", "class='a b c d e f' id=a><b ", ">"},
        {"<style>.a{display:none}b.a{color:red}</style><b class='", "a ", "'>"},
        {"<style>.a{display:none}b.a{color:red}</style>", "<b class=a>", ""},
        {"<b class=a>x", "<style>.a{display:none}</style><b class=a>x", ""},
        {"<style>", "a/*", ""},
        {"<style>", "a{b{", ""},
        {"<style>", "'\n", ""},
        {"<style>", "@a{", ""},
        {"", "<style>/*</style>", ""},
        {"", "<style></style>", ""},
        {"", "<style media=tv>@a{b{</style>", ""},
        {"<style media=tv>", "a{b:", ""},
        {"<p>", "V<i hidden>x</i>", ""},
        {"<p>", "&shy;", ""},
        {"<p>", "a\xe2\x80\x8b", ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(worst); i++) {
        double took = seconds_for(worst[i][0], worst[i][1], worst[i][2]);
        if (took > 1)
            fail_msg("%s%s: %.2f s", worst[i][0], worst[i][1], took);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_simple_selectors_hide_is_hidden),
        cmocka_unit_test(what_they_do_not_hide_is_shown),
        cmocka_unit_test(a_sheet_holds_for_what_stands_before_it),
        cmocka_unit_test(the_last_of_WEIR_HTML_RULES_MAX_selectors_counts_and_no_other),
        cmocka_unit_test(rules_with_only_colours_leave_room_for_others),
        cmocka_unit_test(as_many_rules_of_an_element_count_as_there_are),
        cmocka_unit_test(a_selector_of_WEIR_HTML_SELECTOR_MAX_octets_is_kept_and_no_longer_one),
        cmocka_unit_test(WEIR_HTML_SHEET_MAX_octets_of_sheets_are_read),
        cmocka_unit_test(what_lies_past_WEIR_HTML_SHEET_MAX_octets_may_set_any_colour),
        cmocka_unit_test(five_megabytes_of_the_worst_take_a_second_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
