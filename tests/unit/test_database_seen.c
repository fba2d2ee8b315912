/*
 * database_seen - numbers come back in their order, as many as was said and not many more
 * (monitor/database/database_seen_io.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "core/base/error.h"
#include "monitor/database/database_seen_io.h"
#include "tests/unit/database_rig.h"

#define ROW WEIR_DATABASE_SEEN_ROW
#define FIRST UINT64_C(0xfffffffffffff000) /* numbers wrap, as uids may */

struct told {
    uint64_t first, count;
};

static int take(void *context, const uint64_t *number, size_t count)
{
    struct told *told = context;

    for (size_t i = 0; i < count; i++, told->count++) {
        if (told->count == 0)
            told->first = number[i];
        assert_true(number[i] == told->first + told->count);
    }
    return 0;
}

static struct told told(struct database_rig *rig)
{
    struct told all = {0};

    assert_true(weir_database_seen(rig->database, take, &all) >= 0);
    return all;
}

/* So many numbers behind those before. */
static void put(struct database_rig *rig, uint64_t *next, size_t count)
{
    uint64_t *number = calloc(count + 1, sizeof *number);

    assert_non_null(number);
    for (size_t i = 0; i < count; i++)
        number[i] = (*next)++;
    database_must(rig, weir_database_seen_put(rig->database, number, count), 0);
    free(number);
}

static void numbers_come_back_in_their_order(void **state)
{
    static const size_t pieces[] = {0, 1, ROW - 2, 1, 1, 0, ROW, ROW + 1, 3 * ROW + 5, 7};
    struct database_rig *rig = *state;
    uint64_t next = FIRST;

    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        put(rig, &next, pieces[i]);
        database_must(rig, database_open(rig), 0);
        assert_true(told(rig).count == next - FIRST);
    }
    assert_true(told(rig).first == FIRST);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM seen_decisions"),
                     (int64_t)(next - FIRST + ROW - 1) / ROW);
}

static void the_oldest_go_at_the_limit_and_not_before(void **state)
{
    struct database_rig *rig = *state;
    uint64_t next = FIRST;

    put(rig, &next, WEIR_HITS_SEEN_MAX + ROW);
    assert_true(told(rig).count == WEIR_HITS_SEEN_MAX + ROW);
    put(rig, &next, 1);
    assert_true(told(rig).count == WEIR_HITS_SEEN_MAX + 1);
    assert_true(told(rig).first == FIRST + ROW);
}

static void a_damaged_row_is_told(void **state)
{
    struct database_rig *rig = *state;
    uint64_t number = 1;
    struct told all = {0};

    database_must(rig, weir_database_run(rig->database, "INSERT INTO seen_decisions "
                                         "(number, decisions) VALUES (1, x'00')"), 0);
    assert_int_equal(weir_database_seen(rig->database, take, &all), WEIR_ECORRUPT);
    assert_int_equal(weir_database_seen_put(rig->database, &number, 1), WEIR_ECORRUPT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, database_setup, database_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(numbers_come_back_in_their_order),
        TEST(the_oldest_go_at_the_limit_and_not_before),
        TEST(a_damaged_row_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
