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
static int try(struct weir_hits *hits, uint64_t uid, uint32_t other)
{
    struct weir_info info = {.uid = uid, .at = DATABASE_NOW, .score = 9, .rules = 2,
                             .rule = {{7, 1}, {other, 8}}};

    return weir_hits_take(hits, 1, &info, DATABASE_NOW);
}

static void take(struct weir_hits *hits, uint64_t uid, uint32_t other)
{
    assert_int_equal(try(hits, uid, other), WEIR_HITS_COUNTED);
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
    assert_int_equal(database_number(rig, "SELECT spam FROM hits WHERE rule = 101"), 5);
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

struct some_days {
    char text[200];
    size_t len;
};

static int see_day(void *context, const struct weir_hit_day *day)
{
    struct some_days *seen = context;

    seen->len += (size_t)snprintf(seen->text + seen->len, sizeof seen->text - seen->len,
                                  "%d: %d %d %d %d| ", day->day - weir_hit_day(DATABASE_NOW),
                                  day->hits, day->spam, day->ham, day->false_positives);
    return 0;
}

static void days_are(struct database_rig *rig, uint32_t rule, int days, const char *text)
{
    int32_t today = weir_hit_day(DATABASE_NOW);
    struct some_days seen = {.len = 0};

    database_must(rig, weir_database_hit_days(rig->database, rule, today - 30, today, see_day,
                                              &seen), days);
    assert_string_equal(seen.text, text);
}

static void B22_hits_of_a_day_add_up_over_stores_and_what_is_taken_back_goes(void **state)
{
    struct database_rig *rig = *state;
    struct weir_hits *hits = hits_new(), *again = hits_new();
    struct weir_info info = {.uid = 9, .at = DATABASE_NOW - WEIR_DAY, .score = 9, .rules = 1,
                             .rule = {{7, 1}}};

    take(hits, 1, 100);
    database_must(rig, weir_database_hits_put(rig->database, hits, DATABASE_NOW, 1), 2);
    take(hits, 2, 100);
    assert_int_equal(weir_hits_take(hits, 1, &info, DATABASE_NOW), WEIR_HITS_COUNTED);
    assert_int_equal(weir_hits_report(hits, 1, &info, false, false, DATABASE_NOW), 0);
    database_must(rig, weir_database_hits_put(rig->database, hits, DATABASE_NOW, 2), 2);
    days_are(rig, 7, 2, "-1: 1 0 1 1| 0: 2 2 0 0| ");
    days_are(rig, 100, 1, "0: 2 2 0 0| ");
    days_are(rig, WEIR_HIT_DAYS_ALL, 2, "-1: 1 0 1 0| 0: 2 2 0 0| ");
    assert_int_equal(weir_hits_report(again, 1, &info, false, true, DATABASE_NOW), 0);
    database_must(rig, weir_database_hits_put(rig->database, again, DATABASE_NOW, 3), 1);
    days_are(rig, 7, 2, "-1: 1 1 0 1| 0: 2 2 0 0| "); /* who never heard of it blames nobody */
    weir_hits_free(&hits);
    weir_hits_free(&again);
}

static weir_time idle_for(struct database_rig *rig, weir_time now, weir_time idle)
{
    weir_time idle_r = -1;

    database_must(rig, weir_database_hits_idle(rig->database, now, idle, &idle_r), 0);
    return idle_r;
}

/* Mail on each of so many days up to and with a day. */
static void hear(struct database_rig *rig, int32_t last, int days)
{
    char sql[120];

    for (int i = 0; i < days; i++) {
        snprintf(sql, sizeof sql, "INSERT INTO hits_days VALUES (%d, -1, 1, 0, 1, 0)", last - i);
        database_must(rig, weir_database_run(rig->database, sql), 0);
    }
}

static void B8_days_without_any_mail_are_no_days_of_idleness(void **state)
{
    struct database_rig *rig = *state;
    int32_t today = weir_hit_day(DATABASE_NOW);
    weir_time later = DATABASE_NOW + 40 * WEIR_DAY, month = 30 * WEIR_DAY;

    assert_true(idle_for(rig, DATABASE_NOW, 0) == 0);
    assert_true(idle_for(rig, DATABASE_NOW, WEIR_HOUR) == WEIR_HOUR);
    assert_true(idle_for(rig, DATABASE_NOW, month) == INT64_MAX); /* nothing was ever heard */
    hear(rig, today, 29);
    assert_true(idle_for(rig, DATABASE_NOW, month) == INT64_MAX);
    hear(rig, today - 29, 1);
    assert_true(idle_for(rig, DATABASE_NOW, month) == month);
    assert_true(idle_for(rig, later, month) == later - (weir_time)(today - 29) * WEIR_DAY);
    hear(rig, today + 40, 10); /* heard again: 20 of the days before count */
    assert_true(idle_for(rig, later, month) == later - (weir_time)(today - 19) * WEIR_DAY);
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
    assert_int_equal(try(again, 1, 100), WEIR_HITS_REPEATED);
    database_must(rig, weir_database_hits_put(rig->database, again, DATABASE_NOW, 78), 0);
    weir_hits_free(&hits);
    weir_hits_free(&again);
}

struct some_told {
    char text[400];
    size_t len;
};

static int see_told(void *context, const struct weir_hit_server *told, weir_time at)
{
    struct some_told *seen = context;

    assert_true(at == DATABASE_NOW);
    seen->len += (size_t)snprintf(seen->text + seen->len, sizeof seen->text - seen->len,
                                  "%d by %d: %.0f %.0f| ", (int)told->rule, (int)told->server,
                                  told->decayed.spam, told->decayed.ham);
    return 0;
}

static void told_is(struct database_rig *rig, int rows, const char *text)
{
    struct some_told seen = {.len = 0};

    database_must(rig, weir_database_hits_told(rig->database, see_told, &seen), rows);
    assert_string_equal(seen.text, text);
}

static void take_from(struct weir_hits *hits, uint32_t server, uint64_t uid, uint32_t rule)
{
    const struct weir_info info = {.uid = uid, .at = DATABASE_NOW, .server = server, .score = 9,
                                   .rules = 1, .rule = {{rule, 1}}};

    assert_int_equal(weir_hits_take(hits, server, &info, DATABASE_NOW), WEIR_HITS_COUNTED);
}

static void B24_who_told_what_is_the_same_after_a_restart(void **state)
{
    struct database_rig *rig = *state;
    struct weir_hits *hits = hits_new(), *again = hits_new();
    uint64_t position;

    for (uint64_t i = 0; i < 6; i++)
        take_from(hits, 3 + (uint32_t)i % 2, i, 7 + (uint32_t)i / 4);
    take_from(hits, WEIR_HIT_SERVERS_REST, 6, 7);
    database_must(rig, weir_database_hits_put(rig->database, hits, DATABASE_NOW, 1), 2);
    told_is(rig, 8, "-1 by -1: 1 0| -1 by 3: 3 0| -1 by 4: 3 0| 7 by -1: 1 0| 7 by 3: 2 0| "
            "7 by 4: 2 0| 8 by 3: 1 0| 8 by 4: 1 0| ");
    database_must(rig, database_open(rig), 0);
    database_must(rig, weir_database_hits_load(rig->database, again, &position), 0);
    take_from(hits, 4, 7, 8);
    take_from(again, 4, 7, 8);
    assert_int_equal(weir_database_run(rig->database, "CREATE TABLE before AS SELECT * FROM "
                                       "hits_servers"), 0);
    database_must(rig, weir_database_hits_put(rig->database, again, DATABASE_NOW, 2), 1);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM (SELECT * FROM hits_servers EXCEPT "
                                     "SELECT * FROM before)"), 2); /* only what changed */
    told_is(rig, 8, "-1 by -1: 1 0| -1 by 3: 3 0| -1 by 4: 4 0| 7 by -1: 1 0| 7 by 3: 2 0| "
            "7 by 4: 2 0| 8 by 3: 1 0| 8 by 4: 2 0| ");
    assert_int_equal(weir_database_run(rig->database, "DROP TABLE before"), 0);
    weir_hits_free(&hits);
    weir_hits_free(&again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(B24_what_rules_hit_is_answered_by_SQL),
        TEST(only_what_changed_is_written),
        TEST(B22_hits_of_a_day_add_up_over_stores_and_what_is_taken_back_goes),
        TEST(B8_days_without_any_mail_are_no_days_of_idleness),
        TEST(what_was_counted_goes_on_after_a_restart),
        TEST(B24_who_told_what_is_the_same_after_a_restart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
