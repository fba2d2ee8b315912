/*
 * api_servers - names of servers by their numbers, for rows that have numbers.
 *
 * Owner:    the caller frees.  Threads: as the database's handle.
 */
#ifndef WEIR_CONSOLE_API_SERVERS_H
#define WEIR_CONSOLE_API_SERVERS_H

#include "monitor/console/api.h"
#include "monitor/database/database_servers_io.h"

struct weir_api_names {
    struct weir_api_name {
        uint32_t number;
        char name[WEIR_SERVER_NAME_MAX + 1];
    } *one;
    size_t count, room;
};

/* All of them.  How many, or an error. */
int weir_api_names_read(struct weir_database *database, struct weir_api_names *names_r);
void weir_api_names_free(struct weir_api_names *names);

/* "" when there is none. */
const char *weir_api_server_name(const struct weir_api_names *names, uint32_t number);

#endif
