/*
 * The links of a message in the forms rules ask for (content_uri.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "core/base/limits.h"
#include "tests/unit/content_rig.h"

#define TEXT "A: b\n\n"
#define HTML "Content-Type: text/html\n\n"

static void links_come_in_the_forms_that_rules_ask_for(void **state)
{
    static const struct content_case cases[] = {
        {TEXT "nothing here\n", ""},
        {TEXT "http://a.example/x\n", "http://a.example/x$"},
        {TEXT "www.a.example\n", "http://www.a.example$"},
        {TEXT "http://a.example/%41%20\n", "http://a.example/%41%20$|http://a.example/A%20$"},
        {TEXT "http://ann@a.example:80/\n", "http://ann@a.example:80/$|http://a.example/$"},
        {TEXT "https://a.example:443\n", "https://a.example:443$|https://a.example$"},
        {TEXT "http://a.example?x\n", "http://a.example?x$|http://a.example/?x$"},
        {TEXT "http://a.example/?u=http://b.example/&c\n",
         "http://a.example/?u=http://b.example/&c$|http://b.example/$"},
        {TEXT "http://a.example/ http://a.example/\n", "http://a.example/$"},
        {HTML "<a href=\"http:\\\\a.example\\x\">y</a>",
         "http:\\\\a.example\\x$|http://a.example/x$"},
        {HTML "<a href=\"//a.example/\">y</a>", "//a.example/$|http://a.example/$"},
        {HTML "<a href=\"mailto:ann@a.example?subject=x\">y</a>",
         "mailto:ann@a.example?subject=x$|mailto:ann@a.example$"},
        {HTML "<img src=\"cid:1\"><a href=\"#top\">y</a>", "cid:1$|#top$"},
    };
    struct content_rig *rig = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *got = content_rig_lines(rig, cases[i].text, strlen(cases[i].text),
                                            WEIR_AREA_URI);
        if (strcmp(got, cases[i].want) != 0)
            fail_msg("%s\ngot  %s\nwant %s", cases[i].text, got, cases[i].want);
    }
}

static void mail_addresses_in_text_are_links(void **state)
{
    static const struct content_case cases[] = {
        {TEXT "write to ann@a.example.\n", "mailto:ann@a.example$"},
        {TEXT "<ann+x@a.example>, bob@b.example-\n",
         "mailto:ann+x@a.example$|mailto:bob@b.example$"},
        {TEXT "a@b @b.example c@ d@e.1 f@.example g@h.i\n", ""},
        {TEXT "a@b@c.example\n", "mailto:b@c.example$"},
    };
    struct content_rig *rig = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(content_rig_lines(rig, cases[i].text, strlen(cases[i].text),
                                              WEIR_AREA_URI), cases[i].want);
}

/* So many different links, and what is found of them. */
static size_t lines_of(struct content_rig *rig, size_t links)
{
    static char text[WEIR_LINKS_MAX * 32 + 64];
    size_t len = (size_t)sprintf(text, TEXT);
    for (size_t i = 0; i < links; i++)
        len += (size_t)sprintf(text + len, "http://a.example/%zu\n", i);
    content_rig_read(rig, text, len);
    return rig->content.area[WEIR_AREA_URI].lines;
}

static void WEIR_LINKS_MAX_links_are_taken_and_no_more(void **state)
{
    struct content_rig *rig = *state;
    assert_int_equal(lines_of(rig, WEIR_LINKS_MAX), WEIR_LINKS_MAX);
    assert_int_equal(lines_of(rig, WEIR_LINKS_MAX + 1), WEIR_LINKS_MAX);
}

static void a_link_of_links_is_opened_a_few_times(void **state)
{
    struct content_rig *rig = *state;
    static const char text[] = TEXT
        "http://a.bc/http://b.bc/http://c.bc/http://d.bc/http://e.bc/\n";
    assert_string_equal(content_rig_lines(rig, text, strlen(text), WEIR_AREA_URI),
                        "http://a.bc/http://b.bc/http://c.bc/http://d.bc/http://e.bc/$|"
                        "http://b.bc/http://c.bc/http://d.bc/http://e.bc/$|"
                        "http://c.bc/http://d.bc/http://e.bc/$");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, content_rig_up, content_rig_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(links_come_in_the_forms_that_rules_ask_for),
        TEST(mail_addresses_in_text_are_links),
        TEST(WEIR_LINKS_MAX_links_are_taken_and_no_more),
        TEST(a_link_of_links_is_opened_a_few_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
