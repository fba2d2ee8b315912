/*
 * hit_days - additions by rule and day against a plain table of all of them.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "monitor/analyzer/hit_days.h"
#include "tests/unit/seeded.h"

enum { RULES = 40, DAYS = 30 };

static struct weir_hit_days *days_new(void)
{
    const struct weir_hash_key key = {{1, 2, 3}};
    struct weir_hit_days *days = NULL;

    assert_int_equal(weir_hit_days_new(&key, &days), 0);
    return days;
}

/* Ids far apart, and the one that stands for all messages. */
static uint32_t id_of(unsigned rule)
{
    return rule == 0 ? WEIR_HIT_DAYS_ALL : rule * 0x01000193u;
}

/* Whether the days are those of the table, none missing and none twice. */
static void check(const struct weir_hit_days *days, int32_t model[RULES][DAYS])
{
    const struct weir_hit_day *row;
    int32_t left[RULES][DAYS];
    size_t rows = 0;

    memcpy(left, model, sizeof left);
    for (; (row = weir_hit_days_get(days, rows)) != NULL; rows++) {
        unsigned rule = 0;

        while (rule < RULES && id_of(rule) != row->rule)
            rule++;
        assert_in_range(row->day, 20000, 20000 + DAYS - 1);
        assert_true(rule < RULES && row->hits > 0 && left[rule][row->day - 20000] == row->hits);
        left[rule][row->day - 20000] = 0;
    }
    for (size_t i = 0; i < RULES * DAYS; i++)
        assert_int_equal(left[i / DAYS][i % DAYS], 0);
}

static void B22_every_rule_and_day_has_its_own_count_whatever_their_order(void **state)
{
    struct seeded s = seeded_new(__func__);
    struct weir_hit_days *days = days_new();
    uint32_t hint[RULES];
    (void)state;
    for (unsigned i = 0; i < RULES; i++)
        hint[i] = seeded_below(&s, 2) ? seeded_below(&s, UINT32_MAX) : 0; /* may say anything */
    for (int turn = 0; turn < 20; turn++) {
        int32_t model[RULES][DAYS] = {{0}};

        for (int i = 0; i < 3000; i++) {
            unsigned rule = seeded_below(&s, RULES), day = seeded_below(&s, DAYS);

            assert_int_equal(weir_hit_days_room(days, 1), 0);
            weir_hit_days_of(days, id_of(rule), 20000 + (int32_t)day, &hint[rule])->hits++;
            model[rule][day]++;
        }
        check(days, model);
        weir_hit_days_clear(days);
        assert_null(weir_hit_days_get(days, 0));
    }
    weir_hit_days_free(&days);
    assert_null(days);
}

static void room_that_was_made_is_not_left(void **state)
{
    struct weir_hit_days *days = days_new();
    struct weir_hit_day *first;
    uint32_t hint = 0, none = 0;
    (void)state;
    assert_int_equal(weir_hit_days_room(days, 100000), 0);
    first = weir_hit_days_of(days, 1, 1, &hint);
    for (uint32_t i = 2; i <= 100000; i++, none = 0)
        weir_hit_days_of(days, i, 1, &none)->hits = (int32_t)i;
    assert_ptr_equal(weir_hit_days_of(days, 1, 1, &hint), first);
    assert_int_equal(weir_hit_days_of(days, 100000, 1, &none)->hits, 100000);
    assert_null(weir_hit_days_get(days, 100000));
    weir_hit_days_free(&days);
    weir_hit_days_free(&days);
}

static void a_day_is_utc_and_begins_at_midnight(void **state)
{
    (void)state;
    assert_int_equal(weir_hit_day(0), 0);
    assert_int_equal(weir_hit_day(20000 * WEIR_DAY), 20000);
    assert_int_equal(weir_hit_day(20000 * WEIR_DAY - 1), 19999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(B22_every_rule_and_day_has_its_own_count_whatever_their_order),
        cmocka_unit_test(room_that_was_made_is_not_left),
        cmocka_unit_test(a_day_is_utc_and_begins_at_midnight),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
