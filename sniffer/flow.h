/*
 * flow - TCP connections to the watched ports, and their octets in order.
 *
 * A connection is made only by payload from a server's port that a greeting, a TLS record or a
 * reply can begin with: a spoofed source cannot bring a server to send that, so that floods of
 * SYNs cost no memory and blame nobody.  Handshakes, and what clients say before the server
 * does (a PROXY header, a hello of TLS, an EHLO that could not wait), are kept for a moment in
 * two tables of fixed size; trusted proxies keep their places there when others come.
 *
 * What a server says can be made up, too: anybody can send from his own port 25, or from
 * another's address.  So a connection is proven only when both sides took part: a handshake with
 * SYN and answer was seen, or the client acknowledges what the server said, where the server
 * expects it to, or this machine's own kernel sent what the server said.  Until then it is
 * nobody's: it has a short queue of its own and little patience, and takes no other's place.
 * Segments from this machine's own addresses that came in from outside are no part of any: its
 * kernel drops them, too.
 *
 * A connection that this host translates on its way (DNAT to a container) is seen once more behind
 * the translation by who listens at all interfaces; it is told once, as that of the client that
 * is not of this machine.  Where both ports are watched, nobody is the server by his own word
 * alone (flow_role.c).
 *
 * Both directions are put in order by sequence number, and against each other by
 * acknowledgements: a reply that acknowledges octets of the client which were not yet seen waits
 * for them, and a command for the reply it acknowledges.  Waiting is bounded in octets, segments
 * and time, for one connection and for all; then the hole is handed on as a gap and all goes on
 * behind it.  Who is believed: the server, since the client may be a spammer who sends what
 * the server drops.  So octets of the client are missing only if the server acknowledged
 * them, and octets of the server only if the server sent some behind them.  A RST or FIN, whose
 * ever, ends nothing as long as the server goes on talking: the receiver may have dropped it.
 *
 * Of a client's octets the beginnings of the last runs are remembered.  What is sent again, or
 * overlaps what waits, and has other octets there, was forged, or what it contradicts was: no TCP
 * does that (RFC 9293 3.4), but a client whose segments reach the listener and not the server
 * can show it anything.  What came first is handed on all the same, and that it was contradicted is
 * told.  Checksums do not tell which of the two is true: they are not there yet, or no longer,
 * where network cards or the kernel cut and join segments.
 *
 *     handler.opened     once, before anything else of a connection
 *     handler.octets     in order; a gap before them is told first
 *     handler.gap        so many octets of one side were not captured
 *     handler.forged     so many octets of the client contradict what was handed on, or will be;
 *                        none: it answered a SYN of its own, to be taken for the server
 *     handler.closed     once, with how it ended; the session pointer is the handler's to free
 *
 * Owner:    the caller owns the table; it owns connections and what they keep.  Octets live
 *           during the call.  Handlers must not call back into the table.  Threads: one.
 * Limits:   WEIR_FLOWS_*, WEIR_FLOW_*; a connection that finds no room takes the place of the
 *           one that was silent for longest (ended WEIR_FLOW_EVICTED), of those not proven first.
 *           Keyed hash.
 * Errors:   weir_flows_new() only: WEIR_ENOMEM, WEIR_EINVAL (no port, too many of something).
 *           Later lack of memory costs connections or octets, counted.
 */
#ifndef WEIR_SNIFFER_FLOW_H
#define WEIR_SNIFFER_FLOW_H

#include "core/base/clock.h"
#include "core/base/keyed_hash.h"
#include "sniffer/frame.h"
#include "sniffer/own.h"

enum weir_side { WEIR_SIDE_CLIENT, WEIR_SIDE_SERVER };

enum weir_flow_end {
    WEIR_FLOW_FINISHED, /* both sides, or one and then silence */
    WEIR_FLOW_RESET,    /* a RST, and then silence or the server's FIN before */
    WEIR_FLOW_IDLE,     /* silent for the timeout */
    WEIR_FLOW_REPLACED, /* the same ports were used anew */
    WEIR_FLOW_EVICTED,
    WEIR_FLOW_CUT,      /* the capture ended first */
    WEIR_FLOW_ENDS
};

/* "finished", "reset", "idle", "replaced", "evicted", "cut". */
const char *weir_flow_end_name(enum weir_flow_end end);

/* What may be known of a connection while it is open; read only but for session. */
struct weir_flow {
    struct weir_address client, server;
    uint16_t client_port, server_port;
    weir_time first, last;      /* times of frames */
    bool midstream;             /* its beginning was not seen (or the handshake forgotten) */
    uint32_t gaps;              /* holes in either side ... */
    uint64_t gap_octets;
    uint64_t octets[2];         /* by side, handed on */
    uint32_t forged;            /* segments of the client that contradicted others */
    bool seen[2];               /* whether this side was seen at all; not by a lone ACK */
    bool proven;                /* that both took part; see above */
    void *session;              /* the handler's */
};

struct weir_flow_handler {
    void *context;
    void (*opened)(void *context, struct weir_flow *flow);
    void (*octets)(void *context, struct weir_flow *flow, enum weir_side side,
                   struct weir_slice octets);
    void (*gap)(void *context, struct weir_flow *flow, enum weir_side side, uint64_t len);
    void (*closed)(void *context, struct weir_flow *flow, enum weir_flow_end end);
    /* A SYN to a watched port, not a retransmission as far as is known. */
    void (*syn)(void *context, weir_time time, const struct weir_address *client);
    /* Or NULL. */
    void (*forged)(void *context, struct weir_flow *flow, uint64_t len);
    /* Or NULL: one whose beginning was seen is a copy of another, and is not opened. */
    void (*copied)(void *context, const struct weir_flow *flow);
};

struct weir_flows_options {
    const uint16_t *ports;      /* of servers; copied */
    size_t port_count;          /* 1..WEIR_SNIFFER_PORTS_MAX */
    const struct weir_prefix *proxies; /* whose PROXY headers are waited for; copied */
    size_t proxy_count;
    bool one_sided;             /* captures may be: all connections are taken for proven */
    const struct weir_own *own; /* or NULL; the machine's addresses, now.  Not owned */
    size_t flows_most;          /* connections at once; 0: WEIR_FLOWS_MAX */
    weir_time idle;             /* 0: ten minutes */
    struct weir_hash_key key;
};

struct weir_flows_counts {
    uint64_t segments;          /* to or from a watched port */
    uint64_t syns, syns_again;  /* bare SYNs, and retransmitted ones */
    uint64_t opened, midstream, closed, evicted;
    uint64_t unanswered;        /* client payload to which no connection belongs */
    uint64_t retransmitted, reordered, held, gaps;
    uint64_t forged;            /* segments that contradicted others */
    uint64_t foreign;           /* segments in this machine's name that came in from outside */
    uint64_t copies;            /* connections seen twice */
    uint64_t unremembered;      /* connections whose octets there was no room to remember */
    uint64_t astray;            /* sequence numbers far from the connection's, or a RST's */
    uint64_t discarded;         /* segments for which there was no room to wait */
    uint64_t no_memory;
    size_t open;                /* now, ... */
    size_t unproven;            /* ... and of them not proven */
    size_t octets_kept;         /* now, of segments that wait */
    size_t remembered;          /* now, connections of which octets are remembered */
};

struct weir_flows;

/* 0, or an error.  The table holds a good MB from the beginning. */
int weir_flows_new(const struct weir_flows_options *options,
                   const struct weir_flow_handler *handler, struct weir_flows **flows_r);

/* Ends all connections first; NULL is accepted. */
void weir_flows_free(struct weir_flows **flows);

/* Takes one segment, captured at time.  Times may go backwards a little; the latest seen
 * counts for timeouts. */
void weir_flows_take(struct weir_flows *flows, weir_time time, const struct weir_segment *segment);

/* Ends what is silent for too long, and waits that are over.  weir_flows_take() does it by the
 * capture's time; live it is to be called about once a second, too, when nothing arrives. */
void weir_flows_tick(struct weir_flows *flows, weir_time now);

/* Ends all connections: the capture is over. */
void weir_flows_finish(struct weir_flows *flows);

const struct weir_flows_counts *weir_flows_counts(const struct weir_flows *flows);

#endif
