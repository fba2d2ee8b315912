/*
 * rulebook - the monitor's rulebook: what operators change in it, and the analyzer's runs over it,
 * by schedule and when asked (claims B1, B2, B8, B17).
 *
 *     rules add    files: [{name, text}], state (optional, of all whose test or state is in them),
 *                  reason; dry
 *                  (nothing is stored); import (history says from where, by origins: {name of a
 *                  rule: where it stood} or by file and line)
 *                  {"added", "changed", "same", "rules"}, or {"problems": [{file, line, why}],
 *                  "more"} and nothing was changed
 *     rules set    name (or number), any of score, low, high, state, approved (true without a
 *                  state is refused of retired and locked ones); reason
 *                  {"changed": true|false, "name", "id"}
 *     analyze      now (seconds, optional), dry
 *                  {"changes": [...], "rules", "changed", "refused", "passed", "messages", ...,
 *                  "drafts": {"made": [...], "left_out": [...], ...}}
 *     rules reject name (or number), reason: of a draft; nothing alike is drafted any more
 *     reports forget  uid (16 hex digits)       {"forgotten": messages}
 *     reports confirm, reports reject, reports undo   uid: monitor_desk_io.h
 *     bayes status, bayes key, bayes learn            monitor_bayes_io.h
 *
 * A rule that is added again, or of which a file has some lines, keeps its number (another is a
 * problem), and what the file does not say otherwise.  Everything is checked together with the
 * rules that are there: formulas may name them.
 *
 * Threads:  one of its own for the schedule; answers may be asked by any.  A run is one at a time,
 *           and so are rules that are added.  The database's lock is held while something is
 *           written only.
 * Errors:   NULL and question->why, with a code of HTTP.
 * Limits:   WEIR_RULES_TOLD_MAX problems.
 */
#ifndef WEIR_MONITOR_MONITOR_RULEBOOK_IO_H
#define WEIR_MONITOR_MONITOR_RULEBOOK_IO_H

#include <jansson.h>
#include <stdbool.h>

#include "core/base/clock.h"

#define WEIR_RULEBOOK_WHY 640

struct weir_monitor;

struct weir_rulebook_question {
    const json_t *json;
    const char *who;            /* "uid 0" */
    weir_time now;
    char why[WEIR_RULEBOOK_WHY]; /* of an error */
    unsigned code;
};

/* Begins the schedule.  0 or an error, logged. */
int weir_rulebook_open(struct weir_monitor *monitor);
void weir_rulebook_close(struct weir_monitor *monitor);

/* Whether a verb is one of the rulebook's, or of the classifier's (monitor_bayes_io.h). */
bool weir_rulebook_is_asked(const char *verb);

/* What comes of it, or NULL. */
json_t *weir_rulebook_answer(struct weir_monitor *monitor, struct weir_rulebook_question *question);

#endif
