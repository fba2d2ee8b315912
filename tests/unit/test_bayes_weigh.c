/*
 * Tests of monitor/analyzer/bayes_weigh.c: what is known very well is learned once, all else as
 * often as is told; a table of a message's tokens judges it as the whole one does.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "monitor/analyzer/bayes_weigh.h"

enum { LENGTH = 200, SPAM = 1000, HAM = 2000, SEVERAL = 7 };

struct message {
    struct weir_bayes_token token[LENGTH];
    struct weir_bayes_tokens tokens;
};

/* Tokens first, first + 1, ... , in both views. */
static struct message *message_make(struct message *message, unsigned first, unsigned tokens)
{
    for (unsigned i = 0; i < tokens; i++)
        message->token[i] = (struct weir_bayes_token){
            .hash = (first + i + 1) * UINT64_C(0x9e3779b97f4a7c15),
            .view = i % 2 ? WEIR_BAYES_HEAD : WEIR_BAYES_TEXT};
    message->tokens = (struct weir_bayes_tokens){.token = message->token, .tokens = tokens};
    return message;
}

static void learn(struct weir_bayes_learner *learner, unsigned first, bool spam, unsigned times)
{
    struct message message;

    message_make(&message, first, LENGTH);
    while (times-- > 0)
        assert_int_equal(weir_bayes_learn(learner, &message.tokens, spam, WEIR_SECOND), 0);
}

/* 300 messages of spam and of ham each were learned; a few words were in some of both. */
static struct weir_bayes_learner *taught(void)
{
    const struct weir_hash_key key = {{7}};
    struct weir_bayes_learner *learner;

    assert_int_equal(weir_bayes_learner_new(&key, 100000, &learner), 0);
    learn(learner, SPAM, true, 300);
    learn(learner, HAM, false, 300);
    learn(learner, SPAM + LENGTH / 2, false, 10);
    return learner;
}

static unsigned weigh(const struct weir_bayes_learner *learner, const struct message *message,
                      bool spam)
{
    unsigned times = 0;

    assert_int_equal(weir_bayes_weigh(learner, &message->tokens, spam, SEVERAL, &times), 0);
    return times;
}

static void what_is_known_is_learned_once_and_all_else_several_times(void **state)
{
    static const struct {
        unsigned first, tokens;
        bool spam;
        unsigned times;
    } row[] = {
        {SPAM, LENGTH / 2, true, 1},        {SPAM, LENGTH / 2, false, SEVERAL},
        {HAM, LENGTH, false, 1},            {HAM, LENGTH, true, SEVERAL},
        {5000, LENGTH, true, SEVERAL},      {5000, LENGTH, false, SEVERAL},
        {SPAM, 1, true, SEVERAL},           {0, 0, true, SEVERAL},
    };
    struct weir_bayes_learner *learner = taught();
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct message message;
        message_make(&message, row[i].first, row[i].tokens);
        assert_int_equal(weigh(learner, &message, row[i].spam), row[i].times);
    }
    weir_bayes_learner_free(&learner);
}

static void who_learned_too_little_is_never_sure(void **state)
{
    const struct weir_hash_key key = {{7}};
    struct weir_bayes_learner *learner;
    struct message message;
    (void)state;
    assert_int_equal(weir_bayes_learner_new(&key, 100000, &learner), 0);
    message_make(&message, SPAM, LENGTH);
    assert_int_equal(weigh(learner, &message, true), SEVERAL);
    learn(learner, SPAM, true, 199);
    learn(learner, HAM, false, 200);
    assert_int_equal(weigh(learner, &message, true), SEVERAL);
    learn(learner, SPAM, true, 1);
    assert_int_equal(weigh(learner, &message, true), 1);
    weir_bayes_learner_free(&learner);
}

static void weighing_changes_no_counts(void **state)
{
    struct weir_bayes_learner *learner = taught();
    struct weir_bayes_learner_state before = weir_bayes_learner_state(learner), after;
    struct message message;
    (void)state;
    (void)weigh(learner, message_make(&message, 5000, LENGTH), true);
    after = weir_bayes_learner_state(learner);
    assert_int_equal(before.spam, after.spam);
    assert_int_equal(before.ham, after.ham);
    assert_int_equal(before.tokens, after.tokens);
    weir_bayes_learner_free(&learner);
}

static double judged(const struct weir_bayes_table *table, const struct weir_bayes_tokens *tokens)
{
    const struct weir_bayes_settings settings = weir_bayes_defaults();
    struct weir_arena *arena = weir_arena_new(65536);
    struct weir_bayes_result result;

    assert_int_equal(weir_bayes_judge(table, &settings, tokens, arena, &result), 0);
    weir_arena_free(&arena);
    return result.weight;
}

static void a_table_of_its_tokens_judges_a_message_as_the_whole_one(void **state)
{
    static const unsigned first[] = {SPAM, HAM, SPAM + LENGTH / 2, SPAM + 150, 5000};
    struct weir_bayes_learner *learner = taught();
    struct weir_bayes_counts counts;
    struct weir_bayes_table all, few;
    void *octets, *some;
    size_t len;
    (void)state;
    assert_int_equal(weir_bayes_learner_counts(learner, &counts), 0);
    assert_int_equal(weir_bayes_table_build(&counts, 0, &octets, &len), 0);
    assert_int_equal(weir_bayes_table_attach(octets, len, true, &all), 0);
    for (size_t i = 0; i < sizeof first / sizeof first[0]; i++) {
        struct message message;
        message_make(&message, first[i], LENGTH);
        assert_int_equal(weir_bayes_learner_table(learner, NULL, &message.tokens, &some, &few), 0);
        assert_true(judged(&all, &message.tokens) == judged(&few, &message.tokens));
        free(some);
    }
    free(octets);
    free((void *)(uintptr_t)counts.count);
    weir_bayes_learner_free(&learner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_known_is_learned_once_and_all_else_several_times),
        cmocka_unit_test(who_learned_too_little_is_never_sure),
        cmocka_unit_test(weighing_changes_no_counts),
        cmocka_unit_test(a_table_of_its_tokens_judges_a_message_as_the_whole_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
