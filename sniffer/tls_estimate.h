/*
 * tls_estimate - messages inside TLS, counted by the lengths of records.
 *
 * What the client sends as a body is long, and the server's answer to it is one short line of
 * nearly the same length each time ("250 2.0.0 Ok: queued as ..."): a turn of the client of
 * at least WEIR_TLS_BODY_LEAST octets of plaintext, then a turn of the server within the bounds of
 * a queued reply, is one accepted message.  Plaintext is a record's length less the cipher's
 * overhead, by the suite in the server's hello: 17 in TLS 1.3, 24 in TLS 1.2 with GCM.  The rule
 * was measured against Postfix, pipelined and not, with refused recipients: 366 of 366 messages.
 * An estimate none the less, and told as one.
 *
 *     client  EHLO 24   | MAIL 52, RCPT 40, DATA 6 |    | body 3120 |    | QUIT
 *     server      | 210 |         ...              | 65 |           | 37 |
 *
 * What has such lengths and is no message is told by what came before: the first turn is EHLO
 * (in TLS 1.3 with the end of the handshake in front), and since then, or since the message
 * before, there must have been an envelope of WEIR_TLS_ENVELOPE_LEAST octets, which
 * authentication has not.  Envelopes can be as long as short bodies, and be refused in as few words
 * (greylisting).  So a body shorter than WEIR_TLS_UNASKED_LEAST is one only if it was asked for:
 * if before it the server answered DATA alone at length, or more at greater length.  Behind the
 * queued reply, in a record of its own, the server may say
 * farewell.  A message is counted when the server's turn is over: when the client goes on, when
 * either side says goodbye, or at weir_tls_estimate_end(), which is called when both were silent
 * for a second, too.
 *
 * Commands behind the dot make the answer longer than a queued reply.  A turn of the client of
 * WEIR_TLS_LARGE_LEAST octets and an answer that is small beside it are a message all the same:
 * an accepted one if the answer begins as a queued reply may, else a refused one.
 *
 * In TLS 1.3 clients may ask the server for new keys at any time: its KeyUpdate is passed over.
 * Not the client's, who could say everything in records as short.
 *
 * Not seen: BDAT in one turn with its envelope, messages pipelined behind one another, padded
 * records, replies of other lengths (calibrate with messages heard in the clear).  CBC suites
 * are taken for GCM, which makes replies look 12 to 52 octets longer.
 *
 * Owner:    a plain value in its dialogue.  Pure functions.
 * Limits:   records over 2^14+2048 octets (RFC 8446 5.2, RFC 5246 6.2.3) are no TLS: of the server
 *           lost; of the client, whose segments may be for us only, its next record is looked for.
 */
#ifndef WEIR_SNIFFER_TLS_ESTIMATE_H
#define WEIR_SNIFFER_TLS_ESTIMATE_H

#include "sniffer/flow.h"
#include "sniffer/tls_record.h"

#define WEIR_TLS_BODY_LEAST 64     /* octets of plaintext a body's turn has at least */
#define WEIR_TLS_ENVELOPE_LEAST 24 /* "RCPT TO:<a@b.cd>", "DATA"; AUTH CRAM-MD5 has 15 */
#define WEIR_TLS_UNASKED_LEAST 300 /* the same, where no 354 was heard: by BDAT, or qmail's */
#define WEIR_TLS_LARGE_LEAST 1000  /* too much for commands that are answered ... */
#define WEIR_TLS_LARGE_SHARE 8     /* ... by no more than one octet in so many */
#define WEIR_TLS_ASKED_LEAST 25    /* of a 354 to "DATA"; to "RSET" is said less ... */
#define WEIR_TLS_ASKED_MORE 65     /* ... and of one behind the answers to an envelope */
#define WEIR_TLS_QUEUED_LEAST 26   /* of a queued reply: Exim's "250 OK id=..." has 28 ... */
#define WEIR_TLS_QUEUED_MOST 64    /* ... Postfix' 34 to 40, with "221 2.0.0 Bye" 55 */
#define WEIR_TLS_FAREWELL_MOST 64  /* of a 221 in records behind it */

/* One side's record layer. */
struct weir_tls_records {
    uint8_t head[5];
    uint8_t have;                /* octets of the head */
    bool guessing;               /* behind a gap: what looks like a head may be none */
    uint32_t left;               /* octets of the record still to come */
};

/* The server's hello, as far as the suite it chose. */
struct weir_tls_hello {
    uint8_t at;                  /* octets read */
    uint8_t session;             /* length of the session's id */
    uint8_t high;                /* first octet of the suite */
    bool over;                   /* no longer looked for */
};

struct weir_tls_estimate {
    struct weir_tls_records side[2];
    struct weir_tls_hello hello;
    unsigned overhead;           /* 0: not known yet */
    unsigned queued_least, queued_most;
    enum weir_side turn;
    uint32_t turn_octets[2];     /* plaintext of application data in each side's last turn */
    uint32_t reply;              /* of the first record in the server's last turn */
    uint32_t asked_at, asked;    /* of the client's turn before its last, and the answer to it */
    uint32_t envelope;           /* of the client's turns before its last, since the last message */
    unsigned turns;              /* of the client, up to 2: the first is no part of any message;
                                  * 2 from the start if the beginning was not heard */
    unsigned accepted;           /* estimated */
    unsigned refused;            /* the same; the caller takes them back */
    uint64_t bytes;              /* of the last one's body */
    bool encrypted[2];           /* application data was seen: the handshake is over */
    bool judged;                 /* the server's turn is no longer in question */
    bool broken;                 /* the client said what is no record: its next one is looked for,
                                  * as behind a gap; the caller takes it back */
    bool answered;               /* the server began to answer what may be a body, by `reply`
                                  * octets: whatever its length; the caller takes it back */
    bool lost;
};

/* Bounds of a queued reply; 0, 0: the usual ones. */
struct weir_tls_estimate weir_tls_estimate(unsigned queued_least, unsigned queued_most);

/* Feeds octets of one side; returns how many messages came to their end in them. */
unsigned weir_tls_estimate_octets(struct weir_tls_estimate *estimate, enum weir_side side,
                                  struct weir_slice octets);

/* Octets that were not captured: a record that is skipped entirely is still counted, since its
 * head said how long it is; behind that the side is found again by the next plausible head.  What
 * the client sent unseen may be part of a body, also when none of its records was ever seen; what
 * the server did is never a queued reply. */
unsigned weir_tls_estimate_gap(struct weir_tls_estimate *estimate, enum weir_side side,
                               uint64_t len);

/* The client's octets are not those its server got, and so many were said in their place: its
 * records are looked for anew.  Messages that came to their end. */
unsigned weir_tls_estimate_doubt(struct weir_tls_estimate *estimate, uint64_t len);

/* Whether a side is between two records, and that is sure; how many octets it can be given at most
 * so that no record's beginning lies within. */
bool weir_tls_estimate_between(const struct weir_tls_estimate *estimate, enum weir_side side);
size_t weir_tls_estimate_ahead(const struct weir_tls_estimate *estimate, enum weir_side side);

/* The connection is over, or silent: whether the last turn was a message's end (1 or 0). */
unsigned weir_tls_estimate_end(struct weir_tls_estimate *estimate);

#endif
