/*
 * Records, keys and counts of the lists, without a file.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/store/lists_impl.h"
#include "tests/unit/seeded.h"

static struct weir_list_entry some_entry(void)
{
    struct weir_list_entry entry = {.added = 1700000000 * WEIR_SECOND,
                                    .ends = 1700003600 * WEIR_SECOND};
    snprintf(entry.origin, sizeof(entry.origin), "monitor");
    snprintf(entry.reason, sizeof(entry.reason), "55 connections in 10 s, limit 50");
    return entry;
}

static void a_record_comes_back_as_it_was(void **state)
{
    (void)state;
    uint8_t record[WEIR_LIST_RECORD_MAX];
    struct weir_list_entry entry = some_entry(), read = {.is_domain = true};
    weir_time ends;
    size_t len = weir_list_record_write(&entry, record);
    assert_true(len > 0);
    assert_int_equal(weir_list_record_read(record, len, &read), 0);
    assert_int_equal(read.added, entry.added);
    assert_int_equal(read.ends, entry.ends);
    assert_string_equal(read.origin, entry.origin);
    assert_string_equal(read.reason, entry.reason);
    assert_true(read.is_domain); /* not the record's business */
    assert_int_equal(weir_list_record_ends(record, len, &ends), 0);
    assert_int_equal(ends, entry.ends);
}

static void points_and_deferral_come_back_and_cost_nothing_where_there_are_none(void **state)
{
    (void)state;
    static const struct {
        double points, read;
        bool defer;
    } cases[] = {{2.5, 2.5, false},   {-100, -100, false}, {100, 100, false}, {0.011, 0.01, false},
                 {0, 0, true},        {-0.01, -0.01, true}};
    uint8_t record[WEIR_LIST_RECORD_MAX];
    struct weir_list_entry entry = some_entry(), read;
    size_t plain = weir_list_record_write(&entry, record);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        weir_time ends;
        entry.points = cases[i].points;
        entry.defer = cases[i].defer;
        size_t len = weir_list_record_write(&entry, record);
        assert_int_equal(len, plain + 5);
        assert_int_equal(weir_list_record_read(record, len, &read), 0);
        assert_true(read.points == cases[i].read);
        assert_int_equal(read.defer, cases[i].defer);
        assert_string_equal(read.reason, entry.reason);
        assert_int_equal(weir_list_record_ends(record, len, &ends), 0);
        assert_int_equal(ends, entry.ends);
        entry.points = 0;
        entry.defer = false;
        assert_int_equal(weir_list_record_write(&entry, record), plain);
    }
}

static void damaged_anywhere(const struct weir_list_entry *entry)
{
    uint8_t record[WEIR_LIST_RECORD_MAX] = {0};
    struct weir_list_entry read = *entry;
    size_t len = weir_list_record_write(entry, record);
    for (size_t cut = 0; cut < len; cut++)
        assert_int_equal(weir_list_record_read(record, cut, &read), WEIR_ECORRUPT);
    assert_int_equal(weir_list_record_read(record, len + 1, &read), WEIR_ECORRUPT);
    assert_memory_equal(&read, entry, sizeof(read));
}

static void a_record_cut_or_lengthened_anywhere_is_damaged(void **state)
{
    (void)state;
    struct weir_list_entry entry = some_entry();
    damaged_anywhere(&entry);
    entry.points = 1.5;
    damaged_anywhere(&entry);
}

static void points_beyond_the_limit_are_damage(void **state)
{
    (void)state;
    uint8_t record[WEIR_LIST_RECORD_MAX] = {0};
    struct weir_list_entry entry = some_entry(), read;
    entry.points = 100.01;
    size_t len = weir_list_record_write(&entry, record);
    assert_int_equal(weir_list_record_read(record, len, &read), WEIR_ECORRUPT);
}

static void a_record_with_what_we_never_write_is_damaged(void **state)
{
    (void)state;
    static const struct {
        size_t offset;
        uint8_t octet;
    } cases[] = {
        {0, 0}, {0, 2},        /* form */
        {1, 0x80}, {9, 0x80},  /* times before 1970 */
        {17, 65}, {17, 200},   /* length of the origin, which has a limit */
        {18, '\n'}, {18, 0}, {20, 0x7f}, {19, 0xc3},
        {26, '\r'}, {27, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t record[WEIR_LIST_RECORD_MAX] = {0};
        struct weir_list_entry entry = some_entry();
        size_t len = weir_list_record_write(&entry, record);
        record[cases[i].offset] = cases[i].octet;
        if (weir_list_record_read(record, len, &entry) != WEIR_ECORRUPT)
            fail_msg("case %zu", i);
    }
}

static void keys_sort_by_address_then_length_and_domains_come_last(void **state)
{
    (void)state;
    static const char *const sorted[] = {"0.0.0.0/0", "192.0.2.0/24", "192.0.2.0/28", "192.0.2.0",
                                         "192.0.2.1", "198.51.100.0/24", "2001:db8::/32",
                                         "2001:db8::1"};
    uint8_t before[WEIR_LIST_KEY_MAX] = {0}, key[WEIR_LIST_KEY_MAX];
    for (size_t i = 0; i < sizeof(sorted) / sizeof(sorted[0]); i++) {
        struct weir_list_entry entry = {.is_domain = false}, read = {.is_domain = true};
        const char *why;
        assert_int_equal(weir_prefix_parse(sorted[i], strlen(sorted[i]), &entry.prefix, &why), 0);
        size_t len = weir_list_key(WEIR_LIST_BLACK, &entry, key);
        assert_int_equal(len, WEIR_LIST_KEY_PREFIX);
        assert_true(memcmp(before, key, len) < 0);
        memcpy(before, key, len);
        assert_int_equal(weir_list_key_read(key, len, &read), 0);
        assert_false(read.is_domain);
        assert_memory_equal(&read.prefix, &entry.prefix, sizeof(read.prefix));
    }
    struct weir_list_entry entry = {.is_domain = true, .domain = "a.example"}, read;
    size_t len = weir_list_key(WEIR_LIST_BLACK, &entry, key);
    assert_true(memcmp(before, key, len) < 0);
    assert_int_equal(weir_list_key_read(key, len, &read), 0);
    assert_true(read.is_domain);
    assert_string_equal(read.domain, "a.example");
}

static void counts_come_back_and_damaged_ones_do_not(void **state)
{
    (void)state;
    struct seeded s = seeded_new(__func__);
    for (unsigned round = 0; round < 200; round++) {
        struct weir_list_counts counts = {.domains = seeded_below(&s, 3)}, read;
        uint8_t record[WEIR_LIST_COUNTS_MAX + 1] = {0};
        size_t sum = counts.domains;
        for (unsigned i = round == 0 ? 129 : seeded_below(&s, 12); i > 0; i--) {
            unsigned bits = round == 0 ? i - 1 : seeded_below(&s, 129);
            sum -= counts.prefixes[bits];
            counts.prefixes[bits] = 1 + seeded_below(&s, 1000000);
            sum += counts.prefixes[bits];
        }
        size_t len = weir_list_counts_write(&counts, record);
        assert_true(len > 0);
        assert_int_equal(weir_list_counts_read(record, len, &read), 0);
        assert_memory_equal(&read, &counts, sizeof(read));
        assert_int_equal(weir_list_counts_sum(&read), sum);
        assert_int_equal(weir_list_counts_read(record, len + 1, &read), WEIR_ECORRUPT);
        assert_int_equal(weir_list_counts_read(record, len - 1, &read), WEIR_ECORRUPT);
    }
    static const uint8_t bad[][11] = {
        {1, 0, 0, 0, 0, 129, 0, 0, 0, 1}, /* no such length */
        {1, 0, 0, 0, 0, 24, 0, 0, 0, 0},  /* none is not written */
        {2, 0, 0, 0, 0, 24, 0, 0, 0, 1},
    };
    struct weir_list_counts read;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(weir_list_counts_read(bad[i], 10, &read), WEIR_ECORRUPT);
    assert_int_equal(weir_list_counts_read(bad[0], 0, &read), WEIR_ECORRUPT);
}

static void domains_are_made_tidy_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *given, *tidy; /* NULL: refused */
    } cases[] = {
        {"example.org", "example.org"}, {"EXAMPLE.Org.", "example.org"}, {"a", "a"},
        {"_dmarc.x-y.org", "_dmarc.x-y.org"}, {"1.2.3.4", "1.2.3.4"},
        {"xn--bcher-kva.de", "xn--bcher-kva.de"},
        {"", NULL}, {".", NULL}, {"..", NULL}, {".a", NULL}, {"a..b", NULL}, {"a..", NULL},
        {"b\303\274cher.de", NULL}, {"a b", NULL}, {"a\n", NULL}, {"a*b", NULL}, {"a/b", NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char tidy[WEIR_DOMAIN_MAX + 1];
        size_t len = weir_list_domain_tidy(cases[i].given, tidy);
        if (len != (cases[i].tidy ? strlen(cases[i].tidy) : 0))
            fail_msg("%s: %zu", cases[i].given, len);
        if (len > 0)
            assert_string_equal(tidy, cases[i].tidy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_comes_back_as_it_was),
        cmocka_unit_test(points_and_deferral_come_back_and_cost_nothing_where_there_are_none),
        cmocka_unit_test(points_beyond_the_limit_are_damage),
        cmocka_unit_test(a_record_cut_or_lengthened_anywhere_is_damaged),
        cmocka_unit_test(a_record_with_what_we_never_write_is_damaged),
        cmocka_unit_test(keys_sort_by_address_then_length_and_domains_come_last),
        cmocka_unit_test(counts_come_back_and_damaged_ones_do_not),
        cmocka_unit_test(domains_are_made_tidy_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
