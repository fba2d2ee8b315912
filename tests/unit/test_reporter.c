/*
 * reporter: people as numbers, which differ by key, purpose and name, and not by case of letters.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "core/base/limits.h"
#include "core/base/slice.h"
#include "core/engine/reporter.h"

static uint64_t number(uint8_t octet, const char *purpose, const char *name)
{
    struct weir_info_keys keys = {.keys = 1};
    struct weir_hash_key key;

    memset(keys.key[0].octet, octet, sizeof keys.key[0].octet);
    weir_reporter_key(&keys, purpose, &key);
    return weir_reporter(&key, weir_slice_of(name));
}

static void one_person_is_one_number_in_any_case_of_letters(void **state)
{
    (void)state;
    assert_int_equal(number(1, WEIR_REPORTERS, "ann@test.example"),
                     number(1, WEIR_REPORTERS, "Ann@TEST.example"));
    assert_int_not_equal(number(1, WEIR_REPORTERS, "ann@test.example"),
                         number(1, WEIR_REPORTERS, "anna@test.example"));
}

static void another_key_and_another_purpose_give_another_number(void **state)
{
    (void)state;
    assert_int_not_equal(number(1, WEIR_REPORTERS, "ann"), number(2, WEIR_REPORTERS, "ann"));
    assert_int_not_equal(number(1, WEIR_REPORTERS, "ann"), number(1, WEIR_REPORTERS_DESK, "ann"));
}

static void a_name_counts_up_to_its_limit(void **state)
{
    char one[WEIR_REPORT_USER_MAX + 2], other[WEIR_REPORT_USER_MAX + 2];

    (void)state;
    memset(one, 'a', sizeof one);
    memset(other, 'a', sizeof other);
    one[sizeof one - 1] = other[sizeof other - 1] = '\0';
    other[WEIR_REPORT_USER_MAX] = 'b';
    assert_int_equal(number(1, WEIR_REPORTERS, one), number(1, WEIR_REPORTERS, other));
    other[WEIR_REPORT_USER_MAX - 1] = 'b';
    assert_int_not_equal(number(1, WEIR_REPORTERS, one), number(1, WEIR_REPORTERS, other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_person_is_one_number_in_any_case_of_letters),
        cmocka_unit_test(another_key_and_another_purpose_give_another_number),
        cmocka_unit_test(a_name_counts_up_to_its_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
