/*
 * gather - parts of servers become wholes, each once (gather.c, database_parts_io.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "monitor/analyzer/gather.h"
#include "monitor/database/database_parts_io.h"
#include "tests/unit/database_rig.h"
#include "tests/unit/seeded.h"

#define NOW DATABASE_NOW
#define TOLD 64

struct world {
    struct database_rig *rig;
    struct weir_gather *gather;
    uint64_t uid[TOLD];        /* of what was handed over */
    size_t told, len;
    int fails;                 /* what the taker says instead */
};

static char octets[WEIR_PART_WHOLE_MAX];

static int take(void *context, const struct weir_gathered *whole)
{
    struct world *world = context;

    if (world->fails < 0)
        return world->fails;
    assert_true(weir_part_sum(whole->octets) == whole->sum);
    assert_memory_equal(whole->octets.at, octets, whole->octets.len);
    world->uid[world->told++ % TOLD] = whole->uid;
    world->len = whole->octets.len;
    return 0;
}

static int load(void *context, uint32_t server, const struct weir_part_line *part, weir_time at)
{
    weir_gather_load(context, server, part, at);
    return 0;
}

static void open_gather(struct world *world)
{
    static const struct weir_hash_key key = {{1}};
    const struct weir_gather_taker taker = {"message", take, world};

    weir_gather_free(&world->gather);
    assert_int_equal(weir_gather_new(&key, &taker, 1, &world->gather), 0);
    assert_true(weir_database_parts(world->rig->database, load, world->gather) >= 0);
}

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    void *rig;

    if (!world || database_setup(&rig) != 0)
        return -1;
    for (size_t i = 0; i < sizeof octets; i++)
        octets[i] = (char)(i * 7 + i / 256);
    world->rig = rig;
    open_gather(world);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    void *rig = world->rig;

    weir_gather_free(&world->gather);
    free(world);
    return database_teardown(&rig);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

struct said {
    const char *kind;          /* NULL: "message" */
    uint32_t server;           /* 0: 1 */
    uint64_t uid;
    size_t len;
    bool wrong;                /* the sum is another's */
    weir_time at;              /* behind NOW */
};

/* Tells of a part, from 1; 0: all. */
static void tell(struct world *world, struct said said, uint32_t number)
{
    struct weir_part_whole whole = {.at = NOW, .kind = said.kind ? said.kind : "message",
                                    .uid = said.uid, .octets = {octets, said.len}};
    struct weir_gather_parts parts = {.count = 0};

    whole.sum = weir_part_sum(whole.octets) ^ said.wrong;
    for (uint32_t i = 0; i < weir_part_lines(said.len); i++) {
        char text[WEIR_SPOOL_LINE_MAX];
        struct weir_line line = weir_line(text, sizeof text);

        if (number != 0 && i + 1 != number)
            continue;
        weir_part_line_write(&whole, i, &line);
        assert_int_equal(weir_gather_read(weir_slice_of(weir_line_end(&line)), &parts), 1);
    }
    weir_gather_take(world->gather, said.server ? said.server : 1, &parts, NOW + said.at);
    weir_gather_parts_free(&parts);
}

static int enter(struct world *world, weir_time at, bool keep)
{
    struct weir_database *database = world->rig->database;
    int rc = weir_database_begin(database);

    assert_int_equal(rc, 0);
    rc = weir_gather_enter(world->gather, database, NOW + at);
    if (rc < 0 || !keep)
        weir_database_abandon(database);
    else
        assert_int_equal(weir_database_commit(database), 0);
    weir_gather_entered(world->gather, rc >= 0 && keep);
    return rc;
}

static int64_t kept(struct world *world)
{
    return database_number(world->rig, "SELECT count(*) FROM parts");
}

static void parts_in_any_order_make_the_whole_once(void **state)
{
    static const uint32_t order[] = {3, 1, 4, 1, 2, 3, 5, 5, 2};
    struct world *world = *state;

    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        tell(world, (struct said){.uid = 9, .len = 4 * WEIR_PART_OCTETS + 1}, order[i]);
    assert_int_equal(enter(world, 0, true), 0);
    assert_int_equal(enter(world, 0, true), 0);
    assert_int_equal(world->told, 1);
    assert_int_equal(world->len, 4 * WEIR_PART_OCTETS + 1);
    assert_int_equal(weir_gather_counts(world->gather).again, 4);
    assert_int_equal(weir_gather_counts(world->gather).octets, 0);
    assert_int_equal(kept(world), 0);
}

static void what_is_not_kept_is_handed_over_again(void **state)
{
    struct world *world = *state;

    tell(world, (struct said){.uid = 9, .len = 10}, 0);
    world->fails = WEIR_EFULL;
    assert_int_equal(enter(world, 0, true), WEIR_EFULL);
    world->fails = 0;
    assert_int_equal(enter(world, 0, false), 0);
    assert_int_equal(enter(world, 0, true), 0);
    assert_int_equal(world->told, 2); /* the first of them was taken back */
    assert_int_equal(enter(world, 0, true), 0);
    assert_int_equal(world->told, 2);
}

/* The journal does not tell of the first parts again, for its position has moved on. */
static void parts_from_before_a_restart_are_there(void **state)
{
    const struct said said = {.uid = 9, .len = 3 * WEIR_PART_OCTETS};
    struct world *world = *state;

    tell(world, said, 2);
    tell(world, said, 1);
    assert_int_equal(enter(world, 0, false), 0);
    assert_int_equal(kept(world), 0);
    assert_int_equal(enter(world, 0, true), 0);
    assert_int_equal(kept(world), 2);
    tell(world, said, 3); /* and is lost with the process */
    open_gather(world);
    assert_int_equal(weir_gather_counts(world->gather).waiting, 1);
    assert_int_equal(enter(world, 0, true), 0);
    assert_int_equal(world->told, 0);
    tell(world, said, 3);
    assert_int_equal(enter(world, 0, true), 0);
    assert_int_equal(world->told, 1);
    assert_int_equal(kept(world), 0);
}

static void servers_and_kinds_and_sums_do_not_mix(void **state)
{
    const size_t len = 2 * WEIR_PART_OCTETS;
    struct world *world = *state;

    tell(world, (struct said){.uid = 9, .len = len}, 1);
    tell(world, (struct said){.uid = 9, .len = len, .server = 2}, 2);
    tell(world, (struct said){.uid = 8, .len = len}, 2);
    tell(world, (struct said){.uid = 9, .len = len, .wrong = true}, 2);
    tell(world, (struct said){.uid = 9, .len = len - 1}, 2);
    tell(world, (struct said){.uid = 9, .len = len, .kind = "other"}, 2);
    assert_int_equal(enter(world, 0, true), 0);
    assert_int_equal(world->told, 0);
    assert_int_equal(weir_gather_counts(world->gather).unknown, 1);
    assert_int_equal(weir_gather_counts(world->gather).waiting, 5);
    tell(world, (struct said){.uid = 9, .len = len}, 2);
    assert_int_equal(enter(world, 0, true), 0);
    assert_int_equal(world->told, 1);
}

static void a_whole_of_another_sum_is_dropped_and_counted(void **state)
{
    struct world *world = *state;

    tell(world, (struct said){.uid = 9, .len = 2 * WEIR_PART_OCTETS, .wrong = true}, 1);
    assert_int_equal(enter(world, 0, true), 0);
    tell(world, (struct said){.uid = 9, .len = 2 * WEIR_PART_OCTETS, .wrong = true}, 2);
    assert_int_equal(enter(world, 0, true), 0);
    assert_int_equal(world->told, 0);
    assert_int_equal(weir_gather_counts(world->gather).wrong, 1);
    assert_int_equal(kept(world), 0);
}

static void what_is_not_whole_in_its_time_goes(void **state)
{
    const struct said said = {.uid = 9, .len = 2 * WEIR_PART_OCTETS};
    struct world *world = *state;

    tell(world, said, 1);
    assert_int_equal(enter(world, WEIR_GATHER_AGE, true), 0);
    assert_int_equal(kept(world), 1);
    assert_int_equal(enter(world, WEIR_GATHER_AGE + 1, true), 0);
    assert_int_equal(kept(world), 0);
    assert_int_equal(weir_gather_counts(world->gather).late, 1);
    tell(world, said, 2);
    assert_int_equal(enter(world, WEIR_GATHER_AGE + 1, true), 0);
    assert_int_equal(world->told, 0);
}

/* One server tells of thousands of wholes that never come: its own go, another's stays. */
static void a_server_that_begins_too_much_drives_out_its_own(void **state)
{
    struct world *world = *state;
    struct weir_gather_counts counts;

    tell(world, (struct said){.uid = 9, .len = 2 * WEIR_PART_OCTETS, .server = 2}, 1);
    assert_int_equal(enter(world, 0, true), 0);
    for (uint64_t uid = 1; uid <= 2000; uid++)
        tell(world, (struct said){.uid = uid, .len = WEIR_PART_WHOLE_MAX - uid % 2}, 92);
    counts = weir_gather_counts(world->gather);
    assert_true(counts.octets <= WEIR_GATHER_SERVER_MAX + 2 * WEIR_PART_WHOLE_MAX);
    assert_true(counts.lost > 1900);
    tell(world, (struct said){.uid = 9, .len = 2 * WEIR_PART_OCTETS, .server = 2}, 2);
    assert_int_equal(enter(world, 0, true), 0);
    assert_int_equal(world->told, 1);
}

static void all_servers_together_stay_within_the_limit(void **state)
{
    struct world *world = *state;
    struct weir_gather_counts counts;

    for (uint32_t server = 1; server <= 40; server++)
        for (uint64_t uid = 1; uid <= 20; uid++)
            tell(world, (struct said){.uid = uid, .len = WEIR_PART_WHOLE_MAX, .server = server}, 1);
    counts = weir_gather_counts(world->gather);
    assert_true(counts.octets <= WEIR_GATHER_MAX);
    assert_true(counts.waiting >= WEIR_GATHER_MAX / WEIR_PART_WHOLE_MAX - 4);
    /* One that has little is heard nevertheless. */
    tell(world, (struct said){.uid = 1, .len = 100, .server = 99}, 0);
    assert_int_equal(enter(world, 0, true), 0);
    assert_int_equal(world->told, 1);
}

/* Against a model: what was told of in all its parts is handed over once, whatever is lost in
 * between by kill -9, when the journal tells again what was not kept. */
static void parts_count_once_whatever_is_killed(void **state)
{
    enum { WHOLES = 40, STEPS = 400 };
    struct world *world = *state;
    struct seeded random = seeded_new("parts_count_once_whatever_is_killed");
    struct { uint64_t uid; uint32_t number; } unkept[STEPS];
    size_t unkept_count = 0, whole = 0;
    uint32_t had[WHOLES] = {0};

    for (int step = 0; step < STEPS; step++) {
        uint64_t uid = seeded_below(&random, WHOLES);

        if (seeded_below(&random, 10) == 0) {
            assert_int_equal(enter(world, 0, true), 0);
            unkept_count = 0;
        } else if (seeded_below(&random, 20) == 0) {
            open_gather(world);
            for (size_t i = 0; i < unkept_count; i++)
                tell(world, (struct said){.uid = unkept[i].uid, .len = 3 * WEIR_PART_OCTETS},
                     unkept[i].number);
        } else if (had[uid] < 3) {
            had[uid]++;
            tell(world, (struct said){.uid = uid, .len = 3 * WEIR_PART_OCTETS}, had[uid]);
            unkept[unkept_count].uid = uid;
            unkept[unkept_count++].number = had[uid];
            whole += had[uid] == 3;
        }
    }
    assert_int_equal(enter(world, 0, true), 0);
    assert_int_equal(world->told, whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(parts_in_any_order_make_the_whole_once),
        TEST(what_is_not_kept_is_handed_over_again),
        TEST(parts_from_before_a_restart_are_there),
        TEST(servers_and_kinds_and_sums_do_not_mix),
        TEST(a_whole_of_another_sum_is_dropped_and_counted),
        TEST(what_is_not_whole_in_its_time_goes),
        TEST(a_server_that_begins_too_much_drives_out_its_own),
        TEST(all_servers_together_stay_within_the_limit),
        TEST(parts_count_once_whatever_is_killed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
