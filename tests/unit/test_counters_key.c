/*
 * counters_key - a store knows whose key it was filled with; and weir_counters_raise() makes
 * numbers at least what is given, once.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "core/base/error.h"
#include "core/store/counters_impl.h"
#include "core/store/counters_key.h"
#include "tests/unit/scratch.h"

#define NOW (1795341600 * WEIR_SECOND)

static struct weir_counters *open_store(struct scratch *scratch, bool read_only)
{
    static const struct weir_log log;
    char path[256];
    struct weir_counters_local_options options = {.path = path, .bytes_most = 8 << 20,
                                                  .read_only = read_only, .scratch = true,
                                                  .mode = 0600};
    struct weir_counters *counters = NULL;
    const char *why;

    snprintf(path, sizeof path, "%s", scratch_path(scratch, "counters.db"));
    assert_int_equal(weir_counters_open_local(&options, &log, &counters, &why), 0);
    return counters;
}

static void another_key_is_noticed_and_the_mark_stays(void **state)
{
    const struct weir_hash_key ours = {{1, 2}}, other = {{1, 3}};
    struct scratch *scratch = scratch_new();
    struct weir_counters *counters = open_store(scratch, false);

    (void)state;
    assert_int_not_equal(weir_counters_fingerprint(&ours), weir_counters_fingerprint(&other));
    assert_int_equal(weir_counters_key_look(counters, &ours, NOW), WEIR_COUNTERS_KEY_NONE);
    assert_int_equal(weir_counters_key_mark(counters, &ours, NOW), WEIR_COUNTERS_KEY_NONE);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(weir_counters_key_mark(counters, &ours, NOW), WEIR_COUNTERS_KEY_OURS);
        assert_int_equal(weir_counters_key_mark(counters, &other, NOW), WEIR_COUNTERS_KEY_OTHER);
        assert_int_equal(weir_counters_key_look(counters, &ours, NOW + 170 * WEIR_DAY),
                         WEIR_COUNTERS_KEY_OURS);
    }
    assert_string_equal(weir_counters_key_name(WEIR_COUNTERS_KEY_OTHER), "other");
    weir_counters_free(&counters);
    scratch_free(scratch);
}

static struct weir_counter_number number_of(uint8_t id, weir_time when, uint64_t number)
{
    const uint32_t half_life = 30 * 86400;

    return (struct weir_counter_number){
        .counter = {.entity = {{id}}, .variable = WEIR_SPAM_USER, .half_life = half_life},
        .epoch = weir_decay_epoch(when, half_life), .number = number};
}

static void numbers_are_raised_to_what_is_given_and_never_lowered(void **state)
{
    struct scratch *scratch = scratch_new();
    struct weir_counters *counters = open_store(scratch, false);
    struct weir_counter_number number[] = {
        number_of(1, NOW, 5000), number_of(2, NOW, 9000), number_of(3, 86400 * WEIR_SECOND, 7)};
    struct weir_reading reading = {.counter = number[0].counter};
    struct weir_counters_raised raised;
    double value;

    (void)state;
    assert_int_equal(weir_counters_add(counters, NOW, &number[1].counter, 1000), 0);
    assert_int_equal(weir_counters_raise(counters, NOW, number, 3, false, &raised), 0);
    assert_int_equal(raised.raised, 1);
    assert_int_equal(raised.kept, 1);
    assert_int_equal(raised.faded, 1);
    assert_int_equal(weir_counters_read(counters, NOW, &reading, 1), 1);
    assert_true(reading.value == 0);
    assert_int_equal(weir_counters_raise(counters, NOW, number, 3, true, &raised), 0);
    assert_int_equal(weir_counters_read(counters, NOW, &reading, 1), 1);
    assert_true((value = reading.value) > 0);
    assert_int_equal(weir_counters_raise(counters, NOW, number, 3, true, &raised), 0);
    assert_int_equal(raised.raised, 0);
    assert_int_equal(raised.kept, 2);
    number[0].number = 15000;
    assert_int_equal(weir_counters_raise(counters, NOW, number, 1, true, &raised), 0);
    assert_int_equal(weir_counters_read(counters, NOW, &reading, 1), 1);
    assert_true(reading.value > 2.99 * value && reading.value < 3.01 * value);
    weir_counters_free(&counters);
    counters = open_store(scratch, true);
    assert_int_equal(weir_counters_raise(counters, NOW, number, 1, true, &raised), WEIR_EINVAL);
    assert_int_equal(weir_counters_raise(counters, NOW, number, WEIR_EVENTS_MAX + 1, false,
                                         &raised), WEIR_ELIMIT);
    weir_counters_free(&counters);
    scratch_free(scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_key_is_noticed_and_the_mark_stays),
        cmocka_unit_test(numbers_are_raised_to_what_is_given_and_never_lowered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
