/*
 * console_impl - the console's parts: console_io.c (opening, workers), console_request_io.c (one
 * request), console_door_io.c (who asks), pages_io.c (embedded files), console_feed_io.c (what is
 * told to live pages).
 *
 *     libmicrohttpd's thread          workers
 *     READING -> ASKED, suspended --> identified, run -> ANSWERED, resumed
 *     queued  <--------------------------------------------'
 */
#ifndef WEIR_CONSOLE_CONSOLE_IMPL_H
#define WEIR_CONSOLE_CONSOLE_IMPL_H

#include <microhttpd.h>
#include <pthread.h>

#include "core/base/histogram.h"
#include "core/program/host_field.h"
#include "core/program/http_peers_io.h"
#include "monitor/console/api.h"
#include "monitor/console/console_io.h"
#include "monitor/console/door.h"
#include "monitor/console/feed_io.h"
#include "monitor/console/login_limit.h"

#define WEIR_CONSOLE_STRANGERS 1024u                /* people who are not known yet (visitors.h) */
#define WEIR_CONSOLE_STRANGERS_OF_ADDRESS 64u
#define WEIR_CONSOLE_HEAD (30 * WEIR_SECOND)        /* for a head, and TLS before it */
#define WEIR_CONSOLE_BODY (30 * WEIR_SECOND)        /* for a body */
#define WEIR_CONSOLE_IDLE (60 * WEIR_SECOND)        /* between two requests */
#define WEIR_CONSOLE_ANSWER (120 * WEIR_SECOND)     /* to take an answer */

#define WEIR_CONSOLE_PERSON (WEIR_ACCOUNT_NAME_MAX + 8)

enum weir_asked_state {
    WEIR_ASKED_READING, WEIR_ASKED_WAITS, WEIR_ASKED_ANSWERED, WEIR_ASKED_LIVE
};

/* What requests are measured apart. */
enum weir_asked_kind { WEIR_ASKED_PAGE, WEIR_ASKED_READ, WEIR_ASKED_CHANGE, WEIR_ASKED_METRICS,
                       WEIR_ASKED_KINDS };

/* One request: of libmicrohttpd's thread, and while it waits, of a worker. */
struct weir_asked {
    enum weir_asked_state state;
    struct MHD_Connection *connection;
    struct weir_visitor *visitor; /* NULL: memory was short */
    char *octets;               /* its body */
    size_t len, room, most;
    bool too_long, too_much;    /* for it; for all bodies at once */
    char type[64];              /* of its body */
    bool near;                  /* what he asks for needs no token */
    enum weir_asked_kind kind;
    weir_time since;            /* steady: its head was there */
    struct weir_api_request request;
    int route;
    char session[WEIR_TOKEN_TEXT], token[WEIR_TOKEN_TEXT], device[WEIR_TOKEN_TEXT]; /* or "" */
    struct weir_feed_who who;   /* of a live page */
    char person[WEIR_CONSOLE_PERSON]; /* as the audit has it; "" until it is known */
    bool bears;                 /* a field Authorization, whatever is in it */
    char csrf[WEIR_TOKEN_TEXT + 1];
    struct weir_address from;
    unsigned status;
    struct MHD_Response *response;
    struct weir_asked *next;
};

struct weir_worker {
    struct weir_console *console;
    pthread_t thread;
    struct weir_database *database;
    char person[WEIR_CONSOLE_PERSON]; /* whom it works for, or "": of the console's lock */
};

struct weir_page {
    struct MHD_Response *packed[2], *plain[2], *same; /* [1]: may be kept; same: 304 */
    unsigned char *octets; /* unpacked */
    char tag[40];
};

struct weir_console {
    struct weir_monitor *monitor;
    const struct weir_log *log;
    struct weir_clock wall, steady;
    struct MHD_Daemon *daemon;
    char *certificate, *key;    /* PEM, or NULL */
    char own[WEIR_HOST_ROOM], host[WEIR_HOST_ROOM]; /* this machine's name; that of the url */
    bool tls;                   /* people reach it by TLS, its own or a proxy's */
    struct weir_page *page;     /* as weir_assets[] */
    struct weir_feed *live;
    struct weir_histogram times[WEIR_ASKED_KINDS];
    size_t octets;              /* of bodies under way: of libmicrohttpd's thread alone */

    pthread_mutex_t changes;    /* api_was.c: taken before any other */
    pthread_mutex_t lock;       /* of all below */
    pthread_cond_t more;        /* to do, or it closes: workers wait */
    pthread_cond_t ends;        /* it closes: the feed waits */
    struct weir_asked *first, *last;
    unsigned waiting, hashing;  /* hashing: workers at passwords */
    unsigned logins;            /* of those that wait */
    bool closing;
    struct weir_http_peers peers;
    struct weir_login_limit *limit;
    struct weir_login_failures *failures;
    struct weir_worker worker[WEIR_CONSOLE_WORKERS], feed;
    unsigned workers;
    bool feeds;                 /* its thread runs */
};

/* libmicrohttpd's calls. */
enum MHD_Result weir_console_handle(void *context, struct MHD_Connection *connection,
                                    const char *path, const char *method, const char *version,
                                    const char *octets, size_t *len, void **state);
void weir_console_completed(void *context, struct MHD_Connection *connection, void **state,
                            enum MHD_RequestTerminationCode code);

/* A worker's part: asked->status and response; or its state becomes LIVE.  False: it waits once
 * more, and is not the worker's any longer. */
bool weir_console_work(struct weir_worker *worker, struct weir_asked *asked);

/* Whether a worker may do what asked->person wants now: 0; WEIR_EBUSY: too many work for him, and
 * it waits at the end of all, no longer the worker's; WEIR_ELIMIT: too much of his waits. */
int weir_console_share(struct weir_worker *worker, struct weir_asked *asked);

/* Who asks: 0 and the question's account, token and session; or a status and its why. */
int weir_console_identify(struct weir_console *console, struct weir_asked *asked,
                          struct weir_api_question *question);

/* Whether who listens would be let in now as he was then; what the database does not say is yes. */
bool weir_console_knows(struct weir_worker *feed, const struct weir_feed_who *who);

/* An answer of JSON, which is taken; NULL when memory is short. */
struct MHD_Response *weir_console_json(json_t *json);
/* The same of what cannot be now, with status 503: a sentence, and when to try again. */
struct MHD_Response *weir_console_busy(const char *why);
/* What every answer has. */
void weir_console_headers(struct MHD_Response *response);

/* What is to be told of logins that failed is written into the audit; all: what is left, too.
 * False: it could not be written, and stays. */
bool weir_console_tell_failures(struct weir_console *console, bool all);

/* Puts a question at the end; false: there are too many, or it closes. */
bool weir_console_enqueue(struct weir_console *console, struct weir_asked *asked);

/* The embedded files.  0 or WEIR_ENOMEM. */
int weir_pages_open(struct weir_console *console);
void weir_pages_close(struct weir_console *console);
enum MHD_Result weir_pages_answer(struct weir_console *console, struct MHD_Connection *connection,
                                  const char *path);

/* The thread that tells live pages what is new. */
void *weir_console_feed(void *worker);

#endif
