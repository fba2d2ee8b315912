/*
 * The numbers of decisions that were counted last (monitor/analyzer/seen.h), so that one which
 * comes again after a restart is known.
 *
 * At least the last WEIR_HITS_SEEN_MAX are kept, in rows of WEIR_DATABASE_SEEN_ROW.
 *
 * See database_io.h for owner, threads, errors and rows.
 */
#ifndef WEIR_DATABASE_SEEN_IO_H
#define WEIR_DATABASE_SEEN_IO_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/limits.h"
#include "monitor/database/database_io.h"

#define WEIR_DATABASE_SEEN_ROW 1024

/* Keeps numbers behind those that are there; the oldest go.  0 or an error. */
int weir_database_seen_put(struct weir_database *database, const uint64_t *number, size_t count);

/* All of them, the oldest first. */
int weir_database_seen(struct weir_database *database,
                       int (*row)(void *context, const uint64_t *number, size_t count),
                       void *context);

#endif
