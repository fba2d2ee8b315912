/* Keys made quickly are the keys made plainly, in whatever order they are asked for. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "core/store/counter_keys.h"
#include "tests/unit/seeded.h"

static void assert_same_key(struct weir_counter_keys *keys, const struct weir_counter *counter,
                            uint32_t epoch)
{
    char want[WEIR_COUNTER_KEY_MAX];
    char got[WEIR_COUNTER_KEY_MAX];
    size_t want_len = weir_counter_key(counter, epoch, want);
    assert_int_equal(weir_counter_keys_write(keys, counter, epoch, got), want_len);
    assert_memory_equal(got, want, want_len);
}

static void quick_keys_are_plain_keys(void **state)
{
    static const uint32_t half_life[] = {0, 1, 900, 3600, 864000, 2592000, UINT32_MAX};
    struct weir_counter_keys keys = {0};
    (void)state;
    struct seeded seed = seeded_new("quick_keys_are_plain_keys");
    struct weir_counter counter;
    memset(&counter, 0, sizeof counter);
    assert_same_key(&keys, &counter, 0); /* the very first, all zeroes */
    for (size_t i = 0; i < 100000; i++) {
        if (seeded_below(&seed, 5) == 0)
            seeded_fill(&seed, counter.entity.id, sizeof counter.entity.id);
        if (seeded_below(&seed, 50) == 0) /* neighbours differ in one octet */
            counter.entity.id[seeded_below(&seed, 16)] ^= 1;
        counter.variable = seeded_below(&seed, WEIR_VARIABLES);
        counter.half_life = half_life[seeded_below(&seed, 7)];
        uint32_t epoch = seeded_below(&seed, 20) ? 40 + seeded_below(&seed, 3)
                                                 : (uint32_t)seeded_next(&seed);
        assert_same_key(&keys, &counter, epoch);
    }
}

/* More kinds at a time than are remembered: slower, not wrong. */
static void kinds_that_share_a_place_are_told_apart(void **state)
{
    struct weir_counter_keys keys = {0};
    (void)state;
    for (uint32_t round = 0; round < 3; round++)
        for (uint32_t epoch = 0; epoch < 5 * WEIR_COUNTER_HEADS; epoch++) {
            const struct weir_counter counter = {.half_life = 900, .variable = WEIR_GOOD_USER};
            assert_same_key(&keys, &counter, epoch);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quick_keys_are_plain_keys),
        cmocka_unit_test(kinds_that_share_a_place_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
