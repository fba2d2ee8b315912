/*
 * ctl_servers - what the monitor's database says of the mail servers: who is heard of, and who has
 * what was decided.
 *
 * Owner:    the caller owns the servers.
 * Errors:   exit codes, after what went wrong was told.
 */
#ifndef WEIR_CTL_SERVERS_H
#define WEIR_CTL_SERVERS_H

#include <jansson.h>

#include "monitor/ctl/ctl.h"
#include "monitor/ctl/ctl_output.h"
#include "monitor/view/view_servers.h"

struct weir_ctl_server {
    struct weir_server server;
    enum weir_view_server_state state;
    json_t *health;          /* an object, or NULL when nothing was said */
};

struct weir_ctl_servers {
    struct weir_ctl_server *one;
    size_t count;
    uint64_t newest;         /* generation of decisions */
};

/* Reads them as they are now. */
int weir_ctl_servers_read(struct weir_ctl *ctl, struct weir_database *database,
                          struct weir_ctl_servers *servers_r);
void weir_ctl_servers_free(struct weir_ctl_servers *servers);

/* The name of a number; "" when there is none. */
const char *weir_ctl_server_name(const struct weir_ctl_servers *servers, uint32_t number);

/* Waits until all servers that are heard of have acknowledged the newest generation of now, at
 * most 5 s, and tells who has: "have" and "lack" of a JSON object, names of servers; and "not",
 * objects with "server" and "why", of those that have an entry ("blacklist 203.0.113.7"; NULL: none
 * is asked for), but where it does not decide; and "observe", of those that have it, who refuse
 * nobody since their mode is to observe. */
int weir_ctl_servers_await(struct weir_ctl *ctl, const char *entry, json_t **who_r);

/* The same in a line for people, which begins with what they have. */
void weir_ctl_servers_tell(const json_t *who, const char *what);

#endif
