/*
 * dialogue - one SMTP connection heard from outside: which messages, and what became of them.
 *
 * Fed with both sides' octets in order (flow.h), it follows commands and replies: pipelining
 * (RFC 2920), DATA with its dot, BDAT (RFC 3030), RSET, HELO and EHLO in between, AUTH with its
 * lines, XCLIENT, STARTTLS, a PROXY header in front.  Each command waits in a queue for its
 * reply; the reply to the dot or to BDAT LAST says what became of the message.  So a message counts
 * when the server took or refused it, however often the client pretends.
 *
 *     accepted    2xx to the dot or to BDAT LAST
 *     rejected    4xx or 5xx to it; or to DATA or a chunk, after a recipient was accepted, when
 *                 the mail then ends without a final reply (RSET, EHLO, QUIT, MAIL, the end)
 *     unfinished  MAIL was accepted, and none of that came: given up, 421 within the body, all
 *                 recipients refused (they are counted themselves), a gap where the reply was
 *
 * MAIL refused begins no message; MAIL accepted within a mail begins another.  354 begins one
 * whatever was heard before: a server says it to DATA only.  A client that goes on behind DATA
 * before the reply is heard both ways until the reply tells body from commands.  BDAT whose
 * size is none brings no chunk.  A dot ended by less than CR LF ends a body if the server says so:
 * what was smuggled behind it counts as the server counts it, without its names.
 *
 * After STARTTLS, or when the first octets are a TLS record, only lengths are to be seen: then
 * messages are estimated (tls_estimate.h), each told with estimate set, no names, one recipient.
 *
 * A client may send segments that its server drops and a listener takes: commands that were never
 * heard, in the place of others.  So the server has the last word.  Where what it replies cannot
 * answer what the client seems to have said (odd: 250 to DATA, to QUIT, to STARTTLS, to a chunk
 * that is not over, to nothing; 354 to anything but the DATA in front; replies in the clear where
 * TLS was granted), or where segments contradict each other (forged, told by
 * weir_dialogue_forged()), the client is doubted from then on: what waits is put in step again at
 * its next turn, and the server's words count by themselves (dialogue_word.h): "queued" is a
 * message accepted, whatever it seems to answer, 2.1.5 a recipient, and no message is accepted
 * for fewer than one.
 *
 * A gap within a body or chunk costs nothing but its octets.  After any other the queue is out
 * of step: commands behind it are not queued until the client speaks again after a reply, and
 * then no BDAT LAST is believed to be accepted (it is unfinished) until one turn came out even,
 * as many replies as commands; 354 is believed at once, and so are "queued" and 2.1.5: who sends a
 * mail in fragments hides it from us only.  A gap of the server where the final reply should be
 * leaves the message unfinished, but if its code was seen, or its dot was not sent yet.  Never are
 * more messages accepted than were.  If only the server was heard, 354 followed by a final reply is
 * a message, and so is "queued"; if only the client was, there is none.
 *
 * Owner:    the caller owns it; texts handed to the handler live during the call.  Threads: one
 *           dialogue, one thread.
 * Errors:   weir_dialogue_new(): NULL when memory is short.  Never fails later; what is not SMTP
 *           ends in a dialogue that hears nothing more (lost, told by weir_dialogue_heard()).
 * Limits:   WEIR_DIALOGUE_LINE_MAX octets of a command's line are looked at, and
 *           WEIR_DIALOGUE_REPLY_KEPT of a reply's; WEIR_DIALOGUE_QUEUE_MAX runs of commands wait
 *           for replies, WEIR_DIALOGUE_RECIPIENTS_MAX recipients are named (all are counted)
 *           within WEIR_DIALOGUE_NAMES_MAX octets, WEIR_MAILBOX_MAX octets of an address.  More
 *           than WEIR_DIALOGUE_ODD_MAX lines of a server that are no replies are no SMTP: lost.
 *           Linear time; memory of a dialogue that names nobody is below 2 KiB.
 */
#ifndef WEIR_SNIFFER_DIALOGUE_H
#define WEIR_SNIFFER_DIALOGUE_H

#include "core/base/address.h"
#include "core/base/clock.h"
#include "sniffer/flow.h"

enum weir_heard_result { WEIR_HEARD_ACCEPTED, WEIR_HEARD_REJECTED, WEIR_HEARD_UNFINISHED };

/* "accepted", "rejected", "unfinished". */
const char *weir_heard_result_name(enum weir_heard_result result);

/* A mail transaction that was begun (MAIL accepted, or its body). */
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
    bool gap;                   /* octets were missing while it was heard, or before it and the
                                 * queue was not in step again; or the client was doubted */
};

/* The connection as a whole, at its end or before. */
struct weir_heard {
    struct weir_address client; /* as told by PROXY or XCLIENT, else the connection's */
    uint16_t client_port;
    bool proxied;               /* the client is one a trusted PROXY header or XCLIENT told */
    bool unknown;               /* a trusted XCLIENT told that the client is not known */
    bool greeted;               /* 220 seen */
    bool starttls;              /* asked for and granted */
    bool tls;                   /* TLS seen, by STARTTLS or from the first octet */
    bool authenticated;         /* 235 seen */
    bool lost;                  /* not SMTP, or no longer followed */
    bool gap;
    bool health_check;          /* PROXY ... LOCAL or UNKNOWN: no client at all */
    unsigned odd;               /* times that the server's word was none to the client's, or that
                                 * more commands came at once than can wait for replies */
    unsigned forged;            /* segments of the client that contradicted others */
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
    /* Or NULL.  Inside TLS the server begins to answer what may be a body, by a record with so many
     * octets of plaintext; or, in the clear, the server answered one (0).  At weir_dialogue_octets'
     * time. */
    void (*answer)(void *context, const struct weir_heard *heard, unsigned reply);
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

/* Copies both; NULL when memory is short. */
struct weir_dialogue *weir_dialogue_new(const struct weir_dialogue_options *options,
                                        const struct weir_dialogue_handler *handler);
void weir_dialogue_free(struct weir_dialogue **dialogue);

/* The next octets of a side, or how many of them are missing. */
void weir_dialogue_octets(struct weir_dialogue *dialogue, weir_time time, enum weir_side side,
                          struct weir_slice octets);
void weir_dialogue_gap(struct weir_dialogue *dialogue, weir_time time, enum weir_side side,
                       uint64_t len);

/* The client said so many octets again, and not as before: what the server got is not known. */
void weir_dialogue_forged(struct weir_dialogue *dialogue, weir_time time, uint64_t len);

/* Nobody said anything for a while: what the server said last is all it will say. */
void weir_dialogue_settle(struct weir_dialogue *dialogue, weir_time time);

/* The connection is over: a message at hand is told as unfinished. */
void weir_dialogue_end(struct weir_dialogue *dialogue, weir_time time);

const struct weir_heard *weir_dialogue_heard(const struct weir_dialogue *dialogue);

/* Lengths of plaintext of final replies to bodies heard in the clear: what estimates of the
 * same server are calibrated with.  Returns how many were heard; the shortest and longest. */
unsigned weir_dialogue_queued(const struct weir_dialogue *dialogue, unsigned *least_r,
                              unsigned *most_r);

#endif
