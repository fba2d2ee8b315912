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

/* A table. */
int weir_ctl_test_show(struct weir_ctl *ctl, const struct weir_ctl_test_result *result);

/* All of it with hits, which are taken; NULL: an option is wrong, which was told. */
json_t *weir_ctl_test_json(struct weir_ctl *ctl, const struct weir_ctl_test_result *result,
                           json_t *hits);

/* What a rule of the book hit among the messages the monitor keeps, shown, or as *json_r where that
 * is not NULL.  When it is none: nothing, NULL there. */
int weir_ctl_test_counted(struct weir_ctl *ctl, unsigned most, json_t **json_r);

#endif
