/* frame: hand-made frames of every link type, complete and cut at every octet; lengths that
 * contradict each other; limits. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "core/base/limits.h"
#include "sniffer/frame.h"

struct frame {
    uint8_t octet[2048];
    size_t len;
};

static void add(struct frame *f, const void *octets, size_t len)
{
    assert_true(f->len + len <= sizeof(f->octet));
    memcpy(f->octet + f->len, octets, len);
    f->len += len;
}

static void add16(struct frame *f, unsigned number)
{
    add(f, (uint8_t[]){(uint8_t)(number >> 8), (uint8_t)number}, 2);
}

static void add_ethernet(struct frame *f, unsigned type)
{
    add(f, "\2\0\0\0\0\1\2\0\0\0\0\2", 12);
    add16(f, type);
}

/* An IPv4 header for len octets behind it; options in units of four octets. */
static void add_ip4(struct frame *f, size_t len, unsigned options, unsigned fragment, int protocol)
{
    unsigned header = 20 + 4 * options;
    add(f, (uint8_t[]){(uint8_t)(0x40 | header / 4), 0}, 2);
    add16(f, (unsigned)len + header);
    add16(f, 7);
    add16(f, fragment);
    add(f, (uint8_t[]){64, (uint8_t)protocol, 0, 0, 192, 0, 2, 1, 198, 51, 100, 9}, 12);
    for (unsigned i = 0; i < options; i++)
        add(f, "\1\1\1\1", 4);
}

static void add_ip6(struct frame *f, size_t len, int next)
{
    add(f, "\x60\0\0\0", 4);
    add16(f, (unsigned)len);
    add(f, (uint8_t[]){(uint8_t)next, 64}, 2);
    add(f, "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\2", 32);
}

static void add_tcp(struct frame *f, unsigned options, const char *payload)
{
    add16(f, 40000);
    add16(f, 25);
    add(f, "\1\2\3\4\5\6\7\x8", 8);
    add(f, (uint8_t[]){(uint8_t)((5 + options) << 4), 0x18, 0xff, 0xff, 0, 0, 0, 0}, 8);
    for (unsigned i = 0; i < options; i++)
        add(f, "\1\1\1\1", 4);
    add(f, payload, strlen(payload));
}

/* From a copy that ends where its memory ends. */
static enum weir_frame read_cut(enum weir_link link, const struct frame *f, size_t captured,
                                struct weir_segment *segment)
{
    uint8_t *copy = malloc(captured + 1);
    memcpy(copy, f->octet, captured);
    uint8_t *exact = realloc(copy, captured ? captured : 1);
    enum weir_frame got = weir_frame_read(link, exact, captured, f->len, segment);
    free(exact);
    return got;
}

static enum weir_frame read_all(enum weir_link link, const struct frame *f,
                                struct weir_segment *segment)
{
    return weir_frame_read(link, f->octet, f->len, f->len, segment);
}

static void check_segment(const struct weir_segment *s, bool ipv6, const char *payload)
{
    char text[WEIR_ADDRESS_TEXT];
    assert_string_equal(weir_address_format(&s->source, text), ipv6 ? "2001:db8::1" : "192.0.2.1");
    assert_string_equal(weir_address_format(&s->destination, text),
                        ipv6 ? "2001:db8::2" : "198.51.100.9");
    assert_int_equal(s->source_port, 40000);
    assert_int_equal(s->destination_port, 25);
    assert_int_equal(s->seq, 0x01020304);
    assert_int_equal(s->ack, 0x05060708);
    assert_int_equal(s->flags, WEIR_TCP_ACK | WEIR_TCP_PSH);
    assert_int_equal(s->payload_len, strlen(payload));
    assert_int_equal(s->payload.len, strlen(payload));
    assert_memory_equal(s->payload.at, payload, strlen(payload));
}

/* What stands before IP, in octets. */
struct link_case {
    const char *name;
    enum weir_link link;
    bool ipv6;
    const char *octets;
    size_t len;
};

#define OCTETS(text) text, sizeof(text) - 1
#define MACS "\2\0\0\0\0\1\2\0\0\0\0\2"

static const struct link_case links[] = {
    {"Ethernet", WEIR_LINK_ETHERNET, false, OCTETS(MACS "\x08\x00")},
    {"Ethernet, IPv6", WEIR_LINK_ETHERNET, true, OCTETS(MACS "\x86\xdd")},
    {"VLAN", WEIR_LINK_ETHERNET, false, OCTETS(MACS "\x81\x00\x00\x07\x08\x00")},
    {"QinQ", WEIR_LINK_ETHERNET, true,
     OCTETS(MACS "\x88\xa8\x00\x07\x81\x00\x00\x08\x86\xdd")},
    {"old QinQ", WEIR_LINK_ETHERNET, false,
     OCTETS(MACS "\x91\x00\x00\x07\x91\x00\x00\x08\x08\x00")},
    {"loopback, little-endian", WEIR_LINK_LOOPBACK, false, OCTETS("\2\0\0\0")},
    {"loopback, big-endian", WEIR_LINK_LOOPBACK, false, OCTETS("\0\0\0\2")},
    {"loopback, Linux", WEIR_LINK_LOOPBACK, true, OCTETS("\xa\0\0\0")},
    {"loopback, NetBSD", WEIR_LINK_LOOPBACK, true, OCTETS("\0\0\0\x18")},
    {"loopback, FreeBSD", WEIR_LINK_LOOPBACK, true, OCTETS("\x1c\0\0\0")},
    {"loopback, Darwin", WEIR_LINK_LOOPBACK, true, OCTETS("\x1e\0\0\0")},
    {"raw", WEIR_LINK_RAW, false, OCTETS("")},
    {"raw, IPv6", WEIR_LINK_RAW, true, OCTETS("")},
    {"cooked", WEIR_LINK_COOKED, false, OCTETS("\0\0\0\1\0\6\1\2\3\4\5\6\0\0\x08\x00")},
    {"cooked v2", WEIR_LINK_COOKED2, true,
     OCTETS("\x86\xdd\0\0\0\0\0\1\0\1\0\6\1\2\3\4\5\6\0\0")},
    {"cooked v2, VLAN", WEIR_LINK_COOKED2, false,
     OCTETS("\x81\x00\0\0\0\0\0\1\0\1\0\6\1\2\3\4\5\6\0\0\x00\x07\x08\x00")},
};

static struct frame make(const struct link_case *c, const char *payload)
{
    struct frame f = {.len = 0};
    add(&f, c->octets, c->len);
    if (c->ipv6)
        add_ip6(&f, 20 + 8 + strlen(payload), 6);
    else
        add_ip4(&f, 20 + 8 + strlen(payload), 1, 0x4000, 6);
    add_tcp(&f, 2, payload);
    return f;
}

static void every_link_type_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        struct weir_segment segment;
        struct frame f = make(&links[i], "220 hello\r\n");
        print_message("%s\n", links[i].name);
        assert_int_equal(read_all(links[i].link, &f, &segment), WEIR_FRAME_SEGMENT);
        check_segment(&segment, links[i].ipv6, "220 hello\r\n");
    }
}

static void who_sent_a_frame_is_told_where_it_is_known(void **state)
{
    static const struct { enum weir_link link; size_t at, interface; } types[] = {
        {WEIR_LINK_COOKED, 1, 2}, {WEIR_LINK_COOKED2, 10, 8}};
    (void)state;
    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        struct frame f = make(&links[i], "");
        struct weir_segment segment;
        read_all(links[i].link, &f, &segment);
        assert_int_equal(segment.card != NULL, links[i].link == WEIR_LINK_ETHERNET);
        if (segment.card)
            assert_memory_equal(segment.card, links[i].octets + 6, 6);
        for (unsigned type = 0; type < 5; type++) {
            for (size_t n = 0; n < 2; n++) {
                if (links[i].link == types[n].link)
                    f.octet[types[n].at] = (uint8_t)type;
            }
            read_all(links[i].link, &f, &segment);
            bool cooked = links[i].link == WEIR_LINK_COOKED || links[i].link == WEIR_LINK_COOKED2;
            assert_int_equal(segment.outgoing, cooked && type == 4);
            assert_int_equal(segment.incoming, cooked && type != 4);
            for (size_t n = 0; n < 2; n++) {
                if (links[i].link == types[n].link)
                    memcpy(f.octet + types[n].interface, "\3\4", 2); /* 772: the loopback */
            }
            read_all(links[i].link, &f, &segment);
            assert_int_equal(segment.outgoing, cooked && type == 4);
            assert_false(segment.incoming);
            f = make(&links[i], "");
        }
    }
}

static void a_frame_cut_anywhere_is_cut_or_a_segment_with_less_payload(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        struct frame f = make(&links[i], "0123456789");
        for (size_t captured = 0; captured < f.len; captured++) {
            struct weir_segment segment;
            enum weir_frame got = read_cut(links[i].link, &f, captured, &segment);
            if (captured < f.len - 10 - 8) {
                assert_int_equal(got, WEIR_FRAME_CUT);
                continue;
            }
            assert_int_equal(got, WEIR_FRAME_SEGMENT); /* TCP's options need not be there */
            assert_int_equal(segment.payload_len, 10);
            size_t there = captured < f.len - 10 ? 0 : captured + 10 - f.len;
            assert_int_equal(segment.payload.len, there);
        }
    }
}

static void a_frame_that_was_sent_too_short_is_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        struct frame f = make(&links[i], "0123456789");
        for (size_t wire = 0; wire < f.len; wire++) {
            struct weir_segment segment;
            assert_int_equal(weir_frame_read(links[i].link, f.octet, wire, wire, &segment),
                             WEIR_FRAME_BAD);
        }
    }
}

static void padding_is_no_payload(void **state)
{
    (void)state;
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        struct weir_segment segment;
        struct frame f = make(&links[ipv6], "x");
        add(&f, "\0\0\0\0\0\0", 6);
        assert_int_equal(read_all(WEIR_LINK_ETHERNET, &f, &segment), WEIR_FRAME_SEGMENT);
        check_segment(&segment, ipv6, "x");
    }
}

static void a_length_of_0_is_what_was_sent(void **state)
{
    (void)state;
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        struct weir_segment segment;
        struct frame f = make(&links[ipv6], "left to the card");
        memset(f.octet + 14 + (ipv6 ? 4 : 2), 0, 2);
        assert_int_equal(read_all(WEIR_LINK_ETHERNET, &f, &segment), WEIR_FRAME_SEGMENT);
        check_segment(&segment, ipv6, "left to the card");
    }
}

static struct frame tagged(int tags)
{
    struct frame f = {.len = 0};
    add(&f, MACS, 12);
    for (int i = 0; i < tags; i++)
        add(&f, "\x81\x00\x00\x07", 4);
    add16(&f, 0x0800);
    add_ip4(&f, 20, 0, 0, 6);
    add_tcp(&f, 0, "");
    return f;
}

static void as_many_vlan_tags_as_the_limit_are_read_and_one_more_is_not(void **state)
{
    (void)state;
    struct weir_segment segment;
    struct frame most = tagged(WEIR_VLAN_TAGS_MAX), more = tagged(WEIR_VLAN_TAGS_MAX + 1);
    assert_int_equal(read_all(WEIR_LINK_ETHERNET, &most, &segment), WEIR_FRAME_SEGMENT);
    assert_int_equal(read_all(WEIR_LINK_ETHERNET, &more, &segment), WEIR_FRAME_OTHER);
}

/* count options headers of 8 octets, then one of kind (0: none), then TCP. */
static struct frame extended(int count, int kind, const uint8_t *header, size_t len)
{
    struct frame f = {.len = 0};
    add_ethernet(&f, 0x86dd);
    add_ip6(&f, (size_t)count * 8 + len + 20 + 3, count > 0 ? 60 : kind);
    for (int i = 0; i < count; i++)
        add(&f, (uint8_t[]){(uint8_t)(i + 1 < count ? 60 : len ? kind : 6), 0, 1, 4, 0, 0, 0, 0},
            8);
    add(&f, header, len);
    add_tcp(&f, 0, "abc");
    return f;
}

static void extension_headers_are_stepped_over(void **state)
{
    (void)state;
    static const struct {
        int kind;
        uint8_t header[24];
        size_t len;
    } cases[] = {
        {0, {6, 0}, 8},    {0, {6, 2}, 24},   {43, {6, 0}, 8},  {43, {6, 1}, 16},
        {51, {6, 4}, 24},  {60, {6, 1}, 16},  {135, {6, 0}, 8}, {139, {6, 0}, 8},
        {140, {6, 0}, 8},  {44, {6, 0}, 8},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (int before = 0; before < 3; before++) {
            struct weir_segment segment;
            struct frame f = extended(before, cases[i].kind, cases[i].header, cases[i].len);
            assert_int_equal(read_all(WEIR_LINK_ETHERNET, &f, &segment), WEIR_FRAME_SEGMENT);
            check_segment(&segment, true, "abc");
            assert_false(segment.fragment);
            for (size_t cut = 54; cut < f.len - 23; cut++)
                assert_int_equal(read_cut(WEIR_LINK_ETHERNET, &f, cut, &segment), WEIR_FRAME_CUT);
        }
    }
}

static void as_many_extension_headers_as_the_limit_are_read_and_one_more_is_not(void **state)
{
    (void)state;
    struct weir_segment segment;
    struct frame most = extended(WEIR_IP6_HEADERS_MAX, 6, (const uint8_t *)"", 0);
    struct frame more = extended(WEIR_IP6_HEADERS_MAX + 1, 6, (const uint8_t *)"", 0);
    assert_int_equal(read_all(WEIR_LINK_ETHERNET, &most, &segment), WEIR_FRAME_SEGMENT);
    assert_int_equal(read_all(WEIR_LINK_ETHERNET, &more, &segment), WEIR_FRAME_OTHER);
}

static void an_extension_header_longer_than_its_packet_is_bad(void **state)
{
    (void)state;
    struct weir_segment segment;
    struct frame f = extended(0, 60, (const uint8_t[]){6, 4, 0, 0, 0, 0, 0, 0}, 8);
    assert_int_equal(read_all(WEIR_LINK_ETHERNET, &f, &segment), WEIR_FRAME_BAD);
}

static void only_the_first_fragment_is_a_segment(void **state)
{
    (void)state;
    static const struct {
        unsigned field;
        enum weir_frame want;
        bool fragment;
    } cases[] = {{0x2000, WEIR_FRAME_SEGMENT, true}, {0x2001, WEIR_FRAME_FRAGMENT, false},
                 {0x0001, WEIR_FRAME_FRAGMENT, false}, {0x1fff, WEIR_FRAME_FRAGMENT, false},
                 {0x4000, WEIR_FRAME_SEGMENT, false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weir_segment segment = {.fragment = false};
        struct frame f = {.len = 0};
        add_ethernet(&f, 0x0800);
        add_ip4(&f, 23, 0, cases[i].field, 6);
        add_tcp(&f, 0, "abc");
        assert_int_equal(read_all(WEIR_LINK_ETHERNET, &f, &segment), cases[i].want);
        if (cases[i].want == WEIR_FRAME_SEGMENT)
            assert_int_equal(segment.fragment, cases[i].fragment);
    }
    struct weir_segment segment;
    struct frame first = extended(1, 44, (const uint8_t[]){6, 0, 0, 1, 0, 0, 0, 9}, 8);
    struct frame later = extended(1, 44, (const uint8_t[]){6, 0, 0, 8, 0, 0, 0, 9}, 8);
    assert_int_equal(read_all(WEIR_LINK_ETHERNET, &first, &segment), WEIR_FRAME_SEGMENT);
    assert_true(segment.fragment);
    assert_int_equal(read_all(WEIR_LINK_ETHERNET, &later, &segment), WEIR_FRAME_FRAGMENT);
}

static void what_is_not_tcp_is_other(void **state)
{
    (void)state;
    static const unsigned types[] = {0x0806, 0x8863, 0x8864, 0x0026, 0x88cc, 0x0000, 0xffff};
    struct weir_segment segment;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct frame f = {.len = 0};
        add_ethernet(&f, types[i]);
        assert_int_equal(read_all(WEIR_LINK_ETHERNET, &f, &segment), WEIR_FRAME_OTHER);
    }
    static const int protocols[] = {1, 4, 17, 41, 47, 50, 58, 59, 132};
    for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
        struct frame f = {.len = 0}, six = {.len = 0};
        add_ip4(&f, 0, 0, 0, protocols[i]);
        add_ip6(&six, 0, protocols[i]);
        assert_int_equal(read_all(WEIR_LINK_RAW, &f, &segment), WEIR_FRAME_OTHER);
        assert_int_equal(read_all(WEIR_LINK_RAW, &six, &segment), WEIR_FRAME_OTHER);
    }
    assert_int_equal(weir_frame_read(WEIR_LINK_RAW, (const uint8_t *)"\x50", 1, 1, &segment),
                     WEIR_FRAME_OTHER);
    assert_int_equal(weir_frame_read(WEIR_LINK_LOOPBACK, (const uint8_t *)"\7\0\0\0", 4, 4,
                                     &segment), WEIR_FRAME_OTHER);
}

/* One octet of a good Ethernet frame changed so that it contradicts the rest. */
static void lengths_that_contradict_each_other_are_bad(void **state)
{
    (void)state;
    static const struct {
        bool ipv6;
        size_t at;
        uint8_t octet;
        const char *what;
    } cases[] = {
        {false, 14, 0x44, "IPv4 header shorter than 20"},
        {false, 14, 0x4f, "IPv4 header longer than the packet"},
        {false, 14, 0x66, "IPv4 of version 6"},
        {false, 17, 200, "more octets than were sent"},
        {false, 17, 23, "a total shorter than the header"},
        {false, 14 + 24 + 12, 0x40, "TCP header shorter than 20"},
        {false, 14 + 24 + 12, 0xf0, "TCP header longer than its segment"},
        {true, 14, 0x40, "IPv6 of version 4"},
        {true, 19, 200, "more octets than were sent"},
        {true, 19, 19, "no room for TCP"},
        {true, 54 + 12, 0xf0, "TCP header longer than its segment"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weir_segment segment;
        struct frame f = make(&links[cases[i].ipv6], "0123456789");
        print_message("%s\n", cases[i].what);
        f.octet[cases[i].at] = cases[i].octet;
        assert_int_equal(read_all(WEIR_LINK_ETHERNET, &f, &segment), WEIR_FRAME_BAD);
    }
}

static void ipv4_addresses_inside_ipv6_blame_nobody(void **state)
{
    (void)state;
    for (size_t at = 22; at <= 38; at += 16) {
        struct weir_segment segment;
        struct frame f = make(&links[1], "x");
        memcpy(f.octet + at, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1", 16);
        assert_int_equal(read_all(WEIR_LINK_ETHERNET, &f, &segment), WEIR_FRAME_BAD);
    }
}

static void known_link_types_have_their_numbers(void **state)
{
    (void)state;
    static const struct {
        int dlt;
        enum weir_link link;
    } cases[] = {{0, WEIR_LINK_LOOPBACK}, {108, WEIR_LINK_LOOPBACK}, {1, WEIR_LINK_ETHERNET},
                 {12, WEIR_LINK_RAW}, {101, WEIR_LINK_RAW}, {113, WEIR_LINK_COOKED},
                 {276, WEIR_LINK_COOKED2}};
    enum weir_link link;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(weir_frame_link(cases[i].dlt, &link), 1);
        assert_int_equal(link, cases[i].link);
    }
    assert_int_equal(weir_frame_link(105, &link), 0); /* Wi-Fi */
    assert_string_equal(weir_frame_name(WEIR_FRAME_BAD), "bad");
    assert_string_equal(weir_frame_name(WEIR_FRAMES), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_link_type_is_read),
        cmocka_unit_test(who_sent_a_frame_is_told_where_it_is_known),
        cmocka_unit_test(a_frame_cut_anywhere_is_cut_or_a_segment_with_less_payload),
        cmocka_unit_test(a_frame_that_was_sent_too_short_is_bad),
        cmocka_unit_test(padding_is_no_payload),
        cmocka_unit_test(a_length_of_0_is_what_was_sent),
        cmocka_unit_test(as_many_vlan_tags_as_the_limit_are_read_and_one_more_is_not),
        cmocka_unit_test(extension_headers_are_stepped_over),
        cmocka_unit_test(as_many_extension_headers_as_the_limit_are_read_and_one_more_is_not),
        cmocka_unit_test(an_extension_header_longer_than_its_packet_is_bad),
        cmocka_unit_test(only_the_first_fragment_is_a_segment),
        cmocka_unit_test(what_is_not_tcp_is_other),
        cmocka_unit_test(lengths_that_contradict_each_other_are_bad),
        cmocka_unit_test(ipv4_addresses_inside_ipv6_blame_nobody),
        cmocka_unit_test(known_link_types_have_their_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
