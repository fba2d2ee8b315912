/*
 * Tests of monitor/analyzer/bayes_fit.c against a plain model of it (arrays as long as the
 * alphabet, messages sorted by hand), and of what it promises: order, bounds, limits, no memory of
 * what was taken back.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <endian.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/engine/lesson.h"
#include "monitor/analyzer/bayes_fit.h"
#include "tests/unit/seeded.h"

enum { WORDS = 60, MESSAGES = 200, LONGEST = 40 };

struct mail {
    uint64_t token[LONGEST]; /* growing; words 1 to WORDS, odd ones of the header */
    size_t tokens;
    bool spam;
};

static size_t random_mails(struct seeded *s, struct mail *mail, size_t mails)
{
    for (size_t i = 0; i < mails; i++) {
        mail[i] = (struct mail){.spam = seeded_below(s, 3) == 0};
        for (uint64_t word = 1; word <= WORDS && mail[i].tokens < LONGEST; word++)
            if (seeded_below(s, (mail[i].spam ? word : WORDS + 1 - word) + 2 > 30 ? 6 : 2) == 0)
                mail[i].token[mail[i].tokens++] = word;
    }
    return mails;
}

static int add(struct weir_bayes_fit *fit, const struct mail *mail)
{
    uint8_t octets[8 * LONGEST];

    for (size_t i = 0; i < mail->tokens; i++) {
        uint64_t big = htobe64(mail->token[i]);
        memcpy(octets + 8 * i, &big, 8);
    }
    return weir_bayes_fit_add(fit, octets, mail->tokens, mail->spam);
}

/* Of mails in order of time. */
static struct weir_bayes_fit *fitted(const struct mail *mail, size_t mails)
{
    struct weir_bayes_fit *fit;

    assert_int_equal(weir_bayes_fit_new(0, &fit), 0);
    for (size_t i = mails; i > 0; i--)
        assert_int_equal(add(fit, &mail[i - 1]), 1);
    assert_int_equal(weir_bayes_fit_run(fit), 0);
    return fit;
}

/* The model. ------------------------------------------------------------------------ */

static uint64_t model_chance(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15u;
    uint64_t z = (*state ^ (*state >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

struct turn {
    double when;
    const struct mail *mail;
};

static int by_when(const void *a, const void *b)
{
    const struct turn *x = a, *y = b;

    if (x->when != y->when)
        return x->when < y->when ? -1 : 1;
    return y->mail->spam - x->mail->spam;
}

/* Those of a kind, shuffled, each with its time within the pass. */
static size_t model_turns(const struct mail *mail, size_t mails, unsigned pass, bool spam,
                          struct turn *turn)
{
    uint64_t state = 2 * pass + (spam ? 1 : 0);
    size_t n = 0;

    for (size_t i = 0; i < mails; i++)
        if (mail[i].spam == spam)
            turn[n++].mail = &mail[i];
    for (size_t i = n; i > 1; i--) {
        struct turn *other = &turn[model_chance(&state) % i], moved = *other;
        *other = turn[i - 1];
        turn[i - 1] = moved;
    }
    for (size_t i = 0; i < n; i++)
        turn[i].when = ((double)i + 0.5) / (double)n;
    return n;
}

static void model_learn(const struct mail *mail, double *w, double *moved)
{
    double x[2] = {0, 0}, z = 0, off;

    for (size_t i = 0; i < mail->tokens; i++)
        x[mail->token[i] % 2]++;
    x[0] = x[0] > 0 ? 1 / sqrt(x[0]) : 0;
    x[1] = x[1] > 0 ? 1 / sqrt(x[1]) : 0;
    for (size_t i = 0; i < mail->tokens; i++)
        z += w[mail->token[i]] * x[mail->token[i] % 2];
    off = mail->spam - 1 / (1 + exp(-z));
    for (size_t i = 0; i < mail->tokens && fabs(off) >= 0.01; i++) {
        uint64_t word = mail->token[i];
        double by = off * x[word % 2];
        moved[word] += by * by;
        w[word] = fmax(-2, fmin(2, w[word] + by / sqrt(moved[word])));
    }
}

static void model(const struct mail *mail, size_t mails, double *weight)
{
    static struct turn turn[MESSAGES];
    double w[WORDS + 1], moved[WORDS + 1];

    memset(weight, 0, (WORDS + 1) * sizeof *weight);
    for (unsigned pass = 0; pass < WEIR_BAYES_FIT_PASSES; pass++) {
        size_t hams = model_turns(mail, mails, pass, false, turn);
        model_turns(mail, mails, pass, true, turn + hams);
        qsort(turn, mails, sizeof *turn, by_when);
        for (size_t i = 0; i <= WORDS; i++) {
            w[i] = 0;
            moved[i] = 1e-6;
        }
        for (size_t i = 0; i < mails; i++)
            model_learn(turn[i].mail, w, moved);
        for (size_t i = 0; i <= WORDS; i++)
            weight[i] += w[i] / WEIR_BAYES_FIT_PASSES;
    }
}

static double weight(const struct weir_bayes_fit *fit, uint64_t word)
{
    return (double)weir_bayes_fit_weight(fit, word) / WEIR_BAYES_WEIGHT_ONE;
}

/* Tests. ---------------------------------------------------------------------------- */

static void C28_weights_are_those_of_a_plain_model(void **state)
{
    struct seeded s = seeded_new("C28_weights_are_those_of_a_plain_model");
    static struct mail mail[MESSAGES];
    double w[WORDS + 1];
    (void)state;
    for (unsigned round = 0; round < 50; round++) {
        size_t mails = random_mails(&s, mail, seeded_below(&s, MESSAGES + 1));
        struct weir_bayes_fit *fit = fitted(mail, mails);
        model(mail, mails, w);
        for (uint64_t word = 1; word <= WORDS; word++)
            assert_true(fabs(weight(fit, word) - w[word]) < 1e-3);
        weir_bayes_fit_free(&fit);
    }
}

static void the_same_messages_give_the_same_weights_however_often_it_runs(void **state)
{
    struct seeded s = seeded_new("the_same_messages_give_the_same_weights");
    static struct mail mail[MESSAGES];
    (void)state;
    random_mails(&s, mail, MESSAGES);
    struct weir_bayes_fit *one = fitted(mail, MESSAGES), *other = fitted(mail, MESSAGES);
    assert_int_equal(weir_bayes_fit_run(other), 0);
    for (uint64_t word = 0; word <= WORDS + 1; word++)
        assert_int_equal(weir_bayes_fit_weight(one, word), weir_bayes_fit_weight(other, word));
    assert_int_equal(weir_bayes_fit_weight(one, WORDS + 1), 0);
    assert_int_equal(weir_bayes_fit_messages(one, true) + weir_bayes_fit_messages(one, false),
                     MESSAGES);
    weir_bayes_fit_free(&one);
    weir_bayes_fit_free(&other);
}

static void all_of_one_kind_first_teaches_the_same_as_both_by_turns(void **state)
{
    static struct mail mail[MESSAGES];
    static const bool spam_first[] = {true, false};
    (void)state;
    for (unsigned i = 0; i < MESSAGES; i++) /* by turns; all have the word 50 */
        mail[i] = (struct mail){{i % 2 ? 2 : 4, 50}, 2, i % 2 == 1};
    struct weir_bayes_fit *turns = fitted(mail, MESSAGES);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < MESSAGES; i++) {
            bool spam = (i < MESSAGES / 2) == spam_first[round];
            mail[i] = (struct mail){{spam ? 2 : 4, 50}, 2, spam};
        }
        struct weir_bayes_fit *blocks = fitted(mail, MESSAGES);
        for (uint64_t word = 1; word <= WORDS; word++)
            assert_int_equal(weir_bayes_fit_weight(blocks, word),
                             weir_bayes_fit_weight(turns, word));
        assert_true(weight(blocks, 2) > 1 && weight(blocks, 4) < -1);
        weir_bayes_fit_free(&blocks);
    }
    weir_bayes_fit_free(&turns);
}

static void no_order_of_messages_decides_what_a_word_weighs(void **state)
{
    static struct mail mail[2 * MESSAGES];
    struct weir_bayes_fit *fit;
    (void)state;
    /* Half of all spam and of all ham has the word 50, as the first of its kind and as the last. */
    for (unsigned last = 0; last < 2; last++) {
        for (unsigned i = 0; i < MESSAGES; i++) {
            bool has = (i < MESSAGES / 2) != last;
            mail[i] = (struct mail){{4, has ? 50 : 52}, 2, true};
            mail[MESSAGES + i] = (struct mail){{6, has ? 52 : 50}, 2, false};
        }
        fit = fitted(mail, 2 * MESSAGES);
        assert_true(fabs(weight(fit, 50)) < 0.7 && fabs(weight(fit, 52)) < 0.7);
        assert_true(weight(fit, 4) > 1 && weight(fit, 6) < -1);
        weir_bayes_fit_free(&fit);
    }
}

static void C28_no_number_of_messages_moves_a_word_beyond_the_most(void **state)
{
    struct mail poison = {{1, 2}, 2, true}, other = {{2, 3}, 2, false};
    struct weir_bayes_fit *fit;
    (void)state;
    /* One message: a word moves by no more than 1. */
    fit = fitted(&poison, 1);
    assert_true(weight(fit, 1) <= 1 && weight(fit, 1) > 0.99);
    weir_bayes_fit_free(&fit);
    assert_int_equal(weir_bayes_fit_new(0, &fit), 0);
    for (unsigned i = 0; i < 10000; i++) {
        assert_int_equal(add(fit, &poison), 1);
        assert_int_equal(add(fit, &other), 1);
    }
    assert_int_equal(weir_bayes_fit_run(fit), 0);
    for (uint64_t word = 1; word <= 3; word++)
        assert_true(fabs(weight(fit, word)) <= WEIR_BAYES_FIT_WEIGHT_MOST);
    weir_bayes_fit_free(&fit);
}

static void what_is_full_takes_no_more_and_goes_on(void **state)
{
    struct mail mail = {{2, 4, 6}, 3, true}, small = {{8}, 1, false};
    struct weir_bayes_fit *fit;
    (void)state;
    assert_int_equal(weir_bayes_fit_new(7, &fit), 0);
    assert_int_equal(add(fit, &mail), 1);
    assert_int_equal(add(fit, &mail), 1);
    assert_int_equal(add(fit, &mail), 0);
    assert_int_equal(add(fit, &small), 1);
    assert_int_equal(add(fit, &small), 0);
    assert_int_equal(weir_bayes_fit_run(fit), 0);
    assert_int_equal(weir_bayes_fit_messages(fit, true), 2);
    assert_int_equal(weir_bayes_fit_messages(fit, false), 1);
    assert_true(weight(fit, 2) > 0 && weight(fit, 8) < 0);
    weir_bayes_fit_free(&fit);
    assert_null(fit);
    weir_bayes_fit_free(&fit);
}

static void nothing_and_messages_without_words_weigh_nothing(void **state)
{
    struct mail none = {.tokens = 0};
    struct weir_bayes_fit *fit = fitted(NULL, 0);
    (void)state;
    assert_int_equal(weir_bayes_fit_weight(fit, 1), 0);
    weir_bayes_fit_free(&fit);
    fit = fitted(&none, 1);
    assert_int_equal(weir_bayes_fit_weight(fit, 0), 0);
    assert_int_equal(weir_bayes_fit_messages(fit, false), 1);
    weir_bayes_fit_free(&fit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C28_weights_are_those_of_a_plain_model),
        cmocka_unit_test(the_same_messages_give_the_same_weights_however_often_it_runs),
        cmocka_unit_test(all_of_one_kind_first_teaches_the_same_as_both_by_turns),
        cmocka_unit_test(no_order_of_messages_decides_what_a_word_weighs),
        cmocka_unit_test(C28_no_number_of_messages_moves_a_word_beyond_the_most),
        cmocka_unit_test(what_is_full_takes_no_more_and_goes_on),
        cmocka_unit_test(nothing_and_messages_without_words_weigh_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
