/*
 * ctl_sets - published rule sets for weirctl: from the monitor's database by serial, or from a file
 * rules-SERIAL.db wherever it lies.
 *
 * Owner:    the caller closes what it opened.
 * Errors:   exit codes, after what went wrong was told: EX_DATAERR for a file that was changed,
 *           WEIR_CTL_NOT_THERE for a serial that is not kept.
 */
#ifndef WEIR_CTL_SETS_H
#define WEIR_CTL_SETS_H

#include "core/evidence/rule_parcel.h"
#include "monitor/ctl/ctl.h"

struct weir_ctl_set {
    struct weir_rule_parcel parcel;
    void *octets;
    bool verified;           /* its signature holds; else there is no key here to see that */
};

/* Opens the set of a serial, or a file; the configuration is read first. */
int weir_ctl_set_open(struct weir_ctl *ctl, const char *which, struct weir_ctl_set *set_r);
void weir_ctl_set_close(struct weir_ctl_set *set);

#endif
