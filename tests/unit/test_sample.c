/*
 * sample - all of little, a few a second of much, each with the same chance.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "monitor/analyzer/sample.h"

#define NOW (20000 * WEIR_DAY)

static struct weir_sample *sample_new(uint8_t seed)
{
    const struct weir_hash_key key = {{seed}};
    struct weir_sample *sample = NULL;

    assert_int_equal(weir_sample_new(&key, &sample), 0);
    return sample;
}

/* So many decisions, numbered from 0; how many are kept. */
static size_t take(struct weir_sample *sample, uint64_t decisions, weir_time now)
{
    struct weir_record record = {.info = {.at = now}};
    size_t kept;

    for (record.info.uid = 0; record.info.uid < decisions; record.info.uid++)
        weir_sample_take(sample, &record, now);
    (void)weir_sample_kept(sample, &kept);
    return kept;
}

static void little_is_kept_all_and_in_order(void **state)
{
    struct weir_sample *sample = sample_new(1);
    const struct weir_record *record;
    size_t kept;

    (void)state;
    assert_int_equal(take(sample, WEIR_SAMPLE_BURST, NOW), WEIR_SAMPLE_BURST);
    record = weir_sample_kept(sample, &kept);
    for (size_t i = 0; i < kept; i++)
        assert_int_equal(record[i].info.uid, i);
    assert_int_equal(weir_sample_left_out(sample), 0);
    weir_sample_free(&sample);
}

static void what_comes_again_takes_room_that_is_left_only(void **state)
{
    struct weir_sample *sample = sample_new(1);
    struct weir_record again = {.info = {.uid = 7, .at = NOW}, .again = true};
    const struct weir_record *record;
    size_t kept;

    (void)state;
    (void)take(sample, WEIR_SAMPLE_BURST - 1, NOW);
    for (int i = 0; i < 1000; i++)
        weir_sample_take_if_room(sample, &again, NOW);
    record = weir_sample_kept(sample, &kept);
    assert_int_equal(kept, WEIR_SAMPLE_BURST);
    for (size_t i = 0; i < kept; i++)
        assert_int_equal(record[i].again, i == kept - 1);
    assert_int_equal(weir_sample_left_out(sample), 0);
    weir_sample_free(&sample);
}

static void of_much_WEIR_SAMPLE_BURST_is_kept_and_then_WEIR_SAMPLE_RATE_a_second(void **state)
{
    struct weir_sample *sample = sample_new(1);

    (void)state;
    assert_int_equal(take(sample, WEIR_SAMPLE_BURST + 1, NOW), WEIR_SAMPLE_BURST);
    assert_int_equal(weir_sample_left_out(sample), 1);
    weir_sample_clear(sample);
    assert_int_equal(take(sample, 100, NOW), 0); /* cleared often, it keeps no more */
    weir_sample_clear(sample);
    for (int second = 1; second <= 10; second++) {
        assert_int_equal(take(sample, 2000, NOW + second * WEIR_SECOND), WEIR_SAMPLE_RATE);
        weir_sample_clear(sample);
    }
    assert_int_equal(take(sample, 100, NOW), 0); /* a clock that goes back */
    weir_sample_clear(sample);
    assert_int_equal(take(sample, 2000, NOW + WEIR_DAY), WEIR_SAMPLE_BURST);
    weir_sample_free(&sample);
}

static void each_has_the_same_chance(void **state)
{
    enum { DECISIONS = 4000, ROUNDS = 40, PARTS = 10 };
    double kept_of[PARTS] = {0};

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct weir_sample *sample = sample_new((uint8_t)round);
        const struct weir_record *record;
        size_t kept;

        (void)take(sample, DECISIONS, NOW);
        record = weir_sample_kept(sample, &kept);
        for (size_t i = 0; i < kept; i++)
            kept_of[record[i].info.uid * PARTS / DECISIONS]++;
        weir_sample_free(&sample);
    }
    for (int i = 0; i < PARTS; i++) { /* 4000 each; the deviation is some 55 */
        const double mean = (double)ROUNDS * WEIR_SAMPLE_BURST / PARTS;
        if (fabs(kept_of[i] - mean) > 6 * 55)
            fail_msg("part %d: %g instead of %g", i, kept_of[i], mean);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(little_is_kept_all_and_in_order),
        cmocka_unit_test(what_comes_again_takes_room_that_is_left_only),
        cmocka_unit_test(of_much_WEIR_SAMPLE_BURST_is_kept_and_then_WEIR_SAMPLE_RATE_a_second),
        cmocka_unit_test(each_has_the_same_chance),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
