/* arena: memory for one piece of work, against a plain list of what was taken. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdalign.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/arena_impl.h"
#include "core/base/limits.h"
#include "tests/unit/seeded.h"

static void free_nulls_the_pointer_and_accepts_null(void **state)
{
    (void)state;
    struct weir_arena *arena = weir_arena_new(0);
    assert_non_null(arena);
    weir_arena_free(&arena);
    assert_null(arena);
    weir_arena_free(&arena);
    weir_arena_free(NULL);
}

static void takes_are_aligned_and_keep_their_bytes(void **state)
{
    (void)state;
    enum { COUNT = 2000 };
    static struct {
        unsigned char *bytes;
        size_t size;
    } taken[COUNT];
    struct seeded s = seeded_new(__func__);
    struct weir_arena *arena = weir_arena_new(4096);
    for (int round = 0; round < 5; round++) {
        for (size_t i = 0; i < COUNT; i++) {
            size_t size = seeded_below(&s, i % 100 == 0 ? 100000 : 200);
            taken[i].bytes = weir_arena_take(arena, size);
            taken[i].size = size;
            assert_non_null(taken[i].bytes);
            assert_int_equal((uintptr_t)taken[i].bytes % alignof(max_align_t), 0);
            memset(taken[i].bytes, (int)(i & 0xff), size);
        }
        for (size_t i = 0; i < COUNT; i++) {
            for (size_t j = 0; j < taken[i].size; j++)
                assert_int_equal(taken[i].bytes[j], i & 0xff);
        }
        weir_arena_reset(arena, seeded_below(&s, 3) * 50000);
        assert_int_equal(weir_arena_used(arena), 0);
    }
    weir_arena_free(&arena);
}

static void nothing_is_still_something_of_its_own(void **state)
{
    (void)state;
    struct weir_arena *arena = weir_arena_new(0);
    void *a = weir_arena_take(arena, 0), *b = weir_arena_take(arena, 0);
    assert_non_null(a);
    assert_non_null(b);
    assert_ptr_not_equal(a, b);
    assert_non_null(weir_arena_zero(arena, 0, 8));
    assert_non_null(weir_arena_zero(arena, 8, 0));
    weir_arena_free(&arena);
}

static void zero_clears_memory_used_before(void **state)
{
    (void)state;
    struct weir_arena *arena = weir_arena_new(4096);
    memset(weir_arena_take(arena, 1000), 0xff, 1000);
    weir_arena_reset(arena, SIZE_MAX);
    unsigned char *bytes = weir_arena_zero(arena, 10, 100);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(bytes[i], 0);
    weir_arena_free(&arena);
}

static void sizes_that_overflow_are_refused(void **state)
{
    (void)state;
    struct weir_arena *arena = weir_arena_new(0);
    volatile size_t all = SIZE_MAX; /* volatile: the compiler would warn of just this */
    assert_null(weir_arena_zero(arena, all / 2 + 1, 2));
    assert_null(weir_arena_zero(arena, 2, all / 2 + 1));
    assert_null(weir_arena_take(arena, all));
    assert_null(weir_arena_take(arena, all - 7));
    assert_null(weir_arena_copy(arena, "x", all));
    assert_int_equal(weir_arena_used(arena), 0);
    weir_arena_free(&arena);
}

static void WEIR_ARENA_MAX_can_be_taken_but_not_one_more(void **state)
{
    (void)state;
    struct weir_arena *arena = weir_arena_new(0);
    assert_null(weir_arena_take(arena, WEIR_ARENA_MAX + 1));
    assert_non_null(weir_arena_take(arena, WEIR_ARENA_MAX));
    assert_int_equal(weir_arena_used(arena), WEIR_ARENA_MAX);
    assert_null(weir_arena_take(arena, 1));
    assert_null(weir_arena_copy(arena, "", 0));
    weir_arena_reset(arena, 0);
    for (size_t i = 0; i < WEIR_ARENA_MAX / (1 << 20); i++)
        assert_non_null(weir_arena_take(arena, 1 << 20));
    assert_null(weir_arena_take(arena, 0));
    weir_arena_free(&arena);
}

static void an_arena_may_begin_larger_than_it_may_grow(void **state)
{
    (void)state;
    struct weir_arena *arena = weir_arena_new(SIZE_MAX);
    assert_non_null(arena);
    assert_non_null(weir_arena_take(arena, 100));
    weir_arena_free(&arena);
}

static void reset_hands_out_the_same_memory_again(void **state)
{
    (void)state;
    enum { COUNT = 200 };
    void *first[COUNT];
    struct weir_arena *arena = weir_arena_new(1024);
    for (int i = 0; i < COUNT; i++)
        first[i] = weir_arena_take(arena, 100 + 7 * (size_t)i);
    for (int round = 0; round < 3; round++) {
        weir_arena_reset(arena, SIZE_MAX);
        for (int i = 0; i < COUNT; i++)
            assert_ptr_equal(weir_arena_take(arena, 100 + 7 * (size_t)i), first[i]);
    }
    weir_arena_free(&arena);
}

static void a_large_request_finds_the_free_block_that_fits(void **state)
{
    (void)state;
    struct weir_arena *arena = weir_arena_new(1024);
    for (int i = 0; i < 5; i++)
        weir_arena_take(arena, 1000);
    char *large = weir_arena_take(arena, 100000);
    weir_arena_reset(arena, SIZE_MAX);
    weir_arena_take(arena, 1000);
    assert_ptr_equal(weir_arena_take(arena, 100000), large);
    for (int i = 0; i < 4; i++) /* the blocks it passed over are not lost */
        assert_non_null(weir_arena_take(arena, 1000));
    weir_arena_free(&arena);
}

static void an_arena_with_nothing_kept_works_on(void **state)
{
    (void)state;
    struct weir_arena *arena = weir_arena_new(1024);
    weir_arena_reset(arena, 0);
    assert_string_equal(weir_arena_copy(arena, "river", 5), "river");
    weir_arena_reset(arena, 0);
    weir_arena_reset(arena, 0);
    assert_non_null(weir_arena_take(arena, 5000));
    weir_arena_free(&arena);
}

static void copy_ends_in_nul_and_copies_nuls(void **state)
{
    (void)state;
    struct weir_arena *arena = weir_arena_new(0);
    assert_string_equal(weir_arena_copy(arena, "river bank", 5), "river");
    assert_memory_equal(weir_arena_copy(arena, "a\0b", 3), "a\0b", 4);
    assert_string_equal(weir_arena_copy(arena, NULL, 0), "");
    weir_arena_free(&arena);
}

static void printf_gives_texts_of_any_length(void **state)
{
    (void)state;
    struct weir_arena *arena = weir_arena_new(0);
    assert_string_equal(weir_arena_printf(arena, "%s %d", "weir", 7), "weir 7");
    assert_string_equal(weir_arena_printf(arena, "%s", ""), "");
    char *text = weir_arena_printf(arena, "%0*d", 5000, 7);
    assert_int_equal(strlen(text), 5000);
    assert_int_equal(text[4999], '7');
    weir_arena_free(&arena);
}

static void the_nth_request_fails_and_no_other(void **state)
{
    (void)state;
    struct weir_arena *arena = weir_arena_new(0);
    for (unsigned n = 1; n <= 5; n++) {
        weir_arena_fail_nth(arena, n);
        for (unsigned i = 1; i <= 5; i++) {
            assert_int_equal(weir_arena_failed(arena), i > n);
            void *taken = weir_arena_take(arena, 8);
            assert_int_equal(taken == NULL, i == n);
        }
    }
    weir_arena_fail_nth(arena, 1);
    assert_null(weir_arena_copy(arena, "x", 1));
    weir_arena_fail_nth(arena, 1);
    assert_null(weir_arena_printf(arena, "x"));
    weir_arena_fail_nth(arena, 1);
    assert_null(weir_arena_zero(arena, 1, 1));
    weir_arena_fail_nth(arena, 0);
    assert_false(weir_arena_failed(arena));
    assert_non_null(weir_arena_take(arena, 1));
    weir_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(free_nulls_the_pointer_and_accepts_null),
        cmocka_unit_test(takes_are_aligned_and_keep_their_bytes),
        cmocka_unit_test(nothing_is_still_something_of_its_own),
        cmocka_unit_test(zero_clears_memory_used_before),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(WEIR_ARENA_MAX_can_be_taken_but_not_one_more),
        cmocka_unit_test(an_arena_may_begin_larger_than_it_may_grow),
        cmocka_unit_test(reset_hands_out_the_same_memory_again),
        cmocka_unit_test(a_large_request_finds_the_free_block_that_fits),
        cmocka_unit_test(an_arena_with_nothing_kept_works_on),
        cmocka_unit_test(copy_ends_in_nul_and_copies_nuls),
        cmocka_unit_test(printf_gives_texts_of_any_length),
        cmocka_unit_test(the_nth_request_fails_and_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
