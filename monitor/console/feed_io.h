/*
 * feed - what is new, told to every open page: server-sent events.
 *
 *     id: 1763841600-17
 *     event: a name of api.c, weir_api_live[]
 *     data: {...}
 *
 * An event is made once and its octets are shared by all who listen: the last WEIR_FEED_KEPT are
 * kept, so that a page that comes back (Last-Event-ID) gets what it missed, or, when that is too
 * long ago or of another run of the monitor, `event: again`: it is to read its page anew.  Who does
 * not read loses events, never the monitor's time; a comment line goes out every 15 seconds.
 * Who comes for the first time gets the newest of each name at once.  A stream ends after
 * WEIR_FEED_SPAN, and the page comes back.  Who listens is asked about every other second
 * (weir_feed_ask()): the stream of one who has logged out, or was kept out, ends.
 * Connections sleep (libmicrohttpd's suspend) until there is something.
 *
 * Owner:    the caller.  Threads: any.
 * Limits:   WEIR_FEED_KEPT events of WEIR_FEED_EVENT_MAX octets, listeners as it is made for.
 */
#ifndef WEIR_CONSOLE_FEED_IO_H
#define WEIR_CONSOLE_FEED_IO_H

#include <microhttpd.h>

#include "core/base/clock.h"
#include "monitor/console/accounts.h"

#define WEIR_FEED_KEPT 256
#define WEIR_FEED_EVENT_MAX 65536
#define WEIR_FEED_NAMES 8
#define WEIR_FEED_SPAN (5 * WEIR_MINUTE)

struct weir_feed;

/* For so many listeners at most.  0 or WEIR_ENOMEM. */
int weir_feed_new(weir_time started, size_t most, struct weir_feed **feed_r);

/* Ends all listeners; the daemon still runs. */
void weir_feed_close(struct weir_feed *live);
void weir_feed_free(struct weir_feed **live);

/* An event for all: data is JSON of one line.  0, WEIR_ELIMIT (too long), WEIR_ENOMEM. */
int weir_feed_tell(struct weir_feed *live, const char *name, const char *data);

/* A comment line for all, so that they know that somebody is there.  0 or WEIR_ENOMEM. */
int weir_feed_beat(struct weir_feed *live);

/* Who listens: by a session, or by a token, as accounts.h has their hashes. */
struct weir_feed_who {
    uint8_t hash[WEIR_TOKEN_HASH];
    bool token;
    enum weir_role role;                         /* when he began */
};

/* Answers with the stream; last: of Last-Event-ID, or NULL. */
enum MHD_Result weir_feed_answer(struct weir_feed *live, struct MHD_Connection *connection,
                                 const struct weir_feed_who *who, const char *last);

/* Asks of each listener whether he may still hear, which may take its time; the streams of those
 * who may not end at once.  0 or WEIR_ENOMEM: nobody was asked. */
int weir_feed_ask(struct weir_feed *live,
                  bool (*may)(void *context, const struct weir_feed_who *who), void *context);

size_t weir_feed_listeners(struct weir_feed *live);

#endif
