/*
 * database_rebase - what was dated later than now, when the clock was put back, is of now.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "monitor/analyzer/hit_days.h"
#include "monitor/database/database_rebase_io.h"
#include "tests/unit/database_rig.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, database_setup, database_teardown)

static const char later[] =
    "INSERT INTO rules VALUES (7, 'A', 'body', '', 'active', 1, 1, 0, 2, 'a', 1, %1$lld, %1$lld, "
    "0);"
    "INSERT INTO messages (uid, time, server, address, domain, verdict, score, serial, reported, "
    "reported_at) VALUES (1, 5, 1, x'', '', 'ham', 0, 0, '', 0), (2, %1$lld, 1, x'', '', 'ham', 0, "
    "0, 'spam', %1$lld);"
    "INSERT INTO reports (time, server, user, name, told, way, kind, state, came, vote, weight, "
    "taken_back, uid, verdict, score, address, domain, info) VALUES (%1$lld, 1, 1, '', '', '', "
    "'spam', '', '', 1, 1, 0, 2, '', 0, '', '', '');"
    "INSERT INTO reported (uid, effect, changed) VALUES (2, 'spam', %1$lld);"
    "INSERT INTO rule_sets VALUES (3, %1$lld, '', '', '', 1, 1, x'');"
    "INSERT INTO addresses VALUES (x'01', 5, %1$lld, 1, 0, 0, 0, 0, 0);"
    "INSERT INTO hits VALUES (7, 5, %1$lld, 7, 5, 2, 1, 2.5, 1, %1$lld), "
    "(8, %1$lld, %1$lld, 7, 5, 2, 1, 0, 0, %1$lld);"
    "INSERT INTO hits_all VALUES (1, 2.5, 1, %1$lld);"
    "INSERT INTO hits_servers VALUES (-1, 1, 0, 0, %1$lld), (7, 1, 2.5, 1, %1$lld);"
    "INSERT INTO hits_days VALUES (%2$d, 7, 4, 3, 1, 1), (%3$d, 7, 2, 2, 0, 0), (%4$d, 7, 1, 0, 1, "
    "0), (%4$d, 8, 5, 5, 0, 0);"
    "INSERT INTO report_counts VALUES (%2$d, 'user', 1, 9), (%3$d, 'user', 1, 5), "
    "(%4$d, 'user', 1, 6);";

static void fill(struct database_rig *rig, weir_time of)
{
    char sql[3000];
    int32_t today = weir_hit_day(DATABASE_NOW);

    snprintf(sql, sizeof sql, later, (long long)of, today, today + 1, today + 400);
    database_must(rig, weir_database_run(rig->database, sql), 0);
}

static void number_is(struct database_rig *rig, const char *sql, int64_t wanted)
{
    assert_int_equal(database_number(rig, sql), wanted);
}

static void what_is_dated_later_than_now_is_of_now(void **state)
{
    struct database_rig *rig = *state;
    int32_t today = weir_hit_day(DATABASE_NOW);
    char sql[100];

    fill(rig, DATABASE_NOW + 365 * WEIR_DAY);
    database_must(rig, weir_database_rebase_counts(rig->database, DATABASE_NOW), 19);
    number_is(rig, "SELECT updated FROM rules", DATABASE_NOW);
    number_is(rig, "SELECT since FROM rules", DATABASE_NOW);
    number_is(rig, "SELECT created FROM rules", 1);
    number_is(rig, "SELECT time FROM messages WHERE uid = 1", 5);
    number_is(rig, "SELECT reported_at FROM messages WHERE uid = 1", 0);
    number_is(rig, "SELECT time FROM messages WHERE uid = 2", DATABASE_NOW);
    number_is(rig, "SELECT reported_at FROM messages WHERE uid = 2", DATABASE_NOW);
    number_is(rig, "SELECT time FROM reports", DATABASE_NOW);
    number_is(rig, "SELECT taken_back FROM reports", 0);
    number_is(rig, "SELECT changed FROM reported", DATABASE_NOW);
    number_is(rig, "SELECT made FROM rule_sets", DATABASE_NOW);
    number_is(rig, "SELECT first_seen FROM addresses", 5);
    number_is(rig, "SELECT last_seen FROM addresses", DATABASE_NOW);
    number_is(rig, "SELECT count(*) FROM hits WHERE at = 1795000000000000", 2);
    number_is(rig, "SELECT max(last_hit) FROM hits", DATABASE_NOW);
    number_is(rig, "SELECT first_hit FROM hits WHERE rule = 7", 5);
    number_is(rig, "SELECT first_hit FROM hits WHERE rule = 8", DATABASE_NOW);
    number_is(rig, "SELECT 10 * spam_decayed FROM hits WHERE rule = 7", 25);
    number_is(rig, "SELECT at FROM hits_all", DATABASE_NOW);
    number_is(rig, "SELECT max(at) FROM hits_servers", DATABASE_NOW);
    snprintf(sql, sizeof sql, "SELECT count(*) FROM hits_days WHERE day <> %d", today);
    number_is(rig, sql, 0);
    number_is(rig, "SELECT hits * 100 + spam * 10 + ham FROM hits_days WHERE rule = 7", 752);
    number_is(rig, "SELECT false_positives FROM hits_days WHERE rule = 7", 1);
    number_is(rig, "SELECT hits FROM hits_days WHERE rule = 8", 5);
    number_is(rig, "SELECT count FROM report_counts", 20);
    number_is(rig, "SELECT max(day) FROM report_counts", today);
    database_must(rig, weir_database_rebase_counts(rig->database, DATABASE_NOW), 0);
}

static void what_waits_is_looked_at_by_the_clock_as_it_is_now(void **state)
{
    struct database_rig *rig = *state;

    database_must(rig, weir_database_run(rig->database,
        "INSERT INTO silences (made, ends, address, bits, threshold, kind, server, reason, who) "
        "VALUES (1795000000000007, 1795000000000067, x'', 0, '', '', 'mx1', 'r', 'w'), "
        "(5, 1795000000000067, x'', 0, '', '', 'mx1', 'r', 'w');"
        "INSERT INTO events (raised, cleared, kind, address, bits, server, quantity, class, "
        "observed, limit_rate, limit_maximum, rate, tokens, children, servers, text, unheard) "
        "VALUES (5, 0, 'threshold', x'', 0, 0, '', '', 0, 0, 0, 0, 0, 0, 0, '', "
        "1795000000000001);"
        "INSERT INTO owed (way, event, again, time, ends, address, bits, quantity, rate, "
        "limit_rate, limit_maximum, class, servers, response, wanted, withheld, held, look, late) "
        "VALUES (0, 1, 0, 5, 0, zeroblob(16), 128, '', 0, 0, 0, '', 0, '', '', '', 7, 9, 0), "
        "(0, 1, 0, 5, 0, zeroblob(16), 128, '', 0, 0, 0, '', 0, '', '', '', -1, 9, 0)"), 0);
    database_must(rig, weir_database_rebase_alerts(rig->database, DATABASE_NOW), 0);
    number_is(rig, "SELECT ends FROM silences WHERE number = 1", DATABASE_NOW + 60);
    number_is(rig, "SELECT ends FROM silences WHERE number = 2", DATABASE_NOW + 67);
    number_is(rig, "SELECT unheard FROM events", DATABASE_NOW);
    number_is(rig, "SELECT look FROM owed WHERE held = 7", 0);
    number_is(rig, "SELECT look FROM owed WHERE held = -1", 9);
}

static void what_is_of_now_stays(void **state)
{
    struct database_rig *rig = *state;

    fill(rig, DATABASE_NOW);
    database_must(rig, weir_database_run(rig->database, "DELETE FROM hits_days"), 0);
    database_must(rig, weir_database_run(rig->database, "DELETE FROM report_counts"), 0);
    database_must(rig, weir_database_rebase_counts(rig->database, DATABASE_NOW), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_dated_later_than_now_is_of_now),
        TEST(what_waits_is_looked_at_by_the_clock_as_it_is_now),
        TEST(what_is_of_now_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
