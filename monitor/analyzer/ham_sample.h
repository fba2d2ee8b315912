/*
 * ham_sample - which of many texts, each known by a few tokens, some good message has all tokens
 * of.
 *
 *     weir_ham_sample_want()   the tokens of a text (core/evidence/bayes_tokens.h): its number
 *     weir_ham_sample_look()   the tokens of each good message, once
 *     weir_ham_sample_has()    whether one of them had all of it
 *
 * So good mail is read once for all candidates of a run.  A message that has all pairs of words of
 * a phrase, but in other places, counts as one that has it: a draft less, never one too many.
 *
 * Owner:    the caller.  Threads: one.
 * Errors:   WEIR_ENOMEM; WEIR_ELIMIT.
 * Limits:   WEIR_HAM_WANTED_MAX texts, WEIR_HAM_TOKENS_MAX tokens of each.  A message takes time in
 *           proportion to its tokens and to what they are part of.
 */
#ifndef WEIR_ANALYZER_HAM_SAMPLE_H
#define WEIR_ANALYZER_HAM_SAMPLE_H

#include <stdbool.h>

#include "core/base/cursor.h"
#include "core/base/limits.h"

#define WEIR_HAM_TOKENS_MAX 16

struct weir_ham_sample;

/* 0 or WEIR_ENOMEM. */
int weir_ham_sample_new(struct weir_ham_sample **sample_r);
void weir_ham_sample_free(struct weir_ham_sample **sample);

/* The number of a text with these tokens, at least one; or WEIR_ELIMIT. */
int weir_ham_sample_want(struct weir_ham_sample *sample, const uint64_t *token, size_t tokens);

/* A good message's tokens, each once, 8 octets big-endian each. */
void weir_ham_sample_look(struct weir_ham_sample *sample, struct weir_slice tokens);

/* Whether a message that was looked at had all tokens of a text. */
bool weir_ham_sample_has(const struct weir_ham_sample *sample, int number);

/* How many messages were looked at, and texts are wanted. */
uint64_t weir_ham_sample_messages(const struct weir_ham_sample *sample);
size_t weir_ham_sample_wanted(const struct weir_ham_sample *sample);

#endif
