/*
 * Addresses as text and as 16 octets; plain values, no memory, no resolver.
 *
 * The parser walks the text once and refuses whatever RFC 4291 2.2 does not
 * describe: a second "::", groups of more than four digits, IPv4 octets with
 * leading zeros, zone ids, blanks, NULs.  What it accepts is what inet_pton()
 * accepts, besides the brackets and the tag that mail servers put around.
 */
#include "core/base/address.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/base/error.h"
#include "core/base/line.h"

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
static const uint8_t nat64[12] = {0, 0x64, 0xff, 0x9b}; /* RFC 6052 2.1, 64:ff9b::/96 */

enum { IPV4_AT = sizeof(mapped), IPV4_BITS_AT = 8 * IPV4_AT };
enum { IPV4_WIDEST = 8, IPV6_WIDEST = 16 }; /* WEIR_PREFIX_WIDEST */
enum { IPV4_WIDE = 16, IPV6_WIDE = 32 };    /* WEIR_PREFIX_WIDE */

/* Text being read; at == end is the only end there is. */
struct text {
    const char *at, *end;
};

static bool skip(struct text *text, char wanted)
{
    if (text->at == text->end || *text->at != wanted)
        return false;
    text->at++;
    return true;
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return 16;
}

/* Reads 1 to most digits of a base; false when there is none or one too many. */
static bool read_digits(struct text *text, int base, int most, unsigned *value_r)
{
    unsigned value = 0;
    int count = 0;
    for (; text->at < text->end && digit_value(*text->at) < base; text->at++) {
        if (++count > most)
            return false;
        value = value * (unsigned)base + (unsigned)digit_value(*text->at);
    }
    *value_r = value;
    return count > 0;
}

/* A decimal number without a leading zero, up to most. */
static bool read_decimal(struct text *text, unsigned most, unsigned *value_r)
{
    const char *start = text->at;
    if (!read_digits(text, 10, 3, value_r) || *value_r > most)
        return false;
    return *start != '0' || text->at - start == 1;
}

/* Four octets up to the end of the text. */
static bool read_ipv4(struct text text, uint8_t octet_r[static 4])
{
    for (int i = 0; i < 4; i++) {
        unsigned value;
        if ((i > 0 && !skip(&text, '.')) || !read_decimal(&text, 255, &value))
            return false;
        octet_r[i] = (uint8_t)value;
    }
    return text.at == text.end;
}

/* The groups of an IPv6 address as they come; gap is where "::" stood. */
struct groups {
    uint8_t octet[16];
    size_t len;
    int gap; /* an index into octet, or -1 */
};

/* Reads one group, or the IPv4 address that may stand in place of the last two. */
static bool read_group(struct text *text, struct groups *groups)
{
    struct text from = *text;
    unsigned value;
    if (!read_digits(text, 16, 4, &value))
        return false;
    if (text->at < text->end && *text->at == '.') {
        if (groups->len > 12 || !read_ipv4(from, groups->octet + groups->len))
            return false;
        groups->len += 4;
        text->at = text->end;
        return true;
    }
    if (groups->len > 14)
        return false;
    groups->octet[groups->len++] = (uint8_t)(value >> 8);
    groups->octet[groups->len++] = (uint8_t)value;
    return true;
}

/* Reads what stands between two groups: ":" or the one "::". */
static bool read_colons(struct text *text, struct groups *groups)
{
    if (!skip(text, ':'))
        return false;
    if (!skip(text, ':'))
        return text->at < text->end; /* a single colon wants a group behind it */
    if (groups->gap >= 0)
        return false;
    groups->gap = (int)groups->len;
    return true;
}

static bool read_ipv6(struct text text, uint8_t octet_r[static 16])
{
    struct groups groups = {.gap = -1};
    if (text.at < text.end && *text.at == ':') {
        if (!read_colons(&text, &groups) || groups.gap < 0)
            return false;
    }
    while (text.at < text.end) {
        if (!read_group(&text, &groups))
            return false;
        if (text.at < text.end && !read_colons(&text, &groups))
            return false;
    }
    bool whole = groups.len == 16;
    if (whole != (groups.gap < 0)) /* "::" stands for one group at least */
        return false;
    size_t before = whole ? 16 : (size_t)groups.gap;
    size_t behind = groups.len - before;
    memset(octet_r, 0, 16);
    memcpy(octet_r, groups.octet, before);
    memcpy(octet_r + 16 - behind, groups.octet + before, behind);
    return true;
}

/* As it is written. */
static int read_address(const char *text, size_t len, struct weir_address *address_r)
{
    static const char tag[] = "IPv6:"; /* RFC 5321 4.1.3 */
    struct text rest = {text, len > 0 ? text + len : text};
    if (skip(&rest, '[')) {
        if (rest.at == rest.end || *--rest.end != ']')
            return WEIR_EINVAL;
    }
    struct weir_address address;
    bool tagged = (size_t)(rest.end - rest.at) >= strlen(tag) &&
                  strncasecmp(rest.at, tag, strlen(tag)) == 0;
    if (tagged)
        rest.at += strlen(tag);
    memcpy(address.octet, mapped, sizeof(mapped));
    if ((tagged || !read_ipv4(rest, address.octet + IPV4_AT)) && !read_ipv6(rest, address.octet))
        return WEIR_EINVAL;
    *address_r = address;
    return 0;
}

/* Whether it was behind a NAT64: it is the IPv4 address then. */
static bool unwrap(struct weir_address *address)
{
    if (memcmp(address->octet, nat64, sizeof nat64) != 0)
        return false;
    memcpy(address->octet, mapped, sizeof mapped);
    return true;
}

int weir_address_parse(const char *text, size_t len, struct weir_address *address_r)
{
    int rc = read_address(text, len, address_r);
    if (rc == 0)
        (void)unwrap(address_r);
    return rc;
}

bool weir_address_is_ipv4(const struct weir_address *address)
{
    return memcmp(address->octet, mapped, sizeof(mapped)) == 0;
}

bool weir_address_is_loopback(const struct weir_address *address)
{
    static const struct weir_address six = {{[15] = 1}};

    return (weir_address_is_ipv4(address) && address->octet[12] == 127) ||
           weir_address_equal(address, &six);
}

static unsigned group(const struct weir_address *address, unsigned index)
{
    return (unsigned)address->octet[2 * index] << 8 | address->octet[2 * index + 1];
}

/* The first of the longest runs of zero groups; *len_r is 0 where no run has
 * two groups, since RFC 5952 4.2.2 writes a single one as "0". */
static unsigned longest_zeros(const struct weir_address *address, unsigned *len_r)
{
    unsigned best = 0, best_len = 1;
    for (unsigned i = 0; i < 8; i++) {
        unsigned len = 0;
        while (i + len < 8 && group(address, i + len) == 0)
            len++;
        if (len > best_len) {
            best = i;
            best_len = len;
        }
    }
    *len_r = best_len > 1 ? best_len : 0;
    return best;
}

static void format_ipv6(const struct weir_address *address, char *out, size_t room)
{
    unsigned gap_len;
    unsigned gap = longest_zeros(address, &gap_len);
    size_t at = 0;
    for (unsigned i = 0; i < 8; i++) {
        if (gap_len > 0 && i == gap) {
            at += (size_t)snprintf(out + at, room - at, "::");
            i += gap_len - 1;
            continue;
        }
        bool colon = i > 0 && !(gap_len > 0 && i == gap + gap_len);
        at += (size_t)snprintf(out + at, room - at, "%s%x", colon ? ":" : "", group(address, i));
    }
}

/* Without snprintf(): it is done three times for every request. */
static void format_ipv4(const uint8_t *octet, char *buffer)
{
    struct weir_line line = weir_line(buffer, WEIR_ADDRESS_TEXT);
    for (size_t i = 0; i < 4; i++) {
        weir_line_text(&line, i > 0 ? "." : "");
        weir_line_count(&line, octet[i]);
    }
    weir_line_end(&line);
}

const char *weir_address_format(const struct weir_address *address,
                                char buffer[static WEIR_ADDRESS_TEXT])
{
    if (weir_address_is_ipv4(address))
        format_ipv4(address->octet + IPV4_AT, buffer);
    else
        format_ipv6(address, buffer, WEIR_ADDRESS_TEXT);
    return buffer;
}

bool weir_address_equal(const struct weir_address *a, const struct weir_address *b)
{
    return memcmp(a->octet, b->octet, sizeof(a->octet)) == 0;
}

/* True when the first bits of a and b are the same. */
static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    if (memcmp(a, b, whole) != 0)
        return false;
    return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

static bool ipv4_is_private(const uint8_t octet[static 4])
{
    static const struct {
        uint8_t octet[4], bits;
    } list[] = {
        {{0}, 8},          /* this network, RFC 1122 */
        {{10}, 8},         /* private, RFC 1918 */
        {{100, 64}, 10},   /* shared, RFC 6598 */
        {{127}, 8},        /* loopback */
        {{169, 254}, 16},  /* link local, RFC 3927 */
        {{172, 16}, 12},   /* private */
        {{192, 168}, 16},  /* private */
        {{224}, 3},        /* multicast, reserved, broadcast */
    };
    for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
        if (same_bits(octet, list[i].octet, list[i].bits))
            return true;
    }
    return false;
}

static bool ipv6_is_private(const uint8_t octet[static 16])
{
    static const struct {
        uint8_t octet[16], bits;
    } list[] = {
        {{0}, 128},                  /* unspecified */
        {{[15] = 1}, 128},           /* loopback */
        {{0xfe, 0x80}, 10},          /* link local, RFC 4291 */
        {{0xfc}, 7},                 /* unique local, RFC 4193 */
        {{0xff}, 8},                 /* multicast */
    };
    for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
        if (same_bits(octet, list[i].octet, list[i].bits))
            return true;
    }
    return false;
}

bool weir_address_is_private(const struct weir_address *address)
{
    if (weir_address_is_ipv4(address))
        return ipv4_is_private(address->octet + IPV4_AT);
    return ipv6_is_private(address->octet);
}

struct weir_prefix weir_address_mask(const struct weir_address *address, unsigned bits)
{
    if (bits > 128)
        bits = 128;
    struct weir_prefix prefix = {.bits = (uint8_t)bits};
    memcpy(prefix.address.octet, address->octet, bits / 8);
    if (bits % 8 != 0) {
        unsigned keep = 0xffu << (8 - bits % 8);
        prefix.address.octet[bits / 8] = (uint8_t)(address->octet[bits / 8] & keep);
    }
    return prefix;
}

struct weir_prefix weir_address_prefix(const struct weir_address *address, unsigned ipv4_bits,
                                       unsigned ipv6_bits)
{
    if (!weir_address_is_ipv4(address))
        return weir_address_mask(address, ipv6_bits);
    return weir_address_mask(address, IPV4_BITS_AT + (ipv4_bits > 32 ? 32 : ipv4_bits));
}

/* Reads the length behind the slash; most is that of the family as written. */
static bool read_length(const char *text, const char *end, unsigned most, unsigned *length_r)
{
    struct text rest = {text, end};
    return read_decimal(&rest, most, length_r) && rest.at == rest.end;
}

int weir_prefix_parse(const char *text, size_t len, struct weir_prefix *prefix_r,
                      const char **why_r)
{
    const char *slash = len > 0 ? memchr(text, '/', len) : NULL;
    size_t address_len = slash ? (size_t)(slash - text) : len;
    struct weir_address address;
    if (read_address(text, address_len, &address) != 0) {
        *why_r = "not an IPv4 or IPv6 address";
        return WEIR_EINVAL;
    }
    bool as_ipv6 = memchr(text, ':', address_len) != NULL;
    unsigned most = as_ipv6 ? 128 : 32;
    unsigned length = most;
    if (slash && !read_length(slash + 1, text + len, most, &length)) {
        *why_r = as_ipv6 ? "the prefix length is not a number from 0 to 128"
                         : "the prefix length is not a number from 0 to 32";
        return WEIR_EINVAL;
    }
    unsigned bits = as_ipv6 ? length : IPV4_BITS_AT + length;
    if (unwrap(&address) && bits <= IPV4_BITS_AT) {
        *why_r = "who is behind a NAT64 has the IPv4 address here: name that, or its network";
        return WEIR_EINVAL;
    }
    struct weir_prefix prefix = weir_address_mask(&address, bits);
    if (!weir_address_equal(&prefix.address, &address)) {
        *why_r = "the address has bits set beyond the prefix length";
        return WEIR_EINVAL;
    }
    *prefix_r = prefix;
    return 0;
}

const char *weir_prefix_format(const struct weir_prefix *prefix,
                               char buffer[static WEIR_PREFIX_TEXT])
{
    weir_address_format(&prefix->address, buffer);
    if (prefix->bits < 128) {
        size_t len = strlen(buffer);
        snprintf(buffer + len, WEIR_PREFIX_TEXT - len, "/%u", weir_prefix_length(prefix));
    }
    return buffer;
}

bool weir_prefix_contains(const struct weir_prefix *prefix, const struct weir_address *address)
{
    /* ::/0 is all of IPv6, and 0.0.0.0/0 all of IPv4, which only looks as if it lay in it. */
    if (prefix->bits < IPV4_BITS_AT && weir_address_is_ipv4(address))
        return false;
    return same_bits(prefix->address.octet, address->octet, prefix->bits);
}

static bool is_wider(const struct weir_prefix *prefix, unsigned ipv4_bits, unsigned ipv6_bits)
{
    bool ipv4 = prefix->bits >= IPV4_BITS_AT && weir_address_is_ipv4(&prefix->address);
    return weir_prefix_length(prefix) < (ipv4 ? ipv4_bits : ipv6_bits);
}

bool weir_prefix_too_wide(const struct weir_prefix *prefix)
{
    return is_wider(prefix, IPV4_WIDEST, IPV6_WIDEST);
}

bool weir_prefix_wide(const struct weir_prefix *prefix)
{
    return is_wider(prefix, IPV4_WIDE, IPV6_WIDE);
}

unsigned weir_prefix_length(const struct weir_prefix *prefix)
{
    bool ipv4 = prefix->bits >= IPV4_BITS_AT && weir_address_is_ipv4(&prefix->address);
    return ipv4 ? prefix->bits - IPV4_BITS_AT : prefix->bits;
}
