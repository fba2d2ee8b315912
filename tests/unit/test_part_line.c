/*
 * part_line - what is written in parts is read and fits together again, and nothing else is; and
 * the words it is made of (line_words.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "core/base/slice.h"
#include "core/store/part_line.h"
#include "core/store/report_line.h"
#include "core/store/spool_line.h"
#include "tests/unit/seeded.h"

static uint8_t buffer[WEIR_PART_OCTETS];
static char octets[WEIR_PART_WHOLE_MAX + 1];

static struct weir_part_whole whole(size_t len)
{
    struct weir_part_whole made = {.at = 1763632800 * WEIR_SECOND, .kind = "message",
                                   .uid = UINT64_C(0x0123456789abcdef), .octets = {octets, len}};

    made.sum = weir_part_sum(made.octets);
    return made;
}

static struct weir_slice written(const struct weir_part_whole *of, uint32_t number)
{
    static char text[WEIR_SPOOL_LINE_MAX];
    struct weir_line line = weir_line(text, sizeof text);

    weir_part_line_write(of, number, &line);
    assert_false(line.cut);
    return weir_slice_of(weir_line_end(&line));
}

static void fill(const char *test)
{
    struct seeded random = seeded_new(test);

    for (size_t i = 0; i < sizeof octets; i++)
        octets[i] = (char)seeded_next(&random);
}

static void parts_of_any_length_fit_together_again(void **state)
{
    static const size_t lengths[] = {1, 2, 3, 255, WEIR_PART_OCTETS - 1, WEIR_PART_OCTETS,
                                     WEIR_PART_OCTETS + 1, 3 * WEIR_PART_OCTETS,
                                     WEIR_PART_WHOLE_MAX - 1, WEIR_PART_WHOLE_MAX};
    static char again[WEIR_PART_WHOLE_MAX];
    (void)state;
    fill("parts_of_any_length_fit_together_again");
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct weir_part_whole of = whole(lengths[i]);
        uint32_t lines = weir_part_lines(lengths[i]);

        memset(again, 0, sizeof again);
        for (uint32_t number = lines; number-- > 0;) {
            struct weir_part_line part;

            assert_int_equal(weir_part_line_read(written(&of, number), buffer, &part), 1);
            assert_int_equal(part.number, number);
            assert_int_equal(part.of.parts, lines);
            assert_int_equal(part.of.len, lengths[i]);
            assert_true(part.of.uid == of.uid && part.of.sum == of.sum);
            assert_string_equal(part.of.kind, "message");
            memcpy(again + part.from, part.octet, part.octets);
        }
        assert_memory_equal(again, octets, lengths[i]);
    }
}

static void nothing_and_too_much_have_no_lines(void **state)
{
    struct weir_part_whole of = whole(WEIR_PART_OCTETS);
    (void)state;
    assert_int_equal(weir_part_lines(0), 0);
    assert_int_equal(weir_part_lines(WEIR_PART_WHOLE_MAX + 1), 0);
    assert_int_equal(written(&of, 1).len, 0);
}

/* The good line with one of its words changed. */
static int read_with(const char *word, const char *instead)
{
    static const char good[] = "at=2026-11-20T10:00:00Z part=message uid=0123456789abcdef of=1/1 "
                               "len=3 sum=00000000000000ff octets=AAAA";
    const char *at = strstr(good, word);
    char text[300];
    struct weir_part_line part;

    assert_non_null(at);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - good), good, instead, at + strlen(word));
    return weir_part_line_read(weir_slice_of(text), buffer, &part);
}

static void a_line_that_says_anything_else_is_none(void **state)
{
    static const char *const bad[][2] = {
        {"at=", "as="}, {"part=message", "part="}, {"part=message", "part=Message"},
        {"part=message", "part=message-"}, {"part=message", "part=abcdefghijklmnopq"},
        {"part=message ", ""}, {"uid=0", "uid="}, {"uid=0123456789abcdef", "uid=0123456789ABCDEF"},
        {"of=1/1", "of=0/1"}, {"of=1/1", "of=2/1"}, {"of=1/1", "of=1/2"}, {"of=1/1", "of=1"},
        {"of=1/1", "of=/"}, {"of=1/1", "of=01/1"}, {"of=1/1", "of=1/99999999999999999999"},
        {"of=1/1", "of=-1/1"}, {"len=3", "len=0"}, {"len=3", "len=4"}, {"len=3", "len=2"},
        {"len=3", "len=262145"}, {"len=3", "len=+3"}, {"len=3", "len="}, {"sum=0", "sum=x"},
        {"octets=AAAA", "octets="}, {"octets=AAAA", "octets=AA=="}, {"octets=AAAA", "octets=AAA+"},
        {"octets=AAAA", "octets=AAAAA"}, {"octets=AAAA", "octets=AAAA more=1"},
    };
    (void)state;
    assert_int_equal(read_with("at=", "at="), 1);
    assert_int_equal(read_with("len=3 sum=00000000000000ff octets=AAAA",
                               "len=2 sum=00000000000000ff octets=AAA"), 1);
    assert_int_equal(read_with("len=3 sum=00000000000000ff octets=AAAA",
                               "len=2 sum=00000000000000ff octets=AAB"), 0); /* bits over */
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (read_with(bad[i][0], bad[i][1]) != 0)
            fail_msg("taken: %s for %s", bad[i][1], bad[i][0]);
    }
}

static void a_line_longer_than_the_spools_is_none(void **state)
{
    char text[WEIR_SPOOL_LINE_MAX + 1];
    struct weir_part_line part;
    (void)state;
    memset(text, 'A', sizeof text);
    memcpy(text, "at=", 3);
    assert_int_equal(weir_part_line_read((struct weir_slice){text, sizeof text}, buffer, &part),
                     0);
}

/* No reader of the spool takes it for something else. */
static void it_is_no_decision_and_no_report(void **state)
{
    struct weir_part_whole of = whole(100);
    struct weir_report_line report;
    struct weir_spool_line line;
    struct weir_part_line part;
    (void)state;
    assert_int_equal(weir_report_line_read(written(&of, 0), &report), 0);
    assert_int_equal(weir_spool_line_read(written(&of, 0), &line), 0);
    assert_true(weir_part_line_is(written(&of, 0)));
    assert_false(weir_part_line_is(weir_slice_of("at=x report=spam info=- part=message")));
    assert_int_equal(weir_part_line_read((struct weir_slice){"", 0}, buffer, &part), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_of_any_length_fit_together_again),
        cmocka_unit_test(nothing_and_too_much_have_no_lines),
        cmocka_unit_test(a_line_that_says_anything_else_is_none),
        cmocka_unit_test(a_line_longer_than_the_spools_is_none),
        cmocka_unit_test(it_is_no_decision_and_no_report),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
