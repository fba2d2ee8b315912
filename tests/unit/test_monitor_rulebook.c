/*
 * The rulebook's verbs while somebody else changes the same rules, or something cannot be stored
 * (monitor_rulebook_add_io.c, monitor_rulebook_io.c, monitor_drafts_io.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/database/database_rules_io.h"
#include "monitor/database/database_texts_io.h"
#include "monitor/monitor_impl.h"
#include "monitor/monitor_rulebook_io.h"
#include "tests/unit/database_rig.h"

struct rig {
    struct database_rig *database;
    struct weir_monitor monitor;
    const char *meanwhile;     /* SQL of somebody else's, before the next transaction; NULL: none */
};

static int setup(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);
    struct weir_counting_options options = {.hits = weir_hits_defaults(5, 3)};

    assert_int_equal(database_setup((void **)&rig->database), 0);
    options.database = rig->database->database;
    assert_int_equal(weir_counting_open(&options, &rig->monitor.counting), 0);
    rig->monitor.database = rig->database->database;
    rig->monitor.config.monitor_database = rig->database->path;
    pthread_mutex_init(&rig->monitor.lock, NULL);
    pthread_mutex_init(&rig->monitor.adding, NULL);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    struct rig *rig = *state;

    weir_counting_free(&rig->monitor.counting);
    database_teardown((void **)&rig->database);
    pthread_mutex_destroy(&rig->monitor.lock);
    pthread_mutex_destroy(&rig->monitor.adding);
    free(rig);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* Another handle changes something before a transaction begins. */
static int interfere(unsigned mask, void *context, void *statement, void *unused)
{
    struct rig *rig = context;
    struct weir_database_options options = {.path = rig->database->path};
    struct weir_database *other = NULL;

    (void)mask, (void)unused;
    if (!rig->meanwhile || strncmp(sqlite3_sql(statement), "BEGIN", 5) != 0)
        return 0;
    database_must(rig->database, weir_database_open(&options, rig->database->why, &other), 0);
    assert_int_equal(weir_database_run(other, rig->meanwhile), 0);
    weir_database_free(&other);
    rig->meanwhile = NULL;
    return 0;
}

/* Adds rules, while somebody does something else. */
static void add(struct rig *rig, const char *rules, const char *meanwhile)
{
    char base64[1000];
    struct weir_rulebook_question question = {.who = "uid 0", .now = DATABASE_NOW};
    json_t *json, *answer;

    sodium_bin2base64(base64, sizeof base64, (const unsigned char *)rules, strlen(rules),
                      sodium_base64_VARIANT_ORIGINAL);
    json = json_pack("{s:s, s:[{s:s, s:s}]}", "do", "rules add", "files", "name", "a.rules",
                     "base64", base64);
    question.json = json;
    rig->meanwhile = meanwhile;
    sqlite3_trace_v2(rig->monitor.database->sqlite, meanwhile ? SQLITE_TRACE_STMT : 0, interfere,
                     rig);
    answer = weir_rulebook_answer(&rig->monitor, &question);
    assert_string_equal(question.why, "");
    assert_non_null(answer);
    assert_null(json_object_get(answer, "problems"));
    assert_null(rig->meanwhile);
    sqlite3_trace_v2(rig->monitor.database->sqlite, 0, NULL, NULL);
    json_decref(answer);
    json_decref(json);
}

static void rules_are(struct rig *rig, const char *where)
{
    char sql[300];

    snprintf(sql, sizeof sql, "SELECT count(*) FROM rules WHERE %s", where);
    if (database_number(rig->database, sql) != 1)
        fail_msg("not so: %s", where);
}

static void what_is_changed_while_files_are_read_stays(void **state)
{
    static const char changed[] = "UPDATE rules SET state = 'retired', score = 1.5, low = -0.5, "
        "high = 0.5, approved = 0, updated = updated + 7 WHERE name = 'A'";
    struct rig *rig = *state;

    add(rig, "body A /one/\nscore A 1\nbody B /other/\n", NULL);
    /* The same rule with another text: its state, score and bounds are not the file's business. */
    add(rig, "body A /two/\n", changed);
    rules_are(rig, "name = 'A' AND text GLOB '*two*' AND state = 'retired' AND score = 1.5 "
              "AND base = 1 AND low = -0.5 AND high = 0.5 AND approved = 0");
}

static void what_files_say_of_a_rule_is_done_whatever_was_changed_meanwhile(void **state)
{
    struct rig *rig = *state;

    add(rig, "body A /one/\nscore A 1\nstate A test\nbody B /other/\nscore B 1\n", NULL);
    add(rig, "body A /one/\nscore A 3\nstate A active\nscore B 2\n",
        "UPDATE rules SET state = 'retired', high = 7");
    rules_are(rig, "name = 'A' AND state = 'active' AND approved = 1 AND score = 3 AND base = 3 "
              "AND high = 7");
    /* Of B the file has a score alone. */
    rules_are(rig, "name = 'B' AND state = 'retired' AND score = 2 AND base = 2 AND high = 7");
}

static void bounds_and_base_of_a_file_are_taken_unless_they_are_what_was(void **state)
{
    struct rig *rig = *state;

    add(rig, "body A /one/\nscore A 1\nbase A 2\nbounds A -1 3\nstate A test\napproved A yes\n",
        NULL);
    rules_are(rig, "name = 'A' AND score = 1 AND base = 2 AND low = -1 AND high = 3 "
              "AND state = 'test' AND approved = 1");
    /* What the file says as it was is none of its business. */
    add(rig, "score A 1\nbase A 2\nbounds A -1 3\nstate A test\napproved A yes\n",
        "UPDATE rules SET score = 1.5, base = 2.5, low = -2, high = 4, approved = 0");
    rules_are(rig, "score = 1.5 AND base = 2.5 AND low = -2 AND high = 4 AND state = 'test' "
              "AND approved = 0");
    add(rig, "score A 1\nbase A 2.35\nbounds A -2 3\napproved A yes\n",
        "UPDATE rules SET score = 1.6, high = 5");
    rules_are(rig, "score = 1 AND base = 2.35 AND low = -2 AND high = 3 AND approved = 1");
    add(rig, "base A 3\n", NULL);
    rules_are(rig, "score = 1 AND base = 3 AND state = 'test' AND approved = 1");
    add(rig, "score A 3\n", "UPDATE rules SET score = 1.7"); /* what its author gave it */
    rules_are(rig, "score = 1.7 AND base = 3");
    add(rig, "score A 2\n", NULL);
    rules_are(rig, "score = 2 AND base = 2 AND low = -2 AND high = 3");
}

static void what_is_forgotten_is_in_the_audit_or_stays(void **state)
{
    struct rig *rig = *state;
    const struct weir_database_text text = {.uid = 0xab, .proven = true, .state = "valid",
                                            .time = DATABASE_NOW, .server = 1,
                                            .octets = {"x", 1}};

    assert_int_equal(weir_database_text_put(rig->monitor.database, &text), 1);
    for (int fine = 0; fine <= 1; fine++) {
        struct weir_rulebook_question question = {.who = "uid 0", .now = DATABASE_NOW};
        json_t *json = json_pack("{s:s, s:s}", "do", "reports forget", "uid", "00000000000000ab");
        json_t *answer;

        assert_int_equal(weir_database_run(rig->monitor.database, fine ? "DROP TRIGGER trouble" :
                         "CREATE TRIGGER trouble BEFORE INSERT ON audit BEGIN "
                         "SELECT RAISE(ABORT, 'no'); END"), 0);
        question.json = json;
        answer = weir_rulebook_answer(&rig->monitor, &question);
        assert_true(fine ? answer != NULL : question.why[0] != 0);
        assert_int_equal(database_number(rig->database, "SELECT count(*) FROM reported_texts"),
                         !fine);
        assert_int_equal(database_number(rig->database, "SELECT count(*) FROM audit WHERE "
                                         "detail = '00000000000000ab'"), fine);
        json_decref(answer);
        json_decref(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_changed_while_files_are_read_stays),
        TEST(what_files_say_of_a_rule_is_done_whatever_was_changed_meanwhile),
        TEST(bounds_and_base_of_a_file_are_taken_unless_they_are_what_was),
        TEST(what_is_forgotten_is_in_the_audit_or_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
