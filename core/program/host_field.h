/*
 * host_field - for whom a request takes us: its Host field.
 *
 *     Host: 127.0.0.1:8426        an address, localhost, this host, or what was declared
 *
 * Another name than these may be somebody's who has made it point here, so that pages of his, in a
 * browser of ours, read what only we may (DNS rebinding).
 *
 * Owner:    the caller.  Threads: pure.
 * Limits:   a name of WEIR_HOST_ROOM - 1 octets.
 */
#ifndef WEIR_PROGRAM_HOST_FIELD_H
#define WEIR_PROGRAM_HOST_FIELD_H

#include <stdbool.h>

#define WEIR_HOST_ROOM 256

/* The host of http://host:port or https://host:port, nothing behind it.  False: it is no such
 * thing. */
bool weir_host_of_url(const char *url, char host_r[static WEIR_HOST_ROOM]);

/* Whether we answer to what a Host field says (NULL: there is none, which we do not): own is this
 * machine's name, declared another one, or "". */
bool weir_host_fits(const char *field, const char *own, const char *declared);

#endif
