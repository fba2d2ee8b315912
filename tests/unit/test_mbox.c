/*
 * mbox - files taken apart into messages (monitor/ctl/mbox.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "core/base/slice.h"
#include "monitor/ctl/mbox.h"

static void files_are_taken_apart(void **state)
{
    static const struct {
        const char *file, *messages[4];
    } cases[] = {
        {"", {NULL}},
        {"Subject: a\n\nFrom here on\n", {"Subject: a\n\nFrom here on\n"}},
        {"Subject: a\n\ntext\n\nFrom us\n", {"Subject: a\n\ntext\n\nFrom us\n"}},
        {"From ann Sat\nA: 1\n\nx\n\nFrom bob Sun\nB: 2\n\ny\n", {"A: 1\n\nx\n\n", "B: 2\n\ny\n"}},
        {"From a\r\nA: 1\r\n\r\nx\r\n\r\nFrom b\r\nB: 2\r\n", {"A: 1\r\n\r\nx\r\n\r\n",
                                                               "B: 2\r\n"}},
        {"From a\nA: 1\n\nx\nFrom within\n\n>From quoted\n", {"A: 1\n\nx\nFrom within\n\n"
                                                             ">From quoted\n"}},
        {"From a\n\nFrom b\n\nFrom c", {"\n", "\n", ""}},
        {"From a", {""}},
        {"\nFrom a\nb\n", {"\nFrom a\nb\n"}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_slice rest = weir_slice_of(cases[i].file), message;
        size_t n = 0;

        while (weir_mbox_next(&rest, &message)) {
            assert_non_null(cases[i].messages[n]);
            assert_true(weir_slice_equals(message, cases[i].messages[n]));
            n++;
        }
        assert_null(cases[i].messages[n]);
        assert_int_equal(rest.len, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(files_are_taken_apart)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
