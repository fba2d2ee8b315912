/*
 * view_servers - mail servers as JSON (view.h): which state one is in, and what its agent says.
 */
#ifndef WEIR_VIEW_VIEW_SERVERS_H
#define WEIR_VIEW_VIEW_SERVERS_H

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

/* health may be NULL, and stays the caller's; newest: generation of decisions. */
json_t *weir_view_server(const struct weir_server *server, enum weir_view_server_state state,
                         json_t *health, uint64_t newest);

#endif
