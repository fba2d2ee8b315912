/*
 * bayes_fit - weights of words, fitted to messages that were learned: the second opinion of the
 * published word list (core/evidence/bayes.h).
 *
 *     messages, newest first -> weir_bayes_fit_add() -> weir_bayes_fit_run() -> weights of words
 *
 * Logistic regression, in passes over all messages: whenever the weights so far are not sure of a
 * message, those of its words go towards what it is, the less the more they have moved before
 * (Adagrad):
 *
 *     z = sum of w x      g = (1 if spam, else 0) - 1 / (1 + exp(-z))      nothing when |g| < 0.01
 *     G += (g x)^2        w += g x / sqrt(G)                     x = 1 / sqrt(n of the word's view)
 *
 * What comes first moves words most, and which that is, is an accident of time.  So each of
 * WEIR_BAYES_FIT_PASSES passes begins from nothing with another order, and a word weighs the mean
 * of what they end with.  Within a pass spam and ham each have their own clock, so that both are
 * spread evenly: a thousand of one kind in a row would make everything look like it.
 *
 * Nothing is kept from one run to the next.  What is unlearned is no longer among the messages, and
 * the weights are as if it had never been there; the same messages give the same weights.
 *
 * One message moves a word by at most 1, a word that others moved before by less, and no word
 * weighs more than WEIR_BAYES_FIT_WEIGHT_MOST: whoever gets a message in to poison can teach no
 * more by it than any other message does.
 *
 * Owner:    the caller; tokens are copied.  Threads: one at a time.
 * Errors:   WEIR_ENOMEM.
 * Limits:   WEIR_BAYES_FIT_TOKENS_MAX tokens of messages, WEIR_BAYES_FIT_WORDS_MAX different ones:
 *           8 octets each of the former, some 32 of the latter, and twice that while it grows;
 *           35,000 messages are taken in in a quarter of a second and fitted in three.
 * See also: measured with tests/bench/bench_accuracy.py; J. Duchi, E. Hazan, Y. Singer, Adaptive
 *           Subgradient Methods, 2011.
 */
#ifndef WEIR_ANALYZER_BAYES_FIT_H
#define WEIR_ANALYZER_BAYES_FIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/evidence/bayes_table.h"

#define WEIR_BAYES_FIT_WEIGHT_MOST 2.0
#define WEIR_BAYES_FIT_PASSES 5

struct weir_bayes_fit;

/* For so many tokens of messages, at most (0: WEIR_BAYES_FIT_TOKENS_MAX).  0 or WEIR_ENOMEM. */
int weir_bayes_fit_new(size_t most, struct weir_bayes_fit **fit_r);
void weir_bayes_fit_free(struct weir_bayes_fit **fit);

/* Takes in a message that is older than those before it, by its tokens as they stand in a lesson
 * (core/engine/lesson.h): 1; 0: it is full, and older ones need not be offered; WEIR_ENOMEM. */
int weir_bayes_fit_add(struct weir_bayes_fit *fit, const uint8_t *token, size_t tokens, bool spam);

/* How many messages were taken in. */
size_t weir_bayes_fit_messages(const struct weir_bayes_fit *fit, bool spam);

/* Fits, anew each time.  0 or WEIR_ENOMEM. */
int weir_bayes_fit_run(struct weir_bayes_fit *fit);

/* What a word weighs, of WEIR_BAYES_WEIGHT_ONE; 0 for one that is not there. */
int16_t weir_bayes_fit_weight(const struct weir_bayes_fit *fit, uint64_t hash);

#endif
