/* A sniffer that writes nothing: when that is told, and what is not held against it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "monitor/agent/silence.h"

#define TENTH (WEIR_SECOND / 10)

struct world {
    struct weir_silence silence;
    weir_time now, lasted;
    unsigned began, ended;
};

/* So many looks, a tenth of a second apart; it writes at every n-th. */
static void look(struct world *world, unsigned looks, unsigned every)
{
    for (unsigned i = 1; i <= looks; i++) {
        enum weir_silence_news news;

        world->now += TENTH;
        news = weir_silence_look(&world->silence, every && i % every == 0, world->now,
                                 &world->lasted);
        world->began += news == WEIR_SILENCE_BEGAN;
        world->ended += news == WEIR_SILENCE_ENDED;
    }
}

static void who_writes_each_second_is_never_silent(void **state)
{
    struct world world = {.now = 5};
    (void)state;
    look(&world, 1000, 10);
    assert_int_equal(world.began + world.ended, 0);
    assert_int_equal(world.silence.times, 0);
}

static void a_server_that_never_had_a_sniffer_is_not_silent(void **state)
{
    struct world world = {.now = 5};
    (void)state;
    look(&world, 1000, 0);
    assert_int_equal(world.began, 0);
    assert_int_equal(weir_silence_now(&world.silence), 0);
}

static void silence_is_told_once_from_its_limit_on_and_once_when_it_ends(void **state)
{
    struct world world = {.now = 5};
    (void)state;
    look(&world, 10, 10);
    look(&world, 29, 0);
    assert_int_equal(world.began, 0);
    assert_int_equal(weir_silence_now(&world.silence), 0);
    look(&world, 1, 0);
    assert_int_equal(world.began, 1);
    assert_int_equal(weir_silence_now(&world.silence), WEIR_SILENCE_LEAST);
    look(&world, 50, 0);
    assert_int_equal(weir_silence_now(&world.silence), 8 * WEIR_SECOND);
    look(&world, 10, 1);
    assert_int_equal(world.ended, 1);
    assert_int_equal(world.silence.past, 8 * WEIR_SECOND);
    assert_int_equal(weir_silence_now(&world.silence), 0);
    look(&world, 40, 0);
    assert_int_equal(world.silence.times, 2);
}

static void how_long_it_lasted_is_told_at_its_end(void **state)
{
    struct world world = {.now = 5};
    (void)state;
    look(&world, 1, 1);
    look(&world, 44, 0);
    look(&world, 1, 1);
    assert_int_equal(world.lasted, 44 * TENTH);
}

static void time_in_which_nobody_looked_is_not_silence(void **state)
{
    struct world world = {.now = 5};
    (void)state;
    look(&world, 10, 10);
    world.now += WEIR_HOUR;
    look(&world, 20, 0);
    assert_int_equal(world.began, 0);
    look(&world, 1, 1);
    assert_int_equal(world.began + world.ended, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_writes_each_second_is_never_silent),
        cmocka_unit_test(a_server_that_never_had_a_sniffer_is_not_silent),
        cmocka_unit_test(silence_is_told_once_from_its_limit_on_and_once_when_it_ends),
        cmocka_unit_test(how_long_it_lasted_is_told_at_its_end),
        cmocka_unit_test(time_in_which_nobody_looked_is_not_silence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
