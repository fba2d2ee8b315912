/*
 * lesson - what a server tells of a message that teaches (core/engine/lesson.c): written and read
 * again, at its limits, and damaged.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/engine/lesson.h"
#include "core/evidence/rule_source.h"
#include "core/store/part_line.h"
#include "tests/unit/seeded.h"

static const struct weir_hash_key key = {{1, 2, 3}};

static int setup(void **state)
{
    *state = weir_arena_new(1 << 20);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    struct weir_arena *arena = *state;

    weir_arena_free(&arena);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* A lesson of so many tokens, each twice, in no order. */
static struct weir_slice make(struct weir_arena *arena, size_t tokens, const char *info)
{
    struct weir_bayes_token *token = weir_arena_zero(arena, 2 * tokens + 1, sizeof *token);
    const struct weir_bayes_tokens all = {.token = token, .tokens = 2 * tokens};
    const struct weir_lesson lesson = {.reported = true, .key = weir_lesson_key(&key),
                                       .binding = 77, .info = weir_slice_of(info)};
    struct weir_slice octets = {0};

    for (size_t i = 0; i < 2 * tokens; i++)
        token[i].hash = (i / 2 + 1) * UINT64_C(0x9e3779b97f4a7c15);
    assert_int_equal(weir_lesson_write(&lesson, &all, arena, &octets), 0);
    return octets;
}

static void what_is_written_is_read_again_its_tokens_once_and_growing(void **state)
{
    struct weir_slice octets = make(*state, 100, "v1;abc");
    struct weir_lesson lesson;

    assert_int_equal(weir_lesson_read(octets, &lesson), 1);
    assert_true(lesson.reported);
    assert_int_equal(lesson.key, weir_lesson_key(&key));
    assert_int_equal(lesson.binding, 77);
    assert_true(weir_slice_equals(lesson.info, "v1;abc"));
    assert_int_equal(lesson.tokens, 100);
    for (size_t i = 1; i < lesson.tokens; i++)
        assert_true(weir_lesson_token(lesson.token, i - 1) < weir_lesson_token(lesson.token, i));
}

static void WEIR_LESSON_TOKENS_MAX_tokens_are_told_and_it_fits_in_parts(void **state)
{
    struct weir_lesson lesson;
    struct weir_slice most = make(*state, WEIR_LESSON_TOKENS_MAX, "x");
    struct weir_slice more = make(*state, WEIR_LESSON_TOKENS_MAX + 1, "x");

    assert_int_equal(weir_lesson_read(most, &lesson), 1);
    assert_int_equal(lesson.tokens, WEIR_LESSON_TOKENS_MAX);
    assert_int_equal(weir_lesson_read(more, &lesson), 1);
    assert_int_equal(lesson.tokens, WEIR_LESSON_TOKENS_MAX);
    assert_true(weir_part_lines(WEIR_LESSON_ROOM) > 0);
}

static void a_string_of_more_than_WEIR_INFO_TEXT_MAX_is_refused(void **state)
{
    char info[WEIR_INFO_TEXT_MAX + 2];
    struct weir_lesson lesson = {.info = {info, WEIR_INFO_TEXT_MAX}};
    const struct weir_bayes_tokens none = {.tokens = 0};
    struct weir_slice octets;

    memset(info, 'a', sizeof info);
    assert_int_equal(weir_lesson_write(&lesson, &none, *state, &octets), 0);
    assert_int_equal(weir_lesson_read(octets, &lesson), 1);
    lesson.info.len++;
    assert_int_equal(weir_lesson_write(&lesson, &none, *state, &octets), WEIR_EINVAL);
}

static void octets_cut_or_too_many_are_no_lesson(void **state)
{
    struct weir_slice octets = make(*state, 5, "v1;abc");
    char *longer = weir_arena_copy(*state, octets.at, octets.len);
    struct weir_lesson lesson;

    for (size_t len = 0; len < octets.len; len++)
        if ((octets.len - len) % 8 != 0 || len < WEIR_LESSON_HEAD + 6)
            assert_int_equal(weir_lesson_read((struct weir_slice){octets.at, len}, &lesson), 0);
    assert_int_equal(weir_lesson_read((struct weir_slice){longer, octets.len + 1}, &lesson), 0);
}

static void tokens_that_do_not_grow_are_no_lesson(void **state)
{
    struct weir_slice octets = make(*state, 3, "");
    char *changed = weir_arena_copy(*state, octets.at, octets.len);
    struct weir_lesson lesson;

    memcpy(changed + octets.len - 8, changed + octets.len - 16, 8);
    assert_int_equal(weir_lesson_read((struct weir_slice){changed, octets.len}, &lesson), 0);
}

static void damaged_octets_are_read_without_harm(void **state)
{
    struct weir_slice octets = make(*state, 40, "v1;abc");
    struct seeded s = seeded_new(__func__);

    for (int i = 0; i < 20000; i++) {
        char *copy = malloc(octets.len);
        size_t len = 1 + seeded_below(&s, (unsigned)octets.len);
        struct weir_lesson lesson;

        memcpy(copy, octets.at, octets.len);
        for (unsigned n = seeded_below(&s, 4); n > 0; n--)
            copy[seeded_below(&s, (unsigned)octets.len)] = (char)seeded_next(&s);
        if (weir_lesson_read((struct weir_slice){copy, len}, &lesson) == 1)
            for (size_t t = 0; t < lesson.tokens; t++)
                (void)weir_lesson_token(lesson.token, t);
        free(copy);
    }
}

static void C29_only_points_of_rules_count(void **state)
{
    const struct weir_info_rule rule[] = {{17, 4.5f}, {WEIR_RULE_ID_OWN, 3},
                                          {WEIR_RULE_ID_OWN + 3, 3.5f},
                                          {WEIR_RULE_ID_OWN_LAST, -9}, {1 << 20, -1.25f}};

    (void)state;
    assert_float_equal(weir_lesson_score(rule, 5), 3.25, 1e-9);
    assert_float_equal(weir_lesson_score(rule, 0), 0, 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_written_is_read_again_its_tokens_once_and_growing),
        TEST(WEIR_LESSON_TOKENS_MAX_tokens_are_told_and_it_fits_in_parts),
        TEST(a_string_of_more_than_WEIR_INFO_TEXT_MAX_is_refused),
        TEST(octets_cut_or_too_many_are_no_lesson),
        TEST(tokens_that_do_not_grow_are_no_lesson),
        TEST(damaged_octets_are_read_without_harm),
        TEST(C29_only_points_of_rules_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
