/*
 * rule_set - makes the rule set of what the monitor published (parcels_io.h) and of the
 * configuration's rule files, whose lines win.
 *
 * Owner:    nothing is kept.
 * Errors:   everything wrong in the files is reported by file and line, and then the set at
 *           work stays as it is: a rule set is made of all files or not at all.
 */
#ifndef WEIR_ENGINE_RULE_SET_IO_H
#define WEIR_ENGINE_RULE_SET_IO_H

#include "core/engine/config.h"
#include "core/evidence/rules_io.h"

struct weir_rule_set_made {
    size_t rules;      /* at work: drafts and retired ones are not */
    size_t octets;     /* of the image */
    uint32_t serial;   /* the published one's; else one more than that of the set before */
};

/* Reads the published set and [rules] folder and, when write, puts the set in the place of [rules]
 * file.  0; WEIR_EINVAL when something is wrong (reported); WEIR_EIO with errno; WEIR_ENOMEM,
 * WEIR_ELIMIT. */
int weir_rule_set_make(const struct weir_config *config, bool write, weir_rule_report *report,
                       void *context, struct weir_rule_set_made *made_r);

/* The serial of the set at work; 0: there is none that can be used. */
uint32_t weir_rule_set_serial(const struct weir_config *config);

/* Whether a set was published, or a rule file changed, added or taken away since the set was made;
 * false when there are none at all. */
bool weir_rule_set_stale(const struct weir_config *config);

/* Makes the set anew when it is stale or damaged, for daemons that start or are told to reload:
 * what is wrong is logged, and the old one stays. */
void weir_rule_set_refresh(const struct weir_config *config, const struct weir_log *log);

#endif
