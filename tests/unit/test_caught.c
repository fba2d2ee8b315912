/*
 * caught: events become one row for each address or network, with its traffic.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "monitor/threshold/caught.h"

static struct weir_prefix prefix(const char *text)
{
    struct weir_prefix prefix;
    const char *why;

    assert_int_equal(weir_prefix_parse(text, strlen(text), &prefix, &why), 0);
    return prefix;
}

static void add(struct weir_caught *caught, const char *text, weir_time time,
                enum weir_quantity quantity, bool sure)
{
    struct weir_prefix one = prefix(text);

    assert_int_equal(weir_caught_add(caught, &one, time, quantity, sure, false), 0);
}

static void add_traffic(struct weir_caught *caught, const char *text, uint64_t messages,
                        uint64_t accepted)
{
    struct weir_minute_row row = {.address = prefix(text).address,
                                  .sum = {1, 0, messages, accepted}};

    weir_caught_traffic(caught, &row);
}

static void nobody_caught_is_no_trouble(void **state)
{
    struct weir_caught caught = {0};

    (void)state;
    weir_caught_close(&caught);
    add_traffic(&caught, "192.0.2.1", 1, 1);
    weir_caught_sort(&caught);
    assert_int_equal(caught.count, 0);
    weir_caught_free(&caught);
}

static void events_of_one_address_are_one_row(void **state)
{
    struct weir_caught caught = {0};

    (void)state;
    for (unsigned i = 0; i < 1000; i++)
        add(&caught, i % 2 ? "192.0.2.1" : "192.0.2.0/24", 5000 - i, WEIR_QUANTITY_MESSAGES,
            i % 4 == 1);
    add(&caught, "192.0.2.1", 9000, WEIR_QUANTITY_CONNECTIONS, false);
    weir_caught_close(&caught);
    weir_caught_sort(&caught);
    assert_int_equal(caught.count, 2);
    assert_int_equal(caught.row[0].prefix.bits, 128);
    assert_int_equal(caught.row[0].sure, 250);
    assert_int_equal(caught.row[0].perhaps, 251);
    assert_int_equal(caught.row[0].first, 4001);
    assert_int_equal(caught.row[0].last, 9000);
    assert_int_equal(caught.row[0].quantities, 1u << WEIR_QUANTITY_MESSAGES |
                                                   1u << WEIR_QUANTITY_CONNECTIONS);
    assert_int_equal(caught.row[1].sure, 0);
    assert_int_equal(caught.row[1].perhaps, 500);
    weir_caught_free(&caught);
}

static void traffic_belongs_to_the_address_and_its_networks(void **state)
{
    struct weir_caught caught = {0};

    (void)state;
    add(&caught, "192.0.2.0/24", 1, WEIR_QUANTITY_MESSAGES, true);
    add(&caught, "192.0.2.1", 1, WEIR_QUANTITY_MESSAGES, true);
    add(&caught, "2001:db8:0:1::/64", 1, WEIR_QUANTITY_MESSAGES, true);
    add(&caught, "2001:db8::/48", 1, WEIR_QUANTITY_MESSAGES, true);
    weir_caught_close(&caught);
    add_traffic(&caught, "192.0.2.1", 10, 4);
    add_traffic(&caught, "192.0.2.2", 10, 9);
    add_traffic(&caught, "198.51.100.1", 1000, 1000);
    add_traffic(&caught, "2001:db8:0:1::77", 6, 6);
    add_traffic(&caught, "2001:db8:0:2::77", 60, 0);
    for (size_t i = 0; i < caught.count; i++) {
        const struct weir_caught_row *row = &caught.row[i];
        unsigned bits = row->prefix.bits;

        assert_int_equal(row->sum[2], bits == 128 ? 10 : bits == 120 ? 20 : bits == 64 ? 6 : 66);
        assert_int_equal(weir_caught_mostly_accepted(row), bits == 120 || bits == 64);
    }
    assert_int_equal(caught.count, 4);
    weir_caught_free(&caught);
}

static void half_of_the_messages_are_not_most_of_them(void **state)
{
    struct weir_caught_row row = {.sum = {0, 0, 10, 5}};

    (void)state;
    assert_false(weir_caught_mostly_accepted(&row));
    row.sum[3] = 6;
    assert_true(weir_caught_mostly_accepted(&row));
    row.sum[2] = row.sum[3] = 0;
    assert_false(weir_caught_mostly_accepted(&row));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_caught_is_no_trouble),
        cmocka_unit_test(events_of_one_address_are_one_row),
        cmocka_unit_test(traffic_belongs_to_the_address_and_its_networks),
        cmocka_unit_test(half_of_the_messages_are_not_most_of_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
