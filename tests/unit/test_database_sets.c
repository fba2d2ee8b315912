/*
 * Published rule sets in the database: serials only grow, and what is too much is forgotten.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "core/base/error.h"
#include "monitor/database/database_sets_io.h"
#include "tests/unit/database_rig.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, database_setup, database_teardown)

static struct weir_kept_set a_set(uint32_t serial)
{
    return (struct weir_kept_set){.serial = serial, .made = DATABASE_NOW, .who = "uid 0",
                                  .what = "published", .why = "it was time", .rules = 3,
                                  .octets = 100, .file = {"f\0le", 4}};
}

static int add(struct database_rig *rig, uint32_t serial)
{
    const struct weir_kept_set set = a_set(serial);

    return weir_database_set_add(rig->database, &set);
}

static int is_like_it(void *context, const struct weir_kept_set *set)
{
    const struct weir_kept_set *wanted = context;

    assert_int_equal(set->serial, wanted->serial);
    assert_int_equal(set->made, wanted->made);
    assert_string_equal(set->who, wanted->who);
    assert_string_equal(set->what, wanted->what);
    assert_string_equal(set->why, wanted->why);
    assert_int_equal(set->rules, wanted->rules);
    assert_int_equal(set->octets, wanted->octets);
    assert_int_equal(set->file.len, wanted->file.len);
    assert_memory_equal(set->file.at, wanted->file.at, set->file.len);
    return 0;
}

struct serials {
    uint32_t serial[4];
    size_t count;
};

static int note(void *context, const struct weir_kept_set *set)
{
    struct serials *serials = context;

    assert_int_equal(set->file.len, 0);
    if (serials->count < 4)
        serials->serial[serials->count] = set->serial;
    serials->count++;
    return 0;
}

static void what_is_added_comes_out(void **state)
{
    struct database_rig *rig = *state;
    struct weir_kept_set first = a_set(1), second = a_set(2);
    struct serials serials = {.count = 0};

    database_must(rig, weir_database_set(rig->database, 0, note, &serials), 0);
    database_must(rig, add(rig, 1), 0);
    database_must(rig, add(rig, 2), 0);
    database_must(rig, weir_database_set(rig->database, 0, is_like_it, &second), 1);
    database_must(rig, weir_database_set(rig->database, 1, is_like_it, &first), 1);
    database_must(rig, weir_database_set(rig->database, 3, is_like_it, &first), 0);
    database_must(rig, weir_database_sets(rig->database, note, &serials), 2);
    assert_int_equal(serials.serial[0], 2);
    assert_int_equal(serials.serial[1], 1);
}

static void serials_only_grow_whatever_is_gone(void **state)
{
    struct database_rig *rig = *state;
    uint32_t next;

    assert_int_equal(add(rig, 2), WEIR_EINVAL);
    assert_int_equal(add(rig, 0), WEIR_EINVAL);
    database_must(rig, add(rig, 1), 0);
    assert_int_equal(add(rig, 1), WEIR_EINVAL);
    database_must(rig, weir_database_run(rig->database, "DELETE FROM rule_sets"), 0);
    database_must(rig, weir_database_set_next(rig->database, &next), 0);
    assert_int_equal(next, 2);
    database_must(rig, database_open(rig), 0);
    database_must(rig, add(rig, 2), 0);
}

static void limit_WEIR_RULE_SERIAL_MAX(void **state)
{
    struct database_rig *rig = *state;
    uint32_t next;

    database_must(rig, weir_state_put(rig->database, "rule_set_serial", WEIR_RULE_SERIAL_MAX - 1),
                  0);
    database_must(rig, add(rig, WEIR_RULE_SERIAL_MAX), 0);
    assert_int_equal(weir_database_set_next(rig->database, &next), WEIR_ELIMIT);
    assert_int_equal(add(rig, WEIR_RULE_SERIAL_MAX + 1), WEIR_ELIMIT);
}

static void limit_WEIR_RULE_SETS_KEPT(void **state)
{
    struct database_rig *rig = *state;

    for (uint32_t serial = 1; serial <= WEIR_RULE_SETS_KEPT; serial++)
        database_must(rig, add(rig, serial), 0);
    assert_int_equal(database_number(rig, "SELECT min(serial) FROM rule_sets"), 1);
    database_must(rig, add(rig, WEIR_RULE_SETS_KEPT + 1), 0);
    assert_int_equal(database_number(rig, "SELECT min(serial) FROM rule_sets"), 2);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM rule_sets"), WEIR_RULE_SETS_KEPT);
}

static void limit_WEIR_RULE_SETS_OCTETS_MAX(void **state)
{
    struct database_rig *rig = *state;
    const size_t third = WEIR_RULE_SETS_OCTETS_MAX / 3;
    char *octets = calloc(1, third + 2);
    struct weir_kept_set set;

    for (uint32_t serial = 1; serial <= 4; serial++) {
        set = a_set(serial);
        set.file = (struct weir_slice){octets, serial == 4 ? third + 2 : third};
        database_must(rig, weir_database_set_add(rig->database, &set), 0);
        assert_int_equal(database_number(rig, "SELECT count(*) FROM rule_sets"),
                         serial < 3 ? serial : serial == 3 ? 3 : 2);
    }
    free(octets);
}

static void limit_WEIR_DATABASE_TEXT_MAX(void **state)
{
    struct database_rig *rig = *state;
    char *text = calloc(1, WEIR_DATABASE_TEXT_MAX + 2);
    struct weir_kept_set set = a_set(1);

    memset(text, 'x', WEIR_DATABASE_TEXT_MAX + 1);
    set.why = text;
    assert_int_equal(weir_database_set_add(rig->database, &set), WEIR_ELIMIT);
    text[WEIR_DATABASE_TEXT_MAX] = '\0';
    database_must(rig, weir_database_set_add(rig->database, &set), 0);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_added_comes_out),
        TEST(serials_only_grow_whatever_is_gone),
        TEST(limit_WEIR_RULE_SERIAL_MAX),
        TEST(limit_WEIR_RULE_SETS_KEPT),
        TEST(limit_WEIR_RULE_SETS_OCTETS_MAX),
        TEST(limit_WEIR_DATABASE_TEXT_MAX),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
