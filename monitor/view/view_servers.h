/*
 * view_servers - mail servers as JSON (view.h): which state one is in, and what its agent says.
 */
#ifndef WEIR_VIEW_VIEW_SERVERS_H
#define WEIR_VIEW_VIEW_SERVERS_H

#include <stdbool.h>

#include "monitor/database/database_servers_io.h"
#include "monitor/view/view.h"

enum weir_view_server_state {
    WEIR_VIEW_SERVER_SEEN,
    WEIR_VIEW_SERVER_BLIND,  /* was, and is not any more */
    WEIR_VIEW_SERVER_NEW,    /* was never heard of */
    WEIR_VIEW_SERVER_REVOKED,
};

/* silence: after so long it is blind. */
enum weir_view_server_state weir_view_server_state(const struct weir_server *server,
                                                   weir_time now, weir_time silence);

/* "seen", "blind", "new", "revoked". */
const char *weir_view_server_state_name(enum weir_view_server_state state);

/* What its agent said of itself, an object; NULL: nothing. */
json_t *weir_view_server_health(const struct weir_server *server);

/* Which rule set it refuses, and is in use nevertheless: "refuses rule set 7"; false: none. */
#define WEIR_VIEW_SERVER_TEXT 128
bool weir_view_server_refuses(enum weir_view_server_state state, const json_t *health,
                              char text_r[static WEIR_VIEW_SERVER_TEXT]);

/* Walks what trouble the sniffer of a server that is heard of had in the last hour or two: *at
 * begins as 0; text_r: "1234 packets lost"; *why_r: what that may come from, static text.  health
 * may be NULL.  False: there is no more. */
bool weir_view_server_sniffer(enum weir_view_server_state state, const json_t *health, size_t *at,
                              char text_r[static WEIR_VIEW_SERVER_TEXT], const char **why_r);

/* The same of what the monitor did not believe of its decisions about messages within the last
 * hour: "50 of 62 decisions in the last hour are signed with a key the monitor has not"; and what
 * is to be done. */
bool weir_view_server_disbelief(enum weir_view_server_state state, const json_t *health,
                                size_t *at, char text_r[static WEIR_VIEW_SERVER_TEXT],
                                const char **why_r);

/* health may be NULL, and stays the caller's; newest: generation of decisions.  "troubles": what is
 * not as it should be, [{"text", "why"}]. */
json_t *weir_view_server(const struct weir_server *server, enum weir_view_server_state state,
                         json_t *health, uint64_t newest);

#endif
