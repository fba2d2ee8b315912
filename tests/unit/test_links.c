/*
 * Links: in tags (html_link.c), in plain text (links.c), and their hosts (link_host.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <time.h>

#include "tests/unit/html_rig.h"

struct pair {
    const char *text, *want;
};

static void join(struct weir_line *out, const struct weir_link *link, size_t links)
{
    for (size_t i = 0; i < links; i++) {
        weir_line_text(out, i ? " | " : "");
        weir_line_octets(out, link[i].target.at, link[i].target.len);
    }
    weir_line_end(out);
}

static void same(const struct pair *pair, const char *got)
{
    if (strcmp(got, pair->want) != 0)
        fail_msg("%s\n  got  %s\n  want %s", pair->text, got, pair->want);
}

static void links_in_text_are_found(void **state)
{
    static const struct pair cases[] = {
        {"", ""},
        {"see http://a.example/x?y=z#w now", "http://a.example/x?y=z#w"},
        {"see HTTPS://A.EXAMPLE.", "HTTPS://A.EXAMPLE"},
        {"(http://a.example/x) and (see http://b.example/(y))",
         "http://a.example/x | http://b.example/(y"},
        {"<http://a.example>\"ftp://b.example\"'http://c.example'[http://d.example]",
         "http://a.example | ftp://b.example | http://c.example | http://d.example"},
        {"http://a.example/x, http://b.example!!! http://c.example/?",
         "http://a.example/x | http://b.example | http://c.example/"},
        {"www.a.example www3.b.example/y wwwx.c.example www. www.",
         "www.a.example | www3.b.example/y"},
        {"ftp.a.example", "ftp.a.example"},
        {"a.com b.co.uk/x c.org:80/y d.com. (e.net f.xyz/",
         "a.com | b.co.uk/x | c.org:80/y | d.com | e.net | f.xyz/"},
        {"a.nosuchtld e.g. 1.2.3 version-2.0 ... a..com -a.com", ""},
        {"me@a.com, me@www.a.com", ""},
        {"mailto:me@a.com", "mailto:me@a.com"},
        {"http:// https:// www. mailto:", ""},
        {"xhttp://a.example x,http://b.example", "http://b.example"},
        {"http://u:p@a.example/", "http://u:p@a.example/"},
        {"http://a.example\nhttp://b.example", "http://a.example | http://b.example"},
    };
    char room[2048];
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct weir_link link[8];
        struct weir_html html = {.link = link, .links_most = 8};
        struct weir_line line = weir_line(room, sizeof(room));
        weir_links_find((struct weir_slice){cases[i].text, strlen(cases[i].text)}, &html);
        join(&line, link, html.links);
        same(&cases[i], room);
    }
}

static void links_of_tags_are_cleaned_and_made_absolute(void **state)
{
    static const struct pair cases[] = {
        {"<a href=http://a.example/>", "http://a.example/"},
        {"<a href=' http://a.example/?b&amp;c&d=e&copy=1 '>", "http://a.example/?b&c&d=e&copy=1"},
        {"<a href='ht\ntp://a.ex\tam\r\nple/'>", "http://a.example/"},
        {"<a href='&#104;ttp:&#x2f;/a.example'>", "http://a.example"},
        {"<a href=\xe2\x80\x9dhttp://a.example\xe2\x80\x9d>", "http://a.example"},
        {"<a href=a href=b>", "a"},
        {"<a href=''><a href=' '><a href><a name=x>", ""},
        {"<a href=#x><a href=?y>", "#x | ?y"},
        {"<img src=a.gif><body background=b.gif><td background=c.gif>", "a.gif | b.gif | c.gif"},
        {"<form action=a><button formaction=b>", "a | b"},
        {"<link href=a><script src=b></script><iframe src=c></iframe><object data=d>",
         "a | b | c | d"},
        {"<meta http-equiv=refresh content='5; URL = http://a.example/'>", "http://a.example/"},
        {"<meta http-equiv=refresh content=\"0;url='a b'\"><meta content='url=x'>", "a b"},
        {"<base href=http://a.example/b/c?d#e><a href=f><a href=/g><a href=//h/><a href=?i>"
         "<a href=#j><a href=http:k><a href=mailto:l>",
         "http://a.example/b/c?d#e | http://a.example/b/f | http://a.example/g | http://h/ | "
         "http://a.example/b/c?i | http://a.example/b/c?d#j | http:k | mailto:l"},
        {"<base href=http://a.example><a href=b><base href=http://x.example/><a href=c>",
         "http://a.example | http://a.example/b | http://x.example/ | http://a.example/c"},
        {"<base href=nowhere><a href=b>", "nowhere | b"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char room[2048];
        struct weir_line line = weir_line(room, sizeof(room));
        struct html_rig *rig = html_read(cases[i].text, strlen(cases[i].text));
        join(&line, rig->link, rig->html.links);
        free(rig);
        same(&cases[i], room);
    }
}

static void an_anchor_has_the_text_a_reader_sees(void **state)
{
    static const char text[] = "x <a href=a> b <i>c</i><span hidden>d</span><br></a> <a href=e>"
                               "<img src=f></a><a href=g>h<a href=i>j";
    static const struct {
        enum weir_link_kind kind;
        const char *text;
    } want[] = {{WEIR_LINK_ANCHOR, "b c"}, {WEIR_LINK_ANCHOR, ""}, {WEIR_LINK_IMAGE, ""},
                {WEIR_LINK_ANCHOR, "h"},   {WEIR_LINK_ANCHOR, "j"}};
    struct html_rig *rig = html_read(text, strlen(text));
    (void)state;
    assert_int_equal(rig->html.links, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(rig->link[i].kind, want[i].kind);
        assert_int_equal(rig->link[i].text.len, strlen(want[i].text));
        assert_memory_equal(rig->link[i].text.at, want[i].text, strlen(want[i].text));
    }
    free(rig);
}

static void text_that_names_another_host_is_a_mismatch(void **state)
{
    static const struct {
        const char *html;
        bool want;
    } cases[] = {
        {"<a href=http://evil.example/>www.bank.com</a>", true},
        {"<a href=http://evil.example/>go to <b>https://bank</b>.com/login!</a>", true},
        {"<a href=http://evil.example/>bank.com</a>", true},
        {"<a href=http://www.bank.com@evil.example/>www.bank.com</a>", true},
        {"<a href=http://www.bank.co.uk/>www.shop.co.uk</a>", true},
        {"<a href=http://evil.example/>www.bank.com", true},
        {"<a href=http://click.bank.com/x>www.bank.com</a>", false},
        {"<a href=http:\\\\bank.com>http://bank.com</a>", false},
        {"<a href=http://B%61nk.com:80/>bank.com</a>", false},
        {"<a href=http://xn--bcher-kva.de/>www.b\xc3\xbc" "cher.de</a>", false},
        {"<a href=http://evil.example/>click here</a>", false},
        {"<a href=mailto:me@bank.com>www.shop.com</a>", false},
        {"<a href=http://evil.example/>me@bank.com</a>", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct html_rig *rig = html_read(cases[i].html, strlen(cases[i].html));
        if (html_fact(rig, WEIR_HTML_MISMATCH) != cases[i].want)
            fail_msg("%s", cases[i].html);
        free(rig);
    }
}

static void the_host_is_the_one_a_browser_asks(void **state)
{
    static const struct pair cases[] = {
        {"http://Example.COM/x", "example.com"},
        {"https://example.com:8443", "example.com"},
        {"http://example.com?x@y", "example.com"},
        {"http://example.com#x@y", "example.com"},
        {"http://bank.com@evil.com/", "evil.com"},
        {"http://bank.com:80@evil.com:90/@x", "evil.com"},
        {"http://a@b@c.com", "c.com"},
        {"http:\\\\evil.com\\@bank.com", "evil.com"},
        {"http:evil.com", "evil.com"},
        {"http:/evil.com", "evil.com"},
        {"http:////evil.com", "evil.com"},
        {"//evil.com/x", "evil.com"},
        {" \t http://evil.com", "evil.com"},
        {"ht\ntp://ev\til.com/", "evil.com"},
        {"http://%65vil%2Ecom/", "evil.com"},
        {"http://%zz.com", "%zz.com"},
        {"http://evil.com./", "evil.com"},
        {"http://b\xc3\xbc" "cher.example/", "xn--bcher-kva.example"},
        {"http://b%C3%BCcher.example/", "xn--bcher-kva.example"},
        {"http://\xef\xbd\x82\xef\xbd\x81nk.com", "bank.com"},
        {"http://\xff\xfe", "\xff\xfe"},
        {"http://1113343453/", "66.92.69.221"},
        {"http://0x7f.1/", "127.0.0.1"},
        {"http://0177.0.0.01", "127.0.0.1"},
        {"http://1.2.3.4.5/", "1.2.3.4.5"},
        {"http://256.1.1.1/", "256.1.1.1"},
        {"http://[2001:DB8::1]:80/", "[2001:db8::1]"},
        {"www.example.com/x", "www.example.com"},
        {"example.com:80/x", "example.com"},
        {"ftp.example.com", "ftp.example.com"},
        {"mailto:me@example.com", ""},
        {"cid:x@example.com", ""},
        {"data:text/html,x", ""},
        {"javascript://example.com/", "example.com"},
        {"#x", ""},
        {"/x/y", ""},
        {"", ""},
        {"http://", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char host[256];
        struct weir_line line = weir_line(host, sizeof(host));
        weir_link_host((struct weir_slice){cases[i].text, strlen(cases[i].text)}, &line);
        weir_line_end(&line);
        same(&cases[i], host);
    }
}

static void WEIR_LINK_MAX_octets_of_a_link_are_kept(void **state)
{
    static char text[WEIR_LINK_MAX + 64];
    (void)state;
    for (size_t len = WEIR_LINK_MAX - 1; len <= WEIR_LINK_MAX + 1; len++) {
        size_t want = len < WEIR_LINK_MAX ? len : WEIR_LINK_MAX;
        struct weir_link link[2];
        struct weir_html html = {.link = link, .links_most = 2};
        memset(text, 'a', sizeof(text));
        memcpy(text + 9, "http://a.", 9);
        weir_links_find((struct weir_slice){text + 9, len}, &html);
        assert_int_equal(html.links, 1);
        assert_int_equal(link[0].target.len, want);
        memcpy(text, "<a href='", 9);
        memcpy(text + 9 + len, "'>", 2);
        struct html_rig *rig = html_read(text, len + 11);
        assert_int_equal(rig->html.links, 1);
        assert_int_equal(rig->link[0].target.len, want);
        free(rig);
    }
}

static void a_long_piece_without_a_link_takes_linear_time(void **state)
{
    static const char *const units[] = {"@http://a", "www.)", "http:", "a.b.", "h", "(www."};
    enum { LEN = 2000000 };
    char *text = malloc(LEN);
    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
        struct weir_link link[WEIR_LINKS_MAX];
        struct weir_html html = {.link = link, .links_most = WEIR_LINKS_MAX};
        size_t unit = strlen(units[i]);
        for (size_t at = 0; at + unit <= LEN; at += unit)
            memcpy(text + at, units[i], unit);
        clock_t from = clock();
        weir_links_find((struct weir_slice){text, LEN / unit * unit}, &html);
        assert_true((double)(clock() - from) / CLOCKS_PER_SEC < 2);
    }
    free(text);
}

static void WEIR_LINKS_MAX_links_are_kept(void **state)
{
    static char text[(WEIR_LINKS_MAX + 1) * 16 + 1];
    (void)state;
    for (size_t links = WEIR_LINKS_MAX - 1; links <= WEIR_LINKS_MAX + 1; links++) {
        struct weir_line line = weir_line(text, sizeof(text));
        for (size_t i = 0; i < links; i++)
            weir_line_text(&line, "<a href=a>b</a>\n");
        struct html_rig *rig = html_read(text, (size_t)(line.at - text));
        assert_int_equal(rig->html.links, links < WEIR_LINKS_MAX ? links : WEIR_LINKS_MAX);
        free(rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_in_text_are_found),
        cmocka_unit_test(links_of_tags_are_cleaned_and_made_absolute),
        cmocka_unit_test(an_anchor_has_the_text_a_reader_sees),
        cmocka_unit_test(text_that_names_another_host_is_a_mismatch),
        cmocka_unit_test(the_host_is_the_one_a_browser_asks),
        cmocka_unit_test(WEIR_LINK_MAX_octets_of_a_link_are_kept),
        cmocka_unit_test(a_long_piece_without_a_link_takes_linear_time),
        cmocka_unit_test(WEIR_LINKS_MAX_links_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
