/*
 * held_sessions - found by their hash, for as long as sessions last; the oldest makes room.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "monitor/console/held_sessions.h"

#define NOW (1000 * WEIR_DAY)

static const uint8_t *hash_of(unsigned n)
{
    static uint8_t hash[WEIR_TOKEN_HASH];

    memset(hash, 0, sizeof hash);
    hash[0] = (uint8_t)n;
    hash[1] = (uint8_t)(n >> 8);
    return hash;
}

static bool is_found(struct weir_held_sessions *held, unsigned n, weir_time now, bool uses)
{
    struct weir_account account = {.number = 0};
    weir_time started = 0;

    if (!weir_held_sessions_find(held, hash_of(n), now, uses, &account, &started))
        return false;
    assert_int_equal(account.number, n + 1);
    assert_string_equal(account.name, "anna");
    assert_true(started >= NOW);
    return true;
}

static bool is_there(struct weir_held_sessions *held, unsigned n, weir_time now)
{
    return is_found(held, n, now, true);
}

static void add(struct weir_held_sessions *held, unsigned n, weir_time now)
{
    const struct weir_account account = {.number = n + 1, .name = "anna"};

    weir_held_sessions_add(held, hash_of(n), &account, now);
}

static void one_more_than_there_is_room_for_ends_the_oldest(void **state)
{
    struct weir_held_sessions *held = weir_held_sessions_new();

    (void)state;
    for (unsigned n = 0; n < WEIR_HELD_SESSIONS; n++)
        add(held, n, NOW + n);
    for (unsigned n = WEIR_HELD_SESSIONS; n-- > 0;)
        assert_true(is_there(held, n, NOW + 100 + (n == 0))); /* the first is used last */
    add(held, WEIR_HELD_SESSIONS, NOW + 200);
    assert_true(is_there(held, 0, NOW + 201));
    assert_false(is_there(held, 1, NOW + 201));
    assert_true(is_there(held, WEIR_HELD_SESSIONS, NOW + 201));
    weir_held_sessions_free(&held);
    assert_null(held);
    weir_held_sessions_free(&held);
}

static void one_lasts_as_long_as_a_session_does(void **state)
{
    struct weir_held_sessions *held = weir_held_sessions_new();
    weir_time now = NOW;

    (void)state;
    add(held, 1, NOW);
    add(held, 2, NOW);
    assert_true(is_there(held, 2, NOW + WEIR_SESSION_IDLE - 1));
    assert_false(is_there(held, 1, NOW + WEIR_SESSION_IDLE));
    for (; now < NOW + WEIR_SESSION_WHOLE - WEIR_HOUR; now += WEIR_HOUR)
        assert_true(is_there(held, 2, now));
    assert_true(is_there(held, 2, NOW + WEIR_SESSION_WHOLE - 1));
    assert_false(is_there(held, 2, NOW + WEIR_SESSION_WHOLE));
    weir_held_sessions_free(&held);
}

static void a_page_that_only_listens_does_not_use_it(void **state)
{
    struct weir_held_sessions *held = weir_held_sessions_new();

    (void)state;
    add(held, 1, NOW);
    for (weir_time now = NOW; now < NOW + WEIR_SESSION_IDLE; now += WEIR_HOUR)
        assert_true(is_found(held, 1, now, false));
    assert_false(is_found(held, 1, NOW + WEIR_SESSION_IDLE, false));
    weir_held_sessions_free(&held);
}

static void one_that_was_ended_is_over(void **state)
{
    struct weir_held_sessions *held = weir_held_sessions_new();

    (void)state;
    add(held, 1, NOW);
    assert_false(weir_held_sessions_end(held, hash_of(2)));
    assert_true(weir_held_sessions_end(held, hash_of(1)));
    assert_false(is_there(held, 1, NOW));
    assert_false(weir_held_sessions_end(held, hash_of(1)));
    weir_held_sessions_free(&held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_more_than_there_is_room_for_ends_the_oldest),
        cmocka_unit_test(one_lasts_as_long_as_a_session_does),
        cmocka_unit_test(a_page_that_only_listens_does_not_use_it),
        cmocka_unit_test(one_that_was_ended_is_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
