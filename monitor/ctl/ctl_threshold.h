/*
 * ctl_threshold - a threshold as weirctl reads, changes and shows it.
 *
 * Owner:    plain values; the texts of .is lie in the value itself, which must not be copied.
 * Errors:   exit codes, after what went wrong was told.
 */
#ifndef WEIR_CTL_THRESHOLD_H
#define WEIR_CTL_THRESHOLD_H

#include "core/base/limits.h"
#include "monitor/ctl/ctl.h"
#include "monitor/database/database_thresholds_io.h"

struct weir_ctl_threshold {
    struct weir_threshold is;
    bool stored;                  /* in the database, and not only in the configuration */
    char name[WEIR_THRESHOLD_NAME_MAX + 1];
    char prefixes[WEIR_DATABASE_TEXT_MAX + 1], ladder[WEIR_DATABASE_TEXT_MAX + 1];
};

/* The threshold of this name, or a new one with the limits of the default. */
int weir_ctl_threshold_read(struct weir_ctl *ctl, struct weir_database *database,
                            const char *name, struct weir_ctl_threshold *threshold_r);

/* Changes what the options say, and looks whether it still is one. */
int weir_ctl_threshold_change(struct weir_ctl *ctl, struct weir_ctl_threshold *threshold);

/* One line for people. */
void weir_ctl_threshold_print(const struct weir_threshold *threshold, bool stored);

#endif
