/* The near cache against a model that remembers everything for ever. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/store/near_cache.h"
#include "tests/unit/counter_stores.h"

static const weir_time start = INT64_C(1795286015) * WEIR_SECOND;
static const weir_time age = 2 * WEIR_SECOND;
static const weir_time never = INT64_MAX;

static void fill(struct weir_reading *reading, size_t n, const struct weir_entity *entity,
                 double value)
{
    for (size_t i = 0; i < n; i++)
        reading[i] = (struct weir_reading){
            .counter = {*entity, (enum weir_variable)(i % WEIR_VARIABLES), i % 2 ? 900 : 0},
            .value = value + (double)i,
        };
}

static void what_was_put_is_got(void **state)
{
    (void)state;
    struct weir_near_cache *cache = weir_near_cache_new(100, age);
    struct weir_entity entity = random_entity();
    struct weir_reading put[5], got[5];
    fill(put, 5, &entity, 7);
    fill(got, 5, &entity, 0);
    got[3].missing = true;
    assert_int_equal(weir_near_cache_get(cache, start, got, 5), 0);
    assert_true(got[0].value == 0 && got[3].missing);
    weir_near_cache_put(cache, start, never, put, 5);
    assert_int_equal(weir_near_cache_get(cache, start, got, 5), 1);
    for (size_t i = 0; i < 5; i++) {
        assert_true(got[i].value == put[i].value);
        assert_false(got[i].missing);
    }
    weir_near_cache_free(&cache);
    assert_null(cache);
    weir_near_cache_free(&cache);
}

static void a_part_in_another_order_is_got_and_a_stranger_is_not(void **state)
{
    (void)state;
    struct weir_near_cache *cache = weir_near_cache_new(100, age);
    struct weir_entity entity = random_entity();
    struct weir_reading put[5], got[2];
    fill(put, 5, &entity, 7);
    weir_near_cache_put(cache, start, never, put, 5);
    got[0] = put[4];
    got[1] = put[1];
    got[0].value = got[1].value = 0;
    assert_int_equal(weir_near_cache_get(cache, start, got, 2), 1);
    assert_true(got[0].value == put[4].value && got[1].value == put[1].value);
    got[1].counter.half_life = 901;
    got[0].value = 0;
    assert_int_equal(weir_near_cache_get(cache, start, got, 2), 0);
    assert_true(got[0].value == 0);
    weir_near_cache_free(&cache);
}

static void values_are_given_until_they_are_too_old(void **state)
{
    (void)state;
    struct weir_near_cache *cache = weir_near_cache_new(100, age);
    struct weir_entity entity = random_entity();
    struct weir_reading reading[1];
    fill(reading, 1, &entity, 7);
    weir_near_cache_put(cache, start, never, reading, 1);
    assert_int_equal(weir_near_cache_get(cache, start + age, reading, 1), 1);
    assert_int_equal(weir_near_cache_get(cache, start + age + 1, reading, 1), 0);
    assert_int_equal(weir_near_cache_get(cache, start - 1, reading, 1), 0); /* clock set back */
    weir_near_cache_put(cache, start - WEIR_DAY, never, reading, 1);
    assert_int_equal(weir_near_cache_get(cache, start - WEIR_DAY, reading, 1), 1);
    weir_near_cache_free(&cache);
}

static void values_are_given_before_their_end_only(void **state)
{
    (void)state;
    struct weir_near_cache *cache = weir_near_cache_new(100, WEIR_HOUR);
    struct weir_entity entity = random_entity();
    struct weir_reading reading[2];
    fill(reading, 2, &entity, 8);
    weir_near_cache_put(cache, start, start + WEIR_MINUTE, reading, 2);
    assert_int_equal(weir_near_cache_get(cache, start + WEIR_MINUTE - 1, reading, 2), 1);
    assert_true(reading[0].value == 8 && reading[1].value == 9); /* as they were put */
    assert_int_equal(weir_near_cache_get(cache, start + WEIR_MINUTE, reading, 2), 0);
    weir_near_cache_free(&cache);
}

static void what_is_forgotten_is_not_got(void **state)
{
    (void)state;
    struct weir_near_cache *cache = weir_near_cache_new(100, age);
    struct weir_entity entity[2] = {random_entity(), random_entity()};
    struct weir_reading reading[2];
    weir_near_cache_forget(cache, &entity[0]);
    for (size_t i = 0; i < 2; i++) {
        fill(reading, 2, &entity[i], 7);
        weir_near_cache_put(cache, start, never, reading, 2);
    }
    weir_near_cache_forget(cache, &entity[0]);
    fill(reading, 2, &entity[0], 0);
    assert_int_equal(weir_near_cache_get(cache, start, reading, 2), 0);
    fill(reading, 2, &entity[1], 0);
    assert_int_equal(weir_near_cache_get(cache, start, reading, 2), 1);
    weir_near_cache_free(&cache);
}

static void missing_readings_are_not_remembered(void **state)
{
    (void)state;
    struct weir_near_cache *cache = weir_near_cache_new(100, age);
    struct weir_entity entity = random_entity();
    struct weir_reading reading[3];
    fill(reading, 3, &entity, 7);
    reading[2].missing = true;
    weir_near_cache_put(cache, start, never, reading, 3);
    assert_int_equal(weir_near_cache_get(cache, start, reading, 1), 0);
    weir_near_cache_free(&cache);
}

static void WEIR_NEAR_READINGS_are_remembered_and_one_more_is_not(void **state)
{
    (void)state;
    struct weir_near_cache *cache = weir_near_cache_new(100, age);
    struct weir_entity entity[2] = {random_entity(), random_entity()};
    struct weir_reading reading[WEIR_NEAR_READINGS + 1];
    fill(reading, WEIR_NEAR_READINGS, &entity[0], 7);
    weir_near_cache_put(cache, start, never, reading, WEIR_NEAR_READINGS);
    assert_int_equal(weir_near_cache_get(cache, start, reading, WEIR_NEAR_READINGS), 1);
    assert_int_equal(weir_near_cache_get(cache, start, reading, 0), 0);
    fill(reading, WEIR_NEAR_READINGS + 1, &entity[1], 7);
    weir_near_cache_put(cache, start, never, reading, WEIR_NEAR_READINGS + 1);
    assert_int_equal(weir_near_cache_get(cache, start, reading, 1), 0);
    assert_int_equal(weir_near_cache_get(cache, start, reading, WEIR_NEAR_READINGS + 1), 0);
    weir_near_cache_free(&cache);
}

/* Random puts, forgets and gets: what is got is what was put last; what was
 * forgotten, changed or is too old is never got; most of a working set that
 * fits is got. */
static void it_agrees_with_a_model(void **state)
{
    enum { ENTITIES = 64, STEPS = 200000 };
    static struct weir_entity entity[ENTITIES];
    static double value[ENTITIES];
    static weir_time put_at[ENTITIES];
    size_t got = 0, there = 0;
    (void)state;
    struct weir_near_cache *cache = weir_near_cache_new(ENTITIES, age);
    for (size_t i = 0; i < ENTITIES; i++)
        entity[i] = random_entity();
    for (int step = 0; step < STEPS; step++) {
        weir_time now = start + step * WEIR_SECOND / 100;
        size_t i = random_u64() % ENTITIES;
        struct weir_reading reading[2];
        fill(reading, 2, &entity[i], random_between(0, 100));
        unsigned dice = (unsigned)(random_u64() % 10);
        if (dice == 0) {
            weir_near_cache_forget(cache, &entity[i]);
            put_at[i] = 0;
        } else if (dice < 5) {
            weir_near_cache_put(cache, now, never, reading, 2);
            put_at[i] = now;
            value[i] = reading[0].value;
        } else {
            bool known = put_at[i] > 0 && now - put_at[i] <= age;
            int found = weir_near_cache_get(cache, now, reading, 2);
            assert_true(known || !found);
            if (found)
                assert_true(reading[0].value == value[i]);
            there += known;
            got += (size_t)found;
        }
    }
    assert_true(there > STEPS / 8);
    assert_true(got > there * 6 / 10);
    weir_near_cache_free(&cache);
}

static void the_oldest_of_a_set_gives_way(void **state)
{
    (void)state;
    struct weir_near_cache *cache = weir_near_cache_new(1, WEIR_DAY); /* one set */
    struct weir_reading reading[8];
    struct weir_entity entity[8];
    for (size_t i = 0; i < 8; i++) {
        entity[i] = random_entity();
        fill(reading, 1, &entity[i], (double)i);
        weir_near_cache_put(cache, start + (weir_time)i, never, reading, 1);
    }
    int found[8];
    for (size_t i = 0; i < 8; i++) {
        fill(reading, 1, &entity[i], 0);
        found[i] = weir_near_cache_get(cache, start + 10, reading, 1);
    }
    for (size_t i = 1; i < 8; i++)
        assert_true(found[i] >= found[i - 1]);
    assert_int_equal(found[0], 0);
    assert_int_equal(found[7], 1);
    weir_near_cache_free(&cache);
}

static void put_one(struct weir_near_cache *cache, weir_time now, const struct weir_entity *entity)
{
    struct weir_reading reading[1];
    fill(reading, 1, entity, 7);
    weir_near_cache_put(cache, now, never, reading, 1);
}

static int get_one(struct weir_near_cache *cache, weir_time now, const struct weir_entity *entity)
{
    struct weir_reading reading[1];
    fill(reading, 1, entity, 0);
    return weir_near_cache_get(cache, now, reading, 1);
}

static void who_is_asked_for_again_is_not_pushed_out_by_newcomers(void **state)
{
    (void)state;
    struct weir_near_cache *cache = weir_near_cache_new(1, WEIR_DAY); /* one set */
    struct weir_entity regular[4];
    weir_time now = start;
    for (size_t i = 0; i < 4; i++) {
        regular[i] = random_entity();
        put_one(cache, now, &regular[i]);
        assert_int_equal(get_one(cache, now, &regular[i]), 1);
    }
    for (int i = 0; i < 1000; i++, now += WEIR_SECOND / 50) {
        struct weir_entity newcomer = random_entity();
        put_one(cache, now, &newcomer);
        assert_int_equal(get_one(cache, now, &newcomer), 0);
        assert_int_equal(get_one(cache, now, &regular[i % 4]), 1);
    }
    weir_near_cache_free(&cache);
}

static void who_is_not_asked_for_any_more_gives_way(void **state)
{
    (void)state;
    struct weir_near_cache *cache = weir_near_cache_new(1, WEIR_DAY);
    struct weir_entity regular[4], newcomer = random_entity();
    for (size_t i = 0; i < 4; i++) {
        regular[i] = random_entity();
        put_one(cache, start, &regular[i]);
        assert_int_equal(get_one(cache, start, &regular[i]), 1);
    }
    weir_time later = start + WEIR_MINUTE;
    for (size_t i = 1; i < 4; i++)
        assert_int_equal(get_one(cache, later, &regular[i]), 1);
    put_one(cache, later, &newcomer);
    assert_int_equal(get_one(cache, later, &newcomer), 1);
    assert_int_equal(get_one(cache, later, &regular[0]), 0);
    weir_near_cache_free(&cache);
}

/* Also when the clock was set back: else regulars of the future would never go. */
static void regulars_of_a_wrong_clock_give_way(void **state)
{
    (void)state;
    struct weir_near_cache *cache = weir_near_cache_new(1, WEIR_DAY);
    struct weir_entity newcomer = random_entity();
    for (size_t i = 0; i < 4; i++) {
        struct weir_entity regular = random_entity();
        put_one(cache, start + WEIR_DAY, &regular);
        assert_int_equal(get_one(cache, start + WEIR_DAY, &regular), 1);
    }
    put_one(cache, start, &newcomer);
    assert_int_equal(get_one(cache, start, &newcomer), 1);
    weir_near_cache_free(&cache);
}

static void a_change_forgets_all_numbers_but_not_who_is_a_regular(void **state)
{
    (void)state;
    struct weir_near_cache *cache = weir_near_cache_new(1, WEIR_DAY);
    struct weir_entity regular[4], newcomer = random_entity();
    for (size_t i = 0; i < 4; i++) {
        regular[i] = random_entity();
        put_one(cache, start, &regular[i]);
        assert_int_equal(get_one(cache, start, &regular[i]), 1);
    }
    weir_near_cache_forget_all(cache);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(get_one(cache, start, &regular[i]), 0);
    put_one(cache, start, &newcomer);
    assert_int_equal(get_one(cache, start, &newcomer), 0);
    for (size_t i = 0; i < 4; i++) {
        put_one(cache, start, &regular[i]);
        assert_int_equal(get_one(cache, start, &regular[i]), 1);
    }
    weir_near_cache_free(&cache);
}

/* An address and its pairs have half of their ids in common. */
static void entities_with_equal_halves_do_not_crowd_one_set(void **state)
{
    enum { N = 256 };
    (void)state;
    for (size_t half = 0; half < 2; half++) {
        struct weir_near_cache *cache = weir_near_cache_new(4 * N, WEIR_DAY);
        struct weir_entity entity[N], common = random_entity();
        size_t found = 0;
        for (size_t i = 0; i < N; i++) {
            entity[i] = random_entity();
            memcpy(entity[i].id + 8 * half, common.id + 8 * half, 8);
            put_one(cache, start, &entity[i]);
        }
        for (size_t i = 0; i < N; i++)
            found += (size_t)get_one(cache, start, &entity[i]);
        assert_true(found > N * 9 / 10);
        weir_near_cache_free(&cache);
    }
}

static void memory_does_not_grow(void **state)
{
    (void)state;
    struct weir_near_cache *cache = weir_near_cache_new(1000, age);
    size_t before = mallinfo2().uordblks;
    for (int i = 0; i < 100000; i++) {
        struct weir_entity entity = random_entity();
        struct weir_reading reading[4];
        fill(reading, 4, &entity, 1);
        weir_near_cache_put(cache, start + i, never, reading, 4);
        weir_near_cache_get(cache, start + i, reading, 4);
    }
    assert_int_equal(mallinfo2().uordblks, before);
    weir_near_cache_free(&cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_got),
        cmocka_unit_test(a_part_in_another_order_is_got_and_a_stranger_is_not),
        cmocka_unit_test(values_are_given_until_they_are_too_old),
        cmocka_unit_test(values_are_given_before_their_end_only),
        cmocka_unit_test(what_is_forgotten_is_not_got),
        cmocka_unit_test(missing_readings_are_not_remembered),
        cmocka_unit_test(WEIR_NEAR_READINGS_are_remembered_and_one_more_is_not),
        cmocka_unit_test(it_agrees_with_a_model),
        cmocka_unit_test(the_oldest_of_a_set_gives_way),
        cmocka_unit_test(who_is_asked_for_again_is_not_pushed_out_by_newcomers),
        cmocka_unit_test(who_is_not_asked_for_any_more_gives_way),
        cmocka_unit_test(regulars_of_a_wrong_clock_give_way),
        cmocka_unit_test(a_change_forgets_all_numbers_but_not_who_is_a_regular),
        cmocka_unit_test(entities_with_equal_halves_do_not_crowd_one_set),
        cmocka_unit_test(memory_does_not_grow),
    };
    seed_random();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
