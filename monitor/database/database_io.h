/*
 * database - the monitor's spam database: what is known of addresses, servers, limits, events and
 * decisions (claim A25), in one SQLite file.
 *
 *     database_traffic_io.h     what addresses did; how far the spools and the journal are in it
 *     database_servers_io.h     mail servers: names, secrets, which agent is let in
 *     database_thresholds_io.h  limits          database_events_io.h     limits passed, and others
 *     database_decisions_io.h   what was done   database_audit_io.h      who did what
 *     database_owed_io.h        alerts that are still to be told
 *     database_reports_io.h     what people reported
 *     database_counters_io.h    counters of reputation, and what votes changed in them
 *     database_retention_io.h   forgetting in time
 *
 * WAL mode, synchronous NORMAL: after kill -9 all that was committed is there; after a power cut
 * the file is whole, and the last seconds may be missing, which the journal replays.  One
 * handle writes; any number of read-only handles, in this process or others, read at the same time
 * and see what was committed.
 *
 * Changes of one call are one transaction, unless the caller began one: then all calls up to
 * weir_database_commit() are one, and after an error the caller has to abandon it.
 *
 * Owner:    the caller owns the handle.  Threads: a handle, one thread at a time.
 * Errors:   WEIR_EFULL (disk or size), WEIR_ECORRUPT (damaged), WEIR_EDOWN (locked by another for
 *           5 s, and while it stays so, for a quarter of a second), WEIR_EINVAL (malformed or
 *           twice), WEIR_ENOMEM, WEIR_EIO; the last one's words are in weir_database_why().  A
 *           process that may pass RLIMIT_FSIZE must ignore SIGXFSZ.
 * Rows:     lists call row() for each until it returns other than 0; texts in a row end with
 *           the call; the database must not be changed in it.  They give the number of calls, or
 *           an error: what row() returned is one when it is less than 0.
 */
#ifndef WEIR_DATABASE_IO_H
#define WEIR_DATABASE_IO_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/clock.h"
#include "core/base/limits.h"

#define WEIR_DATABASE_WHY 640 /* room for the words of an error */

struct weir_database;

struct weir_database_options {
    const char *path;   /* made when missing, 0640, unless reading */
    bool reading;       /* a read-only handle */
    bool check;         /* look through all of it first: some seconds a gigabyte */
};

/* Opens a database, makes or migrates its tables unless reading.  Refused with the file's name and
 * what to do in why_r: a damaged file (WEIR_ECORRUPT), another program's or a newer one
 * (WEIR_EINVAL), when reading also an older one.  0 or an error. */
int weir_database_open(const struct weir_database_options *options,
                       char why_r[static WEIR_DATABASE_WHY], struct weir_database **database_r);

/* Closes; what the caller began and did not commit is abandoned. */
void weir_database_free(struct weir_database **database);

/* Its file, as long as it is open. */
const char *weir_database_path(const struct weir_database *database);

/* What went wrong last, with the file's name. */
const char *weir_database_why(const struct weir_database *database);
/* The error that these are the words of. */
int weir_database_trouble(const struct weir_database *database);

/* Several calls as one transaction.  0 or an error; a commit that fails is abandoned. */
int weir_database_begin(struct weir_database *database);
int weir_database_commit(struct weir_database *database);
void weir_database_abandon(struct weir_database *database);

/* Looks through all of it: 0, or WEIR_ECORRUPT and the first thing found as why. */
int weir_database_check(struct weir_database *database);

/* Octets in use; the file is longer by what was freed and not yet given back. */
int weir_database_octets(struct weir_database *database, uint64_t *octets_r);

#endif
