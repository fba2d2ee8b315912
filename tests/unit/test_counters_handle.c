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
#include "core/store/counter_record.h"
#include "core/store/counters_impl.h"
#include "tests/unit/counter_stores.h"

static const weir_time now = INT64_C(1795286015) * WEIR_SECOND;

struct stub {
    /* what it is to do */
    uint64_t value;
    struct weir_entity silent; /* it does not answer for this entity */
    size_t lose;
    weir_time *hand;           /* of a clock: it takes 300 us to read, 7 to write; NULL: no time */
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
    if (stub->hand)
        *stub->hand += 300;
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
    if (stub->hand)
        *stub->hand += 7;
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

static const struct weir_counter_store stub_store = {
    .name = "stub",
    .fetch = stub_fetch,
    .apply = stub_apply,
    .tick = stub_tick,
    .status = stub_status,
    .free = stub_free,
};

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

/* Only what the store did: not what the near cache answers, and nothing is flushed for nothing. */
static void what_the_store_takes_is_measured(void **state)
{
    (void)state;
    weir_time hand = 0;
    struct stub stub = {.value = 4096, .hand = &hand};
    struct weir_counters *counters = wrap(&stub, 2 * WEIR_SECOND);
    struct weir_clock clock = weir_clock_fixed(&hand);
    struct weir_histogram reads = {0}, writes = {0};
    struct weir_reading reading = {.counter = {random_entity(), WEIR_SPAM_USER, 0}};
    assert_true(weir_counters_measure(counters, &clock, &reads, &writes));
    assert_false(weir_counters_measure(counters, &clock, &reads, &writes));
    for (int i = 0; i < 3; i++)
        assert_int_equal(weir_counters_read(counters, now, &reading, 1), 1);
    assert_int_equal(weir_counters_flush(counters, NULL), 0);
    assert_int_equal(weir_counters_add(counters, now, &reading.counter, 1), 0);
    assert_int_equal(weir_counters_flush(counters, NULL), 0);
    assert_int_equal(reads.bucket[5], 1);
    assert_int_equal(reads.sum, 300);
    assert_int_equal(writes.bucket[0], 1);
    assert_int_equal(writes.sum, 7);
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

/* From the near cache come the numbers that the store would give, bit for bit: they fade, and
 * when an epoch ends or the one before no longer counts, the store is asked again. */
static void near_values_are_the_stores_at_any_time(void **state)
{
    (void)state;
    struct stub stub = {.value = 123457};
    struct weir_counters *near = wrap(&stub, 20 * WEIR_HOUR);
    struct weir_counters *far = wrap(&stub, 0);
    struct weir_counters_status status;
    struct weir_entity entity = random_entity();
    for (double half_lives = 10; half_lives < 30; half_lives += 0.01) {
        struct weir_reading reading[2][3];
        for (size_t i = 0; i < 3; i++)
            reading[0][i].counter =
                (struct weir_counter){entity, WEIR_SPAM_USER, i == 2 ? 0 : 3600 << i};
        memcpy(reading[1], reading[0], sizeof reading[0]);
        assert_int_equal(weir_counters_read(near, phase(half_lives), reading[0], 3), 1);
        assert_int_equal(weir_counters_read(far, phase(half_lives), reading[1], 3), 1);
        for (size_t i = 0; i < 3; i++)
            assert_true(reading[0][i].value == reading[1][i].value);
    }
    weir_counters_status(near, &status);
    assert_true(status.near > status.read * 9 / 10 && status.near < status.read);
    weir_counters_free(&near);
    weir_counters_free(&far);
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

/* A store that finds entities. --------------------------------------------- */

struct finder {
    struct weir_entity known; /* the only one there */
    struct weir_counter_record record;
    uint8_t packed[WEIR_COUNTER_RECORD_MAX];
    size_t len;
    uint64_t generation;
    int begins, finds_fail; /* what begin gives; what find gives */
    unsigned begun, ended, finds, damages;
    size_t entities;
};

static int finder_begin(void *self, uint64_t *generation_r)
{
    struct finder *finder = self;
    finder->begun += finder->begins > 0;
    *generation_r = finder->generation;
    return finder->begins;
}

static int finder_find(void *self, struct weir_counter_find *find, size_t n)
{
    struct finder *finder = self;
    assert_in_range(n, 1, WEIR_COUNTER_FINDS);
    finder->finds++;
    finder->entities += n;
    finder->len = weir_counter_record_write(&finder->known, &finder->record, finder->packed);
    for (size_t i = 0; i < n; i++) {
        bool known = memcmp(find[i].entity, &finder->known, sizeof finder->known) == 0;
        find[i].record = known ? finder->packed : NULL;
        find[i].len = finder->len;
    }
    return finder->finds_fail;
}

static void finder_damaged(void *self)
{
    ((struct finder *)self)->damages++;
}

static void finder_end(void *self)
{
    ((struct finder *)self)->ended++;
}

static void finder_free(void *self)
{
    struct finder *finder = self;
    assert_int_equal(finder->begun, finder->ended);
}

static struct weir_counters *wrap_finder(struct finder *finder, weir_time near)
{
    static const struct weir_counter_store store = {
        .name = "finder",
        .tick = stub_tick,
        .status = stub_status,
        .free = finder_free,
        .begin = finder_begin,
        .find = finder_find,
        .damaged = finder_damaged,
        .end = finder_end,
    };
    struct weir_counters *counters = NULL;
    finder->known = random_entity();
    finder->begins = 1;
    assert_int_equal(weir_counters_wrap(&store, finder, near, 100, NULL, &counters), 0);
    return counters;
}

/* Numbers of this epoch, the one before, an older and a newer one, and of others' counters. */
static void an_entity_gives_its_two_epochs_to_the_readings_that_ask(void **state)
{
    (void)state;
    struct finder finder = {.begins = 1};
    struct weir_counters *counters = wrap_finder(&finder, 0);
    weir_time t = phase(2);
    uint32_t epoch = weir_decay_epoch(t, 3600);
    struct weir_counter_item item[] = {
        {WEIR_SPAM_USER, 3600, epoch - 2, 1 << 30}, {WEIR_SPAM_USER, 3600, epoch - 1, 65536 * 4096},
        {WEIR_SPAM_USER, 3600, epoch + 1, 1 << 30}, {WEIR_GOOD_USER, 3600, epoch, 1 << 30},
        {WEIR_SPAM_USER, 7200, epoch, 1 << 30},     {WEIR_SPAM_USER, 3600, epoch, 4096 * 7},
        {77, 3600, epoch, 1 << 30},
    };
    finder.record.n = sizeof item / sizeof item[0];
    memcpy(finder.record.item, item, sizeof item);
    struct weir_reading reading[4] = {
        {.counter = {random_entity(), WEIR_SPAM_USER, 3600}, .value = 5, .missing = true},
        {.counter = {finder.known, WEIR_SPAM_COMPUTER, 3600}, .value = 5, .missing = true},
        {.counter = {finder.known, WEIR_SPAM_USER, 3600}, .value = 5, .missing = true},
        {.counter = {finder.known, WEIR_SPAM_USER, 3600}, .value = 5, .missing = true},
    };
    assert_int_equal(weir_counters_read(counters, t, reading, 4), 1);
    for (size_t i = 0; i < 4; i++) {
        assert_false(reading[i].missing);
        assert_true(reading[i].value == (i < 2 ? 0 : 2)); /* 8 two half-lives ago */
    }
    assert_int_equal(finder.entities, 2);
    assert_int_equal(weir_counters_read(counters, phase(14), reading, 4), 1);
    assert_true(reading[2].value == 7.0 / 16384); /* no looking back */
    weir_counters_free(&counters);
}

static void many_entities_are_found_in_pieces(void **state)
{
    enum { N = 5 * WEIR_COUNTER_FINDS + 3 };
    (void)state;
    struct finder finder = {.begins = 1};
    struct weir_counters *counters = wrap_finder(&finder, 0);
    struct weir_reading reading[2 * N];
    finder.record = (struct weir_counter_record){
        .n = 1, .item = {{WEIR_SPAM_USER, 0, weir_decay_epoch(now, 0), 4096}}};
    for (size_t i = 0; i < 2 * N; i++) {
        struct weir_entity entity = i / 2 == N - 2 ? finder.known : random_entity();
        reading[i].counter = (struct weir_counter){
            i % 2 ? reading[i - 1].counter.entity : entity, (enum weir_variable)(i % 2), 0};
    }
    assert_int_equal(weir_counters_read(counters, now, reading, 2 * N), 1);
    for (size_t i = 0; i < 2 * N; i++)
        assert_true(!reading[i].missing && reading[i].value == (i == 2 * (N - 2)));
    assert_int_equal(finder.finds, 6);
    assert_int_equal(finder.entities, N);
    weir_counters_free(&counters);
}

static void a_new_generation_is_seen_at_once(void **state)
{
    (void)state;
    struct finder finder = {.begins = 1};
    struct weir_counters *counters = wrap_finder(&finder, WEIR_DAY);
    struct weir_reading reading = {.counter = {finder.known, WEIR_SPAM_USER, 0}};
    for (uint64_t i = 1; i < 10; i++) {
        finder.generation = i % 3;
        finder.record = (struct weir_counter_record){
            .n = 1, .item = {{WEIR_SPAM_USER, 0, weir_decay_epoch(now, 0), 4096 * i}}};
        for (int again = 0; again < 3; again++) {
            assert_int_equal(weir_counters_read(counters, now, &reading, 1), 1);
            assert_true(reading.value == (double)i);
        }
        assert_int_equal(finder.finds, i);
    }
    weir_counters_free(&counters);
}

static void an_empty_a_failing_and_a_damaged_store_are_told_apart(void **state)
{
    (void)state;
    struct finder finder = {.begins = 1};
    struct weir_counters *counters = wrap_finder(&finder, WEIR_DAY);
    struct weir_reading reading = {.counter = {finder.known, WEIR_SPAM_USER, 0}, .value = 9};
    finder.begins = 0;
    assert_int_equal(weir_counters_read(counters, now, &reading, 1), 1);
    assert_true(!reading.missing && reading.value == 0 && finder.finds == 0);
    finder.begins = WEIR_EIO;
    reading.value = 9;
    assert_int_equal(weir_counters_read(counters, now, &reading, 1), 0);
    assert_true(reading.missing && reading.value == 0 && finder.finds == 0);
    finder.begins = 1;
    finder.finds_fail = WEIR_EIO;
    assert_int_equal(weir_counters_read(counters, now, &reading, 1), 0);
    assert_true(reading.missing && reading.value == 0 && finder.finds == 1);
    finder.finds_fail = 0;
    finder.record = (struct weir_counter_record){
        .n = 1, .item = {{WEIR_SPAM_USER, 0, 1, WEIR_COUNTER_MAX + 1}}};
    assert_int_equal(weir_counters_read(counters, now, &reading, 1), 1);
    assert_true(!reading.missing && reading.value == 0 && finder.damages == 1);
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
        cmocka_unit_test(what_the_store_takes_is_measured),
        cmocka_unit_test(a_missing_answer_is_not_remembered),
        cmocka_unit_test(a_flush_makes_the_near_cache_forget),
        cmocka_unit_test(near_values_are_the_stores_at_any_time),
        cmocka_unit_test(lost_events_are_counted_and_gone),
        cmocka_unit_test(WEIR_EVENTS_MAX_events_wait_and_one_more_flushes),
        cmocka_unit_test(closing_stores_what_was_noted),
        cmocka_unit_test(a_store_without_apply_takes_no_events),
        cmocka_unit_test(an_entity_gives_its_two_epochs_to_the_readings_that_ask),
        cmocka_unit_test(many_entities_are_found_in_pieces),
        cmocka_unit_test(a_new_generation_is_seen_at_once),
        cmocka_unit_test(an_empty_a_failing_and_a_damaged_store_are_told_apart),
    };
    seed_random();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
