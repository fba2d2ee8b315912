/*
 * bayes_learn - the counts behind the published word list, in the analyzer's memory.
 *
 * A message is learned as spam or as ham by its tokens, and can be unlearned: learning and
 * unlearning leaves the counts as they were.  What nobody learned cannot be unlearned.
 *
 *     learn -> counts -> weir_bayes_learner_counts() -> weir_bayes_table_build() -> published
 *
 * What is forgotten (weir_bayes_learner_prune, and by itself when it is full: what was seen least,
 * of that what was seen longest ago) is no longer in the table.  Each token keeps since when it is
 * counted, so that unlearning a message from before takes nothing from those who had it later.
 *
 * Owner:    the caller owns the learner, the learner its counts.
 * Threads:  one at a time.
 * Errors:   WEIR_ENOMEM, WEIR_EINVAL: nothing was changed.
 * Limits:   as many tokens as it was made for, up to WEIR_BAYES_LEARNED_MAX; 24 octets each, and
 *           up to three times as many octets while it grows.
 * See also: core/evidence/bayes_table.h; whether a message was learned before, and as what, is
 *           kept by whoever learns: here nobody knows messages.
 */
#ifndef WEIR_ANALYZER_BAYES_LEARN_H
#define WEIR_ANALYZER_BAYES_LEARN_H

#include "core/base/clock.h"
#include "core/evidence/bayes_table.h"
#include "core/evidence/bayes_tokens.h"

struct weir_bayes_learner;

/* For tokens under a key, at most so many.  0; WEIR_EINVAL for none or more than
 * WEIR_BAYES_LEARNED_MAX; WEIR_ENOMEM. */
int weir_bayes_learner_new(const struct weir_hash_key *key, size_t most,
                           struct weir_bayes_learner **learner_r);
void weir_bayes_learner_free(struct weir_bayes_learner **learner);

/* Takes over what a table has, as counted since a time: after a restart.  Only into an empty
 * learner with the table's key.  0, WEIR_EINVAL, WEIR_ELIMIT when it has more tokens than fit,
 * WEIR_ENOMEM. */
int weir_bayes_learner_load(struct weir_bayes_learner *learner,
                            const struct weir_bayes_table *table, weir_time since);

/* All it has, with its key, as octets (malloc'ed; little-endian on every machine), and a learner of
 * them, for as many tokens as it is told, or as there are: unlearning is as exact as before.  Save:
 * 0, WEIR_ENOMEM.  Restore: 0, WEIR_ECORRUPT, WEIR_EINVAL and WEIR_ENOMEM as for new. */
int weir_bayes_learner_save(const struct weir_bayes_learner *learner, void **octets_r,
                            size_t *len_r);
int weir_bayes_learner_restore(const void *octets, size_t len, size_t most,
                               struct weir_bayes_learner **learner_r);

/* The key of its tokens. */
const struct weir_hash_key *weir_bayes_learner_key(const struct weir_bayes_learner *learner);

/* Learns a message's tokens, no hash twice.  0, WEIR_ENOMEM, or WEIR_ELIMIT for more tokens than
 * half of what fits. */
int weir_bayes_learn(struct weir_bayes_learner *learner, const struct weir_bayes_tokens *tokens,
                     bool spam, weir_time now);

/* Takes back what was learned at a time.  0; WEIR_EINVAL, and nothing is changed, when it cannot
 * have been: no message of the kind is left, or a token was not counted then and has not been
 * forgotten since. */
int weir_bayes_unlearn(struct weir_bayes_learner *learner, const struct weir_bayes_tokens *tokens,
                       bool spam, weir_time learned);

/* Forgets tokens that at most so many messages had, the last one before a time.  Returns how
 * many. */
size_t weir_bayes_learner_prune(struct weir_bayes_learner *learner, uint32_t at_most,
                                weir_time before);

/* Forgets ahead of need, when it is nearly full: an eighth of those worth least, to a day or so of
 * when they were seen last, a piece of some milliseconds at a time.  1: there is more to do; 0; or
 * WEIR_ENOMEM, and it is done at once when it is full, which takes longer. */
int weir_bayes_learner_tidy(struct weir_bayes_learner *learner);

struct weir_bayes_learner_state {
    uint64_t spam, ham;    /* messages learned */
    size_t tokens, most;
    uint64_t evicted;      /* tokens forgotten because it was full, of all times */
    uint64_t pruned;
};

struct weir_bayes_learner_state weir_bayes_learner_state(const struct weir_bayes_learner *learner);

/* How often a token was learned.  1, or 0 and zeros. */
int weir_bayes_learner_find(const struct weir_bayes_learner *learner, uint64_t hash,
                            struct weir_bayes_count *count_r);

/* All counts, for weir_bayes_table_build(): counts_r->count is malloc'ed, the caller frees it.
 * 0 or WEIR_ENOMEM. */
int weir_bayes_learner_counts(const struct weir_bayes_learner *learner,
                              struct weir_bayes_counts *counts_r);

#endif
