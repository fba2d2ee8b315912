/*
 * A ladder as it is written: read exactly, or refused with a reason.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "monitor/threshold/ladder_text.h"

static void a_ladder_is_read_step_by_step(void **state)
{
    static const struct weir_ladder_step wanted[] = {
        {WEIR_RESPONSE_OBSERVE, 0, WEIR_SECOND},
        {WEIR_RESPONSE_ALERT, 0, 10 * WEIR_MINUTE},
        {WEIR_RESPONSE_SCORE, 2.5, WEIR_HOUR + WEIR_HOUR / 2},
        {WEIR_RESPONSE_DEFER, 0, 15 * WEIR_MINUTE},
        {WEIR_RESPONSE_REJECT, 0, 365 * WEIR_DAY},
    };
    struct weir_ladder_class ladder = {.name = "mine", .steps = 7};
    const char *why;

    (void)state;
    assert_int_equal(weir_ladder_text_read(weir_slice_of("observe 1s,alert 10m ,\n  SCORE 2.5 "
                                                         "1.5h, Defer\t15m, reject 365d "),
                                           &ladder, &why), 0);
    assert_string_equal(ladder.name, "mine");
    assert_int_equal(ladder.steps, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(ladder.step[i].response, wanted[i].response);
        assert_true(ladder.step[i].points == wanted[i].points);
        assert_true(ladder.step[i].lasts == wanted[i].lasts);
    }
}

static void what_is_not_exactly_a_ladder_is_refused(void **state)
{
    static const struct {
        const char *text;
        int wanted;
    } cases[] = {
        {"", WEIR_EINVAL}, {" ", WEIR_EINVAL}, {",", WEIR_EINVAL}, {"alert 1m,", WEIR_EINVAL},
        {",alert 1m", WEIR_EINVAL}, {"alert 1m,,alert 1m", WEIR_EINVAL},
        {"alert", WEIR_EINVAL}, {"alert m", WEIR_EINVAL}, {"alert 1", WEIR_EINVAL},
        {"alert 1m x", WEIR_EINVAL}, {"alert 1w", WEIR_EINVAL}, {"alert 1 m", WEIR_EINVAL},
        {"alert 1M", WEIR_EINVAL}, {"alert -1m", WEIR_EINVAL}, {"alert +1m", WEIR_EINVAL},
        {"alert 1e1m", WEIR_EINVAL}, {"alert 0x1m", WEIR_EINVAL}, {"alert nanm", WEIR_EINVAL},
        {"alert .5m", WEIR_EINVAL}, {"alert 1.2.3m", WEIR_EINVAL}, {"alert 0.5m", 0},
        {"alert 1s", 0}, {"alert 0.99s", WEIR_EINVAL}, {"alert 0s", WEIR_EINVAL},
        {"alert 365d", 0}, {"alert 365.01d", WEIR_EINVAL}, {"alert 31536000s", 0},
        {"alert 31536001s", WEIR_EINVAL}, {"alert 99999999999999999999d", WEIR_EINVAL},
        {"alert 0000000000000000000001m", 0}, {"alert 000000000000000000000001m", WEIR_EINVAL},
        {"score 1m", WEIR_EINVAL}, {"score 0 1m", WEIR_EINVAL}, {"score 0.01 1m", 0},
        {"score 0.009 1m", WEIR_EINVAL}, {"score 100 1m", 0}, {"score 100.01 1m", WEIR_EINVAL},
        {"score -1 1m", WEIR_EINVAL}, {"defer 3 1m", WEIR_EINVAL}, {"block 1m", WEIR_EINVAL},
        {"alert 1s,alert 1s,alert 1s,alert 1s,alert 1s,alert 1s,alert 1s,alert 1s", 0},
        {"alert 1s,alert 1s,alert 1s,alert 1s,alert 1s,alert 1s,alert 1s,alert 1s,alert 1s",
         WEIR_EINVAL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_ladder_class ladder = {.steps = 77};
        const char *why = NULL;
        int done = weir_ladder_text_read(weir_slice_of(cases[i].text), &ladder, &why);

        if (done != cases[i].wanted)
            fail_msg("%d: %s", done, cases[i].text);
        if (done < 0)
            assert_true(ladder.steps == 77 && why && why[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ladder_is_read_step_by_step),
        cmocka_unit_test(what_is_not_exactly_a_ladder_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
