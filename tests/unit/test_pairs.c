/* pairs - beside a plain table of numbers. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "monitor/analyzer/pairs.h"
#include "tests/unit/seeded.h"

enum { SIDE = 64 };

struct row {
    uint32_t one;
    int32_t other;
    uint32_t times;
};

static void check(const struct weir_pairs *pairs, unsigned model[SIDE][SIDE])
{
    const struct row *row;
    size_t rows = 0;

    for (uint32_t i = 0; i < SIDE * SIDE; i++) {
        row = weir_pairs_find(pairs, i / SIDE, i % SIDE);
        assert_int_equal(row ? row->times : 0, model[i / SIDE][i % SIDE]);
        rows += row != NULL;
    }
    assert_int_equal(weir_pairs_count(pairs), rows);
    for (size_t i = 0; i < rows; i++) {
        row = weir_pairs_at(pairs, i);
        assert_int_equal(weir_pairs_number(pairs, row), i);
        assert_ptr_equal(weir_pairs_find(pairs, row->one, (uint32_t)row->other), row);
    }
    assert_null(weir_pairs_at(pairs, rows));
}

static void rows_are_found_by_their_pair_whatever_their_order(void **state)
{
    static const struct weir_hash_key key = {{7}};
    static unsigned model[SIDE][SIDE];
    struct seeded s = seeded_new(__func__);
    struct weir_pairs *pairs;

    (void)state;
    assert_int_equal(weir_pairs_new(&key, sizeof(struct row), &pairs), 0);
    for (int turn = 0; turn < 3; turn++) {
        memset(model, 0, sizeof model);
        for (int i = 0; i < 10000; i++) {
            uint32_t one = seeded_below(&s, SIDE), other = seeded_below(&s, SIDE);
            struct row *row;

            assert_int_equal(weir_pairs_room(pairs, 1), 0);
            row = weir_pairs_find(pairs, one, other);
            if (!row)
                row = weir_pairs_add(pairs, one, other);
            row->times++;
            model[one][other]++;
        }
        check(pairs, model);
        weir_pairs_clear(pairs);
    }
    memset(model, 0, sizeof model);
    check(pairs, model);
    weir_pairs_free(&pairs);
    assert_null(pairs);
    weir_pairs_free(&pairs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_found_by_their_pair_whatever_their_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
