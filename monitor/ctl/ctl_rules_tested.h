/*
 * ctl_rules_tested - rules that are to be tried: a typed one, those of a file, or one of the
 * rulebook or, where there is none, of this machine's rule files; made a set of their own, with
 * what their formulas name.
 *
 *     weirctl rules test '/cheap loan/i' ...        body TYPED /cheap loan/i
 *     weirctl rules test 'header X Subject =~ /y/'  a line of a rule file, or several
 *     weirctl rules test new.rules ...              a rule file
 *     weirctl rules test CHEAP_LOAN ...             a name, or a number
 *
 * Owner:    the caller closes it; names live in ctl->arena.
 * Errors:   exit codes, after what is wrong was told, by file and line.
 */
#ifndef WEIR_CTL_RULES_TESTED_H
#define WEIR_CTL_RULES_TESTED_H

#include "core/evidence/rule_source.h"
#include "monitor/ctl/ctl.h"

struct weir_ctl_tested_rule {
    uint32_t id;
    const char *name;
    enum weir_rule_kind kind;
};

struct weir_ctl_tested {
    struct weir_ctl_tested_rule *rule; /* by id */
    size_t rules;
    const char *path;           /* of the set, as long as it is open */
    int fd;
};

/* The configuration has been read. */
int weir_ctl_tested_open(struct weir_ctl *ctl, const char *which, struct weir_ctl_tested *tested);
void weir_ctl_tested_close(struct weir_ctl_tested *tested);

/* The rule of an id, or NULL. */
const struct weir_ctl_tested_rule *weir_ctl_tested_find(const struct weir_ctl_tested *tested,
                                                        uint32_t id);

#endif
