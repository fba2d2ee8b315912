/*
 * One body of tests, run on every store: the model in memory, a local file, and
 * a real memcached.  Time is faked: it begins with the epochs that are now,
 * because memcached lets items expire by a clock of its own, and goes on from there.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/store/counters.h"
#include "tests/unit/counter_stores.h"

static const enum counter_store stores[COUNTER_STORES] = {STORE_MEMORY, STORE_LOCAL,
                                                          STORE_MEMCACHED};
static const uint32_t half_lives[] = {900, 3600, 864000, 2592000};
#define HALF_LIVES (sizeof half_lives / sizeof half_lives[0])

static weir_time wall_time(void)
{
    return (weir_time)time(NULL) * WEIR_SECOND;
}

static weir_time half_lives_of(uint32_t half_life, double n)
{
    return (weir_time)llround(n * (double)half_life * (double)WEIR_SECOND);
}

/* The start of the next epoch. */
static weir_time next_epoch(uint32_t half_life)
{
    uint64_t length = weir_decay_epoch_seconds(half_life);
    return (weir_time)((weir_decay_epoch(wall_time(), half_life) + 1) * length) * WEIR_SECOND;
}

static struct weir_counter some_counter(uint32_t half_life)
{
    return (struct weir_counter){random_entity(), WEIR_SPAM_USER, half_life};
}

/* Opens the store of this run of the test, or skips it. */
static struct weir_counters *open_store(void **state, enum counter_store *store_r)
{
    *store_r = *(const enum counter_store *)*state;
    if (!counter_store_available(*store_r))
        skip();
    struct weir_counters *counters = counter_store_open(*store_r);
    assert_non_null(counters);
    return counters;
}

static void assert_near(double got, double want, double relative)
{
    if (fabs(got - want) > relative * fabs(want))
        fail_msg("got %.9g, want %.9g within %g", got, want, relative);
}

/* Decay. ------------------------------------------------------------------ */

static void C22_counters_halve_after_one_half_life(void **state)
{
    enum counter_store store;
    struct weir_counters *counters = open_store(state, &store);
    for (size_t i = 0; i < HALF_LIVES; i++) {
        uint32_t h = half_lives[i];
        for (double phase = 0; phase < 16; phase += 0.37) {
            struct weir_counter counter = some_counter(h);
            weir_time t = next_epoch(h) + half_lives_of(h, phase);
            counter_add(counters, t, &counter, 5);
            assert_near(counter_value(counters, t, &counter), 5, 0.001);
            assert_near(counter_value(counters, t + half_lives_of(h, 1), &counter), 2.5, 0.001);
        }
    }
    counter_store_close(store, &counters);
}

static void C22_counters_halve_twelve_times_over_an_epoch_change(void **state)
{
    enum counter_store store;
    struct weir_counters *counters = open_store(state, &store);
    for (double phase = 0; phase < 16; phase += 0.73) {
        struct weir_counter counter = some_counter(3600);
        weir_time t = next_epoch(3600) + half_lives_of(3600, phase);
        counter_add(counters, t, &counter, 1000);
        for (int k = 1; k <= 12; k++) {
            double value = counter_value(counters, t + half_lives_of(3600, k), &counter);
            assert_near(value, 1000 * exp2(-k), 0.001);
        }
    }
    counter_store_close(store, &counters);
}

static void without_half_life_events_count_in_full_for_180_days(void **state)
{
    enum counter_store store;
    struct weir_counters *counters = open_store(state, &store);
    struct weir_counter counter = some_counter(0);
    weir_time t = wall_time();
    counter_add(counters, t, &counter, 1);
    counter_add(counters, t + WEIR_DAY, &counter, 1);
    assert_true(counter_value(counters, t + 180 * WEIR_DAY, &counter) == 2);
    assert_true(counter_value(counters, t + 361 * WEIR_DAY, &counter) == 0);
    counter_store_close(store, &counters);
}

static long double exact(const weir_time *when, const double *weight, size_t n, weir_time now,
                         uint32_t half_life)
{
    long double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += weight[i] * exp2l(-(long double)(now - when[i]) / WEIR_SECOND / half_life);
    return sum;
}

/* Four epochs of events at random times, more at some times than at others. */
static void values_are_within_a_thousandth_of_exact_decay(void **state)
{
    enum { EVENTS = 4000 };
    static weir_time when[EVENTS];
    static double weight[EVENTS];
    enum counter_store store;
    struct weir_counters *counters = open_store(state, &store);
    for (size_t h = 0; h < HALF_LIVES; h++) {
        struct weir_counter counter = some_counter(half_lives[h]);
        weir_time now = wall_time();
        for (size_t i = 0; i < EVENTS; i++) {
            double busy = 1 + 0.9 * sin((double)i / 100);
            now += half_lives_of(half_lives[h], random_between(0, 64.0 / EVENTS) / busy);
            when[i] = now;
            weight[i] = random_between(WEIR_WEIGHT_MIN, 8);
            assert_int_equal(weir_counters_add(counters, now, &counter, weight[i]), 0);
            if (random_u64() % 32)
                continue;
            assert_int_equal(weir_counters_flush(counters, NULL), 0);
            now += half_lives_of(half_lives[h], random_between(0, 0.5));
            double want = (double)exact(when, weight, i + 1, now, half_lives[h]);
            assert_near(counter_value(counters, now, &counter), want, 0.001);
        }
        weir_counters_flush(counters, NULL);
    }
    counter_store_close(store, &counters);
}

static void the_last_moment_of_an_epoch_and_the_first_of_the_next_agree(void **state)
{
    enum counter_store store;
    struct weir_counters *counters = open_store(state, &store);
    struct weir_counter counter = some_counter(900);
    weir_time boundary = next_epoch(900) + half_lives_of(900, 16);
    counter_add(counters, boundary - 1, &counter, 3);
    assert_near(counter_value(counters, boundary - 1, &counter), 3, 1e-6);
    assert_near(counter_value(counters, boundary, &counter), 3, 1e-6);
    counter_add(counters, boundary, &counter, 4);
    assert_near(counter_value(counters, boundary, &counter), 7, 1e-6);
    counter_store_close(store, &counters);
}

/* A server whose clock is a second ahead writes over the boundary already. */
static void a_clock_that_is_ahead_is_off_by_its_second_only(void **state)
{
    enum counter_store store;
    struct weir_counters *counters = open_store(state, &store);
    struct weir_counter counter = some_counter(900);
    weir_time boundary = next_epoch(900) + half_lives_of(900, 16);
    counter_add(counters, boundary - 10 * WEIR_SECOND, &counter, 100);
    counter_add(counters, boundary + WEIR_SECOND / 2, &counter, 100);
    double before = counter_value(counters, boundary - WEIR_SECOND / 2, &counter);
    double after = counter_value(counters, boundary + WEIR_SECOND / 2, &counter);
    assert_near(before, 100, 0.01);
    assert_near(after, 200, 0.01);
    counter_add(counters, boundary + 61 * WEIR_SECOND, &counter, 100);
    assert_near(counter_value(counters, boundary + 60 * WEIR_SECOND, &counter), 293.1, 0.01);
    counter_store_close(store, &counters);
}

/* Taking back. ------------------------------------------------------------ */

static void taking_back_is_an_exact_inverse(void **state)
{
    enum counter_store store;
    struct weir_counters *counters = open_store(state, &store);
    for (int round = 0; round < 50; round++) {
        uint32_t h = half_lives[random_u64() % HALF_LIVES];
        struct weir_counter plain = some_counter(h);
        struct weir_counter disturbed = some_counter(h);
        weir_time t = wall_time();
        for (int i = 0; i < 20; i++) {
            t += half_lives_of(h, random_between(0, 1.5));
            double weight = random_between(0.125, 8);
            weir_time other = t + half_lives_of(h, random_between(0, 1));
            weir_counters_add(counters, t, &plain, weight);
            weir_counters_add(counters, other, &disturbed, 7);
            weir_counters_add(counters, t, &disturbed, weight);
            assert_int_equal(weir_counters_take_back(counters, other, &disturbed, 7), 0);
        }
        assert_int_equal(weir_counters_flush(counters, NULL), 0);
        double want = counter_value(counters, t, &plain);
        assert_true(counter_value(counters, t, &disturbed) == want);
    }
    counter_store_close(store, &counters);
}

static void an_event_of_the_epoch_before_can_be_taken_back(void **state)
{
    enum counter_store store;
    struct weir_counters *counters = open_store(state, &store);
    struct weir_counter counter = some_counter(900);
    weir_time t = next_epoch(900) + half_lives_of(900, 15.5);
    weir_time later = t + half_lives_of(900, 1);
    counter_add(counters, t, &counter, 3);
    counter_add(counters, later, &counter, 2);
    counter_take_back(counters, t, &counter, 3);
    assert_near(counter_value(counters, later, &counter), 2, 0.0001);
    counter_store_close(store, &counters);
}

static void taking_back_too_much_stops_at_zero(void **state)
{
    enum counter_store store;
    struct weir_counters *counters = open_store(state, &store);
    struct weir_counter counter = some_counter(900);
    weir_time t = next_epoch(900);
    counter_add(counters, t, &counter, 1);
    counter_take_back(counters, t, &counter, 5);
    assert_true(counter_value(counters, t, &counter) == 0);
    counter_add(counters, t, &counter, 1);
    assert_near(counter_value(counters, t, &counter), 1, 0.0001);
    counter_store_close(store, &counters);
}

static void taking_back_what_is_not_there_changes_nothing(void **state)
{
    enum counter_store store;
    struct weir_counters *counters = open_store(state, &store);
    struct weir_counter counter = some_counter(3600);
    weir_time t = next_epoch(3600);
    counter_take_back(counters, t, &counter, 5);
    assert_true(counter_value(counters, t, &counter) == 0);
    counter_add(counters, t, &counter, 2);
    assert_near(counter_value(counters, t, &counter), 2, 0.0001);
    counter_store_close(store, &counters);
}

/* Limits. ----------------------------------------------------------------- */

static void weights_and_times_out_of_range_are_refused(void **state)
{
    enum counter_store store;
    struct weir_counters *counters = open_store(state, &store);
    struct weir_counter counter = some_counter(900);
    struct weir_counter strange = {.variable = WEIR_VARIABLES};
    weir_time t = next_epoch(900);
    const double refused[] = {0, -1, NAN, INFINITY, nextafter(WEIR_WEIGHT_MIN, 0),
                              nextafter(WEIR_WEIGHT_MAX, INFINITY)};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        assert_int_equal(weir_counters_add(counters, t, &counter, refused[i]), WEIR_EINVAL);
        assert_int_equal(weir_counters_take_back(counters, t, &counter, refused[i]), WEIR_EINVAL);
    }
    assert_int_equal(weir_counters_add(counters, -1, &counter, 1), WEIR_EINVAL);
    assert_int_equal(weir_counters_add(counters, t, &strange, 1), WEIR_EINVAL);
    assert_true(counter_value(counters, t, &counter) == 0);
    counter_add(counters, t, &counter, WEIR_WEIGHT_MIN);
    assert_true(counter_value(counters, t, &counter) == WEIR_WEIGHT_MIN);
    counter_add(counters, t, &counter, WEIR_WEIGHT_MAX);
    assert_true(counter_value(counters, t, &counter) == WEIR_WEIGHT_MAX + WEIR_WEIGHT_MIN);
    counter_store_close(store, &counters);
}

static void numbers_stop_at_the_most_and_do_not_wrap(void **state)
{
    enum counter_store store;
    struct weir_counters *counters = open_store(state, &store);
    struct weir_counter counter = some_counter(900);
    weir_time t = next_epoch(900) + half_lives_of(900, 16) - 1;
    double most = (double)WEIR_COUNTER_MAX * weir_decay_factor(t, weir_decay_epoch(t, 900), 900);
    for (int i = 0; i < 20000; i++)
        weir_counters_add(counters, t, &counter, WEIR_WEIGHT_MAX);
    assert_int_equal(weir_counters_flush(counters, NULL), 0);
    assert_true(counter_value(counters, t, &counter) == most);
    counter_add(counters, t, &counter, 1);
    assert_true(counter_value(counters, t, &counter) == most);
    counter_store_close(store, &counters);
}

static void a_full_buffer_loses_nothing(void **state)
{
    enum counter_store store;
    struct weir_counters *counters = open_store(state, &store);
    struct weir_counter counter = some_counter(900);
    weir_time t = next_epoch(900);
    for (int i = 0; i < WEIR_EVENTS_MAX; i++)
        assert_int_equal(weir_counters_add(counters, t, &counter, 1), 0);
    assert_true(counter_value(counters, t, &counter) == 0); /* still in the buffer */
    assert_int_equal(weir_counters_add(counters, t, &counter, 1), 0);
    assert_true(counter_value(counters, t, &counter) == WEIR_EVENTS_MAX);
    assert_int_equal(weir_counters_flush(counters, NULL), 0);
    assert_true(counter_value(counters, t, &counter) == WEIR_EVENTS_MAX + 1);
    counter_store_close(store, &counters);
}

static void many_readings_of_many_entities_come_in_their_order(void **state)
{
    enum { N = 3000, EACH = 6 };
    static struct weir_reading reading[N];
    enum counter_store store;
    struct weir_counters *counters = open_store(state, &store);
    weir_time t = next_epoch(2592000) + half_lives_of(2592000, 1);
    for (size_t i = 0; i < N; i++) {
        struct weir_counter *counter = &reading[i].counter;
        counter->entity = i % EACH ? reading[i - 1].counter.entity : random_entity();
        counter->variable = (enum weir_variable)(i % EACH);
        counter->half_life = i % EACH == 5 ? 900 : 2592000;
        if (i % 7)
            assert_int_equal(weir_counters_add(counters, t, counter, 1 + (double)(i % 1000)), 0);
    }
    assert_int_equal(weir_counters_flush(counters, NULL), 0);
    assert_int_equal(weir_counters_read(counters, t, reading, N), 1);
    for (size_t i = 0; i < N; i++)
        assert_near(reading[i].value, i % 7 ? 1 + (double)(i % 1000) : 0, 0.0005);
    counter_store_close(store, &counters);
}

/* The same numbers. ------------------------------------------------------- */

enum { PAIR_ENTITIES = 12, PAIR_STEPS = 2500 };

/* Does the same to both; gives the time that has come. */
static weir_time disturb_both(struct weir_counters *const pair[2], weir_time t, uint32_t half_life,
                              const struct weir_entity *entity)
{
    struct weir_counter counter = {entity[random_u64() % PAIR_ENTITIES],
                                   (enum weir_variable)(random_u64() % WEIR_VARIABLES), half_life};
    double span = (double)weir_decay_epoch_seconds(half_life) * (double)WEIR_SECOND;
    t += (weir_time)random_between(0, 7 * span / PAIR_STEPS);
    weir_time when = t - (weir_time)random_between(0, span / 40);
    double weight = exp2(random_between(-3, 12));
    bool take_back = random_u64() % 8 == 0;
    bool flush = random_u64() % 16 == 0;
    for (int i = 0; i < 2; i++) {
        int done = take_back ? weir_counters_take_back(pair[i], when, &counter, weight)
                             : weir_counters_add(pair[i], when, &counter, weight);
        assert_int_equal(done, 0);
        if (flush)
            assert_int_equal(weir_counters_flush(pair[i], NULL), 0);
    }
    return t;
}

/* Reads every counter of every entity from both. */
static void assert_same(struct weir_counters *const pair[2], weir_time t, uint32_t half_life,
                        const struct weir_entity *entity)
{
    enum { N = PAIR_ENTITIES * WEIR_VARIABLES };
    struct weir_reading reading[2][N];
    for (int p = 0; p < 2; p++) {
        for (size_t i = 0; i < N; i++)
            reading[p][i].counter =
                (struct weir_counter){entity[i / WEIR_VARIABLES],
                                      (enum weir_variable)(i % WEIR_VARIABLES), half_life};
        assert_int_equal(weir_counters_flush(pair[p], NULL), 0);
        assert_int_equal(weir_counters_read(pair[p], t, reading[p], N), 1);
    }
    for (size_t i = 0; i < N; i++) {
        if (memcmp(&reading[0][i].value, &reading[1][i].value, sizeof(double)) != 0)
            fail_msg("half-life %u: %.17g in memory, %.17g here", half_life, reading[0][i].value,
                     reading[1][i].value);
    }
}

/* Events some of which come late or are taken back, over four epochs. */
static void the_same_events_give_the_same_numbers_bit_for_bit(void **state)
{
    static const uint32_t cases[] = {0, 900, 3600, 864000, 2592000};
    enum counter_store store;
    struct weir_counters *pair[2] = {NULL, open_store(state, &store)};
    pair[0] = counter_store_open(STORE_MEMORY);
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        struct weir_entity entity[PAIR_ENTITIES];
        for (size_t i = 0; i < PAIR_ENTITIES; i++)
            entity[i] = random_entity();
        double grace = (double)weir_decay_epoch_seconds(cases[c]) / 16;
        weir_time t = wall_time() + (weir_time)(grace * (double)WEIR_SECOND);
        for (int step = 0; step < PAIR_STEPS; step++) {
            t = disturb_both(pair, t, cases[c], entity);
            if (step % 50 == 0)
                assert_same(pair, t, cases[c], entity);
        }
        assert_same(pair, t, cases[c], entity);
    }
    counter_store_close(STORE_MEMORY, &pair[0]);
    counter_store_close(store, &pair[1]);
}

/* ------------------------------------------------------------------------- */

struct body {
    const char *name;
    CMUnitTestFunction function;
    bool not_in_memcached; /* it cannot: see the limits in counters.h */
};

#define BODY(function) {#function, function, false}

static const struct body bodies[] = {
    BODY(C22_counters_halve_after_one_half_life),
    BODY(C22_counters_halve_twelve_times_over_an_epoch_change),
    BODY(without_half_life_events_count_in_full_for_180_days),
    BODY(values_are_within_a_thousandth_of_exact_decay),
    BODY(the_last_moment_of_an_epoch_and_the_first_of_the_next_agree),
    BODY(a_clock_that_is_ahead_is_off_by_its_second_only),
    BODY(taking_back_is_an_exact_inverse),
    BODY(an_event_of_the_epoch_before_can_be_taken_back),
    BODY(taking_back_too_much_stops_at_zero),
    BODY(taking_back_what_is_not_there_changes_nothing),
    BODY(weights_and_times_out_of_range_are_refused),
    {"numbers_stop_at_the_most_and_do_not_wrap", numbers_stop_at_the_most_and_do_not_wrap, true},
    BODY(a_full_buffer_loses_nothing),
    BODY(many_readings_of_many_entities_come_in_their_order),
    BODY(the_same_events_give_the_same_numbers_bit_for_bit),
};
#define BODIES (sizeof bodies / sizeof bodies[0])

/* Each body once for each store, which the test's name ends in. */
int main(void)
{
    static struct CMUnitTest test[COUNTER_STORES * BODIES];
    static char name[COUNTER_STORES * BODIES][128];
    size_t n = 0;
    seed_random();
    for (size_t i = 0; i < COUNTER_STORES * BODIES; i++) {
        const struct body *body = &bodies[i % BODIES];
        const enum counter_store *store = &stores[i / BODIES];
        if (*store == STORE_MEMCACHED && body->not_in_memcached)
            continue;
        snprintf(name[n], sizeof name[n], "%s_in_%s", body->name, counter_store_name(*store));
        test[n] = (struct CMUnitTest){
            .name = name[n],
            .test_func = body->function,
            .initial_state = (void *)(uintptr_t)store,
        };
        n++;
    }
    return _cmocka_run_group_tests("counters", test, n, NULL, NULL);
}
