/*
 * ctl_rules_test - what came of trying rules: shown the same way wherever messages came from.
 */
#ifndef WEIR_CTL_RULES_TEST_H
#define WEIR_CTL_RULES_TEST_H

#include <jansson.h>

#include "monitor/ctl/ctl_rules_tested.h"

enum weir_ctl_said { WEIR_CTL_HAM_SAID, WEIR_CTL_SPAM_SAID, WEIR_CTL_NOTHING_SAID, WEIR_CTL_SAIDS };

struct weir_ctl_test_all {
    uint64_t messages[WEIR_CTL_SAIDS];
    double seconds;             /* none: nothing was tried anew */
};

struct weir_ctl_test_counts { /* of a rule */
    uint64_t hit[WEIR_CTL_SAIDS];
    double microseconds;        /* a message */
};

struct weir_ctl_test_result {
    const struct weir_ctl_test_all *all;
    const struct weir_ctl_test_counts *counts;
    const struct weir_ctl_tested_rule *rule;
    size_t rules;
};

/* Whether --sort and --where can be meant. */
int weir_ctl_test_check(struct weir_ctl *ctl);

/* A table, or with JSON all of it with hits, which is taken. */
int weir_ctl_test_show(struct weir_ctl *ctl, const struct weir_ctl_test_result *result,
                       json_t *hits);

/* weirctl rules test --recent. */
int weir_ctl_test_recent(struct weir_ctl *ctl, unsigned most);

#endif
