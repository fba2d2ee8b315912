/* The arithmetic of forward decay, against long double. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/store/counters_impl.h"
#include "tests/unit/counter_stores.h"

static const uint32_t half_lives[] = {1, 60, 900, 3600, 86400, 864000, 2592000, 31536000};
#define HALF_LIVES (sizeof half_lives / sizeof half_lives[0])

static const weir_time now_2026 = INT64_C(1795286015) * WEIR_SECOND;

static weir_time epoch_start(uint32_t epoch, uint32_t half_life)
{
    return (weir_time)(epoch * weir_decay_epoch_seconds(half_life)) * WEIR_SECOND;
}

static void an_epoch_has_16_half_lives_or_180_days(void **state)
{
    (void)state;
    assert_int_equal(weir_decay_epoch_seconds(900), 4 * 3600);
    assert_int_equal(weir_decay_epoch_seconds(2592000), 480 * 86400);
    assert_int_equal(weir_decay_epoch_seconds(0), 180 * 86400);
    assert_int_equal(weir_decay_epoch_seconds(UINT32_MAX), 16 * (uint64_t)UINT32_MAX);
}

static void an_epoch_begins_at_its_first_microsecond(void **state)
{
    (void)state;
    for (size_t i = 0; i < HALF_LIVES; i++) {
        uint32_t h = half_lives[i];
        uint32_t e = weir_decay_epoch(now_2026, h);
        assert_int_equal(weir_decay_epoch(epoch_start(e, h), h), e);
        assert_int_equal(weir_decay_epoch(epoch_start(e + 1, h) - 1, h), e);
        assert_int_equal(weir_decay_epoch(epoch_start(e + 1, h), h), e + 1);
        assert_int_equal(weir_decay_amount(epoch_start(e, h), h, 1), 4096);
        assert_int_equal(weir_decay_amount(epoch_start(e + 1, h), h, 1), 4096);
        assert_in_range(weir_decay_amount(epoch_start(e + 1, h) - 1, h, 1), 4096 * 65530ll,
                        4096 * 65536ll);
    }
}

static void times_before_1970_count_as_1970(void **state)
{
    (void)state;
    assert_int_equal(weir_decay_epoch(-1, 900), 0);
    assert_int_equal(weir_decay_epoch(INT64_MIN, 900), 0);
    assert_int_equal(weir_decay_amount(-5 * WEIR_DAY, 900, 1), 4096);
    assert_float_equal(weir_decay_factor(-5 * WEIR_DAY, 0, 900), 1.0 / 4096, 0);
}

static void an_event_counts_its_weight_when_it_happens(void **state)
{
    (void)state;
    for (int i = 0; i < 100000; i++) {
        uint32_t h = half_lives[random_u64() % HALF_LIVES];
        weir_time t = (weir_time)(random_u64() % (uint64_t)(4000000000u * WEIR_SECOND));
        double weight = exp2(random_between(-3, 20));
        double amount = (double)weir_decay_amount(t, h, weight);
        double value = amount * weir_decay_factor(t, weir_decay_epoch(t, h), h);
        assert_true(fabs(value - weight) <= 0.001 * weight);
        assert_true(fabs(value - weight) <= 1.0 / 8192 + 1e-12 * weight);
    }
}

static void factors_agree_with_long_double(void **state)
{
    (void)state;
    for (int i = 0; i < 100000; i++) {
        uint32_t h = half_lives[random_u64() % HALF_LIVES];
        weir_time t = (weir_time)(random_u64() % (uint64_t)(4000000000u * WEIR_SECOND));
        uint32_t epoch = weir_decay_epoch(t, h);
        if (epoch > 0 && random_u64() % 2)
            epoch--;
        long double half_lives_ago =
            (long double)(t - epoch_start(epoch, h)) / ((long double)h * WEIR_SECOND);
        long double want = exp2l(-half_lives_ago) / 4096;
        assert_true(fabsl(weir_decay_factor(t, epoch, h) - want) <= 1e-14L * want);
    }
}

static void a_number_of_the_far_future_gives_a_finite_value(void **state)
{
    (void)state;
    assert_true(isfinite((double)WEIR_COUNTER_MAX * weir_decay_factor(now_2026, UINT32_MAX, 1)));
    assert_true(weir_decay_factor(now_2026, 0, 1) == 0);
}

static void without_decay_everything_counts_in_full(void **state)
{
    (void)state;
    uint32_t e = weir_decay_epoch(now_2026, 0);
    assert_int_equal(weir_decay_amount(now_2026, 0, 2.5), 10240);
    assert_float_equal(weir_decay_factor(now_2026, e, 0) * 4096, 1, 0);
    assert_float_equal(weir_decay_factor(now_2026, e - 1, 0) * 4096, 1, 0);
    assert_true(weir_decay_looks_back(epoch_start(e + 1, 0) - 1, 0));
}

static void what_is_not_looked_back_at_is_below_a_thousandth(void **state)
{
    (void)state;
    for (size_t i = 0; i < HALF_LIVES; i++) {
        uint32_t h = half_lives[i];
        weir_time start = epoch_start(weir_decay_epoch(now_2026, h), h);
        assert_true(weir_decay_looks_back(start, h));
        for (int k = 0; k < 1600; k++) {
            weir_time t = start + (weir_time)h * WEIR_SECOND * k / 100;
            double left = exp2(-k / 100.0);
            if (!weir_decay_looks_back(t, h))
                assert_true(left < 0.0002);
        }
        assert_false(weir_decay_looks_back(start + 15 * (weir_time)h * WEIR_SECOND, h));
    }
}

static void a_number_expires_after_the_next_epoch_and_not_before(void **state)
{
    (void)state;
    static const uint32_t with_none[] = {0, 1, 900, 2592000};
    for (size_t i = 0; i < 4; i++) {
        uint32_t h = with_none[i];
        uint32_t e = weir_decay_epoch(now_2026, h);
        uint64_t last_use = (uint64_t)(epoch_start(e + 2, h) / WEIR_SECOND);
        assert_true(weir_decay_expires(e, h) > last_use);
        assert_true(weir_decay_expires(e, h) <= last_use + (h ? h : 86400));
    }
}

static void expiry_is_absolute_and_never_wraps(void **state)
{
    (void)state;
    /* below 30 days memcached takes it for a span of time */
    assert_true(weir_decay_expires(weir_decay_epoch(now_2026, 1), 1) > 30 * 86400);
    assert_int_equal(weir_decay_expires(43, 31536000), WEIR_DECAY_NEVER);
    assert_int_equal(weir_decay_expires(UINT32_MAX, 1), WEIR_DECAY_NEVER);
    assert_int_equal(weir_decay_expires(UINT32_MAX, UINT32_MAX), WEIR_DECAY_NEVER);
    assert_int_equal(weir_decay_expires(UINT32_MAX, 0), WEIR_DECAY_NEVER);
    assert_int_equal(weir_decay_expires(0, UINT32_MAX), WEIR_DECAY_NEVER);
}

static void clock_skew_of_a_second_changes_a_quarter_hour_counter_by_a_thousandth(void **state)
{
    (void)state;
    for (int i = 0; i < 10000; i++) {
        weir_time t = now_2026 + (weir_time)(random_u64() % (uint64_t)(10 * WEIR_DAY));
        uint32_t sent = weir_decay_epoch(t + WEIR_SECOND, 900);
        uint64_t amount = weir_decay_amount(t + WEIR_SECOND, 900, 10);
        double value = (double)amount * weir_decay_factor(t, sent, 900);
        assert_true(fabs(value - 10) <= 0.0008 * 10);
    }
}

static void a_thousand_events_a_half_life_stay_far_below_the_most_a_number_can_be(void **state)
{
    (void)state;
    const uint32_t h = 3600;
    weir_time start = epoch_start(weir_decay_epoch(now_2026, h), h);
    uint64_t number = 0;
    for (int i = 0; i < 16000; i++)
        number += weir_decay_amount(start + (weir_time)h * WEIR_SECOND * i / 1000, h, 5);
    assert_true(number < WEIR_COUNTER_MAX >> 20);
}

static void keys_are_those_of_every_other_server(void **state)
{
    (void)state;
    static const struct {
        enum weir_variable variable;
        uint32_t half_life, epoch;
        const char *key;
    } cases[] = {
        {WEIR_SPAM_USER, 2592000, 43, "v1:su2592000:43:AAECAwQFBgcICQoLDA3-_w"},
        {WEIR_GOOD_USER, 864000, 129, "v1:gu864000:129:AAECAwQFBgcICQoLDA3-_w"},
        {WEIR_SPAM_COMPUTER, 900, 124672, "v1:sc900:124672:AAECAwQFBgcICQoLDA3-_w"},
        {WEIR_GOOD_COMPUTER, 1, 0, "v1:gc1:0:AAECAwQFBgcICQoLDA3-_w"},
        {WEIR_INDETERMINATE, 10, 10, "v1:in10:10:AAECAwQFBgcICQoLDA3-_w"},
        {WEIR_SPAM_EVENTS, 3600, 9, "v1:sr3600:9:AAECAwQFBgcICQoLDA3-_w"},
        {WEIR_GROUP_GOOD, 0, 115, "v1:ug0:115:AAECAwQFBgcICQoLDA3-_w"},
        {WEIR_GROUP_NEW, UINT32_MAX, UINT32_MAX,
         "v1:nw4294967295:4294967295:AAECAwQFBgcICQoLDA3-_w"},
    };
    struct weir_counter counter = {
        .entity = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 254, 255}}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char key[WEIR_COUNTER_KEY_MAX];
        counter.variable = cases[i].variable;
        counter.half_life = cases[i].half_life;
        size_t len = weir_counter_key(&counter, cases[i].epoch, key);
        assert_string_equal(key, cases[i].key);
        assert_int_equal(len, strlen(key));
        assert_true(len < WEIR_COUNTER_KEY_MAX);
    }
}

/* At random times, and on both sides of the moments at which something changes. */
static void a_plan_says_what_its_parts_say_and_until_when(void **state)
{
    static const uint32_t cases[] = {0, 1, 900, 3600, 2592000, UINT32_MAX / 32, UINT32_MAX};
    (void)state;
    for (int round = 0; round < 70000; round++) {
        uint32_t h = cases[round % 7];
        weir_time t = (weir_time)random_between(0, 2e9) * WEIR_SECOND + round;
        struct weir_decay_plan plan = weir_decay_plan(t, h);
        for (int again = 0; again < 2; again++, t = plan.until, plan = weir_decay_plan(t, h)) {
            bool looks_back = plan.epoch > 0 && weir_decay_looks_back(t, h);
            assert_int_equal(plan.epoch, weir_decay_epoch(t, h));
            assert_true(plan.factor == weir_decay_factor(t, plan.epoch, h));
            assert_true(plan.before == (!looks_back ? 0 : h > 0 ? exp2(-16) : 1));
            assert_true(plan.now == t && plan.half_life == h && plan.until > t);
            struct weir_decay_plan last = weir_decay_plan(plan.until - 1, h);
            struct weir_decay_plan next = weir_decay_plan(plan.until, h);
            assert_true(last.epoch == plan.epoch && last.before == plan.before);
            assert_true(last.until == plan.until && next.until > plan.until);
        }
    }
    assert_true(weir_decay_plan(INT64_MAX, UINT32_MAX).until == INT64_MAX);
    assert_true(weir_decay_plan(-5, 900).epoch == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_epoch_has_16_half_lives_or_180_days),
        cmocka_unit_test(an_epoch_begins_at_its_first_microsecond),
        cmocka_unit_test(times_before_1970_count_as_1970),
        cmocka_unit_test(an_event_counts_its_weight_when_it_happens),
        cmocka_unit_test(factors_agree_with_long_double),
        cmocka_unit_test(a_number_of_the_far_future_gives_a_finite_value),
        cmocka_unit_test(without_decay_everything_counts_in_full),
        cmocka_unit_test(what_is_not_looked_back_at_is_below_a_thousandth),
        cmocka_unit_test(a_number_expires_after_the_next_epoch_and_not_before),
        cmocka_unit_test(expiry_is_absolute_and_never_wraps),
        cmocka_unit_test(clock_skew_of_a_second_changes_a_quarter_hour_counter_by_a_thousandth),
        cmocka_unit_test(
            a_thousand_events_a_half_life_stay_far_below_the_most_a_number_can_be),
        cmocka_unit_test(keys_are_those_of_every_other_server),
        cmocka_unit_test(a_plan_says_what_its_parts_say_and_until_when),
    };
    seed_random();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
