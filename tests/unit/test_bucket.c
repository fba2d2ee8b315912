/*
 * Token buckets: against a bucket in double precision that keeps everything, and what the table
 * forgets and what it does not (bucket.c, bucket_table.c, memory_io.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "monitor/threshold/bucket.h"
#include "tests/unit/seeded.h"

#define START (1790000000 * WEIR_SECOND)

static const struct weir_hash_key key = {{7, 1, 7, 2, 7, 3}};

static struct weir_prefix prefix_of(uint32_t number)
{
    struct weir_address a = {{[10] = 0xff, [11] = 0xff}};
    for (int i = 0; i < 4; i++)
        a.octet[12 + i] = (uint8_t)(number >> (24 - 8 * i));
    return weir_address_prefix(&a, 32, 64);
}

static struct weir_buckets *table(size_t addresses, struct weir_limit connections)
{
    struct weir_buckets *buckets = NULL;
    struct weir_limits limits = {{connections}};
    assert_int_equal(weir_buckets_new(addresses, &key, &buckets), 0);
    assert_int_equal(weir_buckets_limit(buckets, 0, &limits), 0);
    return buckets;
}

static struct weir_levels charge_cost(struct weir_buckets *buckets, uint32_t number,
                                      const struct weir_cost *cost)
{
    struct weir_levels levels;
    struct weir_prefix prefix = prefix_of(number);
    struct weir_spot spot = weir_buckets_spot(buckets, &prefix);
    weir_buckets_charge(buckets, &spot, cost, &levels);
    return levels;
}

/* Connections of one address at a time. */
static struct weir_level charge(struct weir_buckets *buckets, uint32_t number, weir_time time,
                                uint32_t connections)
{
    struct weir_cost cost = {.time = time, .quantity = {connections}};
    return charge_cost(buckets, number, &cost).of[0];
}

static struct weir_levels look(const struct weir_buckets *buckets, uint32_t number, weir_time time)
{
    struct weir_levels levels;
    struct weir_prefix prefix = prefix_of(number);
    struct weir_spot spot = weir_buckets_spot(buckets, &prefix);
    weir_buckets_look(buckets, &spot, time, 0, &levels);
    return levels;
}

/* The claims. ------------------------------------------------------------ */

static void A10_faster_than_the_rate_trips_and_slower_never_does(void **state)
{
    static const struct {
        double per_second;
        bool trips;
    } cases[] = {{0.5, false}, {0.9, false}, {1.0, false}, {1.1, true}, {5, true}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weir_buckets *buckets = table(10, (struct weir_limit){1, 1000});
        weir_time step = (weir_time)(WEIR_SECOND / cases[i].per_second);
        bool tripped = false;
        for (int n = 0; n < 20000; n++)
            tripped |= charge(buckets, 1, START + n * step, 1).exceeded;
        if (tripped != cases[i].trips)
            fail_msg("%g a second: %d", cases[i].per_second, tripped);
        weir_buckets_free(&buckets);
    }
}

static void A11_without_a_rate_fifty_pass_and_the_fifty_first_trips(void **state)
{
    struct weir_buckets *buckets = table(10, (struct weir_limit){0, 50});
    (void)state;
    for (int n = 1; n <= 50; n++)
        assert_false(charge(buckets, 1, START + n * WEIR_HOUR, 1).exceeded);
    struct weir_level level = charge(buckets, 1, START + 51 * WEIR_HOUR, 1);
    assert_true(level.exceeded && level.raised && level.over);
    assert_true(level.tokens == -1);
    assert_false(charge(buckets, 2, START, 50).exceeded);
    assert_true(charge(buckets, 3, START, 51).exceeded);
    weir_buckets_free(&buckets);
}

static void A11_without_a_rate_a_bucket_is_full_a_day_after_its_last_charge(void **state)
{
    struct weir_buckets *buckets = table(10, (struct weir_limit){0, 50});
    (void)state;
    charge(buckets, 1, START, 51);
    assert_true(look(buckets, 1, START + WEIR_BUCKET_HELD - 1).of[0].over);
    assert_true(look(buckets, 1, START + WEIR_BUCKET_HELD).of[0].tokens == 50);
    struct weir_level level = charge(buckets, 1, START + WEIR_BUCKET_HELD, 1);
    assert_true(level.cleared && !level.exceeded && level.tokens == 49);
    weir_buckets_free(&buckets);
}

/* The model: every bucket in double precision, nothing forgotten. */
struct model {
    double tokens;
    weir_time time, excused; /* up to then, for what came late */
    bool known;
};

static bool model_charge(struct model *m, const struct weir_limit *limit, weir_time time, double n,
                         double *margin)
{
    if (!m->known)
        *m = (struct model){limit->maximum, time, 0, true};
    weir_time idle = time > m->time ? time - m->time : 0;
    m->tokens = fmin(limit->maximum, m->tokens + limit->rate * (double)idle / 1e6);
    if (limit->rate == 0 && idle >= WEIR_DAY)
        m->tokens = limit->maximum;
    m->time += idle;
    weir_time from = time > m->excused ? time : m->excused;
    double beyond = fmax((double)(m->time - from - WEIR_BUCKET_LATE) / 1e6 * limit->rate,
                         (double)(m->time - from) / 1e6 * limit->rate - limit->maximum / 2);
    double excused = fmin(n, fmax(0, beyond));
    n -= excused;
    if (excused > 0)
        m->excused = from + (weir_time)(excused / limit->rate * 1e6);
    *margin = m->tokens - n;
    bool exceeded = m->tokens < n;
    m->tokens = fmax(-limit->maximum, m->tokens - n);
    return exceeded;
}

enum {
    SENDERS = 40,
    CHARGES = 20000,
    MARKED = 8192 /* places a sender, so that nobody's mark of what came late has to go */
};

/* Replays random charges on both; how far from a tie decisions are compared says tie. */
static size_t replay(struct seeded *s, const struct weir_limits *limits, weir_time unit, double tie)
{
    static struct model model[SENDERS][WEIR_QUANTITIES];
    struct weir_buckets *buckets = NULL;
    weir_time now = START;
    size_t compared = 0;
    memset(model, 0, sizeof(model));
    assert_int_equal(weir_buckets_new(MARKED * SENDERS, &key, &buckets), 0);
    assert_int_equal(weir_buckets_limit(buckets, 3, limits), 0);
    for (int i = 0; i < CHARGES; i++) {
        uint32_t sender = seeded_below(s, SENDERS);
        now += unit * (weir_time)seeded_below(s, seeded_below(s, 500) == 0 ? 200000 : 500);
        weir_time late = unit * (weir_time)seeded_below(s, (unsigned)(WEIR_BUCKET_LATE / unit));
        struct weir_cost cost = {.time = now - late, .class_number = 3};
        for (int q = 0; q < WEIR_QUANTITIES; q++)
            cost.quantity[q] = seeded_below(s, 4) == 0 ? seeded_below(s, 20) : 1;
        struct weir_levels levels = charge_cost(buckets, sender, &cost);
        for (int q = 0; q < WEIR_QUANTITIES; q++) {
            double margin, most = limits->of[q].maximum;
            bool want = model_charge(&model[sender][q], &limits->of[q], cost.time,
                                     cost.quantity[q], &margin);
            if (fabs(margin) < tie * most)
                continue;
            compared++;
            if (levels.of[q].exceeded != want ||
                fabs(levels.of[q].tokens - model[sender][q].tokens) > 1e-4 * most)
                fail_msg("charge %d, quantity %d: %d, %g tokens; want %d, %g", i, q,
                         levels.of[q].exceeded, levels.of[q].tokens, want,
                         model[sender][q].tokens);
        }
    }
    assert_int_equal(weir_buckets_counts(buckets)->evicted, 0);
    weir_buckets_free(&buckets);
    return compared;
}

static void A12_decisions_equal_those_of_the_reference_bucket(void **state)
{
    struct seeded s = seeded_new(__func__);
    size_t compared = 0;
    (void)state;
    for (int round = 0; round < 5; round++) {
        struct weir_limits limits;
        for (int q = 0; q < WEIR_QUANTITIES; q++) /* no whole maximum, for ties are not compared */
            limits.of[q] = (struct weir_limit){seeded_below(&s, 100) / 30.0,
                                               1.5 + seeded_below(&s, 900) / 7.0};
        compared += replay(&s, &limits, 1 + seeded_below(&s, 300000), 1e-4);
    }
    assert_true(compared > 5 * CHARGES * WEIR_QUANTITIES * 0.99);
}

static void A12_decisions_are_the_same_at_every_tie_where_numbers_are_exact(void **state)
{
    struct seeded s = seeded_new(__func__);
    (void)state;
    for (int round = 0; round < 5; round++) {
        struct weir_limits limits;
        for (int q = 0; q < WEIR_QUANTITIES; q++)
            limits.of[q] = (struct weir_limit){seeded_below(&s, 16) / 8.0,
                                               1 + seeded_below(&s, 60)};
        assert_int_equal(replay(&s, &limits, WEIR_SECOND / 8, 0), CHARGES * WEIR_QUANTITIES);
    }
}

static void A12_excess_is_charged_to_minus_the_maximum_and_ends_two_maxima_later(void **state)
{
    struct weir_buckets *buckets = table(10, (struct weir_limit){2, 100});
    (void)state;
    assert_true(charge(buckets, 1, START, 150).tokens == -50);
    assert_true(charge(buckets, 1, START, 1000000).tokens == -100);
    assert_true(charge(buckets, 1, START, UINT32_MAX).tokens == -100);
    assert_true(look(buckets, 1, START + 99 * WEIR_SECOND).of[0].tokens == 98);
    assert_true(look(buckets, 1, START + 100 * WEIR_SECOND).of[0].tokens == 100);
    weir_buckets_free(&buckets);
}

/* Levels. ---------------------------------------------------------------- */

static void an_alarm_is_raised_once_and_cleared_at_half(void **state)
{
    struct weir_buckets *buckets = table(10, (struct weir_limit){1, 10});
    struct weir_level level = charge(buckets, 1, START, 11);
    (void)state;
    assert_true(level.raised && level.over && !level.cleared);
    level = charge(buckets, 1, START + WEIR_SECOND, 3);
    assert_true(level.exceeded && !level.raised && level.over); /* -3 tokens */
    level = charge(buckets, 1, START + 8 * WEIR_SECOND, 0);
    assert_true(!level.exceeded && !level.cleared && level.over && level.tokens == 4);
    level = charge(buckets, 1, START + 9 * WEIR_SECOND, 6);
    assert_true(level.cleared && level.raised && level.over); /* had 5, and takes 6 */
    level = charge(buckets, 1, START + 30 * WEIR_SECOND, 1);
    assert_true(level.cleared && !level.over && !level.exceeded);
    weir_buckets_free(&buckets);
}

static void a_charge_from_before_the_last_one_does_not_turn_time_back(void **state)
{
    struct weir_buckets *buckets = table(10, (struct weir_limit){1, 10});
    (void)state;
    charge(buckets, 1, START, 10);
    charge(buckets, 1, START + 4 * WEIR_SECOND, 0);
    assert_true(charge(buckets, 1, START - WEIR_DAY, 1).tokens == 4);
    assert_true(charge(buckets, 1, START + 4 * WEIR_SECOND, 1).tokens == 3);
    assert_true(charge(buckets, 1, INT64_MIN, 0).tokens == 3);
    assert_true(charge(buckets, 1, INT64_MAX, 0).tokens == 10);
    weir_buckets_free(&buckets);
}

/* A server that was cut off tells its last half an hour after another one has told of now. */
static void a_backlog_convicts_nobody_who_was_seen_elsewhere_meanwhile(void **state)
{
    (void)state;
    struct weir_buckets *buckets = table(10, (struct weir_limit){1, 300});
    const weir_time now = START + 1800 * WEIR_SECOND;
    charge(buckets, 1, now, 1);
    for (int i = 0; i < 720; i++) /* 0.4 a second */
        assert_false(charge(buckets, 1, START + i * (weir_time)2500000, 1).exceeded);
    for (int i = 0; i < 1800; i++) /* 5 a second, and nothing newer is known of it */
        if (charge(buckets, 2, START + i * WEIR_SECOND, 5).exceeded)
            break;
        else
            assert_true(i < 1799);
    charge(buckets, 3, now, 1);
    assert_true(charge(buckets, 3, START, 2500).exceeded); /* more than half an hour gives back */
    weir_buckets_free(&buckets);
}

/* A server tells its last hour, while another one hears of the same address every now and then. */
static void a_backlog_is_excused_once_however_often_others_charge(void **state)
{
    static const struct {
        uint32_t seconds, charge; /* so much each so many seconds */
        bool convicts;
    } cases[] = {{1, 100, true}, {1, 2, true}, {60, 90, true}, {2, 1, false}, {10, 9, false},
                 {3600, 3000, false}, {3600, 5000, true}};
    struct weir_buckets *buckets = table(10, (struct weir_limit){1, 300});
    weir_time hour = 3600;
    (void)state;
    for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        weir_time now = START + hour * WEIR_SECOND;
        bool exceeded = charge(buckets, i, now, 1).exceeded;
        for (weir_time second = 0; second < hour; second += cases[i].seconds) {
            exceeded |= charge(buckets, i, START + second * WEIR_SECOND, cases[i].charge).exceeded;
            if (second % 100 == 0)
                exceeded |= charge(buckets, i, now += WEIR_SECOND, 1).exceeded;
        }
        if (exceeded != cases[i].convicts)
            fail_msg("case %u: %d", i, exceeded);
    }
    weir_buckets_free(&buckets);
}

/* Two servers, one always a second behind: what they see together counts in full. */
static void A1_a_little_late_is_in_full(void **state)
{
    (void)state;
    struct weir_buckets *buckets = table(10, (struct weir_limit){1, 30});
    bool exceeded = false;
    for (int i = 0; i < 400 && !exceeded; i++) {
        weir_time time = START + i * (weir_time)1600000; /* 0.625 a second each */
        exceeded = charge(buckets, 1, time, 1).exceeded ||
                   charge(buckets, 1, time - WEIR_SECOND, 1).exceeded;
    }
    assert_true(exceeded);
    weir_buckets_free(&buckets);
}

static void what_was_charged_stays_charged_when_limits_change(void **state)
{
    struct weir_buckets *buckets = table(10, (struct weir_limit){0, 100});
    struct weir_limits lower = {{{0, 20}}}, none = {{{0, 0}}};
    (void)state;
    charge(buckets, 1, START, 30);
    assert_int_equal(weir_buckets_limit(buckets, 0, &lower), 0);
    struct weir_level level = charge(buckets, 1, START, 1);
    assert_true(level.raised && level.tokens == -11);
    assert_int_equal(weir_buckets_limit(buckets, 0, &none), 0);
    level = charge(buckets, 1, START, 1000);
    assert_true(level.cleared && !level.exceeded && level.tokens == 0);
    weir_buckets_free(&buckets);
}

static void what_is_not_limited_is_not_charged(void **state)
{
    struct weir_buckets *buckets = NULL;
    struct weir_limits limits = {{{0, 0}, {0, 2}}};
    struct weir_cost cost = {.time = START, .quantity = {UINT32_MAX, 1, 5}};
    (void)state;
    assert_int_equal(weir_buckets_new(10, &key, &buckets), 0);
    assert_int_equal(weir_buckets_limit(buckets, 0, &limits), 0);
    struct weir_levels levels = charge_cost(buckets, 1, &cost);
    assert_true(levels.of[0].tokens == 0 && !levels.of[0].exceeded);
    assert_true(levels.of[1].tokens == 1 && !levels.of[1].exceeded);
    assert_true(levels.of[2].tokens == 0 && !levels.of[2].exceeded);
    weir_buckets_free(&buckets);
}

static void a_large_bucket_is_right_on_average(void **state)
{
    struct weir_buckets *buckets = table(10, (struct weir_limit){0.3, WEIR_BUCKET_TOKENS_MAX});
    (void)state;
    charge(buckets, 1, START, 9000000);
    for (int n = 1; n <= 400000; n++) /* single precision has no halves here */
        charge(buckets, 1, START + n * WEIR_SECOND, 1);
    double tokens = look(buckets, 1, START + 400000 * WEIR_SECOND).of[0].tokens;
    if (fabs(tokens - (1000000 - 400000 * 0.7)) > 1000)
        fail_msg("%g tokens", tokens);
    weir_buckets_free(&buckets);
}

static void looking_makes_no_entry_and_settling_tells_once(void **state)
{
    struct weir_buckets *buckets = table(10, (struct weir_limit){1, 10});
    struct weir_prefix prefix = prefix_of(1);
    struct weir_spot spot = weir_buckets_spot(buckets, &prefix);
    struct weir_levels levels;
    (void)state;
    assert_true(look(buckets, 1, START).of[0].tokens == 10);
    weir_buckets_settle(buckets, &spot, START, 0, &levels);
    assert_int_equal(weir_buckets_counts(buckets)->made, 0);
    charge(buckets, 1, START, 11);
    assert_true(look(buckets, 1, START + WEIR_SECOND).of[0].over);
    assert_true(look(buckets, 1, START + 6 * WEIR_SECOND).of[0].cleared);
    assert_true(look(buckets, 1, START + 6 * WEIR_SECOND).of[0].cleared);
    weir_buckets_settle(buckets, &spot, START + 6 * WEIR_SECOND, 0, &levels);
    assert_true(levels.of[0].cleared && levels.of[0].tokens == 5);
    assert_false(charge(buckets, 1, START + 6 * WEIR_SECOND, 1).cleared);
    weir_buckets_reset(buckets, &spot);
    assert_true(look(buckets, 1, START).of[0].tokens == 10);
    weir_buckets_free(&buckets);
}

/* The table. ------------------------------------------------------------- */

static void as_many_addresses_as_were_asked_for_live_at_once(void **state)
{
    enum { MANY = 200000 };
    struct weir_buckets *buckets = table(MANY, (struct weir_limit){0, 10});
    const struct weir_buckets_counts *counts = weir_buckets_counts(buckets);
    (void)state;
    for (uint32_t i = 0; i < MANY; i++)
        charge(buckets, i, START + i, 1 + i % 5);
    assert_true(counts->evicted <= 1);
    assert_int_equal(counts->used + counts->evicted, MANY);
    unsigned lost = 0;
    for (uint32_t i = 0; i < MANY; i++)
        lost += look(buckets, i, START + MANY).of[0].tokens != 9 - i % 5;
    assert_int_equal(lost, counts->evicted);
    assert_true(weir_buckets_octets(buckets) <= 40 * (size_t)MANY);
    weir_buckets_free(&buckets);
}

static void a_flood_of_new_addresses_is_counted_and_spares_who_is_over_the_limit(void **state)
{
    enum { MANY = 5000 };
    struct weir_buckets *buckets = table(MANY, (struct weir_limit){0.001, 100});
    const struct weir_buckets_counts *counts = weir_buckets_counts(buckets);
    size_t octets = weir_buckets_octets(buckets);
    (void)state;
    for (uint32_t i = 0; i < 500; i++)
        charge(buckets, i, START, i < 250 ? 101 : 60); /* over, or nearly */
    for (uint32_t i = 0; i < 50 * MANY; i++)
        charge(buckets, 1000 + i, START + i, 1);
    for (uint32_t i = 0; i < 500; i++)
        assert_true(look(buckets, i, START).of[0].tokens < 41);
    assert_int_equal(counts->evicted, counts->made - counts->used);
    assert_true(counts->evicted > 40 * MANY && counts->used <= counts->places);
    assert_int_equal(weir_buckets_octets(buckets), octets);
    weir_buckets_free(&buckets);
}

static void who_is_over_the_limit_gives_way_last(void **state)
{
    struct weir_buckets *buckets = table(100, (struct weir_limit){0.01, 100});
    (void)state;
    charge(buckets, 0, START, 101);
    for (uint32_t i = 1; i < 2000; i++) /* 41 tokens are back by now; these miss more */
        charge(buckets, i, START + 4100 * WEIR_SECOND, 90);
    assert_true(look(buckets, 0, START + 4100 * WEIR_SECOND).of[0].over);
    weir_buckets_free(&buckets);
}

static void charges_out_of_order_find_what_was_charged_within_a_minute(void **state)
{
    struct weir_buckets *buckets = table(1000, (struct weir_limit){1, 10});
    (void)state;
    charge(buckets, 0, START, 10);
    for (uint32_t i = 1; i < 500; i++)
        charge(buckets, i, START + 30 * WEIR_SECOND, 1);
    assert_true(charge(buckets, 0, START + 5 * WEIR_SECOND, 1).tokens == 4);
    weir_buckets_free(&buckets);
}

static void the_place_of_full_buckets_is_free_without_loss(void **state)
{
    enum { MANY = 5000 };
    struct weir_buckets *buckets = table(MANY, (struct weir_limit){1, 10});
    const struct weir_buckets_counts *counts = weir_buckets_counts(buckets);
    (void)state;
    for (uint32_t i = 0; i < 100 * MANY; i++) /* each lives for a second: 2,000 at once */
        charge(buckets, i, START + i * (WEIR_SECOND / 2000), 1);
    assert_int_equal(counts->evicted, 0);
    assert_int_equal(counts->made, 100 * MANY);
    weir_buckets_free(&buckets);
}

static void an_entry_is_judged_by_its_own_limits(void **state)
{
    struct weir_buckets *buckets = table(100, (struct weir_limit){1000, 10});
    struct weir_limits slow = {{{0, 50}}};
    struct weir_cost cost = {.time = START, .class_number = 1, .quantity = {49}};
    (void)state;
    assert_int_equal(weir_buckets_limit(buckets, 1, &slow), 0);
    charge_cost(buckets, 1, &cost);
    for (uint32_t i = 0; i < 10000; i++)
        charge(buckets, 100 + i, START + i * WEIR_SECOND, 1);
    cost = (struct weir_cost){.time = START, .class_number = 1, .quantity = {2}};
    assert_true(charge_cost(buckets, 1, &cost).of[0].raised);
    weir_buckets_free(&buckets);
}

static void prefixes_that_share_octets_have_buckets_of_their_own(void **state)
{
    static const char *const text[] = {"192.0.2.0/24", "192.0.2.0",    "c000:200::/32",
                                       "c000:200::/24", "::/64",       "::/56",
                                       "0.0.0.0/0",     "0.0.0.0",     "::/0"};
    struct weir_buckets *buckets = table(100, (struct weir_limit){0, 10});
    struct weir_cost cost = {.time = START, .quantity = {1}};
    (void)state;
    for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
        struct weir_prefix prefix;
        struct weir_levels levels;
        const char *why;
        assert_int_equal(weir_prefix_parse(text[i], strlen(text[i]), &prefix, &why), 0);
        struct weir_spot spot = weir_buckets_spot(buckets, &prefix);
        assert_true(weir_buckets_charge(buckets, &spot, &cost, &levels));
        assert_true(levels.made && levels.of[0].tokens == 9);
        spot = weir_buckets_spot(buckets, &prefix);
        weir_buckets_near(buckets, &spot);
        assert_false(weir_buckets_charge(buckets, &spot, &cost, &levels));
    }
    weir_buckets_free(&buckets);
}

static void what_is_out_of_range_is_refused(void **state)
{
    static const struct weir_limit bad[] = {
        {-1, 10}, {1, 0.5}, {1, -1}, {NAN, 1}, {1, NAN}, {INFINITY, 1}, {1, INFINITY},
        {0, 2 * WEIR_BUCKET_TOKENS_MAX}, {2 * WEIR_BUCKET_TOKENS_MAX, 1}, {-1, 0}};
    struct weir_buckets *buckets = NULL;
    struct weir_limits good = {{{WEIR_BUCKET_TOKENS_MAX, WEIR_BUCKET_TOKENS_MAX}, {0, 1}}};
    (void)state;
    assert_int_equal(weir_buckets_new(0, &key, &buckets), WEIR_EINVAL);
    assert_int_equal(weir_buckets_new((size_t)WEIR_BUCKET_ADDRESSES_MAX + 1, &key, &buckets),
                     WEIR_EINVAL);
    assert_null(buckets);
    buckets = table(1, (struct weir_limit){0, 5});
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct weir_limits limits = {{{0, 1}, bad[i]}};
        assert_int_equal(weir_buckets_limit(buckets, 0, &limits), WEIR_EINVAL);
    }
    assert_true(charge(buckets, 1, START, 1).tokens == 4);
    assert_int_equal(weir_buckets_limit(buckets, WEIR_BUCKET_CLASSES_MAX - 1, &good), 0);
    assert_int_equal(weir_buckets_limit(buckets, WEIR_BUCKET_CLASSES_MAX, &good), WEIR_EINVAL);
    weir_buckets_free(&buckets);
    weir_buckets_free(&buckets);
}

static void quantities_have_names(void **state)
{
    enum weir_quantity found = WEIR_QUANTITIES;

    (void)state;
    for (unsigned q = 0; q < WEIR_QUANTITIES; q++) {
        assert_true(weir_quantity_find(weir_quantity_name((enum weir_quantity)q), &found));
        assert_int_equal(found, q);
    }
    assert_false(weir_quantity_find("?", &found));
    assert_int_equal(found, WEIR_QUANTITIES - 1);
    assert_string_equal(weir_quantity_name(WEIR_QUANTITY_CONNECTIONS), "connections");
    assert_string_equal(weir_quantity_name(WEIR_QUANTITY_MESSAGES), "messages");
    assert_string_equal(weir_quantity_name(WEIR_QUANTITY_RECIPIENTS), "recipients");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(A10_faster_than_the_rate_trips_and_slower_never_does),
        cmocka_unit_test(A11_without_a_rate_fifty_pass_and_the_fifty_first_trips),
        cmocka_unit_test(A11_without_a_rate_a_bucket_is_full_a_day_after_its_last_charge),
        cmocka_unit_test(A12_decisions_equal_those_of_the_reference_bucket),
        cmocka_unit_test(A12_decisions_are_the_same_at_every_tie_where_numbers_are_exact),
        cmocka_unit_test(A12_excess_is_charged_to_minus_the_maximum_and_ends_two_maxima_later),
        cmocka_unit_test(an_alarm_is_raised_once_and_cleared_at_half),
        cmocka_unit_test(a_charge_from_before_the_last_one_does_not_turn_time_back),
        cmocka_unit_test(a_backlog_convicts_nobody_who_was_seen_elsewhere_meanwhile),
        cmocka_unit_test(a_backlog_is_excused_once_however_often_others_charge),
        cmocka_unit_test(A1_a_little_late_is_in_full),
        cmocka_unit_test(what_was_charged_stays_charged_when_limits_change),
        cmocka_unit_test(what_is_not_limited_is_not_charged),
        cmocka_unit_test(a_large_bucket_is_right_on_average),
        cmocka_unit_test(looking_makes_no_entry_and_settling_tells_once),
        cmocka_unit_test(as_many_addresses_as_were_asked_for_live_at_once),
        cmocka_unit_test(a_flood_of_new_addresses_is_counted_and_spares_who_is_over_the_limit),
        cmocka_unit_test(who_is_over_the_limit_gives_way_last),
        cmocka_unit_test(charges_out_of_order_find_what_was_charged_within_a_minute),
        cmocka_unit_test(the_place_of_full_buckets_is_free_without_loss),
        cmocka_unit_test(an_entry_is_judged_by_its_own_limits),
        cmocka_unit_test(prefixes_that_share_octets_have_buckets_of_their_own),
        cmocka_unit_test(what_is_out_of_range_is_refused),
        cmocka_unit_test(quantities_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
