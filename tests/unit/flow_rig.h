/*
 * flow_rig - a flow table whose events are written down, and segments by hand.
 *
 * Each connection's octets are collected in the places where they belong; what was told as a
 * gap is marked as such.  Text events ("opened", "C:EHLO", "gap S 5") are for small stories.
 */
#ifndef WEIR_TESTS_FLOW_RIG_H
#define WEIR_TESTS_FLOW_RIG_H

#include "sniffer/flow.h"

static const enum weir_side C = WEIR_SIDE_CLIENT, S = WEIR_SIDE_SERVER;

/* One of the table's counts. */
#define COUNT(rig, what) weir_flows_counts((rig)->flows)->what

#define RIG_LOG 65536
#define RIG_STREAM (4u << 20)

struct rig_stream {
    uint8_t *octet;        /* RIG_STREAM of each */
    uint8_t *known;
    uint64_t at;           /* next place */
};

struct rig {
    struct weir_flows *flows;
    struct weir_own own;   /* nobody, until a test says so */
    weir_time now;
    char log[RIG_LOG];     /* events, blank-separated; octets as C:... and S:... */
    size_t log_len;
    bool keep_streams;
    struct rig_stream stream[2];
    unsigned opened, closed, syns;
    enum weir_flow_end end;
    struct weir_flow last; /* as it was when closed */
    uint64_t order_broken; /* set by check, if there is one */
    void (*check)(struct rig *rig, const struct weir_flow *flow, enum weir_side side);
    void *check_context;
};

/* A table for ports 25 and 465 with proxies in 10.9.0.0/16. */
struct rig *rig_new(size_t flows_most, bool keep_streams);
/* The same, to which captures are not one-sided. */
struct rig *rig_new_live(size_t flows_most);
void rig_free(struct rig **rig);

/* The log since the last call. */
const char *rig_log(struct rig *rig);

/* A segment between 192.0.2.1:40000 and 198.51.100.9:25, a millisecond later than the last one.
 * flags without ACK get it, unless SYN stands alone. */
struct weir_segment rig_segment(enum weir_side side, uint32_t seq, uint32_t ack, unsigned flags,
                                const char *payload);
void rig_take(struct rig *rig, const struct weir_segment *segment);
void rig_send(struct rig *rig, enum weir_side side, uint32_t seq, uint32_t ack,
              const char *payload);
void rig_mark(struct rig *rig, enum weir_side side, uint32_t seq, uint32_t ack, unsigned flags);

/* SYN, SYN-ACK, and "220 hi\r\n": the client is then at 1001, the server at 5009. */
void rig_greet(struct rig *rig);

/* A new table for many connections with one that was greeted; the log is empty. */
struct rig *rig_greeted(void);

#endif
