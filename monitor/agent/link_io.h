/*
 * link - HTTPS from a mail server to its monitor: several requests at once over connections that
 * are kept, without a thread.
 *
 * An errand is a request that is made again and again: it is asked for, travels, and ends in one
 * of three ways, told by the callback: an answer with its status; no answer (status 0); or a
 * certificate that is not the monitor's (status -1), which no waiting mends.  After
 * one that failed an errand rests for a time that doubles from `rest_least` to `rest_most`, but to
 * four seconds at most after an answer of 503, "later", or 409.  What is not 2xx has failed, but
 * for 409, which ended() has to judge.
 *
 * Owner:    the caller owns the link; it owns its errands.  An errand's body is copied, and
 *           compressed where that is wanted.  Threads: one.
 * Errors:   weir_link_new(): WEIR_ENOMEM; WEIR_EIO where libcurl refuses what the monitor is known
 *           by (logged): what cannot be checked is not sent.
 * Limits:   an answer of more than WEIR_LINK_ANSWER_MAX octets, also once it is inflated, is none.
 *           Every request ends within its timeout.
 */
#ifndef WEIR_AGENT_LINK_IO_H
#define WEIR_AGENT_LINK_IO_H

#include <poll.h>
#include <stdbool.h>

#include "core/base/clock.h"
#include "core/base/cursor.h"
#include "core/base/log.h"
#include "monitor/agent/identity.h"

enum weir_errand {
    WEIR_ERRAND_SHIP,
    WEIR_ERRAND_COMMANDS,
    WEIR_ERRAND_HEALTH,
    WEIR_ERRAND_RULES,
    WEIR_ERRAND_VOTES,
    WEIR_ERRANDS
};

struct weir_link_options {
    const struct weir_identity *identity; /* copied */
    const char *instance;                 /* hex */
    const char *previous;                 /* those it may be known as, by commas; or "" */
    const char *authorities;              /* file of CAs instead of the system's; or NULL */
    weir_time rest_least, rest_most;
    /* What became of an errand.  answer is NUL-terminated and lives during the call. */
    void (*ended)(void *context, enum weir_errand errand, int status, struct weir_slice answer);
    void *context;
};

struct weir_link;

/* Sends nothing yet.  0, WEIR_ENOMEM or WEIR_EIO; the identity may be forgotten afterwards. */
int weir_link_new(const struct weir_link_options *options, const struct weir_log *log,
                  struct weir_link **link_r);
void weir_link_free(struct weir_link **link);

/* Whether an errand is neither travelling nor resting. */
bool weir_link_free_for(const struct weir_link *link, enum weir_errand errand, weir_time steady);

/* Sends an errand: a GET when body.at is NULL, else a POST; place is the path with its query.
 * 0, WEIR_ENOMEM, WEIR_EBUG (it still travels, or place is too long). */
int weir_link_send(struct weir_link *link, enum weir_errand errand, const char *place,
                   struct weir_slice body, bool compress, weir_time timeout);

/* Takes an errand back that travels: nobody hears what would have come of it. */
void weir_link_drop(struct weir_link *link, enum weir_errand errand);

/* When the last answer to an errand was made, as it says to the second, and how long it all took;
 * zeroes where it does not say. */
struct weir_link_said {
    weir_time date, took;
};
struct weir_link_said weir_link_said(const struct weir_link *link, enum weir_errand errand);

/* Requests that came to an end, those of them that failed, how long it rests for the last one. */
struct weir_link_counts {
    uint64_t ended, failed;
    weir_time rest;
};
struct weir_link_counts weir_link_counts(const struct weir_link *link, enum weir_errand errand);

/* To be called by ended(): a field of the answer's head; empty when there is none. */
struct weir_slice weir_link_field(const struct weir_link *link, enum weir_errand errand,
                                  const char *name);

/* The same: octets of the answer as they came, which may have been deflated. */
uint64_t weir_link_came(const struct weir_link *link, enum weir_errand errand);

/* To be called by ended(): an answer that came was of no use, and the errand rests as after one
 * that failed. */
void weir_link_rest(struct weir_link *link, enum weir_errand errand);

/* Moves everything on, and waits for at most wait, or until one of the callers' files is ready. */
void weir_link_turn(struct weir_link *link, weir_time steady, weir_time wait, struct pollfd *files,
                    unsigned count);

#endif
