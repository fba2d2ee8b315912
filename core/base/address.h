/*
 * address - IPv4 and IPv6 addresses and prefixes.
 *
 * One form inside: 16 octets, IPv4 as the mapped ::ffff:a.b.c.d (RFC 4291
 * 2.5.5.2), so that 192.0.2.7 and ::ffff:192.0.2.7 are one and the same
 * sender, and so that one table serves both families.
 *
 * Owner:    plain values, copied by assignment.
 * Errors:   WEIR_EINVAL for text that is no address; outputs untouched.
 * Limits:   no zone ids (fe80::1%eth0) and no host names; no leading zeros in
 *           IPv4 octets, which some parsers read as octal.
 */
#ifndef WEIR_BASE_ADDRESS_H
#define WEIR_BASE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WEIR_ADDRESS_TEXT 48  /* room for any address as text, with its NUL */
#define WEIR_PREFIX_TEXT 52   /* the same with "/128" behind it */

struct weir_address {
    uint8_t octet[16];
};

/* A prefix; octets past bits are zero.  bits counts in the 16-octet form:
 * 0..128, an IPv4 /24 is 120 inside and shown as /24.  So IPv4 lies within
 * IPv6: ::/0 holds every address of both families. */
struct weir_prefix {
    struct weir_address address;
    uint8_t bits;
};

/* Reads len octets of text: "192.0.2.7", "2001:db8::7", "::ffff:192.0.2.7",
 * each also in [brackets] or behind "IPv6:" as mail servers write them.
 * What a server behind a NAT64 sees of an IPv4 client (RFC 6052: 64:ff9b::/96)
 * is that IPv4 address: else all of IPv4 were one /64.  0, or WEIR_EINVAL.  A
 * prefix of these counts as IPv4's, too, and the /96 itself and what is wider
 * is refused: who names a NAT64 does not mean everybody. */
int weir_address_parse(const char *text, size_t len, struct weir_address *address_r);

/* Writes the address (RFC 5952; IPv4 and mapped IPv4 as a.b.c.d) and returns
 * buffer, which is always NUL-terminated. */
const char *weir_address_format(const struct weir_address *address,
                                char buffer[static WEIR_ADDRESS_TEXT]);

bool weir_address_is_ipv4(const struct weir_address *address);

/* 127.0.0.0/8, ::1. */
bool weir_address_is_loopback(const struct weir_address *address);

/* True when the address cannot be a sender on the open Internet: unspecified,
 * loopback, link local, private (RFC 1918), shared (RFC 6598), unique local
 * (RFC 4193), multicast, reserved (240.0.0.0/4).  Documentation addresses
 * count as open. */
bool weir_address_is_private(const struct weir_address *address);

bool weir_address_equal(const struct weir_address *a, const struct weir_address *b);

/* The prefix that holds address: ipv4_bits (0..32) or ipv6_bits (0..128) by
 * its family.  Larger lengths count as full. */
struct weir_prefix weir_address_prefix(const struct weir_address *address, unsigned ipv4_bits,
                                       unsigned ipv6_bits);

/* The same with a length in the 16-octet form (0..128). */
struct weir_prefix weir_address_mask(const struct weir_address *address, unsigned bits);

/* Reads "192.0.2.0/24", "2001:db8::/32" or a lone address (a prefix of full
 * length).  Octets beyond the prefix must be zero: "192.0.2.7/24" is an error,
 * since whoever wrote it meant something else.  0, or WEIR_EINVAL and *why_r
 * (static text). */
int weir_prefix_parse(const char *text, size_t len, struct weir_prefix *prefix_r,
                      const char **why_r);

/* Writes the prefix; a full-length one without "/32" or "/128".  Returns buffer. */
const char *weir_prefix_format(const struct weir_prefix *prefix,
                               char buffer[static WEIR_PREFIX_TEXT]);

/* An IPv6 prefix never contains an IPv4 address, however short it is. */
bool weir_prefix_contains(const struct weir_prefix *prefix, const struct weir_address *address);

/* The length as an operator writes it: 24 for an IPv4 /24. */
unsigned weir_prefix_length(const struct weir_prefix *prefix);

/* Whether it is wider than anybody may list without saying that he means it: than
 * WEIR_PREFIX_WIDEST.  Half of the Internet on a blacklist is a slip of the hand. */
bool weir_prefix_too_wide(const struct weir_prefix *prefix);

#define WEIR_PREFIX_WIDEST "/8 (IPv6: /16)"

/* Whether it is wider than WEIR_PREFIX_WIDE: so wide that only an administrator may accept all its
 * mail, or silence the alerts about it. */
bool weir_prefix_wide(const struct weir_prefix *prefix);

#define WEIR_PREFIX_WIDE "/16 (IPv6: /32)"

#endif
