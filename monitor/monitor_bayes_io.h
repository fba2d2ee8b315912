/*
 * bayes - the Bayesian classifier at the monitor: opening its training (monitor/analyzer/
 * training_io.h), its word list for publishing, and what operators ask and teach.
 *
 *     bayes status   {"spam", "ham", "tokens", "most", "least", "silent", "sources", "came", ...}
 *     bayes key      {"key": 32 hex digits, "id": 16 hex digits}: tokens are made under it
 *     bayes learn    id (of the key), as ("spam", "ham", "" to unlearn), messages: [{uid: 16 hex
 *                    digits, tokens: base64url}], at most WEIR_BAYES_TAUGHT_MAX
 *                    {"changed", "same"}
 *
 * What is taught is in the audit, a line for each question.
 *
 * Threads:  any; each takes the database's lock.
 * Errors:   NULL and question->why, with a code of HTTP, as the rulebook's.
 */
#ifndef WEIR_MONITOR_MONITOR_BAYES_IO_H
#define WEIR_MONITOR_MONITOR_BAYES_IO_H

#include "core/engine/info.h"
#include "monitor/analyzer/word_list.h"
#include "monitor/monitor_rulebook_io.h"

struct weir_monitor;

/* 0 or an error, logged. */
int weir_monitor_open_training(struct weir_monitor *monitor, const struct weir_info_keys *keys);

/* After the configuration was read anew. */
void weir_monitor_use_training(struct weir_monitor *monitor);

/* For the publisher; with the database's lock. */
int weir_monitor_words(void *monitor, struct weir_words *words_r);

/* A run of the analyzer: forgets what few had, long ago. */
void weir_monitor_prune(struct weir_monitor *monitor, weir_time now);

/* What comes of each verb, or NULL; the rulebook's table of verbs has them. */
json_t *weir_monitor_bayes_status(struct weir_monitor *monitor,
                                  struct weir_rulebook_question *question);
json_t *weir_monitor_bayes_key(struct weir_monitor *monitor,
                               struct weir_rulebook_question *question);
json_t *weir_monitor_bayes_learn(struct weir_monitor *monitor,
                                 struct weir_rulebook_question *question);

#endif
