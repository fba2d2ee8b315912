/*
 * session - from frames to what is counted: a dialogue for each connection, told when something
 * came to its end, and charged to an address in a tally.
 *
 *     frame -> segment (frame.h) -> connection (flow.h) -> dialogue (dialogue.h) -> told, charged
 *
 * Charged, each as soon as it is certain:
 *     a connection   when the server spoke; from a trusted proxy not before the proxy or the
 *                    client told whose it is (and again when XCLIENT tells another one), or
 *                    did a message.  Health checks of proxies never.
 *     a message      with its recipients, when its final reply came or it was given up
 *     a SYN          when it came; taken back when a connection came of it
 * to the client as known then: that of PROXY or XCLIENT if a trusted proxy speaks.
 * Nothing is charged once XCLIENT tells that the client is not known, nor of connections of which
 * only one side was heard (flow.h: not proven), nor to the machine's own addresses: what they do is
 * mail that goes out.
 *
 * Replies heard in the clear calibrate the estimates of later connections to the same server, and
 * so do those inside TLS that plug-ins of this host logged a message for (witness.h); not those to
 * mail that goes out.
 *
 * Owner:    the caller owns sessions and tally (which has to live longer).  What is handed to
 *           the handler lives during the call.  Threads: one.
 * Errors:   weir_sessions_new() only, those of weir_flows_new().  A connection for which memory
 *           is short is not heard, and counted.
 * Limits:   as many dialogues as connections (flow.h), each below 2 KiB without names.
 */
#ifndef WEIR_SNIFFER_SESSION_H
#define WEIR_SNIFFER_SESSION_H

#include "sniffer/dialogue.h"
#include "sniffer/calibration.h"
#include "sniffer/own.h"
#include "sniffer/tally.h"
#include "sniffer/witness.h"

struct weir_sessions_options {
    const uint16_t *ports;      /* as for flow.h */
    size_t port_count;
    const struct weir_prefix *proxies; /* whose PROXY headers and XCLIENT are believed; copied */
    size_t proxy_count;
    bool name_addresses;        /* tell senders and recipients of messages */
    bool charge_midstream;      /* also connections without handshake or greeting; not live, where
                                 * a restart would charge all connections there are at once */
    bool one_sided;             /* also connections of which one side only was heard; not live,
                                 * where anybody could make them up */
    size_t flows_most;          /* 0: WEIR_FLOWS_MAX */
    const struct weir_own *own; /* or NULL; the machine's addresses, now.  Not owned */
    bool charge_own;            /* charge those, too */
    struct weir_witnesses *witnesses; /* or NULL; told of what is heard, and asked.  Not owned */
    struct weir_calibration *calibration; /* NULL: one of its own.  Not owned */
    struct weir_hash_key key;
};

struct weir_sessions_handler {
    void *context;
    /* Either may be NULL. */
    void (*message)(void *context, const struct weir_flow *flow, const struct weir_heard *heard,
                    const struct weir_heard_message *message);
    void (*connection)(void *context, const struct weir_flow *flow,
                       const struct weir_heard *heard, enum weir_flow_end end);
};

struct weir_sessions_counts {
    uint64_t frames[WEIR_FRAMES]; /* by what they were */
    uint64_t unheard;             /* connections for which memory was short */
    uint64_t witnessed;           /* messages of plug-ins that were found inside TLS */
    uint64_t odd;                 /* replies that cannot be to what clients seemed to say */
    uint64_t unproven;            /* connections of which only the server was heard */
};

struct weir_sessions;

/* 0 or an error. */
int weir_sessions_new(const struct weir_sessions_options *options,
                      const struct weir_sessions_handler *handler, struct weir_tally *tally,
                      struct weir_sessions **sessions_r);

/* Ends all connections first; NULL is accepted. */
void weir_sessions_free(struct weir_sessions **sessions);

/* Takes a frame; a weir_capture_frame (capture_io.h). */
void weir_sessions_frame(void *sessions, weir_time time, enum weir_link link,
                         const uint8_t *octets, size_t captured, size_t wire);

/* About once a second, also when nothing arrives (flow.h): so messages inside TLS count within two
 * seconds, although the client says nothing more. */
void weir_sessions_tick(struct weir_sessions *sessions, weir_time now);

/* Ends all connections: the capture is over. */
void weir_sessions_finish(struct weir_sessions *sessions);

/* Charges the machine's own addresses, or no more, from now on. */
void weir_sessions_charge_own(struct weir_sessions *sessions, bool charge);

/* Connections of which only one side was heard, whichever. */
uint64_t weir_sessions_unproven(const struct weir_sessions *sessions);

const struct weir_sessions_counts *weir_sessions_counts(const struct weir_sessions *sessions);
const struct weir_flows_counts *weir_sessions_flows(const struct weir_sessions *sessions);

#endif
