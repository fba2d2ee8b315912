/* error: every code has words of its own. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "core/base/error.h"

static void every_error_has_words_of_its_own(void **state)
{
    (void)state;
    const char *unknown = weir_error_text(1);
    for (int error = WEIR_EINVAL; error >= WEIR_EBUSY; error--) {
        assert_string_not_equal(weir_error_text(error), unknown);
        for (int other = WEIR_EINVAL; other > error; other--)
            assert_string_not_equal(weir_error_text(error), weir_error_text(other));
    }
}

static void any_other_number_gets_words_too(void **state)
{
    (void)state;
    static const int numbers[] = {0, 1, 99, WEIR_EBUSY - 1, INT32_MIN, INT32_MAX};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        assert_true(strlen(weir_error_text(numbers[i])) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_has_words_of_its_own),
        cmocka_unit_test(any_other_number_gets_words_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
