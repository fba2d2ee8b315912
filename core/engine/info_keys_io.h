/*
 * info_keys - the file of keys for spam-info strings (info.h), the same on all servers and on the
 * monitor's.
 *
 * Errors:   WEIR_EIO with errno, WEIR_ELIMIT (too long a file or path), WEIR_EINVAL: a line of it
 *           is no key.
 */
#ifndef WEIR_ENGINE_INFO_KEYS_IO_H
#define WEIR_ENGINE_INFO_KEYS_IO_H

#include "core/engine/info.h"

#define WEIR_INFO_KEYS_WHY 64

/* Reads the keys of a file; where there is none, makes it first, with a random key.  0; or an
 * error, with why in words and no keys. */
int weir_info_keys_file(const char *path, struct weir_info_keys *keys_r,
                        char why_r[static WEIR_INFO_KEYS_WHY]);

#endif
