/*
 * One frame, read from outside inwards: link, VLAN tags, IP, extension headers, TCP.
 *
 * Everything is a window onto the caller's octets that only gets smaller: captured is what is
 * there, wire what was sent.  Each step looks first whether its header was captured (else: cut)
 * and was sent at all (else: bad).  A length field that promises more than was sent is bad, since
 * the receiver drops such a frame, too; one that promises less cuts off the padding.  More
 * VLAN tags or extension headers than the limits is like something else than TCP.
 */
#include "sniffer/frame.h"

#include <endian.h>
#include <string.h>

#include "core/base/limits.h"

enum {
    TYPE_IP4 = 0x0800, TYPE_IP6 = 0x86dd,
    TYPE_VLAN = 0x8100, TYPE_QINQ = 0x88a8, TYPE_QINQ_OLD = 0x9100,

    NEXT_TCP = 6,
    NEXT_HOP_BY_HOP = 0, NEXT_ROUTING = 43, NEXT_FRAGMENT = 44, NEXT_AUTHENTICATION = 51,
    NEXT_OPTIONS = 60, NEXT_MOBILITY = 135, NEXT_HIP = 139, NEXT_SHIM6 = 140,

    IP4_HEADER = 20, IP6_HEADER = 40, TCP_HEADER = 20,

    OUTGOING = 4, /* a packet's type in cooked captures */
    LOOPBACK = 772, /* that of an interface there: ARPHRD_LOOPBACK */
};

struct window {
    const uint8_t *at;
    size_t captured, wire; /* captured <= wire */
};

static inline unsigned number16(const uint8_t *at)
{
    uint16_t number;
    memcpy(&number, at, sizeof(number));
    return be16toh(number);
}

static inline uint32_t number32(const uint8_t *at)
{
    uint32_t number;
    memcpy(&number, at, sizeof(number));
    return be32toh(number);
}

/* Whether len octets of a header are there: WEIR_FRAME_SEGMENT, else what the frame is. */
static inline enum weir_frame has(const struct window *w, size_t len)
{
    if (w->wire < len)
        return WEIR_FRAME_BAD;
    return w->captured < len ? WEIR_FRAME_CUT : WEIR_FRAME_SEGMENT;
}

/* Steps over len octets, which were sent, if perhaps not captured. */
static inline void skip(struct window *w, size_t len)
{
    size_t there = len < w->captured ? len : w->captured;
    w->at += there;
    w->captured -= there;
    w->wire -= len;
}

/* Forgets what is behind len octets: padding. */
static inline void shorten(struct window *w, size_t len)
{
    w->wire = len;
    if (w->captured > len)
        w->captured = len;
}

static inline enum weir_frame read_tcp(struct window *w, struct weir_segment *segment)
{
    enum weir_frame frame = has(w, TCP_HEADER);
    if (frame != WEIR_FRAME_SEGMENT)
        return frame;
    size_t header = (size_t)(w->at[12] >> 4) * 4;
    if (header < TCP_HEADER || header > w->wire)
        return WEIR_FRAME_BAD;
    segment->source_port = (uint16_t)number16(w->at);
    segment->destination_port = (uint16_t)number16(w->at + 2);
    segment->seq = number32(w->at + 4);
    segment->ack = number32(w->at + 8);
    segment->flags = w->at[13] & (WEIR_TCP_FIN | WEIR_TCP_SYN | WEIR_TCP_RST | WEIR_TCP_PSH |
                                  WEIR_TCP_ACK);
    skip(w, header); /* options are not looked at, and need not be captured */
    segment->payload = (struct weir_slice){(const char *)w->at, w->captured};
    segment->payload_len = (uint32_t)w->wire;
    return WEIR_FRAME_SEGMENT;
}

/* Written in two halves, as the flow table reads it: a processor that reads across smaller pieces
 * just written waits for them. */
static inline void set_mapped(struct weir_address *address, const uint8_t octet[static 4])
{
    uint64_t first = 0, second = htobe64(UINT64_C(0xffff) << 32 | number32(octet));
    memcpy(address->octet, &first, sizeof(first));
    memcpy(address->octet + sizeof(first), &second, sizeof(second));
}

/* RFC 791 3.1.  A total length of 0 is what senders write that leave cutting to the network
 * card: then it is as long as what was sent. */
static inline enum weir_frame read_ip4(struct window *w, struct weir_segment *segment)
{
    enum weir_frame frame = has(w, IP4_HEADER);
    if (frame != WEIR_FRAME_SEGMENT)
        return frame;
    size_t header = (size_t)(w->at[0] & 15) * 4, total = number16(w->at + 2);
    if (total == 0)
        total = w->wire;
    if (w->at[0] >> 4 != 4 || header < IP4_HEADER || total < header || total > w->wire)
        return WEIR_FRAME_BAD;
    if (w->at[9] != NEXT_TCP)
        return WEIR_FRAME_OTHER;
    unsigned fragment = number16(w->at + 6);
    if (fragment & 0x1fff)
        return WEIR_FRAME_FRAGMENT;
    segment->fragment = (fragment & 0x2000) != 0;
    set_mapped(&segment->source, w->at + 12);
    set_mapped(&segment->destination, w->at + 16);
    shorten(w, total);
    skip(w, header);
    return read_tcp(w, segment);
}

/* How long an extension header is; 0: next is none, or none that can be stepped over. */
static size_t extension_len(unsigned next, unsigned units)
{
    switch (next) {
    case NEXT_FRAGMENT:
        return 8;
    case NEXT_AUTHENTICATION:
        return (units + 2) * (size_t)4; /* RFC 4302 2.2 */
    case NEXT_HOP_BY_HOP:
    case NEXT_ROUTING:
    case NEXT_OPTIONS:
    case NEXT_MOBILITY:
    case NEXT_HIP:
    case NEXT_SHIM6:
        return (units + 1) * (size_t)8; /* RFC 8200 4.2 */
    default:
        return 0;
    }
}

/* Steps over extension headers up to TCP's. */
static enum weir_frame read_extensions(struct window *w, unsigned next,
                                       struct weir_segment *segment)
{
    for (int i = 0; next != NEXT_TCP; i++) {
        if (i == WEIR_IP6_HEADERS_MAX || extension_len(next, 0) == 0)
            return WEIR_FRAME_OTHER;
        enum weir_frame frame = has(w, 8);
        if (frame != WEIR_FRAME_SEGMENT)
            return frame;
        size_t len = extension_len(next, w->at[1]);
        if (len > w->wire)
            return WEIR_FRAME_BAD;
        if (next == NEXT_FRAGMENT) {
            if (number16(w->at + 2) & 0xfff8)
                return WEIR_FRAME_FRAGMENT;
            segment->fragment |= (w->at[3] & 1) != 0;
        }
        next = w->at[0];
        skip(w, len);
    }
    return read_tcp(w, segment);
}

/* RFC 8200 3.  A payload length of 0 is a jumbogram's (RFC 2675), or again a sender's that
 * leaves cutting to the card.  Mapped IPv4 addresses do not belong on the wire: they would be
 * taken for somebody else's. */
static enum weir_frame read_ip6(struct window *w, struct weir_segment *segment)
{
    enum weir_frame frame = has(w, IP6_HEADER);
    if (frame != WEIR_FRAME_SEGMENT)
        return frame;
    size_t len = number16(w->at + 4);
    if (len == 0)
        len = w->wire - IP6_HEADER;
    if (w->at[0] >> 4 != 6 || len > w->wire - IP6_HEADER)
        return WEIR_FRAME_BAD;
    unsigned next = w->at[6];
    memcpy(segment->source.octet, w->at + 8, 16);
    memcpy(segment->destination.octet, w->at + 24, 16);
    if (weir_address_is_ipv4(&segment->source) || weir_address_is_ipv4(&segment->destination))
        return WEIR_FRAME_BAD;
    skip(w, IP6_HEADER);
    shorten(w, len);
    return read_extensions(w, next, segment);
}

/* What stands behind an EtherType; VLAN tags have another one behind them. */
static inline enum weir_frame read_typed(struct window *w, unsigned type,
                                         struct weir_segment *segment)
{
    for (int tags = 0; type == TYPE_VLAN || type == TYPE_QINQ || type == TYPE_QINQ_OLD; tags++) {
        if (tags == WEIR_VLAN_TAGS_MAX)
            return WEIR_FRAME_OTHER;
        enum weir_frame frame = has(w, 4);
        if (frame != WEIR_FRAME_SEGMENT)
            return frame;
        type = number16(w->at + 2);
        skip(w, 4);
    }
    if (type == TYPE_IP4)
        return read_ip4(w, segment);
    return type == TYPE_IP6 ? read_ip6(w, segment) : WEIR_FRAME_OTHER;
}

static enum weir_frame read_raw(struct window *w, struct weir_segment *segment)
{
    enum weir_frame frame = has(w, 1);
    if (frame != WEIR_FRAME_SEGMENT)
        return frame;
    if (w->at[0] >> 4 == 4)
        return read_ip4(w, segment);
    return w->at[0] >> 4 == 6 ? read_ip6(w, segment) : WEIR_FRAME_OTHER;
}

/* The family is the capturing system's number for it, in its octet order or the network's. */
static enum weir_frame read_family(struct window *w, struct weir_segment *segment)
{
    enum { FAMILY_IP4 = 2, FAMILY_LINUX = 10, FAMILY_BSD = 24, FAMILY_FREEBSD = 28,
           FAMILY_DARWIN = 30 };
    uint32_t family = number32(w->at);
    if (family > 0xffff)
        family = __builtin_bswap32(family);
    skip(w, 4);
    switch (family) {
    case FAMILY_IP4:
        return read_ip4(w, segment);
    case FAMILY_LINUX:
    case FAMILY_BSD:
    case FAMILY_FREEBSD:
    case FAMILY_DARWIN:
        return read_ip6(w, segment);
    default:
        return WEIR_FRAME_OTHER;
    }
}

/* A link header of len octets with an EtherType at type_at. */
static inline enum weir_frame read_link(struct window *w, size_t len, size_t type_at,
                                 struct weir_segment *segment)
{
    enum weir_frame frame = has(w, len);
    if (frame != WEIR_FRAME_SEGMENT)
        return frame;
    unsigned type = number16(w->at + type_at);
    skip(w, len);
    return read_typed(w, type, segment);
}

/* What cooked captures say of a packet's way.  The loopback's are heard as they come in only, and
 * are this host's. */
static inline void read_way(const uint8_t *type, const uint8_t *interface,
                            struct weir_segment *segment)
{
    segment->outgoing = *type == OUTGOING;
    segment->incoming = *type != OUTGOING && number16(interface) != LOOPBACK;
}

static enum weir_frame read_loopback(struct window *w, struct weir_segment *segment)
{
    enum weir_frame frame = has(w, 4);
    return frame == WEIR_FRAME_SEGMENT ? read_family(w, segment) : frame;
}

enum weir_frame weir_frame_read(enum weir_link link, const uint8_t *octets, size_t captured,
                                size_t wire, struct weir_segment *segment_r)
{
    struct window w = {octets, captured, wire < captured ? captured : wire};
    if (w.wire > UINT32_MAX)
        return WEIR_FRAME_BAD;
    segment_r->fragment = segment_r->outgoing = segment_r->incoming = false;
    segment_r->card = NULL;
    switch (link) {
    case WEIR_LINK_ETHERNET:
        segment_r->card = captured >= 14 ? octets + 6 : NULL;
        return read_link(&w, 14, 12, segment_r);
    case WEIR_LINK_LOOPBACK:
        return read_loopback(&w, segment_r);
    case WEIR_LINK_RAW:
        return read_raw(&w, segment_r);
    case WEIR_LINK_COOKED:
        if (captured >= 16)
            read_way(octets + 1, octets + 2, segment_r);
        return read_link(&w, 16, 14, segment_r);
    case WEIR_LINK_COOKED2:
        if (captured >= 20)
            read_way(octets + 10, octets + 8, segment_r);
        return read_link(&w, 20, 0, segment_r);
    }
    return WEIR_FRAME_OTHER;
}

int weir_frame_link(int dlt, enum weir_link *link_r)
{
    static const struct {
        int dlt;
        enum weir_link link;
    } known[] = {
        {0, WEIR_LINK_LOOPBACK},   {108, WEIR_LINK_LOOPBACK}, /* DLT_NULL, DLT_LOOP */
        {1, WEIR_LINK_ETHERNET},   {12, WEIR_LINK_RAW},       /* DLT_EN10MB, DLT_RAW ... */
        {14, WEIR_LINK_RAW},       {101, WEIR_LINK_RAW},      /* ... as others number it */
        {228, WEIR_LINK_RAW},      {229, WEIR_LINK_RAW},      /* DLT_IPV4, DLT_IPV6 */
        {113, WEIR_LINK_COOKED},   {276, WEIR_LINK_COOKED2},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i].dlt == dlt) {
            *link_r = known[i].link;
            return 1;
        }
    }
    return 0;
}

const char *weir_frame_name(enum weir_frame frame)
{
    static const char *const name[WEIR_FRAMES] = {"segment", "fragment", "other", "cut", "bad"};
    return (unsigned)frame < WEIR_FRAMES ? name[frame] : "?";
}
