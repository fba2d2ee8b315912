/* settings: a value of every kind, read, refused with a reason, and shown. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "tests/unit/seeded.h"
#include "tests/unit/settings_rig.h"

static void an_empty_file_gives_the_defaults(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(read_settings_bytes(f, NULL, 0), 0);
    const struct values *v = &f->values;
    assert_string_equal(v->text, "some text");
    assert_int_equal(v->mode, 0);
    assert_false(v->yes);
    assert_int_equal(v->count, 250);
    assert_int_equal(v->size, 65536);
    assert_true(v->period == 30 * WEIR_DAY);
    assert_int_equal(v->bits, 24);
    assert_true(v->number == -0.5);
    assert_true(v->share == 0.12);
    assert_true(v->rate == 10 / 60.0);
    assert_int_equal(v->list.count, 2);
    assert_string_equal(v->list.item[0], "a");
    assert_string_equal(v->list.item[1], "b");
    assert_int_equal(v->other_count, 7);
    assert_int_equal(f->told.count, 0);
}

static const struct {
    const char *name, *text, *shown;
} good_values[] = {
    {"text", "as it stands", "as it stands"},
    {"text", "\"quotes\" stay", "\"quotes\" stay"},
    {"text", "  blanks around go\t", "blanks around go"},
    {"text", "", ""},
    {"text", "a = b : c # d", "a = b : c # d"},
    {"text", "a;b", "a;b"},
    {"text", "a ; b", "a"},
    {"text", "; b", ""},
    {"text", "caf\xc3\xa9", "caf\xc3\xa9"},
    {"mode", "observe", "observe"},
    {"mode", "enforce", "enforce"},
    {"yes", "yes", "yes"},
    {"yes", "true", "yes"},
    {"yes", "on", "yes"},
    {"yes", "1", "yes"},
    {"yes", "YES", "yes"},
    {"yes", "no", "no"},
    {"yes", "false", "no"},
    {"yes", "Off", "no"},
    {"yes", "0", "no"},
    {"count", "0", "0"},
    {"count", "007", "7"},
    {"count", "8000", "8000"},
    {"count", "8k", "8000"},
    {"count", "8 K", "8000"},
    {"count", "2M", "2M"},
    {"count", "2500000", "2500000"},
    {"count", "3G", "3G"},
    {"count", "9223372036854775807", "9223372036854775807"},
    {"size", "0", "0"},
    {"size", "4096", "4k"},
    {"size", "4097", "4097"},
    {"size", "16M", "16M"},
    {"size", "1 G", "1G"},
    {"period", "0", "0"},
    {"period", "0s", "0"},
    {"period", "250us", "250us"},
    {"period", "500ms", "500ms"},
    {"period", "1000ms", "1s"},
    {"period", "90s", "90s"},
    {"period", "15m", "15m"},
    {"period", "15 min", "15m"},
    {"period", "4h", "4h"},
    {"period", "24h", "1d"},
    {"period", "2w", "14d"},
    {"bits", "/24", "/24"},
    {"bits", "8", "/8"},
    {"any_bits", "/0", "/0"},
    {"any_bits", "/128", "/128"},
    {"number", "3", "3"},
    {"number", "-3.25", "-3.25"},
    {"number", ".5", "0.5"},
    {"number", "5.", "5"},
    {"number", "1e3", "1000"},
    {"number", "1E-6", "1e-06"},
    {"number", "0.1", "0.1"},
    {"number", "12 %", "0.12"},
    {"number", "12%", "0.12"},
    {"number", "250%", "2.5"},
    {"rate", "0/s", "0/s"},
    {"rate", "5/s", "5/s"},
    {"rate", "0.5/s", "0.5/s"},
    {"rate", "10/min", "10/min"},
    {"rate", "7 /min", "7/min"},
    {"rate", "500/h", "500/h"},
    {"rate", "1000/d", "1000/d"},
    {"rate", "2.5/h", "2.5/h"},
    {"list", "", ""},
    {"list", " , ,,", ""},
    {"list", "one", "one"},
    {"list", "one,two", "one two"},
    {"list", ", one , two\tthree,", "one two three"},
    {"list", "[::1]:80 unix:/run/weir ; but not this", "[::1]:80 unix:/run/weir"},
};

static void values_of_each_kind_are_read_and_shown(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(good_values) / sizeof(good_values[0]); i++) {
        const struct weir_setting *row = setting_named(good_values[i].name);
        if (read_setting(f, row->name, good_values[i].text) != 0)
            fail_msg("%s", f->told.text);
        const char *shown = weir_setting_show(row, &f->values, f->arena);
        assert_string_equal(shown, good_values[i].shown);
    }
}

static void wrong_values_are_told_what_is_allowed(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *name, *text, *why;
    } cases[] = {
        {"mode", "enforced", "\"enforced\" is not one of observe|enforce"},
        {"mode", "Observe", "\"Observe\" is not one of observe|enforce"},
        {"mode", "observe|enforce", "\"observe|enforce\" is not one of observe|enforce"},
        {"mode", "", "\"\" is not one of observe|enforce"},
        {"yes", "maybe", "\"maybe\" is not yes or no"},
        {"yes", "2", "\"2\" is not yes or no"},
        {"count", "", "\"\" is not a whole number such as 250, 10k, 2M"},
        {"count", "-1", "\"-1\" is not a whole number such as 250, 10k, 2M"},
        {"count", "+1", "\"+1\" is not a whole number such as 250, 10k, 2M"},
        {"count", "1.5", "\"1.5\" is not a whole number such as 250, 10k, 2M"},
        {"count", "0x10", "\"0x10\" is not a whole number such as 250, 10k, 2M"},
        {"count", "1kk", "\"1kk\" is not a whole number such as 250, 10k, 2M"},
        {"count", "1 2", "\"1 2\" is not a whole number such as 250, 10k, 2M"},
        {"count", "k", "\"k\" is not a whole number such as 250, 10k, 2M"},
        {"count", "9223372036854775808", "\"9223372036854775808\" is too large a number"},
        {"count", "9223372036854776k", "\"9223372036854776k\" is too large a number"},
        {"count", "99999999999999999999999", "\"99999999999999999999999\" is too large a number"},
        {"size", "1T", "\"1T\" is not a size such as 4096, 64k, 16M, 1G"},
        {"size", "8589934592G", "\"8589934592G\" is too large a number"},
        {"period", "10", "\"10\" is not a period such as 10s, 15m, 4h, 30d"},
        {"period", "s", "\"s\" is not a period such as 10s, 15m, 4h, 30d"},
        {"period", "10 years", "\"10 years\" is not a period such as 10s, 15m, 4h, 30d"},
        {"period", "1h30m", "\"1h30m\" is not a period such as 10s, 15m, 4h, 30d"},
        {"period", "106751992d", "\"106751992d\" is too large a number"},
        {"bits", "/", "\"/\" is not a prefix length such as /24 or /56"},
        {"bits", "//24", "\"//24\" is not a prefix length such as /24 or /56"},
        {"any_bits", "/129", "\"/129\" is not a prefix length such as /24 or /56"},
        {"bits", "/24k", "\"/24k\" is not a prefix length such as /24 or /56"},
        {"number", "nan", "\"nan\" is not a number such as 3, 0.25, 12 %"},
        {"number", "inf", "\"inf\" is not a number such as 3, 0.25, 12 %"},
        {"number", "-infinity", "\"-infinity\" is not a number such as 3, 0.25, 12 %"},
        {"number", "0x1p3", "\"0x1p3\" is not a number such as 3, 0.25, 12 %"},
        {"number", "1e", "\"1e\" is not a number such as 3, 0.25, 12 %"},
        {"number", ".", "\".\" is not a number such as 3, 0.25, 12 %"},
        {"number", "--1", "\"--1\" is not a number such as 3, 0.25, 12 %"},
        {"number", "1,5", "\"1,5\" is not a number such as 3, 0.25, 12 %"},
        {"number", "5 %%", "\"5 %%\" is not a number such as 3, 0.25, 12 %"},
        {"number", "1e999", "\"1e999\" is too large a number"},
        {"rate", "10", "\"10\" is not a rate such as 5/s, 10/min, 500/h, 1000/d"},
        {"rate", "-1/s", "\"-1/s\" is not a rate such as 5/s, 10/min, 500/h, 1000/d"},
        {"rate", "1/fortnight",
         "\"1/fortnight\" is not a rate such as 5/s, 10/min, 500/h, 1000/d"},
        {"rate", "1e999/s", "\"1e999/s\" is too large a number"},
        {"number", "123456789 123456789 123456789 123456789 123456789 123456789 x",
         "\"123456789 123456789 123456789 123456789 123456789 123456789 ...\""
         " is not a number such as 3, 0.25, 12 %"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char want[300];
        assert_int_equal(read_setting(f, cases[i].name, cases[i].text), WEIR_EINVAL);
        snprintf(want, sizeof(want), "weir.conf:2: %s: %s\n", cases[i].name, cases[i].why);
        assert_string_equal(f->told.text, want);
    }
}

static void bounds_hold_at_the_limit_and_one_past(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *name, *text, *bounds; /* NULL: within */
    } cases[] = {
        {"period_from_1m", "1m", NULL},
        {"period_from_1m", "30d", NULL},
        {"period_from_1m", "0", "1m to 30d"},
        {"period_from_1m", "59s", "1m to 30d"},
        {"period_from_1m", "2592001s", "1m to 30d"},
        {"period_from_1m", "106751992d", "1m to 30d"},
        {"bits", "/8", NULL},
        {"bits", "/32", NULL},
        {"bits", "/7", "/8 to /32"},
        {"bits", "/33", "/8 to /32"},
        {"share", "0", NULL},
        {"share", "100 %", NULL},
        {"share", "1.0000000000000002", "0 to 1"},
        {"share", "-1e-300", "0 to 1"},
        {"share", "1e999", "0 to 1"},
        {"rate_to_10", "600/min", NULL},
        {"rate_to_10", "601/min", "0/s to 10/s"},
        {"count_at_large", "4611686018427387904", NULL}, /* 2^62: no double tells it from + 1 */
        {"count_at_large", "4611686018427387905", "0 to 4611686018427387904"},
        {"count_at_large", "9223372036854775808", "0 to 4611686018427387904"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int rc = read_setting(f, cases[i].name, cases[i].text);
        char want[200] = "";
        if (cases[i].bounds)
            snprintf(want, sizeof(want),
                     "weir.conf:2: %s: \"%s\" is out of bounds, which are %s\n", cases[i].name,
                     cases[i].text, cases[i].bounds);
        assert_string_equal(f->told.text, want);
        assert_int_equal(rc, cases[i].bounds ? WEIR_EINVAL : 0);
    }
}

/* A field, made by chance, and shown; then read again and compared. */
static void check_round_trip(struct fixture *f, const struct weir_setting *row,
                             const void *field, size_t size)
{
    static char file[8 * WEIR_CONFIG_VALUE_MAX];
    memcpy((char *)&f->values + row->offset, field, size);
    const char *shown = weir_setting_show(row, &f->values, f->arena);
    snprintf(file, sizeof(file), "[main]\n%s = %s\n", row->name, shown);
    if (read_settings(f, file) != 0)
        fail_msg("%s%s", file, f->told.text);
    if (row->kind == WEIR_TEXT) {
        assert_string_equal(f->values.text, *(const char *const *)field);
    } else if (row->kind == WEIR_LIST) {
        const struct weir_strings *want = field;
        assert_int_equal(f->values.list.count, want->count);
        for (size_t i = 0; i < want->count; i++)
            assert_string_equal(f->values.list.item[i], want->item[i]);
    } else if (memcmp((char *)&f->values + row->offset, field, size) != 0) {
        fail_msg("%s is read as another value", file);
    }
}

static void what_is_shown_of_whole_numbers_is_read_again(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {"count", "size", "period"};
    static const int64_t worths[] = {1,        1000,        1000000,   60000000,  3600000000,
                                     86400000000, 1 << 10, 1 << 20, 1 << 30, 604800000000};
    struct seeded s = seeded_new(__func__);
    for (int i = 0; i < 10000; i++) {
        int64_t whole = (int64_t)(seeded_next(&s) >> (1 + seeded_below(&s, 63)));
        int64_t worth = worths[seeded_below(&s, sizeof(worths) / sizeof(worths[0]))];
        if (whole <= INT64_MAX / worth)
            whole *= worth;
        check_round_trip(f, setting_named(names[i % 3]), &whole, sizeof(whole));
    }
    for (int64_t bits = 8; bits <= 32; bits++)
        check_round_trip(f, setting_named("bits"), &bits, sizeof(bits));
}

static void what_is_shown_of_fractions_is_read_again(void **state)
{
    struct fixture *f = *state;
    static const double worths[] = {1, 60, 3600, 86400, 100};
    struct seeded s = seeded_new(__func__);
    for (int i = 0; i < 10000; i++) {
        double fraction;
        uint64_t random = seeded_next(&s);
        memcpy(&fraction, &random, sizeof(fraction));
        if (i % 3 == 0)
            fraction = seeded_below(&s, 100000) / worths[seeded_below(&s, 5)];
        if (!isfinite(fraction))
            continue;
        check_round_trip(f, setting_named("number"), &fraction, sizeof(fraction));
        fraction = fabs(fraction);
        check_round_trip(f, setting_named("rate"), &fraction, sizeof(fraction));
    }
}

static void what_is_shown_of_words_is_read_again(void **state)
{
    struct fixture *f = *state;
    for (int mode = 0; mode < 2; mode++)
        check_round_trip(f, setting_named("mode"), &mode, sizeof(mode));
    for (int i = 0; i < 2; i++) {
        bool yes = i;
        check_round_trip(f, setting_named("yes"), &yes, sizeof(yes));
    }
}

/* A word, now and then one that looks like something else in the file. */
static size_t random_word(struct seeded *s, char *word, bool in_list)
{
    static const char *const odd[] = {"#", "=", "mode", "count", "x=y", "[main]", "a;b", ":", "#c"};
    size_t len = 1 + seeded_below(s, seeded_below(s, 50) == 0 ? 150 : 12);
    if (seeded_below(s, 6) == 0)
        return (size_t)sprintf(word, "%s", odd[seeded_below(s, in_list ? 4 : 9)]);
    for (size_t i = 0; i < len; i++) {
        do
            word[i] = (char)(0x21 + seeded_below(s, 0x5e));
        while (word[i] == ',' || (i == 0 && (word[i] == ';' || word[i] == '#')));
    }
    word[len] = '\0';
    return len;
}

static void what_is_shown_of_texts_is_read_again(void **state)
{
    struct fixture *f = *state;
    struct seeded s = seeded_new(__func__);
    for (int i = 0; i < 2000; i++) {
        char text[16 * 1024] = "";
        size_t len = 0;
        unsigned words = seeded_below(&s, i % 10 == 0 ? 80 : 8);
        for (unsigned j = 0; j < words; j++) {
            if (j > 0)
                text[len++] = ' ';
            len += random_word(&s, text + len, false);
        }
        text[len] = '\0';
        const char *field = text;
        check_round_trip(f, setting_named("text"), &field, sizeof(field));
    }
}

static void what_is_shown_of_lists_is_read_again(void **state)
{
    struct fixture *f = *state;
    static char word[WEIR_LIST_ITEMS_MAX][200];
    const char *item[WEIR_LIST_ITEMS_MAX];
    struct seeded s = seeded_new(__func__);
    for (int i = 0; i < 2000; i++) {
        struct weir_strings list = {item, seeded_below(&s, i % 10 == 0 ? 257 : 8)};
        size_t sum = 0;
        for (size_t j = 0; j < list.count; j++) {
            sum += random_word(&s, word[j], true) + 1;
            item[j] = word[j];
        }
        if (sum <= WEIR_CONFIG_VALUE_MAX)
            check_round_trip(f, setting_named("list"), &list, sizeof(list));
    }
}

static void the_longest_word_a_line_can_hold_is_shown_so_that_it_fits(void **state)
{
    struct fixture *f = *state;
    char text[3 * WEIR_CONFIG_LINE_MAX];
    for (int len = WEIR_CONFIG_LINE_MAX - 8; len < WEIR_CONFIG_LINE_MAX; len++) {
        snprintf(text, sizeof(text), "%0*d a%0*d", len, 1, len - 1, 2);
        const char *field = text;
        check_round_trip(f, setting_named("text"), &field, sizeof(field));
        const char *item[] = {text, text + len + 1};
        text[len] = '\0';
        struct weir_strings list = {item, 2};
        check_round_trip(f, setting_named("list"), &list, sizeof(list));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SETTINGS(an_empty_file_gives_the_defaults),
        WITH_SETTINGS(values_of_each_kind_are_read_and_shown),
        WITH_SETTINGS(wrong_values_are_told_what_is_allowed),
        WITH_SETTINGS(bounds_hold_at_the_limit_and_one_past),
        WITH_SETTINGS(what_is_shown_of_whole_numbers_is_read_again),
        WITH_SETTINGS(what_is_shown_of_fractions_is_read_again),
        WITH_SETTINGS(what_is_shown_of_words_is_read_again),
        WITH_SETTINGS(what_is_shown_of_texts_is_read_again),
        WITH_SETTINGS(what_is_shown_of_lists_is_read_again),
        WITH_SETTINGS(the_longest_word_a_line_can_hold_is_shown_so_that_it_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
