/*
 * tcp_place - the address and port where a TCP socket is to listen.
 *
 * Owner:    the caller closes the socket; reasons are static text or strerror()'s, until the next
 *           call.
 */
#ifndef WEIR_PROGRAM_TCP_PLACE_IO_H
#define WEIR_PROGRAM_TCP_PLACE_IO_H

#include "core/base/endpoint.h"

/* A listening socket at the first address that the host's name has, which does not block.  -1 and
 * *why_r. */
int weir_tcp_place_listen(const struct weir_endpoint *at, int backlog, const char **why_r);

#endif
