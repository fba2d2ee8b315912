/*
 * secret - a file with a secret in it, made when it is missing.
 */
#ifndef WEIR_ENGINE_SECRET_IO_H
#define WEIR_ENGINE_SECRET_IO_H

#include <stdbool.h>
#include <stddef.h>

/* Reads the file at path into text (at most size - 1 octets, and a NUL); where there is none, makes
 * it first (mode 0640, the folder's owner) with the text fresh.  Of two programs that
 * start at once one makes it and both read the same.  0 with *len_r; WEIR_EIO with errno;
 * WEIR_ELIMIT (path, or a file that does not fit). */
int weir_secret_file(const char *path, const char *fresh, char *text, size_t size,
                     size_t *len_r);

/* Reads a file that must be there, in the same way. */
int weir_secret_read(const char *path, char *text, size_t size, size_t *len_r);

/* Whether everybody may read or write a file, and then its mode; false where there is none. */
bool weir_secret_is_open(const char *path, unsigned *mode_r);

#endif
