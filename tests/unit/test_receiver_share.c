/*
 * How much a server may bring before the database has it (receiver_io.c, minutes.c), and how old it
 * may be (lines.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/base/slice.h"
#include "monitor/database/database_retention_io.h"
#include "monitor/intake/lines.h"
#include "tests/unit/receiver_rig.h"

/* Of another server; how it was taken. */
static enum weir_taken take_of(struct receiver_rig *rig, uint32_t server, size_t from, size_t to)
{
    uint64_t offset;

    return weir_receiver_take(rig->receiver, server, STREAM, rig->at[from],
                              weir_slice_between(rig->text + rig->at[from],
                                                 rig->text + rig->at[to]),
                              DATABASE_NOW, &offset);
}

static void a_server_beyond_its_share_waits_alone_and_nothing_is_lost(void **state)
{
    struct receiver_rig *rig = *state;
    struct weir_receiver_counts counts;

    rig->options.rows = 2 * ADDRESSES; /* a share is half of them */
    receiver_open(rig);
    receiver_must_take(rig, 0, ADDRESSES + 1, WEIR_TAKEN_LATER, 0);
    receiver_must_take(rig, 0, ADDRESSES, WEIR_TAKEN, ADDRESSES);
    receiver_must_take(rig, ADDRESSES, ADDRESSES + 1, WEIR_TAKEN_LATER, ADDRESSES);
    assert_int_equal(take_of(rig, 2, 0, ADDRESSES / 2), WEIR_TAKEN);
    assert_int_equal(take_of(rig, 3, 0, 1), WEIR_TAKEN);
    weir_receiver_count(rig->receiver, &counts);
    assert_int_equal(counts.later, 2);
    assert_int_equal(counts.over_share, 2);
    assert_int_equal(counts.waiting, ADDRESSES + ADDRESSES / 2 + 1);
    database_must(rig->database, weir_receiver_store(rig->receiver), 0);
    receiver_must_take(rig, ADDRESSES, 2 * ADDRESSES, WEIR_TAKEN, 2 * ADDRESSES);
    database_must(rig->database, weir_receiver_store(rig->receiver), 0);
    assert_int_equal(database_number(rig->database, "SELECT sum(connections) FROM minutes"),
                     2 * ADDRESSES + ADDRESSES / 2 + 1);
}

static void a_full_table_turns_agents_away_and_nothing_is_lost(void **state)
{
    struct receiver_rig *rig = *state;
    struct weir_receiver_counts counts;
    size_t taken = 0;

    rig->options.rows = 100;
    receiver_open(rig);
    for (uint32_t server = 1; server <= 100; server++)
        taken += take_of(rig, server, 0, 1) == WEIR_TAKEN;
    weir_receiver_count(rig->receiver, &counts);
    assert_int_equal(counts.waiting, taken);
    assert_true(taken >= 98);
    assert_int_equal(take_of(rig, 101, 0, 10), WEIR_TAKEN_LATER);
    weir_receiver_count(rig->receiver, &counts);
    assert_int_equal(counts.later, 101 - taken);
    assert_true(counts.later > counts.over_share);
    database_must(rig->database, weir_receiver_store(rig->receiver), 0);
    assert_int_equal(take_of(rig, 101, 0, 10), WEIR_TAKEN);
    database_must(rig->database, weir_receiver_store(rig->receiver), 0);
    assert_int_equal(database_number(rig->database, "SELECT sum(connections) FROM minutes"),
                     taken + 10);
}

/* The database forgets what a stream was long after its last line; the agent may still have it. */
static void a_stream_that_was_forgotten_does_not_count_again(void **state)
{
    const struct weir_retention keep = {.streams = WEIR_STREAMS_KEPT, .rows = 10};
    const weir_time later = DATABASE_NOW + WEIR_STREAMS_KEPT + 1;
    struct receiver_rig *rig = *state;
    struct weir_receiver_counts counts;
    struct weir_forgotten forgotten;
    char line[WEIR_TRAFFIC_LINE_ROOM + 1];
    uint64_t offset;

    receiver_must_take(rig, 0, 100, WEIR_TAKEN, 100);
    receiver_must_be_stored(rig, 100);
    database_must(rig->database, weir_database_retain(rig->database->database, &keep, later - 1,
                                                      &forgotten), 0);
    assert_int_equal(forgotten.streams, 0);
    database_must(rig->database, weir_database_retain(rig->database->database, &keep, later,
                                                      &forgotten), 0);
    assert_int_equal(forgotten.streams, 1);
    rig->options.now = later;
    receiver_open(rig);
    assert_int_equal(weir_receiver_take(rig->receiver, 1, STREAM, rig->at[100],
                                        weir_slice_of("x\n"), later, &offset),
                     WEIR_TAKEN_ELSEWHERE);
    assert_int_equal(offset, 0);
    assert_int_equal(weir_receiver_take(rig->receiver, 1, STREAM, 0,
                                        weir_slice_between(rig->text, rig->text + rig->at[100]),
                                        later, &offset), WEIR_TAKEN);
    assert_int_equal(offset, rig->at[100]);
    weir_receiver_count(rig->receiver, &counts);
    assert_int_equal(counts.old, 100);
    receiver_open(rig); /* nor out of the journal */
    receiver_must_be_stored(rig, 100);
    weir_traffic_line_write(&(struct weir_traffic){.time = later, .connections = 1,
                                                   .address = database_address(7)}, line);
    strcat(line, "\n");
    assert_int_equal(weir_receiver_take(rig->receiver, 1, STREAM, offset, weir_slice_of(line),
                                        later, &offset), WEIR_TAKEN);
    database_must(rig->database, weir_receiver_store(rig->receiver), 0);
    assert_int_equal(database_number(rig->database, "SELECT sum(connections) FROM minutes"), 101);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, receiver_setup, receiver_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_server_beyond_its_share_waits_alone_and_nothing_is_lost),
        TEST(a_full_table_turns_agents_away_and_nothing_is_lost),
        TEST(a_stream_that_was_forgotten_does_not_count_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
