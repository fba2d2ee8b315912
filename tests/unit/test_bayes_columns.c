/*
 * A word list told as what became of another (core/evidence/bayes_columns.h): applied it is that
 * very list, and what was cut, changed, or is of another list makes none, or another one, and no
 * step outside.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <endian.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/evidence/bayes_columns.h"
#include "tests/unit/patch_rig.h"
#include "tests/unit/seeded.h"

enum { HEAD = 64, AT_BITS = 12, AT_ENTRIES = 48, MANY = 5000 };

static const struct weir_slice none = {"", 0};

static struct weir_slice make(struct weir_slice before, struct weir_slice next)
{
    void *octets;
    size_t len;

    assert_int_equal(weir_bayes_columns_make(before, next, &octets, &len), 0);
    return (struct weir_slice){octets, len};
}

/* Applies them in a room of exactly the length, so that a sanitizer sees each step outside. */
static int apply(struct weir_slice before, struct weir_slice columns, struct weir_slice want,
                 bool *same_r)
{
    char *room = malloc(want.len ? want.len : 1), *copy = malloc(columns.len ? columns.len : 1);
    int rc;

    memcpy(copy, columns.at, columns.len);
    rc = weir_bayes_columns_apply(before, (struct weir_slice){copy, columns.len}, room, want.len);
    *same_r = rc == 0 && memcmp(room, want.at, want.len) == 0;
    free(room);
    free(copy);
    return rc;
}

static void check(struct weir_slice before, struct weir_slice next)
{
    struct weir_slice columns = make(before, next);
    bool same;

    assert_int_equal(apply(before, columns, next, &same), 0);
    assert_true(same);
    patch_free(&columns);
}

static void any_list_is_made_of_any_other(void **state)
{
    static const size_t sizes[] = {0, 1, 2, 3, 100, MANY};

    (void)state;
    for (size_t i = 0; i < 6; i++)
        for (size_t j = 0; j < 6; j++)
            for (unsigned kind = 0; kind < 8; kind++) {
                struct weir_slice before = patch_list(sizes[i], 3, kind & 1);
                struct weir_slice next = patch_list(sizes[j], kind & 4 ? 3 : 11, kind & 2);

                check(before, next);
                check(none, next);
                patch_free(&before);
                patch_free(&next);
            }
}

static void lists_that_share_nothing_and_hashes_at_both_ends(void **state)
{
    struct weir_bayes_count ends[] = {{0, 1, 2, 3}, {1, 1, 0, -1}, {UINT64_MAX - 1, 5, 5, 32767},
                                      {UINT64_MAX, UINT32_MAX, UINT32_MAX, -32768}};
    struct weir_bayes_counts counts = {.count = ends, .counts = 4, .weighed = true};
    struct weir_slice other = patch_list(9, 1, true), list;
    void *octets;

    (void)state;
    assert_int_equal(weir_bayes_table_build(&counts, 0, &octets, &list.len), 0);
    list.at = octets;
    check(other, list);
    check(list, other);
    check(none, list);
    ends[3].spam = ends[3].ham = 1; /* far less than before */
    patch_free(&other);
    assert_int_equal(weir_bayes_table_build(&counts, 0, &octets, &other.len), 0);
    other.at = octets;
    check(list, other);
    check(other, list);
    patch_free(&other);
    patch_free(&list);
}

static void what_does_not_hold_has_no_columns(void **state)
{
    struct weir_slice list = patch_list(100, 1, true), columns;
    char *damaged = malloc(list.len);
    void *octets;

    (void)state;
    memcpy(damaged, list.at, list.len);
    damaged[list.len - 1] ^= 1;
    columns = (struct weir_slice){damaged, list.len};
    assert_int_equal(weir_bayes_columns_make(list, columns, &octets, &columns.len), WEIR_ECORRUPT);
    columns.len = list.len;
    assert_int_equal(weir_bayes_columns_make(columns, list, &octets, &columns.len), WEIR_ECORRUPT);
    assert_int_equal(weir_bayes_columns_make(list, none, &octets, &columns.len), WEIR_ECORRUPT);
    free(damaged);
    patch_free(&list);
}

static void what_was_cut_or_has_too_much_makes_none(void **state)
{
    struct weir_slice before = patch_list(60, 1, true), next = patch_list(61, 9, true);
    struct weir_slice columns = make(before, next);
    char *longer = calloc(1, columns.len + 1);
    bool same;

    (void)state;
    for (size_t len = 0; len < columns.len; len++)
        assert_int_equal(apply(before, (struct weir_slice){columns.at, len}, next, &same),
                         WEIR_ECORRUPT);
    memcpy(longer, columns.at, columns.len);
    assert_int_equal(apply(before, (struct weir_slice){longer, columns.len + 1}, next, &same),
                     WEIR_ECORRUPT);
    next.len--;
    assert_int_equal(apply(before, columns, next, &same), WEIR_ECORRUPT);
    next.len++;
    free(longer);
    patch_free(&columns);
    patch_free(&before);
    patch_free(&next);
}

static void what_was_changed_makes_none_or_another(void **state)
{
    struct seeded s = seeded_new("what_was_changed_makes_none_or_another");
    struct weir_slice before = patch_list(60, 1, true), next = patch_list(61, 9, true);
    struct weir_slice columns = make(before, next);
    char *changed = malloc(columns.len);
    bool same;

    (void)state;
    for (size_t at = 0; at < columns.len; at++) {
        memcpy(changed, columns.at, columns.len);
        changed[at] = (char)(changed[at] ^ (1 + seeded_below(&s, 255)));
        (void)apply(before, (struct weir_slice){changed, columns.len}, next, &same);
        assert_false(same);
    }
    free(changed);
    patch_free(&columns);
    patch_free(&before);
    patch_free(&next);
}

static void columns_of_another_list_do_not_make_this_one(void **state)
{
    struct weir_slice before = patch_list(60, 1, true), next = patch_list(60, 9, true);
    struct weir_slice other = patch_list(60, 2, true), fewer = patch_list(59, 1, true);
    struct weir_slice columns = make(before, next);
    bool same;

    (void)state;
    (void)apply(other, columns, next, &same);
    assert_false(same);
    assert_int_equal(apply(fewer, columns, next, &same), WEIR_ECORRUPT);
    assert_int_equal(apply(none, columns, next, &same), WEIR_ECORRUPT);
    other.len--;
    assert_int_equal(apply(other, columns, next, &same), WEIR_ECORRUPT); /* is no list */
    patch_free(&columns);
    patch_free(&before);
    patch_free(&next);
    patch_free(&other);
    patch_free(&fewer);
}

/* Columns of a list of so many entries, all zeros behind the head, from none. */
static int of_entries(uint64_t entries, uint32_t bits)
{
    size_t len = HEAD + 8 + (size_t)entries * 16;
    size_t room = HEAD + (((size_t)1 << bits) + 2) / 2 * 8 + (size_t)entries * 16;
    struct weir_slice small = patch_list(1, 1, false);
    char *columns = calloc(1, len), *list = malloc(room);
    uint32_t added = htole32((uint32_t)entries), bits_le = htole32(bits);
    uint64_t entries_le = htole64(entries);
    int rc;

    assert_true(columns && list);
    memcpy(columns, small.at, HEAD);
    memcpy(columns + AT_BITS, &bits_le, 4);
    memcpy(columns + AT_ENTRIES, &entries_le, 8);
    memcpy(columns + HEAD + 4, &added, 4);
    for (size_t i = 1; i < entries; i++)
        columns[HEAD + 8 + i] = 1; /* the lowest octets: each hash is one more */
    rc = weir_bayes_columns_apply(none, (struct weir_slice){columns, len}, list, room);
    free(columns);
    free(list);
    patch_free(&small);
    return rc;
}

static void limits(void **state)
{
    (void)state;
    assert_int_equal(of_entries(WEIR_BAYES_ENTRIES_MAX, 3), 0);
    assert_int_equal(of_entries(WEIR_BAYES_ENTRIES_MAX + 1, 3), WEIR_ECORRUPT);
    assert_int_equal(of_entries(10, 24), 0);
    assert_int_equal(of_entries(10, 25), WEIR_ECORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_list_is_made_of_any_other),
        cmocka_unit_test(lists_that_share_nothing_and_hashes_at_both_ends),
        cmocka_unit_test(what_does_not_hold_has_no_columns),
        cmocka_unit_test(what_was_cut_or_has_too_much_makes_none),
        cmocka_unit_test(what_was_changed_makes_none_or_another),
        cmocka_unit_test(columns_of_another_list_do_not_make_this_one),
        cmocka_unit_test(limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
