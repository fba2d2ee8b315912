/*
 * monitor_verbs_impl - what the files of verbs share: monitor_verbs_io.c (servers, thresholds,
 * addresses, ...), monitor_silence_io.c (alerts), monitor_trial_io.c (thresholds tried),
 * monitor_accounts_io.c (who may use the console) and monitor_tokens_io.c (programs that may).
 */
#ifndef WEIR_MONITOR_MONITOR_VERBS_IMPL_H
#define WEIR_MONITOR_MONITOR_VERBS_IMPL_H

#include <stdbool.h>

#include "monitor/console/accounts.h"
#include "monitor/monitor_impl.h"
#include "monitor/monitor_verbs_io.h"

/* NULL, after why was noted with 404, or with 403, or with 500 what the database says. */
json_t *weir_verb_unknown(struct weir_question *question, const char *why);
json_t *weir_verb_forbid(struct weir_question *question, const char *why);
json_t *weir_verb_trouble(struct weir_question *question);
json_t *weir_verb_short(struct weir_question *question); /* of memory: 500, too */
/* The same: it is in the database, and the monitor goes on as before. */
json_t *weir_verb_stored_only(struct weir_question *question);

/* What a question names; "" when it does not. */
const char *weir_verb_text(const struct weir_question *question, const char *name);

/* Whether that has at most so many octets, and a terminal can be shown all of them.  False, after
 * why not was noted with 400. */
bool weir_verb_fits(struct weir_question *question, const char *name, size_t most);

/* Ends the transaction of a change: when something was changed, with its line in the audit; when it
 * failed, takes all of it back.  done, or what went wrong. */
int weir_verb_end(struct weir_question *question, int done, bool changed, const char *what,
                  const char *detail);

/* A threshold as a question describes it, which is one beside the others; its texts are the
 * question's.  With the lock.  False, after why not was noted. */
struct weir_threshold;
bool weir_verb_threshold(struct weir_question *question, struct weir_threshold *threshold_r);

/* Of alerts (monitor_silence_io.c); with the lock. */
json_t *weir_verb_acknowledge(struct weir_question *question);
json_t *weir_verb_unacknowledge(struct weir_question *question);
json_t *weir_verb_silence_add(struct weir_question *question);
json_t *weir_verb_silence_end(struct weir_question *question);

/* The role that a question names, a viewer's when it does not; WEIR_NOBODY: there is none such. */
enum weir_role weir_verb_role(const struct weir_question *question);

/* Of tokens (monitor_tokens_io.c); with the lock. */
json_t *weir_verb_token_add(struct weir_question *question);
json_t *weir_verb_token_remove(struct weir_question *question);

/* "threshold try": whom one would have caught (monitor_trial_io.c).  It takes the lock for a moment
 * only. */
json_t *weir_monitor_try(struct weir_question *question);

#endif
