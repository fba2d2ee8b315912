/*
 * database_retention - what is too old or too much is forgotten, a piece at a time, oldest first.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/base/error.h"
#include "monitor/database/database_audit_io.h"
#include "monitor/database/database_decisions_io.h"
#include "monitor/database/database_events_io.h"
#include "monitor/database/database_impl.h"
#include "monitor/database/database_ladder_io.h"
#include "monitor/database/database_retention_io.h"
#include "tests/unit/database_rig.h"

#define NOW DATABASE_NOW
#define MINUTE (NOW / WEIR_MINUTE)

static struct weir_forgotten retain(struct database_rig *rig, const struct weir_retention *keep)
{
    struct weir_forgotten forgotten;

    database_must(rig, weir_database_retain(rig->database, keep, NOW, &forgotten), 0);
    return forgotten;
}

static void minutes_are_forgotten_by_age_a_piece_at_a_time(void **state)
{
    struct database_rig *rig = *state;
    struct weir_retention keep = {.minutes = WEIR_DAY, .rows = 40};

    for (unsigned i = 0; i < 100; i++) {
        struct weir_minute_row row = database_row(i, MINUTE - 1440 - 100 + i, 1, 1);
        database_must(rig, database_store(rig, &row, 1, 1), 0);
    }
    struct weir_minute_row fresh = database_row(200, MINUTE - 1440, 1, 1);
    database_must(rig, database_store(rig, &fresh, 1, 1), 0);
    for (int i = 0; i < 2; i++) {
        struct weir_forgotten forgotten = retain(rig, &keep);

        assert_int_equal(forgotten.minutes, 40);
        assert_true(forgotten.more);
        assert_int_equal(database_number(rig, "SELECT min(minute) FROM minutes"),
                         MINUTE - 1440 - 100 + 40 * (i + 1));
    }
    struct weir_forgotten last = retain(rig, &keep);
    assert_int_equal(last.minutes, 20);
    assert_false(last.more);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM minutes"), 1);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM addresses"), 101);
    assert_int_equal(retain(rig, &keep).minutes, 0);
}

static void minutes_of_a_wrong_clock_are_forgotten_too(void **state)
{
    struct database_rig *rig = *state;
    struct weir_retention keep = {.rows = 40};
    struct weir_minute_row row = database_row(1, MINUTE + 1440, 1, 1);

    database_must(rig, database_store(rig, &row, 1, 1), 0);
    row.minute++;
    database_must(rig, database_store(rig, &row, 1, 1), 0);
    assert_int_equal(retain(rig, &keep).minutes, 1);
    assert_int_equal(database_number(rig, "SELECT minute FROM minutes"), MINUTE + 1440);
}

static void addresses_and_streams_are_forgotten_when_they_are_silent(void **state)
{
    struct database_rig *rig = *state;
    struct weir_retention keep = {.addresses = WEIR_DAY, .streams = WEIR_DAY, .rows = 10};
    struct weir_minute_row row[2] = {database_row(1, MINUTE - 1441, 1, 1),
                                     database_row(2, MINUTE - 1400, 1, 1)};
    struct weir_stream stream[2] = {{1, "old", 1, NOW - WEIR_DAY - 1},
                                    {1, "new", 1, NOW - WEIR_DAY}};
    struct weir_database_batch batch = {.row = row, .rows = 2, .stream = stream, .streams = 2};

    database_must(rig, weir_database_traffic(rig->database, &batch), 0);
    struct weir_forgotten forgotten = retain(rig, &keep);
    assert_int_equal(forgotten.addresses, 1);
    assert_int_equal(forgotten.streams, 1);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM streams WHERE name = 'new'"), 1);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM minutes"), 2);
}

static int64_t decide(struct database_rig *rig, weir_time ends)
{
    struct weir_database_decision decision = {
        .made = 1, .list = "blacklist", .ends = ends, .reason = "", .origin = ""};
    uint64_t generation;
    int64_t number;

    assert_int_equal(weir_database_decision_add(rig->database, &decision, &number, &generation),
                     0);
    return number;
}

static void what_stands_is_never_forgotten(void **state)
{
    struct database_rig *rig = *state;
    struct weir_retention keep = {.events = WEIR_DAY, .decisions = WEIR_DAY, .audit = WEIR_DAY,
                                  .rows = 10};
    struct weir_event event = {.raised = 1, .kind = "blind"};
    struct weir_audit audit = {.time = NOW - WEIR_DAY - 1, .who = "", .what = "", .detail = ""};
    uint64_t generation;
    int64_t number;

    for (int i = 0; i < 3; i++)
        assert_int_equal(weir_database_event_add(rig->database, &event, &number), 0);
    weir_database_event_clear(rig->database, 1, NOW - WEIR_DAY - 1);
    weir_database_event_clear(rig->database, 2, NOW - WEIR_DAY);
    decide(rig, 0);
    decide(rig, NOW + WEIR_DAY);
    decide(rig, NOW - WEIR_DAY);
    decide(rig, NOW - WEIR_DAY - 1);
    weir_database_decision_undo(rig->database, decide(rig, 0), "x", NOW - WEIR_DAY - 1,
                                &generation);
    weir_database_decision_undo(rig->database, decide(rig, 5), "x", NOW, &generation);
    assert_int_equal(weir_database_audit_add(rig->database, &audit), 0);
    audit.time++;
    assert_int_equal(weir_database_audit_add(rig->database, &audit), 0);
    struct weir_forgotten forgotten = retain(rig, &keep);
    assert_int_equal(forgotten.events, 1);
    assert_int_equal(forgotten.decisions, 2);
    assert_int_equal(forgotten.audit, 1);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM events WHERE number <> 1"), 2);
}

/* Steps of SQLite's machine in statements about a table since they were asked for last. */
static int steps(struct database_rig *rig, const char *table)
{
    int sum = 0;

    for (size_t i = 0; i < WEIR_DATABASE_STATEMENTS && rig->database->prepared[i].sql; i++)
        if (strstr(rig->database->prepared[i].sql, table))
            sum += sqlite3_stmt_status(rig->database->prepared[i].statement,
                                       SQLITE_STMTSTATUS_VM_STEP, 1);
    return sum;
}

static int count_listed(void *context, bool score, weir_time made, uint64_t servers)
{
    (void)score, (void)made, (void)servers;
    ++*(unsigned *)context;
    return 0;
}

/* A year of rows, of which none is to go: looking costs the same as with few. */
/* Also those that were ended long before they would have. */
static void silences_go_by_when_they_ended(void **state)
{
    struct database_rig *rig = *state;
    const struct weir_retention keep = {.events = WEIR_DAY, .rows = 10};
    struct weir_forgotten f;
    char sql[512];

    snprintf(sql, sizeof sql, "INSERT INTO silences (made, ends, address, bits, threshold, kind, "
             "server, reason, who, ended) SELECT 1, column1, x'', 0, '', '', '', '', '', column2 "
             "FROM (VALUES (%lld, 0), (%lld, %lld), (%lld, %lld), (%lld, 0))",
             (long long)(NOW - WEIR_DAY - 1), (long long)(NOW + WEIR_DAY),
             (long long)(NOW - WEIR_DAY - 1), (long long)(NOW + WEIR_DAY),
             (long long)(NOW - WEIR_DAY), (long long)(NOW + WEIR_DAY));
    assert_int_equal(weir_database_run(rig->database, sql), 0);
    assert_int_equal(weir_database_retain(rig->database, &keep, NOW, &f), 0);
    assert_int_equal(database_number(rig, "SELECT sum(number) FROM silences"), 3 + 4);
    assert_int_equal(f.events, 0);
}

static void what_stays_is_not_looked_through(void **state)
{
    static const char *const tables[] = {"DELETE FROM events", "DELETE FROM audit",
                                         "FROM decisions LEFT JOIN"};
    struct database_rig *rig = *state;
    struct weir_retention keep = {.events = WEIR_DAY, .audit = WEIR_DAY, .rows = 10};
    int before[3] = {0}, now;
    unsigned listed = 0;

    for (int many = 0; many < 2; many++) {
        assert_int_equal(weir_database_run(rig->database, many
            ? "WITH RECURSIVE n (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n LIMIT 20000) "
              "INSERT INTO audit (time, who, what, detail) SELECT 1795000000000000, '', '', '' "
              "FROM n"
            : "WITH RECURSIVE n (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n LIMIT 100) "
              "INSERT INTO audit (time, who, what, detail) SELECT 1795000000000000, '', '', '' "
              "FROM n"), 0);
        assert_int_equal(weir_database_run(rig->database,
            "INSERT INTO events (raised, cleared, kind, address, bits, server, quantity, class, "
            "observed, limit_rate, limit_maximum, rate, tokens, children, servers, text) "
            "SELECT time, time, '', x'', 0, 0, '', '', 0, 0, 0, 0, 0, 0, 0, '' FROM audit;"
            "INSERT INTO decisions (made, event, generation, changed, list, address, bits, ends, "
            "defer, points, reason, origin) SELECT time, 0, 0, 0, 'score', x'', 0, 0, 0, 0, '', "
            "'monitor' FROM audit"), 0);
        assert_int_equal(retain(rig, &keep).events, 0);
        assert_int_equal(weir_database_listed(rig->database, "monitor", NOW, count_listed,
                                              &listed), 0);
        for (size_t i = 0; i < 3; i++) {
            now = steps(rig, tables[i]);
            assert_true(now > 0 && (!many || now <= before[i] + 10));
            before[i] = now;
        }
    }
    assert_int_equal(listed, 0);
}

/* Floods make history grow, too; what is newest of it stays, whatever the size. */
static void history_gives_way_to_the_size_but_for_the_newest(void **state)
{
    struct database_rig *rig = *state;
    struct weir_retention keep = {.octets_most = 1 << 20, .rows = 5000, .untimely = true};
    const int more = WEIR_RETENTION_LEAST + 5000;
    char sql[1024];
    uint64_t early = 0;

    snprintf(sql, sizeof sql,
             "WITH RECURSIVE n (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n LIMIT %d) "
             "INSERT INTO audit (time, who, what, detail) SELECT n, '', '', '' FROM n;"
             "INSERT INTO events (raised, cleared, kind, address, bits, server, quantity, class, "
             "observed, limit_rate, limit_maximum, rate, tokens, children, servers, text) "
             "SELECT time, time %% 5, '', x'', 0, 0, '', '', 0, 0, 0, 0, 0, 0, 0, '' FROM audit;"
             "INSERT INTO decisions (made, event, generation, changed, list, address, bits, ends, "
             "defer, points, reason, origin) SELECT time, 0, 0, 0, 'score', x'', 0, time, 0, 0, "
             "'', 'monitor' FROM audit;"
             "INSERT INTO ladder SELECT CAST(time AS BLOB), 0, time, 0, 0, 0, 0, 0 FROM audit",
             more);
    assert_int_equal(weir_database_run(rig->database, sql), 0);
    for (int i = 0; i < 60; i++)
        early += retain(rig, &keep).early;
    assert_true(database_number(rig, "SELECT count(*) FROM audit") == WEIR_RETENTION_LEAST);
    assert_true(database_number(rig, "SELECT min(time) FROM audit") == more - WEIR_RETENTION_LEAST
                + 1);
    assert_true(database_number(rig, "SELECT count(*) FROM decisions") == WEIR_RETENTION_LEAST);
    assert_true(database_number(rig, "SELECT count(*) FROM events WHERE cleared = 0 AND raised < "
                                     "5000") == 999);
    assert_true(database_number(rig, "SELECT count(*) FROM events") <
                WEIR_RETENTION_LEAST + 1001);
    assert_true(database_number(rig, "SELECT count(*) FROM ladder") == 1);
    assert_true(early == 3 * 5000 - 1000 + more - 1);
}

static void a_database_keeps_to_its_size_and_counts_what_that_costs(void **state)
{
    struct database_rig *rig = *state;
    struct weir_retention keep = {.octets_most = 1 << 20, .rows = 5000};
    struct weir_minute_row *row = calloc(60000, sizeof *row);
    uint64_t octets = 0, early = 0, counted = 0;

    for (unsigned i = 0; i < 60000; i++)
        row[i] = database_row(i % 2000, MINUTE - 30 + i / 2000, 1, 1);
    database_must(rig, database_store(rig, row, 60000, 1), 0);
    free(row);
    for (int i = 0; i < 30; i++) {
        struct weir_forgotten forgotten = retain(rig, &keep);

        assert_true(forgotten.minutes <= 5000);
        early += forgotten.early;
        weir_database_octets(rig->database, &octets);
        if (octets <= keep.octets_most)
            break;
    }
    assert_true(octets <= keep.octets_most && octets > keep.octets_most / 4);
    assert_int_equal(weir_database_forgotten_early(rig->database, &counted), 0);
    assert_true(counted == early && early > 0);
    assert_true(database_number(rig, "SELECT min(minute) FROM minutes") > MINUTE - 30);
    assert_int_equal(database_number(rig, "SELECT max(minute) FROM minutes"), MINUTE - 1);
    assert_int_equal(retain(rig, &keep).early, 0);
    assert_int_equal(weir_database_check(rig->database), 0);
}

static void without_limits_nothing_is_forgotten(void **state)
{
    struct database_rig *rig = *state;
    struct weir_retention keep = {.rows = 10};
    struct weir_minute_row row = database_row(1, 5, 1, 1);

    database_must(rig, database_store(rig, &row, 1, 1), 0);
    struct weir_forgotten forgotten = retain(rig, &keep);
    assert_true(forgotten.minutes == 0 && forgotten.addresses == 0 && !forgotten.more);
}

static void nothing_is_forgotten_by_a_clock_in_doubt(void **state)
{
    struct database_rig *rig = *state;
    struct weir_retention keep = {.minutes = WEIR_DAY, .addresses = WEIR_DAY, .rows = 10,
                                  .untimely = true};
    struct weir_minute_row row[] = {database_row(1, 5, 1, 1), database_row(1, MINUTE * 2, 1, 1)};
    weir_time when;

    database_must(rig, database_store(rig, row, 2, 1), 0);
    assert_int_equal(retain(rig, &keep).minutes, 0);
    assert_int_equal(weir_database_retained(rig->database, &when), 0);
    assert_true(when == 0);
    keep.untimely = false;
    assert_int_equal(retain(rig, &keep).minutes, 2);
    assert_int_equal(weir_database_retained(rig->database, &when), 0);
    assert_true(when == NOW);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, database_setup, database_teardown)

static void B22_hits_by_day_are_kept_for_WEIR_HIT_DAYS_days(void **state)
{
    struct database_rig *rig = *state;
    struct weir_retention keep = {.rows = 40};
    char sql[160];

    for (int back = 90; back < 190; back++) {
        snprintf(sql, sizeof sql, "INSERT INTO hits_days VALUES (%d, 7, 1, 1, 0, 0)",
                 (int)(NOW / WEIR_DAY) - back);
        assert_int_equal(weir_database_run(rig->database, sql), 0);
    }
    assert_int_equal(retain(rig, &keep).hits, 40);
    assert_int_equal(retain(rig, &keep).hits, 40);
    assert_int_equal(retain(rig, &keep).hits, 17);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM hits_days"), 3);
    assert_int_equal(database_number(rig, "SELECT min(day) FROM hits_days"),
                     NOW / WEIR_DAY - WEIR_HIT_DAYS);
}

static void accounts_are_forgotten_when_they_weigh_nothing_any_more(void **state)
{
    struct database_rig *rig = *state;
    const struct weir_retention keep = {.rows = 2};
    char sql[200];

    for (int i = -2; i <= 2; i++) {
        snprintf(sql, sizeof sql, "INSERT INTO hits_servers VALUES (7, %d, 9, 9, %lld)", i + 3,
                 (long long)(NOW - 720 * WEIR_DAY + i));
        assert_int_equal(weir_database_run(rig->database, sql), 0);
    }
    assert_int_equal(retain(rig, &keep).hits, 2);
    assert_int_equal(retain(rig, &keep).hits, 0);
    assert_int_equal(database_number(rig, "SELECT min(server) FROM hits_servers"), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(minutes_are_forgotten_by_age_a_piece_at_a_time),
        TEST(minutes_of_a_wrong_clock_are_forgotten_too),
        TEST(addresses_and_streams_are_forgotten_when_they_are_silent),
        TEST(what_stands_is_never_forgotten),
        TEST(silences_go_by_when_they_ended),
        TEST(what_stays_is_not_looked_through),
        TEST(history_gives_way_to_the_size_but_for_the_newest),
        TEST(a_database_keeps_to_its_size_and_counts_what_that_costs),
        TEST(without_limits_nothing_is_forgotten),
        TEST(nothing_is_forgotten_by_a_clock_in_doubt),
        TEST(B22_hits_by_day_are_kept_for_WEIR_HIT_DAYS_days),
        TEST(accounts_are_forgotten_when_they_weigh_nothing_any_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
