/*
 * core/mail/invisible.c: characters that nobody sees, in the octets around each range, and
 * against a model that takes code points one by one.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/mail/invisible.h"
#include "tests/unit/seeded.h"

static size_t utf8(uint32_t code, char out[static 4])
{
    if (code < 0x80)
        return out[0] = (char)code, 1;
    size_t len = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--, code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)((len == 2 ? 0xc0 : len == 3 ? 0xe0 : 0xf0) | code);
    return len;
}

static bool model(uint32_t code)
{
    static const uint32_t range[][2] = {
        {0xad, 0xad}, {0x34f, 0x34f}, {0x180e, 0x180e}, {0x200b, 0x200f}, {0x202a, 0x202e},
        {0x2060, 0x2064}, {0x2066, 0x206f}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff},
        {0xe0000, 0xe007f}, {0xe0100, 0xe01ef},
    };
    for (size_t i = 0; i < sizeof(range) / sizeof(range[0]); i++)
        if (code >= range[i][0] && code <= range[i][1])
            return true;
    return false;
}

static void each_code_point_is_taken_out_or_stays(void **state)
{
    (void)state;
    for (uint32_t code = 1; code < 0x110000; code++) {
        char text[8] = "a", out[8];
        size_t len = 1 + utf8(code, text + 1);
        text[len++] = 'b';
        struct weir_line line = weir_line(out, sizeof(out));
        weir_invisible_strip((struct weir_slice){text, len}, &line);
        size_t want = model(code) ? 2 : len;
        if ((size_t)(line.at - line.start) != want)
            fail_msg("U+%04X", (unsigned)code);
        struct weir_invisible found = weir_invisible_scan((struct weir_slice){text, len});
        assert_int_equal(found.matters, model(code));
        assert_int_equal(found.in_words, model(code));
    }
}

static void random_octets_lose_what_the_model_says(void **state)
{
    static const uint32_t some[] = {'a', ' ', 0xad, 0xe4, 0x34f, 0x200b, 0x2010, 0xfeff, 0xe0001,
                                    0x4e00, 0x1f600};
    struct seeded random = seeded_new("invisible");
    (void)state;
    for (int round = 0; round < 20000; round++) {
        char text[256], want[256], out[256];
        size_t len = 0, left = 0;
        for (size_t i = seeded_below(&random, 40); i > 0; i--) {
            uint32_t code = some[seeded_below(&random, sizeof(some) / sizeof(some[0]))];
            size_t octets = utf8(code, text + len);
            if (!model(code)) {
                memcpy(want + left, text + len, octets);
                left += octets;
            }
            len += octets;
        }
        struct weir_line line = weir_line(out, sizeof(out));
        weir_invisible_strip((struct weir_slice){text, len}, &line);
        assert_int_equal(line.at - line.start, left);
        assert_memory_equal(out, want, left);
    }
}

static void what_counts_stands_between_two_letters_of_a_word(void **state)
{
    static const struct {
        const char *text;
        size_t in_words;
        bool matters;
    } cases[] = {
        {"", 0, false},
        {"free", 0, false},
        {"f\xe2\x80\x8bree", 1, true},
        {"f\xe2\x80\x8b\xe2\x80\x8c\xef\xbb\xbfree", 3, true},
        {"\xd0\xb1\xe2\x80\x8b\xd1\x83", 1, true},                /* Cyrillic */
        {"\xce\xb1\xe2\x80\x8b\xce\xb2", 1, true},                /* Greek */
        {"\xe1\xba\xa1\xe2\x80\x8b" "b", 1, true},                /* Vietnamese */
        {"\xd9\x85\xe2\x80\x8c\xd9\x85", 0, false},               /* Persian, as it should be */
        {"\xe0\xa4\x95\xe0\xa5\x8d\xe2\x80\x8d\xe0\xa4\xb7", 0, false}, /* Devanagari */
        {"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7", 0, false},     /* a family */
        {"1\xef\xb8\x8f\xe2\x83\xa3", 0, true},                   /* a key */
        {"free \xe2\x80\x8c \xe2\x80\x8c ", 0, true},             /* padding */
        {"a/\xe2\x80\x8b" "b", 0, true},
        {"Do\xc2\xadnau", 0, true},                               /* hyphenation */
        {"v\xc2\xadiagra", 1, true},
        {"Do\xc2\xad\xe2\x80\x8bnau", 2, true},
        {"\xe2\x80\x8b", 0, true},
        {"a\xe2\x80", 0, false},                                  /* cut off */
        {"a\xf3\xa0\x80", 0, false},
        {"a\xc2", 0, false},
        {"\x8b\xe2\x80\x8b" "b", 0, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weir_slice text = {cases[i].text, strlen(cases[i].text)};
        struct weir_invisible found = weir_invisible_scan(text);
        if (found.in_words != cases[i].in_words || found.matters != cases[i].matters)
            fail_msg("%zu: \"%s\": %zu, %d", i, cases[i].text, found.in_words, found.matters);
    }
}

static void a_loop_over_the_pieces_ends(void **state)
{
    struct weir_slice rest = {"\xc2\xad\xc2\xad" "a\xe2\x80\x8b", 8};
    (void)state;
    assert_int_equal(weir_invisible_next(&rest).len, 0);
    assert_int_equal(rest.len, 4);
    assert_int_equal(weir_invisible_next(&rest).len, 1);
    assert_int_equal(rest.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_code_point_is_taken_out_or_stays),
        cmocka_unit_test(random_octets_lose_what_the_model_says),
        cmocka_unit_test(what_counts_stands_between_two_letters_of_a_word),
        cmocka_unit_test(a_loop_over_the_pieces_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
