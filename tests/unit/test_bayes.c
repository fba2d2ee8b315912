/*
 * Tests of core/evidence/bayes.c: numbers worked out by hand, bounds of settings, silence, and
 * that the order of tokens does not matter, and what weights add.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "core/base/arena_impl.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/evidence/bayes.h"
#include "tests/unit/seeded.h"

enum { MANY = 3000 };

#define near(got, want, off) assert_true(fabs((got) - (want)) <= (off))

struct world {
    struct weir_arena *arena;
    struct weir_bayes_settings settings;
    struct weir_bayes_table table;
    struct weir_bayes_count count[MANY];
    struct weir_bayes_token token[MANY];
    void *octets;
    size_t len;
    bool weighed;
};

static int up(void **state)
{
    static struct world world;
    world = (struct world){.arena = weir_arena_new(1 << 16)};
    world.settings = (struct weir_bayes_settings){.strength = 1, .prior = 0.5, .distance = 0,
                                                  .independent = 1, .most = 150};
    *state = &world;
    return world.arena ? 0 : -1;
}

static int down(void **state)
{
    struct world *world = *state;
    weir_arena_free(&world->arena);
    free(world->octets);
    return 0;
}

/* A table of 100 spam and 100 ham with the first n counts. */
static void publish(struct world *world, size_t n, uint64_t spam, uint64_t ham)
{
    struct weir_bayes_counts counts = {.spam = spam, .ham = ham, .count = world->count,
                                       .counts = n, .weighed = world->weighed};
    free(world->octets);
    assert_int_equal(weir_bayes_table_build(&counts, 0, &world->octets, &world->len), 0);
    assert_int_equal(weir_bayes_table_attach(world->octets, world->len, true, &world->table), 0);
}

static struct weir_bayes_result judged(struct world *world, size_t n)
{
    struct weir_bayes_tokens tokens = {.token = world->token, .tokens = n};
    struct weir_bayes_result result;
    for (size_t i = 0; i < n; i++)
        world->token[i].hash = world->count[i].hash;
    assert_int_equal(weir_bayes_judge(&world->table, &world->settings, &tokens, world->arena,
                                      &result), 0);
    return result;
}

static void chi2_is_what_tables_of_it_say(void **state)
{
    (void)state;
    /* One pair of degrees: exp(-m).  Two: exp(-m) (1 + m).  0.05 at 3.841/2 needs odd degrees;
     * of 10 degrees 18.307 has it, of 20 degrees 31.410. */
    near(weir_bayes_chi2_log(2, 1), -2, 1e-12);
    near(weir_bayes_chi2_log(2, 2), -2 + log(3), 1e-12);
    near(exp(weir_bayes_chi2_log(18.307 / 2, 5)), 0.05, 1e-5);
    near(exp(weir_bayes_chi2_log(31.410 / 2, 10)), 0.05, 1e-5);
    near(weir_bayes_chi2_log(0, 3), 0, 0);
}

static void chi2_does_not_underflow(void **state)
{
    (void)state;
    /* exp(-10000) 10000^4/4! (1 + ...): the largest term and the four before it. */
    double m = 10000, sum = 1 + 4 / m + 12 / m / m + 24 / m / m / m + 24 / m / m / m / m;
    double want = -m + 4 * log(m) - log(24) + log(sum);
    near(weir_bayes_chi2_log(m, 5), want, 1e-9);
    assert_true(isfinite(weir_bayes_chi2_log(1e6, WEIR_BAYES_TELLING_MAX)));
    near(weir_bayes_chi2_log(1, WEIR_BAYES_TELLING_MAX), 0, 1e-15);
}

static void one_token_gives_the_share_that_a_hand_works_out(void **state)
{
    struct world *world = *state;
    /* 3 of 100 spam, 1 of 100 ham: p = 3/4, n = 4, f = (1*.5 + 4*.75)/5 = 0.7.
     * P = exp(ln f) = .7, Q = exp(ln(1 - f)) = .3: (1 + .7 - .3)/2 = .7 */
    world->count[0] = (struct weir_bayes_count){77, 3, 1, 0};
    publish(world, 1, 100, 100);
    struct weir_bayes_result result = judged(world, 1);
    assert_int_equal(result.silence, WEIR_BAYES_SPEAKS);
    assert_int_equal(result.tellings, 1);
    near(result.telling[0].spam, 0.7, 1e-12);
    near(result.probability, 0.7, 1e-12);
    near(result.weight, log(7.0 / 3), 1e-12);
    assert_int_equal(result.for_spam, 1);
    assert_int_equal(result.for_ham, 0);
}

static void two_tokens_combine_as_a_hand_does_it(void **state)
{
    struct world *world = *state;
    /* f = .7 twice: P = f^2 (1 - ln f^2), Q = (1-f)^2 (1 - ln (1-f)^2) */
    world->count[0] = (struct weir_bayes_count){5, 3, 1, 0};
    world->count[1] = (struct weir_bayes_count){6, 3, 1, 0};
    publish(world, 2, 100, 100);
    double p = 0.49 * (1 - log(0.49)), q = 0.09 * (1 - log(0.09));
    near(judged(world, 2).probability, (1 + p - q) / 2, 1e-12);
    /* Half of them independent: one degree, and half the sum: the same as one. */
    world->settings.independent = 0.5;
    near(judged(world, 2).probability, 0.7, 1e-12);
}

static void two_views_multiply_their_odds(void **state)
{
    struct world *world = *state;
    world->count[0] = (struct weir_bayes_count){5, 3, 1, 0};
    world->count[1] = (struct weir_bayes_count){6, 1, 3, 0};
    publish(world, 2, 100, 100);
    world->token[1].view = WEIR_BAYES_HEAD;
    struct weir_bayes_result result = judged(world, 2);
    near(result.view[WEIR_BAYES_TEXT], log(7.0 / 3), 1e-12);
    near(result.view[WEIR_BAYES_HEAD], -log(7.0 / 3), 1e-12);
    near(result.probability, 0.5, 1e-12);
    assert_int_equal(result.for_spam, 1);
    assert_int_equal(result.for_ham, 1);
}

static void the_order_of_tokens_does_not_matter(void **state)
{
    struct world *world = *state;
    struct seeded s = seeded_new("the_order_of_tokens_does_not_matter");
    for (size_t i = 0; i < 400; i++)
        world->count[i] = (struct weir_bayes_count){seeded_next(&s), seeded_below(&s, 9),
                                                    seeded_below(&s, 9),
                                                    (int16_t)seeded_below(&s, 30000)};
    world->weighed = true;
    publish(world, 400, 100, 100);
    world->settings.most = 20;
    struct weir_bayes_result before = judged(world, 400);
    for (size_t i = 399; i > 0; i--) {
        size_t other = seeded_below(&s, (unsigned)i + 1);
        struct weir_bayes_count count = world->count[i];
        world->count[i] = world->count[other];
        world->count[other] = count;
    }
    struct weir_bayes_result after = judged(world, 400);
    assert_true(before.weight == after.weight);
    assert_int_equal(before.tellings, 20);
    for (size_t i = 0; i < before.tellings; i++) {
        assert_true(before.telling[i].count.hash == after.telling[i].count.hash);
        assert_true(i == 0 || fabs(before.telling[i - 1].spam - 0.5) >=
                                  fabs(before.telling[i].spam - 0.5));
    }
}

static void the_most_telling_are_combined(void **state)
{
    struct world *world = *state;
    for (size_t i = 0; i < 10; i++)
        world->count[i] = (struct weir_bayes_count){i + 1, (uint32_t)i + 1, 0, 0};
    publish(world, 10, 100, 100);
    world->settings.most = 3;
    struct weir_bayes_result result = judged(world, 10);
    assert_int_equal(result.known, 10);
    assert_int_equal(result.tellings, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(result.telling[i].count.spam, 10 - i);
}

static void tokens_near_one_half_say_nothing(void **state)
{
    struct world *world = *state;
    world->count[0] = (struct weir_bayes_count){1, 3, 1, 0};
    publish(world, 1, 100, 100);
    world->settings.distance = 0.1999;
    assert_int_equal(judged(world, 1).tellings, 1);
    world->settings.distance = 0.2001;
    struct weir_bayes_result result = judged(world, 1);
    assert_int_equal(result.silence, WEIR_BAYES_NOTHING);
    assert_int_equal(result.known, 1);
    near(result.probability, 0.5, 0);
}

/* Of 1000 spam and 1000 ham reputation was asked about for 200 spam and so many ham; a word of it
 * had all this spam, and of the ham so many. */
static struct weir_bayes_result asked(struct world *world, uint32_t all_ham, uint32_t ham)
{
    struct weir_bayes_tokens tokens = {.token = world->token, .tokens = 2, .reputations = 2};
    struct weir_bayes_result result;
    world->settings.least_spam = world->settings.least_ham = 100;
    world->count[0] = (struct weir_bayes_count){.hash = 1, .spam = 200, .ham = all_ham};
    world->count[1] = (struct weir_bayes_count){.hash = 2, .spam = 200, .ham = ham};
    publish(world, 2, 1000, 1000);
    for (size_t i = 0; i < 2; i++)
        world->token[i] = (struct weir_bayes_token){.hash = i + 1, .view = WEIR_BAYES_HEAD};
    assert_int_equal(weir_bayes_judge(&world->table, &world->settings, &tokens, world->arena,
                                      &result), 0);
    return result;
}

static void what_reputation_says_is_a_share_of_who_was_asked_about(void **state)
{
    struct world *world = *state;
    /* (200/200) / (200/200 + 190/200), drawn by one message to one half; and nothing by rep:any. */
    struct weir_bayes_result result = asked(world, 200, 190);
    double p = (0.5 + 390 / 1.95) / 391;
    near(result.weight, log(p / (1 - p)), 1e-9);
    near(result.reputation, result.weight, 0);
    near(result.view[WEIR_BAYES_HEAD], 0, 0);
    assert_int_equal(result.tellings, 1);
    assert_int_equal(result.for_spam, 1);
    assert_ptr_equal(result.telling[0].token, &world->token[1]);
    /* Of an older list: more ham has it than was asked about. */
    near(asked(world, 200, 2000).weight, 0, 1e-9);
}

static void reputation_is_silent_until_enough_were_asked_about(void **state)
{
    struct world *world = *state;
    assert_int_equal(asked(world, 99, 0).silence, WEIR_BAYES_NOTHING);
    near(asked(world, 99, 0).weight, 0, 0);
    assert_true(asked(world, 100, 0).weight > 0);
}

static void reputation_moves_the_odds_so_far_and_no_further(void **state)
{
    near(asked(*state, 200, 0).weight, WEIR_BAYES_REPUTATION_MOST, 0);
}

static void it_is_silent_until_enough_was_learned(void **state)
{
    struct world *world = *state;
    static const struct { uint64_t spam, ham; enum weir_bayes_silence want; } cases[] = {
        {0, 0, WEIR_BAYES_FEW_SPAM}, {199, 200, WEIR_BAYES_FEW_SPAM},
        {200, 199, WEIR_BAYES_FEW_HAM}, {200, 200, WEIR_BAYES_SPEAKS},
    };
    world->count[0] = (struct weir_bayes_count){1, 9, 0, 0};
    world->settings = weir_bayes_defaults();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        publish(world, 1, cases[i].spam, cases[i].ham);
        struct weir_bayes_result result = judged(world, 1);
        assert_int_equal(result.silence, cases[i].want);
        assert_true((result.weight > 0) == (cases[i].want == WEIR_BAYES_SPEAKS));
        assert_true((weir_bayes_silence_text(result.silence)[0] == 0) ==
                    (cases[i].want == WEIR_BAYES_SPEAKS));
    }
    world->settings.least_spam = world->settings.least_ham = 0;
    publish(world, 1, 0, 0);
    assert_int_equal(judged(world, 1).silence, WEIR_BAYES_FEW_SPAM);
}

static void settings_out_of_their_bounds_are_refused(void **state)
{
    struct world *world = *state;
    const struct weir_bayes_settings good = weir_bayes_defaults();
    struct weir_bayes_settings bad[12];
    struct weir_bayes_tokens tokens = {.token = world->token};
    struct weir_bayes_result result;
    for (size_t i = 0; i < 12; i++)
        bad[i] = good;
    bad[0].strength = 0, bad[1].strength = INFINITY, bad[2].strength = NAN;
    bad[3].prior = 0, bad[4].prior = 1, bad[5].distance = -0.1, bad[6].distance = 0.5;
    bad[7].independent = 0, bad[8].independent = 1.01, bad[9].most = 0;
    bad[10].most = WEIR_BAYES_TELLING_MAX + 1, bad[11].independent = NAN;
    publish(world, 0, 200, 200);
    for (size_t i = 0; i < 12; i++)
        assert_int_equal(weir_bayes_judge(&world->table, &bad[i], &tokens, world->arena, &result),
                         WEIR_EINVAL);
    bad[10].most = WEIR_BAYES_TELLING_MAX;
    assert_int_equal(weir_bayes_judge(&world->table, &bad[10], &tokens, world->arena, &result), 0);
}

/* WEIR_BAYES_TELLING_MAX */
static void as_many_as_the_limit_are_combined_and_stay_finite(void **state)
{
    struct world *world = *state;
    for (size_t i = 0; i < MANY; i++)
        world->count[i] = (struct weir_bayes_count){i + 1, UINT32_MAX, 0, 0};
    publish(world, MANY, 1, 1);
    world->settings.most = WEIR_BAYES_TELLING_MAX;
    struct weir_bayes_result result = judged(world, MANY);
    assert_int_equal(result.tellings, WEIR_BAYES_TELLING_MAX);
    assert_true(isfinite(result.weight) && result.weight > 0);
    near(result.probability, 1, 1e-9);
}

static void short_memory_is_told(void **state)
{
    struct world *world = *state;
    struct weir_bayes_tokens tokens = {.token = world->token, .tokens = 1};
    struct weir_bayes_result result;
    publish(world, 0, 200, 200);
    weir_arena_fail_nth(world->arena, 1);
    assert_int_equal(weir_bayes_judge(&world->table, &world->settings, &tokens, world->arena,
                                      &result), WEIR_ENOMEM);
}

/* Words 1 to 5: two of the text, which weigh 1 and 0.5, two of the header with -0.25 and -0.5, and
 * one of it that nobody knows. */
static struct weir_bayes_result weighed_by_hand(struct world *world)
{
    static const double weight[] = {1, 0.5, -0.25, -0.5};
    for (size_t i = 0; i < 4; i++)
        world->count[i] = (struct weir_bayes_count){i + 1, 3, 1,
                                                    (int16_t)(weight[i] * WEIR_BAYES_WEIGHT_ONE)};
    world->weighed = true;
    publish(world, 4, 100, 100);
    world->count[4].hash = 5;
    for (size_t i = 2; i < 5; i++)
        world->token[i].view = WEIR_BAYES_HEAD;
    return judged(world, 5);
}

static void weights_are_added_as_a_hand_does_it_and_the_mean_is_taken(void **state)
{
    struct weir_bayes_result result = weighed_by_hand(*state);
    near(result.linear, 1.5 / sqrt(2) - 0.75 / sqrt(3), 1e-12);
    near(result.weight,
         (result.view[0] + result.view[1] + WEIR_BAYES_LINEAR * result.linear) / 2, 1e-12);
    near(result.probability, 1 / (1 + exp(-result.weight)), 1e-12);
    assert_int_equal(result.known, 4);
}

static void beside_weights_no_view_is_surer_than_its_most(void **state)
{
    struct world *world = *state;
    for (size_t i = 0; i < 100; i++) {
        world->count[i] = (struct weir_bayes_count){i + 1, i < 50 ? 90 : 0, i < 50 ? 0 : 80, 0};
        world->token[i].view = i < 50 ? WEIR_BAYES_TEXT : WEIR_BAYES_HEAD;
    }
    world->count[0].weight = WEIR_BAYES_WEIGHT_ONE;
    world->weighed = true;
    publish(world, 100, 100, 100);
    struct weir_bayes_result result = judged(world, 100);
    assert_true(result.view[WEIR_BAYES_TEXT] > WEIR_BAYES_VIEW_MOST);
    assert_true(result.view[WEIR_BAYES_HEAD] < -WEIR_BAYES_VIEW_MOST);
    near(result.weight, WEIR_BAYES_LINEAR / sqrt(50) / 2, 1e-12);
}

static void weights_alone_are_an_opinion_and_the_largest_are_a_number(void **state)
{
    struct world *world = *state;
    world->settings.distance = 0.4;
    for (size_t i = 0; i < MANY; i++)
        world->count[i] = (struct weir_bayes_count){i + 1, 1, 1, INT16_MAX};
    world->weighed = true;
    publish(world, MANY, 100, 100);
    struct weir_bayes_result result = judged(world, MANY);
    assert_int_equal(result.silence, WEIR_BAYES_SPEAKS);
    assert_int_equal(result.tellings, 0);
    near(result.weight, WEIR_BAYES_LINEAR * INT16_MAX / WEIR_BAYES_WEIGHT_ONE * sqrt(MANY) / 2,
         1e-9);
    assert_true(isfinite(result.probability));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chi2_is_what_tables_of_it_say),
        cmocka_unit_test(chi2_does_not_underflow),
        cmocka_unit_test_setup_teardown(one_token_gives_the_share_that_a_hand_works_out, up, down),
        cmocka_unit_test_setup_teardown(two_tokens_combine_as_a_hand_does_it, up, down),
        cmocka_unit_test_setup_teardown(two_views_multiply_their_odds, up, down),
        cmocka_unit_test_setup_teardown(the_order_of_tokens_does_not_matter, up, down),
        cmocka_unit_test_setup_teardown(the_most_telling_are_combined, up, down),
        cmocka_unit_test_setup_teardown(tokens_near_one_half_say_nothing, up, down),
        cmocka_unit_test_setup_teardown(what_reputation_says_is_a_share_of_who_was_asked_about, up,
                                        down),
        cmocka_unit_test_setup_teardown(reputation_is_silent_until_enough_were_asked_about, up,
                                        down),
        cmocka_unit_test_setup_teardown(reputation_moves_the_odds_so_far_and_no_further, up, down),
        cmocka_unit_test_setup_teardown(it_is_silent_until_enough_was_learned, up, down),
        cmocka_unit_test_setup_teardown(settings_out_of_their_bounds_are_refused, up, down),
        cmocka_unit_test_setup_teardown(as_many_as_the_limit_are_combined_and_stay_finite, up,
                                        down),
        cmocka_unit_test_setup_teardown(short_memory_is_told, up, down),
        cmocka_unit_test_setup_teardown(weights_are_added_as_a_hand_does_it_and_the_mean_is_taken,
                                        up, down),
        cmocka_unit_test_setup_teardown(beside_weights_no_view_is_surer_than_its_most, up, down),
        cmocka_unit_test_setup_teardown(weights_alone_are_an_opinion_and_the_largest_are_a_number,
                                        up, down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
