/*
 * monitor_rulebook_impl - what the parts of the rulebook share: monitor_rulebook_io.c (what is
 * asked), monitor_rulebook_add_io.c (rule files), monitor_rulebook_run_io.c (the analyzer),
 * monitor_drafts_io.c (drafts).
 */
#ifndef WEIR_MONITOR_MONITOR_RULEBOOK_IMPL_H
#define WEIR_MONITOR_MONITOR_RULEBOOK_IMPL_H

#include "monitor/database/database_rules_io.h"
#include "monitor/monitor_impl.h"
#include "monitor/monitor_rulebook_io.h"

/* What a question names; "" when it does not. */
const char *weir_rulebook_text(const struct weir_rulebook_question *question, const char *name);

/* NULL, after why was noted with 400, 404, or what a database's trouble is. */
json_t *weir_rulebook_refuse(struct weir_rulebook_question *question, const char *why);
json_t *weir_rulebook_unknown(struct weir_rulebook_question *question, const char *why);
json_t *weir_rulebook_trouble(struct weir_rulebook_question *question,
                              const struct weir_database *database, int error);

/* A handle of its own for reading, without the lock.  0, or an error, noted. */
int weir_rulebook_read(struct weir_monitor *monitor, struct weir_rulebook_question *question,
                       struct weir_database **database_r);

/* A state's number, or -1. */
int weir_rulebook_state(const char *name);

/* Whether a rule goes back to work. */
bool weir_rulebook_renews(enum weir_rule_state from, enum weir_rule_state to);

/* Whether a rule at work has more points than its bounds, or those of the threshold, allow: until
 * the analyzer has moved it back it decides almost alone. */
bool weir_rulebook_is_beyond(const struct weir_monitor *monitor, const struct weir_kept_rule *rule);

/* Rules that a person changed so, or gave other lines: what they have proven is forgotten, in the
 * database, too.  With its lock. */
void weir_rulebook_renew(struct weir_monitor *monitor, const uint32_t *rule, size_t rules,
                         weir_time now);

/* Makes drafts of missed spam as of a time, and stores them unless dry: what came of it, or NULL
 * when memory is short (monitor_drafts_io.c).  clock: what time it is really. */
json_t *weir_rulebook_drafts(struct weir_monitor *monitor, const char *who, weir_time clock,
                             struct weir_database *reading, weir_time now, bool dry);

/* Logs drafts that were made. */
void weir_rulebook_log_drafts(struct weir_monitor *monitor, const json_t *drafts);

/* "rules reject": a draft that is to be none. */
json_t *weir_rulebook_reject(struct weir_monitor *monitor, struct weir_rulebook_question *question);

/* "reports forget": the text of a reported message. */
json_t *weir_reports_forget(struct weir_monitor *monitor, struct weir_rulebook_question *question);

json_t *weir_rulebook_add(struct weir_monitor *monitor, struct weir_rulebook_question *question);
json_t *weir_rulebook_run(struct weir_monitor *monitor, struct weir_rulebook_question *question);

#endif
