/*
 * recent - what it tells is what a plain sum over all rows tells, whatever minutes go by, and what
 * it does not know all of it does not tell.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/intake/recent.h"
#include "tests/unit/seeded.h"

#define FIRST 29916666 /* a minute */
#define ROWS 40000
#define WHO 300        /* addresses of the model */
#define NETWORKS 7

static const struct weir_hash_key key = {{5}};

static struct weir_recent *recent_of(size_t addresses)
{
    struct weir_recent *recent = NULL;

    assert_int_equal(weir_recent_new(addresses, &key, &recent), 0);
    return recent;
}

/* Of network `number % NETWORKS`. */
static struct weir_address address(unsigned number)
{
    struct weir_address address;

    weir_address_parse("192.0.2.0", 9, &address);
    address.octet[13] = (uint8_t)(number / NETWORKS / 256);
    address.octet[14] = (uint8_t)(number % NETWORKS);
    address.octet[15] = (uint8_t)(number / NETWORKS);
    return address;
}

static struct weir_minute_row row(int64_t minute, unsigned number, uint64_t connections)
{
    struct weir_minute_row row = {.minute = minute, .address = address(number),
                                  .sum = {connections, 0, number, 0, 1, 0}};

    return row;
}

static void add(struct weir_recent *recent, int64_t minute, unsigned number, uint64_t connections)
{
    const struct weir_minute_row one = row(minute, number, connections);

    weir_recent_add(recent, &one, 1);
}

static int ask(struct weir_recent *recent, int64_t from, int64_t to, unsigned most,
               struct weir_recent_top *top_r)
{
    const struct weir_recent_question question = {.from = from, .to = to, .most = most};

    return weir_recent_top(recent, &question, top_r);
}

static void rows_of_an_address_are_added_up_over_minutes_and_servers(void **state)
{
    struct weir_recent *recent = recent_of(10);
    struct weir_recent_top top[10];
    struct weir_address of;

    (void)state;
    weir_recent_begin(recent, FIRST);
    add(recent, FIRST, 1, 5);
    add(recent, FIRST + 1, 1, 5);
    add(recent, FIRST + 1, 1, 2);
    add(recent, FIRST + 1, 2, 11);
    assert_int_equal(ask(recent, FIRST, FIRST + 1, 10, top), 2);
    of = address(1);
    assert_true(weir_address_equal(&top[0].address, &of));
    assert_int_equal(top[0].sum[0], 12);
    assert_int_equal(top[0].sum[4], 3);
    assert_int_equal(top[1].sum[0], 11);
    assert_int_equal(ask(recent, FIRST + 1, FIRST + 1, 10, top), 2);
    assert_int_equal(top[0].sum[0], 11);
    assert_int_equal(ask(recent, FIRST, FIRST + 1, 1, top), 1);
    assert_int_equal(ask(recent, FIRST + 2, FIRST + 9, 10, top), 0);
    weir_recent_free(&recent);
    assert_null(recent);
}

static void it_says_where_it_does_not_know_all(void **state)
{
    struct weir_recent *recent = recent_of(10);
    struct weir_recent_top top[10];

    (void)state;
    assert_int_equal(ask(recent, FIRST, FIRST, 10, top), WEIR_ELIMIT);
    weir_recent_begin(recent, FIRST);
    add(recent, FIRST, 1, 1);
    assert_int_equal(ask(recent, FIRST, FIRST, 10, top), 1);
    assert_int_equal(ask(recent, FIRST - 1, FIRST, 10, top), WEIR_ELIMIT);
    add(recent, FIRST + WEIR_RECENT_MINUTES - 1, 1, 1);
    assert_int_equal(ask(recent, FIRST, FIRST + 100, 10, top), 1);
    assert_int_equal(top[0].sum[0], 2);
    add(recent, FIRST + WEIR_RECENT_MINUTES, 1, 1);
    assert_int_equal(ask(recent, FIRST, FIRST + 100, 10, top), WEIR_ELIMIT);
    assert_int_equal(ask(recent, FIRST + 1, FIRST + 100, 10, top), 1);
    assert_int_equal(weir_recent_begins(recent), FIRST + 1);
    assert_int_equal(ask(recent, FIRST + 1, FIRST + 2, 0, top), WEIR_EINVAL);
    assert_int_equal(ask(recent, FIRST + 1, FIRST + 2, 501, top), WEIR_EINVAL);
    weir_recent_free(&recent);
}

static void what_there_is_no_room_for_pushes_the_oldest_minutes_out(void **state)
{
    struct weir_recent *recent = recent_of(10);
    struct weir_recent_top top[10];

    (void)state;
    assert_int_equal(weir_recent_room(recent), 20);
    weir_recent_begin(recent, FIRST);
    for (unsigned i = 0; i < 20; i++)
        add(recent, FIRST + i / 10, i % 10, 1);
    assert_int_equal(ask(recent, FIRST, FIRST + 9, 10, top), 10);
    add(recent, FIRST + 2, 3, 1);
    assert_int_equal(ask(recent, FIRST, FIRST + 9, 10, top), WEIR_ELIMIT);
    assert_int_equal(ask(recent, FIRST + 1, FIRST + 9, 10, top), 10);
    assert_int_equal(top[0].sum[0], 2);
    add(recent, FIRST + 2, 10, 1); /* one address too many: it begins anew */
    assert_int_equal(ask(recent, FIRST + 2, FIRST + 9, 10, top), WEIR_ELIMIT);
    add(recent, FIRST + 3, 10, 1);
    assert_int_equal(ask(recent, FIRST + 3, FIRST + 9, 10, top), 1);
    weir_recent_free(&recent);
}

/* A plain sum. */
static void count(const struct weir_minute_row *rows, size_t n, int64_t from, int64_t to,
                  bool networks, unsigned quantity, uint64_t sum_r[static WHO])
{
    memset(sum_r, 0, WHO * sizeof *sum_r);
    for (size_t i = 0; i < n; i++) {
        unsigned who = (unsigned)rows[i].sum[2];

        if (rows[i].minute >= from && rows[i].minute <= to)
            sum_r[networks ? who % NETWORKS : who] += rows[i].sum[quantity];
    }
}

static int downwards(const void *a, const void *b)
{
    uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;

    return (one < other) - (one > other);
}

static void sums_are_those_of_a_plain_list(void **state)
{
    struct weir_minute_row *rows = calloc(ROWS, sizeof *rows);
    struct weir_recent *recent = recent_of(ROWS);
    struct weir_recent_top top[50];
    struct seeded seed = seeded_new("recent");
    uint64_t sum[WHO];

    (void)state;
    weir_recent_begin(recent, FIRST);
    for (size_t n = 0; n < ROWS; n++) {
        int64_t now = FIRST + (int64_t)n / 300, begins = now - WEIR_RECENT_MINUTES + 1;

        rows[n] = row(now > FIRST + 3 ? now - seeded_below(&seed, 3) : now,
                      seeded_below(&seed, WHO), seeded_below(&seed, 100));
        weir_recent_add(recent, &rows[n], 1);
        if (n % 500 != 499)
            continue;
        struct weir_recent_question question = {
            .from = (begins > FIRST ? begins : FIRST) + seeded_below(&seed, 5),
            .to = now - seeded_below(&seed, 3),
            .networks = seeded_below(&seed, 2) == 1,
            .quantity = seeded_below(&seed, 2) * 4, .most = 50};
        int found = weir_recent_top(recent, &question, top);

        assert_true(found >= 0);
        count(rows, n + 1, question.from, question.to, question.networks, question.quantity, sum);
        qsort(sum, WHO, sizeof *sum, downwards);
        for (int i = 0; i < 50; i++)
            assert_int_equal(i < found ? top[i].sum[question.quantity] : 0, sum[i]);
    }
    weir_recent_free(&recent);
    free(rows);
}

static void addresses_that_are_gone_are_left_out(void **state)
{
    struct weir_recent *recent = recent_of(6000);
    struct weir_recent_top top[3];

    (void)state;
    weir_recent_begin(recent, FIRST);
    for (unsigned minute = 0; minute < 200; minute++)
        for (unsigned i = 0; i < 100; i++) /* always 6,000 of them, and never the same */
            add(recent, FIRST + minute, minute * 100 + i, 1 + minute);
    assert_int_equal(weir_recent_begins(recent), FIRST + 200 - WEIR_RECENT_MINUTES);
    assert_int_equal(ask(recent, FIRST + 190, FIRST + 199, 3, top), 3);
    assert_int_equal(top[0].sum[0], 200);
    assert_int_equal(top[0].sum[2] / 100, 199);
    weir_recent_free(&recent);
}

/* Where nobody can be left out, who is known goes on to be counted, and at no more cost. */
static void at_its_limit_it_counts_on_whom_it_knows(void **state)
{
    struct weir_recent *recent = recent_of(6000);
    struct weir_recent_top top[3];

    (void)state;
    weir_recent_begin(recent, FIRST);
    for (unsigned i = 0; i < 6000; i++)
        add(recent, FIRST, i, 1);
    for (unsigned i = 0; i < 5000; i++)
        add(recent, FIRST, i % 2, 1);
    assert_int_equal(ask(recent, FIRST, FIRST, 3, top), 3);
    assert_int_equal(top[0].sum[0], 2501);
    assert_int_equal(top[1].sum[0], 2501);
    assert_int_equal(top[2].sum[0], 1);
    add(recent, FIRST, 6000, 1);
    assert_int_equal(ask(recent, FIRST, FIRST, 3, top), WEIR_ELIMIT);
    weir_recent_free(&recent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_an_address_are_added_up_over_minutes_and_servers),
        cmocka_unit_test(it_says_where_it_does_not_know_all),
        cmocka_unit_test(what_there_is_no_room_for_pushes_the_oldest_minutes_out),
        cmocka_unit_test(sums_are_those_of_a_plain_list),
        cmocka_unit_test(addresses_that_are_gone_are_left_out),
        cmocka_unit_test(at_its_limit_it_counts_on_whom_it_knows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
