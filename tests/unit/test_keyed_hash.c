/* keyed_hash: the vectors published with SipHash, and keys that differ. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "core/base/keyed_hash.h"

/* The authors' test: key 00 01 .. 0f, messages 00 01 .. of growing length. */
static struct weir_hash_key counting_key(void)
{
    struct weir_hash_key key;
    for (uint8_t i = 0; i < WEIR_HASH_KEY; i++)
        key.octet[i] = i;
    return key;
}

static void hash64_gives_the_published_vectors(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        uint64_t want;
    } cases[] = {
        {0, UINT64_C(0x726fdb47dd0e0e31)},
        {1, UINT64_C(0x74f839c593dc67fd)},
        {8, UINT64_C(0x93f5f5799a932462)},
        {15, UINT64_C(0xa129ca6149be45e5)}, /* the paper's appendix A */
    };
    struct weir_hash_key key = counting_key();
    uint8_t message[16];
    for (uint8_t i = 0; i < sizeof(message); i++)
        message[i] = i;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_true(weir_hash64(&key, message, cases[i].len) == cases[i].want);
    assert_true(weir_hash64(&key, NULL, 0) == cases[0].want);
}

static void hash128_gives_the_published_vectors(void **state)
{
    (void)state;
    static const uint8_t of_nothing[16] = {0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6,
                                           0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93};
    static const uint8_t of_one[16] = {0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44,
                                       0x34, 0x76, 0x59, 0x11, 0x9b, 0x22, 0xfc, 0x45};
    struct weir_hash_key key = counting_key();
    uint8_t hash[16];
    weir_hash128(&key, NULL, 0, hash);
    assert_memory_equal(hash, of_nothing, 16);
    weir_hash128(&key, "\0", 1, hash);
    assert_memory_equal(hash, of_one, 16);
}

static void random_keys_differ_and_so_do_hashes_under_them(void **state)
{
    (void)state;
    struct weir_hash_key a = weir_hash_key_random(), b = weir_hash_key_random();
    assert_memory_not_equal(a.octet, b.octet, WEIR_HASH_KEY);
    assert_true(weir_hash64(&a, "weir", 4) != weir_hash64(&b, "weir", 4));
    assert_true(weir_hash64(&a, "weir", 4) == weir_hash64(&a, "weir", 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash64_gives_the_published_vectors),
        cmocka_unit_test(hash128_gives_the_published_vectors),
        cmocka_unit_test(random_keys_differ_and_so_do_hashes_under_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
