/*
 * proxy_header - reads what a proxy puts in front of a connection: version 1, one line of text,
 * or version 2, a binary head with its length.
 *
 * Nothing is kept: the caller hands in all octets from the beginning, each time there are more.
 * Refused: lines over 107 octets or without CR, ports with leading zeros, families and commands
 * the protocol does not name, lengths beyond WEIR_PROXY_MAX.  Families that are no TCP over IP
 * give no client, as a LOCAL connection does.
 */
#include "sniffer/proxy_header.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"

enum {
    V1_MOST = 107,  /* with CR LF */
    V1_LEAST = 6,   /* "PROXY " */
    V2_HEAD = 16,
    V2_TCP4 = 0x11, /* over IPv4 a stream */
    V2_TCP6 = 0x21,
};

static const char v1_begin[] = "PROXY ";
static const char v2_begin[] = "\r\n\r\n\0\r\nQUIT\n"; /* and a NUL that is not part of it */

static bool begins(struct weir_slice octets, const char *with, size_t len)
{
    return memcmp(octets.at, with, octets.len < len ? octets.len : len) == 0;
}

bool weir_proxy_begins(struct weir_slice octets)
{
    return octets.len == 0 || begins(octets, v1_begin, sizeof(v1_begin) - 1) ||
           begins(octets, v2_begin, sizeof(v2_begin) - 1);
}

/* The next word of a line; words are parted by exactly one blank. */
static struct weir_slice next_word(struct weir_slice *line)
{
    const char *blank = line->len ? memchr(line->at, ' ', line->len) : NULL;
    struct weir_slice word = {line->at, blank ? (size_t)(blank - line->at) : line->len};
    size_t used = word.len + (blank != NULL);

    line->at += used;
    line->len -= used;
    return word;
}

static bool read_port(struct weir_slice word, uint16_t *port_r)
{
    unsigned port = 0;

    if (word.len == 0 || word.len > 5 || (word.at[0] == '0' && word.len > 1))
        return false;
    for (size_t i = 0; i < word.len; i++) {
        if (word.at[i] < '0' || word.at[i] > '9')
            return false;
        port = port * 10 + (unsigned)(word.at[i] - '0');
    }
    *port_r = (uint16_t)port;
    return port <= 65535;
}

/* Only digits, dots or colons: brackets and tags are for mail, not for this protocol. */
static bool read_address(struct weir_slice word, bool ipv4, struct weir_address *address_r)
{
    for (size_t i = 0; i < word.len; i++)
        if (!strchr(ipv4 ? "0123456789." : "0123456789abcdefABCDEF:.", word.at[i]) || !word.at[i])
            return false;
    if (!ipv4 && (word.len == 0 || !memchr(word.at, ':', word.len)))
        return false;
    return weir_address_parse(word.at, word.len, address_r) == 0;
}

/* "TCP4 192.0.2.1 192.0.2.2 4711 25", without "PROXY " and line end. */
static int read_v1_line(struct weir_slice line, struct weir_proxy_header *header_r)
{
    struct weir_proxy_header header = {.has_client = true};
    struct weir_slice family = next_word(&line);
    struct weir_address server;
    uint16_t server_port;
    bool ipv4 = weir_slice_equals(family, "TCP4");

    if (weir_slice_equals(family, "UNKNOWN")) {
        *header_r = (struct weir_proxy_header){0};
        return 1;
    }
    if (line.len > 0 && line.at[line.len - 1] == ' ')
        return WEIR_EINVAL;
    if ((!ipv4 && !weir_slice_equals(family, "TCP6")) ||
        !read_address(next_word(&line), ipv4, &header.client) ||
        !read_address(next_word(&line), ipv4, &server) ||
        !read_port(next_word(&line), &header.client_port) ||
        !read_port(next_word(&line), &server_port) || line.len > 0)
        return WEIR_EINVAL;
    *header_r = header;
    return 1;
}

static int read_v1(struct weir_slice octets, struct weir_proxy_header *header_r)
{
    size_t most = octets.len < V1_MOST ? octets.len : V1_MOST;
    const char *feed = memchr(octets.at, '\n', most);

    if (!feed)
        return octets.len < V1_MOST ? 0 : WEIR_EINVAL;
    size_t len = (size_t)(feed - octets.at) + 1;
    if (len < V1_LEAST + 2 || feed[-1] != '\r')
        return WEIR_EINVAL;
    if (read_v1_line((struct weir_slice){octets.at + V1_LEAST, len - V1_LEAST - 2}, header_r) < 0)
        return WEIR_EINVAL;
    return (int)len;
}

/* Source, destination, two ports; r holds what is behind the head. */
static int read_v2_addresses(struct weir_reader *r, bool ipv4, struct weir_proxy_header *header)
{
    size_t len = ipv4 ? 4 : 16;
    const uint8_t *source = weir_read_bytes(r, len);

    weir_read_bytes(r, len);
    header->client_port = weir_read_u16(r);
    weir_read_u16(r);
    if (weir_reader_bad(r))
        return WEIR_EINVAL;
    if (ipv4)
        header->client.octet[10] = header->client.octet[11] = 0xff;
    memcpy(header->client.octet + 16 - len, source, len);
    header->has_client = true;
    return 0;
}

static bool known_family(uint8_t family)
{
    return family >> 4 <= 3 && (family & 0x0f) <= 2;
}

static int read_v2(struct weir_slice octets, struct weir_proxy_header *header_r)
{
    struct weir_proxy_header header = {0};

    if (octets.len < V2_HEAD)
        return 0;
    struct weir_reader head = weir_reader(octets.at + 12, V2_HEAD - 12);
    uint8_t command = weir_read_u8(&head);
    uint8_t family = weir_read_u8(&head);
    size_t len = weir_read_u16(&head);

    if ((command != 0x20 && command != 0x21) || !known_family(family) ||
        V2_HEAD + len > WEIR_PROXY_MAX)
        return WEIR_EINVAL;
    if (octets.len < V2_HEAD + len)
        return 0;
    struct weir_reader body = weir_reader(octets.at + V2_HEAD, len);
    if (command == 0x21 && (family == V2_TCP4 || family == V2_TCP6) &&
        read_v2_addresses(&body, family == V2_TCP4, &header) < 0)
        return WEIR_EINVAL;
    *header_r = header;
    return (int)(V2_HEAD + len);
}

int weir_proxy_read(struct weir_slice octets, struct weir_proxy_header *header_r)
{
    if (!weir_proxy_begins(octets))
        return WEIR_EINVAL;
    if (octets.len < V1_LEAST)
        return 0;
    return octets.at[0] == 'P' ? read_v1(octets, header_r) : read_v2(octets, header_r);
}
