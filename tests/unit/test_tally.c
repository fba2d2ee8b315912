/*
 * The tally against a stupid model; and the calibration of estimates (calibration.c): what is
 * learned by server, and when it is believed.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "core/base/error.h"
#include "sniffer/calibration.h"
#include "sniffer/tally.h"
#include "tests/unit/seeded.h"

static struct weir_address address(unsigned number)
{
    struct weir_address address = {{[10] = 0xff, 0xff, 10}};

    address.octet[13] = (uint8_t)(number >> 16);
    address.octet[14] = (uint8_t)(number >> 8);
    address.octet[15] = (uint8_t)number;
    return address;
}

static struct weir_tally *tally_of(size_t addresses, size_t syns)
{
    struct weir_hash_key key = weir_hash_key_random();
    struct weir_tally *tally = NULL;

    assert_int_equal(weir_tally_new(addresses, syns, &key, &tally), 0);
    return tally;
}

static void counts_are_those_of_an_array_second_for_second(void **state)
{
    enum { ADDRESSES = 500 };
    struct seeded seeded = seeded_new("counts");
    struct weir_tally *tally = tally_of(ADDRESSES, 8);

    (void)state;
    for (unsigned second = 0; second < 50; second++) {
        uint32_t model[ADDRESSES] = {0};
        size_t count, talked = 0;
        for (unsigned i = seeded_below(&seeded, 2000); i > 0; i--) {
            unsigned who = seeded_below(&seeded, ADDRESSES);
            struct weir_address whose = address(who);
            weir_tally_of(tally, &whose)->messages++;
            model[who]++;
        }
        for (unsigned who = 0; who < ADDRESSES; who++) {
            struct weir_address whose = address(who);
            struct weir_traffic *record = weir_tally_find(tally, &whose);
            assert_int_equal(record ? record->messages : 0, model[who]);
            talked += model[who] > 0;
        }
        weir_tally_records(tally, &count);
        assert_int_equal(count, talked);
        weir_tally_clear(tally);
        weir_tally_records(tally, &count);
        assert_int_equal(count, 0);
    }
    weir_tally_free(&tally);
    assert_null(tally);
}

static void what_finds_no_room_is_counted_and_those_there_are_go_on(void **state)
{
    struct weir_tally *tally = tally_of(100, 8);
    struct weir_address first = address(0), late = address(100);

    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        struct weir_address whose = address(i);
        assert_non_null(weir_tally_of(tally, &whose));
    }
    assert_int_equal(weir_tally_overflow(tally), 0);
    assert_null(weir_tally_of(tally, &late));
    assert_int_equal(weir_tally_overflow(tally), 1);
    assert_non_null(weir_tally_of(tally, &first));
    weir_tally_clear(tally);
    assert_non_null(weir_tally_of(tally, &late));
    weir_tally_free(&tally);
}

struct told {
    unsigned addresses;
    uint64_t syns;
};

static void tell(void *context, const struct weir_address *whose, uint32_t syns)
{
    struct told *told = context;

    (void)whose;
    told->addresses++;
    told->syns += syns;
}

static void syns_that_became_connections_are_taken_back(void **state)
{
    struct weir_tally *tally = tally_of(8, 64);
    struct weir_address whose = address(7), other = address(8);
    struct told told = {0};

    (void)state;
    for (unsigned i = 0; i < 5; i++)
        weir_tally_syn(tally, WEIR_SECOND, &whose);
    weir_tally_established(tally, &whose);
    weir_tally_established(tally, &whose);
    weir_tally_established(tally, &other);
    weir_tally_syn(tally, 3 * WEIR_SECOND, &other);
    weir_tally_syns(tally, WEIR_SECOND - 1, tell, &told);
    assert_int_equal(told.addresses, 0);
    weir_tally_syns(tally, WEIR_SECOND, tell, &told);
    assert_int_equal(told.addresses, 1);
    assert_int_equal(told.syns, 3);
    weir_tally_syns(tally, 9 * WEIR_SECOND, tell, &told);
    assert_int_equal(told.addresses, 2);
    assert_int_equal(told.syns, 4);
    weir_tally_free(&tally);
}

static void a_flood_of_SYNs_takes_no_talkers_place(void **state)
{
    struct weir_tally *tally = tally_of(4, 4096);
    struct weir_address talker = address(0xffffff);
    struct told told = {0};
    size_t count;

    (void)state;
    for (unsigned i = 0; i < 100000; i++) {
        struct weir_address forged = address(i);
        weir_tally_syn(tally, WEIR_SECOND, &forged);
    }
    assert_non_null(weir_tally_of(tally, &talker));
    weir_tally_records(tally, &count);
    assert_int_equal(count, 1);
    weir_tally_syns(tally, WEIR_SECOND, tell, &told);
    assert_in_range(told.addresses, 4000, 4096);
    assert_int_equal(told.syns + weir_tally_syn_overflow(tally), 100000);
    assert_int_equal(weir_tally_overflow(tally), 0);
    weir_tally_free(&tally);
}

static void sizes_of_none_and_beyond_their_limits_are_refused(void **state)
{
    static const size_t wrong[][2] = {{0, 8}, {8, 0}, {WEIR_TALLY_ADDRESSES_MAX + 1, 8},
                                      {8, WEIR_TALLY_SYNS_MAX + 1}};
    struct weir_hash_key key = weir_hash_key_random();
    struct weir_tally *tally = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(weir_tally_new(wrong[i][0], wrong[i][1], &key, &tally), WEIR_EINVAL);
    tally = tally_of(WEIR_TALLY_ADDRESSES_MAX, WEIR_TALLY_SYNS_MAX);
    weir_tally_free(&tally);
    weir_tally_free(&tally);
    weir_tally_free(NULL);
}

static void a_server_is_calibrated_by_enough_replies_of_its_own(void **state)
{
    struct weir_calibration calibration = {.count = 0};
    struct weir_address mx = address(1), other = address(2);
    unsigned least, most;

    (void)state;
    weir_calibration_learn(&calibration, &mx, 25, WEIR_CALIBRATION_LEAST - 1, 40, 44);
    assert_false(weir_calibration_bounds(&calibration, &mx, 25, &least, &most));
    assert_int_equal(most, 0);
    weir_calibration_learn(&calibration, &mx, 25, 1, 39, 42);
    assert_true(weir_calibration_bounds(&calibration, &mx, 25, &least, &most));
    assert_int_equal(least, 39 - WEIR_CALIBRATION_SHORTER);
    assert_int_equal(most, 44 + WEIR_CALIBRATION_LONGER);
    assert_false(weir_calibration_bounds(&calibration, &mx, 587, &least, &most));
    assert_false(weir_calibration_bounds(&calibration, &other, 25, &least, &most));
}

static void replies_longer_than_a_line_teach_nothing(void **state)
{
    struct weir_calibration calibration = {.count = 0};
    struct weir_address mx = address(1);
    unsigned least, most;

    (void)state;
    weir_calibration_learn(&calibration, &mx, 25, 9, 40, WEIR_REPLY_MAX + 1);
    weir_calibration_learn(&calibration, &mx, 25, 0, 0, 0);
    assert_false(weir_calibration_bounds(&calibration, &mx, 25, &least, &most));
    weir_calibration_learn(&calibration, &mx, 25, 9, 3, WEIR_REPLY_MAX);
    assert_true(weir_calibration_bounds(&calibration, &mx, 25, &least, &most));
    assert_int_equal(least, 0);
}

static void of_too_many_servers_the_one_learned_from_longest_ago_is_forgotten(void **state)
{
    struct weir_calibration calibration = {.count = 0};
    struct weir_address first = address(0), second = address(1);
    unsigned least, most;

    (void)state;
    for (unsigned i = 0; i <= WEIR_CALIBRATION_SERVERS_MAX; i++) {
        struct weir_address mx = address(i);
        assert_true(i == 0 || weir_calibration_bounds(&calibration, &first, 25, &least, &most));
        if (i == WEIR_CALIBRATION_SERVERS_MAX)
            assert_true(weir_calibration_witness(&calibration, &first, 25, 33));
        weir_calibration_learn(&calibration, &mx, 25, 9, 30, 40);
    }
    assert_true(weir_calibration_bounds(&calibration, &first, 25, &least, &most));
    assert_false(weir_calibration_bounds(&calibration, &second, 25, &least, &most));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_those_of_an_array_second_for_second),
        cmocka_unit_test(what_finds_no_room_is_counted_and_those_there_are_go_on),
        cmocka_unit_test(syns_that_became_connections_are_taken_back),
        cmocka_unit_test(a_flood_of_SYNs_takes_no_talkers_place),
        cmocka_unit_test(sizes_of_none_and_beyond_their_limits_are_refused),
        cmocka_unit_test(a_server_is_calibrated_by_enough_replies_of_its_own),
        cmocka_unit_test(replies_longer_than_a_line_teach_nothing),
        cmocka_unit_test(of_too_many_servers_the_one_learned_from_longest_ago_is_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
