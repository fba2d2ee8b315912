/*
 * endpoint - where a server listens or is asked, as the configuration writes it.
 *
 *     inet:host:port   inet:[2001:db8::7]:port   unix:/path
 *
 * The socket-prefixed forms that mail servers use, so that one line can be copied
 * from weir.conf to main.cf.  Pure: nothing is resolved or opened.
 */
#ifndef WEIR_BASE_ENDPOINT_H
#define WEIR_BASE_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#define WEIR_ENDPOINT_MAX 255     /* octets of an endpoint as text */
#define WEIR_ENDPOINT_PATH_MAX 107 /* sockaddr_un's room less the NUL */

struct weir_endpoint {
    bool is_unix;
    char host[WEIR_ENDPOINT_MAX + 1]; /* without brackets; or the path */
    char port[6];                     /* digits; "" for a path */
};

/* 0, or WEIR_EINVAL and a reason (static text): endpoint_r may be NULL to only
 * check. */
int weir_endpoint_parse(const char *text, struct weir_endpoint *endpoint_r, const char **why_r);

#endif
