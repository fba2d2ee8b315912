/*
 * Charsets (charset.c, charset_name.c): every name that is known, what wrong claims give,
 * and UTF-8 against a model that knows only code points.
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
#include "core/mail/charset.h"
#include "tests/unit/seeded.h"

#define FFFD "\xef\xbf\xbd"

struct converted {
    const char *charset, *text, *want;
    unsigned defects;
};

static struct weir_slice slice(const char *text)
{
    return (struct weir_slice){text, strlen(text)};
}

static void check_all(struct weir_charsets *charsets, const struct converted *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char room[400];
        struct weir_line out = weir_line(room, sizeof room);
        unsigned defects = 77;
        const struct converted *c = &cases[i];
        weir_charset_convert(charsets, slice(c->charset), slice(c->text), &out, &defects);
        if (strcmp(weir_line_end(&out), c->want) != 0)
            fail_msg("%s \"%s\": got \"%s\", want \"%s\"", c->charset, c->text, room, c->want);
        if (defects != c->defects)
            fail_msg("%s \"%s\": defects %u", c->charset, c->text, defects);
    }
}

static void check_with_iconv(const struct converted *cases, size_t n)
{
    struct weir_charsets *charsets;
    assert_int_equal(weir_charsets_new(&charsets), 0);
    check_all(charsets, cases, n);
    check_all(charsets, cases, n); /* the descriptors are open now */
    weir_charsets_free(&charsets);
    assert_null(charsets);
    weir_charsets_free(&charsets);
}

static void text_is_converted_from_the_charsets_of_mail(void **state)
{
    static const struct converted cases[] = {
        {"utf-8", "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f", 0},
        {"iso-8859-1", "gr\xfc\xdf", "gr\xc3\xbc\xc3\x9f", 0},
        {"windows-1252", "\x93x\x94 \x80", "\xe2\x80\x9cx\xe2\x80\x9d \xe2\x82\xac", 0},
        {"iso-8859-1", "\x93x\x94", "\xe2\x80\x9cx\xe2\x80\x9d", 0}, /* as browsers do */
        {"iso-8859-2", "\xb1\xe6", "\xc4\x85\xc4\x87", 0},
        {"iso-8859-15", "\xa4", "\xe2\x82\xac", 0},
        {"windows-1251", "\xcf\xf0\xe8", "\xd0\x9f\xd1\x80\xd0\xb8", 0},
        {"koi8-r", "\xf0\xd2\xc9", "\xd0\x9f\xd1\x80\xd0\xb8", 0},
        {"koi8-u", "\xa4", "\xd1\x94", 0},
        {"gb2312", "\xc4\xe3", "\xe4\xbd\xa0", 0},
        {"gbk", "\x87\xd6", "\xe5\x9b\x8d", 0}, /* not in gb2312 */
        {"gb2312", "\x87\xd6", "\xe5\x9b\x8d", 0},
        {"big5", "\xa7\x41", "\xe4\xbd\xa0", 0},
        {"shift_jis", "\x93\xfa", "\xe6\x97\xa5", 0},
        {"shift_jis", "\x87\x40", "\xe2\x91\xa0", 0}, /* Microsoft's */
        {"euc-jp", "\xc6\xfc", "\xe6\x97\xa5", 0},
        {"iso-2022-jp", "a\x1b$BF|\x1b(Bb", "a\xe6\x97\xa5" "b", 0},
        {"utf-7", "Hi +AGE-! 1 +- 1", "Hi a! 1 + 1", 0}, /* RFC 2152 */
        {"utf-7", "+ZeVnLIqe b", "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e b", 0},
        {"utf-7", "+2D3eAA-", "\xf0\x9f\x98\x80", 0},
        {"unicode-1-1-utf-7", "+AGE", "a", 0},
        {"euc-kr", "\xb0\xa1", "\xea\xb0\x80", 0},
        {"ks_c_5601-1987", "\x81\x41", "\xea\xb0\x82", 0}, /* windows-949 */
        {"iso-2022-kr", "\x1b$)C\x0e" "0!\x0f", "\xea\xb0\x80", 0},
        {"tis-620", "\xa1", "\xe0\xb8\x81", 0},
        {"ibm866", "\x8f", "\xd0\x9f", 0},
        {"ibm850", "\x84", "\xc3\xa4", 0},
        {"ibm437", "\xe1", "\xc3\x9f", 0},
        {"macintosh", "\x8a", "\xc3\xa4", 0},
        {"", "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f", 0},
    };
    (void)state;
    check_with_iconv(cases, sizeof cases / sizeof *cases);
}

static void a_charset_goes_by_many_names(void **state)
{
    static const char *const names[] = {
        "UTF8", "utf_8", "UTF-8", "us-ascii", "ASCII", "ANSI_X3.4-1968", "iso8859-1",
        "ISO_8859-1:1987", "iso-8859-1*en", "8859-1", "latin1", "cp1252", "CP-1252", "x-cp1252",
        "win-1251", "windows1251", "csISO2022JP", "x-sjis", "x-gbk", "GB18030", "gb_2312-80",
        "csBig5", "big5-hkscs", "x-euc-jp", "csEUCKR", "ISO-8859-8-I", "iso-8859-16", "KOI8-U",
        "cp437", "x-mac-cyrillic", "x-mac-roman", "utf-16le", "UTF-16", "utf-32", "tis620",
        "windows-874", "\"utf-8\"", "csUnicode11UTF7",
    };
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char room[40];
        struct weir_line out = weir_line(room, sizeof room);
        unsigned defects;
        struct weir_charsets *charsets;
        assert_int_equal(weir_charsets_new(&charsets), 0);
        weir_charset_convert(charsets, slice(names[i]), slice("\xe9\xe9\xe9\xe9"), &out, &defects);
        if (defects & WEIR_CHARSET_UNKNOWN)
            fail_msg("%s is unknown", names[i]);
        weir_charsets_free(&charsets);
    }
}

static void what_is_no_utf_7_costs_a_sign_and_swallows_nothing(void **state)
{
    static const struct converted cases[] = {
        {"utf-7", "a\xe4" "b", "a\xef\xbf\xbd" "b", WEIR_CHARSET_INVALID},
        {"utf-7", "+2D0-b", "\xef\xbf\xbd" "b", WEIR_CHARSET_INVALID}, /* half a pair */
    };
    (void)state;
    check_with_iconv(cases, sizeof cases / sizeof *cases);
}

static void charsets_in_which_ASCII_octets_mean_something_else_are_known(void **state)
{
    static const char *const yes[] = {"utf-7", "UTF7", "unicode-1-1-utf-7", "iso-2022-jp",
                                      "utf-16", "UTF-32BE", "ucs-2"};
    static const char *const no[] = {"", "utf-8", "us-ascii", "hz-gb-2312", "x", "big5"};
    (void)state;
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        assert_true(weir_charset_is_shifting(slice(yes[i])));
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        assert_false(weir_charset_is_shifting(slice(no[i])));
}

static void what_is_not_on_the_list_is_not_opened(void **state)
{
    static const struct converted cases[] = {
        {"hz-gb-2312", "~{<:~}", "~{<:~}", WEIR_CHARSET_UNKNOWN},
        {"iso-2022-cn-ext", "x", "x", WEIR_CHARSET_UNKNOWN},
        {"IBM1364", "x", "x", WEIR_CHARSET_UNKNOWN},
        {"utf-8//TRANSLIT", "x", "x", WEIR_CHARSET_UNKNOWN},
        {"../../tmp/x", "x", "x", WEIR_CHARSET_UNKNOWN},
        {"x-unknown", "\xc3\xbc", "\xc3\xbc", WEIR_CHARSET_UNKNOWN},
        {"x-unknown", "\xfc", "\xc3\xbc", WEIR_CHARSET_UNKNOWN},
        {"*", "x", "x", WEIR_CHARSET_UNKNOWN},
        {"x", "x", "x", WEIR_CHARSET_UNKNOWN},
        {"cs", "x", "x", WEIR_CHARSET_UNKNOWN},
    };
    (void)state;
    check_with_iconv(cases, sizeof cases / sizeof *cases);
}

static void WEIR_CHARSET_NAME_MAX_octets_are_a_name_and_not_one_more(void **state)
{
    char name[WEIR_CHARSET_NAME_MAX + 2] = "utf-8";
    struct converted c = {name, "x", "x", 0};
    (void)state;
    memset(name + 5, '-', WEIR_CHARSET_NAME_MAX - 5);
    check_all(NULL, &c, 1);
    name[WEIR_CHARSET_NAME_MAX] = '-';
    c.defects = WEIR_CHARSET_UNKNOWN;
    check_all(NULL, &c, 1);
}

static void wrong_claims_are_seen_through(void **state)
{
    static const struct converted cases[] = {
        {"us-ascii", "\xc3\xbc", "\xc3\xbc", WEIR_CHARSET_INVALID},
        {"us-ascii", "\xfc", "\xc3\xbc", WEIR_CHARSET_INVALID},
        {"iso-8859-1", "\xc3\xbc", "\xc3\xbc", 0},
        {"", "\xfc", "\xc3\xbc", WEIR_CHARSET_INVALID},
        {"", "", "", 0},
        {"utf-16", "plain text", "plain text", WEIR_CHARSET_INVALID},
        {"windows-1252", "\x81", FFFD, WEIR_CHARSET_INVALID},
    };
    (void)state;
    check_with_iconv(cases, sizeof cases / sizeof *cases);
}

static void a_bad_octet_costs_one_sign_and_swallows_nothing(void **state)
{
    static const struct converted cases[] = {
        {"utf-8", "a\xff" "b", "a" FFFD "b", WEIR_CHARSET_INVALID},
        {"utf-8", "\xe2\x82z", FFFD "z", WEIR_CHARSET_INVALID},
        {"utf-8", "\xe2\x82", FFFD, WEIR_CHARSET_INVALID},
        {"utf-8", "\xc0\xaf", FFFD FFFD, WEIR_CHARSET_INVALID},         /* overlong */
        {"utf-8", "\xe0\x80\xaf", FFFD FFFD FFFD, WEIR_CHARSET_INVALID},
        {"utf-8", "\xed\xa0\x80", FFFD FFFD FFFD, WEIR_CHARSET_INVALID}, /* a surrogate */
        {"utf-8", "\xf4\x90\x80\x80", FFFD FFFD FFFD FFFD, WEIR_CHARSET_INVALID},
        {"utf-8", "\xf0\x9f\x98", FFFD, WEIR_CHARSET_INVALID},
        {"gb2312", "\xc4<b>", FFFD "<b>", WEIR_CHARSET_INVALID},
        {"euc-kr", "\xff<b>", FFFD "<b>", WEIR_CHARSET_INVALID},
        {"big5", "x\xa7", "x" FFFD, WEIR_CHARSET_INVALID},
        {"iso-2022-jp", "\xe4x", FFFD "x", WEIR_CHARSET_INVALID},
    };
    (void)state;
    check_with_iconv(cases, sizeof cases / sizeof *cases);
}

static void without_a_handle_only_what_needs_no_iconv_is_known(void **state)
{
    static const struct converted cases[] = {
        {"iso-8859-1", "\xfc", "\xc3\xbc", 0},
        {"utf-8", "\xc3\xbc", "\xc3\xbc", 0},
        {"koi8-r", "plain", "plain", 0},
        {"koi8-r", "\xfc", "\xc3\xbc", WEIR_CHARSET_UNKNOWN},
    };
    (void)state;
    check_all(NULL, cases, sizeof cases / sizeof *cases);
}

static void utf_16_is_read_in_the_order_it_is_in(void **state)
{
    static const struct weir_slice texts[] = {
        {"\xff\xfe" "a\0\xac\x20", 6}, {"\xfe\xff\0a\x20\xac", 6},
        {"a\0\xac\x20", 4}, {"\0a\x20\xac", 4},
    };
    struct weir_charsets *charsets;
    (void)state;
    assert_int_equal(weir_charsets_new(&charsets), 0);
    for (size_t i = 0; i < 4; i++) {
        char room[20];
        struct weir_line out = weir_line(room, sizeof room);
        unsigned defects;
        weir_charset_convert(charsets, slice("utf-16"), texts[i], &out, &defects);
        assert_string_equal(weir_line_end(&out), "a\xe2\x82\xac");
        assert_int_equal(defects, 0);
    }
    weir_charsets_free(&charsets);
}

/* A code point in UTF-8 by the book. */
static size_t write_code(uint32_t code, char *to)
{
    size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n; i-- > 1; code >>= 6)
        to[i] = (char)(0x80 | (code & 0x3f));
    to[0] = (char)(lead[n] | code);
    return n;
}

static void utf_8_is_what_code_points_make(void **state)
{
    (void)state;
    for (uint32_t code = 0; code < 0x110000; code += code < 0x11000 ? 1 : 37) {
        char text[12] = "abcdefg";
        size_t n = write_code(code, text + 3);
        bool surrogate = code >= 0xd800 && code < 0xe000;
        assert_int_equal(weir_charset_is_utf8((struct weir_slice){text, 3 + n}), !surrogate);
        if (n > 1)
            assert_false(weir_charset_is_utf8((struct weir_slice){text, 2 + n}));
    }
    assert_true(weir_charset_is_utf8((struct weir_slice){NULL, 0}));
}

/* Whatever comes in and however little room there is: what comes out is UTF-8, and
 * converting it once more changes nothing. */
static void output_is_always_utf_8_even_when_cut(void **state)
{
    static const char *const names[] = {"", "us-ascii", "utf-8", "latin1", "x", "gb18030", "big5",
                                        "iso-2022-jp", "iso-2022-kr", "utf-16", "euc-jp",
                                        "shift_jis", "utf-32", "windows-1255", "euc-kr"};
    struct seeded s = seeded_new("charset");
    struct weir_charsets *charsets;
    (void)state;
    assert_int_equal(weir_charsets_new(&charsets), 0);
    for (unsigned run = 0; run < 20000; run++) {
        char text[40], room[200];
        size_t len = seeded_below(&s, sizeof text);
        unsigned defects;
        struct weir_line out = weir_line(room, 1 + seeded_below(&s, sizeof room));
        const char *name = names[seeded_below(&s, sizeof names / sizeof *names)];
        seeded_fill(&s, text, len);
        weir_charset_convert(charsets, slice(name), (struct weir_slice){text, len}, &out,
                             &defects);
        if (!weir_charset_is_utf8((struct weir_slice){room, (size_t)(out.at - room)}))
            fail_msg("%s: not UTF-8", name);
    }
    weir_charsets_free(&charsets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_converted_from_the_charsets_of_mail),
        cmocka_unit_test(a_charset_goes_by_many_names),
        cmocka_unit_test(what_is_no_utf_7_costs_a_sign_and_swallows_nothing),
        cmocka_unit_test(charsets_in_which_ASCII_octets_mean_something_else_are_known),
        cmocka_unit_test(what_is_not_on_the_list_is_not_opened),
        cmocka_unit_test(WEIR_CHARSET_NAME_MAX_octets_are_a_name_and_not_one_more),
        cmocka_unit_test(wrong_claims_are_seen_through),
        cmocka_unit_test(a_bad_octet_costs_one_sign_and_swallows_nothing),
        cmocka_unit_test(without_a_handle_only_what_needs_no_iconv_is_known),
        cmocka_unit_test(utf_16_is_read_in_the_order_it_is_in),
        cmocka_unit_test(utf_8_is_what_code_points_make),
        cmocka_unit_test(output_is_always_utf_8_even_when_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
