/*
 * An array grows by doubling, and keeps what it has.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "core/base/grown.h"

static void what_was_added_stays_and_it_grows_seldom(void **state)
{
    size_t room = 0, grew = 0;
    int *array = NULL;
    (void)state;
    for (size_t i = 0; i < 100000; i++) {
        size_t before = room;
        int *more = weir_grown(array, i, &room, sizeof *more);

        assert_non_null(more);
        assert_true(room > i);
        grew += room != before;
        array = more;
        array[i] = (int)i;
    }
    for (size_t i = 0; i < 100000; i++)
        assert_int_equal(array[i], i);
    assert_in_range(grew, 1, 18);
    free(array);
}

static void room_for_many_at_once(void **state)
{
    size_t room = 0;
    char *array;
    (void)state;
    array = weir_grown(NULL, 1000, &room, 1);
    assert_non_null(array);
    assert_true(room > 1000);
    free(array);
}

static void a_size_that_overflows_changes_nothing(void **state)
{
    size_t room = 3;
    char array[3];
    (void)state;
    assert_null(weir_grown(array, SIZE_MAX, &room, 1));
    assert_null(weir_grown(array, 3, &room, SIZE_MAX / 2));
    assert_null(weir_grown(array, SIZE_MAX / 2, &room, 8));
    assert_int_equal(room, 3);
    assert_ptr_equal(weir_grown(array, 2, &room, 1), array);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_added_stays_and_it_grows_seldom),
        cmocka_unit_test(room_for_many_at_once),
        cmocka_unit_test(a_size_that_overflows_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
