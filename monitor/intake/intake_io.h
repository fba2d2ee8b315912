/*
 * intake - the door at which agents knock: HTTPS, who they are, what they bring, what they ask.
 *
 *     POST /agent/v1/spool?stream=NAME&offset=N    whole lines, plain or deflated
 *     GET  /agent/v1/commands?generation=G&wait=S  held open until there is something new; with
 *                                                  all=1 everything that stands, at once; with
 *                                                  rules=N also when another rule set than that is
 *                                                  the newest: each answer's head says which one is
 *                                                  (monitor/agent/news.h)
 *     GET  /agent/v1/rules                         the newest rule set, deflated; with
 *                                                  have=N&is=ID of the set that is there (0: none)
 *                                                  as a patch (core/evidence/parcel_patch.h),
 *                                                  where that pays
 *     POST /agent/v1/health                        a small JSON object; answered with how often
 *
 * Knows the protocol and nothing of what is in it: the handler decides.  Requests are taken by some
 * threads of libmicrohttpd; the handler's functions are called from them, several at once.
 *
 * Owner:    the caller owns the intake; what the handler points to must live as long.
 * Errors:   weir_intake_open(): WEIR_EINVAL (address, certificate), WEIR_EIO; both were logged.
 * Limits:   WEIR_INTAKE_BODY_MAX octets of a body, also once it is inflated; WEIR_INTAKE_WAIT_MAX
 *           seconds are the longest hold; WEIR_INTAKE_CONNECTIONS_MAX connections, of which those
 *           that have not named a server have a share (doorstep.h) and WEIR_INTAKE_HELLO_MAX
 *           seconds; WEIR_INTAKE_SERVER_MAX of one server, 503 on the others.  A caller that is not
 *           known is answered 401 before any body is kept.
 */
#ifndef WEIR_INTAKE_INTAKE_IO_H
#define WEIR_INTAKE_INTAKE_IO_H

#include "core/base/clock.h"
#include "core/base/cursor.h"
#include "core/base/endpoint.h"
#include "core/base/histogram.h"
#include "core/base/log.h"
#include "monitor/agent/news.h"
#include "monitor/intake/certificate_io.h"
#include "monitor/intake/shared_text.h"

struct weir_intake_caller {
    struct weir_slice server, secret;   /* as claimed */
    const char *instance;               /* 32 hex digits */
    const char *previous;               /* those it was before, one of which may be known here */
};

struct weir_intake_handler {
    void *context;
    /* Who is it?  200 with the server's number; 401; 409: another instance speaks for it. */
    int (*admit)(void *context, const struct weir_intake_caller *caller, uint32_t *server_r);
    /* Takes whole lines.  200, everything below *offset_r is safe; 409, begin at *offset_r; 503. */
    int (*spool)(void *context, uint32_t server, const char *stream, uint64_t offset,
                 struct weir_slice octets, uint64_t *offset_r);
    /* What is new since a generation that is applied there, or all that stands: JSON, of which the
     * intake becomes a holder; NULL: nothing.  0 or an error: it cannot be told now. */
    int (*commands)(void *context, uint32_t server, int64_t generation, bool all,
                    struct weir_shared_text **text_r);
    void (*health)(void *context, uint32_t server, struct weir_slice text);
    /* Which rule set is the newest; and its file, deflated, of which the intake becomes a holder:
     * NULL when there is none; and as a patch to a set of this serial and id: 1; 0, it is to go
     * whole; WEIR_EBUSY, that is not made yet, and there will be a weir_intake_wake_rules(). */
    void (*news)(void *context, struct weir_news *news_r);
    struct weir_shared_text *(*rules)(void *context);
    int (*patch)(void *context, uint32_t serial, uint64_t id, struct weir_shared_text **patch_r);
    /* The newest change by people's votes; and those behind a number, as vote_text.h has it, of
     * which the intake becomes a holder: NULL when they cannot be read now. */
    int64_t (*newest_vote)(void *context);
    struct weir_shared_text *(*votes)(void *context, uint32_t server, int64_t behind);
};

struct weir_intake_options {
    const struct weir_endpoint *listen;
    const struct weir_certificate *certificate;
    weir_time health_every;             /* agents tell how they are so often; 0: as they like */
    unsigned threads;                   /* 0: one for each processor, at most 8 */
};

struct weir_intake;

/* Begins to take requests at once. */
int weir_intake_open(const struct weir_intake_options *options,
                     const struct weir_intake_handler *handler, const struct weir_log *log,
                     struct weir_intake **intake_r);

/* Stops taking requests and waits for those at work. */
void weir_intake_close(struct weir_intake **intake);

/* There are new commands: everybody who is held is asked for anew. */
void weir_intake_wake(struct weir_intake *intake);

/* A patch was made: those who were held for one ask anew. */
void weir_intake_wake_rules(struct weir_intake *intake);

/* Answers those who were held for long enough, and hangs up on who does not say who he is; to be
 * called about once a second. */
void weir_intake_tick(struct weir_intake *intake, weir_time steady);

/* Another period for agents to tell how they are, from their next time on. */
void weir_intake_health(struct weir_intake *intake, weir_time every);

/* The port that was taken, when the address said 0. */
unsigned weir_intake_port(const struct weir_intake *intake);

struct weir_intake_counts {
    uint64_t requests, refused, unknown, octets;
    uint64_t turned_away;        /* connections beyond an address's or all strangers' share */
    uint64_t hung_up;            /* connections that did not say whose they are */
    size_t held, connections;
};

void weir_intake_count(struct weir_intake *intake, struct weir_intake_counts *counts_r);

/* How long requests of a kind took, from their head to their answer, but for those that were held
 * until there was something new; and the kind's name, "spool".  Threads: any. */
#define WEIR_INTAKE_ROUTES 5
void weir_intake_times(const struct weir_intake *intake, unsigned route,
                       struct weir_histogram_reading *reading_r);
const char *weir_intake_route_name(unsigned route);

#endif
