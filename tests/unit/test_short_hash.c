/* short_hash: like chance for keys that are anything but random, and another one for each key. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "core/base/short_hash.h"
#include "tests/unit/seeded.h"

enum { KEYS = 1 << 16, PLACES = 1 << 16 };

static struct weir_short_key key_of(uint64_t number)
{
    struct weir_hash_key key = {{0}};

    memcpy(key.octet, &number, sizeof number);
    return weir_short_key(&key);
}

/* What senders can choose: a word of three that counts, by steps. */
static uint64_t hash_of(const struct weir_short_key *key, unsigned at, uint32_t step, uint32_t i)
{
    uint32_t word[3] = {0x0a000001, 0xc0000201, 0x04000019};

    word[at] += i * step;
    return weir_short_hash(key, word, 3);
}

/* By chance a place gets one key in the mean, 37 % of them none, and the fullest ten or so. */
static void check_spread(const struct weir_short_key *key, unsigned at, uint32_t step, int shift)
{
    uint8_t *count = calloc(PLACES, 1);
    unsigned empty = 0, most = 0;

    assert_non_null(count);
    for (uint32_t i = 0; i < KEYS; i++)
        count[hash_of(key, at, step, i) >> shift & (PLACES - 1)]++;
    for (size_t i = 0; i < PLACES; i++) {
        empty += count[i] == 0;
        most = count[i] > most ? count[i] : most;
    }
    free(count);
    assert_true(empty < PLACES / 2);
    assert_true(most < 64);
}

static void keys_that_count_are_spread_at_both_ends_of_the_hash(void **state)
{
    static const uint32_t steps[] = {1, 2, 256, 65536, 7919};
    struct seeded seeded = seeded_new("short_hash");

    (void)state;
    for (size_t step = 0; step < sizeof steps / sizeof steps[0]; step++) {
        for (unsigned at = 0; at < 3; at++) {
            struct weir_short_key key = key_of(seeded_next(&seeded));
            check_spread(&key, at, steps[step], 0);
            check_spread(&key, at, steps[step], 32);
        }
    }
}

static int by_number(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;

    return *a < *b ? -1 : *a > *b;
}

static void no_two_of_many_keys_have_all_64_bits_in_common(void **state)
{
    struct seeded seeded = seeded_new("short_hash");
    struct weir_short_key key = key_of(seeded_next(&seeded));
    uint64_t *hash = calloc(KEYS, sizeof *hash);

    (void)state;
    assert_non_null(hash);
    for (uint32_t i = 0; i < KEYS; i++)
        hash[i] = hash_of(&key, i % 3, 1 + i % 3, i);
    qsort(hash, KEYS, sizeof *hash, by_number);
    for (size_t i = 1; i < KEYS; i++)
        assert_true(hash[i] != hash[i - 1] || i < 3); /* 0 of each word is the same key */
    free(hash);
}

static void lengths_and_keys_tell_hashes_apart(void **state)
{
    static const uint32_t zero[WEIR_SHORT_WORDS] = {0};
    struct weir_short_key one = key_of(1), other = key_of(2);

    (void)state;
    for (size_t len = 1; len <= WEIR_SHORT_WORDS; len++) {
        assert_true(weir_short_hash(&one, zero, len) != weir_short_hash(&one, zero, len - 1));
        assert_true(weir_short_hash(&one, zero, len) != weir_short_hash(&other, zero, len));
        assert_true(weir_short_hash(&one, zero, len) == weir_short_hash(&one, zero, len));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_that_count_are_spread_at_both_ends_of_the_hash),
        cmocka_unit_test(no_two_of_many_keys_have_all_64_bits_in_common),
        cmocka_unit_test(lengths_and_keys_tell_hashes_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
