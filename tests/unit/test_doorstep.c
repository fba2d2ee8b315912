/*
 * doorstep - idle strangers shut nobody out, and agents come back beside any number of them.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "monitor/intake/doorstep.h"
#include "tests/unit/seeded.h"

#define NOW (1000 * WEIR_SECOND)

static const struct weir_hash_key key = {{7}};

static int setup(void **state)
{
    struct weir_doorstep *doorstep;

    assert_int_equal(weir_doorstep_new(&key, &doorstep), 0);
    *state = doorstep;
    return 0;
}

static int teardown(void **state)
{
    struct weir_doorstep *doorstep = *state;

    weir_doorstep_free(&doorstep);
    weir_doorstep_free(&doorstep);
    return 0;
}

static struct weir_address address(const char *text)
{
    struct weir_address address;

    assert_int_equal(weir_address_parse(text, strlen(text), &address), 0);
    return address;
}

static struct weir_address numbered(unsigned n)
{
    struct weir_address one = address("10.0.0.0");

    one.octet[13] = (uint8_t)(n >> 16);
    one.octet[14] = (uint8_t)(n >> 8);
    one.octet[15] = (uint8_t)n;
    return one;
}

/* How many of so many may come. */
static unsigned come(struct weir_doorstep *doorstep, struct weir_address from, unsigned count,
                     weir_time now)
{
    unsigned came = 0;

    for (unsigned i = 0; i < count; i++)
        if (weir_doorstep_has_room(doorstep, &from, now)) {
            assert_true(weir_doorstep_come(doorstep, &from, now));
            came++;
        }
    return came;
}

static void leave(struct weir_doorstep *doorstep, struct weir_address from, unsigned count,
                  bool admitted, weir_time now)
{
    for (unsigned i = 0; i < count; i++)
        weir_doorstep_leave(doorstep, &from, admitted, now);
}

static void an_address_has_its_share_and_not_one_more(void **state)
{
    static const struct {
        const char *one, *other;
        bool share; /* they have one together */
    } cases[] = {
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", true},
        {"2001:db8::1", "2001:db8:0:1::1", false},
    };
    struct weir_doorstep *doorstep = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_address one = address(cases[i].one), other = address(cases[i].other);

        assert_int_equal(come(doorstep, one, 5000, NOW), WEIR_INTAKE_WAITING_MAX);
        assert_int_equal(come(doorstep, other, 1, NOW), !cases[i].share);
        leave(doorstep, one, 1, false, NOW);
        assert_int_equal(come(doorstep, one, 2, NOW), 1);
        leave(doorstep, one, WEIR_INTAKE_WAITING_MAX, false, NOW);
        leave(doorstep, other, !cases[i].share, false, NOW);
        assert_int_equal(weir_doorstep_addresses(doorstep), 0);
    }
}

static void who_was_admitted_counts_no_more_so_that_many_live_behind_one_address(void **state)
{
    struct weir_doorstep *doorstep = *state;
    struct weir_address office = address("192.0.2.1");

    for (unsigned i = 0; i < WEIR_INTAKE_CONNECTIONS_MAX; i++) {
        assert_int_equal(come(doorstep, office, 1, NOW), 1);
        weir_doorstep_admit(doorstep, &office);
    }
    assert_int_equal(come(doorstep, office, 5000, NOW), WEIR_INTAKE_WAITING_MAX);
}

static void strangers_of_many_addresses_leave_room_for_known_ones(void **state)
{
    struct weir_doorstep *doorstep = *state;
    struct weir_address agent = address("2001:db8::25"), moved = address("2001:db8::26"),
                        unknown = address("2001:db8:1::25");
    unsigned came = 0;

    assert_int_equal(come(doorstep, agent, 1, NOW), 1);
    weir_doorstep_admit(doorstep, &agent);
    for (unsigned i = 0; i < 5000; i++)
        came += come(doorstep, numbered(i), 1, NOW);
    assert_int_equal(came, WEIR_INTAKE_STRANGERS_MAX);
    assert_int_equal(come(doorstep, unknown, 1, NOW), 0);
    assert_int_equal(come(doorstep, agent, 3, NOW), 3);
    assert_int_equal(come(doorstep, moved, 1, NOW), 1); /* of one /64 */
    leave(doorstep, agent, 4, false, NOW);
    leave(doorstep, agent, 1, true, NOW); /* a link that breaks */
    assert_int_equal(come(doorstep, agent, 1, NOW + WEIR_DOORSTEP_MEMORY - 1), 1);
    leave(doorstep, agent, 1, false, NOW + WEIR_DOORSTEP_MEMORY - 1);
    assert_int_equal(come(doorstep, agent, 1, NOW + WEIR_DOORSTEP_MEMORY), 0);
    leave(doorstep, numbered(0), 1, false, NOW);
    assert_int_equal(come(doorstep, agent, 2, NOW + WEIR_DOORSTEP_MEMORY), 1);
}

static void strangers_that_become_known_make_room_for_strangers(void **state)
{
    struct weir_doorstep *doorstep = *state;
    struct weir_address agent = address("192.0.2.25");

    assert_int_equal(come(doorstep, agent, 3, NOW), 3);
    for (unsigned i = 0; i < WEIR_INTAKE_STRANGERS_MAX - 3; i++)
        assert_int_equal(come(doorstep, numbered(i), 1, NOW), 1);
    assert_int_equal(come(doorstep, numbered(9999), 1, NOW), 0);
    weir_doorstep_admit(doorstep, &agent);
    assert_int_equal(come(doorstep, numbered(9999), 9, NOW), 3);
}

static void what_is_remembered_is_bounded(void **state)
{
    struct weir_doorstep *doorstep = *state;
    struct weir_address first = numbered(0);

    for (unsigned i = 0; i < 2 * WEIR_DOORSTEP_KNOWN_MAX; i++) {
        struct weir_address one = numbered(i);

        assert_int_equal(come(doorstep, one, 1, NOW), 1);
        weir_doorstep_admit(doorstep, &one);
        leave(doorstep, one, 1, true, NOW);
    }
    assert_int_equal(weir_doorstep_addresses(doorstep), WEIR_DOORSTEP_KNOWN_MAX);
    assert_int_equal(come(doorstep, first, 1, NOW + 2 * WEIR_DOORSTEP_MEMORY), 1);
    weir_doorstep_admit(doorstep, &first);
    leave(doorstep, first, 1, true, NOW + 2 * WEIR_DOORSTEP_MEMORY);
    for (unsigned i = 1; i < 100; i++) { /* those before are over by now */
        struct weir_address one = numbered(100000 + i);

        assert_int_equal(come(doorstep, one, 1, NOW + 2 * WEIR_DOORSTEP_MEMORY), 1);
        weir_doorstep_admit(doorstep, &one);
        leave(doorstep, one, 1, true, NOW + 2 * WEIR_DOORSTEP_MEMORY);
    }
    assert_true(weir_doorstep_addresses(doorstep) < 200);
}

/* Counts are those of plain arrays, whatever comes and goes. */
static void a_random_crowd_is_counted_rightly(void **state)
{
    enum { ADDRESSES = 300, STEPS = 200000 };
    struct weir_doorstep *doorstep = *state;
    struct seeded s = seeded_new(__func__);
    unsigned waiting[ADDRESSES] = {0}, admitted[ADDRESSES] = {0}, strangers;
    bool known[ADDRESSES] = {false};

    for (unsigned step = 0; step < STEPS; step++) {
        unsigned n = (unsigned)seeded_below(&s, ADDRESSES), what = (unsigned)seeded_below(&s, 8);
        struct weir_address one = numbered(n);

        strangers = 0;
        for (unsigned i = 0; i < ADDRESSES; i++)
            strangers += known[i] ? 0 : waiting[i];
        if (what < 5) {
            bool room = waiting[n] < WEIR_INTAKE_WAITING_MAX &&
                        (known[n] || strangers < WEIR_INTAKE_STRANGERS_MAX);

            assert_int_equal(come(doorstep, one, 1, NOW), room);
            waiting[n] += room;
        } else if (what == 5 && waiting[n] > 0 && n % 3 == 0) {
            weir_doorstep_admit(doorstep, &one);
            waiting[n]--;
            admitted[n]++;
            known[n] = true;
        } else if (what == 6 && waiting[n] > 0) {
            leave(doorstep, one, 1, false, NOW);
            waiting[n]--;
        } else if (what == 7 && admitted[n] > 0) {
            leave(doorstep, one, 1, true, NOW);
            admitted[n]--;
        }
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_address_has_its_share_and_not_one_more),
        TEST(who_was_admitted_counts_no_more_so_that_many_live_behind_one_address),
        TEST(strangers_of_many_addresses_leave_room_for_known_ones),
        TEST(strangers_that_become_known_make_room_for_strangers),
        TEST(what_is_remembered_is_bounded),
        TEST(a_random_crowd_is_counted_rightly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
