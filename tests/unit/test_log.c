/* log: clean lines of bounded length, and the gate before them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/log.h"

/* A sink that keeps the last line. */
struct kept {
    int lines;
    enum weir_log_level level;
    char line[2 * WEIR_LOG_LINE_MAX];
};

static void keep(void *context, enum weir_log_level level, const char *line)
{
    struct kept *kept = context;
    kept->lines++;
    kept->level = level;
    snprintf(kept->line, sizeof(kept->line), "%s", line);
}

static struct weir_log log_to(struct kept *kept, enum weir_log_level most)
{
    *kept = (struct kept){0};
    return (struct weir_log){.write = keep, .context = kept, .most = most};
}

static void a_line_is_formatted_and_handed_to_the_sink(void **state)
{
    (void)state;
    struct kept kept;
    struct weir_log log = log_to(&kept, WEIR_LOG_INFO);
    weir_log(&log, WEIR_LOG_WARNING, "%s is %d", "client", 7);
    assert_int_equal(kept.lines, 1);
    assert_int_equal(kept.level, WEIR_LOG_WARNING);
    assert_string_equal(kept.line, "client is 7");
}

static void lines_beyond_the_level_are_not_made(void **state)
{
    (void)state;
    struct kept kept;
    struct weir_log log = log_to(&kept, WEIR_LOG_WARNING);
    weir_log(&log, WEIR_LOG_INFO, "x");
    weir_log(&log, WEIR_LOG_DEBUG, "x");
    assert_int_equal(kept.lines, 0);
    weir_log(&log, WEIR_LOG_WARNING, "x");
    weir_log(&log, WEIR_LOG_ERROR, "x");
    assert_int_equal(kept.lines, 2);
}

static void no_log_and_no_sink_are_silence(void **state)
{
    (void)state;
    struct weir_log log = {0};
    weir_log(NULL, WEIR_LOG_ERROR, "x");
    weir_log(&log, WEIR_LOG_ERROR, "x");
}

static void control_characters_cannot_forge_lines(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"a\nb", "a?b"},
        {"a\r\nweir: error: b", "a??weir: error: b"},
        {"\t\b\x1b[31m\x7f", "???[31m?"},
        {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"}, /* UTF-8 stays */
        {"\xc2\x9b" "31m", "??31m"},                  /* C1 in UTF-8 is an escape too */
        {"\xc2\x80\xc2\x9f", "????"},
        {"\xc2\xa0", "\xc2\xa0"},
        {"end\xc2", "end\xc2"},
    };
    struct kept kept;
    struct weir_log log = log_to(&kept, WEIR_LOG_INFO);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        weir_log(&log, WEIR_LOG_INFO, "%s", cases[i].text);
        assert_string_equal(kept.line, cases[i].want);
    }
}

static void a_line_of_WEIR_LOG_LINE_MAX_is_whole_and_a_longer_one_is_cut(void **state)
{
    (void)state;
    struct kept kept;
    struct weir_log log = log_to(&kept, WEIR_LOG_INFO);
    weir_log(&log, WEIR_LOG_INFO, "%0*d", WEIR_LOG_LINE_MAX, 7);
    assert_int_equal(strlen(kept.line), WEIR_LOG_LINE_MAX);
    assert_int_equal(kept.line[WEIR_LOG_LINE_MAX - 1], '7');
    for (int more = 1; more < 3; more++) {
        weir_log(&log, WEIR_LOG_INFO, "%0*d", WEIR_LOG_LINE_MAX + more, 7);
        assert_int_equal(strlen(kept.line), WEIR_LOG_LINE_MAX);
        assert_string_equal(kept.line + WEIR_LOG_LINE_MAX - 4, "0...");
    }
}

static void a_cut_does_not_halve_a_character(void **state)
{
    (void)state;
    struct kept kept;
    struct weir_log log = log_to(&kept, WEIR_LOG_INFO);
    for (int shift = 0; shift < 4; shift++) {
        char text[4 * WEIR_LOG_LINE_MAX] = "";
        memset(text, 'x', (size_t)shift);
        for (size_t at = (size_t)shift; at + 4 < sizeof(text); at += 4)
            memcpy(text + at, "\xf0\x9f\x90\x9f", 5);
        weir_log(&log, WEIR_LOG_INFO, "%s", text);
        size_t len = strlen(kept.line);
        assert_in_range(len, WEIR_LOG_LINE_MAX - 3, WEIR_LOG_LINE_MAX);
        assert_string_equal(kept.line + len - 3, "...");
        assert_int_equal((len - 3 - (size_t)shift) % 4, 0);
    }
}

static void the_gate_lets_a_burst_through_and_then_one_an_interval(void **state)
{
    (void)state;
    struct weir_log_gate gate = {0};
    weir_time now = 1000 * WEIR_DAY;
    unsigned held = 99;
    for (int i = 0; i < WEIR_LOG_BURST; i++) {
        assert_true(weir_log_gate_open(&gate, now, WEIR_MINUTE, &held));
        assert_int_equal(held, 0);
    }
    for (int minute = 1; minute <= 5; minute++) {
        for (int i = 0; i < 7; i++)
            assert_false(weir_log_gate_open(&gate, now, WEIR_MINUTE, &held));
        now += WEIR_MINUTE - 1;
        assert_false(weir_log_gate_open(&gate, now, WEIR_MINUTE, &held));
        now += 1;
        assert_true(weir_log_gate_open(&gate, now, WEIR_MINUTE, &held));
        assert_int_equal(held, 8);
    }
}

static void a_quiet_time_earns_the_burst_again(void **state)
{
    (void)state;
    struct weir_log_gate gate = {0};
    weir_time now = 1000 * WEIR_DAY;
    unsigned held;
    for (int round = 0; round < 3; round++) {
        int open = 0;
        for (int i = 0; i < 100; i++)
            open += weir_log_gate_open(&gate, now, WEIR_SECOND, &held);
        assert_int_equal(open, WEIR_LOG_BURST);
        now += WEIR_LOG_BURST * WEIR_SECOND;
    }
}

static void a_clock_set_back_does_not_shut_the_gate(void **state)
{
    (void)state;
    struct weir_log_gate gate = {0};
    unsigned held;
    for (int i = 0; i < 100; i++)
        weir_log_gate_open(&gate, 1000 * WEIR_DAY, WEIR_SECOND, &held);
    assert_true(weir_log_gate_open(&gate, 999 * WEIR_DAY, WEIR_SECOND, &held));
}

static void only_stderr_and_syslog_can_be_opened(void **state)
{
    (void)state;
    struct weir_log log = {.most = WEIR_LOG_DEBUG};
    assert_int_equal(weir_log_open("weir", "file", WEIR_LOG_INFO, &log), WEIR_EINVAL);
    assert_int_equal(weir_log_open("weir", "", WEIR_LOG_INFO, &log), WEIR_EINVAL);
    assert_int_equal(log.most, WEIR_LOG_DEBUG);
    assert_int_equal(weir_log_open("weir", "syslog", WEIR_LOG_INFO, &log), 0);
    assert_int_equal(log.most, WEIR_LOG_INFO);
}

static void standard_error_gets_program_level_and_line(void **state)
{
    (void)state;
    struct weir_log log;
    int ends[2];
    char got[200] = "";
    assert_int_equal(pipe(ends), 0);
    int saved = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    int rc = weir_log_open("weir-policyd", "stderr", WEIR_LOG_DEBUG, &log);
    weir_log(&log, WEIR_LOG_ERROR, "one\n");
    weir_log(&log, WEIR_LOG_WARNING, "two");
    weir_log(&log, WEIR_LOG_INFO, "three");
    weir_log(&log, WEIR_LOG_DEBUG, "four");
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(ends[1]);
    for (ssize_t len, at = 0; (len = read(ends[0], got + at, sizeof(got) - 1 - (size_t)at)) > 0;)
        at += len;
    close(ends[0]);
    assert_int_equal(rc, 0);
    assert_string_equal(got, "weir-policyd: error: one?\n"
                             "weir-policyd: warning: two\n"
                             "weir-policyd: info: three\n"
                             "weir-policyd: debug: four\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_formatted_and_handed_to_the_sink),
        cmocka_unit_test(lines_beyond_the_level_are_not_made),
        cmocka_unit_test(no_log_and_no_sink_are_silence),
        cmocka_unit_test(control_characters_cannot_forge_lines),
        cmocka_unit_test(a_line_of_WEIR_LOG_LINE_MAX_is_whole_and_a_longer_one_is_cut),
        cmocka_unit_test(a_cut_does_not_halve_a_character),
        cmocka_unit_test(the_gate_lets_a_burst_through_and_then_one_an_interval),
        cmocka_unit_test(a_quiet_time_earns_the_burst_again),
        cmocka_unit_test(a_clock_set_back_does_not_shut_the_gate),
        cmocka_unit_test(only_stderr_and_syslog_can_be_opened),
        cmocka_unit_test(standard_error_gets_program_level_and_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
