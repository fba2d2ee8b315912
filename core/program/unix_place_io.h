/*
 * unix_place - the place in the file system where a Unix socket is to listen.
 *
 * Owner:    nobody; reasons are static text or strerror()'s, until the next call.
 */
#ifndef WEIR_PROGRAM_UNIX_PLACE_IO_H
#define WEIR_PROGRAM_UNIX_PLACE_IO_H

#include <sys/stat.h>
#include <sys/types.h>

/* Takes a stale socket away, one at which nobody answers.  NULL when the place is free, or why it
 * is not: somebody listens there, or a file is there that is no socket.  path is at most
 * WEIR_ENDPOINT_PATH_MAX octets. */
const char *weir_unix_place_clear(const char *path);

/* A listening socket at such a place, that does not block, with the mode of an enum
 * weir_socket_access from its first moment on; *made_r is the file.  -1 and *why_r. */
int weir_unix_place_listen(const char *path, int access, int backlog, struct stat *made_r,
                           const char **why_r);

/* The mode of a socket file for an enum weir_socket_access. */
mode_t weir_unix_place_mode(int access);

#endif
