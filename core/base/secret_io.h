/*
 * secret - files that hold a key, and who may read them.
 *
 * Owner, threads: nothing is kept.
 */
#ifndef WEIR_BASE_SECRET_IO_H
#define WEIR_BASE_SECRET_IO_H

#include <stdbool.h>

/* Whether everybody may read or write a file, and its mode; false for one that is not there. */
bool weir_secret_is_open(const char *path, unsigned *mode_r);

#endif
