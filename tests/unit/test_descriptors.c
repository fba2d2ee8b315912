/*
 * descriptors - the limit on open files is raised as far as asked and allowed, and never lowered.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/resource.h>

#include "core/base/descriptors_io.h"

enum { SOFT = 64, HARD = 200 };

static rlim_t soft_now(void)
{
    struct rlimit now;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &now), 0);
    assert_int_equal(now.rlim_max, HARD);
    return now.rlim_cur;
}

static int set_up(void **state)
{
    (void)state;
    return setrlimit(RLIMIT_NOFILE, &(struct rlimit){.rlim_cur = SOFT, .rlim_max = HARD});
}

static void as_many_as_asked(void **state)
{
    (void)state;
    assert_int_equal(weir_descriptors_allow(100), 100);
    assert_int_equal(soft_now(), 100);
}

static void no_more_than_allowed(void **state)
{
    (void)state;
    assert_int_equal(weir_descriptors_allow(HARD), HARD);
    assert_int_equal(set_up(NULL), 0);
    assert_int_equal(weir_descriptors_allow(HARD + 1), HARD);
    assert_int_equal(set_up(NULL), 0);
    assert_int_equal(weir_descriptors_allow(SIZE_MAX), HARD);
    assert_int_equal(soft_now(), HARD);
}

static void never_fewer(void **state)
{
    (void)state;
    assert_int_equal(weir_descriptors_allow(SOFT - 1), SOFT);
    assert_int_equal(weir_descriptors_allow(0), SOFT);
    assert_int_equal(soft_now(), SOFT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(as_many_as_asked, set_up),
        cmocka_unit_test_setup(no_more_than_allowed, set_up),
        cmocka_unit_test_setup(never_fewer, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
