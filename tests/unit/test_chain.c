/*
 * chain - what joined and did not leave is there, in the order in which it joined.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "core/base/chain.h"
#include "tests/unit/seeded.h"

enum { THINGS = 12 };

struct thing {
    int name;
    struct weir_chained chained;
};

/* All that is there, first to last, is this; and backwards. */
static void must_be(const struct weir_chain *chain, const int *names, size_t count)
{
    const struct weir_chained *last = NULL;
    size_t seen = 0;

    for (struct thing *at = weir_chain_first(chain); at; at = weir_chain_behind(&at->chained)) {
        assert_true(seen < count && at->name == names[seen]);
        assert_ptr_equal(at->chained.before, last);
        last = &at->chained;
        seen++;
    }
    assert_int_equal(seen, count);
    assert_int_equal(chain->count, count);
    assert_ptr_equal(chain->last, last);
}

static void it_is_like_an_array_that_is_moved_together(void **state)
{
    struct seeded seed = seeded_new("chain");
    struct weir_chain chain = {0};
    struct thing thing[THINGS] = {{0}};
    int model[THINGS];
    size_t count = 0;

    (void)state;
    for (int i = 0; i < THINGS; i++)
        thing[i].name = i;
    for (int round = 0; round < 2000; round++) {
        struct thing *one = &thing[seeded_below(&seed, THINGS)];

        if (!weir_chained_is(&one->chained)) {
            weir_chain_join(&chain, &one->chained, one);
            model[count++] = one->name;
        } else {
            weir_chain_leave(&chain, &one->chained);
            for (size_t at = 0; at < count; at++)
                if (model[at] == one->name) {
                    memmove(&model[at], &model[at + 1], (--count - at) * sizeof *model);
                    break;
                }
        }
        must_be(&chain, model, count);
    }
}

static void who_is_in_no_chain_can_leave_it(void **state)
{
    struct weir_chain chain = {0};
    struct thing one = {.name = 1}, other = {.name = 2};

    (void)state;
    assert_null(weir_chain_first(&chain));
    weir_chain_join(&chain, &one.chained, &one);
    weir_chain_leave(&chain, &other.chained);
    must_be(&chain, &one.name, 1);
    weir_chain_leave(&chain, &one.chained);
    weir_chain_leave(&chain, &one.chained);
    must_be(&chain, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_like_an_array_that_is_moved_together),
        cmocka_unit_test(who_is_in_no_chain_can_leave_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
