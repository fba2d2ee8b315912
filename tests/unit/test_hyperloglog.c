/*
 * Counting different things in few octets, against counting them one by one.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "core/mail/hyperloglog.h"
#include "tests/unit/seeded.h"

/* The mean of many counters, each of so many different hashes, every one added repeats times. */
static double mean_count(struct seeded *seeded, int different, int repeats)
{
    double sum = 0;
    for (int round = 0; round < 200; round++) {
        struct weir_hyperloglog counter = {.now = {0}};
        for (int i = 0; i < different; i++) {
            uint64_t hash = seeded_next(seeded);
            for (int again = 0; again < repeats; again++)
                weir_hyperloglog_add(&counter, hash);
        }
        sum += weir_hyperloglog_count(&counter);
    }
    return sum / 200;
}

static void the_count_is_near_the_number_of_different_things(void **state)
{
    static const int different[] = {1, 3, 10, 64, 150, 200, 1000, 20000};
    struct seeded seeded = seeded_new("hyperloglog");
    (void)state;
    for (size_t i = 0; i < sizeof different / sizeof *different; i++) {
        double count = mean_count(&seeded, different[i], 1 + (int)i % 3);
        if (fabs(count - different[i]) > 0.08 * different[i])
            fail_msg("%d different things are counted as %g", different[i], count);
    }
}

static void nothing_is_counted_as_nothing(void **state)
{
    struct weir_hyperloglog counter = {.now = {0}};
    (void)state;
    assert_true(weir_hyperloglog_count(&counter) == 0);
}

static void what_was_not_seen_for_two_generations_is_forgotten(void **state)
{
    struct weir_hyperloglog counter = {.now = {0}};
    struct seeded seeded = seeded_new("generations");
    (void)state;
    for (int i = 0; i < 100; i++)
        weir_hyperloglog_add(&counter, seeded_next(&seeded));
    double before = weir_hyperloglog_count(&counter);
    weir_hyperloglog_turn(&counter);
    assert_true(weir_hyperloglog_count(&counter) == before);
    weir_hyperloglog_turn(&counter);
    assert_true(weir_hyperloglog_count(&counter) == 0);
}

static void no_hash_leaves_the_register(void **state)
{
    static const uint64_t edge[] = {0, 1, UINT64_MAX, UINT64_C(1) << 58, UINT64_C(63) << 58};
    struct weir_hyperloglog counter = {.now = {0}};
    (void)state;
    for (size_t i = 0; i < sizeof edge / sizeof *edge; i++)
        weir_hyperloglog_add(&counter, edge[i]);
    for (int i = 0; i < WEIR_HYPERLOGLOG; i++)
        assert_in_range(counter.now[i], 0, WEIR_HYPERLOGLOG_MOST);
    assert_true(isfinite(weir_hyperloglog_count(&counter)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_count_is_near_the_number_of_different_things),
        cmocka_unit_test(nothing_is_counted_as_nothing),
        cmocka_unit_test(what_was_not_seen_for_two_generations_is_forgotten),
        cmocka_unit_test(no_hash_leaves_the_register),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
