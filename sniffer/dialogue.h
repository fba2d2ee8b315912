/*
 * dialogue - one SMTP connection heard from outside: which messages, and what became of them.
 *
 * Fed with both sides' octets in order (flow.h), it follows commands and replies: pipelining
 * (RFC 2920), DATA with its dot, BDAT (RFC 3030), RSET, HELO and EHLO in between, AUTH with its
 * lines, XCLIENT, STARTTLS, a PROXY header in front.  Each command waits in a queue for its
 * reply; the reply to the dot or to BDAT LAST says what became of the message.  So a message counts
 * when the server took or refused it, however often the client pretends.
 *
 * After STARTTLS, or when the first octets are a TLS record, only lengths are to be seen: then
 * messages are estimated (tls_estimate.h), each told as source = estimate.
 *
 * After a gap the queue can no longer be trusted: it is emptied, the message at hand is told as
 * unfinished unless its final reply is still seen, and the dialogue finds its way again at 354 or
 * at the next command and reply; told by flag gap.  If only the server was heard, 354 followed by
 * a final reply is a message; if only the client was, nothing is ever accepted.
 *
 * Owner:    the caller owns it; texts handed to the handler live during the call.  Threads: one
 *           dialogue, one thread.
 * Errors:   weir_dialogue_new(): NULL when memory is short.  Never fails later; what is not SMTP
 *           ends in a dialogue that hears nothing more (state "lost", counted by the caller
 *           through weir_dialogue_summary()).
 * Limits:   WEIR_DIALOGUE_LINE_MAX octets of a line are looked at, WEIR_DIALOGUE_QUEUE_MAX commands
 *           wait for replies, WEIR_DIALOGUE_RECIPIENTS_MAX recipients are named (all are counted),
 *           WEIR_MAILBOX_MAX octets of an address.  Linear time; memory of a dialogue that names
 *           nobody is below 2 KiB.
 */
#ifndef WEIR_SNIFFER_DIALOGUE_H
#define WEIR_SNIFFER_DIALOGUE_H

#include "core/base/address.h"
#include "core/base/clock.h"
#include "sniffer/flow.h"

enum weir_heard_result { WEIR_HEARD_ACCEPTED, WEIR_HEARD_REJECTED, WEIR_HEARD_UNFINISHED };

/* "accepted", "rejected", "unfinished". */
const char *weir_heard_result_name(enum weir_heard_result result);

/* A mail transaction that was begun (MAIL accepted, or a body seen). */
struct weir_heard_message {
    unsigned index;             /* in its connection, from 0 */
    weir_time begun, ended;
    struct weir_slice mail_from; /* without < >; empty: the null sender, or not known */
    bool mail_from_known;
    const struct weir_slice *rcpt_to; /* all that were named, accepted or not */
    size_t rcpt_tos;
    unsigned recipients_accepted, recipients_rejected;
    enum weir_heard_result result;
    unsigned reply;             /* code of the final reply; 0: not seen */
    uint64_t bytes;             /* of the body as far as known, dots and line ends as sent */
    bool estimate;              /* from lengths of TLS records */
    bool gap;                   /* octets were missing while it was heard */
};

/* The connection as a whole, at its end or before. */
struct weir_heard {
    struct weir_address client; /* as told by PROXY or XCLIENT, else the connection's */
    uint16_t client_port;
    bool proxied;               /* the client is one a trusted PROXY header or XCLIENT told */
    bool greeted;               /* 220 seen */
    bool starttls;              /* asked for and granted */
    bool tls;                   /* TLS seen, by STARTTLS or from the first octet */
    bool authenticated;         /* 235 seen */
    bool lost;                  /* not SMTP, or no longer followed */
    bool gap;
    bool health_check;          /* PROXY ... LOCAL or UNKNOWN: no client at all */
    unsigned messages;          /* begun */
    unsigned accepted, rejected, unfinished;
    unsigned recipients;        /* accepted by the server */
    unsigned recipients_rejected;
};

struct weir_dialogue_handler {
    void *context;
    /* A message came to its end. */
    void (*message)(void *context, const struct weir_heard *heard,
                    const struct weir_heard_message *message);
};

struct weir_dialogue_options {
    struct weir_address client, server;
    uint16_t client_port, server_port;
    bool trusted_proxy;         /* PROXY and XCLIENT of this client are believed */
    bool midstream;
    bool name_addresses;        /* keep mail_from and rcpt_to, for -r and analysts */
    /* The length of plaintext of a "250 queued" reply on this server, as calibrated; 0: the usual
     * bounds of tls_estimate.h. */
    unsigned queued_least, queued_most;
};

struct weir_dialogue;

struct weir_dialogue *weir_dialogue_new(const struct weir_dialogue_options *options,
                                        const struct weir_dialogue_handler *handler);
void weir_dialogue_free(struct weir_dialogue **dialogue);

void weir_dialogue_octets(struct weir_dialogue *dialogue, weir_time time, enum weir_side side,
                          struct weir_slice octets);
void weir_dialogue_gap(struct weir_dialogue *dialogue, weir_time time, enum weir_side side,
                       uint64_t len);

/* The connection is over: a message at hand is told as unfinished. */
void weir_dialogue_end(struct weir_dialogue *dialogue, weir_time time);

const struct weir_heard *weir_dialogue_heard(const struct weir_dialogue *dialogue);

/* Lengths of plaintext of final replies to bodies heard in the clear: what estimates of the
 * same server are calibrated with.  Returns how many were heard; the shortest and longest. */
unsigned weir_dialogue_queued(const struct weir_dialogue *dialogue, unsigned *least_r,
                              unsigned *most_r);

#endif
