/*
 * publish_try - would a rule set make spam of recent mail that is not known to be any (claims B16,
 * B31)?
 *
 * What differs from the set before is tried on the decisions that are kept, as guard.h does it: a
 * rule scores more, or scores at all.  A person let it do that, so that messages between ham and
 * spam are no hindrance where it scored nothing before.  What new expressions hit nobody knows:
 * where there are any, messages that people reported as good, and whose texts are kept, are matched
 * with the rulebook as it is.
 *
 * Owner:    the caller.  Threads: one a handle.
 * Errors:   WEIR_EINVAL: it would, and which rule and message, in why_r; the database's;
 *           WEIR_ENOMEM.
 */
#ifndef WEIR_ANALYZER_PUBLISH_TRY_IO_H
#define WEIR_ANALYZER_PUBLISH_TRY_IO_H

#include "core/base/cursor.h"
#include "monitor/database/database_io.h"

struct weir_publish_trial {
    struct weir_slice before, next; /* as rule_source.h has it; before: "" for none */
    double spam_score;
    double share;              /* of what all others told, that counts of one server; 0: any */
    weir_time now;
};

/* 0 or an error. */
int weir_publish_try(struct weir_database *reading, const struct weir_publish_trial *trial,
                     char why_r[static WEIR_DATABASE_WHY]);

#endif
