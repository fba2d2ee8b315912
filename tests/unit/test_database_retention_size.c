/*
 * A database that is larger than it may be (database_retention_io.c): every table that grows gives
 * way, in the order that the manual says, and what people said and made goes last or never.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/base/error.h"
#include "monitor/database/database_counters_io.h"
#include "monitor/database/database_retention_io.h"
#include "tests/unit/database_rig.h"

#define NOW DATABASE_NOW
#define MINUTE (NOW / WEIR_MINUTE)
#define ROWS 640                 /* in one piece */
#define OCTETS_MORE 300000       /* than an empty one: not enough for all, nor for traffic alone */

/* In the order in which they go; `least` of each stay, whatever the size. */
static const struct {
    const char *table, *fill;
    int rows, least, piece;
} tables[] = {
    {"minutes", "INSERT INTO minutes SELECT n, CAST(printf('%%016d', n) AS BLOB), 1, 1, 0, 0, 0, 0,"
     " 0 FROM n", 2000, 0, ROWS},
    {"messages", "INSERT INTO messages (uid, time, server, address, domain, verdict, score, serial)"
     " SELECT n, n, 1, x'', printf('%%0800d', n), '', 0, 0 FROM n;"
     "INSERT INTO message_hits SELECT number, 7, 1.0 FROM messages", 1500, 0, ROWS},
    {"counters", "INSERT INTO counters SELECT n, zeroblob(16), zeroblob(400), n FROM n;"
     "INSERT INTO state VALUES ('counters_records', %1$d)", 1500, 0, ROWS},
    {"reported_texts", "INSERT INTO reported_texts (uid, proven, state, time, server, len, octets) "
     "SELECT n, n %% 2, '', n, 1, 4000, zeroblob(4000) FROM n", 40, 0, ROWS / 64 + 1},
    {"drafts", "INSERT INTO rules SELECT n, 'R' || n, 'body', '', CASE n %% 2 WHEN 0 "
     "THEN 'retired' ELSE 'draft' END, 0, 0, 0, 0, 'analyzer', 1, 1, 1, 0 FROM n;"
     "INSERT INTO drafts (time, rule, name, link, text, servers) SELECT id, id, '', 0, "
     "printf('%%0400d', id), 1 FROM rules;"
     "INSERT INTO draft_messages SELECT number, number FROM drafts", 1500, 750, ROWS},
    {"rule_sets", "INSERT INTO rule_sets SELECT n, n, '', '', '', 1, 1, zeroblob(4000) FROM n", 20,
     2, (ROWS / 64 + 1) / 8 + 1},
    {"lessons WHERE uid > 0", "INSERT INTO lessons (uid, time, server, source, label, said, "
     "learned, weight, learned_at, tokens) SELECT n, n, 1, '', '', '', '', 1, n, zeroblob(4000) "
     "FROM n", 40, 0, ROWS / 64 + 1},
    {"lesson_changes", "INSERT INTO lessons (uid, time, server, source, label, said, learned, "
     "weight, learned_at, tokens) SELECT -n, n, 1, '', '', '', '', 1, n, zeroblob(4000) FROM n;"
     "INSERT INTO lesson_changes (uid, back, spam, weight, learned_at) SELECT uid, 0, 0, 1, time "
     "FROM lessons WHERE uid < 0", 40, 0, ROWS / 64 + 1},
    {"reports", "INSERT INTO reports (time, server, user, name, told, way, kind, state, came, vote,"
     " weight, uid, verdict, score, address, domain, info) SELECT n, 1, n, '', '', '', '', '', '', "
     "1, 1, n, '', 0, '', '', '' FROM n", WEIR_RETENTION_LEAST + 1500, WEIR_RETENTION_LEAST, ROWS},
    {"votes", "INSERT INTO votes (time, uid, judged_by, told_by, at, address, domain, counted, was,"
     " now) SELECT n, n, 1, 1, 1, x'', '', 0, '', '' FROM n", WEIR_RETENTION_LEAST + 1500,
     WEIR_RETENTION_LEAST, ROWS},
};
#define TABLES (sizeof tables / sizeof tables[0])
#define VOTES_BESIDE 9           /* a table that goes together with the one before it */

static void fill(struct database_rig *rig, size_t table)
{
    char sql[1400], rows[1000];

    snprintf(sql, sizeof sql, "WITH RECURSIVE n (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n "
             "LIMIT %d) ", tables[table].rows);
    snprintf(rows, sizeof rows, tables[table].fill, tables[table].rows);
    snprintf(sql + strlen(sql), sizeof sql - strlen(sql), "%s", rows);
    database_must(rig, weir_database_run(rig->database, sql), 0);
}

static int64_t count(struct database_rig *rig, size_t table)
{
    char sql[64];

    snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", tables[table].table);
    return database_number(rig, sql);
}

static struct weir_forgotten retain(struct database_rig *rig, uint64_t octets_most)
{
    const struct weir_retention keep = {.octets_most = octets_most, .rows = ROWS,
                                        .untimely = true};
    struct weir_forgotten forgotten;

    database_must(rig, weir_database_retain(rig->database, &keep, NOW, &forgotten), 0);
    return forgotten;
}

static void every_table_gives_way_in_the_order_of_the_manual(void **state)
{
    struct database_rig *rig = *state;
    int64_t before[TABLES];
    struct weir_forgotten forgotten;
    unsigned calls = 0;

    for (size_t i = 0; i < TABLES; i++)
        fill(rig, i);
    do {
        for (size_t i = 0; i < TABLES; i++)
            before[i] = count(rig, i);
        forgotten = retain(rig, 1);
        for (size_t i = 1; i < TABLES; i++) /* whose turn comes when little of the others is left */
            if (count(rig, i) < before[i])
                for (size_t k = 0; k < i && i != VOTES_BESIDE; k++)
                    if (before[k] - tables[k].least >= tables[k].piece)
                        fail_msg("%s went before %s", tables[i].table, tables[k].table);
        calls++;
    } while (forgotten.early > 0 && calls < 100);
    assert_int_equal(forgotten.early, 0);
    assert_false(forgotten.more);
    for (size_t i = 0; i < TABLES; i++)
        if (count(rig, i) != tables[i].least)
            fail_msg("%s: %d", tables[i].table, (int)count(rig, i));
    assert_int_equal(database_number(rig, "SELECT count(*) FROM message_hits"), 0);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM lessons"), 0);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM draft_messages"), 750);
    assert_int_equal(database_number(rig, "SELECT min(serial) FROM rule_sets"), 19);
    assert_int_equal(database_number(rig, "SELECT min(time) FROM reports"), 1501);
    assert_int_equal(weir_database_check(rig->database), 0);
}

static void limit_database_size_and_one_octet_past_it(void **state)
{
    for (size_t i = 0; i < TABLES; i++) {
        struct database_rig *rig = *state;
        uint64_t octets, after;
        int64_t rows;

        if (i == VOTES_BESIDE)
            continue;
        fill(rig, i);
        rows = count(rig, i);
        database_must(rig, weir_database_octets(rig->database, &octets), 0);
        assert_int_equal(retain(rig, octets).early, 0);
        assert_int_equal(count(rig, i), rows);
        assert_true(retain(rig, octets - 1).early > 0);
        database_must(rig, weir_database_octets(rig->database, &after), 0);
        if (count(rig, i) >= rows || after >= octets)
            fail_msg("%s: %d rows, %d octets", tables[i].table, (int)count(rig, i), (int)after);
        while (retain(rig, 1).early > 0) /* nothing is in the way of the next */
            continue;
    }
}

static void limit_counters_give_way_while_traffic_goes_on(void **state)
{
    struct database_rig *rig = *state;
    struct weir_database_counters_state counts;
    uint64_t most, octets = 0, now = 1;

    database_must(rig, weir_database_octets(rig->database, &most), 0);
    most += OCTETS_MORE;
    fill(rig, 2);
    for (unsigned turn = 0; turn < 20; turn++) {
        struct weir_minute_row row[50];

        for (unsigned i = 0; i < 50; i++)
            row[i] = database_row(50 * turn + i, MINUTE + turn, 1, 1);
        database_must(rig, database_store(rig, row, 50, ++now), 0);
        (void)retain(rig, most);
        database_must(rig, weir_database_octets(rig->database, &octets), 0);
    }
    assert_true(octets <= most);
    database_must(rig, weir_database_counters_state(rig->database, &counts), 0);
    assert_int_equal(counts.records, count(rig, 2));
    assert_int_equal(counts.records + counts.evicted, 1500);
    assert_true(counts.records > 0 && counts.evicted > 0);
    /* the oldest went */
    assert_int_equal(database_number(rig, "SELECT min(updated) FROM counters"),
                     counts.evicted + 1);
}

static void what_people_changed_in_rules_stays_whatever_the_size(void **state)
{
    struct database_rig *rig = *state;
    struct weir_retention keep = {.octets_most = 1, .rows = ROWS};
    struct weir_forgotten forgotten;

    database_must(rig, weir_database_run(rig->database,
        "WITH RECURSIVE n (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n LIMIT 100) "
        "INSERT INTO rule_changes (time, rule, name, who, what, old, new, why) "
        "SELECT n, 1, 'A', CASE WHEN n % 2 THEN 'uid 0' ELSE 'analyzer' END, 'score', n, n + 1, '' "
        "FROM n"), 0);
    do
        database_must(rig, weir_database_retain(rig->database, &keep, NOW, &forgotten), 0);
    while (forgotten.early > 0);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM rule_changes WHERE who = 'uid 0'"),
                     50);
    assert_true(database_number(rig, "SELECT count(*) FROM rule_changes") < 100);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, database_setup, database_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_table_gives_way_in_the_order_of_the_manual),
        TEST(limit_database_size_and_one_octet_past_it),
        TEST(limit_counters_give_way_while_traffic_goes_on),
        TEST(what_people_changed_in_rules_stays_whatever_the_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
