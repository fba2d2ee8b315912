/*
 * The kernel's table as text (firewall.c); that the kernel takes it, and lists_io is asked for the
 * right entries, is tested with the program (tests/end2end/test_agent_nftables.py).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "monitor/agent/firewall.h"

#define NOW (1000 * WEIR_SECOND)
#define HEAD \
    "add table inet weir\ndelete table inet weir\nadd table inet weir\n" \
    "add set inet weir blocked4 { type ipv4_addr; flags timeout; }\n" \
    "add set inet weir blocked6 { type ipv6_addr; flags timeout; }\n" \
    "add chain inet weir input { type filter hook input priority filter; }\n" \
    "add rule inet weir input tcp dport != { 25, 465, 587 } accept\n" \
    "add rule inet weir input meta l4proto != tcp accept\n"

static struct weir_firewall_entry entry(const char *text, weir_time ends)
{
    struct weir_firewall_entry entry = {.ends = ends};
    const char *why;

    assert_int_equal(weir_prefix_parse(text, strlen(text), &entry.prefix, &why), 0);
    return entry;
}

static void assert_written(struct weir_firewall_rules *rules, const char *want)
{
    size_t room = weir_firewall_room(rules);
    char *buffer = malloc(room);

    assert_non_null(buffer);
    assert_string_equal(weir_firewall_write(rules, NOW, buffer, room), want);
    free(buffer);
}

static void without_entries_it_blocks_nobody(void **state)
{
    struct weir_firewall_rules rules = {.blocked = NULL};

    (void)state;
    assert_written(&rules, HEAD);
}

static void each_length_has_a_set_and_a_rule_and_what_is_spared_comes_first(void **state)
{
    struct weir_firewall_entry blocked[] = {
        entry("2001:db8:1::/48", 0), entry("198.51.100.0/24", NOW + 90 * WEIR_SECOND),
        entry("192.0.2.9", NOW + WEIR_SECOND / 2), entry("192.0.2.8", NOW + 2 * WEIR_HOUR),
        entry("2001:db8::7", NOW + 60 * WEIR_SECOND)};
    struct weir_firewall_entry spared[] = {entry("198.51.100.64/26", 0)};
    struct weir_firewall_rules rules = {.blocked = blocked, .blockeds = 5, .spared = spared,
                                        .spareds = 1, .reject = true};

    (void)state;
    assert_written(
        &rules,
        HEAD "add set inet weir spared4_26 { type ipv4_addr; flags timeout; }\n"
        "add element inet weir spared4_26 { 198.51.100.64 }\n"
        "add set inet weir blocked4 { type ipv4_addr; flags timeout; }\n"
        "add element inet weir blocked4 { 192.0.2.8 timeout 7200s }\n"
        "add set inet weir blocked4_24 { type ipv4_addr; flags timeout; }\n"
        "add element inet weir blocked4_24 { 198.51.100.0 timeout 90s }\n"
        "add set inet weir blocked6 { type ipv6_addr; flags timeout; }\n"
        "add element inet weir blocked6 { 2001:db8::7 timeout 60s }\n"
        "add set inet weir blocked6_48 { type ipv6_addr; flags timeout; }\n"
        "add element inet weir blocked6_48 { 2001:db8:1:: }\n"
        "add rule inet weir input ip saddr & 255.255.255.192 @spared4_26 accept\n"
        "add rule inet weir input ip saddr @blocked4 counter reject with tcp reset\n"
        "add rule inet weir input ip saddr & 255.255.255.0 @blocked4_24 counter reject with tcp "
        "reset\n"
        "add rule inet weir input ip6 saddr @blocked6 counter reject with tcp reset\n"
        "add rule inet weir input ip6 saddr & ffff:ffff:ffff:: @blocked6_48 counter reject with "
        "tcp reset\n");
}

static void the_digest_is_that_of_the_entries_in_any_order(void **state)
{
    struct weir_firewall_entry one[] = {entry("192.0.2.1", 5), entry("192.0.2.2", 6)};
    struct weir_firewall_entry other[] = {entry("192.0.2.2", 6), entry("192.0.2.1", 5)};
    struct weir_firewall_rules a = {.blocked = one, .blockeds = 2};
    struct weir_firewall_rules b = {.blocked = other, .blockeds = 2};

    (void)state;
    assert_true(weir_firewall_digest(&a) == weir_firewall_digest(&b));
    other[0].ends++;
    assert_true(weir_firewall_digest(&a) != weir_firewall_digest(&b));
    b = (struct weir_firewall_rules){.spared = one, .spareds = 2};
    assert_true(weir_firewall_digest(&a) != weir_firewall_digest(&b));
    b = (struct weir_firewall_rules){.blocked = NULL};
    assert_true(weir_firewall_digest(&a) != weir_firewall_digest(&b));
}

static void the_longest_entries_and_all_lengths_have_room(void **state)
{
    struct weir_firewall_rules rules = {.blockeds = WEIR_FIREWALL_ENTRIES_MAX};
    struct weir_firewall_entry long_one = entry("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                                                INT64_C(253402300799) * WEIR_SECOND);
    size_t room = weir_firewall_room(&rules);
    char *buffer = malloc(room);

    (void)state;
    rules.blocked = calloc(rules.blockeds, sizeof rules.blocked[0]);
    assert_non_null(rules.blocked);
    assert_non_null(buffer);
    for (size_t i = 0; i < rules.blockeds; i++) {
        rules.blocked[i] = long_one;
        rules.blocked[i].prefix = weir_address_mask(&long_one.prefix.address,
                                                    i < 119 ? (unsigned)(i + 8) : 127);
    }
    weir_firewall_write(&rules, 0, buffer, room);
    assert_non_null(strstr(buffer, "@blocked6_8 counter drop\n")); /* the last one */
    assert_true(buffer[strlen(buffer) - 1] == '\n');
    free(rules.blocked);
    free(buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_entries_it_blocks_nobody),
        cmocka_unit_test(each_length_has_a_set_and_a_rule_and_what_is_spared_comes_first),
        cmocka_unit_test(the_digest_is_that_of_the_entries_in_any_order),
        cmocka_unit_test(the_longest_entries_and_all_lengths_have_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
