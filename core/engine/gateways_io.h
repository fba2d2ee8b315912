/*
 * gateways_io - the gateways of the configuration, and the file of what was learned about them.
 */
#ifndef WEIR_ENGINE_GATEWAYS_IO_H
#define WEIR_ENGINE_GATEWAYS_IO_H

#include "core/engine/config.h"
#include "core/mail/gateways.h"

/* Opens them: those of [boundary] gateways; as corroboration the never-list and [boundary] mx; and
 * what the file at path knows (it may be missing).  0, or, with a handle unless memory is short:
 *     WEIR_ECORRUPT, WEIR_EIO, WEIR_ENOMEM    without the file
 *     WEIR_ELIMIT    without the file, which is longer than WEIR_GATEWAYS_FILE_MAX; or with it, but
 *                    of the configuration no more than WEIR_GATEWAYS_MAX prefixes: of gateways,
 *                    and of those that corroborate
 * What is not whole must not be kept in place of the file. */
int weir_gateways_open(const struct weir_config *config, const struct weir_hash_key *key,
                       const char *path, struct weir_gateways **gateways_r);

/* Keeps other writers out from before the file is read until it is written: waits for its turn.  A
 * lock to be given back at the end, above 0, or WEIR_EIO, WEIR_ELIMIT. */
int weir_gateways_lock(const char *path);
void weir_gateways_unlock(int lock);

/* Writes what was learned in the place of path.  0, WEIR_EIO, WEIR_ELIMIT. */
int weir_gateways_keep(const struct weir_gateways *gateways, const char *path);

#endif
