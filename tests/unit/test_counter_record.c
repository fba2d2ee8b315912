/*
 * The packed record of an entity's numbers: what was written is read, anything
 * else is refused, and changes keep within the limits.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/store/counter_record.h"
#include "tests/unit/counter_stores.h"

static const weir_time now = INT64_C(1795286015) * WEIR_SECOND;

static struct weir_counter_change change_of(enum weir_variable variable, uint32_t half_life,
                                            weir_time when, uint64_t amount)
{
    uint32_t epoch = weir_decay_epoch(when, half_life);
    return (struct weir_counter_change){
        .counter = {.variable = variable, .half_life = half_life},
        .epoch = epoch,
        .expires = weir_decay_expires(epoch, half_life),
        .amount = amount,
        .when = when,
    };
}

static uint64_t number_of(const struct weir_counter_record *record,
                          const struct weir_counter_change *change)
{
    return weir_counter_record_number(record, &change->counter, change->epoch);
}

static size_t write_some(const struct weir_entity *entity, size_t items,
                         uint8_t bytes[static WEIR_COUNTER_RECORD_MAX])
{
    struct weir_counter_record record;
    record.n = 0;
    for (size_t i = 0; i < items; i++) {
        struct weir_counter_change change =
            change_of((enum weir_variable)(i % WEIR_VARIABLES), 900 + (uint32_t)i, now, 1000 + i);
        weir_counter_record_change(&record, &change);
    }
    assert_int_equal(record.n, items);
    return weir_counter_record_write(entity, &record, bytes);
}

static void what_was_written_is_read(void **state)
{
    (void)state;
    for (size_t items = 0; items <= WEIR_COUNTER_ITEMS_MAX; items++) {
        struct weir_entity entity = random_entity();
        struct weir_counter_record record;
        uint8_t bytes[WEIR_COUNTER_RECORD_MAX];
        size_t len = write_some(&entity, items, bytes);
        assert_int_equal(len, 5 + items * WEIR_COUNTER_ITEM_SIZE);
        assert_int_equal(weir_counter_record_read(&entity, bytes, len, &record), 0);
        assert_int_equal(record.n, items);
        for (size_t i = 0; i < items; i++) {
            struct weir_counter_change change = change_of((enum weir_variable)(i % WEIR_VARIABLES),
                                                          900 + (uint32_t)i, now, 0);
            assert_int_equal(number_of(&record, &change), 1000 + i);
        }
    }
}

static void every_flipped_bit_is_noticed(void **state)
{
    (void)state;
    struct weir_entity entity = random_entity();
    struct weir_counter_record record;
    uint8_t bytes[WEIR_COUNTER_RECORD_MAX];
    size_t len = write_some(&entity, 5, bytes);
    for (size_t bit = 0; bit < 8 * len; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(weir_counter_record_read(&entity, bytes, len, &record), WEIR_ECORRUPT);
        assert_int_equal(record.n, 0);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void every_other_length_is_noticed(void **state)
{
    (void)state;
    struct weir_entity entity = random_entity();
    struct weir_counter_record record;
    uint8_t bytes[WEIR_COUNTER_RECORD_MAX + 1] = {0};
    size_t len = write_some(&entity, 5, bytes);
    for (size_t cut = 0; cut <= sizeof bytes; cut++) {
        int want = cut == len ? 0 : WEIR_ECORRUPT;
        assert_int_equal(weir_counter_record_read(&entity, bytes, cut, &record), want);
    }
    assert_int_equal(weir_counter_record_read(&entity, NULL, 0, &record), WEIR_ECORRUPT);
}

static void the_record_of_another_entity_is_refused(void **state)
{
    (void)state;
    struct weir_entity entity = random_entity();
    struct weir_entity other = random_entity();
    struct weir_counter_record record;
    uint8_t bytes[WEIR_COUNTER_RECORD_MAX];
    size_t len = write_some(&entity, 5, bytes);
    assert_int_equal(weir_counter_record_read(&other, bytes, len, &record), WEIR_ECORRUPT);
}

static void numbers_beyond_the_most_are_refused(void **state)
{
    (void)state;
    struct weir_entity entity = random_entity();
    struct weir_counter_record record = {.n = 1};
    uint8_t bytes[WEIR_COUNTER_RECORD_MAX];
    record.item[0] = (struct weir_counter_item){1, 900, 7, WEIR_COUNTER_MAX};
    size_t len = weir_counter_record_write(&entity, &record, bytes);
    assert_int_equal(weir_counter_record_read(&entity, bytes, len, &record), 0);
    record.item[0].number++;
    len = weir_counter_record_write(&entity, &record, bytes);
    assert_int_equal(weir_counter_record_read(&entity, bytes, len, &record), WEIR_ECORRUPT);
}

static void variables_of_a_newer_program_are_kept(void **state)
{
    (void)state;
    struct weir_entity entity = random_entity();
    struct weir_counter_record record = {.n = 1};
    struct weir_counter_change change = change_of(WEIR_SPAM_USER, 900, now, 4096);
    uint8_t bytes[WEIR_COUNTER_RECORD_MAX];
    record.item[0] = (struct weir_counter_item){200, 900, change.epoch, 77};
    size_t len = weir_counter_record_write(&entity, &record, bytes);
    assert_int_equal(weir_counter_record_read(&entity, bytes, len, &record), 0);
    weir_counter_record_change(&record, &change);
    assert_int_equal(record.n, 2);
    assert_int_equal(record.item[0].variable, 200);
    assert_int_equal(record.item[0].number, 77);
}

static void one_item_beyond_WEIR_COUNTER_ITEMS_MAX_replaces_the_first_to_expire(void **state)
{
    (void)state;
    struct weir_counter_record record;
    struct weir_counter_change old = change_of(WEIR_GOOD_USER, 900, now - WEIR_DAY, 1);
    record.n = 0;
    for (uint32_t i = 0; i < WEIR_COUNTER_ITEMS_MAX; i++) {
        struct weir_counter_change change = change_of(WEIR_SPAM_USER, 100000 + i, now, 1);
        weir_counter_record_change(&record, i == 33 ? &old : &change);
    }
    assert_int_equal(record.n, WEIR_COUNTER_ITEMS_MAX);
    assert_int_equal(number_of(&record, &old), 1);
    struct weir_counter_change one_more = change_of(WEIR_SPAM_COMPUTER, 900, now, 5);
    weir_counter_record_change(&record, &one_more);
    assert_int_equal(record.n, WEIR_COUNTER_ITEMS_MAX);
    assert_int_equal(number_of(&record, &old), 0);
    assert_int_equal(number_of(&record, &one_more), 5);
}

static void expired_items_are_dropped_and_no_others(void **state)
{
    (void)state;
    struct weir_counter_record record;
    struct weir_counter_change short_lived = change_of(WEIR_SPAM_USER, 900, now, 4096);
    struct weir_counter_change long_lived = change_of(WEIR_SPAM_USER, 2592000, now, 4096);
    struct weir_counter_change endless = change_of(WEIR_SPAM_USER, UINT32_MAX, now, 4096);
    weir_time end = (weir_time)short_lived.expires * WEIR_SECOND;
    record.n = 0;
    weir_counter_record_change(&record, &short_lived);
    weir_counter_record_change(&record, &long_lived);
    weir_counter_record_change(&record, &endless);
    weir_counter_record_drop_expired(&record, end - 1);
    assert_int_equal(record.n, 3);
    weir_counter_record_drop_expired(&record, end);
    assert_int_equal(record.n, 2);
    assert_int_equal(number_of(&record, &short_lived), 0);
    weir_counter_record_drop_expired(&record, INT64_MAX);
    assert_int_equal(record.n, 1);
    assert_int_equal(number_of(&record, &endless), 4096);
}

static void the_value_is_what_all_items_are_worth(void **state)
{
    (void)state;
    struct weir_counter_record record;
    struct weir_counter_change first = change_of(WEIR_SPAM_USER, 900, now, 0);
    struct weir_counter_change second = change_of(WEIR_GOOD_USER, 2592000, now, 0);
    record.n = 0;
    assert_true(weir_counter_record_value(&record, now) == 0);
    first.amount = weir_decay_amount(now, 900, 8);
    second.amount = weir_decay_amount(now, 2592000, 4);
    weir_counter_record_change(&record, &first);
    weir_counter_record_change(&record, &second);
    assert_true(fabs(weir_counter_record_value(&record, now) - 12) < 0.001);
    double later = weir_counter_record_value(&record, now + 15 * WEIR_MINUTE);
    assert_true(fabs(later - 8) < 0.01);
    assert_true(weir_counter_record_value(&record, 0) > 1e9); /* from the future: worth keeping */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(every_flipped_bit_is_noticed),
        cmocka_unit_test(every_other_length_is_noticed),
        cmocka_unit_test(the_record_of_another_entity_is_refused),
        cmocka_unit_test(numbers_beyond_the_most_are_refused),
        cmocka_unit_test(variables_of_a_newer_program_are_kept),
        cmocka_unit_test(one_item_beyond_WEIR_COUNTER_ITEMS_MAX_replaces_the_first_to_expire),
        cmocka_unit_test(expired_items_are_dropped_and_no_others),
        cmocka_unit_test(the_value_is_what_all_items_are_worth),
    };
    seed_random();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
