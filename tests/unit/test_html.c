/*
 * HTML as a reader sees it: text, what is hidden, facts, hostile markup.  Shows html.c,
 * html_tag.c, html_tree.c, html_text.c, html_entity.c and html_entity_names.c from outside.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <time.h>

#include "tests/unit/html_rig.h"
#include "tests/unit/seeded.h"

struct shown {
    const char *html, *visible, *all; /* all NULL: as visible */
};

static void check(const struct shown *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct html_rig *rig = html_read(cases[i].html, strlen(cases[i].html));
        const char *all = cases[i].all ? cases[i].all : cases[i].visible;
        if (strcmp(rig->visible, cases[i].visible) != 0 || strcmp(rig->all, all) != 0)
            fail_msg("%s\n  visible \"%s\"\n  want    \"%s\"\n  all     \"%s\"\n  want    \"%s\"",
                     cases[i].html, rig->visible, cases[i].visible, rig->all, all);
        free(rig);
    }
}

static void blanks_and_breaks_are_as_a_browser_shows_them(void **state)
{
    static const struct shown cases[] = {
        {"", "", NULL},
        {"a", "a", NULL},
        {" a  b\r\n\tc ", "a b c", NULL},
        {"a<b>b</b>c", "abc", NULL},
        {"a <b> b</b> c", "a b c", NULL},
        {"a<br>b<br/>c<BR />d", "a\nb\nc\nd", NULL},
        {"a<br> <br>b", "a\n\nb", NULL},
        {"<p>a</p><p>b</p>", "a\n\nb", NULL},
        {"a<p>b<hr>c", "a\n\nb\n\nc", NULL},
        {"<div>a</div><div>b</div>", "a\n\nb", NULL},
        {"<ul><li>a<li>b</ul>", "a b", NULL},
        {"<table><tr><td>a<td>b<tr><td>c</table>", "a b c", NULL},
        {"a&nbsp;&nbsp;b\xc2\xa0" "c&ensp;d&#8195;e\xe3\x80\x80" "f", "a b c d e f", NULL},
        {"a<select><option>b<option>c</select>", "a b c", NULL},
        {"a\x00", "a", NULL},
        {"2 < 3 and <3 and a<", "2 < 3 and <3 and a<", NULL},
        {"a<!DOCTYPE x>b<?php c ?>d</ e>f</>g", "abdfg", NULL},
        {"a<!-- b -->c<!-->d<!--->e<!-- f-- > -->g", "acdeg", NULL},
        {"a<![if !mso]>b<![endif]>c", "abc", NULL},
        {"a<style>b</style>c<script>d</script>e", "ace", NULL},
        {"a<script>'</scrip>' <b></SCRIPT x>c", "ac", NULL},
        {"a<textarea><b>&amp;</textarea>c", "a <b>& c", NULL},
        {"<xmp><b>&amp;</xmp>c", "<b>&amp;\n\nc", NULL},
        {"a<plaintext><b></plaintext>", "a\n\n<b></plaintext>", NULL},
        {"say \xe2\x80\x9chi\xe2\x80\x9d", "say \"hi\"", NULL},
        {"\xe4\xbd\xa0\xe3\x81\x82\xc3\xa9", "\xe4\xbd\xa0\xe3\x81\x82\xc3\xa9", NULL},
    };
    (void)state;
    check(cases, sizeof(cases) / sizeof(*cases));
}

static void references_are_read_as_browsers_do(void **state)
{
    static const struct shown cases[] = {
        {"&lt;&gt;&amp;&quot;", "<>&\"", NULL},
        {"&eacute;&Eacute;&euro;", "\xc3\xa9\xc3\x89\xe2\x82\xac", NULL},
        {"&amp", "&", NULL},
        {"&ampx &copy2 &eacutet", "&x \xc2\xa9" "2 \xc3\xa9t", NULL},
        {"&notit; &notin", "\xc2\xacit; \xc2\xacin", NULL},
        {"&euro &nosuch; &; & &", "&euro &nosuch; &; & &", NULL},
        {"&#65;&#x42;&#X43&#68 &#069;", "ABCD E", NULL},
        {"&#; &#x; &#xg; &#", "&#; &#x; &#xg; &#", NULL},
        {"&#150;&#x92;&#128;", "\xe2\x80\x93\xe2\x80\x99\xe2\x82\xac", NULL},
        {"&#0;&#xd800;&#x110000;&#99999999999;",
         "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", NULL},
        {"&#x1f600;", "\xf0\x9f\x98\x80", NULL},
        {"a&NewLine;b&Tab;c", "a b c", NULL},
        {"v&ZeroWidthSpace;i&lpar;a&rpar;", "v\xe2\x80\x8bi(a)", NULL},
    };
    (void)state;
    check(cases, sizeof(cases) / sizeof(*cases));
}

static void WEIR_HTML_ENTITY_MAX_octets_make_a_reference_and_no_more(void **state)
{
    char text[WEIR_HTML_ENTITY_MAX + 4];
    (void)state;
    for (int more = 0; more <= 1; more++) {
        /* "&#", zeros, "65", ";" counted without the semicolon */
        int len = snprintf(text, sizeof(text), "&#%0*d;", WEIR_HTML_ENTITY_MAX - 2 + more, 65);
        struct html_rig *rig = html_read(text, (size_t)len);
        assert_string_equal(rig->visible, more ? text : "A");
        free(rig);
    }
}

static void hidden_text_is_in_all_and_not_in_visible(void **state)
{
    static const struct shown cases[] = {
        {"a<span style='display:none'>b</span>c", "ac", "abc"},
        {"a <span style='display:none'> b </span> c", "a c", "a b c"},
        {"a<div hidden>b</div>c", "ac", "a\nb\nc"},
        {"<title>t</title>a", "a", "t\n\na"},
        {"a<template>b</template>c<noframes>d</noframes>", "ac", "abc d"},
        {"a<iframe><b></iframe>c", "a c", "a <b> c"},
        {"a<font color=white>b</font>c", "ac", "abc"},
        {"a<font color=white> b </font>c", "a c", "a b c"},
        {"<body bgcolor=#000080 text=#000080>a<font color=yellow>b", "b", "ab"},
        {"<td bgcolor=blue><font color='#fff'>a</font><td><font color='#fff'>b</font>", "a", "a b"},
        {"<div style='visibility:hidden'>a<b style='visibility:visible'>b</b></div>c", "b\nc",
         "ab\nc"},
        {"<div style='font-size:0'>a<b style='font-size:12px'>b</b></div>c", "b\nc", "ab\nc"},
        {"<div style='opacity:0'>a<b style='opacity:1'>b</b></div>c", "c", "ab\nc"},
        {"<div style='display:none'>a<b style='display:inline'>b</b></div>c", "c", "ab\nc"},
        {"<td background=x.gif><font color=white>a", "a", NULL},
    };
    (void)state;
    check(cases, sizeof(cases) / sizeof(*cases));
}

#define HIDE "<span style=display:none>"

static void wrong_nesting_hides_what_browsers_hide(void **state)
{
    static const struct shown cases[] = {
        {HIDE "a<b></span>b</b>c", "bc", "abc"},
        {HIDE "a</b>b</i>c</span>d", "d", "abcd"},
        {HIDE "a<section></span>b</section>c</span>d", "d", "a b cd"},
        {"<b><section style=display:none></b>a</section>c", "c", "a c"},
        {"<section style=display:none><span></section>a", "a", NULL},
        {"<section><b style=display:none></section>a</b>c", "c", "ac"},
        {"<p style=display:none>a<p>b", "b", "a\n\nb"},
        {"<p style=display:none>a<div>b", "b", "a\nb"},
        {"<ul><li style=display:none>a<li>b</ul>", "b", "a b"},
        {"<table><tr style=display:none><td>a<tr><td>b</table>", "b", "a b"},
        {"<table><tr><td style=display:none>a<td>b</table>c", "b c", "a b c"},
        {HIDE "<table><tr><td></span>a</table>b</span>c", "c", "a bc"},
        {"<xa style=display:none>a</xb>b</xa>c", "c", "abc"},
        {"<XA style=display:none>a</xa >b", "b", "ab"},
        {"<br style=display:none>a", "a", NULL},
        {"<img hidden>a</img>", "a", NULL},
        {"<html><body style='color:red'>a</body></html>b", "ab", NULL},
        {"<b style='x' style=display:none>a", "a", NULL}, /* the first of two counts */
        {"<b style=display:none style='x'>a", "", "a"},
        {"<b STYLE = 'display:none'/>a", "", "a"},
        {"<b/style=display:none/>a", "a", NULL}, /* "none/" is no value of display */
    };
    (void)state;
    check(cases, sizeof(cases) / sizeof(*cases));
}

static void nul_in_a_name_makes_it_another_name(void **state)
{
    static const char script[] = "a<scr\0ipt>b</scr\0ipt>c", text[] = "v\0i";
    struct html_rig *rig = html_read(script, sizeof(script) - 1);
    (void)state;
    assert_string_equal(rig->visible, "abc");
    free(rig);
    rig = html_read(text, sizeof(text) - 1);
    assert_string_equal(rig->visible, "vi");
    free(rig);
}

static void markup_that_never_ends_is_noted(void **state)
{
    static const struct shown cases[] = {
        {"a<b", "a", NULL},          {"a<b c='d>e", "a", NULL},
        {"a<!-- b > c", "a", "a c"}, {"a<!-- b <p>c</p> <i>d", "a", "ac\n\nd"},
        {"a<style>b", "a", NULL},    {"a<title>b</b>c", "a\n\nbc", NULL},
        {"a<!b", "a", NULL},         {"a</b", "a", NULL},
    };
    (void)state;
    check(cases, sizeof(cases) / sizeof(*cases));
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct html_rig *rig = html_read(cases[i].html, strlen(cases[i].html));
        assert_true(html_fact(rig, WEIR_HTML_BAD));
        free(rig);
    }
}

static void facts_are_told(void **state)
{
    static const struct {
        const char *html;
        unsigned facts;
    } cases[] = {
        {"<p>hello <b>world</b>", 0},
        {HIDE "seven12", 0},
        {HIDE "eight123", 1u << WEIR_HTML_HIDDEN_TEXT},
        {HIDE "&nbsp; .... ,,,, ----", 0},
        {"<b style=font-size:1px>a", 1u << WEIR_HTML_TINY_FONT},
        {"<b style=font-size:3px>a", 1u << WEIR_HTML_TINY_FONT},
        {"<b style=font-size:0></b><b style=font-size:4px>a", 0},
        {"<font color=#fffffe>a", 1u << WEIR_HTML_SAME_COLOUR},
        {"<form>", 1u << WEIR_HTML_FORM},
        {"<script></script>", 1u << WEIR_HTML_SCRIPT},
        {"<b onclick=x>", 1u << WEIR_HTML_SCRIPT},
        {"<a href='java&#115;cript:x'>", 1u << WEIR_HTML_SCRIPT},
        {"<a href='java\nscript:x'>", 1u << WEIR_HTML_SCRIPT},
        {"<iframe></iframe>", 1u << WEIR_HTML_EMBED},
        {"<object>", 1u << WEIR_HTML_EMBED},
        {"<meta http-equiv=Refresh content=3>", 1u << WEIR_HTML_REFRESH},
        {"<base target=x>", 1u << WEIR_HTML_BASE},
        {"vi<!-- x -->agra", 1u << WEIR_HTML_SPLIT_WORD},
        {"vi<b></b>agra", 1u << WEIR_HTML_SPLIT_WORD},
        {"vi<zz>agra", 1u << WEIR_HTML_SPLIT_WORD},
        {"vi <!-- x -->agra", 0},
        {"vi<!-- x --> agra", 0},
        {"v<b>i</b>agra", 0},
        {"vi<br>agra<wbr>x", 0},
        {"<img src=x>", 1u << WEIR_HTML_ONLY_IMAGE},
        {"<img src=x>abcdefghijklmnopqrs", 1u << WEIR_HTML_ONLY_IMAGE},
        {"<img src=x>abcdefghijklmnopqrst", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct html_rig *rig = html_read(cases[i].html, strlen(cases[i].html));
        if (rig->html.facts != cases[i].facts)
            fail_msg("%s: %x, want %x", cases[i].html, rig->html.facts, cases[i].facts);
        free(rig);
    }
    for (unsigned fact = 0; fact < WEIR_HTML_FACTS; fact++)
        assert_true(strlen(weir_html_fact_name(fact)) > 2);
}

static void the_title_is_given_as_it_stands(void **state)
{
    static const char text[] = "<TITLE>a &amp; b</title ><title>c</title>";
    struct html_rig *rig = html_read(text, strlen(text));
    (void)state;
    assert_int_equal(rig->html.title.len, 9);
    assert_memory_equal(rig->html.title.at, "a &amp; b", 9);
    free(rig);
}

static size_t repeat(char *text, size_t at, const char *unit, size_t times)
{
    for (size_t i = 0; i < times; i++, at += strlen(unit))
        memcpy(text + at, unit, strlen(unit));
    return at;
}

static void past_WEIR_HTML_DEPTH_MAX_hiding_neither_sticks_nor_gets_lost(void **state)
{
    static char text[65536];
    (void)state;
    for (size_t depth = WEIR_HTML_DEPTH_MAX - 2; depth <= WEIR_HTML_DEPTH_MAX + 2; depth++) {
        size_t len = repeat(text, 0, "<i>", depth);
        len = repeat(text, len, HIDE "a<u>b</u>c</span>d", 1);
        len = repeat(text, len, "</i>", depth);
        len = repeat(text, len, "e" HIDE "f</span>g", 1);
        struct html_rig *rig = html_read(text, len);
        assert_string_equal(rig->visible, "deg");
        assert_string_equal(rig->all, "abcdefg");
        free(rig);
    }
    size_t len = repeat(text, 0, "<section hidden>", 1);
    len = repeat(text, len, "<i>", 2 * WEIR_HTML_DEPTH_MAX);
    len = repeat(text, len, "a" HIDE "b</section>c", 1);
    struct html_rig *rig = html_read(text, len);
    assert_string_equal(rig->visible, "c");
    free(rig);
}

static void WEIR_HTML_ATTRIBUTES_MAX_attributes_are_read(void **state)
{
    static char text[4096];
    (void)state;
    for (size_t others = WEIR_HTML_ATTRIBUTES_MAX - 1; others <= WEIR_HTML_ATTRIBUTES_MAX;
         others++) {
        size_t len = repeat(text, 0, "<b", 1);
        len = repeat(text, len, " x=1", others);
        len = repeat(text, len, " hidden>a", 1);
        struct html_rig *rig = html_read(text, len);
        assert_string_equal(rig->visible, others < WEIR_HTML_ATTRIBUTES_MAX ? "" : "a");
        free(rig);
    }
}

static void what_does_not_fit_is_left_out(void **state)
{
    char few[8], more[16], room[8];
    struct weir_line visible = weir_line(few, sizeof(few)), all = weir_line(more, sizeof(more));
    struct weir_line targets = weir_line(room, sizeof(room));
    struct weir_link link[2];
    struct weir_html html = {.visible = &visible, .all = &all, .targets = &targets, .link = link,
                             .links_most = 2};
    static const char text[] = "<a href=x>abc</a> <a href=toolongforit>defghi</a>"
                               "<a href=y>jk</a><a href=z>l</a>";
    (void)state;
    weir_html_read((struct weir_slice){text, strlen(text)}, &html);
    assert_string_equal(weir_line_end(&visible), "abc def");
    assert_true(visible.cut);
    assert_string_equal(weir_line_end(&all), "abc defghijkl");
    assert_false(all.cut);
    assert_int_equal(html.links, 1); /* a targets line once cut stays closed */
}

static double seconds_for(const char *text, size_t len)
{
    struct timespec from, to;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    struct html_rig *rig = html_read(text, len);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
    free(rig);
    return (double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec);
}

/* 5 MB in quadratic time would take minutes; two seconds allow for sanitizers. */
static void five_megabytes_of_anything_take_linear_time(void **state)
{
    static const char *const units[] = {
        "<b>",      "<div>",    "<x>",    "</b>",  "<",         "</",         "<a b=\"",
        "<!--",     "<!-- -->", "<title>", "<textarea>", "&",   "&#0000000",  "&aaaaaaaaaaaa",
        "<table><tr><td>", "<p>", "<span hidden><div></span>", "<b><div></b>", "\xe2\x80",
        "<a href=x>www.a.com ", " a=b", "<div><b></div>", "<font color=0><div></font>",
        "<meta http-equiv=refresh content='url url ", "<b style='a/**/b;", "</title", "\xc2\xa0",
    };
    enum { LEN = 5000000 };
    char *text = malloc(LEN);
    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
        size_t unit = strlen(units[i]);
        repeat(text, 0, units[i], LEN / unit);
        double seconds = seconds_for(text, LEN / unit * unit);
        if (seconds > 2)
            fail_msg("%s: %.1f s", units[i], seconds);
    }
    free(text);
}

static void random_markup_never_shows_more_than_there_is(void **state)
{
    static const char *const pieces[] = {
        "<b>", "</b>", "<div>", "</div>", HIDE, "</span>", "<p>", "<td>", "<table>", "</table>",
        "a", " ", "<font color=white>", "</font>", "&amp;", "<!--", "-->", "<x hidden>", "</x>",
    };
    enum { PIECES = sizeof(pieces) / sizeof(*pieces) };
    struct seeded seed = seeded_new("random_markup");
    (void)state;
    for (unsigned round = 0; round < 2000; round++) {
        char text[2048];
        size_t len = 0;
        for (unsigned i = seeded_below(&seed, 100); i > 0; i--)
            len = repeat(text, len, pieces[seeded_below(&seed, PIECES)], 1);
        struct html_rig *rig = html_read(text, len);
        const char *at = rig->all; /* visible's letters are among all's, in order */
        for (const char *c = rig->visible; *c; c++)
            if (*c == 'a' || *c == '&') {
                at = strchr(at, *c);
                assert_non_null(at);
                at++;
            }
        free(rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blanks_and_breaks_are_as_a_browser_shows_them),
        cmocka_unit_test(references_are_read_as_browsers_do),
        cmocka_unit_test(WEIR_HTML_ENTITY_MAX_octets_make_a_reference_and_no_more),
        cmocka_unit_test(hidden_text_is_in_all_and_not_in_visible),
        cmocka_unit_test(wrong_nesting_hides_what_browsers_hide),
        cmocka_unit_test(nul_in_a_name_makes_it_another_name),
        cmocka_unit_test(markup_that_never_ends_is_noted),
        cmocka_unit_test(facts_are_told),
        cmocka_unit_test(the_title_is_given_as_it_stands),
        cmocka_unit_test(past_WEIR_HTML_DEPTH_MAX_hiding_neither_sticks_nor_gets_lost),
        cmocka_unit_test(WEIR_HTML_ATTRIBUTES_MAX_attributes_are_read),
        cmocka_unit_test(what_does_not_fit_is_left_out),
        cmocka_unit_test(five_megabytes_of_anything_take_linear_time),
        cmocka_unit_test(random_markup_never_shows_more_than_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
