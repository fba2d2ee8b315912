/*
 * Who is never watched nor blocked: listed here, or accepted by an analyst.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "monitor/threshold/spared.h"
#include "tests/unit/lists_rig.h"
#include "tests/unit/seeded.h"

/* One of a few thousand that lie close together. */
static struct weir_address some_address(struct seeded *random, bool four)
{
    struct weir_address address = four ? rig_address("192.0.0.0") : rig_address("2001:db8::");

    address.octet[four ? 13 : 5] = (uint8_t)seeded_below(random, 2);
    address.octet[four ? 14 : 7] = (uint8_t)seeded_below(random, 4);
    address.octet[15] = (uint8_t)seeded_below(random, 32);
    return address;
}

static void A26_who_is_acceptable_or_never_to_be_blocked_is_spared(void **state)
{
    static const struct {
        const char *what;
        bool spared;
    } cases[] = {
        {"192.0.2.7", true}, {"192.0.2.8", false}, {"192.0.2.0/24", true}, {"192.0.2.0/29", true},
        {"192.0.2.8/29", false}, {"198.51.100.1", true}, {"198.51.100.0/25", true},
        {"198.51.101.0", false}, {"198.51.0.0/16", true}, {"203.0.113.5", true},
        {"203.0.113.0/24", true}, {"203.0.113.8/29", false}, {"203.0.113.9", false},
        {"2001:db8::1", true}, {"2001:db8:1::/48", false}, {"2001:db8::/32", true},
        {"9.9.9.9", false}, {"8.8.8.8", false}, {"100.64.0.1", true}, {"10.1.2.0/24", true},
        {"fe80::1", true},
        /* one address of a /64 does not spare the others, nor does it spare less of it */
        {"2001:db8:7:1::5", true}, {"2001:db8:7:1::/64", false}, {"2001:db8:7:1::/120", false},
        {"2001:db8:7:1::6", false}, {"2001:db8:7::/56", true}, {"2001:db8:7:2::/64", false},
        {"2001:db8:7:3::/64", true}, {"2001:db8:7:3::9", true}, {"2001:db8::/64", true},
    };
    const struct weir_prefix never[] = {rig_prefix("198.51.100.0/24"), rig_prefix("2001:db8::1")};
    const struct weir_spared_prefix accepted[] = {
        {rig_prefix("203.0.113.4/30"), 0},
        {rig_prefix("203.0.113.9"), RIG_NOW},
        {rig_prefix("198.51.100.0/26"), RIG_NOW + 1},
        {rig_prefix("2001:db8:7:1::5"), 0},
        {rig_prefix("2001:db8:7:3::/64"), 0},
    };
    struct lists_rig *rig = *state;
    struct weir_lists *lists = lists_rig_open(rig, true, never, 2);
    struct weir_spared *spared;

    rig_add(lists, WEIR_LIST_ACCEPT, "192.0.2.7", RIG_NOW + 1);
    rig_add(lists, WEIR_LIST_ACCEPT, "9.9.9.9", RIG_NOW); /* it has ended */
    rig_add(lists, WEIR_LIST_BLACK, "8.8.8.8", 0);
    rig_add(lists, WEIR_LIST_ACCEPT, "good.example", 0);
    assert_int_equal(weir_spared_new(lists, &spared), 0);
    rig_add(lists, WEIR_LIST_ACCEPT, "2001:db8:7:2::", 0);
    assert_int_equal(weir_spared_accept(spared, accepted, sizeof accepted / sizeof accepted[0]),
                     0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_prefix prefix = rig_prefix(cases[i].what);
        const char *why = NULL;

        if (weir_spared_prefix(spared, RIG_NOW, &prefix, &why) != cases[i].spared)
            fail_msg("%s: %s", cases[i].what, why ? why : "-");
        assert_true(!cases[i].spared || (why && why[0]));
        if (!strchr(cases[i].what, '/') && !weir_address_is_private(&prefix.address))
            assert_int_equal(weir_spared_address(spared, RIG_NOW, &prefix.address),
                             cases[i].spared);
    }
    weir_spared_free(&spared);
    weir_spared_free(&spared);
    weir_lists_free(&lists);
}

static void what_analysts_accepted_is_replaced_and_ends(void **state)
{
    const struct weir_spared_prefix one = {rig_prefix("192.0.2.7"), RIG_NOW + 1};
    const struct weir_address address = rig_address("192.0.2.7");
    struct weir_spared *spared;

    (void)state;
    assert_int_equal(weir_spared_new(NULL, &spared), 0);
    assert_false(weir_spared_address(spared, RIG_NOW, &address));
    assert_int_equal(weir_spared_accept(spared, &one, 1), 0);
    assert_true(weir_spared_address(spared, RIG_NOW, &address));
    assert_false(weir_spared_address(spared, RIG_NOW + 1, &address));
    assert_int_equal(weir_spared_accept(spared, NULL, 0), 0);
    assert_false(weir_spared_address(spared, RIG_NOW, &address));
    weir_spared_free(&spared);
}

/* Prefixes within prefixes, twice with different ends, some over: as if each were looked at. */
static void A26_of_many_that_were_accepted_each_counts_as_if_it_were_alone(void **state)
{
    enum { MANY = 300, ASKED = 3000 };
    static const unsigned bits[] = {104, 112, 120, 124, 126, 128, 48, 64, 128};
    struct seeded random = seeded_new("A26_of_many");
    struct weir_spared_prefix accepted[MANY];
    struct weir_spared *spared;

    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        bool four = seeded_below(&random, 4) > 0;
        struct weir_address address = some_address(&random, four);
        unsigned length = bits[four ? seeded_below(&random, 6) : 6 + seeded_below(&random, 3)];

        accepted[i].prefix = weir_address_mask(&address, length);
        accepted[i].ends = seeded_below(&random, 3) == 0 ? 0
                           : RIG_NOW - 2 + (weir_time)seeded_below(&random, 5);
    }
    assert_int_equal(weir_spared_new(NULL, &spared), 0);
    assert_int_equal(weir_spared_accept(spared, accepted, MANY), 0);
    for (int asked = 0; asked < ASKED; asked++) {
        struct weir_address address = some_address(&random, seeded_below(&random, 4) > 0);
        bool expected = false;

        for (size_t i = 0; i < MANY; i++)
            expected |= (accepted[i].ends == 0 || accepted[i].ends > RIG_NOW) &&
                        weir_prefix_contains(&accepted[i].prefix, &address);
        assert_int_equal(weir_spared_address(spared, RIG_NOW, &address), expected);
    }
    weir_spared_free(&spared);
}

static void A26_what_was_accepted_a_moment_ago_is_spared_at_once(void **state)
{
    const struct weir_address address = rig_address("192.0.2.7");
    struct lists_rig *rig = *state;
    struct weir_lists *lists = lists_rig_open(rig, true, NULL, 0);
    struct weir_spared *spared;

    assert_int_equal(weir_spared_new(lists, &spared), 0);
    for (int i = 0; i < 2; i++) {
        assert_false(weir_spared_address(spared, RIG_NOW, &address));
        rig_add(lists, WEIR_LIST_ACCEPT, "192.0.2.0/24", 0);
        assert_true(weir_spared_address(spared, RIG_NOW, &address));
        assert_int_equal(rig_take_out(lists, WEIR_LIST_ACCEPT, "192.0.2.0/24"), 1);
    }
    weir_spared_free(&spared);
    weir_lists_free(&lists);
}

/* It may be left there when no agent runs any more. */
static void A26_what_an_agent_entered_for_a_monitor_spares_nobody_by_itself(void **state)
{
    const struct weir_prefix prefix = rig_prefix("192.0.2.7"), around = rig_prefix("192.0.2.0/24");
    struct lists_rig *rig = *state;
    struct weir_lists *lists = lists_rig_open(rig, true, NULL, 0);
    struct weir_list_entry entry = {.prefix = prefix, .origin = "monitor"};
    struct weir_spared *spared;
    const char *why;

    assert_int_equal(weir_lists_add(lists, WEIR_LIST_ACCEPT, &entry, 1, NULL), 0);
    assert_int_equal(weir_spared_new(lists, &spared), 0);
    assert_false(weir_spared_address(spared, RIG_NOW, &prefix.address));
    assert_false(weir_spared_prefix(spared, RIG_NOW, &prefix, &why));
    assert_false(weir_spared_prefix(spared, RIG_NOW, &around, &why));
    rig_add(lists, WEIR_LIST_ACCEPT, "192.0.2.0/24", RIG_NOW); /* it has ended */
    assert_false(weir_spared_address(spared, RIG_NOW, &prefix.address));
    rig_add(lists, WEIR_LIST_ACCEPT, "192.0.0.0/16", 0); /* a person's, around the agent's */
    assert_true(weir_spared_address(spared, RIG_NOW, &prefix.address));
    assert_true(weir_spared_prefix(spared, RIG_NOW, &prefix, &why));
    weir_spared_free(&spared);
    weir_lists_free(&lists);
}

static void A26_an_entry_within_a_prefix_hides_none_around_it(void **state)
{
    static const char *const first[] = {"192.0.2.0", "2001:db8:1::"};
    static const char *const whole[] = {"192.0.2.0/24", "2001:db8:1::/64"};
    static const char *const wide[] = {"192.0.0.0/16", "2001:db8::/32"};
    struct lists_rig *rig = *state;
    struct weir_lists *lists = lists_rig_open(rig, true, NULL, 0);
    struct weir_spared *spared;
    const char *why;

    assert_int_equal(weir_spared_new(lists, &spared), 0);
    for (size_t i = 0; i < 2; i++) {
        const struct weir_prefix prefix = rig_prefix(whole[i]);
        struct weir_list_entry entry = {.prefix = rig_prefix(first[i]), .origin = "monitor"};

        assert_int_equal(weir_lists_add(lists, WEIR_LIST_ACCEPT, &entry, 1, NULL), 0);
        assert_false(weir_spared_prefix(spared, RIG_NOW, &prefix, &why));
        rig_add(lists, WEIR_LIST_ACCEPT, wide[i], 0);
        assert_true(weir_spared_prefix(spared, RIG_NOW, &prefix, &why));
        rig_add(lists, WEIR_LIST_ACCEPT, first[i], 0); /* in the place of the agent's */
        assert_true(weir_spared_prefix(spared, RIG_NOW, &prefix, &why));
    }
    weir_spared_free(&spared);
    weir_lists_free(&lists);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, lists_rig_setup, lists_rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(A26_who_is_acceptable_or_never_to_be_blocked_is_spared),
        TEST(what_analysts_accepted_is_replaced_and_ends),
        TEST(A26_of_many_that_were_accepted_each_counts_as_if_it_were_alone),
        TEST(A26_what_was_accepted_a_moment_ago_is_spared_at_once),
        TEST(A26_what_an_agent_entered_for_a_monitor_spares_nobody_by_itself),
        TEST(A26_an_entry_within_a_prefix_hides_none_around_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
