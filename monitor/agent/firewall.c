/*
 * firewall - sorted by family and length, so that each set is one run of entries.  All in it is
 * numbers and addresses that were written by ourselves: no text of others gets into a command.
 */
#include "monitor/agent/firewall.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/line.h"

#define ROOM_FIXED 1024
#define ROOM_ENTRY (WEIR_ADDRESS_TEXT + 56) /* an end in the year 9999 included */
#define ROOM_SET 256
#define SETS_MOST (4 * 129)

static int by_set(const void *a, const void *b)
{
    const struct weir_firewall_entry *one = a, *other = b;
    bool four = weir_address_is_ipv4(&one->prefix.address);
    bool other_four = weir_address_is_ipv4(&other->prefix.address);

    if (four != other_four)
        return four ? -1 : 1;
    if (one->prefix.bits != other->prefix.bits)
        return other->prefix.bits - one->prefix.bits;
    return memcmp(one->prefix.address.octet, other->prefix.address.octet, 16);
}

static void sort(struct weir_firewall_rules *rules)
{
    if (rules->blockeds > 0)
        qsort(rules->blocked, rules->blockeds, sizeof rules->blocked[0], by_set);
    if (rules->spareds > 0)
        qsort(rules->spared, rules->spareds, sizeof rules->spared[0], by_set);
}

static bool same_set(const struct weir_firewall_entry *a, const struct weir_firewall_entry *b)
{
    return a->prefix.bits == b->prefix.bits && weir_address_is_ipv4(&a->prefix.address) ==
                                                   weir_address_is_ipv4(&b->prefix.address);
}

/* "blocked4", or "blocked4_24". */
static void put_name(struct weir_line *line, const char *kind,
                     const struct weir_firewall_entry *entry)
{
    weir_line_text(line, kind);
    weir_line_text(line, weir_address_is_ipv4(&entry->prefix.address) ? "4" : "6");
    if (entry->prefix.bits == 128)
        return;
    weir_line_text(line, "_");
    weir_line_count(line, weir_prefix_length(&entry->prefix));
}

static void put_set(struct weir_line *line, const char *kind,
                    const struct weir_firewall_entry *entry)
{
    weir_line_text(line, "add set inet weir ");
    put_name(line, kind, entry);
    weir_line_text(line, weir_address_is_ipv4(&entry->prefix.address)
                             ? " { type ipv4_addr; flags timeout; }\n"
                             : " { type ipv6_addr; flags timeout; }\n");
}

static void put_element(struct weir_line *line, const char *kind,
                        const struct weir_firewall_entry *entry, weir_time now)
{
    char text[WEIR_ADDRESS_TEXT];
    weir_time left = entry->ends - now;

    if (entry->ends != 0 && left < WEIR_SECOND)
        return;
    weir_line_text(line, "add element inet weir ");
    put_name(line, kind, entry);
    weir_line_text(line, " { ");
    weir_line_text(line, weir_address_format(&entry->prefix.address, text));
    if (entry->ends != 0) {
        weir_line_text(line, " timeout ");
        weir_line_count(line, (uint64_t)(left / WEIR_SECOND));
        weir_line_text(line, "s");
    }
    weir_line_text(line, " }\n");
}

/* "ip saddr & 255.255.255.0 @blocked4_24 drop". */
static void put_rule(struct weir_line *line, const char *kind,
                     const struct weir_firewall_entry *entry, const char *verdict)
{
    bool four = weir_address_is_ipv4(&entry->prefix.address);
    struct weir_address ones;
    char text[WEIR_ADDRESS_TEXT];

    weir_line_text(line, four ? "add rule inet weir input ip saddr "
                              : "add rule inet weir input ip6 saddr ");
    if (entry->prefix.bits < 128) {
        memset(&ones, 0xff, sizeof ones);
        if (four)
            memset(&ones, 0, 10); /* as a mapped one, so that it is written as IPv4 */
        weir_line_text(line, "& ");
        ones = weir_address_mask(&ones, entry->prefix.bits).address;
        weir_line_text(line, weir_address_format(&ones, text));
        weir_line_text(line, " ");
    }
    weir_line_text(line, "@");
    put_name(line, kind, entry);
    weir_line_text(line, verdict);
}

/* Sets and elements of a kind. */
static void put_sets(struct weir_line *line, const char *kind,
                     const struct weir_firewall_entry *entry, size_t count, weir_time now)
{
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || !same_set(&entry[i - 1], &entry[i]))
            put_set(line, kind, &entry[i]);
        put_element(line, kind, &entry[i], now);
    }
}

static void put_rules(struct weir_line *line, const char *kind,
                      const struct weir_firewall_entry *entry, size_t count, const char *verdict)
{
    for (size_t i = 0; i < count; i++)
        if (i == 0 || !same_set(&entry[i - 1], &entry[i]))
            put_rule(line, kind, &entry[i], verdict);
}

size_t weir_firewall_room(const struct weir_firewall_rules *rules)
{
    return ROOM_FIXED + SETS_MOST * ROOM_SET + (rules->blockeds + rules->spareds) * ROOM_ENTRY;
}

const char *weir_firewall_write(struct weir_firewall_rules *rules, weir_time now, char *buffer,
                                size_t room)
{
    struct weir_line line = weir_line(buffer, room);

    sort(rules);
    weir_line_text(&line, WEIR_FIREWALL_CLEAR
                   "add table inet weir\n"
                   "add set inet weir blocked4 { type ipv4_addr; flags timeout; }\n"
                   "add set inet weir blocked6 { type ipv6_addr; flags timeout; }\n"
                   "add chain inet weir input { type filter hook input priority filter; }\n"
                   "add rule inet weir input tcp dport != { 25, 465, 587 } accept\n"
                   "add rule inet weir input meta l4proto != tcp accept\n");
    put_sets(&line, "spared", rules->spared, rules->spareds, now);
    put_sets(&line, "blocked", rules->blocked, rules->blockeds, now);
    put_rules(&line, "spared", rules->spared, rules->spareds, " accept\n");
    put_rules(&line, "blocked", rules->blocked, rules->blockeds,
              rules->reject ? " counter reject with tcp reset\n" : " counter drop\n");
    return weir_line_end(&line);
}

static uint64_t mix(uint64_t digest, const void *octets, size_t len)
{
    const unsigned char *at = octets;

    for (size_t i = 0; i < len; i++)
        digest = (digest ^ at[i]) * UINT64_C(0x100000001b3);
    return digest;
}

static uint64_t mix_all(uint64_t digest, const struct weir_firewall_entry *entry, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        digest = mix(digest, &entry[i].prefix, sizeof entry[i].prefix);
        digest = mix(digest, &entry[i].ends, sizeof entry[i].ends);
    }
    return mix(digest, &count, sizeof count);
}

uint64_t weir_firewall_digest(struct weir_firewall_rules *rules)
{
    sort(rules);
    return mix_all(mix_all(UINT64_C(0xcbf29ce484222325), rules->blocked, rules->blockeds),
                   rules->spared, rules->spareds);
}
