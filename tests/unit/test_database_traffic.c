/*
 * database_traffic - sums of the database are those of a plain array; and nothing that was
 * acknowledged is lost or counted twice when the monitor is killed.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>

#include "core/base/error.h"
#include "tests/unit/database_rig.h"
#include "tests/unit/journal_rig.h"
#include "tests/unit/seeded.h"

#define MINUTE (DATABASE_NOW / WEIR_MINUTE)

static void A25_an_address_has_its_counts_and_first_and_last_seen_after_a_restart(void **state)
{
    struct database_rig *rig = *state;
    struct weir_minute_row row[3] = {database_row(7, MINUTE, 1, 10),
                                     database_row(7, MINUTE, 2, 20),
                                     database_row(7, MINUTE + 5, 1, 30)};
    struct weir_address other = database_address(8);
    struct weir_address_row found;

    for (unsigned i = 0; i < WEIR_TRAFFIC_QUANTITIES; i++)
        row[0].sum[i] = 10 + i;
    database_must(rig, database_store(rig, row + 2, 1, 1), 0);
    database_must(rig, database_store(rig, row, 2, 2), 0);
    database_must(rig, database_open(rig), 0);
    assert_int_equal(weir_database_address(rig->database, &row->address, &found), 1);
    assert_int_equal(found.first_seen, row[0].first);
    assert_int_equal(found.last_seen, row[2].last);
    assert_int_equal(found.sum[0], 60);
    assert_int_equal(found.sum[5], 15);
    assert_int_equal(weir_database_address(rig->database, &other, &found), 0);
}

static void offsets_and_positions_are_kept_with_the_rows(void **state)
{
    struct database_rig *rig = *state;
    struct weir_stream stream[2] = {{1, "a.log", 100, 5}, {2, "a.log", 7, 6}};
    struct weir_database_batch batch = {.stream = stream, .streams = 2, .position = 1000};
    uint64_t position = 1;

    assert_int_equal(weir_database_position(rig->database, &position), 0);
    assert_int_equal(position, 0);
    database_must(rig, weir_database_traffic(rig->database, &batch), 0);
    stream[0].offset = 50; /* never backwards */
    batch.position = INT64_MAX;
    database_must(rig, weir_database_traffic(rig->database, &batch), 0);
    assert_int_equal(weir_database_position(rig->database, &position), 0);
    assert_true(position == INT64_MAX);
    assert_int_equal(database_number(rig, "SELECT offset FROM streams WHERE server = 1"), 100);
    batch.position++;
    assert_int_equal(weir_database_traffic(rig->database, &batch), WEIR_EINVAL);
    batch.position = 1;
    stream[1].offset = UINT64_MAX;
    assert_int_equal(weir_database_traffic(rig->database, &batch), WEIR_EINVAL);
}

static int count_stream(void *context, const struct weir_stream *stream)
{
    uint64_t *sum = context;

    *sum += stream->offset * stream->server + strlen(stream->name);
    return 0;
}

static void all_streams_are_listed(void **state)
{
    struct database_rig *rig = *state;
    struct weir_stream stream[2] = {{1, "abc", 100, 5}, {2, "abc", 1000, 6}};
    struct weir_database_batch batch = {.stream = stream, .streams = 2};
    uint64_t sum = 0;

    database_must(rig, weir_database_traffic(rig->database, &batch), 0);
    assert_int_equal(weir_database_streams(rig->database, count_stream, &sum), 2);
    assert_int_equal(sum, 2106);
}

static void sums_stop_at_their_limits(void **state)
{
    struct database_rig *rig = *state;
    struct weir_minute_row row = database_row(1, MINUTE, 1, WEIR_MINUTE_SUM_MAX);
    struct weir_address_row found;

    database_must(rig, database_store(rig, &row, 1, 1), 0);
    row.sum[0] = UINT64_MAX;
    for (int i = 0; i < 3; i++)
        database_must(rig, database_store(rig, &row, 1, 1), 0);
    assert_int_equal(weir_database_address(rig->database, &row.address, &found), 1);
    assert_true(found.sum[0] == WEIR_COUNTER_MAX);
    assert_true(database_number(rig, "SELECT connections FROM minutes") ==
                (int64_t)WEIR_MINUTE_SUM_MAX);
}

/* Lists, against a plain array. --------------------------------------------------------- */

struct listed {
    unsigned rows, stop;
    uint64_t last, sum;
    unsigned address[100];
};

static int see_address(void *context, const struct weir_address_row *row)
{
    struct listed *listed = context;

    assert_true(listed->rows == 0 || row->sum[0] <= listed->last);
    listed->last = row->sum[0];
    listed->address[listed->rows++] = row->address.octet[15];
    return listed->rows == listed->stop;
}

static int see_minute(void *context, const struct weir_minute_row *row)
{
    struct listed *listed = context;

    assert_true(listed->rows == 0 || (uint64_t)row->minute >= listed->last);
    listed->last = (uint64_t)row->minute;
    listed->sum += row->sum[0];
    listed->rows++;
    return 0;
}

static void the_top_and_the_history_are_those_of_a_plain_array(void **state)
{
    struct database_rig *rig = *state;
    static uint64_t model[40][10];
    struct seeded seed = seeded_new("database_traffic");
    struct listed top = {.rows = 0}, history = {.rows = 0}, none = {.rows = 0};
    uint64_t most = 0, in_span = 0;
    struct weir_address first;

    memset(model, 0, sizeof model);
    for (int i = 0; i < 600; i++) {
        unsigned address = seeded_below(&seed, 40), minute = seeded_below(&seed, 10);
        struct weir_minute_row row = database_row(address, MINUTE + minute,
                                                  seeded_below(&seed, 3), 1 + i % 7);

        database_must(rig, database_store(rig, &row, 1, 1), 0);
        model[address][minute] += row.sum[0];
    }
    assert_int_equal(weir_database_top(rig->database, MINUTE + 2, MINUTE + 5, 0, 10, see_address,
                                       &top), 10);
    for (unsigned i = 0; i < 40; i++) {
        uint64_t sum = model[i][2] + model[i][3] + model[i][4] + model[i][5];

        most = sum > most ? sum : most;
        in_span = i == top.address[0] ? sum : in_span;
    }
    assert_true(in_span == most);
    first = database_address(top.address[0]);
    assert_true(weir_database_history(rig->database, &first, MINUTE + 2, MINUTE + 5, see_minute,
                                      &history) > 0);
    assert_int_equal(history.sum, most);
    none.stop = 1;
    assert_int_equal(weir_database_top(rig->database, MINUTE, MINUTE, 3, 10, see_address, &none),
                     1);
}

static int see_in_order(void *context, const struct weir_minute_row *row)
{
    struct weir_minute_row *last = context;
    int order = row->minute != last->minute ? (row->minute > last->minute ? 1 : -1)
                                            : memcmp(&row->address, &last->address,
                                                     sizeof row->address);

    assert_true(order > 0 || (order == 0 && row->server > last->server));
    assert_true(row->sum[0] < 99);
    last->sum[0] += row->sum[0];
    last->minute = row->minute;
    last->address = row->address;
    last->server = row->server;
    return 0;
}

static void all_minutes_of_a_span_come_in_order(void **state)
{
    struct database_rig *rig = *state;
    struct weir_minute_row last = {.minute = 0};

    for (unsigned i = 0; i < 60; i++) {
        struct weir_minute_row row = database_row((i * 7) % 5, MINUTE + (i * 11) % 6, 1 + i % 3, 1);

        row.sum[0] = row.minute == MINUTE || row.minute == MINUTE + 5 ? 99 : 1;
        database_must(rig, database_store(rig, &row, 1, 1), 0);
    }
    assert_true(weir_database_minutes(rig->database, MINUTE + 1, MINUTE + 4, see_in_order,
                                      &last) > 0);
    assert_int_equal(last.sum[0], 40);
    assert_int_equal(weir_database_minutes(rig->database, 5, 4, see_in_order, &last), 0);
}

/* Minutes with 1, 2, 3, 4 and 5 rows: as many of the newest as may be. */
static void of_too_many_rows_the_newest_minutes_are_taken(void **state)
{
    static const struct {
        unsigned most;
        int64_t behind; /* the first minute */
    } cases[] = {{100, 0}, {15, 0}, {14, 1}, {12, 2}, {11, 3}, {9, 3}, {8, 4}, {5, 4}, {4, 5}};
    struct database_rig *rig = *state;

    for (unsigned minute = 0; minute < 5; minute++)
        for (unsigned i = 0; i <= minute; i++) {
            struct weir_minute_row row = database_row(i, MINUTE + minute, 1, 1);
            database_must(rig, database_store(rig, &row, 1, 1), 0);
        }
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t minute = 0;

        database_must(rig, weir_database_minutes_begin(rig->database, MINUTE, MINUTE + 4,
                                                       cases[i].most, &minute), 0);
        assert_int_equal(minute - MINUTE, cases[i].behind);
    }
}

static void a_history_has_a_limit(void **state)
{
    struct database_rig *rig = *state;
    struct weir_address address = database_address(7);
    struct listed none = {.rows = 0};

    assert_int_equal(weir_database_history(rig->database, &address, 0, WEIR_HISTORY_MAX - 1,
                                           see_minute, &none), 0);
    assert_int_equal(weir_database_history(rig->database, &address, 0, WEIR_HISTORY_MAX,
                                           see_minute, &none), WEIR_ELIMIT);
    assert_int_equal(weir_database_history(rig->database, &address, INT64_MIN, INT64_MAX,
                                           see_minute, &none), WEIR_ELIMIT);
    assert_int_equal(weir_database_history(rig->database, &address, 5, 4, see_minute, &none), 0);
}

/* kill -9. ----------------------------------------------------------------------------- */

/* Just behind a commit: were there two for a batch, something would be missing now. */
static int die_behind_commit(void *context, sqlite3 *sqlite, const char *name, int pages)
{
    int *commits = context;

    (void)sqlite, (void)name, (void)pages;
    if (--*commits == 0)
        raise(SIGKILL);
    return SQLITE_OK;
}

/* A monitor in small: each batch is one connection of address n % 250, journalled, told, and
 * stored with some others from time to time. */
static void monitor_until_killed(struct database_rig *rig, struct journal_rig *journal, int told,
                                 int commits)
{
    struct weir_minute_row row[64];
    size_t rows = 0;

    database_must(rig, database_open(rig), 0);
    if (commits > 0)
        sqlite3_wal_hook(rig->database->sqlite, die_behind_commit, &commits);
    weir_database_position(rig->database, &journal->options.from);
    if (journal_open(journal) != 0)
        _exit(1);
    for (uint64_t i = 0;; i++) {
        if (journal_put(journal, i, 50) != 0 || write(told, &i, sizeof i) != sizeof i)
            _exit(1);
        row[rows++] = database_row((unsigned)(i % 250), MINUTE, 1, 1);
        if (rows < 1 + i % 64)
            continue;
        if (database_store(rig, row, rows, weir_journal_position(journal->journal)) != 0)
            _exit(1);
        rows = 0;
        weir_journal_remove_below(journal->journal, weir_journal_position(journal->journal));
    }
}

/* Killed after some commits, or, when that is 0, after some time. */
static uint64_t told_until_killed(struct database_rig *rig, struct journal_rig *journal,
                                  int commits, unsigned microseconds)
{
    uint64_t number, safe = 0;
    int told[2], status;
    pid_t child;

    assert_int_equal(pipe(told), 0);
    child = fork();
    if (child == 0)
        monitor_until_killed(rig, journal, told[1], commits);
    close(told[1]);
    if (commits == 0) {
        usleep(microseconds);
        kill(child, SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    while (read(told[0], &number, sizeof number) == sizeof number)
        assert_int_equal(number, safe++);
    close(told[0]);
    return safe;
}

/* What was killed is in the database, or in the journal behind its position: once. */
static void nothing_acknowledged_is_lost_or_counted_twice_by_a_kill(void **state)
{
    struct database_rig *rig = *state;
    struct seeded seed = seeded_new("database killed");
    void *other;

    for (int round = 0; round < 40; round++) {
        uint64_t safe, stored, all;
        struct journal_rig *journal;
        struct journal_seen *seen;

        assert_int_equal(journal_setup(&other), 0);
        journal = other;
        journal->options.file_most = 4096;
        weir_database_free(&rig->database);
        safe = told_until_killed(rig, journal, round % 2 * (1 + round / 2),
                                 3000 + seeded_below(&seed, 40000));
        database_must(rig, database_open(rig), 0);
        weir_database_position(rig->database, &journal->options.from);
        assert_int_equal(journal_open(journal), 0);
        stored = (uint64_t)database_number(rig, "SELECT coalesce(sum(connections), 0) "
                                           "FROM addresses");
        assert_int_equal(stored, database_number(rig, "SELECT coalesce(sum(connections), 0) "
                                                 "FROM minutes"));
        seen = journal_replay(journal, journal->options.from);
        assert_true(seen->batches == 0 || seen->offset[0] == stored);
        all = stored + seen->batches;
        assert_true(all == safe || all == safe + 1);
        journal_teardown(&other);
        assert_int_equal(weir_database_run(rig->database, "DELETE FROM minutes; "
                                           "DELETE FROM addresses; DELETE FROM state"), 0);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, database_setup, database_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(A25_an_address_has_its_counts_and_first_and_last_seen_after_a_restart),
        TEST(offsets_and_positions_are_kept_with_the_rows),
        TEST(all_streams_are_listed),
        TEST(sums_stop_at_their_limits),
        TEST(the_top_and_the_history_are_those_of_a_plain_array),
        TEST(all_minutes_of_a_span_come_in_order),
        TEST(of_too_many_rows_the_newest_minutes_are_taken),
        TEST(a_history_has_a_limit),
        TEST(nothing_acknowledged_is_lost_or_counted_twice_by_a_kill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
