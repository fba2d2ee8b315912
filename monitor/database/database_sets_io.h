/*
 * Rule sets that were published: the files as servers got them (claims B11, B12, B31).
 *
 *     SELECT serial, datetime(made / 1000000, 'unixepoch'), who, what, rules FROM rule_sets
 *
 * Serials only grow, also when the sets before are gone, or this database never knew them.  The
 * newest WEIR_RULE_SETS_KEPT of at most WEIR_RULE_SETS_OCTETS_MAX are kept, and always two.
 *
 * See database_io.h for owner, threads, errors and rows.
 */
#ifndef WEIR_DATABASE_SETS_IO_H
#define WEIR_DATABASE_SETS_IO_H

#include "core/base/cursor.h"
#include "monitor/database/database_io.h"

#define WEIR_SET_ROLLBACK "rollback to " /* how `what` of one begins that brings back another */

struct weir_kept_set {
    uint32_t serial;
    weir_time made;
    const char *who;           /* "uid 0", "analyzer", ... */
    const char *what;          /* "published", or "rollback to 7" */
    const char *why;
    size_t rules;
    size_t octets;             /* of the signed file (rule_parcel.h) */
    struct weir_slice file;    /* that, deflated as zlib does; empty in lists */
};

/* The serial that comes next, from 1 on.  0 or an error. */
int weir_database_set_next(struct weir_database *database, uint32_t *serial_r);

/* The last serial that was given, as far as is known, which may be of a set that is not here; 0:
 * none.  And that one of this serial was given, when nothing here says so: 1, and serials go on
 * behind it; 0: that is known; WEIR_ELIMIT: there is no such serial; or an error. */
int weir_database_set_last(struct weir_database *database, uint32_t *serial_r);
int weir_database_set_given(struct weir_database *database, uint32_t serial);

/* Keeps one, and forgets those beyond the limits.  0; WEIR_EINVAL: its serial is not the next one;
 * WEIR_ELIMIT: a text is too long, or there are no more serials; or an error. */
int weir_database_set_add(struct weir_database *database, const struct weir_kept_set *set);

/* One with its file, or (0) the newest: 1, 0, or an error. */
int weir_database_set(struct weir_database *database, uint32_t serial,
                      int (*row)(void *context, const struct weir_kept_set *set), void *context);

/* All that are kept, the newest first, without their files. */
int weir_database_sets(struct weir_database *database,
                       int (*row)(void *context, const struct weir_kept_set *set), void *context);

#endif
