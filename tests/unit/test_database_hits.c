/*
 * database_hits - what rules hit comes out as it went in, and is answered by SQL.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "monitor/database/database_hits_io.h"
#include "tests/unit/database_rig.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, database_setup, database_teardown)
#define HALF_LIFE (30 * WEIR_DAY)

static struct weir_hits *hits_new(void)
{
    const struct weir_hits_settings settings = {
        .half_life = HALF_LIFE, .spam_score = 5, .unsure_score = 3, .key = {{1}}};
    struct weir_hits *hits = NULL;

    assert_int_equal(weir_hits_new(&settings, &hits), 0);
    return hits;
}

/* A decision of 9 points that rule 7 and another hit. */
static void take(struct weir_hits *hits, uint64_t uid, uint32_t other)
{
    struct weir_info info = {.uid = uid, .at = DATABASE_NOW, .score = 9, .rules = 2,
                             .rule = {{7, 1}, {other, 8}}};

    assert_int_equal(weir_hits_take(hits, &info, DATABASE_NOW), WEIR_HITS_COUNTED);
}

static void B24_what_rules_hit_is_answered_by_SQL(void **state)
{
    struct database_rig *rig = *state;
    struct weir_hits *hits = hits_new();

    for (uint64_t i = 0; i < 10; i++)
        take(hits, i, 100 + (uint32_t)i % 2);
    database_must(rig, weir_database_hits_put(rig->database, hits, DATABASE_NOW, 500), 3);
    assert_int_equal(database_number(rig, "SELECT hits FROM hits WHERE rule = 7"), 10);
    assert_int_equal(database_number(rig, "SELECT spam FROM hits WHERE rule = 7"), 10);
    assert_int_equal(database_number(rig, "SELECT ham FROM hits WHERE rule = 101"), 5);
    assert_int_equal(database_number(rig, "SELECT rule FROM hits ORDER BY hits DESC, rule"), 7);
    assert_int_equal(database_number(rig, "SELECT spam_decayed FROM hits_all"), 10);
    weir_hits_free(&hits);
}

static void only_what_changed_is_written(void **state)
{
    struct database_rig *rig = *state;
    struct weir_hits *hits = hits_new();

    take(hits, 1, 100);
    database_must(rig, weir_database_hits_put(rig->database, hits, DATABASE_NOW, 1), 2);
    database_must(rig, weir_database_hits_put(rig->database, hits, DATABASE_NOW, 2), 0);
    take(hits, 2, 200);
    database_must(rig, weir_database_hits_put(rig->database, hits, DATABASE_NOW, 3), 2);
    weir_hits_free(&hits);
}

static void what_was_counted_goes_on_after_a_restart(void **state)
{
    struct database_rig *rig = *state;
    struct weir_hits *hits = hits_new(), *again = hits_new();
    struct weir_hits_rule rule;
    uint64_t position = 0;

    database_must(rig, weir_database_hits_load(rig->database, again, &position), 0);
    assert_int_equal(position, 0);
    take(hits, 1, 100);
    database_must(rig, weir_database_hits_put(rig->database, hits, DATABASE_NOW + HALF_LIFE, 77),
                  2);
    database_must(rig, database_open(rig), 0);
    database_must(rig, weir_database_hits_load(rig->database, again, &position), 0);
    assert_int_equal(position, 77);
    assert_int_equal(weir_hits_find(again, 7, DATABASE_NOW, &rule), 1);
    assert_int_equal(rule.hits, 1);
    assert_true(rule.last_hit == DATABASE_NOW && fabs(rule.decayed.spam - 1) < 1e-9);
    assert_true(fabs(weir_hits_all(again, DATABASE_NOW).spam - 1) < 1e-9);
    database_must(rig, weir_database_hits_put(rig->database, again, DATABASE_NOW, 78), 0);
    weir_hits_free(&hits);
    weir_hits_free(&again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(B24_what_rules_hit_is_answered_by_SQL),
        TEST(only_what_changed_is_written),
        TEST(what_was_counted_goes_on_after_a_restart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
