/*
 * Patches of rule sets (core/evidence/parcel_patch.h): they make the very file of the set they are
 * for, and nothing of any other; what is cut, changed, or says that it is more than any set may be,
 * makes none, or a file that is not the one that was signed.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <zstd.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/evidence/parcel_patch.h"
#include "tests/unit/patch_rig.h"
#include "tests/unit/seeded.h"

enum { FIRST = 13, HEAD = FIRST + 8 + 20 };

static const struct weir_slice none = {"", 0};

static struct weir_slice make(struct weir_slice before, struct weir_slice next)
{
    void *octets;
    size_t len;

    assert_int_equal(weir_parcel_patch_make(before, next, &octets, &len), 0);
    return (struct weir_slice){octets, len};
}

/* Applies octets of exactly their length; the file made is malloc'ed. */
static int apply(struct weir_slice before, struct weir_slice patch, struct weir_slice *file_r)
{
    char *copy = malloc(patch.len ? patch.len : 1);
    const char *why = NULL;
    void *file = NULL;
    size_t len = 0;
    int rc;

    memcpy(copy, patch.at, patch.len);
    rc = weir_parcel_patch_apply(before, (struct weir_slice){copy, patch.len}, &file, &len, &why);
    free(copy);
    assert_true(rc == 0 || (why && why[0] && !file));
    *file_r = (struct weir_slice){file, len};
    return rc;
}

static void refused(struct weir_slice before, struct weir_slice patch)
{
    struct weir_slice file;

    assert_int_equal(apply(before, patch, &file), WEIR_ECORRUPT);
}

static void check(struct weir_slice before, struct weir_slice next, size_t most)
{
    struct weir_slice patch = make(before, next), file;

    assert_true(weir_parcel_is_patch(patch));
    assert_in_range(patch.len, HEAD, most);
    assert_int_equal(apply(before, patch, &file), 0);
    assert_true(weir_slice_same(file, next));
    patch_free(&file);
    patch_free(&patch);
}

static void the_very_file_is_made_and_little_is_told(void **state)
{
    struct weir_slice one = patch_file(1, 500, 1, patch_list(20000, 1, true));
    struct weir_slice two = patch_file(2, 500, 2, patch_list(20000, 2, true));
    struct weir_slice rules = patch_file(3, 500, 3, none), plain, empty = patch_file(4, 0, 1, none);

    (void)state;
    plain = patch_file(5, 500, 3, patch_list(20000, 2, false));
    check(none, two, two.len * 7 / 10);
    check(one, two, two.len / 20);
    check(one, plain, one.len / 20);
    check(plain, one, one.len / 5);
    check(one, rules, 1000);
    check(rules, one, one.len * 7 / 10);
    check(rules, empty, 1000);
    check(empty, rules, rules.len);
    check(one, one, one.len / 50);
    check(none, empty, 1000);
    patch_free(&one);
    patch_free(&two);
    patch_free(&rules);
    patch_free(&plain);
    patch_free(&empty);
}

/* A section that is for newer programs stands behind the list. */
static void octets_behind_the_list_come_along(void **state)
{
    struct weir_slice one = patch_file(1, 50, 1, patch_list(2000, 1, true));
    struct weir_slice file = patch_file(2, 50, 2, patch_list(2000, 2, true));
    const char *line = strstr(file.at, "section bayes"), *rest = strchr(line, '\n') + 1;
    struct weir_slice two;
    size_t before = (size_t)(rest - file.at);
    char *octets = malloc(file.len + 32);

    (void)state;
    memcpy(octets, file.at, before);
    memcpy(octets + before, "section newer 9\n", 16);
    memcpy(octets + before + 16, rest, file.len - before);
    memcpy(octets + file.len + 16, "new words", 9);
    two = (struct weir_slice){octets, file.len + 25};
    check(one, two, two.len / 10);
    check(two, one, two.len / 10);
    check(none, two, two.len * 3 / 4);
    patch_free(&one);
    patch_free(&two);
    patch_free(&file);
}

static void a_patch_is_for_one_set_alone(void **state)
{
    struct weir_slice one = patch_file(1, 50, 1, patch_list(2000, 1, true));
    struct weir_slice two = patch_file(2, 50, 2, patch_list(2000, 2, true));
    struct weir_slice patch = make(one, two), whole = make(none, two), file;
    char *damaged = malloc(one.len);

    (void)state;
    refused(none, patch);
    refused(two, patch);
    memcpy(damaged, one.at, one.len);
    damaged[one.len / 2] ^= 4;
    refused((struct weir_slice){damaged, one.len}, patch);
    refused((struct weir_slice){one.at, one.len - 1}, patch);
    assert_int_equal(apply(one, whole, &file), 0); /* to none: whatever is here */
    assert_true(weir_slice_same(file, two));
    patch_free(&file);
    free(damaged);
    patch_free(&patch);
    patch_free(&whole);
    patch_free(&one);
    patch_free(&two);
}

static void what_is_no_set_or_damaged_has_no_patch(void **state)
{
    struct weir_slice one = patch_file(1, 50, 1, patch_list(200, 1, true));
    char *damaged = malloc(one.len);
    void *octets;
    size_t len;

    (void)state;
    memcpy(damaged, one.at, one.len);
    damaged[one.len - 1] ^= 4; /* of the list */
    assert_int_equal(weir_parcel_patch_make(none, none, &octets, &len), WEIR_ECORRUPT);
    assert_int_equal(weir_parcel_patch_make(one, weir_slice_of("x"), &octets, &len), WEIR_ECORRUPT);
    assert_int_equal(weir_parcel_patch_make(weir_slice_of("x"), one, &octets, &len), WEIR_ECORRUPT);
    assert_int_equal(weir_parcel_patch_make(one, (struct weir_slice){damaged, one.len}, &octets,
                                            &len), WEIR_ECORRUPT);
    assert_false(weir_parcel_is_patch(one));
    assert_false(weir_parcel_is_patch(none));
    refused(none, one);
    refused(none, none);
    free(damaged);
    patch_free(&one);
}

static void cut_or_changed_it_makes_none_or_another_file(void **state)
{
    struct seeded s = seeded_new("cut_or_changed_it_makes_none_or_another_file");
    struct weir_slice one = patch_file(1, 5, 1, patch_list(100, 1, true));
    struct weir_slice two = patch_file(2, 5, 2, patch_list(100, 2, true));
    struct weir_slice patch = make(one, two), file;
    char *changed = malloc(patch.len + 1);

    (void)state;
    for (size_t len = 0; len < patch.len; len++)
        refused(one, (struct weir_slice){patch.at, len});
    memcpy(changed, patch.at, patch.len);
    changed[patch.len] = 'x';
    refused(one, (struct weir_slice){changed, patch.len + 1});
    for (size_t at = 0; at < patch.len; at++) {
        memcpy(changed, patch.at, patch.len);
        changed[at] = (char)(changed[at] ^ (1 + seeded_below(&s, 255)));
        if (apply(one, (struct weir_slice){changed, patch.len}, &file) < 0)
            continue;
        /* zstd has bits that say nothing: what they change is nothing */
        if (!weir_slice_same(file, two)) {
            struct weir_rule_parcel parcel;
            struct weir_parcel_keys keys;
            const char *why;

            assert_true(weir_parcel_keys_read(weir_slice_of(PATCH_SEED), &keys));
            assert_true(weir_rule_parcel_read(file.at, file.len, keys.open, &parcel, &why) < 0);
        }
        patch_free(&file);
    }
    free(changed);
    patch_free(&patch);
    patch_free(&one);
    patch_free(&two);
}

/* A patch to none by hand: what its head says, and a frame of so many zeros. */
static struct weir_slice by_hand(const uint32_t says[static 5], size_t zeros)
{
    size_t room = ZSTD_compressBound(zeros), len;
    char *stream = calloc(1, zeros + 1), *octets = calloc(1, HEAD + room);

    assert_true(stream && octets);
    memcpy(octets, "weir-patch 1\n", FIRST);
    for (size_t i = 0; i < 5; i++)
        for (size_t k = 0; k < 4; k++)
            octets[FIRST + 8 + 4 * i + k] = (char)(says[i] >> 8 * (3 - k));
    len = ZSTD_compress(octets + HEAD, room, stream, zeros, 1);
    assert_false(ZSTD_isError(len));
    free(stream);
    return (struct weir_slice){octets, HEAD + len};
}

static int told(uint32_t file, uint32_t front, uint32_t behind, uint32_t list, uint32_t stream,
                size_t zeros)
{
    const uint32_t says[] = {file, front, behind, list, stream};
    struct weir_slice patch = by_hand(says, zeros), made;
    int rc = apply(none, patch, &made);

    assert_true(patch.len < 100000);
    patch_free(&patch);
    patch_free(&made);
    return rc;
}

static void however_little_it_is_it_makes_no_more_than_a_set_may_be(void **state)
{
    const uint32_t most = WEIR_RULE_PARCEL_MAX;

    (void)state;
    assert_int_equal(told(most, most, 0, 0, most, most), 0);
    assert_int_equal(told(most + 1, most + 1, 0, 0, most + 1, most + 1), WEIR_ECORRUPT);
    assert_int_equal(told(UINT32_MAX, UINT32_MAX, 0, 0, UINT32_MAX, 100), WEIR_ECORRUPT);
    assert_int_equal(told(100, 100, 0, 0, 100, 3 * (size_t)most), WEIR_ECORRUPT);
    assert_int_equal(told(100, 100, 0, 0, 100, 101), WEIR_ECORRUPT);
    assert_int_equal(told(100, 100, 0, 0, 100, 99), WEIR_ECORRUPT);
    assert_int_equal(told(100, 60, 40, 0, 100, 100), 0);
}

static void a_head_that_does_not_add_up_is_refused(void **state)
{
    (void)state;
    assert_int_equal(told(0, 0, 0, 0, 0, 0), WEIR_ECORRUPT);
    assert_int_equal(told(100, 60, 41, 0, 101, 101), WEIR_ECORRUPT);
    assert_int_equal(told(100, 101, UINT32_MAX, 0, 100, 100), WEIR_ECORRUPT);
    assert_int_equal(told(100, 100, 0, 0, 172, 172), WEIR_ECORRUPT);
    assert_int_equal(told(172, 100, 0, 72, 100, 100), WEIR_ECORRUPT);
    assert_int_equal(told(172, 100, 0, 72, 172, 172), 0); /* zeros: an empty list */
    assert_int_equal(told(180, 100, 0, 80, 172, 172), WEIR_ECORRUPT); /* which is no longer */
}

static void each_file_has_an_id_of_its_own(void **state)
{
    (void)state;
    assert_int_equal(weir_parcel_id(none), 0);
    assert_int_not_equal(weir_parcel_id(weir_slice_of("a")), weir_parcel_id(weir_slice_of("b")));
    /* the first 8 octets of BLAKE2b with 32, of "abc" */
    assert_true(weir_parcel_id(weir_slice_of("abc")) == UINT64_C(0xbddd813c63423972));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_very_file_is_made_and_little_is_told),
        cmocka_unit_test(octets_behind_the_list_come_along),
        cmocka_unit_test(a_patch_is_for_one_set_alone),
        cmocka_unit_test(what_is_no_set_or_damaged_has_no_patch),
        cmocka_unit_test(cut_or_changed_it_makes_none_or_another_file),
        cmocka_unit_test(however_little_it_is_it_makes_no_more_than_a_set_may_be),
        cmocka_unit_test(a_head_that_does_not_add_up_is_refused),
        cmocka_unit_test(each_file_has_an_id_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
