/*
 * live - what is new, told to every open page: server-sent events.
 *
 *     id: 1763841600-17
 *     event: overview | traffic | events | reports | rules | servers
 *     data: {...}
 *
 * An event is made once and its octets are shared by all who listen: the last WEIR_LIVE_KEPT are
 * kept, so that a page that comes back (Last-Event-ID) gets what it missed, or, when that is too
 * long ago or of another run of the monitor, `event: again`: it is to read its page anew.  Who does
 * not read loses events, never the monitor's time; a comment line goes out every 15 seconds.
 * Connections sleep (libmicrohttpd's suspend) until there is something.
 *
 * Owner:    the caller.  Threads: weir_live_tell() from one, the rest any.
 * Limits:   WEIR_LIVE_KEPT events of WEIR_LIVE_EVENT_MAX octets, WEIR_CONSOLE_LIVE_MAX listeners.
 */
#ifndef WEIR_CONSOLE_LIVE_IO_H
#define WEIR_CONSOLE_LIVE_IO_H

#include <microhttpd.h>

#include "core/base/clock.h"
#include "core/base/cursor.h"

#define WEIR_LIVE_KEPT 512
#define WEIR_LIVE_EVENT_MAX 32768

struct weir_live;

/* 0 or WEIR_ENOMEM. */
int weir_live_new(weir_time started, struct weir_live **live_r);

/* Ends all listeners; the daemon still runs. */
void weir_live_close(struct weir_live *live);
void weir_live_free(struct weir_live **live);

/* An event for all; one of the same name that says the same as the last is passed over. */
int weir_live_tell(struct weir_live *live, const char *name, struct weir_slice data);

/* Answers with the stream; last: of Last-Event-ID, or NULL. */
enum MHD_Result weir_live_answer(struct weir_live *live, struct MHD_Connection *connection,
                                 const char *last);

size_t weir_live_listeners(const struct weir_live *live);

#endif
