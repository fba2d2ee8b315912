/*
 * word_list - from what was learned to the octets of a published word list: counts, and weights
 * fitted to the messages that are kept.
 *
 * What it is made of is gathered under a lock (weir_training_words()), and made without one.
 *
 * Owner:    the caller owns the words; free them.
 * Errors:   WEIR_ENOMEM.
 */
#ifndef WEIR_ANALYZER_WORD_LIST_H
#define WEIR_ANALYZER_WORD_LIST_H

#include "core/evidence/bayes_table.h"
#include "monitor/analyzer/bayes_fit.h"

struct weir_words {
    struct weir_bayes_counts counts; /* malloc'ed; their weights are set by building */
    struct weir_bayes_fit *fit;      /* messages; NULL: too few for weights */
    size_t most;                     /* entries of a list */
};

/* A list of at most so many entries, and of no more than words->most.  0 with octets (malloc'ed,
 * the caller frees), or WEIR_ENOMEM. */
int weir_word_list_build(struct weir_words *words, size_t room, void **octets_r, size_t *len_r);

/* Leaves nothing behind. */
void weir_words_free(struct weir_words *words);

#endif
