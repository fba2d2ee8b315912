/*
 * Networks of a watch: which offenders condemn one together, and which do not (watch_events.c,
 * alarms.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "tests/unit/watched.h"

/* Ten messages at once, one a second. */
static const struct weir_watch_class everybody = {
    .name = "default", .limits = {{[WEIR_QUANTITY_MESSAGES] = {1, 10}}}};

static void one_bad_neighbour_does_not_condemn_a_network(void **state)
{
    struct watched w;
    (void)state;
    watched_open(&w, &everybody, 1, NULL);
    watched_charge(&w, "192.0.2.1", 0, 1000);
    watched_charge(&w, "192.0.2.2", 0, 10);
    watched_charge(&w, "192.0.2.1", 1, 1000);
    assert_int_equal(w.count, 1);
    watched_charge(&w, "192.0.2.2", 1, 2); /* the second one that is over */
    assert_int_equal(w.count, 3);
    assert_true(watched_is(&w, true, "192.0.2.0/24"));
    assert_int_equal(watched_last(&w)->children, 2);
    assert_true(watched_last(&w)->limit.maximum == 40 && watched_last(&w)->limit.rate == 4);
    watched_charge(&w, "192.0.2.3", 1, 11);
    assert_int_equal(w.count, 4); /* the network only once */
    watched_close(&w);
}

static void offenders_without_an_excess_of_the_network_do_not_condemn_it(void **state)
{
    struct watched w;
    (void)state;
    watched_open(&w, &everybody, 1, NULL);
    watched_charge(&w, "192.0.2.1", 0, 11);
    watched_charge(&w, "192.0.2.2", 0, 11);
    watched_charge(&w, "192.0.2.3", 0, 11);
    assert_int_equal(w.count, 3);
    watched_charge(&w, "192.0.2.4", 0, 7);
    assert_int_equal(w.count, 3); /* 40 of 40 */
    watched_charge(&w, "192.0.2.4", 0, 1);
    assert_true(watched_is(&w, true, "192.0.2.0/24"));
    watched_close(&w);
}

static void networks_of_IPv6_widen_step_by_step(void **state)
{
    static const char *const address[] = {"2001:db8:0:0::1", "2001:db8:0:1::1",
                                          "2001:db8:0:100::1", "2001:db8:0:101::1"};
    struct watched w;
    (void)state;
    watched_open(&w, &everybody, 1, NULL);
    for (size_t i = 0; i < 4; i++)
        watched_charge(&w, address[i], 0, 50);
    assert_int_equal(w.count, 4 + 2 + 1);
    assert_int_equal(w.event[4].prefix.bits, 48); /* two /56 have offenders */
    assert_int_equal(w.event[4].children, 2);
    assert_true(watched_is(&w, true, "2001:db8:0:100::/56"));
    watched_charge(&w, "2001:db8:0:1:dead::", 0, 1); /* of the same /64 */
    assert_int_equal(w.count, 7);
    assert_true(watched_tokens(&w, "2001:db8:0:1::/64", 0) == -10);
    assert_true(watched_tokens(&w, "2001:db8:0:1::5", 0) == -10);
    assert_true(watched_tokens(&w, "2001:db8::/32", 0) == 0); /* has none */
    watched_close(&w);
}

/* One offender in each of many /56, of which none has enough for an event of its own. */
static void offenders_that_share_no_part_of_a_network_condemn_it_together(void **state)
{
    struct watched w;
    struct weir_prefix net = watched_prefix("2001:db8::/48");
    char text[64];
    (void)state;
    watched_open(&w, &everybody, 1, NULL);
    for (unsigned i = 0; i < 4; i++) {
        snprintf(text, sizeof text, "2001:db8:0:%x00::1", i);
        watched_charge(&w, text, 0, 11);
    }
    assert_int_equal(w.count, 4 + 1);
    assert_true(watched_is(&w, true, "2001:db8::/48"));
    assert_int_equal(watched_last(&w)->children, 4);
    weir_watch_advance(w.watch, WATCHED_START + WEIR_MINUTE);
    assert_int_equal(w.count, 10);
    assert_int_equal(weir_watch_counts(w.watch)->alarms, 0);
    assert_int_equal(weir_watch_standing(w.watch, &net).raised, 0);
    watched_charge(&w, "2001:db8:0:900::1", 120, 1000); /* none of them is remembered */
    assert_int_equal(w.count, 11);
    watched_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_bad_neighbour_does_not_condemn_a_network),
        cmocka_unit_test(offenders_without_an_excess_of_the_network_do_not_condemn_it),
        cmocka_unit_test(networks_of_IPv6_widen_step_by_step),
        cmocka_unit_test(offenders_that_share_no_part_of_a_network_condemn_it_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
