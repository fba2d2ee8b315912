/*
 * ctl_rules - the rule set at work on this machine, for verbs that name rules.
 *
 * Owner:    the caller closes what it opened; rules end with it.
 * Errors:   exit codes, after what went wrong was told.
 */
#ifndef WEIR_CTL_RULES_H
#define WEIR_CTL_RULES_H

#include "core/evidence/rules_io.h"
#include "monitor/ctl/ctl.h"

struct weir_ctl_rules {
    struct weir_rule_file *file;
    struct weir_matcher *matcher;
    const struct weir_rules *rules; /* NULL: there is no set */
};

/* Tells what is wrong in rule files, on the standard error (weir_rule_report). */
void weir_ctl_rules_tell(void *context, const char *file, unsigned line, const char *why);

/* Opens the set of the configuration, which is read first.  0, also when there is none. */
int weir_ctl_rules_open(struct weir_ctl *ctl, struct weir_ctl_rules *set);
void weir_ctl_rules_close(struct weir_ctl_rules *set);

#endif
