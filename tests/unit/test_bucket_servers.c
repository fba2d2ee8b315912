/*
 * By whose word a bucket is over its limit: of all the servers that charged, or of the one that did
 * nearly all of it (bucket.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "monitor/threshold/bucket.h"

#define START (1790000000 * WEIR_SECOND)

/* Room for a hundred, each of which may have so many connections at once and one a second. */
static struct weir_buckets *table(double most)
{
    static const struct weir_hash_key key = {{4, 7, 1, 1}};
    const struct weir_limits limits = {{{1, most}}};
    struct weir_buckets *buckets = NULL;
    assert_int_equal(weir_buckets_new(100, &key, &buckets), 0);
    assert_int_equal(weir_buckets_limit(buckets, 0, &limits), 0);
    return buckets;
}

static struct weir_levels charge(struct weir_buckets *buckets, uint32_t number,
                                 const struct weir_cost *cost)
{
    const struct weir_prefix prefix = {{{0x20, 1, [7] = (uint8_t)number}}, 64};
    struct weir_spot spot = weir_buckets_spot(buckets, &prefix);
    struct weir_levels levels;
    weir_buckets_charge(buckets, &spot, cost, &levels);
    return levels;
}

static void servers_are_those_that_charged_since_half(void **state)
{
    struct weir_buckets *buckets = table(10);
    struct weir_cost cost = {.time = START, .quantity = {4}, .server = 1};
    (void)state;
    charge(buckets, 1, &cost);
    cost.server = 2;
    charge(buckets, 1, &cost); /* found 6 of 10: since then */
    cost.server = 35;
    cost.time += WEIR_SECOND;
    struct weir_levels levels = charge(buckets, 1, &cost);
    assert_int_equal(levels.seen, 1 << 2 | 1 << 3);
    assert_true(levels.since <= START && START - levels.since < 140000);
    assert_true(levels.time == cost.time);
    weir_buckets_free(&buckets);
}

/* A server by its number, so many at a time, in turn. */
struct part {
    uint32_t server, each;
};

static void who_alone_charged_a_quarter_is_alone_to_account_for_it(void **state)
{
    static const struct {
        struct part part[4];
        uint32_t servers;
    } cases[] = {
        {{{1, 1}, {2, 1}}, 1 << 1 | 1 << 2},
        {{{1, 3}, {2, 2}}, 1 << 1 | 1 << 2},
        {{{1, 1}, {2, 1}, {3, 1}, {4, 1}}, 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4},
        {{{1, 19}, {2, 1}}, 1 << 1},
        {{{1, 1}, {2, 19}, {3, 1}}, 1 << 2},
        {{{7, 1}}, 1 << 7},
    };
    (void)state;
    for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weir_buckets *buckets = table(1000);
        struct weir_cost cost = {.time = START};
        struct weir_levels levels = {.servers = 0};
        for (unsigned n = 0; n < 4000 && !levels.of[0].raised; n++) {
            const struct part *part = &cases[i].part[n % 4];
            if (part->each == 0)
                continue;
            cost.server = part->server;
            cost.quantity[0] = part->each;
            cost.time += WEIR_SECOND / 100;
            levels = charge(buckets, i, &cost);
        }
        if (levels.servers != cases[i].servers)
            fail_msg("case %u: %x of %x", i, levels.servers, levels.seen);
        weir_buckets_free(&buckets);
    }
}

/* A backlog of each of two servers, told one after the other, and so late that time stands. */
static void two_that_tell_the_same_late_account_for_it_together(void **state)
{
    struct weir_buckets *buckets = table(100);
    struct weir_cost cost = {.quantity = {1}};
    struct weir_levels levels = {.servers = 0};
    (void)state;
    for (cost.server = 1; cost.server <= 2; cost.server++)
        for (unsigned i = 0; i < 250; i++) {
            cost.time = START + i;
            levels = charge(buckets, 1, &cost);
        }
    assert_int_equal(levels.servers, 1 << 1 | 1 << 2);
    weir_buckets_free(&buckets);
}

/* One that lies lowers the bucket, others have a good mail each, and it goes on. */
static void a_single_mail_makes_nobody_a_witness(void **state)
{
    struct weir_buckets *buckets = table(50);
    (void)state;
    for (uint32_t before = 0; before < 50; before++) { /* whenever it is */
        struct weir_cost cost = {.time = START, .quantity = {before}, .server = 9};
        charge(buckets, before, &cost);
        cost.quantity[0] = 1;
        for (cost.server = 1; cost.server <= 3; cost.server++) {
            cost.time += WEIR_SECOND;
            charge(buckets, before, &cost);
        }
        cost.server = 9;
        cost.quantity[0] = 60;
        struct weir_levels levels = charge(buckets, before, &cost);
        assert_true(levels.of[0].over);
        assert_int_equal(levels.servers, 1 << 9);
    }
    weir_buckets_free(&buckets);
}

/* Whose words account for it in the end, where one that lies tells of so many first, and so many
 * others in turn of so many each second from then on. */
static uint32_t others_accounted(double most, uint32_t lie, unsigned others, double each_second)
{
    struct weir_buckets *buckets = table(most);
    struct weir_cost cost = {.time = START, .quantity = {lie}, .server = 9};
    struct weir_levels levels = charge(buckets, 1, &cost);
    assert_int_equal(levels.servers, 1 << 9);
    for (unsigned n = 1; n <= 4000; n++) {
        cost.server = n % others;
        cost.quantity[0] = 1;
        cost.time = START + (weir_time)(n / each_second * WEIR_SECOND);
        charge(buckets, 1, &cost);
        if (n % 8 != 0)
            continue;
        cost.server = 9; /* it goes on, so that the bucket never comes back */
        cost.quantity[0] = lie;
        levels = charge(buckets, 1, &cost);
        if (levels.servers != 1 << 9)
            break;
    }
    weir_buckets_free(&buckets);
    return levels.servers & ~(1u << 9);
}

/* Servers of one rank have each as much of it. */
static void others_that_see_it_evenly_account_for_it_together(void **state)
{
    (void)state;
    for (unsigned others = 1; others <= 6; others++) {
        assert_int_equal(others_accounted(50, 100, others, 12), (1u << others) - 1);
        assert_int_equal(others_accounted(50, 100, others, 1.2), (1u << others) - 1);
        assert_int_equal(others_accounted(100000, 200000, others, 5000), 0);
    }
}

/* However long one that lies goes on. */
static void who_keeps_the_limit_at_others_makes_nobody_a_witness(void **state)
{
    (void)state;
    for (unsigned others = 1; others <= 6; others++) {
        assert_int_equal(others_accounted(50, 100, others, 0.8), 0);
        assert_int_equal(others_accounted(400, 1000, others, 0.95), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_that_see_it_evenly_account_for_it_together),
        cmocka_unit_test(who_keeps_the_limit_at_others_makes_nobody_a_witness),
        cmocka_unit_test(servers_are_those_that_charged_since_half),
        cmocka_unit_test(who_alone_charged_a_quarter_is_alone_to_account_for_it),
        cmocka_unit_test(two_that_tell_the_same_late_account_for_it_together),
        cmocka_unit_test(a_single_mail_makes_nobody_a_witness),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
