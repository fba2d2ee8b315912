/*
 * bayes_weigh - how often a message is learned: once when the counts are sure of it already, else
 * as often as is told, so that what the classifier does not know yet, or gets wrong, counts more
 * than the thousandth copy of what it knows (train on errors and near errors).
 *
 * Sure is who would say what the message is with a weight of WEIR_BAYES_SURE (bayes.h), its tokens
 * taken as of one view, for hashes alone do not tell theirs.
 *
 * Threads:  those of the learner.
 * Errors:   WEIR_ENOMEM.
 * See also: measured with tests/bench/bench_accuracy.py.
 */
#ifndef WEIR_ANALYZER_BAYES_WEIGH_H
#define WEIR_ANALYZER_BAYES_WEIGH_H

#include "core/evidence/bayes.h"
#include "monitor/analyzer/bayes_fit.h"
#include "monitor/analyzer/bayes_learn.h"

#define WEIR_BAYES_SURE 20.0

/* A table of these tokens alone, with what was learned of them until now, and, unless fit is NULL,
 * what they weigh: a message is judged by it as by a whole one.  0 with octets (malloc'ed, the
 * caller frees), or WEIR_ENOMEM. */
int weir_bayes_learner_table(const struct weir_bayes_learner *learner,
                             const struct weir_bayes_fit *fit,
                             const struct weir_bayes_tokens *tokens, void **octets_r,
                             struct weir_bayes_table *table_r);

/* 1, or most when it is not sure, or is silent because too little was learned.  0 or
 * WEIR_ENOMEM. */
int weir_bayes_weigh(const struct weir_bayes_learner *learner,
                     const struct weir_bayes_tokens *tokens, bool spam, unsigned most,
                     unsigned *times_r);

#endif
