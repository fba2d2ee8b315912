/*
 * trial - whom a limit would have caught, had it been there (weirctl threshold test, and the
 * console's thresholds).
 *
 * The minutes of the database go through watches of the same kind as the monitor's, twice: each
 * minute's traffic spread evenly over its seconds, and all of it at the minute's beginning.  A
 * bucket never holds more than with even traffic, so that who is caught by the first is caught for
 * certain; who is caught by the second only may have been.  Acceptable senders go through watches
 * of their own, since the monitor never charges them: what they would have met is told apart.
 *
 * Owner:    the caller owns the outcome; all that options point to must outlive the run.
 * Threads:  as the database's.
 * Errors:   WEIR_EINVAL: these thresholds cannot be used together; WEIR_ELIMIT: too many events
 *           (caught.h); WEIR_ENOMEM; else the database's.
 * Limits:   options.addresses at once; WEIR_TRIAL_SPARED of acceptable ones.
 */
#ifndef WEIR_THRESHOLD_TRIAL_IO_H
#define WEIR_THRESHOLD_TRIAL_IO_H

#include "monitor/database/database_traffic_io.h"
#include "monitor/threshold/caught.h"
#include "monitor/threshold/policy.h"

#define WEIR_TRIAL_SPARED 100000

struct weir_trial_options {
    struct weir_database *database;
    const struct weir_policy *policy;    /* all that is in force, and what is tried */
    const char *name;                    /* of the threshold that is tried */
    double wider;                        /* as weir_watch_options has them */
    unsigned children;
    size_t addresses;
    int64_t from, to;                    /* minutes */
    bool (*spared)(void *context, const struct weir_address *address);
    /* Called for each row with how much is done of all; false: it is enough. */
    bool (*step)(void *context, uint64_t done, uint64_t all);
    void *context;
};

struct weir_trial {
    struct weir_caught caught;           /* closed and sorted */
    int64_t from, to, first;             /* minutes looked at; first: that is there, or 0 */
    uint64_t rows;
    bool cut;                            /* it was enough before the end: to is where */
};

struct weir_trial_counts {
    unsigned certain, perhaps, good, spared; /* good: of certain and perhaps */
};

/* The configuration's policy with the database's thresholds, and one to be tried in the place of
 * its name.  0, or an error with the reason; the caller frees the policy in any case. */
int weir_trial_policy(const struct weir_config *config, struct weir_database *database,
                      const struct weir_threshold *threshold, struct weir_policy *policy_r,
                      const char **why_r);

/* 0 or an error; the caller frees the outcome in any case. */
int weir_trial_run(const struct weir_trial_options *options, struct weir_trial *trial_r);

struct weir_trial_counts weir_trial_count(const struct weir_trial *trial);

void weir_trial_free(struct weir_trial *trial);

#endif
