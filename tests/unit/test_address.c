/* address: against inet_pton() and inet_ntop(), and prefixes against a model
 * that looks at one bit after the other. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "core/base/address.h"
#include "core/base/error.h"
#include "tests/unit/seeded.h"

static struct weir_address parsed(const char *text)
{
    struct weir_address address;
    if (weir_address_parse(text, strlen(text), &address) != 0)
        fail_msg("%s is an address", text);
    return address;
}

static struct weir_prefix parsed_prefix(const char *text)
{
    struct weir_prefix prefix;
    const char *why = "";
    if (weir_prefix_parse(text, strlen(text), &prefix, &why) != 0)
        fail_msg("%s is a prefix, but: %s", text, why);
    return prefix;
}

static void texts_are_read_and_written_in_one_form(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"192.0.2.7", "192.0.2.7"},
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.255"},
        {"::ffff:192.0.2.7", "192.0.2.7"},
        {"::FFFF:c000:207", "192.0.2.7"},
        {"0:0:0:0:0:ffff:192.0.2.7", "192.0.2.7"},
        {"[192.0.2.7]", "192.0.2.7"},
        {"[2001:db8::7]", "2001:db8::7"},
        {"IPv6:2001:db8::7", "2001:db8::7"},
        {"ipv6:2001:DB8::7", "2001:db8::7"},
        {"[IPv6:2001:db8::7]", "2001:db8::7"},
        {"[IPv6:::1]", "::1"},
        {"IPv6:::ffff:192.0.2.7", "192.0.2.7"},
        {"::", "::"},
        {"::1", "::1"},
        {"1::", "1::"},
        {"0:0:0:0:0:0:0:0", "::"},
        {"2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"}, /* RFC 5952 4.2.2 */
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},     /* 4.2.3 */
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
        {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
        {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
        {"1:2:3:4:5:6:192.0.2.7", "1:2:3:4:5:6:c000:207"},
        {"::192.0.2.7", "::c000:207"},
        {"64:ff9b::192.0.2.7", "192.0.2.7"},
        {"64:ff9b::c000:207", "192.0.2.7"},
        {"64:ff9b:0:1::c000:207", "64:ff9b:0:1::c000:207"},
        {"64:ff9b:1::c000:207", "64:ff9b:1::c000:207"},
        {"fe80::", "fe80::"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char buffer[WEIR_ADDRESS_TEXT];
        struct weir_address address = parsed(cases[i].text);
        assert_string_equal(weir_address_format(&address, buffer), cases[i].want);
    }
}

static void what_is_no_address_is_refused_and_nothing_written(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "", " ", "x", "[", "]", "[]", "[[::1]]", "[::1", "::1]", "[192.0.2.7", "192.0.2.7]",
        "192.0.2", "192.0.2.", ".192.0.2.7", "192.0.2.7.", "192.0.2.7.8", "192..2.7",
        "192.0.2.256", "192.0.2.1000", "192.0.2.07", "192.0.2.00", "0192.0.2.7", "192.0.2.0x7",
        "192.0.2.-7", "192.0.2.+7", "192.0.2.7 ", " 192.0.2.7", "192.0.2.7/24", "3221225991",
        "192.0.2.7\n", "192,0,2,7", ":", ":::", "::::", "1", "1:", ":1", "1:2", ":1::2", "1::2:",
        "1:::2", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::",
        "::1:2:3:4:5:6:7:8", "1:2:3:4::5:6:7:8", "12345::", "00001::", "g::", "::g", "::1%eth0",
        "fe80::1%1", "::192.0.2", "::192.0.2.07", "::192.0.2.256", "192.0.2.7::", "::1.2.3.4:5",
        "1:2:3:4:5:6:7:192.0.2.7", "1:2:3:4:5:6::7:192.0.2.7", "::12345.0.2.7", "::c0.0.2.7",
        "IPv6:", "IPv6:192.0.2.7", "IPv4:192.0.2.7", "IPv6:[::1]", "IPv6: ::1", "unknown",
        "mail.example.org", "::ffff:", "::ffff:192.0.2.7.8",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weir_address address = {.octet = {1, 2, 3}}, before = address;
        if (weir_address_parse(cases[i], strlen(cases[i]), &address) != WEIR_EINVAL)
            fail_msg("\"%s\" is no address", cases[i]);
        assert_true(weir_address_equal(&address, &before));
    }
    struct weir_address address;
    assert_int_equal(weir_address_parse("192.0.2.7\0", 10, &address), WEIR_EINVAL);
    assert_int_equal(weir_address_parse("::1\0", 4, &address), WEIR_EINVAL);
    assert_int_equal(weir_address_parse(NULL, 0, &address), WEIR_EINVAL);
}

/* inet_pton()'s opinion, in our form. */
static bool oracle_parse(const char *text, struct weir_address *address_r)
{
    memcpy(address_r->octet, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
    if (inet_pton(AF_INET, text, address_r->octet + 12) == 1)
        return true;
    if (inet_pton(AF_INET6, text, address_r->octet) != 1)
        return false;
    if (memcmp(address_r->octet, "\0\x64\xff\x9b\0\0\0\0\0\0\0", 12) == 0)
        memcpy(address_r->octet, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
    return true;
}

static void check_against_oracle(const char *text)
{
    struct weir_address got, want;
    bool is_one = oracle_parse(text, &want);
    int rc = weir_address_parse(text, strlen(text), &got);
    if (rc != (is_one ? 0 : WEIR_EINVAL) || (is_one && !weir_address_equal(&got, &want)))
        fail_msg("\"%s\": inet_pton() says %d, we say %d", text, is_one, rc);
}

/* An address with many zero groups, since these make the odd cases. */
static struct weir_address random_address(struct seeded *s)
{
    struct weir_address address;
    seeded_fill(s, address.octet, 16);
    unsigned zeros = (unsigned)seeded_next(s);
    for (int i = 0; i < 16; i++) {
        if (zeros >> (i / 2) & 1)
            address.octet[i] = 0;
    }
    if (seeded_below(s, 4) == 0)
        memcpy(address.octet, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
    return address;
}

static void oracle_format(const struct weir_address *address, char *text, size_t room)
{
    if (weir_address_is_ipv4(address))
        inet_ntop(AF_INET, address->octet + 12, text, (socklen_t)room);
    else
        inet_ntop(AF_INET6, address->octet, text, (socklen_t)room);
}

static void random_addresses_are_written_as_inet_ntop_writes_them(void **state)
{
    (void)state;
    struct seeded s = seeded_new(__func__);
    for (int i = 0; i < 200000; i++) {
        struct weir_address address = random_address(&s), again;
        char got[WEIR_ADDRESS_TEXT], want[64];
        weir_address_format(&address, got);
        oracle_format(&address, want, sizeof(want));
        /* ::192.0.2.7 is a form that RFC 4291 2.5.5.1 gave up; we write ::c000:207 */
        if (weir_address_is_ipv4(&address) || !strchr(want, '.'))
            assert_string_equal(got, want);
        assert_int_equal(weir_address_parse(got, strlen(got), &again), 0);
        assert_true(weir_address_equal(&address, &again));
    }
}

static void spoilt_addresses_are_taken_as_inet_pton_takes_them(void **state)
{
    (void)state;
    static const char letters[] = "0123456789abcdefABCDEF:::::...... g%x-";
    struct seeded s = seeded_new(__func__);
    for (int i = 0; i < 200000; i++) {
        struct weir_address address = random_address(&s);
        char text[80];
        oracle_format(&address, text, sizeof(text));
        unsigned changes = seeded_below(&s, 4);
        for (unsigned j = 0; j < changes; j++) {
            size_t len = strlen(text), at = seeded_below(&s, (unsigned)len + 1);
            char letter = letters[seeded_below(&s, sizeof(letters) - 1)];
            switch (seeded_below(&s, 3)) {
            case 0:
                memmove(text + at + 1, text + at, len - at + 1);
                text[at] = letter;
                break;
            case 1:
                text[at] = at < len ? letter : '\0';
                break;
            default:
                memmove(text + at, text + at + (at < len), len - at + (at == len));
            }
        }
        check_against_oracle(text);
    }
}

static void random_letters_are_taken_as_inet_pton_takes_them(void **state)
{
    (void)state;
    static const char letters[] = "0012f::::..";
    struct seeded s = seeded_new(__func__);
    for (int i = 0; i < 500000; i++) {
        char text[24];
        unsigned len = seeded_below(&s, sizeof(text));
        for (unsigned j = 0; j < len; j++)
            text[j] = letters[seeded_below(&s, sizeof(letters) - 1)];
        text[len] = '\0';
        check_against_oracle(text);
    }
}

static void mapped_ipv4_and_ipv4_are_one_sender(void **state)
{
    (void)state;
    struct weir_address a = parsed("192.0.2.7"), b = parsed("::ffff:192.0.2.7");
    assert_true(weir_address_equal(&a, &b));
    assert_true(weir_address_is_ipv4(&b));
    struct weir_address c = parsed("::192.0.2.7");
    assert_false(weir_address_equal(&a, &c));
    assert_false(weir_address_is_ipv4(&c));
}

static void addresses_that_cannot_send_are_private(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool want;
    } cases[] = {
        {"0.0.0.0", true},          {"0.255.255.255", true},    {"1.0.0.0", false},
        {"9.255.255.255", false},   {"10.0.0.0", true},         {"10.255.255.255", true},
        {"11.0.0.0", false},        {"100.63.255.255", false},  {"100.64.0.0", true},
        {"100.127.255.255", true},  {"100.128.0.0", false},     {"126.255.255.255", false},
        {"127.0.0.1", true},        {"128.0.0.0", false},       {"169.253.255.255", false},
        {"169.254.0.0", true},      {"169.255.0.0", false},     {"172.15.255.255", false},
        {"172.16.0.0", true},       {"172.31.255.255", true},   {"172.32.0.0", false},
        {"192.167.255.255", false}, {"192.168.0.0", true},      {"192.169.0.0", false},
        {"223.255.255.255", false}, {"224.0.0.0", true},        {"239.255.255.255", true},
        {"240.0.0.0", true},        {"255.255.255.255", true},  {"192.0.2.7", false},
        {"198.51.100.7", false},    {"203.0.113.7", false},     {"::", true},
        {"::1", true},              {"::2", false},             {"2001:db8::1", false},
        {"2a00::1", false},         {"fbff::", false},          {"fc00::", true},
        {"fdff::1", true},          {"fe00::", false},          {"fe7f::", false},
        {"fe80::1", true},          {"febf::1", true},          {"fec0::1", false},
        {"ff02::1", true},          {"::ffff:10.1.2.3", true},  {"::ffff:11.1.2.3", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weir_address address = parsed(cases[i].text);
        if (weir_address_is_private(&address) != cases[i].want)
            fail_msg("%s: private is not %d", cases[i].text, cases[i].want);
    }
}

static bool bit(const struct weir_address *address, unsigned index)
{
    return address->octet[index / 8] >> (7 - index % 8) & 1;
}

static bool model_contains(const struct weir_prefix *prefix, const struct weir_address *address)
{
    if (prefix->bits < 96 && weir_address_is_ipv4(address))
        return false; /* the prefix is one of IPv6 */
    for (unsigned i = 0; i < prefix->bits; i++) {
        if (bit(&prefix->address, i) != bit(address, i))
            return false;
    }
    return true;
}

static void mask_keeps_the_first_bits_of_every_length(void **state)
{
    (void)state;
    struct seeded s = seeded_new(__func__);
    for (int round = 0; round < 100; round++) {
        struct weir_address address = random_address(&s);
        for (unsigned bits = 0; bits <= 130; bits++) {
            struct weir_prefix prefix = weir_address_mask(&address, bits);
            assert_int_equal(prefix.bits, bits > 128 ? 128 : bits);
            for (unsigned i = 0; i < 128; i++)
                assert_int_equal(bit(&prefix.address, i), i < bits && bit(&address, i));
        }
    }
}

static void contains_is_what_the_bits_say_at_every_length(void **state)
{
    (void)state;
    struct seeded s = seeded_new(__func__);
    for (int round = 0; round < 200; round++) {
        struct weir_address address = random_address(&s);
        for (unsigned bits = 0; bits <= 128; bits++) {
            struct weir_prefix prefix = weir_address_mask(&address, bits);
            struct weir_address other = address;
            assert_int_equal(weir_prefix_contains(&prefix, &address),
                             model_contains(&prefix, &address));
            unsigned flipped = seeded_below(&s, 128);
            other.octet[flipped / 8] ^= (uint8_t)(0x80 >> flipped % 8);
            assert_int_equal(weir_prefix_contains(&prefix, &other),
                             model_contains(&prefix, &other));
            other = random_address(&s);
            assert_int_equal(weir_prefix_contains(&prefix, &other),
                             model_contains(&prefix, &other));
        }
    }
}

static void every_prefix_is_read_back_as_it_was_written(void **state)
{
    (void)state;
    struct seeded s = seeded_new(__func__);
    for (int round = 0; round < 200; round++) {
        struct weir_address address = random_address(&s);
        for (unsigned bits = 0; bits <= 128; bits++) {
            struct weir_prefix prefix = weir_address_mask(&address, bits);
            char text[WEIR_PREFIX_TEXT];
            struct weir_prefix again = parsed_prefix(weir_prefix_format(&prefix, text));
            assert_int_equal(again.bits, prefix.bits);
            assert_true(weir_address_equal(&again.address, &prefix.address));
        }
    }
}

static void prefixes_are_read_and_written_as_operators_do(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
        unsigned bits, length;
    } cases[] = {
        {"192.0.2.0/24", "192.0.2.0/24", 120, 24},
        {"192.0.2.7", "192.0.2.7", 128, 32},
        {"192.0.2.7/32", "192.0.2.7", 128, 32},
        {"0.0.0.0/0", "0.0.0.0/0", 96, 0},
        {"128.0.0.0/1", "128.0.0.0/1", 97, 1},
        {"::ffff:192.0.2.0/120", "192.0.2.0/24", 120, 24},
        {"::ffff:0:0/96", "0.0.0.0/0", 96, 0},
        {"64:ff9b::192.0.2.0/120", "192.0.2.0/24", 120, 24},
        {"64:ff9b::192.0.2.7", "192.0.2.7", 128, 32},
        {"64:ff9b:1::/48", "64:ff9b:1::/48", 48, 48},
        {"2001:db8::/32", "2001:db8::/32", 32, 32},
        {"2001:db8::7", "2001:db8::7", 128, 128},
        {"2001:db8::7/128", "2001:db8::7", 128, 128},
        {"::/0", "::/0", 0, 0},
        {"::fffe:0:0/95", "::fffe:0:0/95", 95, 95},
        {"[2001:db8::]/32", "2001:db8::/32", 32, 32},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[WEIR_PREFIX_TEXT];
        struct weir_prefix prefix = parsed_prefix(cases[i].text);
        assert_int_equal(prefix.bits, cases[i].bits);
        assert_int_equal(weir_prefix_length(&prefix), cases[i].length);
        assert_string_equal(weir_prefix_format(&prefix, text), cases[i].want);
    }
}

static void wrong_prefixes_are_refused_with_a_reason(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "not an IPv4 or IPv6 address"},
        {"/24", "not an IPv4 or IPv6 address"},
        {"192.0.2/24", "not an IPv4 or IPv6 address"},
        {"[192.0.2.0/24]", "not an IPv4 or IPv6 address"},
        {"192.0.2.0/", "the prefix length is not a number from 0 to 32"},
        {"192.0.2.0/33", "the prefix length is not a number from 0 to 32"},
        {"192.0.2.0/024", "the prefix length is not a number from 0 to 32"},
        {"192.0.2.0/-1", "the prefix length is not a number from 0 to 32"},
        {"192.0.2.0/24 ", "the prefix length is not a number from 0 to 32"},
        {"192.0.2.0/24/24", "the prefix length is not a number from 0 to 32"},
        {"192.0.2.0/255.255.255.0", "the prefix length is not a number from 0 to 32"},
        {"192.0.2.0/4294967320", "the prefix length is not a number from 0 to 32"},
        {"::/129", "the prefix length is not a number from 0 to 128"},
        {"::/x", "the prefix length is not a number from 0 to 128"},
        {"192.0.2.7/24", "the address has bits set beyond the prefix length"},
        {"192.0.2.1/31", "the address has bits set beyond the prefix length"},
        {"2001:db8::1/127", "the address has bits set beyond the prefix length"},
        {"::ffff:192.0.2.0/24", "the address has bits set beyond the prefix length"},
        {"64:ff9b::/96", "who is behind a NAT64 has the IPv4 address here: "
                         "name that, or its network"},
        {"64:ff9b::/32", "who is behind a NAT64 has the IPv4 address here: "
                         "name that, or its network"},
        {"8000::/0", "the address has bits set beyond the prefix length"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weir_prefix prefix;
        const char *why = "";
        if (weir_prefix_parse(cases[i].text, strlen(cases[i].text), &prefix, &why) != WEIR_EINVAL)
            fail_msg("\"%s\" is no prefix", cases[i].text);
        assert_string_equal(why, cases[i].why);
    }
}

static void a_prefix_length_goes_by_the_family(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        unsigned ipv4_bits, ipv6_bits;
        const char *want;
    } cases[] = {
        {"192.0.2.7", 24, 64, "192.0.2.0/24"},
        {"192.0.2.7", 0, 64, "0.0.0.0/0"},
        {"192.0.2.7", 32, 64, "192.0.2.7"},
        {"192.0.2.7", 33, 64, "192.0.2.7"},
        {"192.0.2.7", UINT32_MAX, 64, "192.0.2.7"},
        {"2001:db8:1:2:3::7", 24, 64, "2001:db8:1:2::/64"},
        {"2001:db8:1:2:3::7", 24, 56, "2001:db8:1::/56"},
        {"2001:db8:1:2:3::7", 24, 129, "2001:db8:1:2:3::7"},
        {"2001:db8:1:2:3::7", 24, 0, "::/0"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[WEIR_PREFIX_TEXT];
        struct weir_address address = parsed(cases[i].address);
        struct weir_prefix prefix =
            weir_address_prefix(&address, cases[i].ipv4_bits, cases[i].ipv6_bits);
        assert_string_equal(weir_prefix_format(&prefix, text), cases[i].want);
        assert_true(weir_prefix_contains(&prefix, &address));
    }
}

static void the_longest_texts_fit_their_rooms(void **state)
{
    (void)state;
    struct weir_address address;
    memset(address.octet, 0xff, 16);
    char text[WEIR_ADDRESS_TEXT], prefix_text[WEIR_PREFIX_TEXT];
    assert_int_equal(strlen(weir_address_format(&address, text)), 39);
    struct weir_prefix prefix = weir_address_mask(&address, 127);
    assert_string_equal(weir_prefix_format(&prefix, prefix_text),
                        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127");
}

static void a_list_takes_prefixes_up_to_the_widest_and_not_one_wider(void **state)
{
    static const struct {
        const char *text;
        bool too_wide, wide;
    } cases[] = {{"192.0.2.1", false, false},     {"11.0.0.0/8", false, true},
                 {"10.0.0.0/7", true, true},      {"0.0.0.0/0", true, true},
                 {"172.16.0.0/16", false, false}, {"172.16.0.0/15", false, true},
                 {"2001:db8::1", false, false},   {"2002::/16", false, true},
                 {"2002::/15", true, true},       {"::/0", true, true},
                 {"2001:db8::/32", false, false}, {"2001:db8::/31", false, true},
                 {"::/95", false, false},         {"::ffff:0:0/96", true, true}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_prefix prefix;
        const char *why;
        assert_int_equal(weir_prefix_parse(cases[i].text, strlen(cases[i].text), &prefix, &why),
                         0);
        assert_int_equal(weir_prefix_too_wide(&prefix), cases[i].too_wide);
        assert_int_equal(weir_prefix_wide(&prefix), cases[i].wide);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_read_and_written_in_one_form),
        cmocka_unit_test(what_is_no_address_is_refused_and_nothing_written),
        cmocka_unit_test(random_addresses_are_written_as_inet_ntop_writes_them),
        cmocka_unit_test(spoilt_addresses_are_taken_as_inet_pton_takes_them),
        cmocka_unit_test(random_letters_are_taken_as_inet_pton_takes_them),
        cmocka_unit_test(mapped_ipv4_and_ipv4_are_one_sender),
        cmocka_unit_test(addresses_that_cannot_send_are_private),
        cmocka_unit_test(mask_keeps_the_first_bits_of_every_length),
        cmocka_unit_test(contains_is_what_the_bits_say_at_every_length),
        cmocka_unit_test(every_prefix_is_read_back_as_it_was_written),
        cmocka_unit_test(prefixes_are_read_and_written_as_operators_do),
        cmocka_unit_test(wrong_prefixes_are_refused_with_a_reason),
        cmocka_unit_test(a_prefix_length_goes_by_the_family),
        cmocka_unit_test(a_list_takes_prefixes_up_to_the_widest_and_not_one_wider),
        cmocka_unit_test(the_longest_texts_fit_their_rooms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
