/* histogram - exactly at a bound and one beyond it; against a plain model; from several threads. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <string.h>

#include "core/base/histogram.h"

#define THREADS 4
#define EACH 100000

static uint64_t count_of(const struct weir_histogram *histogram)
{
    struct weir_histogram_reading reading;
    uint64_t count = 0;

    weir_histogram_read(histogram, &reading);
    for (unsigned i = 0; i < WEIR_HISTOGRAM_BUCKETS; i++)
        count += reading.bucket[i];
    return count;
}

/* The only bucket that has something in it. */
static unsigned place_of(weir_time took)
{
    struct weir_histogram histogram = {0};
    struct weir_histogram_reading reading;
    unsigned place = WEIR_HISTOGRAM_BUCKETS;

    weir_histogram_add(&histogram, took, 1);
    weir_histogram_read(&histogram, &reading);
    for (unsigned i = 0; i < WEIR_HISTOGRAM_BUCKETS; i++)
        if (reading.bucket[i] > 0)
            place = i;
    assert_int_equal(count_of(&histogram), 1);
    return place;
}

static void bounds_are_1_2_5_from_10_us_to_10_s(void **state)
{
    weir_time want = 10;

    (void)state;
    for (unsigned i = 0; i < WEIR_HISTOGRAM_BOUNDS; i += 3, want *= 10) {
        assert_int_equal(weir_histogram_bound[i], want);
        if (i + 2 < WEIR_HISTOGRAM_BOUNDS) {
            assert_int_equal(weir_histogram_bound[i + 1], want * 5 / 2);
            assert_int_equal(weir_histogram_bound[i + 2], want * 5);
        }
    }
    assert_int_equal(weir_histogram_bound[WEIR_HISTOGRAM_BOUNDS - 1], 10 * WEIR_SECOND);
}

static void a_bound_is_below_itself(void **state)
{
    (void)state;
    for (unsigned i = 0; i < WEIR_HISTOGRAM_BOUNDS; i++) {
        assert_int_equal(place_of(weir_histogram_bound[i]), i);
        assert_int_equal(place_of(weir_histogram_bound[i] + 1), i + 1);
    }
    assert_int_equal(place_of(0), 0);
    assert_int_equal(place_of(-1), 0);
    assert_int_equal(place_of(INT64_MAX), WEIR_HISTOGRAM_BOUNDS);
}

static void sums_and_times(void **state)
{
    struct weir_histogram histogram = {0};
    struct weir_histogram_reading reading;

    (void)state;
    weir_histogram_add(&histogram, 30, 3);
    weir_histogram_add(&histogram, 7, 1);
    weir_histogram_add(&histogram, -7, 1);
    weir_histogram_add(&histogram, 30, 0);
    weir_histogram_add(NULL, 30, 1);
    weir_histogram_read(&histogram, &reading);
    assert_int_equal(reading.sum, 97);
    assert_int_equal(reading.bucket[0], 2);
    assert_int_equal(reading.bucket[2], 3);
    assert_int_equal(count_of(&histogram), 5);
}

static void *add_many(void *context)
{
    for (int i = 0; i < EACH; i++)
        weir_histogram_add(context, i % 200, 1);
    return NULL;
}

static void threads_lose_nothing(void **state)
{
    static struct weir_histogram histogram;
    struct weir_histogram_reading reading;
    pthread_t thread[THREADS];
    uint64_t sum = 0;

    (void)state;
    for (int i = 0; i < EACH; i++)
        sum += (uint64_t)(i % 200);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, add_many, &histogram), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    weir_histogram_read(&histogram, &reading);
    assert_int_equal(count_of(&histogram), THREADS * EACH);
    assert_int_equal(reading.sum, THREADS * sum);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_are_1_2_5_from_10_us_to_10_s),
        cmocka_unit_test(a_bound_is_below_itself),
        cmocka_unit_test(sums_and_times),
        cmocka_unit_test(threads_lose_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
