/*
 * memcached_server - how one memcached server is written in the configuration.
 *
 *     "mc1"   "mc1:11212"   "[2001:db8::7]:11211"   "/run/memcached.sock"
 *
 * each with an optional "*weight" behind it.  The name that comes out is the
 * same for all spellings of one server, since it decides which counters live
 * there: lower case, always with a port.
 */
#ifndef WEIR_STORE_MEMCACHED_SERVER_H
#define WEIR_STORE_MEMCACHED_SERVER_H

#include "core/base/limits.h"

#define WEIR_SOCKET_PATH_MAX 107 /* sockaddr_un's room less the NUL */

struct weir_memcached_server {
    char name[WEIR_NODE_NAME_MAX + 1]; /* "mc1:11211", "[::1]:11211" or the path */
    char host[WEIR_NODE_NAME_MAX + 1]; /* without brackets; or the path */
    unsigned port;                     /* 0: host is a path */
    unsigned weight;
};

/* 0, or WEIR_EINVAL with a reason (static text). */
int weir_memcached_server_parse(const char *text, struct weir_memcached_server *server_r,
                                const char **why_r);

#endif
