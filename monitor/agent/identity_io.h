/*
 * identity_io - the file with an agent's identity, read as a secret should be.
 *
 * Owner:    the caller forgets what was read (identity.h).  Threads: any.
 * Errors:   logged with the file's name: WEIR_EINVAL.
 */
#ifndef WEIR_AGENT_IDENTITY_IO_H
#define WEIR_AGENT_IDENTITY_IO_H

#include "core/base/log.h"
#include "monitor/agent/identity.h"

/* Reads it; one that everybody may read, write or execute is refused. */
int weir_identity_file(const char *path, const struct weir_log *log,
                       struct weir_identity *identity_r);

#endif
