/* login_limit - whoever guesses waits, by address and by name, and nobody is locked out. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "monitor/console/login_limit.h"

#define NOW (1000 * WEIR_SECOND)

static int setup(void **state)
{
    const struct weir_hash_key key = {{7}};
    struct weir_login_limit *limit;

    assert_int_equal(weir_login_limit_new(&key, &limit), 0);
    *state = limit;
    return 0;
}

static int teardown(void **state)
{
    struct weir_login_limit *limit = *state;

    weir_login_limit_free(&limit);
    weir_login_limit_free(&limit);
    return 0;
}

static struct weir_address address(const char *text)
{
    struct weir_address one;

    assert_int_equal(weir_address_parse(text, strlen(text), &one), 0);
    return one;
}

static struct weir_login_try try_of(const char *from, const char *name)
{
    return (struct weir_login_try){.address = address(from), .name = name};
}

static void fail_often(struct weir_login_limit *limit, const char *from, const char *name,
                       unsigned count, weir_time now)
{
    const struct weir_login_try one = try_of(from, name);

    for (unsigned i = 0; i < count; i++)
        weir_login_limit_failed(limit, &one, now);
}

static weir_time wait_of(struct weir_login_limit *limit, const char *from, const char *name,
                         weir_time now)
{
    const struct weir_login_try one = try_of(from, name);

    return weir_login_limit_wait(limit, &one, now);
}

static void succeed(struct weir_login_limit *limit, const char *from, const char *name,
                    weir_time now)
{
    const struct weir_login_try one = try_of(from, name);

    weir_login_limit_failed(limit, &one, now); /* as a login does, before it is looked at */
    weir_login_limit_succeeded(limit, &one, now);
}

static void some_tries_are_free_and_then_one_waits_longer_and_longer(void **state)
{
    weir_time last = 0;

    fail_often(*state, "192.0.2.1", "a", WEIR_LOGIN_FREE - 1, NOW);
    assert_int_equal(wait_of(*state, "192.0.2.1", "b", NOW), 0);
    fail_often(*state, "192.0.2.1", "a", 1, NOW);
    assert_int_equal(wait_of(*state, "192.0.2.1", "b", NOW), WEIR_SECOND);
    assert_int_equal(wait_of(*state, "192.0.2.1", "b", NOW + WEIR_SECOND - 1), 1);
    assert_int_equal(wait_of(*state, "192.0.2.1", "b", NOW + WEIR_SECOND), 0);
    for (unsigned i = 0; i < 40; i++) {
        weir_time wait = wait_of(*state, "192.0.2.1", "b", NOW);

        assert_true(wait >= last && wait <= WEIR_LOGIN_WAIT_MOST);
        last = wait;
        fail_often(*state, "192.0.2.1", "a", 1, NOW);
    }
    assert_int_equal(last, WEIR_LOGIN_WAIT_MOST);
    assert_int_equal(wait_of(*state, "192.0.2.2", "b", NOW), 0);
}

static void a_name_waits_a_little_wherever_one_comes_from(void **state)
{
    char from[32];

    for (unsigned i = 0; i < 60; i++) {
        snprintf(from, sizeof from, "198.51.100.%u", i);
        fail_often(*state, from, "Anna", 1, NOW);
    }
    assert_int_equal(wait_of(*state, "192.0.2.9", "anna", NOW), WEIR_LOGIN_NAME_WAIT);
    assert_int_equal(wait_of(*state, "192.0.2.9", "anna", NOW + WEIR_LOGIN_NAME_WAIT), 0);
    assert_int_equal(wait_of(*state, "192.0.2.9", "bert", NOW), 0);
}

static void who_has_succeeded_does_not_wait_for_his_name(void **state)
{
    const weir_time later = NOW + WEIR_LOGIN_MEMORY;

    succeed(*state, "192.0.2.9", "anna", NOW);
    for (unsigned i = 0; i < 60; i++)
        fail_often(*state, "198.51.100.1", "anna", 1, NOW + i);
    assert_int_equal(wait_of(*state, "192.0.2.9", "anna", NOW + 60), 0);
    assert_true(wait_of(*state, "192.0.2.10", "anna", NOW + 60) > 0);
    assert_true(wait_of(*state, "198.51.100.1", "anna", NOW + 60) > WEIR_LOGIN_NAME_WAIT);
    fail_often(*state, "192.0.2.9", "bert", 60, NOW);
    assert_int_equal(wait_of(*state, "192.0.2.9", "anna", NOW), WEIR_LOGIN_NAME_WAIT);
    fail_often(*state, "198.51.100.1", "anna", 60, later);
    assert_true(wait_of(*state, "192.0.2.9", "anna", later) > 0); /* it is no more lately */
}

static void a_stranger_gets_his_turn_however_many_guess_meanwhile(void **state)
{
    weir_time now = NOW;
    char from[32];

    for (unsigned i = 0; i < 40; i++, now += WEIR_SECOND) {
        for (unsigned j = 0; j < 20; j++) {
            snprintf(from, sizeof from, "10.%u.%u.1", i, j);
            fail_often(*state, from, "anna", 1, now);
        }
        if (i == 5)
            assert_int_equal(wait_of(*state, "192.0.2.9", "anna", now), WEIR_LOGIN_NAME_WAIT);
        else if (i > 5 && i < 35)
            assert_int_equal(wait_of(*state, "192.0.2.9", "anna", now), (35 - i) * WEIR_SECOND);
        else if (i >= 35)
            assert_int_equal(wait_of(*state, "192.0.2.9", "anna", now), 0);
    }
    fail_often(*state, "192.0.2.9", "anna", 1, now);
    assert_true(wait_of(*state, "192.0.2.9", "anna", now) > 0);
}

static void a_device_that_is_known_waits_for_nobody_else(void **state)
{
    struct weir_login_try one = try_of("192.0.2.1", "anna");

    one.device = 7;
    fail_often(*state, "192.0.2.1", "anna", 60, NOW);
    assert_int_equal(weir_login_limit_wait(*state, &one, NOW), 0);
    for (unsigned i = 0; i < WEIR_LOGIN_FREE; i++)
        weir_login_limit_failed(*state, &one, NOW);
    assert_int_equal(weir_login_limit_wait(*state, &one, NOW), WEIR_SECOND);
    assert_int_equal(wait_of(*state, "192.0.2.2", "bert", NOW), 0);
    weir_login_limit_succeeded(*state, &one, NOW);
    assert_int_equal(weir_login_limit_wait(*state, &one, NOW), 0);
    assert_int_equal(wait_of(*state, "192.0.2.1", "anna", NOW), WEIR_LOGIN_WAIT_MOST);
}

static void a_guesser_is_not_forgiven_by_an_account_of_his_own(void **state)
{
    for (unsigned i = 0; i < WEIR_LOGIN_FREE; i++) {
        fail_often(*state, "192.0.2.1", "anna", 1, NOW);
        succeed(*state, "192.0.2.1", "mallory", NOW);
    }
    assert_true(wait_of(*state, "192.0.2.1", "anna", NOW) > 0);
}

static void a_network_of_ipv6_is_one_address(void **state)
{
    fail_often(*state, "2001:db8::1", "a", WEIR_LOGIN_FREE, NOW);
    assert_true(wait_of(*state, "2001:db8::ffff:1", "b", NOW) > 0);
    assert_int_equal(wait_of(*state, "2001:db8:0:1::1", "b", NOW), 0);
}

static void time_makes_one_forget(void **state)
{
    fail_often(*state, "192.0.2.2", "a", 20, NOW);
    assert_int_equal(wait_of(*state, "192.0.2.2", "a", NOW + WEIR_LOGIN_MEMORY), 0);
    fail_often(*state, "192.0.2.2", "a", 1, NOW + WEIR_LOGIN_MEMORY);
    assert_int_equal(wait_of(*state, "192.0.2.2", "c", NOW + WEIR_LOGIN_MEMORY), 0);
}

static void any_number_of_strangers_has_room(void **state)
{
    char from[32];

    for (unsigned i = 0; i < 1000000; i++) {
        snprintf(from, sizeof from, "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
        fail_often(*state, from, "a", 1, NOW + i);
    }
    fail_often(*state, "192.0.2.1", "b", WEIR_LOGIN_FREE, NOW + 1000000);
    assert_true(wait_of(*state, "192.0.2.1", "c", NOW + 1000000) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(some_tries_are_free_and_then_one_waits_longer_and_longer,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_name_waits_a_little_wherever_one_comes_from, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(who_has_succeeded_does_not_wait_for_his_name, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_network_of_ipv6_is_one_address, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stranger_gets_his_turn_however_many_guess_meanwhile,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_device_that_is_known_waits_for_nobody_else, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_guesser_is_not_forgiven_by_an_account_of_his_own, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(time_makes_one_forget, setup, teardown),
        cmocka_unit_test_setup_teardown(any_number_of_strangers_has_room, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
