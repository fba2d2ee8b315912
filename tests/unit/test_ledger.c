/*
 * ledger - the monitor's counters of reputation (ledger.c, ledger_event.c, database_counters_io.c)
 * have the numbers that a server's store has: of messages and votes in any order, to the last bit.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "monitor/analyzer/ledger_event.h"
#include "monitor/database/database_counters_io.h"
#include "tests/unit/database_rig.h"
#include "tests/unit/seeded.h"

#define NOW DATABASE_NOW
#define MESSAGES 400
#define MOST 1000000

static const struct weir_hash_key key = {{7, 7}};

struct world {
    struct database_rig *rig;
    struct weir_reputation_settings settings;
    struct weir_counters *store;  /* as a server's */
    struct weir_ledger *ledger;
    struct weir_info info[MESSAGES];
    enum weir_said said[MESSAGES];
};

static struct weir_counters *open_store(struct database_rig *rig, const char *name)
{
    char path[256];
    struct weir_counters_local_options options = {
        .path = path, .bytes_most = 64 << 20, .scratch = true, .mode = 0600};
    static const struct weir_log log;
    struct weir_counters *counters = NULL;
    const char *why;

    snprintf(path, sizeof path, "%s", scratch_path(rig->scratch, name));
    assert_int_equal(weir_counters_open_local(&options, &log, &counters, &why), 0);
    return counters;
}

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    void *rig;

    if (!world || database_setup(&rig) != 0)
        return -1;
    world->rig = rig;
    world->settings = weir_reputation_defaults();
    world->store = open_store(world->rig, "server.db");
    assert_int_equal(weir_ledger_new(&world->settings, &key, &world->ledger), 0);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    void *rig = world->rig;

    weir_counters_free(&world->store);
    weir_ledger_free(&world->ledger);
    free(world);
    return database_teardown(&rig);
}

/* What a server's program, and then its agent, does with its own store. */
static void serve(struct world *world, const struct weir_info *info, enum weir_said people,
                  bool back)
{
    const struct weir_reputation_query query = {.address = info->boundary,
                                                .domain = info->domain};
    struct weir_addition addition[WEIR_REPUTATION_ADDITIONS];
    size_t n = weir_reputation_message(&world->settings, &key, &query, &info->counted, people,
                                       addition);

    assert_true(n <= WEIR_REPUTATION_ADDITIONS);
    for (size_t i = 0; i < n; i++)
        assert_int_equal((back ? weir_counters_take_back : weir_counters_add)(
                             world->store, info->at, &addition[i].counter, 1), 0);
}

static void make(struct seeded *s, struct weir_info *info)
{
    *info = (struct weir_info){.at = NOW - (weir_time)seeded_below(s, 40 * 86400) * WEIR_SECOND,
                               .uid = seeded_next(s), .has_boundary = true};
    info->boundary = database_address(seeded_below(s, 600));
    if (seeded_below(s, 8) > 0)
        snprintf(info->domain, sizeof info->domain, "d%u.example", seeded_below(s, 9));
    info->counted.computer = (enum weir_said)seeded_below(s, 4);
    info->counted.stranger = seeded_below(s, 2);
    info->counted.new_group = seeded_below(s, 2);
}

static void keep(struct world *world, struct weir_ledger *ledger)
{
    size_t changes;
    const struct weir_ledger_change *change = weir_ledger_changes(ledger, &changes);

    database_must(world->rig, weir_database_counters_add(world->rig->database, change, changes,
                                                         NOW, MOST), 0);
    weir_ledger_clear(ledger);
}

/* Messages, and votes about some of them, many of which change their minds. */
static void live(struct world *world, struct seeded *s)
{
    for (size_t i = 0; i < MESSAGES; i++) {
        make(s, &world->info[i]);
        if (world->info[i].counted.computer != WEIR_SAID_NOTHING)
            serve(world, &world->info[i], WEIR_SAID_NOTHING, false);
        assert_int_equal(weir_ledger_take(world->ledger, &world->info[i], NOW), 0);
    }
    keep(world, world->ledger);
    for (size_t i = 0; i < 2 * MESSAGES; i++) {
        size_t n = seeded_below(s, MESSAGES);
        enum weir_said is = (enum weir_said)seeded_below(s, 3), was = world->said[n];

        if (is == was || world->info[n].counted.computer == WEIR_SAID_NOTHING)
            continue;
        serve(world, &world->info[n], was, true);
        serve(world, &world->info[n], is, false);
        assert_int_equal(weir_ledger_move(world->ledger, &world->info[n], was, is, NOW), 0);
        world->said[n] = is;
        if (i % 50 == 0)
            keep(world, world->ledger);
    }
    keep(world, world->ledger);
    assert_int_equal(weir_counters_flush(world->store, NULL), 0);
}

struct copy {
    struct weir_counters *to;
    bool really;
    struct weir_counters_raised sum;
};

static int copy_record(void *context, const struct weir_entity *entity,
                       const struct weir_counter_record *record)
{
    struct weir_counter_number number[WEIR_COUNTER_ITEMS_MAX];
    struct weir_counters_raised one;
    struct copy *copy = context;

    for (size_t i = 0; i < record->n; i++)
        number[i] = (struct weir_counter_number){
            {*entity, (enum weir_variable)record->item[i].variable, record->item[i].half_life},
            record->item[i].epoch, record->item[i].number};
    assert_int_equal(weir_counters_raise(copy->to, NOW, number, record->n, copy->really, &one), 0);
    copy->sum.raised += one.raised;
    copy->sum.kept += one.kept;
    copy->sum.faded += one.faded;
    return 0;
}

/* How many numbers of the database a store lacks; with really it has them then. */
static size_t lacks(struct world *world, struct weir_counters *store, bool really)
{
    struct copy copy = {store, really, {.raised = 0}};

    assert_true(weir_database_counters(world->rig->database, NULL, MOST, copy_record, &copy) > 100);
    assert_int_equal(copy.sum.faded, 0);
    return copy.sum.raised;
}

static void assert_same(struct world *world, struct weir_counters *a, struct weir_counters *b)
{
    for (size_t i = 0; i < MESSAGES; i++) {
        const struct weir_reputation_query query = {
            .address = world->info[i].boundary, .domain = world->info[i].domain,
            .with_rates = true};
        struct weir_reading one[WEIR_REPUTATION_READINGS], other[WEIR_REPUTATION_READINGS];
        size_t n = weir_reputation_plan(&world->settings, &key, &query, one);

        memcpy(other, one, sizeof one);
        assert_int_equal(weir_counters_read(a, NOW, one, n), 1);
        assert_int_equal(weir_counters_read(b, NOW, other, n), 1);
        for (size_t k = 0; k < n; k++)
            assert_true(one[k].value == other[k].value);
    }
}

static void C17_a_store_filled_from_the_database_has_the_very_numbers_of_the_servers(void **state)
{
    struct world *world = *state;
    struct seeded s = seeded_new("C17_a_store_filled_from_the_database");
    struct weir_counters *fresh;

    live(world, &s);
    assert_int_equal(lacks(world, world->store, false), 0);
    fresh = open_store(world->rig, "fresh.db");
    assert_true(lacks(world, fresh, false) > 100);
    assert_true(lacks(world, fresh, true) > 100);
    assert_same(world, world->store, fresh);
    assert_int_equal(lacks(world, fresh, true), 0);
    weir_counters_free(&fresh);
}

static void C22_what_is_moved_to_and_fro_leaves_nothing(void **state)
{
    struct world *world = *state;
    struct seeded s = seeded_new("C22_what_is_moved_to_and_fro");
    size_t changes;

    for (int i = 0; i < 200; i++) {
        struct weir_info info;

        make(&s, &info);
        for (int from = 0; from < 3; from++)
            for (int to = 0; to < 3; to++) {
                assert_int_equal(weir_ledger_move(world->ledger, &info, (enum weir_said)from,
                                                 (enum weir_said)to, NOW), 0);
                assert_int_equal(weir_ledger_move(world->ledger, &info, (enum weir_said)to,
                                                 (enum weir_said)from, NOW), 0);
            }
    }
    const struct weir_ledger_change *change = weir_ledger_changes(world->ledger, &changes);
    assert_true(changes > 100);
    for (size_t i = 0; i < changes; i++)
        assert_int_equal(change[i].amount, 0);
}

static void events_that_are_packed_mean_what_they_meant(void **state)
{
    struct world *world = *state;
    struct seeded s = seeded_new("events_that_are_packed");
    struct weir_ledger_pack pack = {.len = 0};
    struct weir_ledger *other;
    size_t changes, others, events, sum = 0;

    assert_int_equal(weir_ledger_new(&world->settings, &key, &other), 0);
    for (int i = 0; i < 3 * WEIR_LEDGER_PIECE; i++) {
        struct weir_info info;
        enum weir_said from = (enum weir_said)seeded_below(&s, 3);
        enum weir_said to = (enum weir_said)seeded_below(&s, 3);
        const struct weir_ledger_event event = {&info, from, to};

        make(&s, &info);
        if (seeded_below(&s, 10) == 0)
            info.at = NOW + WEIR_DAY;
        assert_int_equal(weir_ledger_pack_add(&pack, &event, NOW), 0);
        assert_int_equal(from == to ? weir_ledger_take(world->ledger, &info, NOW)
                                    : weir_ledger_move(world->ledger, &info, from, to, NOW), 0);
    }
    for (size_t i = 0; i < pack.cuts; i++) {
        struct weir_slice piece = weir_ledger_pack_piece(&pack, i, &events);

        assert_int_equal(weir_ledger_events(other, piece.at, piece.len, NOW), (int)events);
        sum += events;
    }
    assert_int_equal(sum, pack.events);
    const struct weir_ledger_change *one = weir_ledger_changes(world->ledger, &changes);
    const struct weir_ledger_change *two = weir_ledger_changes(other, &others);
    double all = 0, again = 0;
    assert_int_equal(changes, others);
    for (size_t i = 0; i < changes; i++) {
        assert_memory_equal(&one[i].counter.entity, &two[i].counter.entity, 16);
        all += (double)one[i].amount;
        again += (double)two[i].amount;
    }
    assert_true(all == again);
    weir_ledger_pack_free(&pack);
    weir_ledger_free(&other);
}

static void events_that_are_damaged_end_there(void **state)
{
    struct world *world = *state;
    struct seeded s = seeded_new("events_that_are_damaged");
    uint8_t octet[WEIR_LEDGER_EVENT_MAX];
    struct weir_info info;
    size_t len;

    make(&s, &info);
    info.counted.computer = WEIR_SAID_SPAM;
    len = weir_ledger_event_write(&(struct weir_ledger_event){.info = &info}, NOW, octet);
    assert_true(len > 20);
    for (size_t cut = 1; cut < len; cut++)
        assert_int_equal(weir_ledger_events(world->ledger, octet, cut, NOW), WEIR_ECORRUPT);
    octet[4] = 99; /* no kind */
    assert_int_equal(weir_ledger_events(world->ledger, octet, len, NOW), WEIR_ECORRUPT);
    assert_int_equal(weir_ledger_events(world->ledger, octet, 0, NOW), 0);
}

static void records_beyond_the_most_go_oldest_first_and_are_counted(void **state)
{
    struct world *world = *state;
    struct seeded s = seeded_new("records_beyond_the_most");
    struct weir_database *database = world->rig->database;
    struct weir_database_counters_state counts;
    const struct weir_ledger_change *change;
    size_t changes;

    for (int old = 1; old >= 0; old--) {
        for (int i = 0; i < 100; i++) {
            struct weir_info info;

            make(&s, &info);
            info.boundary = database_address((unsigned)(1000 + 300 * i + old));
            info.counted.computer = WEIR_SAID_SPAM;
            assert_int_equal(weir_ledger_take(world->ledger, &info, NOW), 0);
        }
        change = weir_ledger_changes(world->ledger, &changes);
        database_must(world->rig, weir_database_counters_add(database, change, changes,
                                                             NOW - old * WEIR_DAY, 300), 0);
        weir_ledger_clear(world->ledger);
    }
    assert_int_equal(weir_database_counters_state(database, &counts), 0);
    assert_true(counts.evicted > 0);
    assert_int_equal(counts.records, database_number(world->rig, "SELECT count(*) FROM counters"));
    int64_t fresh = database_number(world->rig, "SELECT count(*) FROM counters WHERE updated >= "
                                    "(SELECT max(updated) FROM counters)");
    assert_int_equal(counts.records, fresh > 300 ? fresh : 300); /* of these none goes */
    database_must(world->rig, weir_database_counters_forget(database), 0);
    assert_int_equal(database_number(world->rig, "SELECT count(*) FROM counters"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            C17_a_store_filled_from_the_database_has_the_very_numbers_of_the_servers, setup,
            teardown),
        cmocka_unit_test_setup_teardown(C22_what_is_moved_to_and_fro_leaves_nothing, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(events_that_are_packed_mean_what_they_meant, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(events_that_are_damaged_end_there, setup, teardown),
        cmocka_unit_test_setup_teardown(records_beyond_the_most_go_oldest_first_and_are_counted,
                                        setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
