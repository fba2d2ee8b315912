/*
 * Tests of monitor/analyzer/bayes_learn.c, _evict.c and _save.c against a plain array of counts;
 * learning and unlearning leaves nothing behind; limits; what is forgotten, and what is kept over a
 * restart.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "monitor/analyzer/bayes_learn.h"
#include "tests/unit/seeded.h"

enum { WORDS = 500, MESSAGES = 300, LENGTH = 40 };

static const struct weir_hash_key key = {{1, 2, 3}};

struct message {
    struct weir_bayes_token token[LENGTH];
    struct weir_bayes_tokens tokens;
    bool spam;
};

/* Words are numbers, far from one another or, for collisions, near. */
static uint64_t word(unsigned n, bool near)
{
    return near ? (uint64_t)(n % 7) + ((uint64_t)n << 40) : n * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

static void message_make(struct message *message, struct seeded *s, bool near)
{
    size_t n = 0;
    for (unsigned w = seeded_below(s, 25); w < WORDS && n < LENGTH; w += 1 + seeded_below(s, 25))
        message->token[n++].hash = word(w, near);
    message->tokens = (struct weir_bayes_tokens){.token = message->token, .tokens = n};
    message->spam = seeded_below(s, 2);
}

static struct weir_bayes_learner *learner_new(size_t most)
{
    struct weir_bayes_learner *learner;
    assert_int_equal(weir_bayes_learner_new(&key, most, &learner), 0);
    return learner;
}

static void learn(struct weir_bayes_learner *learner, const struct message *message, int second)
{
    assert_int_equal(weir_bayes_learn(learner, &message->tokens, message->spam,
                                      second * WEIR_SECOND), 0);
}

static int unlearn(struct weir_bayes_learner *learner, const struct message *message, int second)
{
    return weir_bayes_unlearn(learner, &message->tokens, message->spam, second * WEIR_SECOND);
}

static struct message one_word(uint64_t hash, bool spam)
{
    struct message message = {.token = {{.hash = hash}}, .spam = spam};
    message.tokens.tokens = 1;
    return message;
}

/* Where a message lies is where its tokens are. */
static struct message *here(struct message *message)
{
    message->tokens.token = message->token;
    return message;
}

static void counts_are_those_of_a_plain_array(void **state)
{
    struct seeded s = seeded_new("counts_are_those_of_a_plain_array");
    static struct message message[MESSAGES];
    (void)state;
    for (int near = 0; near < 2; near++) {
        struct weir_bayes_learner *learner = learner_new(2 * WORDS);
        unsigned spam[WORDS] = {0}, ham[WORDS] = {0};
        bool learned[MESSAGES] = {false};
        for (int step = 0; step < 4000; step++) {
            unsigned which = seeded_below(&s, MESSAGES);
            int by = learned[which] ? -1 : 1;
            if (by > 0) {
                message_make(&message[which], &s, near);
                learn(learner, &message[which], (int)which);
            } else {
                assert_int_equal(unlearn(learner, &message[which], (int)which), 0);
            }
            learned[which] = by > 0;
            for (unsigned w = 0; w < WORDS; w++)
                for (size_t i = 0; i < message[which].tokens.tokens; i++)
                    if (message[which].token[i].hash == word(w, near))
                        *(message[which].spam ? &spam[w] : &ham[w]) += (unsigned)by;
        }
        for (unsigned w = 0; w < WORDS; w++) {
            struct weir_bayes_count count;
            assert_int_equal(weir_bayes_learner_find(learner, word(w, near), &count),
                             spam[w] + ham[w] > 0);
            assert_int_equal(count.spam, spam[w]);
            assert_int_equal(count.ham, ham[w]);
        }
        weir_bayes_learner_free(&learner);
    }
}

static void learning_and_unlearning_all_leaves_nothing(void **state)
{
    struct seeded s = seeded_new("learning_and_unlearning_all_leaves_nothing");
    static struct message message[MESSAGES];
    struct weir_bayes_learner *learner = learner_new(2 * WORDS);
    struct weir_bayes_counts counts;
    (void)state;
    for (int i = 0; i < MESSAGES; i++) {
        message_make(&message[i], &s, false);
        learn(learner, &message[i], i);
    }
    for (int i = MESSAGES; i-- > 0;)
        assert_int_equal(unlearn(learner, &message[i], i), 0);
    struct weir_bayes_learner_state at_end = weir_bayes_learner_state(learner);
    assert_int_equal(at_end.tokens + at_end.spam + at_end.ham, 0);
    assert_int_equal(weir_bayes_learner_counts(learner, &counts), 0);
    assert_int_equal(counts.counts, 0);
    free((void *)(uintptr_t)counts.count);
    weir_bayes_learner_free(&learner);
}

static void what_was_never_learned_is_not_unlearned(void **state)
{
    struct weir_bayes_learner *learner = learner_new(100);
    struct message a = one_word(1, true), b = one_word(2, true), as_ham = one_word(1, false);
    struct message both = {.token = {{.hash = 1}, {.hash = 2}}, .spam = true};
    struct weir_bayes_count count;
    (void)state;
    both.tokens.tokens = 2;
    assert_int_equal(unlearn(learner, here(&a), 5), WEIR_EINVAL);
    learn(learner, here(&a), 5);
    assert_int_equal(unlearn(learner, here(&b), 5), WEIR_EINVAL);
    assert_int_equal(unlearn(learner, here(&as_ham), 5), WEIR_EINVAL);
    assert_int_equal(unlearn(learner, here(&both), 5), WEIR_EINVAL);
    assert_int_equal(unlearn(learner, &a, 4), WEIR_EINVAL); /* before it was counted */
    weir_bayes_learner_find(learner, 1, &count);
    assert_int_equal(count.spam, 1);
    assert_int_equal(unlearn(learner, &a, 5), 0);
    assert_int_equal(unlearn(learner, &a, 5), WEIR_EINVAL);
    weir_bayes_learner_free(&learner);
}

static void what_was_seen_once_long_ago_is_pruned_and_can_still_be_unlearned(void **state)
{
    struct weir_bayes_learner *learner = learner_new(100);
    struct message old = one_word(1, true), often = one_word(2, true), late = one_word(3, true);
    struct message again = one_word(1, true);
    struct weir_bayes_count count;
    (void)state;
    learn(learner, here(&old), 10);
    learn(learner, here(&often), 10);
    learn(learner, &often, 11);
    learn(learner, here(&late), 50);
    assert_int_equal(weir_bayes_learner_prune(learner, 1, 50 * WEIR_SECOND), 1);
    assert_int_equal(weir_bayes_learner_find(learner, 1, &count), 0);
    assert_int_equal(weir_bayes_learner_state(learner).pruned, 1);
    learn(learner, here(&again), 60);
    assert_int_equal(unlearn(learner, &old, 10), 0); /* takes nothing from the later one */
    weir_bayes_learner_find(learner, 1, &count);
    assert_int_equal(count.spam, 1);
    assert_int_equal(weir_bayes_learner_state(learner).spam, 4);
    weir_bayes_learner_free(&learner);
}

static void when_full_what_was_seen_least_goes(void **state)
{
    enum { MOST = 80 };
    struct weir_bayes_learner *learner = learner_new(MOST);
    struct weir_bayes_count count;
    struct message message;
    (void)state;
    for (int i = 0; i < MOST; i++)
        for (int times = 0; times < (i < 20 ? 2 : 1); times++) {
            message = one_word((uint64_t)i << 32 | (unsigned)i, true);
            learn(learner, here(&message), i);
        }
    assert_int_equal(weir_bayes_learner_state(learner).evicted, 0);
    message = one_word(UINT64_MAX, true);
    learn(learner, here(&message), 1000);
    assert_int_equal(weir_bayes_learner_state(learner).evicted, MOST / 8);
    assert_int_equal(weir_bayes_learner_state(learner).tokens, MOST - MOST / 8 + 1);
    for (uint64_t i = 0; i < MOST; i++)
        assert_int_equal(weir_bayes_learner_find(learner, i << 32 | i, &count),
                         i < 20 || i >= 20 + MOST / 8);
    weir_bayes_learner_free(&learner);
}

/* A word for each number, seen on as many days as it says, the first of them on that day. */
static void learn_days(struct weir_bayes_learner *learner, unsigned n, int times, int day)
{
    struct message message = one_word(word(n, false), true);

    for (int i = 0; i < times; i++)
        learn(learner, here(&message), (day + i) * 86400);
}

static bool knows(const struct weir_bayes_learner *learner, unsigned n)
{
    struct weir_bayes_count count;

    return weir_bayes_learner_find(learner, word(n, false), &count) == 1;
}

/* So many pieces until there is nothing more to do. */
static unsigned tidy_out(struct weir_bayes_learner *learner)
{
    unsigned pieces = 0;

    while (weir_bayes_learner_tidy(learner) == 1)
        pieces++;
    return pieces;
}

static void nearly_full_what_was_seen_least_goes_ahead_of_need(void **state)
{
    enum { MOST = 160 };         /* of which a 16th is to be free, and an 8th goes */
    struct weir_bayes_learner *learner = learner_new(MOST);
    (void)state;
    for (unsigned i = 0; i < MOST - MOST / 16; i++)
        learn_days(learner, i, i < 40 ? 3 : 1, 3 * (int)i);
    assert_int_equal(tidy_out(learner), 0); /* just enough is free */
    learn_days(learner, 1000, 1, 1000);
    assert_true(tidy_out(learner) > 1);
    assert_int_equal(weir_bayes_learner_state(learner).evicted, MOST / 8);
    for (unsigned i = 0; i < MOST - MOST / 16; i++)
        assert_int_equal(knows(learner, i), i < 40 || i >= 40 + MOST / 8);
    assert_int_equal(tidy_out(learner), 0);
    for (unsigned i = 0; i < 10; i++)
        learn_days(learner, 2000 + i, 1, 2000);
    assert_int_equal(weir_bayes_learner_state(learner).evicted, MOST / 8);
    weir_bayes_learner_free(&learner);
}

/* A table of several pieces, and messages that come between any two of them. */
static void between_two_pieces_learning_goes_on(void **state)
{
    enum { MOST = 400000, OFTEN = 1000 };
    struct seeded s = seeded_new(__func__);
    struct weir_bayes_learner *learner = learner_new(MOST);
    unsigned words = 0, pieces = 0;
    struct weir_bayes_count count;
    (void)state;
    for (unsigned i = 0; i < OFTEN; i++)
        learn_days(learner, i, 2, 0);
    for (; words < 3 * MOST; words++) {
        learn_days(learner, OFTEN + words, 1, (int)(words / 1000));
        if (seeded_below(&s, 500) == 0) {
            int more = weir_bayes_learner_tidy(learner);
            assert_true(more >= 0);
            pieces += (unsigned)more;
            learn_days(learner, seeded_below(&s, OFTEN), 1, (int)(words / 1000));
        }
        if (words % 100000 == 0)
            learn_days(learner, seeded_below(&s, OFTEN), 1, 5);
    }
    assert_true(pieces > 10);
    assert_true(weir_bayes_learner_state(learner).tokens <= MOST);
    assert_int_equal(weir_bayes_learner_state(learner).tokens +
                     weir_bayes_learner_state(learner).evicted, OFTEN + words);
    assert_int_equal(weir_bayes_learner_state(learner).evicted % (MOST / 8), 0);
    for (unsigned i = 0; i < OFTEN; i++) /* they were worth more */
        assert_true(knows(learner, i));
    for (unsigned i = words - MOST / 2; i < words; i++) /* and these were the latest */
        assert_int_equal(weir_bayes_learner_find(learner, word(OFTEN + i, false), &count), 1);
    weir_bayes_learner_free(&learner);
}

static void it_never_holds_more_than_it_was_made_for(void **state)
{
    struct seeded s = seeded_new("it_never_holds_more_than_it_was_made_for");
    struct weir_bayes_learner *learner = learner_new(2 * LENGTH);
    struct message message;
    (void)state;
    for (int i = 0; i < 5000; i++) {
        message_make(&message, &s, i % 2);
        learn(learner, here(&message), i);
        assert_true(weir_bayes_learner_state(learner).tokens <= 2 * LENGTH);
    }
    weir_bayes_learner_free(&learner);
}

static void limits_of_size_are_kept(void **state)
{
    struct weir_bayes_learner *learner = NULL;
    struct message message = {.tokens = {.tokens = 5}};
    (void)state;
    for (unsigned i = 0; i < 6; i++)
        message.token[i].hash = i;
    assert_int_equal(weir_bayes_learner_new(&key, 0, &learner), WEIR_EINVAL);
    /* WEIR_BAYES_LEARNED_MAX */
    assert_int_equal(weir_bayes_learner_new(&key, WEIR_BAYES_LEARNED_MAX + 1, &learner),
                     WEIR_EINVAL);
    learner = learner_new(WEIR_BAYES_LEARNED_MAX);
    weir_bayes_learner_free(&learner);
    learner = learner_new(10);
    learn(learner, here(&message), 1);
    message.tokens.tokens = 6;
    assert_int_equal(weir_bayes_learn(learner, &message.tokens, true, 0), WEIR_ELIMIT);
    weir_bayes_learner_free(&learner);
    weir_bayes_learner_free(&learner);
}

/* Two learners of one past go on alike, whatever comes. */
static void what_is_saved_goes_on_as_if_nothing_had_been(void **state)
{
    struct seeded s = seeded_new("what_is_saved_goes_on_as_if_nothing_had_been");
    struct weir_bayes_learner *learner = learner_new(2 * WORDS), *other = NULL;
    static struct message messages[MESSAGES];
    struct weir_bayes_count a, b;
    void *octets;
    size_t len;
    (void)state;
    for (int i = 0; i < MESSAGES; i++) {
        message_make(&messages[i], &s, false);
        messages[i].tokens.token = messages[i].token;
        learn(learner, &messages[i], i);
    }
    weir_bayes_learner_prune(learner, 3, MESSAGES / 2 * WEIR_SECOND);
    assert_int_equal(weir_bayes_learner_save(learner, &octets, &len), 0);
    assert_int_equal(weir_bayes_learner_restore(octets, len, 2 * WORDS, &other), 0);
    for (int i = 0; i < MESSAGES; i += 2)
        assert_int_equal(unlearn(learner, &messages[i], i), unlearn(other, &messages[i], i));
    assert_int_equal(weir_bayes_learner_state(learner).tokens,
                     weir_bayes_learner_state(other).tokens);
    assert_int_equal(weir_bayes_learner_state(learner).pruned,
                     weir_bayes_learner_state(other).pruned);
    for (unsigned w = 0; w < WORDS; w++) {
        weir_bayes_learner_find(learner, word(w, false), &a);
        weir_bayes_learner_find(other, word(w, false), &b);
        assert_memory_equal(&a, &b, sizeof(a));
    }
    weir_bayes_learner_free(&other);
    weir_bayes_learner_free(&learner);
    free(octets);
}

static void what_was_not_saved_so_is_refused(void **state)
{
    struct weir_bayes_learner *learner = learner_new(10), *other = NULL;
    struct message message = one_word(7, true);
    uint8_t *octets;
    void *saved;
    size_t len;
    (void)state;
    learn(learner, here(&message), 1);
    assert_int_equal(weir_bayes_learner_save(learner, &saved, &len), 0);
    octets = saved;
    for (size_t i = 0; i < len; i++) {
        octets[i] ^= 1;
        assert_int_equal(weir_bayes_learner_restore(octets, len, 10, &other), WEIR_ECORRUPT);
        octets[i] ^= 1;
        assert_int_equal(weir_bayes_learner_restore(octets, i, 10, &other), WEIR_ECORRUPT);
        assert_null(other);
    }
    assert_int_equal(weir_bayes_learner_restore(octets, len, 10, &other), 0);
    weir_bayes_learner_free(&other);
    weir_bayes_learner_free(&learner);
    free(saved);
}

static void a_published_table_can_be_taken_up_again(void **state)
{
    struct seeded s = seeded_new("a_published_table_can_be_taken_up_again");
    struct weir_bayes_learner *learner = learner_new(2 * WORDS), *other = learner_new(2 * WORDS);
    struct message message;
    struct weir_bayes_counts counts;
    struct weir_bayes_table table;
    void *octets[2];
    size_t len[2];
    (void)state;
    for (int i = 0; i < MESSAGES; i++) {
        message_make(&message, &s, false);
        learn(learner, here(&message), i);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(weir_bayes_learner_counts(i ? other : learner, &counts), 0);
        assert_int_equal(weir_bayes_table_build(&counts, 0, &octets[i], &len[i]), 0);
        free((void *)(uintptr_t)counts.count);
        assert_int_equal(weir_bayes_table_attach(octets[i], len[i], true, &table), 0);
        if (i == 0)
            assert_int_equal(weir_bayes_learner_load(other, &table, 0), 0);
    }
    assert_int_equal(len[0], len[1]);
    assert_memory_equal(octets[0], octets[1], len[0]);
    assert_int_equal(weir_bayes_learner_load(other, &table, 0), WEIR_EINVAL);
    weir_bayes_learner_free(&other);
    other = learner_new(table.entries - 1);
    assert_int_equal(weir_bayes_learner_load(other, &table, 0), WEIR_ELIMIT);
    table.key.octet[0]++;
    assert_int_equal(weir_bayes_learner_load(other, &table, 0), WEIR_EINVAL);
    weir_bayes_learner_free(&other);
    weir_bayes_learner_free(&learner);
    free(octets[0]);
    free(octets[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_those_of_a_plain_array),
        cmocka_unit_test(learning_and_unlearning_all_leaves_nothing),
        cmocka_unit_test(what_was_never_learned_is_not_unlearned),
        cmocka_unit_test(what_was_seen_once_long_ago_is_pruned_and_can_still_be_unlearned),
        cmocka_unit_test(when_full_what_was_seen_least_goes),
        cmocka_unit_test(nearly_full_what_was_seen_least_goes_ahead_of_need),
        cmocka_unit_test(between_two_pieces_learning_goes_on),
        cmocka_unit_test(it_never_holds_more_than_it_was_made_for),
        cmocka_unit_test(limits_of_size_are_kept),
        cmocka_unit_test(what_is_saved_goes_on_as_if_nothing_had_been),
        cmocka_unit_test(what_was_not_saved_so_is_refused),
        cmocka_unit_test(a_published_table_can_be_taken_up_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
