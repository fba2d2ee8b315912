/*
 * Tests of core/evidence/bayes_table.c and bayes_table_build.c: what was put in is found, the
 * same counts give the same octets, damage is told or at least harmless, limits.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/evidence/bayes_table.h"
#include "tests/unit/seeded.h"

enum { MANY = 5000, HEAD = 64 };

static struct weir_bayes_count count[MANY];

static struct weir_bayes_counts random_counts(struct seeded *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        count[i] = (struct weir_bayes_count){.hash = seeded_next(s),
                                             .spam = 1 + seeded_below(s, 50),
                                             .ham = seeded_below(s, 50),
                                             .weight = (int16_t)(seeded_below(s, 65536) - 32768)};
    return (struct weir_bayes_counts){.spam = 1000, .ham = 2000, .count = count, .counts = n,
                                      .weighed = true};
}

static void check_same(const struct weir_bayes_count *a, const struct weir_bayes_count *b)
{
    assert_int_equal(a->hash, b->hash);
    assert_int_equal(a->spam, b->spam);
    assert_int_equal(a->ham, b->ham);
    assert_int_equal(a->weight, b->weight);
}

static struct weir_bayes_table built(const struct weir_bayes_counts *counts, size_t most,
                                     void **octets_r, size_t *len_r)
{
    struct weir_bayes_table table;
    assert_int_equal(weir_bayes_table_build(counts, most, octets_r, len_r), 0);
    assert_int_equal(weir_bayes_table_attach(*octets_r, *len_r, true, &table), 0);
    return table;
}

static void what_was_put_in_is_found_and_nothing_else(void **state)
{
    struct seeded s = seeded_new("what_was_put_in_is_found_and_nothing_else");
    static const size_t sizes[] = {0, 1, 2, 3, 100, MANY};
    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct weir_bayes_counts counts = random_counts(&s, sizes[i]);
        struct weir_bayes_count found;
        void *octets;
        size_t len;
        counts.key.octet[3] = 7;
        struct weir_bayes_table table = built(&counts, 0, &octets, &len);
        assert_int_equal(table.entries, sizes[i]);
        assert_int_equal(table.spam, 1000);
        assert_int_equal(table.ham, 2000);
        assert_memory_equal(&table.key, &counts.key, sizeof(counts.key));
        for (size_t n = 0; n < sizes[i]; n++) {
            assert_int_equal(weir_bayes_table_find(&table, count[n].hash, &found), 1);
            check_same(&found, &count[n]);
        }
        for (size_t n = 0; n < 1000; n++)
            assert_int_equal(weir_bayes_table_find(&table, seeded_next(&s), &found), 0);
        assert_int_equal(weir_bayes_table_get(&table, sizes[i], &found), 0);
        free(octets);
    }
}

static void hashes_all_in_one_place_are_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < MANY; i++)
        count[i] = (struct weir_bayes_count){.hash = i, .spam = 1};
    struct weir_bayes_counts counts = {.count = count, .counts = MANY};
    struct weir_bayes_count found;
    void *octets;
    size_t len;
    struct weir_bayes_table table = built(&counts, 0, &octets, &len);
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(weir_bayes_table_find(&table, i, &found), 1);
    assert_int_equal(weir_bayes_table_find(&table, MANY, &found), 0);
    assert_int_equal(weir_bayes_table_find(&table, UINT64_MAX, &found), 0);
    free(octets);
}

static void the_same_counts_in_any_order_give_the_same_octets(void **state)
{
    struct seeded s = seeded_new("the_same_counts_in_any_order_give_the_same_octets");
    struct weir_bayes_counts counts = random_counts(&s, MANY);
    void *octets[2];
    size_t len[2];
    (void)state;
    built(&counts, MANY / 2, &octets[0], &len[0]);
    for (size_t i = 0; i < MANY / 2; i++) {
        struct weir_bayes_count other = count[i];
        count[i] = count[MANY - 1 - i];
        count[MANY - 1 - i] = other;
    }
    built(&counts, MANY / 2, &octets[1], &len[1]);
    assert_int_equal(len[0], len[1]);
    assert_memory_equal(octets[0], octets[1], len[0]);
    free(octets[0]);
    free(octets[1]);
}

static void what_says_least_is_dropped_first(void **state)
{
    /* Of 100 each: 9:0 and 0:8 say 2.25 and 2, 30:10 says 2.5, 50:50 nothing, 1:0 a quarter. */
    static const struct weir_bayes_count mine[] = {
        {1, 9, 0, 0}, {2, 0, 8, 0}, {3, 30, 10, 0}, {4, 50, 50, 0},
        {5, 1, 0, 0}, {6, 1, 0, 0}, {7, 0, 0, 0},
    };
    static const struct { size_t most; uint64_t gone; } cases[] = {
        {6, 7}, {5, 4}, {4, 6}, {3, 5}, {2, 2}, {1, 1},
    };
    struct weir_bayes_counts counts = {.spam = 100, .ham = 100, .count = mine, .counts = 7};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weir_bayes_count found;
        void *octets;
        size_t len;
        struct weir_bayes_table table = built(&counts, cases[i].most, &octets, &len);
        assert_int_equal(table.entries, cases[i].most);
        for (size_t n = 0; n <= i; n++)
            assert_int_equal(weir_bayes_table_find(&table, cases[n].gone, &found), 0);
        assert_int_equal(weir_bayes_table_find(&table, 3, &found), 1);
        free(octets);
    }
}

static void who_was_asked_about_is_never_dropped(void **state)
{
    struct weir_hash_key key = {{7}};
    struct weir_bayes_count mine[] = {{1, 9, 0, 0}, {2, 0, 8, 0},
                                      {weir_hash64(&key, "rep:any", 7), 5, 5, 0}};
    struct weir_bayes_counts counts = {.key = key, .spam = 10, .ham = 10, .count = mine,
                                       .counts = 3};
    struct weir_bayes_count found;
    void *octets;
    size_t len;
    struct weir_bayes_table table = built(&counts, 1, &octets, &len);
    (void)state;
    assert_int_equal(weir_bayes_table_find(&table, mine[2].hash, &found), 1);
    free(octets);
}

static void counts_that_cannot_be_are_refused(void **state)
{
    static const struct weir_bayes_count twice[] = {
        {1, 9, 0, 0}, {2, 1, 1, 0}, {1, 9, 0, 0}};
    struct weir_bayes_counts counts = {.count = twice, .counts = 3};
    void *octets;
    size_t len;
    (void)state;
    assert_int_equal(weir_bayes_table_build(&counts, 0, &octets, &len), WEIR_EINVAL);
    /* WEIR_BAYES_ENTRIES_MAX */
    counts.counts = 2;
    assert_int_equal(weir_bayes_table_build(&counts, WEIR_BAYES_ENTRIES_MAX + 1, &octets, &len),
                     WEIR_ELIMIT);
    built(&counts, WEIR_BAYES_ENTRIES_MAX, &octets, &len);
    free(octets);
}

/* At WEIR_BAYES_ENTRIES_MAX it is the length that does not fit, one past it the number. */
static void a_head_that_promises_more_than_there_is_is_refused(void **state)
{
    static const uint64_t entries[] = {1, WEIR_BAYES_ENTRIES_MAX, WEIR_BAYES_ENTRIES_MAX + 1ull,
                                       UINT64_MAX, UINT64_MAX / 16 + 1};
    struct weir_bayes_counts counts = {.count = count};
    struct weir_bayes_table table;
    void *octets;
    size_t len;
    (void)state;
    built(&counts, 0, &octets, &len);
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
        memcpy((char *)octets + 48, &entries[i], 8);
        assert_int_equal(weir_bayes_table_attach(octets, len, false, &table), WEIR_ECORRUPT);
    }
    memset((char *)octets + 48, 0, 8);
    assert_int_equal(weir_bayes_table_attach(octets, len, false, &table), 0);
    for (unsigned bits = 1; bits < 256; bits++) {
        memset((char *)octets + 12, (int)bits, 1);
        assert_int_equal(weir_bayes_table_attach(octets, len, false, &table), WEIR_ECORRUPT);
    }
    free(octets);
}

static void a_table_cut_short_is_refused(void **state)
{
    struct seeded s = seeded_new("a_table_cut_short_is_refused");
    struct weir_bayes_counts counts = random_counts(&s, 10);
    struct weir_bayes_table table;
    void *octets;
    size_t len;
    (void)state;
    built(&counts, 0, &octets, &len);
    for (size_t n = 0; n < len; n++) {
        void *cut = malloc(n + !n);
        memcpy(cut, octets, n);
        assert_int_equal(weir_bayes_table_attach(cut, n, false, &table), WEIR_ECORRUPT);
        free(cut);
    }
    free(octets);
}

static void a_list_without_weights_is_one_of_the_first_version(void **state)
{
    struct seeded s = seeded_new("a_list_without_weights");
    struct weir_bayes_counts counts = random_counts(&s, 20);
    struct weir_bayes_count found;
    void *octets[2];
    size_t len[2];
    (void)state;
    struct weir_bayes_table weighed = built(&counts, 0, &octets[0], &len[0]);
    counts.weighed = false;
    struct weir_bayes_table plain = built(&counts, 0, &octets[1], &len[1]);
    assert_true(weighed.weighed && !plain.weighed);
    assert_int_equal(((uint8_t *)octets[0])[8], 2);
    assert_int_equal(((uint8_t *)octets[1])[8], 1);
    assert_int_equal(len[0], len[1] + 20 * 2);
    for (size_t n = 0; n < 20; n++) {
        struct weir_bayes_count want = count[n];
        want.weight = 0;
        assert_int_equal(weir_bayes_table_find(&plain, want.hash, &found), 1);
        check_same(&found, &want);
    }
    ((uint8_t *)octets[1])[8] = 3;
    assert_int_equal(weir_bayes_table_attach(octets[1], len[1], false, &plain), WEIR_ECORRUPT);
    free(octets[0]);
    free(octets[1]);
}

static void each_changed_octet_is_found_by_the_full_check_and_harmless_without(void **state)
{
    struct seeded s = seeded_new("each_changed_octet");
    struct weir_bayes_counts counts = random_counts(&s, 20);
    struct weir_bayes_table table;
    struct weir_bayes_count found;
    void *octets;
    size_t len;
    (void)state;
    built(&counts, 0, &octets, &len);
    for (size_t at = 0; at < len; at++) {
        uint8_t *octet = (uint8_t *)octets + at;
        *octet ^= (uint8_t)(1 + seeded_below(&s, 255));
        assert_int_equal(weir_bayes_table_attach(octets, len, true, &table), WEIR_ECORRUPT);
        if (weir_bayes_table_attach(octets, len, false, &table) == 0)
            for (size_t i = 0; i < 20; i++)
                weir_bayes_table_find(&table, count[i].hash, &found);
        free(octets);
        built(&counts, 0, &octets, &len);
    }
    free(octets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_in_is_found_and_nothing_else),
        cmocka_unit_test(hashes_all_in_one_place_are_found),
        cmocka_unit_test(the_same_counts_in_any_order_give_the_same_octets),
        cmocka_unit_test(what_says_least_is_dropped_first),
        cmocka_unit_test(who_was_asked_about_is_never_dropped),
        cmocka_unit_test(counts_that_cannot_be_are_refused),
        cmocka_unit_test(a_head_that_promises_more_than_there_is_is_refused),
        cmocka_unit_test(a_table_cut_short_is_refused),
        cmocka_unit_test(a_list_without_weights_is_one_of_the_first_version),
        cmocka_unit_test(each_changed_octet_is_found_by_the_full_check_and_harmless_without),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
