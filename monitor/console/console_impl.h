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

#include "monitor/console/api.h"
#include "monitor/console/console_io.h"
#include "monitor/console/door.h"
#include "monitor/console/feed_io.h"
#include "monitor/console/login_limit.h"

#define WEIR_CONSOLE_FIELD 512 /* octets of a field that is looked at */

enum weir_asked_state {
    WEIR_ASKED_READING, WEIR_ASKED_WAITS, WEIR_ASKED_ANSWERED, WEIR_ASKED_LIVE
};

/* One request: of libmicrohttpd's thread, and while it waits, of a worker. */
struct weir_asked {
    enum weir_asked_state state;
    struct MHD_Connection *connection;
    char *octets;               /* its body */
    size_t len, room;
    bool too_long;
    bool near;                  /* what he asks for needs no token */
    struct weir_api_request request;
    int route;
    char cookie[WEIR_CONSOLE_FIELD], authorization[WEIR_CONSOLE_FIELD], csrf[WEIR_TOKEN_TEXT + 1];
    struct weir_address from;
    unsigned status;
    struct MHD_Response *response;
    struct weir_asked *next;
};

struct weir_worker {
    struct weir_console *console;
    pthread_t thread;
    struct weir_database *database;
};

struct weir_page {
    struct MHD_Response *packed, *plain, *same; /* same: 304 */
    char tag[40];
};

struct weir_console {
    struct weir_monitor *monitor;
    const struct weir_log *log;
    struct weir_clock wall, steady;
    struct MHD_Daemon *daemon;
    char *certificate, *key;    /* PEM, or NULL */
    char own[WEIR_DOOR_HOST], host[WEIR_DOOR_HOST]; /* this machine's name; that of the url */
    bool tls;                   /* people reach it by TLS, its own or a proxy's */
    struct weir_page *page;     /* as weir_assets[] */
    struct weir_feed *live;

    pthread_mutex_t changes;    /* api_was.c: taken before any other */
    pthread_mutex_t lock;       /* of all below */
    pthread_cond_t more;        /* to do, or it closes: workers wait */
    pthread_cond_t ends;        /* it closes: the feed waits */
    struct weir_asked *first, *last;
    unsigned waiting, hashing;  /* hashing: workers at passwords */
    bool closing;
    struct weir_login_limit *limit;
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

/* A worker's part: asked->status and response; or its state becomes LIVE. */
void weir_console_work(struct weir_console *console, struct weir_database *database,
                       struct weir_asked *asked);

/* Who asks: 0 and the question's account, token and session; or a status and its why. */
int weir_console_identify(struct weir_console *console, struct weir_asked *asked,
                          struct weir_api_question *question);

/* An answer of JSON, which is taken; NULL when memory is short. */
struct MHD_Response *weir_console_json(json_t *json);
/* What every answer has. */
void weir_console_headers(struct MHD_Response *response);

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
