/*
 * tcp_place - the address and port where a TCP socket is to listen.
 *
 * Owner:    the caller closes the socket; reasons are static text.
 * Threads:  any.  Errors: -1 and *why_r, the last address's.
 * Limits:   one socket: of a name with several addresses ("localhost") the first that can be had,
 *           in the order of the resolver.
 */
#ifndef WEIR_PROGRAM_TCP_PLACE_IO_H
#define WEIR_PROGRAM_TCP_PLACE_IO_H

#include "core/base/endpoint.h"

/* A listening socket, which does not block.  -1 and *why_r. */
int weir_tcp_place_listen(const struct weir_endpoint *at, int backlog, const char **why_r);

#endif
