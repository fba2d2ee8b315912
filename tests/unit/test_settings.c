/* settings: the file, its limits, and the file:line of everything wrong. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/arena_impl.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/settings_impl.h"
#include "tests/unit/seeded.h"
#include "tests/unit/settings_rig.h"

static void unknown_names_get_the_nearest_known_one(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *file, *want;
    } cases[] = {
        {"[main]\nconut = 1\n",
         "weir.conf:2: unknown key \"conut\" in [main]; did you mean \"count\"?\n"},
        {"[main]\nmod = x\n",
         "weir.conf:2: unknown key \"mod\" in [main]; did you mean \"mode\"?\n"},
        {"[main]\nperiods = 1\n",
         "weir.conf:2: unknown key \"periods\" in [main]; did you mean \"period\"?\n"},
        {"[main]\nMode = x\n",
         "weir.conf:2: unknown key \"Mode\" in [main]; did you mean \"mode\"?\n"},
        {"[main]\nperiod-from-1m = 1\n",
         "weir.conf:2: unknown key \"period-from-1m\" in [main]; did you mean "
         "\"period_from_1m\"?\n"},
        {"[main]\nzebra = 1\n", "weir.conf:2: unknown key \"zebra\" in [main]\n"},
        {"[main]\nx = 1\n", "weir.conf:2: unknown key \"x\" in [main]\n"},
        {"[main]\nperiod_from_1m_and_so_on_up_to_more_than_48_letters = 1\n",
         "weir.conf:2: unknown key \"period_from_1m_and_so_on_up_to_more_than_48_letters\" in "
         "[main]\n"},
        {"[main]\n= 1\n", "weir.conf:2: unknown key \"\" in [main]\n"},
        {"[other]\nmode = observe\n",
         "weir.conf:2: unknown key \"mode\" in [other]; it belongs in [main]\n"},
        {"[mian]\nmode = observe\n",
         "weir.conf:1: unknown section [mian]; did you mean [main]?\n"},
        {"[MAIN]\n", "weir.conf:1: unknown section [MAIN]; did you mean [main]?\n"},
        {"[zebra]\na = 1\nb = 2\n  c\nd\n[main]\ncount = 5\n",
         "weir.conf:1: unknown section [zebra]\nweir.conf:5: neither [section] nor name = value\n"},
        {"[]\n", "weir.conf:1: unknown section []\n"},
        {"[ main ]\n", "weir.conf:1: unknown section [ main ]\n"},
        {"mode = observe\n", "weir.conf:1: \"mode\" stands outside any [section]\n"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(read_settings(f, cases[i].file), WEIR_EINVAL);
        assert_string_equal(f->told.text, cases[i].want);
    }
}

/* Steps from a to b, by trying all that the last letters allow. */
static unsigned model_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    if (a_len == 0 || b_len == 0)
        return (unsigned)(a_len + b_len);
    char a_last = a[a_len - 1], b_last = b[b_len - 1];
    unsigned step[4] = {
        model_distance(a, a_len - 1, b, b_len - 1) + (a_last != b_last),
        model_distance(a, a_len - 1, b, b_len) + 1,
        model_distance(a, a_len, b, b_len - 1) + 1,
        UINT_MAX,
    };
    if (a_len > 1 && b_len > 1 && a_last == b[b_len - 2] && b_last == a[a_len - 2])
        step[3] = model_distance(a, a_len - 2, b, b_len - 2) + 1;
    unsigned least = step[0];
    for (int i = 1; i < 4; i++)
        least = step[i] < least ? step[i] : least;
    return least;
}

static void the_nearest_name_is_the_one_of_fewest_steps(void **state)
{
    (void)state;
    struct seeded s = seeded_new(__func__);
    for (int i = 0; i < 2000; i++) {
        char a[6] = "", b[6] = "";
        for (size_t j = 0, len = 1 + seeded_below(&s, 5); j < len; j++)
            a[j] = (char)('a' + seeded_below(&s, 3));
        for (size_t j = 0, len = 1 + seeded_below(&s, 5); j < len; j++)
            b[j] = (char)('a' + seeded_below(&s, 3));
        unsigned want = model_distance(a, strlen(a), b, strlen(b)), nearest = UINT_MAX;
        bool near = want <= 1 + strlen(b) / 5 && want < strlen(a);
        assert_int_equal(weir_setting_nearer(a, b, &nearest), near);
        assert_int_equal(nearest, near ? want : UINT_MAX);
        assert_false(weir_setting_nearer(a, b, &want)); /* no nearer than itself */
    }
}

static void names_of_48_letters_are_compared_and_longer_ones_not(void **state)
{
    (void)state;
    char given[60], known[60];
    for (int len = 47; len < 52; len++) {
        unsigned nearest = UINT_MAX;
        snprintf(given, sizeof(given), "%0*d", len, 1);
        snprintf(known, sizeof(known), "%0*d", len, 2);
        assert_int_equal(weir_setting_nearer(given, known, &nearest), len <= 48);
        nearest = UINT_MAX;
        assert_int_equal(weir_setting_nearer("1", known, &nearest), false);
        assert_int_equal(weir_setting_nearer(given, "1", &nearest), false);
    }
}

static void all_problems_of_a_file_are_told_with_their_lines(void **state)
{
    struct fixture *f = *state;
    static const char file[] = "# a comment\n"
                               "[main]\n"
                               "count = many\n"
                               "just words\n"
                               "\n"
                               "list = one,\n"
                               "   two,\n"
                               "   # a comment between\n"
                               "   three\n"
                               "size = big\n"
                               "list = again\n"
                               "   and more\n"
                               "[main\n"
                               "yes = perhaps\n"
                               "[other] count = 5\n"
                               "[other] ; a comment\n"
                               "count =\n"
                               "  1\n"
                               "  2\n"
                               "[main]\n"
                               "period = 5 parsecs";
    static const char want[] =
        "weir.conf:3: count: \"many\" is not a whole number such as 250, 10k, 2M\n"
        "weir.conf:4: neither [section] nor name = value\n"
        "weir.conf:10: size: \"big\" is not a size such as 4096, 64k, 16M, 1G\n"
        "weir.conf:11: \"list\" is set twice, first in line 6\n"
        "weir.conf:13: no \"]\" behind the section's name\n"
        "weir.conf:15: text behind [other]\n"
        "weir.conf:17: count: \"1 2\" is not a whole number such as 250, 10k, 2M\n"
        "weir.conf:21: period: \"5 parsecs\" is not a period such as 10s, 15m, 4h, 30d\n";
    assert_int_equal(read_settings(f, file), WEIR_EINVAL);
    assert_string_equal(f->told.text, want);
}

static void values_go_on_in_indented_lines(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *file, *shown;
    } cases[] = {
        {"[main]\nlist = a\n b\n\tc\n", "a b c"},
        {"[main]\nlist =\n  a ; first\n  b;c\n  ; d\n  e\n", "a b;c e"},
        {"[main]\nlist = a\n# between\n  # between\n  b\n", "a b"},
        {"[main]\nlist =\n  [::1]:80\n", "[::1]:80"},
        {"[main]\n  list = a\n", "a"},
        {"[main]\nlist = a\n\n  count = 5\n", "a"},
        {"[main]\nlist = a\n  x = b\n", "a x = b"},
        {"[main]\r\nlist = a\r\n b\r\n", "a b"},
        {"[main]\nlist =; a\n", ""},
        {"\xef\xbb\xbf[main]\nlist = a", "a"},
        {"[main]\nlist: a", "a"},
        {"[main]\nlist=a", "a"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (read_settings(f, cases[i].file) != 0)
            fail_msg("%s", f->told.text);
        assert_string_equal(weir_setting_show(setting_named("list"), &f->values, f->arena),
                            cases[i].shown);
    }
}

static void an_indented_setting_is_not_swallowed_by_the_one_above(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(read_settings(f, "[main]\ntext = a\n  mode = enforce\n  more\n"), WEIR_EINVAL);
    assert_string_equal(f->told.text, "weir.conf:3: an indented line goes on with \"text\"; begin "
                                      "\"mode\" at the margin\n");
}

static void a_section_may_be_opened_again(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(
        read_settings(f, "[main]\ncount = 1\n[other]\ncount = 2\n[main]\nsize = 3\n"), 0);
    assert_int_equal(f->values.count, 1);
    assert_int_equal(f->values.other_count, 2);
    assert_int_equal(f->values.size, 3);
}

/* "[main]\ntext = xxx..." with a second line of len octets. */
static int read_line_of(struct fixture *f, size_t len, const char *end)
{
    char file[1000];
    int at = snprintf(file, sizeof(file), "[main]\ntext = ");
    size_t pad = len - strlen("text = ");
    memset(file + at, 'x', pad);
    snprintf(file + at + pad, sizeof(file) - (size_t)at - pad, "%s", end);
    return read_settings(f, file);
}

static void WEIR_CONFIG_LINE_MAX_is_read_whole_and_one_more_refused(void **state)
{
    struct fixture *f = *state;
    static const char *const ends[] = {"", "\n", "\r\n", "\ncount = 5\n"};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        assert_int_equal(read_line_of(f, WEIR_CONFIG_LINE_MAX, ends[i]), 0);
        assert_int_equal(strlen(f->values.text), WEIR_CONFIG_LINE_MAX - strlen("text = "));
        assert_int_equal(read_line_of(f, WEIR_CONFIG_LINE_MAX + 1, ends[i]), WEIR_EINVAL);
        assert_string_equal(f->told.text, "weir.conf:2: the line is too long; let the value go "
                                          "on in indented lines\n");
    }
}

static void comments_may_be_of_any_length(void **state)
{
    struct fixture *f = *state;
    char file[5000];
    memset(file, '#', sizeof(file));
    strcpy(file + 4900, "\n[main]\ncount = 5\n");
    assert_int_equal(read_settings(f, file), 0);
    assert_int_equal(f->values.count, 5);
}

static void WEIR_CONFIG_VALUE_MAX_is_read_whole_and_one_more_refused(void **state)
{
    struct fixture *f = *state;
    static char file[4 * WEIR_CONFIG_VALUE_MAX];
    for (int more = 0; more < 2; more++) {
        char *at = stpcpy(file, "[main]\ntext =\n");
        int len = 127; /* and a blank between two lines */
        for (int i = 0; i < WEIR_CONFIG_VALUE_MAX / 128 - 1; i++)
            at += sprintf(at, " %0*d\n", len, 7);
        at += sprintf(at, " %0*d\n", len + 1 + more, 7);
        strcpy(at, "count = 5\n");
        assert_int_equal(read_settings(f, file), more ? WEIR_EINVAL : 0);
        if (more)
            assert_non_null(strstr(f->told.text, "text: the value is longer than 16384 octets\n"));
        else
            assert_int_equal(strlen(f->values.text), WEIR_CONFIG_VALUE_MAX);
        assert_int_equal(f->told.count, more);
    }
}

static void WEIR_LIST_ITEMS_MAX_are_read_and_one_more_refused(void **state)
{
    struct fixture *f = *state;
    for (int more = 0; more < 2; more++) {
        char file[8 * WEIR_LIST_ITEMS_MAX];
        char *at = stpcpy(file, "[main]\nlist =\n");
        for (int i = 0; i < WEIR_LIST_ITEMS_MAX + more; i++)
            at += sprintf(at, " i%d\n", i);
        if (more) {
            assert_int_equal(read_settings(f, file), WEIR_EINVAL);
            assert_string_equal(f->told.text, "weir.conf:2: list: more than 256 items\n");
        } else {
            assert_int_equal(read_settings(f, file), 0);
            assert_int_equal(f->values.list.count, WEIR_LIST_ITEMS_MAX);
            assert_string_equal(f->values.list.item[WEIR_LIST_ITEMS_MAX - 1], "i255");
        }
    }
}

static void WEIR_CONFIG_FILE_MAX_is_read_and_one_octet_more_refused(void **state)
{
    struct fixture *f = *state;
    static char file[WEIR_CONFIG_FILE_MAX + 1];
    memset(file, '\n', sizeof(file));
    memcpy(file + WEIR_CONFIG_FILE_MAX - 16, "[main]\ncount = 5", 16);
    assert_int_equal(read_settings_bytes(f, file, WEIR_CONFIG_FILE_MAX), 0);
    assert_int_equal(f->values.count, 5);
    assert_int_equal(read_settings_bytes(f, file, WEIR_CONFIG_FILE_MAX + 1), WEIR_EINVAL);
    assert_string_equal(f->told.text, "weir.conf:0: the file is larger than 1048576 octets\n");
}

static void after_WEIR_CONFIG_PROBLEMS_MAX_reading_stops(void **state)
{
    struct fixture *f = *state;
    for (int more = -1; more < 3; more++) {
        char file[16 * WEIR_CONFIG_PROBLEMS_MAX] = "[main]\n";
        for (int i = 0; i < WEIR_CONFIG_PROBLEMS_MAX + more; i++)
            strcat(file, "nonsense\n");
        assert_int_equal(read_settings(f, file), WEIR_EINVAL);
        assert_int_equal(f->told.count,
                         more < 0 ? WEIR_CONFIG_PROBLEMS_MAX - 1 : WEIR_CONFIG_PROBLEMS_MAX + 1);
        assert_int_equal(strstr(f->told.text, "too many problems; reading stops here") != NULL,
                         more >= 0);
    }
}

static void nuls_and_control_characters_are_refused(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *bytes;
        size_t len;
        const char *want;
    } cases[] = {
        {"[main]\ntext = a\0b\n", 18, "weir.conf:2: a NUL in the line: is this a text file?\n"},
        {"[main]\n\0\n", 9, "weir.conf:2: a NUL in the line: is this a text file?\n"},
        {"\0", 1, "weir.conf:1: a NUL in the line: is this a text file?\n"},
        {"[main]\ntext = a\n  \0\n", 20, "weir.conf:3: a NUL in the line: is this a text file?\n"},
        {"[main]\ntext = \x1b[31m\n", 20,
         "weir.conf:2: a control character in the line: is this a text file?\n"},
        {"[main]\rtext = a\r", 16,
         "weir.conf:1: a control character in the line: is this a text file?\n"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(read_settings_bytes(f, cases[i].bytes, cases[i].len), WEIR_EINVAL);
        assert_string_equal(f->told.text, cases[i].want);
    }
}

static void binary_junk_is_refused_in_a_few_lines(void **state)
{
    struct fixture *f = *state;
    struct seeded s = seeded_new(__func__);
    for (int round = 0; round < 200; round++) {
        static char junk[10000];
        seeded_fill(&s, junk, sizeof(junk));
        junk[0] = 'x'; /* no comment */
        assert_int_equal(read_settings_bytes(f, junk, sizeof(junk)), WEIR_EINVAL);
        assert_in_range(f->told.count, 1, WEIR_CONFIG_PROBLEMS_MAX + 1);
    }
}

static void problems_need_no_listener(void **state)
{
    struct fixture *f = *state;
    static const struct weir_settings_report deaf = {0};
    assert_int_equal(weir_settings_read_bytes(&every_kind, "x", "x\n", 2, f->arena, NULL,
                                              &f->values),
                     WEIR_EINVAL);
    assert_int_equal(weir_settings_read_bytes(&every_kind, "x", "x\n", 2, f->arena, &deaf,
                                              &f->values),
                     WEIR_EINVAL);
    assert_int_equal(weir_settings_read(&every_kind, "/nonexistent", f->arena, NULL, &f->values),
                     WEIR_EIO);
}

static void a_file_that_cannot_be_read_is_reported(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(weir_settings_read(&every_kind, "/nonexistent/weir.conf", f->arena, &f->report,
                                        &f->values),
                     WEIR_EIO);
    assert_string_equal(f->told.text, "/nonexistent/weir.conf:0: No such file or directory\n");
    f->told.text[0] = '\0';
    assert_int_equal(weir_settings_read(&every_kind, "/", f->arena, &f->report, &f->values),
                     WEIR_EIO);
    assert_string_equal(f->told.text, "/:0: Is a directory\n");
}

static void a_file_is_read_from_disk(void **state)
{
    struct fixture *f = *state;
    char path[] = "/tmp/weir-test-settings-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "[main]\ncount = 5\nsize = x\n", 26), 26);
    close(fd);
    int rc = weir_settings_read(&every_kind, path, f->arena, &f->report, &f->values);
    assert_int_equal(truncate(path, WEIR_CONFIG_FILE_MAX + 100), 0);
    int large = weir_settings_read(&every_kind, path, f->arena, NULL, &f->values);
    unlink(path);
    assert_int_equal(rc, WEIR_EINVAL);
    assert_non_null(strstr(f->told.text, ":3: size: \"x\" is not a size"));
    assert_int_equal(large, WEIR_EINVAL);
}

static const char *printed(void (*print)(const struct weir_settings *, FILE *),
                           const struct weir_settings *what)
{
    static char text[1 << 16];
    FILE *out = fmemopen(text, sizeof(text), "w");
    assert_non_null(out);
    print(what, out);
    fclose(out);
    return text;
}

static const struct weir_setting few_rows[] = {
    {"main", "mode", WEIR_CHOICE, "observe", 0, 0, "observe|enforce", AT(mode), "What to do.",
     NULL},
    {"other", "count", WEIR_COUNT, "7", 0, 0, NULL, AT(other_count),
     "A sentence so long that the sample file, which is 78 columns wide, breaks it into lines.",
     NULL},
    {"main", "text", WEIR_TEXT, "", 0, 0, NULL, AT(text), ".with odd\\signs - in it", NULL},
    {"main", "period", WEIR_PERIOD, "4h", WEIR_MINUTE, WEIR_DAY, NULL, AT(period), "How long.",
     NULL},
};

static const struct weir_settings few = {few_rows, 4};

static void the_sample_is_grouped_and_commented(void **state)
{
    (void)state;
    assert_string_equal(printed(weir_settings_sample, &few),
                        "[main]\n\n"
                        "# What to do.\n"
                        "# (observe, enforce)\n"
                        "#mode = observe\n\n"
                        "# .with odd\\signs - in it\n"
                        "#text =\n\n"
                        "# How long.\n"
                        "# (1m to 1d)\n"
                        "#period = 4h\n\n"
                        "[other]\n\n"
                        "# A sentence so long that the sample file, which is 78 columns wide, "
                        "breaks it\n"
                        "# into lines.\n"
                        "#count = 7\n\n");
}

static void the_manual_is_roff_that_shows_every_sign(void **state)
{
    (void)state;
    assert_string_equal(printed(weir_settings_manual, &few),
                        ".SS [main]\n"
                        ".TP\n.B mode = observe\nWhat to do. (observe, enforce)\n"
                        ".TP\n.B text = \n\\&.with odd\\esigns \\- in it\n"
                        ".TP\n.B period = 4h\nHow long. (1m to 1d)\n"
                        ".SS [other]\n"
                        ".TP\n.B count = 7\n"
                        "A sentence so long that the sample file, which is 78 columns wide, "
                        "breaks it into lines.\n");
}

static void the_sample_reads_as_the_defaults_commented_out_or_not(void **state)
{
    struct fixture *f = *state;
    static char sample[1 << 16];
    snprintf(sample, sizeof(sample), "%s", printed(weir_settings_sample, &every_kind));
    for (int round = 0; round < 2; round++) {
        if (read_settings(f, sample) != 0)
            fail_msg("%s", f->told.text);
        assert_string_equal(f->values.text, "some text");
        assert_int_equal(f->values.other_count, 7);
        assert_true(f->values.rate == 10 / 60.0);
        for (char *at = sample; (at = strchr(at, '#')) != NULL; at++) {
            if (at[1] != ' ')
                memmove(at, at + 1, strlen(at));
        }
    }
}

static void a_wrong_default_is_a_bug_of_ours(void **state)
{
    struct fixture *f = *state;
    static const struct weir_setting wrong[] = {
        {"main", "a", WEIR_PERIOD, "4 parsecs", 0, 0, NULL, AT(period), "", NULL},
        {"main", "a", WEIR_COUNT, "7", 8, 9, NULL, AT(count), "", NULL},
        {"main", "a", WEIR_COUNT, NULL, 0, 0, NULL, AT(count), "", NULL},
        {"main", "a", WEIR_CHOICE, "a", 0, 0, NULL, AT(mode), "", NULL},
        {"main", "a", WEIR_TEXT, "not ; readable", 0, 0, NULL, AT(text), "", NULL},
        {"main", "a", WEIR_TEXT, " blank in front", 0, 0, NULL, AT(text), "", NULL},
        {"main", "a", WEIR_TEXT, "two\nlines", 0, 0, NULL, AT(text), "", NULL},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct weir_settings one = {&wrong[i], 1};
        assert_int_equal(weir_settings_default(&one, f->arena, &f->values), WEIR_EBUG);
        assert_int_equal(weir_settings_read_bytes(&one, "x", "", 0, f->arena, NULL, &f->values),
                         WEIR_EBUG);
    }
}

static void short_memory_is_reported_whenever_it_comes(void **state)
{
    struct fixture *f = *state;
    static const char good[] = "[main]\nlist = a, b\ntext = c\ncount = 1\n";
    static const char bad[] = "[main]\ncount = x\nmode = y\nperiod_from_1m = 0\n";
    unsigned n = 0;
    do {
        weir_arena_fail_nth(f->arena, ++n);
        int rc = read_settings(f, n % 2 ? good : bad);
        if (weir_arena_failed(f->arena))
            assert_int_equal(rc, WEIR_ENOMEM);
    } while (weir_arena_failed(f->arena));
    assert_true(n > 10);
    weir_arena_fail_nth(f->arena, 0);
    assert_int_equal(read_settings(f, good), 0);
    weir_arena_fail_nth(f->arena, 1);
    assert_null(weir_setting_show(setting_named("count"), &f->values, f->arena));
    weir_arena_fail_nth(f->arena, 1);
    assert_null(weir_setting_show(setting_named("list"), &f->values, f->arena));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SETTINGS(unknown_names_get_the_nearest_known_one),
        WITH_SETTINGS(the_nearest_name_is_the_one_of_fewest_steps),
        WITH_SETTINGS(names_of_48_letters_are_compared_and_longer_ones_not),
        WITH_SETTINGS(all_problems_of_a_file_are_told_with_their_lines),
        WITH_SETTINGS(values_go_on_in_indented_lines),
        WITH_SETTINGS(an_indented_setting_is_not_swallowed_by_the_one_above),
        WITH_SETTINGS(a_section_may_be_opened_again),
        WITH_SETTINGS(WEIR_CONFIG_LINE_MAX_is_read_whole_and_one_more_refused),
        WITH_SETTINGS(comments_may_be_of_any_length),
        WITH_SETTINGS(WEIR_CONFIG_VALUE_MAX_is_read_whole_and_one_more_refused),
        WITH_SETTINGS(WEIR_LIST_ITEMS_MAX_are_read_and_one_more_refused),
        WITH_SETTINGS(WEIR_CONFIG_FILE_MAX_is_read_and_one_octet_more_refused),
        WITH_SETTINGS(after_WEIR_CONFIG_PROBLEMS_MAX_reading_stops),
        WITH_SETTINGS(nuls_and_control_characters_are_refused),
        WITH_SETTINGS(binary_junk_is_refused_in_a_few_lines),
        WITH_SETTINGS(problems_need_no_listener),
        WITH_SETTINGS(a_file_that_cannot_be_read_is_reported),
        WITH_SETTINGS(a_file_is_read_from_disk),
        WITH_SETTINGS(the_sample_is_grouped_and_commented),
        WITH_SETTINGS(the_manual_is_roff_that_shows_every_sign),
        WITH_SETTINGS(the_sample_reads_as_the_defaults_commented_out_or_not),
        WITH_SETTINGS(a_wrong_default_is_a_bug_of_ours),
        WITH_SETTINGS(short_memory_is_reported_whenever_it_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
