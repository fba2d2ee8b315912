/*
 * ham_sample - against a stupid model: a text is in good mail when one message has all its tokens.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "core/base/error.h"
#include "monitor/analyzer/ham_sample.h"
#include "tests/unit/seeded.h"

#define MESSAGE 60

static void look(struct weir_ham_sample *sample, const uint64_t *token, size_t tokens)
{
    char octets[8 * MESSAGE];

    for (size_t i = 0; i < tokens; i++)
        for (size_t j = 0; j < 8; j++)
            octets[8 * i + j] = (char)(token[i] >> (56 - 8 * j));
    weir_ham_sample_look(sample, (struct weir_slice){octets, 8 * tokens});
}

static bool has(const uint64_t *message, size_t tokens, uint64_t token)
{
    for (size_t i = 0; i < tokens; i++)
        if (message[i] == token)
            return true;
    return false;
}

static void it_says_what_looking_at_each_says(void **state)
{
    enum { TEXTS = 300, MESSAGES = 200 };
    struct seeded random = seeded_new("it_says_what_looking_at_each_says");
    uint64_t text[TEXTS][5], message[MESSAGES][MESSAGE];
    size_t len[TEXTS];
    struct weir_ham_sample *sample;
    (void)state;

    assert_int_equal(weir_ham_sample_new(&sample), 0);
    for (int i = 0; i < TEXTS; i++) {
        len[i] = 1 + seeded_below(&random, 5);
        for (size_t j = 0; j < len[i]; j++) /* one may come twice */
            text[i][j] = (uint64_t)seeded_below(&random, 120) << 40;
        assert_int_equal(weir_ham_sample_want(sample, text[i], len[i]), i);
    }
    for (int i = 0; i < MESSAGES; i++) {
        size_t tokens = 0;

        for (uint64_t token = 0; token < 120 && tokens < MESSAGE; token++)
            if (seeded_below(&random, 3) == 0)
                message[i][tokens++] = token << 40;
        for (; tokens < MESSAGE; tokens++)
            message[i][tokens] = UINT64_MAX - tokens;
        look(sample, message[i], MESSAGE);
    }
    assert_int_equal(weir_ham_sample_messages(sample), MESSAGES);
    for (int i = 0; i < TEXTS; i++) {
        bool want = false;

        for (int j = 0; j < MESSAGES && !want; j++) {
            want = true;
            for (size_t k = 0; k < len[i]; k++)
                want = want && has(message[j], MESSAGE, text[i][k]);
        }
        assert_int_equal(weir_ham_sample_has(sample, i), want);
    }
    weir_ham_sample_free(&sample);
    assert_null(sample);
}

static void there_are_no_more_texts_and_tokens_than_the_limits(void **state)
{
    struct weir_ham_sample *sample;
    uint64_t token[WEIR_HAM_TOKENS_MAX + 1];
    (void)state;

    assert_int_equal(weir_ham_sample_new(&sample), 0);
    for (uint64_t i = 0; i < WEIR_HAM_TOKENS_MAX + 1; i++)
        token[i] = i;
    assert_int_equal(weir_ham_sample_want(sample, token, WEIR_HAM_TOKENS_MAX + 1), WEIR_ELIMIT);
    assert_int_equal(weir_ham_sample_want(sample, token, 0), WEIR_ELIMIT);
    for (uint64_t n = 0; n < WEIR_HAM_WANTED_MAX; n++) {
        for (uint64_t i = 0; i < WEIR_HAM_TOKENS_MAX; i++)
            token[i] = (n * WEIR_HAM_TOKENS_MAX + i) * UINT64_C(0x9e3779b97f4a7c15);
        assert_int_equal(weir_ham_sample_want(sample, token, WEIR_HAM_TOKENS_MAX), n);
    }
    assert_int_equal(weir_ham_sample_want(sample, token, 1), WEIR_ELIMIT);
    look(sample, token, WEIR_HAM_TOKENS_MAX);
    assert_true(weir_ham_sample_has(sample, WEIR_HAM_WANTED_MAX - 1));
    assert_false(weir_ham_sample_has(sample, 0));
    weir_ham_sample_free(&sample);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_what_looking_at_each_says),
        cmocka_unit_test(there_are_no_more_texts_and_tokens_than_the_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
