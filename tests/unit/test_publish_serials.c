/*
 * Serials of rule sets when the database was lost, or is an old copy
 * (monitor/analyzer/publish_serials_io.c): they go on behind what the file beside the key says, and
 * what servers say, but no server's word uses them up.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"
#include "monitor/analyzer/publish_io.h"
#include "monitor/database/database_rules_io.h"
#include "monitor/database/database_sets_io.h"
#include "tests/unit/database_rig.h"

struct rig {
    struct database_rig *base;
    pthread_mutex_t lock;
    struct weir_publisher *publisher;
    struct weir_published published;
    struct weir_log log;
    unsigned warnings, errors;
    char why[WEIR_PUBLISH_WHY], key_path[300], file[310];
};

static void hear_log(void *context, enum weir_log_level level, const char *line)
{
    struct rig *rig = context;

    (void)line;
    rig->warnings += level == WEIR_LOG_WARNING;
    rig->errors += level == WEIR_LOG_ERROR;
}

static void open_publisher(struct rig *rig)
{
    const struct weir_publisher_options options = {
        .database = rig->base->database, .lock = &rig->lock, .key_path = rig->key_path};

    weir_publisher_free(&rig->publisher);
    assert_int_equal(weir_publisher_open(&options, &rig->log, &rig->publisher), 0);
}

static int setup(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);
    void *base;

    assert_int_equal(database_setup(&base), 0);
    rig->base = base;
    rig->log = (struct weir_log){.write = hear_log, .context = rig, .most = WEIR_LOG_WARNING};
    pthread_mutex_init(&rig->lock, NULL);
    snprintf(rig->key_path, sizeof rig->key_path, "%s",
             scratch_path(rig->base->scratch, "rules.key"));
    snprintf(rig->file, sizeof rig->file, "%s.serial", rig->key_path);
    open_publisher(rig);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    struct rig *rig = *state;
    void *base = rig->base;

    weir_publisher_free(&rig->publisher);
    pthread_mutex_destroy(&rig->lock);
    free(rig);
    return database_teardown(&base);
}

static int put_and_publish(struct rig *rig, double score)
{
    const struct weir_rule_change change = {.who = "uid 0", .why = "", .time = DATABASE_NOW};
    const struct weir_kept_rule rule = {.id = 1, .name = "A", .kind = WEIR_RULE_BODY,
                                        .text = "body A /a/\n", .state = WEIR_RULE_ACTIVE,
                                        .score = score, .base = score, .author = "uid 0"};
    const struct weir_publishing by = {.who = "uid 0", .why = "", .now = DATABASE_NOW,
                                       .idle = 30 * WEIR_DAY};

    assert_true(weir_database_rule_put(rig->base->database, &rule, &change) >= 0);
    return weir_publish(rig->publisher, &by, &rig->published, rig->why);
}

static void publish_some(struct rig *rig, unsigned sets)
{
    for (unsigned i = 0; i < sets; i++)
        assert_int_equal(put_and_publish(rig, 1 + i), 1);
}

/* The database as it was made, and the publisher at work with it. */
static void lose_database(struct rig *rig)
{
    weir_publisher_free(&rig->publisher);
    database_must(rig->base, weir_database_run(rig->base->database, "DELETE FROM rule_sets; "
                  "DELETE FROM state WHERE name = 'rule_set_serial'"), 0);
    rig->warnings = rig->errors = 0;
    open_publisher(rig);
}

static int heard(struct rig *rig, uint32_t serial)
{
    return weir_publisher_heard(rig->publisher, "mx1", serial, DATABASE_NOW);
}

static void B12_a_lost_database_goes_on_behind_the_serial_beside_the_key(void **state)
{
    struct rig *rig = *state;

    publish_some(rig, 3);
    lose_database(rig);
    assert_int_equal(weir_publisher_serial(rig->publisher), 0);
    assert_int_equal(rig->warnings, 1);
    assert_int_equal(put_and_publish(rig, 9), 1);
    assert_int_equal(rig->published.serial, 4);
}

static void B12_serials_go_on_behind_what_servers_have(void **state)
{
    struct rig *rig = *state;
    uint32_t last;

    publish_some(rig, 1);
    assert_int_equal(heard(rig, 1), 0);
    assert_int_equal(heard(rig, 0), 0);
    assert_int_equal(rig->warnings, 0);
    assert_int_equal(heard(rig, 57), 1);
    assert_int_equal(heard(rig, 57), 0);
    assert_int_equal(heard(rig, 56), 0);
    assert_int_equal(rig->warnings, 1); /* told once */
    database_must(rig->base, weir_database_set_last(rig->base->database, &last), 0);
    assert_int_equal(last, 57);
    open_publisher(rig); /* it is remembered */
    assert_int_equal(put_and_publish(rig, 9), 1);
    assert_int_equal(rig->published.serial, 58);
}

static void a_set_that_servers_refuse_is_published_anew_but_only_by_a_person(void **state)
{
    struct rig *rig = *state;

    publish_some(rig, 1);
    assert_int_equal(put_and_publish(rig, 1), 0); /* nothing is different */
    assert_false(weir_publisher_held(rig->publisher));
    assert_int_equal(heard(rig, 5), 1);
    assert_true(weir_publisher_held(rig->publisher));
    assert_int_equal(put_and_publish(rig, 1), 1);
    assert_int_equal(rig->published.serial, 6);
    assert_false(weir_publisher_held(rig->publisher));
    assert_int_equal(put_and_publish(rig, 1), 0);
}

static void a_server_is_believed_WEIR_RULE_SERIAL_AHEAD_and_not_one_more(void **state)
{
    struct rig *rig = *state;

    publish_some(rig, 2);
    assert_int_equal(heard(rig, 2 + WEIR_RULE_SERIAL_AHEAD + 1), WEIR_ELIMIT);
    assert_int_equal(heard(rig, UINT32_MAX), WEIR_ELIMIT);
    assert_true(rig->errors > 0);
    assert_int_equal(heard(rig, 2 + WEIR_RULE_SERIAL_AHEAD), 1);
    /* and no further before something is published */
    assert_int_equal(heard(rig, 2 + WEIR_RULE_SERIAL_AHEAD + 1), WEIR_ELIMIT);
    open_publisher(rig);
    assert_int_equal(heard(rig, 2 + WEIR_RULE_SERIAL_AHEAD + 1), WEIR_ELIMIT);
    assert_int_equal(put_and_publish(rig, 9), 1);
    assert_int_equal(rig->published.serial, 3 + WEIR_RULE_SERIAL_AHEAD);
}

static void the_log_is_not_filled_by_a_server_that_is_not_believed(void **state)
{
    struct rig *rig = *state;

    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal(heard(rig, WEIR_RULE_SERIAL_MAX - i), WEIR_ELIMIT);
    assert_true(rig->errors < 50);
}

static void a_file_beside_the_key_that_is_damaged_or_gone_is_made_anew(void **state)
{
    static const char *const texts[] = {"", "none\n", "-1\n", "99999999999999\n", "268435456\n"};
    struct rig *rig = *state;

    publish_some(rig, 2);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        FILE *file = fopen(rig->file, "w");
        unsigned serial = 0;

        assert_true(file && fputs(texts[i], file) >= 0 && fclose(file) == 0);
        open_publisher(rig);
        assert_int_equal(heard(rig, 2), 0);
        file = fopen(rig->file, "r");
        assert_true(file && fscanf(file, "%u", &serial) == 1 && fclose(file) == 0);
        assert_int_equal(serial, 2);
    }
    assert_int_equal(unlink(rig->file), 0);
    open_publisher(rig);
    lose_database(rig);
    assert_int_equal(put_and_publish(rig, 9), 1);
    assert_int_equal(rig->published.serial, 3);
}

static void a_file_that_cannot_be_written_is_told_and_the_set_given_out(void **state)
{
    struct rig *rig = *state;

    publish_some(rig, 1);
    assert_int_equal(unlink(rig->file), 0);
    assert_int_equal(mkdir(rig->file, 0700), 0);
    rig->warnings = 0;
    assert_int_equal(put_and_publish(rig, 9), 1);
    assert_int_equal(weir_publisher_serial(rig->publisher), 2);
    assert_int_equal(rig->warnings, 1);
}

static void the_last_serial_is_the_last(void **state)
{
    struct rig *rig = *state;
    struct weir_database *database = rig->base->database;

    database_must(rig->base, weir_database_set_given(database, WEIR_RULE_SERIAL_MAX), 1);
    assert_int_equal(weir_database_set_given(database, WEIR_RULE_SERIAL_MAX + 1), WEIR_ELIMIT);
    open_publisher(rig);
    assert_int_equal(put_and_publish(rig, 9), WEIR_ELIMIT);
    assert_non_null(strstr(rig->why, "there are no more serials"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(B12_a_lost_database_goes_on_behind_the_serial_beside_the_key),
        TEST(B12_serials_go_on_behind_what_servers_have),
        TEST(a_set_that_servers_refuse_is_published_anew_but_only_by_a_person),
        TEST(a_server_is_believed_WEIR_RULE_SERIAL_AHEAD_and_not_one_more),
        TEST(the_log_is_not_filled_by_a_server_that_is_not_believed),
        TEST(a_file_beside_the_key_that_is_damaged_or_gone_is_made_anew),
        TEST(a_file_that_cannot_be_written_is_told_and_the_set_given_out),
        TEST(the_last_serial_is_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
