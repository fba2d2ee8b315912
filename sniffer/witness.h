/*
 * witness - messages that plug-ins logged on this host, found again among what was heard: so that
 * estimates inside TLS are calibrated by what is certain (calibration.h).
 *
 * A plug-in says when it judged a message, of which client, and what it did with it (spool_line.h).
 * In that moment the server answers a body.  When exactly one answer to that client was heard
 * from the second of the judgement until WEIR_WITNESS_LATE behind it, the two are one: then its
 * length is that of a "250 queued".  Several answers, or none, teach nothing; nor does one in the
 * clear, which is known anyway, nor the answer to a message that was refused.  Each answer is
 * found once.
 *
 * Whoever can write to the spool can at most point at answers the server really gave, and what is
 * learned from those is bounded by calibration.h.  Lines older than WEIR_WITNESS_STALE, or from
 * the future, are passed over.
 *
 *     heard    14:03:05.310  192.0.2.7  34 octets
 *     logged   at=...14:03:05Z ... hops=192.0.2.7 ... action=pass
 *
 * Owner:    the caller.  Threads: one.
 * Errors:   WEIR_ENOMEM.
 * Limits:   WEIR_WITNESS_TURNS answers are remembered: of a server that gives more in some seconds
 *           nothing is found.  WEIR_WITNESS_WAITING messages wait; more are not looked for.
 *           Finding one takes a walk through the answers.
 */
#ifndef WEIR_SNIFFER_WITNESS_H
#define WEIR_SNIFFER_WITNESS_H

#include "core/base/address.h"
#include "core/base/clock.h"
#include "core/base/cursor.h"
#include "core/base/limits.h"

#define WEIR_WITNESS_LATE (3 * WEIR_SECOND)   /* from judgement to reply, at most */
#define WEIR_WITNESS_STALE (10 * WEIR_SECOND)

/* The server's answer to what may be a body. */
struct weir_turn {
    weir_time time;
    struct weir_address client, server;
    uint16_t port;
    uint16_t reply;              /* octets of its first record; 0: in the clear */
};

/* A message that a plug-in logged. */
struct weir_witness {
    weir_time time;              /* a whole second: it was judged in that one */
    struct weir_address client;
    uint16_t port;               /* of the server; 0: not told */
    bool accepted;
};

/* Reads a line of the spool: 1; 0 for one of another kind, without a client's address, stale, or
 * from the future. */
int weir_witness_read(struct weir_slice line, weir_time now, struct weir_witness *witness_r);

struct weir_witnesses;

/* 0 or WEIR_ENOMEM. */
int weir_witnesses_new(struct weir_witnesses **witnesses_r);
void weir_witnesses_free(struct weir_witnesses **witnesses);

/* Takes note of either. */
void weir_witnesses_heard(struct weir_witnesses *witnesses, const struct weir_turn *turn);
void weir_witnesses_logged(struct weir_witnesses *witnesses, const struct weir_witness *witness);

/* The next answer inside TLS to a message that was accepted; true, or false when there is none for
 * now.  Messages are looked for when their time is over. */
bool weir_witnesses_next(struct weir_witnesses *witnesses, weir_time now, struct weir_turn *turn_r);

#endif
