/*
 * frame - from a captured frame to the TCP segment in it.
 *
 * Understands the link types of weir_frame_link(): Ethernet with any number of VLAN tags up to
 * WEIR_VLAN_TAGS_MAX, BSD loopback, raw IP, Linux cooked v1 and v2; IPv4 with options, IPv6 with
 * extension headers up to WEIR_IP6_HEADERS_MAX; the first fragment of a datagram (later ones have
 * no ports and are only counted).  Checksums are not looked at: captures on the sending host
 * have none yet.
 *
 * Owner:    slices point into the frame.  Threads: pure functions.
 * Errors:   never fail on hostile input; what cannot be read is told apart by the result.
 */
#ifndef WEIR_SNIFFER_FRAME_H
#define WEIR_SNIFFER_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/address.h"
#include "core/base/cursor.h"

enum weir_link {
    WEIR_LINK_ETHERNET,
    WEIR_LINK_LOOPBACK, /* DLT_NULL, DLT_LOOP: family in either byte order */
    WEIR_LINK_RAW,
    WEIR_LINK_COOKED,   /* DLT_LINUX_SLL */
    WEIR_LINK_COOKED2,  /* DLT_LINUX_SLL2: what the interface "any" gives */
};

/* What libpcap's DLT_ number means: 1, or 0 for one that is not understood. */
int weir_frame_link(int dlt, enum weir_link *link_r);

enum { WEIR_TCP_FIN = 1, WEIR_TCP_SYN = 2, WEIR_TCP_RST = 4, WEIR_TCP_PSH = 8, WEIR_TCP_ACK = 16 };

struct weir_segment {
    struct weir_address source, destination;
    uint16_t source_port, destination_port;
    uint32_t seq, ack;
    uint8_t flags;
    bool fragment;            /* the first of several: payload_len is what this one has */
    bool outgoing, incoming;  /* sent by this host, or come in from outside (not at the loopback),
                               * says the kernel; in cooked captures */
    const uint8_t *card;      /* hardware address of its sender, 6 octets, or NULL; in Ethernet's */
    struct weir_slice payload; /* as far as it was captured ... */
    uint32_t payload_len;      /* ... of what was on the wire: at least payload.len */
};

enum weir_frame {
    WEIR_FRAME_SEGMENT,
    WEIR_FRAME_FRAGMENT, /* a later one */
    WEIR_FRAME_OTHER,    /* no IP, or no TCP in it */
    WEIR_FRAME_CUT,      /* captured too short for its headers */
    WEIR_FRAME_BAD,      /* lengths that contradict each other */
    WEIR_FRAMES
};

/* "segment", "fragment", "other", "cut", "bad". */
const char *weir_frame_name(enum weir_frame frame);

/* Reads a frame of which captured octets are there and wire octets were sent; *segment_r holds
 * a segment only after WEIR_FRAME_SEGMENT, else anything. */
enum weir_frame weir_frame_read(enum weir_link link, const uint8_t *octets, size_t captured,
                                size_t wire, struct weir_segment *segment_r);

#endif
