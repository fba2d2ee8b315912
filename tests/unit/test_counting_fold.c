/*
 * Decisions on their way into the counters of reputation (monitor/analyzer/counting_fold_io.c and
 * counting_ledger_io.c): much is folded a piece at a time, each counts once, also when it is killed
 * between two pieces; and what waits is bounded, and nothing of it lost.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/engine/stores_io.h"
#include "core/store/spool_line.h"
#include "monitor/analyzer/counting_io.h"
#include "monitor/database/database_counters_io.h"
#include "tests/unit/database_rig.h"

#define NOW DATABASE_NOW
#define BATCH 1000
#define FRONT "at=2026-11-20T10:00:00Z program=weir-milter queue_id=4XYZ12345 listener=25 hops=" \
    "203.0.113.9 name=mx.example.net dkim=- recipients=1 verdict=ok score=1.00 action=pass " \
    "boundary=203.0.113.9 hop=0:connect domain=d.example sender=<a@d.example> " \
    "recipient=<u@test.example> info="
#define LINE (WEIR_INFO_TEXT_MAX + sizeof FRONT)
#define MOST 1000000

static const struct weir_info_keys keys = {.key = {{.id = 7, .octet = {1, 2, 3}}}, .keys = 1};

struct world {
    struct database_rig *rig;
    struct weir_counting *counting;
    char key[300];
    uint64_t uid, position, events; /* events: that may wait */
};

static void open_counting(struct world *world)
{
    struct weir_counting_options options = {
        .database = world->rig->database,
        .keys = keys,
        .hits = weir_hits_defaults(5, 3),
        .counters = {.reputation = weir_reputation_defaults(), .key_file = world->key,
                     .most = MOST, .events = world->events},
    };

    weir_counting_free(&world->counting);
    assert_int_equal(weir_counting_open(&options, &world->counting), 0);
}

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    struct weir_hash_key key;
    void *rig;

    if (!world || database_setup(&rig) != 0)
        return -1;
    world->rig = rig;
    snprintf(world->key, sizeof world->key, "%s",
             scratch_path(world->rig->scratch, "counters.key"));
    assert_int_equal(weir_key_file(world->key, &key), 0);
    open_counting(world);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    void *rig = world->rig;

    weir_counting_free(&world->counting);
    free(world);
    return database_teardown(&rig);
}

/* A good message of one of so many senders. */
static struct weir_slice make(struct world *world, uint64_t senders, char text_r[static LINE])
{
    struct weir_info info = {.server = 3, .at = NOW, .binding = 42, .has_boundary = true,
                             .uid = ++world->uid, .serial = 5,
                             .counted = {.computer = WEIR_SAID_GOOD}};
    uint64_t sender = world->uid % senders;
    char string[WEIR_INFO_TEXT_MAX + 1];

    info.boundary = database_address((unsigned)sender);
    snprintf(info.domain, sizeof info.domain, "d%llu.example", (unsigned long long)sender);
    assert_true(weir_info_make(&info, NULL, 0, &keys, true, string) >= 0);
    return (struct weir_slice){text_r, (size_t)snprintf(text_r, LINE, FRONT "%.3s%s", string,
                                                          string + 4)};
}

/* Takes so many, if they fit. */
static bool take(struct world *world, size_t count, uint64_t senders)
{
    static char text[BATCH][LINE];
    struct weir_slice line[BATCH];
    struct weir_counting_batch *batch;
    bool fits;

    assert_true(count <= BATCH);
    for (size_t i = 0; i < count; i++)
        line[i] = make(world, senders, text[i]);
    assert_int_equal(weir_counting_read(world->counting, 3, line, count, &batch), 0);
    fits = weir_counting_fits(world->counting, batch);
    if (fits)
        weir_counting_take(world->counting, batch, ++world->position, NOW);
    weir_counting_batch_free(&batch);
    return fits;
}

static void take_many(struct world *world, size_t count, uint64_t senders)
{
    for (size_t i = 0; i < count; i += BATCH) {
        assert_true(take(world, BATCH, senders));
        if (i / BATCH % 10 == 9)
            assert_int_equal(weir_counting_store(world->counting, NOW), 0);
    }
    assert_int_equal(weir_counting_store(world->counting, NOW), 0);
}

static struct weir_database_counters_state counters(struct world *world)
{
    struct weir_database_counters_state counts;

    database_must(world->rig, weir_database_counters_state(world->rig->database, &counts), 0);
    assert_int_equal(counts.records, database_number(world->rig, "SELECT count(*) FROM counters"));
    assert_int_equal(counts.waiting, database_number(world->rig, "SELECT coalesce(sum(count), 0) "
                                                     "FROM counter_events"));
    return counts;
}

/* Folds to the end; how many calls it took. */
static unsigned fold(struct world *world)
{
    unsigned calls = 1;
    int more;

    while ((more = weir_counting_fold(world->counting, NOW)) == 1)
        calls++;
    database_must(world->rig, more, 0);
    assert_int_equal(counters(world).waiting, 0);
    return calls;
}

static int sum_record(void *context, const struct weir_entity *entity,
                      const struct weir_counter_record *record)
{
    uint64_t *sum = context;

    for (size_t i = 0; i < record->n; i++)
        *sum = *sum * 31 + record->item[i].number + record->item[i].epoch + entity->id[3];
    return 0;
}

/* All numbers of all records, and which is whose, as one. */
static uint64_t sum(struct world *world)
{
    uint64_t all = 0;

    assert_true(weir_database_counters(world->rig->database, NULL, MOST, sum_record, &all) > 0);
    return all;
}

static void forget(struct world *world)
{
    database_must(world->rig, weir_database_counters_forget(world->rig->database), 0);
    open_counting(world);
}

#define MANY 10000 /* senders, one message each: more entities than are written at once */

static void much_is_written_a_piece_at_a_time_and_little_at_once(void **state)
{
    struct world *world = *state;

    take_many(world, BATCH, BATCH);
    assert_int_equal(fold(world), 1);
    take_many(world, MANY, MANY);
    assert_true(fold(world) > 2);
}

static void C17_each_decision_counts_once_wherever_a_fold_is_killed(void **state)
{
    struct world *world = *state;
    uint64_t whole, first = world->uid;
    unsigned calls;

    take_many(world, MANY, MANY);
    calls = fold(world);
    whole = sum(world);
    assert_true(calls > 2);
    for (unsigned kill = 1; kill < calls; kill++) {
        forget(world);
        world->uid = first + MOST * kill; /* of the same senders */
        world->uid -= world->uid % MANY;
        take_many(world, MANY, MANY);
        for (unsigned i = 0; i < kill; i++)
            assert_int_equal(weir_counting_fold(world->counting, NOW), 1);
        open_counting(world); /* what was in memory is gone */
        take_many(world, 0, MANY);
        (void)fold(world);
        assert_true(sum(world) == whole);
    }
}

static void what_comes_while_a_fold_is_on_its_way_counts_behind_it(void **state)
{
    struct world *world = *state;
    uint64_t whole;

    take_many(world, MANY, MANY);
    take_many(world, MANY, MANY);
    (void)fold(world);
    whole = sum(world);
    forget(world);
    take_many(world, MANY, MANY);
    assert_int_equal(weir_counting_fold(world->counting, NOW), 1);
    take_many(world, MANY, MANY);
    assert_int_equal(weir_counting_fold(world->counting, NOW), 1);
    open_counting(world);
    (void)fold(world);
    assert_true(sum(world) == whole);
}

static void many_decisions_of_few_senders_are_gathered_first_and_written_once(void **state)
{
    struct world *world = *state;

    take_many(world, 60000, 10);
    assert_int_equal(weir_counting_fold(world->counting, NOW), 1);
    assert_int_equal(counters(world).records, 0);
    assert_int_equal(weir_counting_fold(world->counting, NOW), 0);
    assert_int_equal(counters(world).waiting, 0);
    assert_true(counters(world).records > 10);
}

/* The bound. ------------------------------------------------------------------ */

static void limit_of_events_that_wait_and_one_past_it(void **state)
{
    struct world *world = *state;
    struct weir_counting_counts counts;

    world->events = 500;
    open_counting(world);
    assert_true(take(world, 400, 50));
    assert_int_equal(weir_counting_store(world->counting, NOW), 0);
    assert_true(take(world, 100, 50));
    assert_int_equal(weir_counting_store(world->counting, NOW), 0); /* just as many as may */
    assert_int_equal(counters(world).waiting, 500);
    assert_int_equal(weir_counting_counts(world->counting).hurried, 0);
    assert_true(take(world, 1, 50));
    assert_int_equal(weir_counting_store(world->counting, NOW), 1); /* folded, and not stored */
    assert_int_equal(counters(world).waiting, 0);
    assert_int_equal(weir_counting_store(world->counting, NOW), 0);
    assert_int_equal(counters(world).waiting, 1);
    counts = weir_counting_counts(world->counting);
    assert_int_equal(counts.hurried, 1);
    assert_int_equal(counts.untallied, 0);
}

static void limit_of_events_in_memory_and_one_past_it(void **state)
{
    struct world *world = *state;

    world->events = 500;
    open_counting(world);
    assert_true(take(world, 501, 50)); /* where nothing waits everything fits */
    assert_false(take(world, 1, 50));
    assert_int_equal(weir_counting_store(world->counting, NOW), 0);
    assert_true(take(world, 499, 50));
    assert_true(take(world, 1, 50));
    assert_false(take(world, 1, 50));
    assert_int_equal(weir_counting_store(world->counting, NOW), 1);
    assert_int_equal(weir_counting_store(world->counting, NOW), 0);
    assert_true(take(world, 1, 50));
    assert_int_equal(weir_counting_counts(world->counting).untallied, 0);
}

static void at_the_bound_nothing_is_lost_while_counters_cannot_be_written(void **state)
{
    struct world *world = *state;
    uint64_t whole;

    take_many(world, 2 * BATCH, 50);
    (void)fold(world);
    whole = sum(world);
    world->events = BATCH;
    world->uid = MOST * 50;
    forget(world);
    database_must(world->rig, weir_database_run(world->rig->database, "CREATE TRIGGER full BEFORE "
                  "INSERT ON counters BEGIN SELECT RAISE(ABORT, 'it is full'); END"), 0);
    assert_true(take(world, BATCH, 50));
    assert_int_equal(weir_counting_store(world->counting, NOW), 0);
    assert_true(take(world, BATCH, 50));
    for (int i = 0; i < 5; i++) {
        assert_true(weir_counting_store(world->counting, NOW) < 0);
        assert_false(take(world, 1, 50));
    }
    assert_int_equal(counters(world).waiting, BATCH);
    database_must(world->rig, weir_database_run(world->rig->database, "DROP TRIGGER full"), 0);
    while (weir_counting_store(world->counting, NOW) == 1)
        continue;
    (void)fold(world);
    assert_true(sum(world) == whole);
    assert_int_equal(weir_counting_counts(world->counting).hurried, 1);
}

static void a_number_of_events_that_is_wrong_is_put_right(void **state)
{
    struct world *world = *state;
    struct weir_database_counters_state counts;

    take_many(world, BATCH, 50);
    database_must(world->rig, weir_database_run(world->rig->database, "DELETE FROM counter_events"),
                  0);
    (void)fold(world);
    database_must(world->rig, weir_database_counters_state(world->rig->database, &counts), 0);
    assert_int_equal(counts.waiting, 0);
}

/* Records. ---------------------------------------------------------------------- */

static struct weir_ledger_change a_change(uint32_t number)
{
    struct weir_ledger_change change = {.counter = {.variable = WEIR_VARIABLES - 1,
                                                    .half_life = 86400},
                                        .epoch = weir_decay_epoch(NOW, 86400), .amount = 1000000};

    memcpy(change.counter.entity.id, &number, sizeof number);
    change.counter.entity.id[12] = 1;
    return change;
}

static void limit_of_records_of_the_last_minutes_and_one_past_it(void **state)
{
    enum { KEEP = 800, HARD = KEEP + KEEP / 8 };
    struct world *world = *state;
    struct weir_ledger_change change[HARD + 1];

    for (uint32_t i = 0; i <= HARD; i++)
        change[i] = a_change(i << 16);
    database_must(world->rig, weir_database_counters_add(world->rig->database, change, HARD, NOW,
                                                         KEEP), 0);
    assert_int_equal(counters(world).records, HARD);
    assert_int_equal(counters(world).evicted, 0);
    database_must(world->rig, weir_database_counters_add(world->rig->database, change + HARD, 1,
                                                         NOW + WEIR_SECOND, KEEP), 0);
    assert_int_equal(counters(world).records, HARD);
    assert_int_equal(counters(world).evicted, 1);
    /* later all that is too much may go */
    database_must(world->rig, weir_database_counters_add(world->rig->database, change + HARD, 1,
                                                         NOW + WEIR_HOUR, KEEP), 0);
    assert_int_equal(counters(world).records, KEEP);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(much_is_written_a_piece_at_a_time_and_little_at_once),
        TEST(C17_each_decision_counts_once_wherever_a_fold_is_killed),
        TEST(what_comes_while_a_fold_is_on_its_way_counts_behind_it),
        TEST(many_decisions_of_few_senders_are_gathered_first_and_written_once),
        TEST(limit_of_events_that_wait_and_one_past_it),
        TEST(limit_of_events_in_memory_and_one_past_it),
        TEST(at_the_bound_nothing_is_lost_while_counters_cannot_be_written),
        TEST(a_number_of_events_that_is_wrong_is_put_right),
        TEST(limit_of_records_of_the_last_minutes_and_one_past_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
