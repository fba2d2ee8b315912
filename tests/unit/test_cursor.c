/* cursor: steps that fit, steps that do not, and what comes after them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "core/base/cursor.h"
#include "tests/unit/seeded.h"

static void numbers_are_big_endian(void **state)
{
    (void)state;
    static const uint8_t want[] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
                                   0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32};
    uint8_t room[sizeof(want)];
    struct weir_writer w = weir_writer(room, sizeof(room));
    weir_write_u8(&w, 0x01);
    weir_write_u16(&w, 0x2345);
    weir_write_u32(&w, 0x6789abcd);
    weir_write_u64(&w, UINT64_C(0xeffedcba98765432));
    assert_int_equal(weir_writer_len(&w), sizeof(want));
    assert_memory_equal(room, want, sizeof(want));

    struct weir_reader r = weir_reader(want, sizeof(want));
    assert_int_equal(weir_read_u8(&r), 0x01);
    assert_int_equal(weir_read_u16(&r), 0x2345);
    assert_int_equal(weir_read_u32(&r), 0x6789abcd);
    assert_true(weir_read_u64(&r) == UINT64_C(0xeffedcba98765432));
    assert_true(weir_reader_done(&r));
}

static void an_empty_reader_is_done_and_gives_nothing(void **state)
{
    (void)state;
    struct weir_reader r = weir_reader(NULL, 0);
    assert_true(weir_reader_done(&r));
    weir_read_bytes(&r, 0);
    assert_true(weir_reader_done(&r));
    assert_int_equal(weir_read_u8(&r), 0);
    assert_true(weir_reader_bad(&r));
    assert_false(weir_reader_done(&r));
}

static void what_is_left_over_is_not_done(void **state)
{
    (void)state;
    struct weir_reader r = weir_reader("ab", 2);
    weir_read_u8(&r);
    assert_false(weir_reader_done(&r));
    assert_false(weir_reader_bad(&r));
    weir_read_u8(&r);
    assert_true(weir_reader_done(&r));
}

static void after_the_first_bad_step_all_steps_give_nothing(void **state)
{
    (void)state;
    struct weir_reader r = weir_reader("\x01\x02\x03", 3);
    assert_int_equal(weir_read_u32(&r), 0);
    assert_true(weir_reader_bad(&r));
    assert_int_equal(weir_read_u8(&r), 0);
    assert_null(weir_read_bytes(&r, 1));
    assert_null(weir_read_bytes(&r, 0));
    struct weir_slice text = weir_read_text8(&r, 255);
    assert_int_equal(text.len, 0);
    assert_string_equal(text.at, "");
    assert_false(weir_reader_done(&r));
}

static void lengths_beyond_all_bounds_do_not_wrap(void **state)
{
    (void)state;
    struct weir_reader r = weir_reader("abc", 3);
    weir_read_u8(&r);
    assert_null(weir_read_bytes(&r, SIZE_MAX));
    assert_true(weir_reader_bad(&r));
    char room[4];
    struct weir_writer w = weir_writer(room, sizeof(room));
    weir_write_u8(&w, 1);
    weir_write_bytes(&w, "abc", SIZE_MAX);
    assert_int_equal(weir_writer_len(&w), 0);
}

static void text8_is_held_to_its_limit(void **state)
{
    (void)state;
    struct weir_reader r = weir_reader("\x03xyz", 4);
    struct weir_slice text = weir_read_text8(&r, 3);
    assert_int_equal(text.len, 3);
    assert_memory_equal(text.at, "xyz", 3);
    assert_true(weir_reader_done(&r));

    r = weir_reader("\x03xyz", 4);
    assert_int_equal(weir_read_text8(&r, 2).len, 0);
    assert_true(weir_reader_bad(&r));

    r = weir_reader("\x03xy", 3);
    assert_int_equal(weir_read_text8(&r, 255).len, 0);
    assert_true(weir_reader_bad(&r));

    r = weir_reader("\x00", 1);
    assert_int_equal(weir_read_text8(&r, 0).len, 0);
    assert_true(weir_reader_done(&r));
}

static void a_text8_of_255_octets_is_written_and_one_of_256_is_not(void **state)
{
    (void)state;
    char text[256], room[600];
    memset(text, 'x', sizeof(text));
    struct weir_writer w = weir_writer(room, sizeof(room));
    weir_write_text8(&w, text, 255);
    assert_int_equal(weir_writer_len(&w), 256);
    weir_write_text8(&w, text, 256);
    assert_int_equal(weir_writer_len(&w), 0);
}

static void a_full_writer_is_fine_and_one_octet_more_is_bad(void **state)
{
    (void)state;
    uint8_t room[9];
    memset(room, 0x55, sizeof(room));
    struct weir_writer w = weir_writer(room, 8);
    weir_write_u64(&w, 0);
    assert_int_equal(weir_writer_len(&w), 8);
    weir_write_bytes(&w, NULL, 0);
    assert_int_equal(weir_writer_len(&w), 8);
    weir_write_u8(&w, 1);
    assert_int_equal(weir_writer_len(&w), 0);
    assert_int_equal(room[8], 0x55);
    w = weir_writer(NULL, 0);
    weir_write_bytes(&w, NULL, 0);
    assert_false(w.bad);
    weir_write_u8(&w, 1);
    assert_true(w.bad);
}

/* Writes random fields, then reads them from every shorter piece: a copy of
 * just that length, so that a sanitizer sees each octet too many. */
static void every_cut_of_a_record_is_noticed(void **state)
{
    (void)state;
    struct seeded s = seeded_new(__func__);
    for (int round = 0; round < 200; round++) {
        uint8_t record[64];
        uint64_t number = seeded_next(&s);
        char text[20];
        size_t text_len = seeded_below(&s, sizeof(text) + 1);
        seeded_fill(&s, text, sizeof(text));
        struct weir_writer w = weir_writer(record, sizeof(record));
        weir_write_u16(&w, (uint16_t)number);
        weir_write_text8(&w, text, text_len);
        weir_write_u64(&w, number);
        weir_write_u32(&w, (uint32_t)number);
        size_t len = weir_writer_len(&w);
        assert_int_equal(len, 2 + 1 + text_len + 8 + 4);
        for (size_t cut = 0; cut <= len; cut++) {
            uint8_t *piece = malloc(cut + 1);
            memcpy(piece + 1, record, cut); /* ends where the allocation ends */
            struct weir_reader r = weir_reader(piece + 1, cut);
            uint16_t a = weir_read_u16(&r);
            struct weir_slice t = weir_read_text8(&r, sizeof(text));
            uint64_t b = weir_read_u64(&r);
            uint32_t c = weir_read_u32(&r);
            assert_int_equal(weir_reader_done(&r), cut == len);
            assert_int_equal(weir_reader_bad(&r), cut != len);
            if (cut == len) {
                assert_int_equal(a, (uint16_t)number);
                assert_true(b == number);
                assert_int_equal(c, (uint32_t)number);
                assert_int_equal(t.len, text_len);
                assert_memory_equal(t.at, text, text_len);
            }
            free(piece);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_big_endian),
        cmocka_unit_test(an_empty_reader_is_done_and_gives_nothing),
        cmocka_unit_test(what_is_left_over_is_not_done),
        cmocka_unit_test(after_the_first_bad_step_all_steps_give_nothing),
        cmocka_unit_test(lengths_beyond_all_bounds_do_not_wrap),
        cmocka_unit_test(text8_is_held_to_its_limit),
        cmocka_unit_test(a_text8_of_255_octets_is_written_and_one_of_256_is_not),
        cmocka_unit_test(a_full_writer_is_fine_and_one_octet_more_is_bad),
        cmocka_unit_test(every_cut_of_a_record_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
