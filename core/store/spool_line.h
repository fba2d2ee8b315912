/*
 * spool_line - a line of the spool (spool_io.h) that tells of a judged message, read again.
 *
 *     at=<time> ... queue_id=<the mail server's> listener=<port>
 *     hops=<address>,<address or ->,... name=<boundary hop's> ...
 *     limits=<unsure,spam,reject> ... action=<pass, defer, ...> ground=<score, ...> ...
 *     boundary=<address or -> hop=<index>:<why> domain=<stated> ...
 *     confidence=<0 to 1> basis=<...> ... recipient=<...> ...
 *     info=<v1;...>
 *
 * Half of what a line says comes from senders; its writer lets none of it have a blank, so words
 * are told apart by blanks alone, and of words with one name the first counts: those of ours are
 * in front.
 *
 * Owner:    slices point into the line.  Threads: a pure function.
 * Limits:   WEIR_SPOOL_LINE_MAX, WEIR_SPOOL_HOPS_MAX: further hops are passed over.
 */
#ifndef WEIR_STORE_SPOOL_LINE_H
#define WEIR_STORE_SPOOL_LINE_H

#include "core/base/cursor.h"
#include "core/base/limits.h"
#include "core/mail/boundary.h"

struct weir_spool_line {
    struct weir_slice at;        /* the time, as written */
    /* Empty where the line does not say or says "-". */
    struct weir_slice listener, domain, recipient;
    struct weir_slice name;      /* verified, of the boundary hop */
    struct weir_slice dkim;      /* domain of a signature that passed */
    struct weir_slice info;      /* the spam-info string, without its blanks */
    struct weir_slice action;    /* what was done with the message: "pass", "reject", ... */
    struct weir_slice queue_id;  /* weir_queue_id_is(), or empty */
    struct weir_slice ground;    /* "score", "accept", ... */
    struct weir_slice basis, confidence; /* of the reputation, where it was asked */
    struct weir_slice limits;    /* three numbers; empty from older plug-ins */
    struct weir_hop hop[WEIR_SPOOL_HOPS_MAX]; /* those up to the boundary are believed */
    size_t hops;                 /* 1 at least */
    bool found;                  /* whether there is a boundary */
    size_t index;                /* of its hop, or of the last one told when it is further down */
};

/* 1; 0 for a line that tells of no message: another kind, damaged, or not ours. */
int weir_spool_line_read(struct weir_slice text, struct weir_spool_line *line_r);

#endif
