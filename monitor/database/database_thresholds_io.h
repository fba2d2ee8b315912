/*
 * Thresholds: the classes of addresses and their limits, as an operator set them.
 *
 * Kept here as text and numbers; what they mean is said in monitor/threshold.  See database_io.h
 * for owner, threads, errors and rows.  Limits: names of 1..31 octets; texts of
 * WEIR_DATABASE_TEXT_MAX (WEIR_ELIMIT); rates and maxima are numbers of 0 or more (WEIR_EINVAL).
 */
#ifndef WEIR_DATABASE_THRESHOLDS_IO_H
#define WEIR_DATABASE_THRESHOLDS_IO_H

#include "monitor/database/database_io.h"

#define WEIR_THRESHOLD_NAME_MAX 31

struct weir_threshold {
    const char *name;
    const char *prefixes;           /* with blanks between them; "": everybody else */
    double rate[3], maximum[3];     /* of connections, messages, recipients */
    bool observe;
    const char *ladder;             /* what is done, step by step */
};

/* Adds a threshold, or puts it in the place of the one of its name.  0 or an error. */
int weir_database_threshold_put(struct weir_database *database,
                                const struct weir_threshold *threshold);

/* Takes one away: 1; 0 when there is none; an error. */
int weir_database_threshold_remove(struct weir_database *database, const char *name);

/* All, by name. */
int weir_database_thresholds(struct weir_database *database,
                             int (*row)(void *context, const struct weir_threshold *threshold),
                             void *context);

#endif
