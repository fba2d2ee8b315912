/*
 * minutes - sums of traffic are those of a plain list, and a full table says so.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "core/base/error.h"
#include "monitor/intake/minutes.h"
#include "tests/unit/seeded.h"

#define NOW (1795000000 * WEIR_SECOND) /* 40 seconds into a minute */

static const struct weir_hash_key key = {{5}};

static struct weir_minutes *table(size_t rows)
{
    struct weir_minutes *minutes = NULL;

    assert_int_equal(weir_minutes_new(rows, &key, &minutes), 0);
    return minutes;
}

static struct weir_traffic traffic(unsigned address, weir_time time, uint32_t connections)
{
    struct weir_traffic line = {.time = time, .connections = connections};

    weir_address_parse("192.0.2.0", 9, &line.address);
    line.address.octet[14] = (uint8_t)(address >> 8);
    line.address.octet[15] = (uint8_t)address;
    return line;
}

static void lines_of_one_minute_address_and_server_are_one_row(void **state)
{
    struct weir_minutes *minutes = table(10);
    struct weir_traffic line = traffic(7, NOW, 2);
    const struct weir_minute_row *row;
    size_t count;

    (void)state;
    line.recipients = 5;
    assert_int_equal(weir_minutes_add(minutes, 3, &line), 0);
    line.time -= 40 * WEIR_SECOND;
    assert_int_equal(weir_minutes_add(minutes, 3, &line), 0);
    line.time += WEIR_MINUTE - 1;
    assert_int_equal(weir_minutes_add(minutes, 3, &line), 0);
    row = weir_minutes_rows(minutes, &count);
    assert_int_equal(count, 1);
    assert_int_equal(row->minute, NOW / WEIR_MINUTE);
    assert_int_equal(row->server, 3);
    assert_int_equal(row->sum[0], 6);
    assert_int_equal(row->sum[4], 15);
    assert_int_equal(row->first, NOW - 40 * WEIR_SECOND);
    assert_int_equal(row->last, NOW + 20 * WEIR_SECOND - 1);
    line.time++;
    assert_int_equal(weir_minutes_add(minutes, 3, &line), 0);
    line.time = -1;
    assert_int_equal(weir_minutes_add(minutes, 3, &line), 0);
    row = weir_minutes_rows(minutes, &count);
    assert_int_equal(count, 3);
    assert_int_equal(row[0].minute, -1);
    assert_int_equal(weir_minutes_room(minutes), 7);
    weir_minutes_free(&minutes);
    weir_minutes_free(&minutes);
}

static void a_full_table_refuses_new_rows_and_loses_nothing(void **state)
{
    struct weir_minutes *minutes = table(3);
    struct weir_traffic line;
    size_t count;

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        line = traffic(i, NOW, 1);
        assert_int_equal(weir_minutes_add(minutes, 1, &line), 0);
    }
    line = traffic(3, NOW, 1);
    assert_int_equal(weir_minutes_add(minutes, 1, &line), WEIR_EFULL);
    weir_minutes_rows(minutes, &count);
    assert_int_equal(weir_minutes_add(minutes, 1, &line), WEIR_EFULL);
    line = traffic(2, NOW, 1);
    assert_int_equal(weir_minutes_add(minutes, 1, &line), 0);
    assert_int_equal(weir_minutes_rows(minutes, &count)[2].sum[0], 2);
    assert_int_equal(count, 3);
    weir_minutes_clear(minutes);
    assert_int_equal(weir_minutes_room(minutes), 3);
    weir_minutes_rows(minutes, &count);
    assert_int_equal(count, 0);
    line = traffic(3, NOW, 1);
    assert_int_equal(weir_minutes_add(minutes, 1, &line), 0);
    weir_minutes_free(&minutes);
}

/* Takes all that a server may have, or so many rows; how many it took. */
static size_t fill(struct weir_minutes *minutes, uint32_t server, unsigned *address, size_t most)
{
    size_t rows = 0;

    for (; rows < most && weir_minutes_share(minutes, server) > 0; rows++) {
        struct weir_traffic line = traffic((*address)++, NOW, 1);
        assert_int_equal(weir_minutes_add(minutes, server, &line), 0);
    }
    return rows;
}

static void a_server_has_a_share_and_leaves_room_for_others(void **state)
{
    struct weir_minutes *minutes = table(1200);
    unsigned address = 0;
    size_t of[3] = {0};

    (void)state;
    assert_int_equal(weir_minutes_share(minutes, 1), 600);
    assert_int_equal(fill(minutes, 1, &address, SIZE_MAX), 600); /* one after the other */
    assert_int_equal(fill(minutes, 2, &address, SIZE_MAX), 300);
    assert_int_equal(fill(minutes, 3, &address, SIZE_MAX), 150);
    assert_int_equal(weir_minutes_share(minutes, 4), 75);
    weir_minutes_clear(minutes);
    for (int i = 0; i < 1200; i++)                               /* all at the same time */
        of[i % 3] += fill(minutes, i % 3, &address, 1);
    for (size_t i = 0; i < 3; i++)
        assert_in_range(of[i], 299, 300);
    assert_in_range(weir_minutes_share(minutes, 4), 149, 152);
    weir_minutes_free(&minutes);
}

static void sizes_have_limits(void **state)
{
    struct weir_minutes *minutes = NULL;

    (void)state;
    assert_int_equal(weir_minutes_new(0, &key, &minutes), WEIR_EINVAL);
    assert_int_equal(weir_minutes_new(((size_t)1 << 30) + 1, &key, &minutes), WEIR_EINVAL);
    assert_null(minutes);
}

static void sums_stop_at_their_limit(void **state)
{
    struct weir_minutes *minutes = table(1);
    struct weir_traffic line = traffic(1, NOW, UINT32_MAX);
    size_t count;

    (void)state;
    for (int i = 0; i < 256; i++)
        assert_int_equal(weir_minutes_add(minutes, 1, &line), 0);
    assert_true(weir_minutes_rows(minutes, &count)->sum[0] == WEIR_MINUTE_SUM_MAX - 256);
    for (int i = 0; i < 2; i++) {
        line.connections = 256 + (uint32_t)i;
        assert_int_equal(weir_minutes_add(minutes, 1, &line), 0);
        assert_true(weir_minutes_rows(minutes, &count)->sum[0] == WEIR_MINUTE_SUM_MAX);
    }
    weir_minutes_free(&minutes);
}

/* The stupid model: sums by address, minute and server in a plain array. */
static void rows_are_those_of_a_plain_array(void **state)
{
    static uint64_t model[50][5][3];
    struct seeded seed = seeded_new("minutes");
    struct weir_minutes *minutes = table(750);
    size_t count, seen = 0, expected = 0;

    (void)state;
    memset(model, 0, sizeof model);
    for (int i = 0; i < 20000; i++) {
        unsigned address = seeded_below(&seed, 50), minute = seeded_below(&seed, 5);
        unsigned server = seeded_below(&seed, 3), n = 1 + seeded_below(&seed, 9);
        struct weir_traffic line = traffic(address, NOW + minute * WEIR_MINUTE, n);

        assert_int_equal(weir_minutes_add(minutes, server, &line), 0);
        model[address][minute][server] += n;
        if (seeded_below(&seed, 1000) == 0)
            weir_minutes_rows(minutes, &count); /* sorting in between changes nothing */
    }
    for (size_t i = 0; i < 750; i++)
        expected += (&model[0][0][0])[i] > 0;
    const struct weir_minute_row *row = weir_minutes_rows(minutes, &count);
    for (size_t i = 0; i < count; i++, seen++) {
        size_t minute = (size_t)(row[i].minute - NOW / WEIR_MINUTE);

        assert_true(row[i].sum[0] == model[row[i].address.octet[15]][minute][row[i].server]);
        assert_true(i == 0 || row[i].minute >= row[i - 1].minute);
    }
    assert_int_equal(seen, expected);
    weir_minutes_free(&minutes);
}

/* In batches of any length it is as one by one, also when the table gets full in the middle. */
static void lines_added_together_are_as_one_by_one(void **state)
{
    static struct weir_traffic line[200];
    struct seeded seed = seeded_new("minutes together");
    struct weir_minutes *together = table(100), *single = table(100);
    const struct weir_minute_row *left, *right;
    size_t count, other;

    (void)state;
    for (int round = 0; round < 200; round++) {
        size_t n = seeded_below(&seed, 200);
        int done = 0;

        for (size_t i = 0; i < n; i++)
            line[i] = traffic(seeded_below(&seed, 40), NOW + seeded_below(&seed, 3) * WEIR_MINUTE,
                              1 + seeded_below(&seed, 9));
        for (size_t i = 0; i < n && done == 0; i++)
            done = weir_minutes_add(single, 1, &line[i]);
        assert_int_equal(weir_minutes_add_all(together, 1, line, n), done);
        left = weir_minutes_rows(single, &count);
        right = weir_minutes_rows(together, &other);
        assert_int_equal(count, other);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(left[i].minute, right[i].minute);
            assert_true(weir_address_equal(&left[i].address, &right[i].address));
            assert_memory_equal(left[i].sum, right[i].sum, sizeof left[i].sum);
        }
        if (done != 0 || seeded_below(&seed, 10) == 0) {
            weir_minutes_clear(single);
            weir_minutes_clear(together);
        }
    }
    weir_minutes_free(&single);
    weir_minutes_free(&together);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_one_minute_address_and_server_are_one_row),
        cmocka_unit_test(a_full_table_refuses_new_rows_and_loses_nothing),
        cmocka_unit_test(a_server_has_a_share_and_leaves_room_for_others),
        cmocka_unit_test(sizes_have_limits),
        cmocka_unit_test(sums_stop_at_their_limit),
        cmocka_unit_test(rows_are_those_of_a_plain_array),
        cmocka_unit_test(lines_added_together_are_as_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
