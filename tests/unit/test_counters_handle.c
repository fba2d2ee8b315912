/*
 * What the handle does with a store: asks once, asks for no more than it needs,
 * keeps events and counts what became of them.  The store is a stub that
 * remembers what it was asked and does as it is told.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/store/counters_impl.h"
#include "tests/unit/counter_stores.h"

static const weir_time now = INT64_C(1795286015) * WEIR_SECOND;

struct stub {
    /* what it is to do */
    uint64_t value;
    struct weir_entity silent; /* it does not answer for this entity */
    size_t lose;
    /* what it was asked */
    unsigned fetches, applies, ticks, frees;
    size_t slots;
    size_t changes;
};

static int stub_fetch(void *self, struct weir_counter_slot *slot, size_t n)
{
    struct stub *stub = self;
    int all = 1;
    stub->fetches++;
    stub->slots = n;
    for (size_t i = 0; i < n; i++) {
        slot[i].value = stub->value;
        slot[i].missing = memcmp(&slot[i].counter.entity, &stub->silent, sizeof stub->silent) == 0;
        if (slot[i].missing)
            all = 0;
    }
    return all;
}

static int stub_apply(void *self, const struct weir_counter_change *change, size_t n,
                      size_t *lost_r)
{
    struct stub *stub = self;
    (void)change;
    stub->applies++;
    stub->changes += n;
    *lost_r = stub->lose < n ? stub->lose : n;
    return *lost_r > 0 ? WEIR_EDOWN : 0;
}

static void stub_tick(void *self, weir_time time)
{
    (void)time;
    ((struct stub *)self)->ticks++;
}

static void stub_status(void *self, struct weir_counters_status *status_r)
{
    (void)self;
    status_r->nodes = 1;
    status_r->node[0].up = true;
}

static void stub_free(void *self)
{
    ((struct stub *)self)->frees++;
}

static const struct weir_counter_store stub_store = {"stub",    stub_fetch,  stub_apply,
                                                     stub_tick, stub_status, stub_free};

static struct weir_counters *wrap(struct stub *stub, weir_time near)
{
    struct weir_counters *counters = NULL;
    stub->silent = random_entity();
    assert_int_equal(weir_counters_wrap(&stub_store, stub, near, 100, NULL, &counters), 0);
    return counters;
}

/* A moment half_lives after an epoch of an hour's half-life began. */
static weir_time phase(double half_lives)
{
    uint64_t start = weir_decay_epoch(now, 3600) * weir_decay_epoch_seconds(3600);
    return (weir_time)((double)start + half_lives * 3600) * WEIR_SECOND;
}

static void a_read_asks_the_store_once(void **state)
{
    (void)state;
    struct stub stub = {.value = 4096};
    struct weir_counters *counters = wrap(&stub, 0);
    struct weir_reading reading[40] = {{.value = 0}};
    for (size_t i = 0; i < 40; i++)
        reading[i].counter = (struct weir_counter){i % 5 ? reading[i - 1].counter.entity
                                                         : random_entity(),
                                                   (enum weir_variable)(i % 5), 3600};
    assert_int_equal(weir_counters_read(counters, phase(15), reading, 40), 1);
    assert_int_equal(stub.fetches, 1);
    assert_int_equal(stub.slots, 40);
    assert_int_equal(weir_counters_read(counters, phase(1), reading, 40), 1);
    assert_int_equal(stub.slots, 80); /* early in an epoch the one before matters */
    assert_int_equal(weir_counters_read(counters, now, reading, 0), 1);
    assert_int_equal(stub.fetches, 2);
    weir_counters_free(&counters);
    assert_int_equal(stub.frees, 1);
    assert_null(counters);
    weir_counters_free(&counters);
}

static void the_first_epoch_of_all_has_none_before(void **state)
{
    (void)state;
    struct stub stub = {.value = 4096};
    struct weir_counters *counters = wrap(&stub, 0);
    struct weir_reading reading = {.counter = {random_entity(), WEIR_SPAM_USER, 3600}};
    assert_int_equal(weir_counters_read(counters, 0, &reading, 1), 1);
    assert_int_equal(stub.slots, 1);
    assert_true(reading.value == 1);
    weir_counters_free(&counters);
}

static void what_the_store_does_not_answer_is_zero_and_missing(void **state)
{
    (void)state;
    struct stub stub = {.value = 4096};
    struct weir_counters *counters = wrap(&stub, 0);
    struct weir_counters_status status;
    struct weir_reading reading[3] = {
        {.counter = {random_entity(), WEIR_SPAM_USER, 0}, .value = 9},
        {.counter = {stub.silent, WEIR_SPAM_USER, 0}, .value = 9},
        {.counter = {random_entity(), WEIR_SPAM_USER, 0}, .missing = true},
    };
    assert_int_equal(weir_counters_read(counters, now, reading, 3), 0);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(reading[i].missing, i == 1);
        assert_true(reading[i].value == (i == 1 ? 0 : 2));
    }
    weir_counters_status(counters, &status);
    assert_string_equal(status.store, "stub");
    assert_int_equal(status.read, 3);
    assert_int_equal(status.missing, 1);
    assert_int_equal(status.nodes, 1);
    weir_counters_free(&counters);
}

static void a_read_of_WEIR_READINGS_MAX_is_answered_and_one_more_refused(void **state)
{
    (void)state;
    struct stub stub = {.value = 0};
    struct weir_counters *counters = wrap(&stub, 0);
    struct weir_reading *reading = calloc(WEIR_READINGS_MAX + 1, sizeof *reading);
    assert_non_null(reading);
    int refused = weir_counters_read(counters, now, reading, WEIR_READINGS_MAX + 1);
    assert_int_equal(refused, WEIR_ELIMIT);
    assert_int_equal(stub.fetches, 0);
    assert_int_equal(weir_counters_read(counters, now, reading, WEIR_READINGS_MAX), 1);
    assert_int_equal(stub.slots, 2 * WEIR_READINGS_MAX);
    free(reading);
    weir_counters_free(&counters);
}

/* More half-lives in one call than are remembered, over and over. */
static void any_number_of_half_lives_can_be_mixed(void **state)
{
    enum { N = 200 };
    (void)state;
    struct stub stub = {.value = 4096};
    struct weir_counters *counters = wrap(&stub, 0);
    struct weir_reading mixed[N], single;
    for (uint32_t i = 0; i < N; i++)
        mixed[i].counter =
            (struct weir_counter){random_entity(), WEIR_SPAM_USER, 100 + i * 7919 % 31};
    assert_int_equal(weir_counters_read(counters, now, mixed, N), 1);
    for (size_t i = 0; i < N; i++) {
        single.counter = mixed[i].counter;
        assert_int_equal(weir_counters_read(counters, now, &single, 1), 1);
        assert_true(single.value == mixed[i].value);
    }
    weir_counters_free(&counters);
}

static void what_was_read_a_moment_ago_is_not_asked_for_again(void **state)
{
    (void)state;
    struct stub stub = {.value = 4096};
    struct weir_counters *counters = wrap(&stub, 2 * WEIR_SECOND);
    struct weir_counters_status status;
    struct weir_reading reading[2] = {{.counter = {random_entity(), WEIR_SPAM_USER, 0}},
                                      {.counter = {random_entity(), WEIR_SPAM_USER, 0}}};
    assert_int_equal(weir_counters_read(counters, now, reading, 1), 1);
    assert_int_equal(weir_counters_read(counters, now + WEIR_SECOND, reading, 1), 1);
    assert_int_equal(stub.fetches, 1);
    assert_int_equal(weir_counters_read(counters, now + WEIR_SECOND, reading, 2), 1);
    assert_int_equal(stub.fetches, 2);
    assert_int_equal(stub.slots, 2); /* of the second only */
    assert_true(reading[0].value == 2 && reading[1].value == 2);
    assert_int_equal(weir_counters_read(counters, now + 3 * WEIR_SECOND, reading, 2), 1);
    assert_int_equal(stub.fetches, 3);
    assert_int_equal(stub.slots, 2); /* the first has grown too old */
    weir_counters_status(counters, &status);
    assert_int_equal(status.read, 6);
    assert_int_equal(status.near, 3);
    weir_counters_free(&counters);
}

static void a_missing_answer_is_not_remembered(void **state)
{
    (void)state;
    struct stub stub = {.value = 4096};
    struct weir_counters *counters = wrap(&stub, 2 * WEIR_SECOND);
    struct weir_reading reading = {.counter = {stub.silent, WEIR_SPAM_USER, 0}};
    assert_int_equal(weir_counters_read(counters, now, &reading, 1), 0);
    memset(&stub.silent, 0, sizeof stub.silent);
    assert_int_equal(weir_counters_read(counters, now, &reading, 1), 1);
    assert_true(reading.value == 2);
    weir_counters_free(&counters);
}

static void a_flush_makes_the_near_cache_forget(void **state)
{
    (void)state;
    struct stub stub = {.value = 4096};
    struct weir_counters *counters = wrap(&stub, 2 * WEIR_SECOND);
    struct weir_reading reading = {.counter = {random_entity(), WEIR_SPAM_USER, 0}};
    assert_int_equal(weir_counters_read(counters, now, &reading, 1), 1);
    assert_int_equal(weir_counters_add(counters, now, &reading.counter, 1), 0);
    assert_int_equal(weir_counters_read(counters, now, &reading, 1), 1);
    assert_int_equal(stub.fetches, 1);
    assert_int_equal(weir_counters_flush(counters, NULL), 0);
    assert_int_equal(weir_counters_read(counters, now, &reading, 1), 1);
    assert_int_equal(stub.fetches, 2);
    weir_counters_free(&counters);
}

static void lost_events_are_counted_and_gone(void **state)
{
    (void)state;
    struct stub stub = {.lose = 3};
    struct weir_counters *counters = wrap(&stub, 0);
    struct weir_counters_status status;
    struct weir_counter counter = {random_entity(), WEIR_SPAM_USER, 900};
    size_t lost = 99;
    assert_int_equal(weir_counters_flush(counters, &lost), 0);
    assert_int_equal(lost, 0);
    assert_int_equal(stub.applies, 0); /* there was nothing to store */
    for (int i = 0; i < 10; i++)
        assert_int_equal(weir_counters_add(counters, now, &counter, 1), 0);
    assert_int_equal(weir_counters_flush(counters, &lost), WEIR_EDOWN);
    assert_int_equal(lost, 3);
    stub.lose = 0;
    assert_int_equal(weir_counters_flush(counters, &lost), 0);
    assert_int_equal(stub.changes, 10);
    weir_counters_status(counters, &status);
    assert_int_equal(status.lost, 3);
    assert_int_equal(status.written, 7);
    weir_counters_free(&counters);
}

static void WEIR_EVENTS_MAX_events_wait_and_one_more_flushes(void **state)
{
    (void)state;
    struct stub stub = {.lose = WEIR_EVENTS_MAX};
    struct weir_counters *counters = wrap(&stub, 0);
    struct weir_counter counter = {random_entity(), WEIR_SPAM_USER, 900};
    for (int i = 0; i < WEIR_EVENTS_MAX; i++)
        assert_int_equal(weir_counters_add(counters, now, &counter, 1), 0);
    assert_int_equal(stub.applies, 0);
    assert_int_equal(weir_counters_add(counters, now, &counter, 1), WEIR_EDOWN);
    assert_int_equal(stub.applies, 1);
    stub.lose = 0;
    assert_int_equal(weir_counters_flush(counters, NULL), 0);
    assert_int_equal(stub.changes, WEIR_EVENTS_MAX + 1); /* the last one was noted */
    weir_counters_free(&counters);
}

static void closing_stores_what_was_noted(void **state)
{
    (void)state;
    struct stub stub = {.value = 0};
    struct weir_counters *counters = wrap(&stub, 0);
    struct weir_counter counter = {random_entity(), WEIR_SPAM_USER, 900};
    assert_int_equal(weir_counters_add(counters, now, &counter, 1), 0);
    weir_counters_tick(counters, now);
    assert_int_equal(stub.ticks, 1);
    weir_counters_free(&counters);
    assert_int_equal(stub.changes, 1);
    assert_int_equal(stub.frees, 1);
}

static void a_store_without_apply_takes_no_events(void **state)
{
    (void)state;
    struct stub stub = {.value = 0};
    struct weir_counter_store reader = stub_store;
    struct weir_counters *counters = NULL;
    struct weir_counter counter = {random_entity(), WEIR_SPAM_USER, 900};
    reader.apply = NULL;
    assert_int_equal(weir_counters_wrap(&reader, &stub, 0, 0, NULL, &counters), 0);
    assert_int_equal(weir_counters_add(counters, now, &counter, 1), WEIR_EINVAL);
    assert_int_equal(weir_counters_take_back(counters, now, &counter, 1), WEIR_EINVAL);
    assert_int_equal(weir_counters_flush(counters, NULL), WEIR_EINVAL);
    weir_counters_free(&counters);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_read_asks_the_store_once),
        cmocka_unit_test(the_first_epoch_of_all_has_none_before),
        cmocka_unit_test(what_the_store_does_not_answer_is_zero_and_missing),
        cmocka_unit_test(a_read_of_WEIR_READINGS_MAX_is_answered_and_one_more_refused),
        cmocka_unit_test(any_number_of_half_lives_can_be_mixed),
        cmocka_unit_test(what_was_read_a_moment_ago_is_not_asked_for_again),
        cmocka_unit_test(a_missing_answer_is_not_remembered),
        cmocka_unit_test(a_flush_makes_the_near_cache_forget),
        cmocka_unit_test(lost_events_are_counted_and_gone),
        cmocka_unit_test(WEIR_EVENTS_MAX_events_wait_and_one_more_flushes),
        cmocka_unit_test(closing_stores_what_was_noted),
        cmocka_unit_test(a_store_without_apply_takes_no_events),
    };
    seed_random();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
