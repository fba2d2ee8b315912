/*
 * storing - a table that is stored in pieces counts each line once, wherever a kill falls.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "monitor/intake/receiver_io.h"
#include "monitor/intake/storing_io.h"
#include "tests/unit/database_rig.h"
#include "tests/unit/seeded.h"
#include "tests/unit/watched.h"

#define STREAM "sniffer-1795000000-7.log"
#define ADDRESSES 20000 /* three pieces */
#define BATCH 4000      /* lines */

struct rig {
    struct database_rig *database;
    struct scratch *journal;
    struct watched watched;
    struct weir_receiver *receiver;
    struct weir_log log;
    uint64_t offset;
    size_t rows;
};

static void open_receiver(struct rig *rig)
{
    struct weir_receiver_options options = {.rows = rig->rows, .key = {{3}}};

    weir_receiver_free(&rig->receiver);
    database_must(rig->database, database_open(rig->database), 0);
    options.database = rig->database->database;
    options.watch = rig->watched.watch;
    options.journal = rig->journal->directory;
    assert_int_equal(weir_receiver_open(&options, &rig->log, &rig->receiver), 0);
}

static int setup(void **state)
{
    static const struct weir_watch_class everybody = {
        .name = "default", .limits = {{[WEIR_QUANTITY_CONNECTIONS] = {0, 1e6}}}};
    struct rig *rig = calloc(1, sizeof *rig);

    assert_int_equal(database_setup((void **)&rig->database), 0);
    rig->journal = scratch_new();
    rig->rows = 100000;
    watched_open(&rig->watched, &everybody, 1, NULL);
    open_receiver(rig);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    struct rig *rig = *state;

    weir_receiver_free(&rig->receiver);
    watched_close(&rig->watched);
    database_teardown((void **)&rig->database);
    scratch_free(rig->journal);
    free(rig);
    return 0;
}

/* A second of everybody. */
static void take_second(struct rig *rig, unsigned second)
{
    char *text = malloc(BATCH * WEIR_TRAFFIC_LINE_ROOM), *at = text;

    for (unsigned i = 0; i < ADDRESSES; i++) {
        struct weir_traffic line = {.time = DATABASE_NOW - WEIR_MINUTE + second * WEIR_SECOND,
                                    .address = database_address(i), .connections = 1,
                                    .messages = i % 3};

        at += strlen(weir_traffic_line_write(&line, at));
        *at++ = '\n';
        if ((i + 1) % BATCH > 0)
            continue;
        assert_int_equal(weir_receiver_take(rig->receiver, 1, STREAM, rig->offset,
                                            weir_slice_between(text, at), DATABASE_NOW,
                                            &rig->offset), WEIR_TAKEN);
        at = text;
    }
    free(text);
}

/* A line of each of the first addresses, in the same minute. */
static void take_again(struct rig *rig)
{
    char *text = malloc(BATCH * WEIR_TRAFFIC_LINE_ROOM), *at = text;

    for (unsigned i = 0; i < BATCH / 2; i++) {
        struct weir_traffic line = {.time = DATABASE_NOW - WEIR_MINUTE,
                                    .address = database_address(i), .connections = 1};

        at += strlen(weir_traffic_line_write(&line, at));
        *at++ = '\n';
    }
    assert_int_equal(weir_receiver_take(rig->receiver, 1, STREAM, rig->offset,
                                        weir_slice_between(text, at), DATABASE_NOW, &rig->offset),
                     WEIR_TAKEN);
    free(text);
}

static void must_be_stored(struct rig *rig, unsigned seconds)
{
    database_must(rig->database, weir_receiver_store(rig->receiver), 0);
    database_must(rig->database, weir_receiver_store(rig->receiver), 0);
    assert_int_equal(database_number(rig->database, "SELECT sum(connections) FROM minutes"),
                     seconds * ADDRESSES);
    assert_int_equal(database_number(rig->database, "SELECT min(connections) FROM addresses"),
                     seconds);
    assert_int_equal(database_number(rig->database, "SELECT max(connections) FROM addresses"),
                     seconds);
    assert_int_equal(database_number(rig->database, "SELECT sum(messages) FROM addresses"),
                     seconds * (ADDRESSES / 3 * 3 + 1));
    assert_int_equal(database_number(rig->database, "SELECT offset FROM streams"), rig->offset);
}

static void pieces_let_others_in_between_and_end(void **state)
{
    struct rig *rig = *state;
    unsigned pieces = 1;

    take_second(rig, 0);
    while (weir_receiver_store_piece(rig->receiver) == 1) {
        take_second(rig, pieces);
        pieces++;
        assert_int_equal(database_number(rig->database, "SELECT count(*) FROM streams"), 0);
    }
    assert_int_equal(pieces, ADDRESSES / WEIR_STORING_FEW + 1);
    assert_int_equal(database_number(rig->database, "SELECT sum(connections) FROM minutes"),
                     ADDRESSES);
    must_be_stored(rig, pieces);
}

static void A25_a_kill_between_two_pieces_counts_no_line_twice(void **state)
{
    struct rig *rig = *state;
    struct seeded seed = seeded_new("storing");
    unsigned seconds = 0;

    for (int round = 0; round < 10; round++) {
        take_second(rig, seconds++);
        for (unsigned pieces = seeded_below(&seed, 5); pieces > 0; pieces--)
            (void)weir_receiver_store_piece(rig->receiver);
        if (seeded_below(&seed, 2))
            take_second(rig, seconds++);
        rig->rows = seeded_below(&seed, 3) == 0 ? 45000 : 100000; /* which replaying may fill */
        open_receiver(rig);
        rig->rows = 100000; /* of which the server has a share */
        open_receiver(rig);
        if (seeded_below(&seed, 2))
            must_be_stored(rig, seconds);
    }
    must_be_stored(rig, seconds);
}

/* Cuts so many octets off the journal's only file, as a power cut may. */
static void cut_journal(const struct rig *rig, off_t octets)
{
    char path[300];
    struct stat about;

    snprintf(path, sizeof path, "%s/journal-%020u.log", rig->journal->directory, 0u);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(truncate(path, about.st_size - octets), 0);
}

static void what_comes_in_the_place_of_a_lost_end_of_the_journal_counts(void **state)
{
    struct rig *rig = *state;
    uint64_t there = 0;

    take_second(rig, 0);
    assert_int_equal(weir_receiver_store_piece(rig->receiver), 1);
    weir_receiver_free(&rig->receiver);
    cut_journal(rig, 1);
    open_receiver(rig); /* without the last batch, of which nothing was in that piece */
    there = (uint64_t)database_number(rig->database, "SELECT offset FROM streams");
    assert_int_equal(database_number(rig->database, "SELECT sum(connections) FROM minutes"),
                     ADDRESSES - BATCH);
    rig->offset = there;
    take_again(rig);
    open_receiver(rig); /* killed before any of it was stored */
    database_must(rig->database, weir_receiver_store(rig->receiver), 0);
    assert_int_equal(database_number(rig->database, "SELECT sum(connections) FROM minutes"),
                     ADDRESSES - BATCH + BATCH / 2);
}

static void few_rows_are_stored_at_once_and_many_after_a_rest(void **state)
{
    const weir_time long_ago = -WEIR_DAY;
    struct weir_storing resting = {.took = 1000 * WEIR_DAY, .rested = long_ago};

    (void)state;
    assert_true(weir_storing_due(&resting, WEIR_STORING_FEW, 100000));
    assert_false(weir_storing_due(&resting, WEIR_STORING_FEW + 1, 100000));
    assert_true(weir_storing_due(&resting, 66667, 100000));
    resting.took = WEIR_HOUR;
    assert_true(weir_storing_due(&resting, WEIR_STORING_FEW + 1, 100000));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(pieces_let_others_in_between_and_end),
        TEST(A25_a_kill_between_two_pieces_counts_no_line_twice),
        TEST(what_comes_in_the_place_of_a_lost_end_of_the_journal_counts),
        cmocka_unit_test(few_rows_are_stored_at_once_and_many_after_a_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
