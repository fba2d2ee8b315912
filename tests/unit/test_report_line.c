/*
 * report_line - what is written is read, and nothing else is.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "core/base/slice.h"
#include "core/store/report_line.h"
#include "core/store/spool_line.h"
#include "tests/unit/seeded.h"

#define GOOD "at=2026-11-20T10:00:00Z report=spam back=no way=attached told=from state=valid " \
    "reporter=00000000000000ff user=ann@example.org binding=0123456789abcdef info=v1;AQB_-x"

static const char *written(const struct weir_report_line *report)
{
    static char text[WEIR_SPOOL_LINE_MAX];
    struct weir_line line = weir_line(text, sizeof text);

    weir_report_line_write(report, &line);
    return weir_line_end(&line);
}

static struct weir_report_line good(void)
{
    return (struct weir_report_line){
        .at = 1763632800 * WEIR_SECOND, .spam = true, .way = weir_slice_of("attached"),
        .told = weir_slice_of("from"), .state = weir_slice_of("valid"), .reporter = 255,
        .user = weir_slice_of("ann@example.org"), .binding = UINT64_C(0x0123456789abcdef),
        .info = weir_slice_of("v1; AQB_\r\n -x")};
}

static int read_text(const char *text, struct weir_report_line *report_r)
{
    return weir_report_line_read(weir_slice_of(text), report_r);
}

static void what_is_written_is_read(void **state)
{
    struct weir_report_line report = good(), again;
    (void)state;
    assert_string_equal(strstr(written(&report), " report=") - 3, strstr(GOOD, " report=") - 3);
    assert_int_equal(read_text(written(&report), &again), 1);
    assert_true(again.spam && !again.back);
    assert_true(again.reporter == report.reporter && again.binding == report.binding);
    assert_true(weir_slice_equals(again.user, "ann@example.org"));
    assert_true(weir_slice_equals(again.info, "v1;AQB_-x"));
    assert_true(weir_slice_equals(again.way, "attached") && weir_slice_equals(again.told, "from"));
    report = (struct weir_report_line){.back = true};
    assert_int_equal(read_text(written(&report), &again), 1);
    assert_true(!again.spam && again.back);
    assert_int_equal(again.user.len + again.info.len + again.way.len + again.state.len, 0);
}

/* A name is chosen by whoever writes From: it forges no word and no line. */
static void a_name_forges_nothing(void **state)
{
    static const char *const names[] = {
        "a b", "x info=v1;AAAA", "a\nat=2026-11-20T10:00:00Z report=ham", "-", "\"=\" <>",
        "\xc3\xa9@example.org", " ", "a\tb",
    };
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct weir_report_line report = good(), again;

        report.user = weir_slice_of(names[i]);
        assert_null(strchr(written(&report), '\n'));
        assert_int_equal(read_text(written(&report), &again), 1);
        assert_true(again.spam && again.reporter == 255);
        assert_true(weir_slice_equals(again.info, "v1;AQB_-x"));
        assert_int_equal(again.user.len, strcmp(names[i], "-") == 0 ? 0 : strlen(names[i]));
    }
}

static void WEIR_REPORT_USER_MAX_octets_of_a_name_are_written(void **state)
{
    char name[WEIR_REPORT_USER_MAX + 2];
    struct weir_report_line report = good(), again;
    (void)state;
    memset(name, 'n', sizeof name);
    for (size_t more = 0; more < 2; more++) {
        report.user = (struct weir_slice){name, WEIR_REPORT_USER_MAX + more};
        assert_int_equal(read_text(written(&report), &again), 1);
        assert_int_equal(again.user.len, WEIR_REPORT_USER_MAX);
    }
}

/* Longer than any string of ours, it cannot be read as one, and the line stays short. */
static void a_string_that_is_too_long_is_cut_behind_WEIR_INFO_TEXT_MAX(void **state)
{
    static char string[1 << 20];
    struct weir_report_line report = good(), again;
    (void)state;
    memset(string, 'A', sizeof string);
    for (size_t len = WEIR_INFO_TEXT_MAX - 1; len < WEIR_INFO_TEXT_MAX + 3; len++) {
        report.info = (struct weir_slice){string, len};
        assert_int_equal(read_text(written(&report), &again), 1);
        assert_int_equal(again.info.len, len <= WEIR_INFO_TEXT_MAX ? len : WEIR_INFO_TEXT_MAX + 1);
    }
    report.info = (struct weir_slice){string, sizeof string};
    assert_true(strlen(written(&report)) < WEIR_SPOOL_LINE_MAX / 2);
}

static void other_lines_are_none(void **state)
{
    static const char *const lines[] = {
        "", "at=", "at=2026-11-20T10:00:00Z report=spam", "dropped=3", GOOD " x=y", GOOD "  x",
        "at=2026-11-20T10:00:00Z program=weir-milter queue_id=4X listener=25 hops=192.0.2.1",
        "at=x report=maybe back=no way=- told=- state=- reporter=00000000000000ff user=- "
        "binding=0123456789abcdef info=-",
        "at=x report=ham back=no way=- told=- state=- reporter=00000000000000fg user=- "
        "binding=0123456789abcdef info=-",
        "at=x report=ham back=no way=- told=- state=- reporter=0000000000000ff user=- "
        "binding=0123456789abcdef info=-",
        "at=x back=no report=ham way=- told=- state=- reporter=00000000000000ff user=- "
        "binding=0123456789abcdef info=-",
    };
    struct weir_report_line report;
    (void)state;
    assert_int_equal(read_text(GOOD, &report), 1);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (read_text(lines[i], &report) != 0)
            fail_msg("%s", lines[i]);
}

/* Programs that know nothing of reports count none of them as a decision. */
static void it_tells_of_no_judged_message(void **state)
{
    struct weir_spool_line line;
    (void)state;
    assert_int_equal(weir_spool_line_read(weir_slice_of(GOOD), &line), 0);
}

static void damaged_lines_are_read_or_not_and_never_past_their_end(void **state)
{
    struct seeded seed = seeded_new("report_line");
    (void)state;
    for (int round = 0; round < 20000; round++) {
        size_t len = strlen(GOOD);
        char *text = malloc(len);
        struct weir_report_line report;

        assert_non_null(text);
        memcpy(text, GOOD, len);
        for (int i = 0; i < 3; i++)
            text[seeded_below(&seed, (uint32_t)len)] = (char)seeded_next(&seed);
        (void)weir_report_line_read((struct weir_slice){text, seeded_below(&seed, (uint32_t)len)},
                                    &report);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(a_name_forges_nothing),
        cmocka_unit_test(WEIR_REPORT_USER_MAX_octets_of_a_name_are_written),
        cmocka_unit_test(a_string_that_is_too_long_is_cut_behind_WEIR_INFO_TEXT_MAX),
        cmocka_unit_test(other_lines_are_none),
        cmocka_unit_test(it_tells_of_no_judged_message),
        cmocka_unit_test(damaged_lines_are_read_or_not_and_never_past_their_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
