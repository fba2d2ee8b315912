/*
 * seen - numbers that came before are known as long as was said, and no other is.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "monitor/analyzer/seen.h"

static const struct weir_hash_key key = {"seen"};

static struct weir_seen *seen_new(size_t most)
{
    struct weir_seen *seen = NULL;

    assert_int_equal(weir_seen_new(&key, most, &seen), 0);
    return seen;
}

static void a_number_is_new_once(void **state)
{
    struct weir_seen *seen = seen_new(100000);
    (void)state;
    for (int again = 0; again <= 1; again++)
        for (uint64_t i = 0; i < 100000; i++)
            assert_int_equal(weir_seen_note(seen, i * i), again);
    weir_seen_free(&seen);
    assert_null(seen);
}

static void the_last_ones_are_known_and_those_twice_as_long_ago_are_not(void **state)
{
    enum { MOST = 1000, ALL = 10 * MOST };
    struct weir_seen *seen = seen_new(MOST);
    size_t known = 0;
    (void)state;
    for (uint64_t i = 0; i < ALL; i++)
        assert_int_equal(weir_seen_note(seen, i), 0);
    for (uint64_t i = ALL - MOST; i < ALL; i++)
        assert_int_equal(weir_seen_note(seen, i), 1);
    for (uint64_t i = 0; i < ALL - 2 * MOST; i++)
        known += (size_t)weir_seen_note(seen, i);
    assert_int_equal(known, 0);
    weir_seen_free(&seen);
}

static void one_may_be_remembered_and_no_more_than_the_limit(void **state)
{
    struct weir_seen *seen = seen_new(1);
    (void)state;
    assert_int_equal(weir_seen_note(seen, 7), 0);
    assert_int_equal(weir_seen_note(seen, 7), 1);
    weir_seen_free(&seen);
    assert_int_equal(weir_seen_new(&key, 0, &seen), WEIR_EINVAL);
    assert_int_equal(weir_seen_new(&key, WEIR_HITS_SEEN_MAX + 1, &seen), WEIR_EINVAL);
    seen = seen_new(WEIR_HITS_SEEN_MAX);
    weir_seen_free(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_new_once),
        cmocka_unit_test(the_last_ones_are_known_and_those_twice_as_long_ago_are_not),
        cmocka_unit_test(one_may_be_remembered_and_no_more_than_the_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
