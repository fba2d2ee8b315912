/*
 * decide_clients - those who ask about whole messages (core/engine/remote.h): Exim's processes.
 *
 * They are guests of a loop that others wait for: the server reads what is ready, and after each
 * of its rounds lets one whole question be decided, so that a policy request never waits
 * for more than one message.  Whoever cannot be served now, because there are too many or
 * memory is short, is told so by a closed connection, and decides himself.
 *
 *     ready, ready, ready ... -> work -> ready ... -> work
 *
 * In case of trouble (clients_io.h has the names) a client gets no answer but a closed
 * connection, and the log one line (of a flood, a few and then one a second).
 *
 * Owner:    the caller owns it, and everything in the parts, which it may exchange between
 *           two calls of weir_deciders_work().  It owns the judges that work with them.
 * Threads:  one.
 * Limits:   WEIR_DECIDERS_MAX connections; WEIR_DECIDE_MEMORY_MAX octets of messages together;
 *           WEIR_REMOTE_HEAD_MAX and WEIR_MESSAGE_MAX for each.  A question must arrive, and its
 *           answer be taken, within request_timeout.
 */
#ifndef WEIR_POLICY_DECIDE_CLIENTS_IO_H
#define WEIR_POLICY_DECIDE_CLIENTS_IO_H

#include "core/engine/judges_io.h"
#include "postfix-policy/clients_io.h"

struct weir_decide_counts {
    uint64_t accepted;
    uint64_t decided;
    uint64_t busy;           /* turned away: too many, or no memory */
    uint64_t verdict[WEIR_BLOCKED + 1], action[WEIR_QUARANTINE + 1];
    uint64_t trouble[WEIR_TROUBLES];
};

struct weir_decide_parts {
    const struct weir_config *config;
    const struct weir_stores *stores;
    struct weir_numbers *numbers; /* or NULL */
    const struct weir_log *log;
};

struct weir_deciders;
struct weir_decider;

/* epoll: connections are watched there, level-triggered.  0 or WEIR_ENOMEM. */
int weir_deciders_new(int epoll, struct weir_clock wall, struct weir_deciders **deciders_r);

/* Closes all connections and frees *deciders; NULL is accepted. */
void weir_deciders_free(struct weir_deciders **deciders);

/* What questions are answered with from now on: where decide_listen says that there are any, the
 * rules and all else that judging needs is opened. */
void weir_deciders_use(struct weir_deciders *deciders, const struct weir_decide_parts *parts);

/* To be called before the stores are closed: closes what works with them. */
void weir_deciders_let_go(struct weir_deciders *deciders);

/* Accepts those who wait at a listening socket, a round's worth of them. */
void weir_deciders_accept(struct weir_deciders *deciders, int listener, weir_time now);

/* A connection is ready for what it waits for. */
void weir_deciders_ready(struct weir_deciders *deciders, struct weir_decider *decider,
                         weir_time now);

/* Decides the question that has waited longest.  True when there are more. */
bool weir_deciders_work(struct weir_deciders *deciders, weir_time now);

/* Closes those whose time is over, and does what is due now and then.  now is the steady clock. */
void weir_deciders_expire(struct weir_deciders *deciders, weir_time now);

/* Whether questions wait to be decided, or answers to be taken. */
bool weir_deciders_pending(const struct weir_deciders *deciders);

size_t weir_deciders_open(const struct weir_deciders *deciders);
const struct weir_decide_counts *weir_deciders_counts(const struct weir_deciders *deciders);

#endif
