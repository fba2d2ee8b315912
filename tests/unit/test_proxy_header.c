/* proxy_header: versions 1 and 2, each at its limits and one past. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "sniffer/proxy_header.h"

/* Reads from memory of exactly that length. */
static int read_exactly(const void *octets, size_t len, struct weir_proxy_header *header)
{
    char *own = malloc(len ? len : 1);

    memcpy(own, octets, len);
    int result = weir_proxy_read((struct weir_slice){own, len}, header);
    free(own);
    return result;
}

static const char *client_text(const struct weir_proxy_header *header, char room[80])
{
    char address[WEIR_ADDRESS_TEXT];

    snprintf(room, 80, "%s %s %u", header->has_client ? "client" : "none",
             weir_address_format(&header->client, address), header->client_port);
    return room;
}

#define LONG6 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"

static const struct {
    const char *line, *want; /* want NULL: refused */
} lines[] = {
    {"PROXY TCP4 192.0.2.1 192.0.2.2 4711 25\r\n", "client 192.0.2.1 4711"},
    {"PROXY TCP4 192.0.2.1 192.0.2.2 0 65535\r\n", "client 192.0.2.1 0"},
    {"PROXY TCP6 2001:db8::1 2001:db8::2 65535 25\r\n", "client 2001:db8::1 65535"},
    {"PROXY TCP6 " LONG6 " " LONG6 " 65535 65535\r\n", "client " LONG6 " 65535"},
    {"PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n", "client 192.0.2.1 1"},
    {"PROXY UNKNOWN\r\n", "none :: 0"},
    {"PROXY UNKNOWN anything at all \x01\r\n", "none :: 0"},
    {"PROXY TCP4 192.0.2.1 192.0.2.2 4711 65536\r\n", NULL},
    {"PROXY TCP4 192.0.2.1 192.0.2.2 65536 25\r\n", NULL},
    {"PROXY TCP4 192.0.2.1 192.0.2.2 0123 25\r\n", NULL},
    {"PROXY TCP4 192.0.2.1 192.0.2.2 99999999999999 25\r\n", NULL},
    {"PROXY TCP4 192.0.2.1 192.0.2.2 -1 25\r\n", NULL},
    {"PROXY TCP4 192.0.2.1 192.0.2.2 1 25 \r\n", NULL},
    {"PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n", NULL},
    {"PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n", NULL},
    {"PROXY TCP4 192.0.2.256 192.0.2.2 1 2\r\n", NULL},
    {"PROXY TCP4 [192.0.2.1] 192.0.2.2 1 2\r\n", NULL},
    {"PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n", NULL},
    {"PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n", NULL},
    {"PROXY TCP6 IPv6:2001:db8::1 ::1 1 2\r\n", NULL},
    {"PROXY tcp4 192.0.2.1 192.0.2.2 1 2\r\n", NULL},
    {"PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n", NULL},
    {"PROXY TCP4 192.0.2.1 192.0.2.2 4711 25\n", NULL},
    {"PROXY \r\n", NULL},
    {"PROXY TCP4", ""}, /* more is needed */
    {"PROXY UNKNOWN\r", ""},
    {"P", ""},
    {"", ""},
    {"proxy TCP4 192.0.2.1 192.0.2.2 4711 25\r\n", NULL},
    {"EHLO x\r\n", NULL},
};

static void lines_of_version_1_are_read_strictly(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct weir_proxy_header header;
        char room[80];
        int len = read_exactly(lines[i].line, strlen(lines[i].line), &header);

        if (!lines[i].want || !*lines[i].want) {
            if (len != (lines[i].want ? 0 : WEIR_EINVAL))
                fail_msg("%s gives %d", lines[i].line, len);
            continue;
        }
        assert_int_equal(len, strlen(lines[i].line));
        assert_string_equal(client_text(&header, room), lines[i].want);
    }
}

static void a_line_has_at_most_107_octets(void **state)
{
    struct weir_proxy_header header;
    char line[110];

    (void)state;
    memset(line, 'x', sizeof(line));
    memcpy(line, "PROXY UNKNOWN ", 14);
    assert_int_equal(read_exactly(line, 106, &header), 0);
    assert_int_equal(read_exactly(line, 107, &header), WEIR_EINVAL);
    memcpy(line + 105, "\r\n", 2);
    assert_int_equal(read_exactly(line, 109, &header), 107);
    memcpy(line + 105, "x\r\n", 3);
    assert_int_equal(read_exactly(line, 108, &header), WEIR_EINVAL);
}

/* A header of version 2 with len octets behind its head. */
static size_t version_2(uint8_t *room, uint8_t command, uint8_t family, size_t len)
{
    memcpy(room, "\r\n\r\n\0\r\nQUIT\n", 12);
    room[12] = command;
    room[13] = family;
    room[14] = (uint8_t)(len >> 8);
    room[15] = (uint8_t)len;
    memset(room + 16, 0, len);
    memcpy(room + 16, "\xc0\x00\x02\x01\xc0\x00\x02\x02\x12\x67\x00\x19", len < 12 ? len : 12);
    return 16 + len;
}

static const struct {
    uint8_t command, family;
    size_t len;
    const char *want;
} heads[] = {
    {0x21, 0x11, 12, "client 192.0.2.1 4711"},
    {0x21, 0x11, 520, "client 192.0.2.1 4711"},
    {0x21, 0x21, 36, "client c000:201:c000:202:1267:19:: 0"},
    {0x21, 0x21, 35, NULL},
    {0x21, 0x11, 11, NULL},
    {0x21, 0x11, 521, NULL},
    {0x20, 0x11, 12, "none :: 0"},
    {0x20, 0x00, 0, "none :: 0"},
    {0x21, 0x00, 0, "none :: 0"},
    {0x21, 0x12, 12, "none :: 0"}, /* UDP */
    {0x21, 0x31, 216, "none :: 0"},
    {0x21, 0x41, 12, NULL},
    {0x21, 0x13, 12, NULL},
    {0x22, 0x11, 12, NULL},
    {0x11, 0x11, 12, NULL},
};

static void heads_of_version_2_are_read_strictly(void **state)
{
    uint8_t room[600];

    (void)state;
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        struct weir_proxy_header header;
        char text[80];
        size_t len = version_2(room, heads[i].command, heads[i].family, heads[i].len);
        int result = read_exactly(room, len, &header);

        if (!heads[i].want) {
            assert_int_equal(result, WEIR_EINVAL);
            continue;
        }
        assert_int_equal(result, len);
        assert_string_equal(client_text(&header, text), heads[i].want);
        for (size_t part = 0; part < len; part++) {
            assert_int_equal(read_exactly(room, part, &header), 0);
            assert_true(weir_proxy_begins((struct weir_slice){(char *)room, part}));
        }
    }
}

static void what_is_none_is_seen_at_its_first_octet(void **state)
{
    (void)state;
    assert_false(weir_proxy_begins((struct weir_slice){"E", 1}));
    assert_false(weir_proxy_begins((struct weir_slice){"\n", 1}));
    assert_false(weir_proxy_begins((struct weir_slice){"PROXI", 5}));
    assert_false(weir_proxy_begins((struct weir_slice){"\r\n\r\n\0\r\nQUIP", 11}));
    assert_true(weir_proxy_begins((struct weir_slice){"PROXY ", 6}));
    assert_true(weir_proxy_begins((struct weir_slice){NULL, 0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_version_1_are_read_strictly),
        cmocka_unit_test(a_line_has_at_most_107_octets),
        cmocka_unit_test(heads_of_version_2_are_read_strictly),
        cmocka_unit_test(what_is_none_is_seen_at_its_first_octet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
