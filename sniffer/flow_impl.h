/*
 * flow_impl - what the parts of the flow table share: connections, their waiting octets, the
 * tables of fixed size.
 *
 *     flow.c        takes segments: whose they are, beginnings and ends
 *     flow_table.c  connections by their ports and addresses, and who was silent for how long
 *     flow_order.c  octets in order, holes, waits
 *     flow_recent.c the octets of clients that were handed on last
 *     flow_early.c  handshakes, and what clients said before the server spoke
 *     flow_role.c   who is the server where both ports are watched
 *     flow_copy.c   connections that are seen twice
 */
#ifndef WEIR_SNIFFER_FLOW_IMPL_H
#define WEIR_SNIFFER_FLOW_IMPL_H

#include "core/base/limits.h"
#include "core/base/short_hash.h"
#include "sniffer/flow.h"

/* The two ends of a segment in the one order that both directions share: b is the watched port,
 * or the larger one if both are. */
struct weir_flow_pair {
    const struct weir_address *a, *b; /* the segment's */
    uint16_t a_port, b_port;
};

/* Octets that wait for those before them, or for what they acknowledge. */
struct weir_flow_piece {
    struct weir_flow_piece *next, *previous;
    weir_time since;        /* when it arrived, and as which segment of its connection */
    uint32_t number;
    uint32_t seq, len, ack;
    uint32_t from, have;    /* octets of len that were captured, and where they begin */
    char octets[];
};

struct weir_flow_side {
    uint32_t next;          /* what is to be handed on next */
    uint32_t acked;         /* the furthest the other end acknowledged */
    uint32_t fin_at;
    bool fin;               /* a FIN stands at fin_at */
    struct weir_flow_piece *head, *tail; /* by sequence number, none overlaps another */
};

/* The beginnings of runs of a client's octets that were handed on last. */
struct weir_flow_recent {
    char (*octets)[WEIR_FLOW_RUN]; /* of each run; NULL: nothing, or no room */
    uint8_t last;           /* the run at hand; the one behind it is the oldest */
    uint8_t len[WEIR_FLOW_RUNS];
    uint8_t long_len;       /* the last long segment; of a body, most likely */
    char long_octets[WEIR_FLOW_LONG];
    uint32_t long_seq, seq[WEIR_FLOW_RUNS];
};

/* Queues of connections, each in the order in which they were last heard (to the second). */
enum weir_flow_stage {
    WEIR_FLOW_OPEN,
    WEIR_FLOW_ENDING,       /* a FIN or RST was seen */
    WEIR_FLOW_UNPROVEN,     /* only one side was heard */
    WEIR_FLOW_OVER,         /* told as closed; kept so that stragglers do not open it again */
    WEIR_FLOW_COPY,         /* of another: nothing is told of it */
    WEIR_FLOW_STAGES
};

struct weir_flow_links {
    struct weir_connection *next, *previous;
};

struct weir_connection {
    struct weir_flow flow;  /* first: what the handler is shown */
    struct weir_flow_side side[2];
    struct weir_flow_recent recent; /* of the client */
    uint64_t hash;
    weir_time heard;        /* by the table's time, to the second */
    uint32_t segments, pieces, kept;
    uint32_t client_first;  /* sequence numbers of the first octets */
    uint32_t server_first;
    bool server_is_a;
    bool own[2];            /* whether this side is this machine, as it opened */
    bool reset;             /* by a RST, if the server says no more */
    bool copy;
    uint8_t stage;
    struct weir_connection *twin_next, **twin_at; /* in a list where copies look; NULL: in none */
    struct weir_flow_links queue, waiting;
};

struct weir_flow_queue {
    struct weir_connection *head, *tail;
};

struct weir_flow_place {
    uint64_t hash;
    struct weir_connection *connection; /* NULL: free */
};

/* A handshake that was seen. */
struct weir_flow_syn {
    uint64_t hash;
    uint32_t client_seq, server_seq; /* of the first octet */
    bool client, server;    /* which of them was seen */
    bool server_is_a;
    bool contradicted;      /* by an answer of the client's */
    bool refused;           /* by the client's RST */
};

/* A server to clients from ports that are not watched; port 0: none. */
struct weir_flow_served {
    struct weir_address address;
    uint16_t port;
};

enum weir_flow_role { WEIR_FLOW_SERVES, WEIR_FLOW_ASKS, WEIR_FLOW_EITHER };

/* What a client said before the server did. */
struct weir_flow_early {
    uint64_t hash;
    weir_time since;
    uint32_t seq, len;
    uint8_t rank;           /* of those that want the place */
    bool used;
    bool forged;            /* other octets came in their place */
    char octets[WEIR_FLOW_EARLY_MAX];
};

struct weir_flows {
    uint8_t watched[65536 / 8];
    weir_time now, next_tick;
    struct weir_flow_handler handler;
    struct weir_flows_counts counts;
    struct weir_short_key key;
    struct weir_connection *last; /* the one that was found last: often the next one, too */
    struct weir_flow_place *place;
    size_t places, filled, flows_most; /* places: a power of two */
    bool one_sided;
    weir_time patience[WEIR_FLOW_STAGES];
    struct weir_flow_queue queue[WEIR_FLOW_STAGES], waiting;
    struct weir_flow_syn *syn;
    struct weir_flow_early *early;
    struct weir_flow_served *served;
    struct weir_connection **twins;
    const struct weir_own *own; /* or NULL */
    struct weir_prefix *proxy;
    size_t proxies;
};

/* A segment of a connection, without what only its beginning needs. */
struct weir_flow_input {
    enum weir_side side;
    uint32_t seq, ack, len;
    struct weir_slice payload; /* at most len octets of it */
    bool fin;
};

/* How far b lies behind a in sequence space, negative before it (RFC 9293 3.4). */
static inline int32_t weir_seq_distance(uint32_t a, uint32_t b)
{
    return (int32_t)(b - a);
}

static inline enum weir_side weir_side_other(enum weir_side side)
{
    return side == WEIR_SIDE_CLIENT ? WEIR_SIDE_SERVER : WEIR_SIDE_CLIENT;
}

/* flow_table.c: its places, 0 or WEIR_ENOMEM.  The connection of a pair, or NULL, and its hash;
 * adding one that is not there, cleared and in the queue of open or of unproven ones (NULL: no
 * memory); taking one out and freeing it. */
int weir_flow_table_new(struct weir_flows *flows);
struct weir_connection *weir_flow_find(struct weir_flows *flows,
                                       const struct weir_flow_pair *pair, uint64_t *hash_r);
struct weir_connection *weir_flow_add(struct weir_flows *flows, uint64_t hash, bool proven);
void weir_flow_forget(struct weir_flows *flows, struct weir_connection *connection);

/* It was heard: it goes to the end of a queue, its own or another. */
void weir_flow_queue_again(struct weir_flows *flows, struct weir_connection *connection,
                           enum weir_flow_stage stage);

/* It takes its place at the end of the queue of those who wait, if it has none, or leaves it. */
void weir_flow_wait(struct weir_flows *flows, struct weir_connection *connection, bool waits);

/* flow.c: tells the end; the connection is then over. */
void weir_flow_close(struct weir_flows *flows, struct weir_connection *connection,
                     enum weir_flow_end end);

/* flow_order.c: takes octets of a connection, and hands on what is in order; false when they
 * are astray.  Notes an ACK alone.  Hands on what time has come for.  Hands on all that waits,
 * whatever is missing.  Gives up the waits, but does not believe an unconfirmed client. */
bool weir_flow_order_take(struct weir_flows *flows, struct weir_connection *connection,
                          const struct weir_flow_input *input);
void weir_flow_order_ack(struct weir_flows *flows, struct weir_connection *connection,
                         enum weir_side side, uint32_t ack);
void weir_flow_order_tick(struct weir_flows *flows, struct weir_connection *connection);
void weir_flow_order_end(struct weir_flows *flows, struct weir_connection *connection);
void weir_flow_order_release(struct weir_flows *flows, struct weir_connection *connection);

/* A segment of the client says otherwise what was said. */
void weir_flow_tell_forged(struct weir_flows *flows, struct weir_connection *connection,
                           uint64_t len);

/* Whether all octets up to a side's FIN were handed on. */
bool weir_flow_side_ended(const struct weir_flow_side *side);

/* flow_recent.c: remembers octets that are handed on; whether others at a place contradict them;
 * forgets all. */
void weir_flow_recent_note(struct weir_flows *flows, struct weir_connection *connection,
                           uint32_t seq, struct weir_slice octets);
bool weir_flow_recent_differs(const struct weir_connection *connection, uint32_t seq,
                              struct weir_slice octets);
void weir_flow_recent_forget(struct weir_flows *flows, struct weir_connection *connection);

/* Whether two runs of octets have different ones at the same place. */
bool weir_flow_differ(uint32_t seq, struct weir_slice octets, uint32_t other_seq,
                      struct weir_slice other);

/* flow_early.c: notes a SYN (true: a new one) or a SYN-ACK; the handshake of a hash, or NULL. */
bool weir_flow_syn_note(struct weir_flows *flows, uint64_t hash, uint32_t seq, bool server_is_a);
void weir_flow_syn_answer(struct weir_flows *flows, uint64_t hash, uint32_t seq, uint32_t ack,
                          bool server_is_a);
const struct weir_flow_syn *weir_flow_syn_find(const struct weir_flows *flows, uint64_t hash);
/* A RST without a connection, perhaps of a client that knows of none. */
void weir_flow_syn_refuse(struct weir_flows *flows, uint64_t hash, uint32_t client_seq);
/* An answer to it that comes from the wrong side. */
void weir_flow_syn_contradict(struct weir_flows *flows, uint64_t hash);
/* A connection is over: one that goes on all the same, behind a long silence, is no new one. */
void weir_flow_syn_forget(struct weir_flows *flows, uint64_t hash, uint32_t client_seq);

/* Keeps what a client says before its server, where there is room; the place where it was kept,
 * or NULL: the caller clears its used. */
void weir_flow_early_keep(struct weir_flows *flows, uint64_t hash,
                          const struct weir_segment *segment, uint32_t seq);
struct weir_flow_early *weir_flow_early_find(struct weir_flows *flows, uint64_t hash);

/* flow_role.c: notes a server.  Whether an address is this machine's; whether its kernel sent a
 * segment; whether one from such an address came in from outside, for certain.  What the sender of
 * a segment between two watched ports is, as far as is known; syn or NULL. */
void weir_flow_serves(struct weir_flows *flows, const struct weir_address *address, uint16_t port);
bool weir_flow_is_own(const struct weir_flows *flows, const struct weir_address *address);
bool weir_flow_is_sent(const struct weir_flows *flows, const struct weir_segment *segment);
bool weir_flow_came_in(const struct weir_flows *flows, const struct weir_segment *segment);
enum weir_flow_role weir_flow_role(struct weir_flows *flows, const struct weir_segment *segment,
                                   const struct weir_flow_syn *syn, bool from_a);

/* flow_copy.c: whether a proven connection is a copy, and then goes to their queue; else it is
 * listed, perhaps in the place of another that is closed.  Takes one out of its list.  Notes
 * that a segment of a copy came. */
bool weir_flow_copy_is(struct weir_flows *flows, struct weir_connection *connection);
void weir_flow_copy_delist(struct weir_connection *connection);
void weir_flow_copy_take(struct weir_flows *flows, struct weir_connection *connection,
                         unsigned flags);

#endif
