/*
 * rules_diff - what differs between two rule sets, rule by rule.
 *
 * Rules are the same when their ids are; of each that differs is told what: it came, it went, or
 * its name, test, score, state, or what else is said of it.
 *
 * Threads:  pure.
 * Errors:   WEIR_EINVAL when a text is no rule set, WEIR_ENOMEM; what row() gives when that is not
 *           0, and then it is not called again.
 */
#ifndef WEIR_ANALYZER_RULES_DIFF_H
#define WEIR_ANALYZER_RULES_DIFF_H

#include "core/evidence/rule_source.h"

enum weir_rule_difference {
    WEIR_RULE_ADDED,
    WEIR_RULE_GONE,
    WEIR_RULE_RENAMED,
    WEIR_RULE_TESTED,          /* its kind, its expression, what it looks at, its flags */
    WEIR_RULE_SCORED,
    WEIR_RULE_STATED,
    WEIR_RULE_DESCRIBED,
    WEIR_RULE_DIFFERENCES
};

const char *weir_rule_difference_name(enum weir_rule_difference difference);

/* old or new is NULL for what came or went; texts of them end with the call. */
struct weir_rules_differ {
    enum weir_rule_difference difference;
    const struct weir_rule_source *old, *new;
    const char *was, *is;      /* of what differs, as text; "" for what is not there */
};

typedef int weir_rules_diff_row(void *context, const struct weir_rules_differ *differ);

/* By id.  How many differences there are. */
int weir_rules_diff(struct weir_slice old, struct weir_slice new, weir_rules_diff_row *row,
                    void *context);

#endif
