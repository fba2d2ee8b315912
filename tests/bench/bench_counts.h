/*
 * bench_counts - a word list of one message's tokens, with what a learner has counted so far: they
 * have the counts that a whole list would have now, and making it costs next to nothing.
 */
#ifndef WEIR_TESTS_BENCH_COUNTS_H
#define WEIR_TESTS_BENCH_COUNTS_H

#include "core/base/error.h"
#include "core/evidence/bayes.h"
#include "monitor/analyzer/bayes_learn.h"
#include "tests/bench/bench_rig.h"

/* Its octets, which the caller frees.  As long as nothing was learned it says that it knows one
 * message of each kind, so that a classifier is asked at all. */
static inline void *bench_counts_table(const struct weir_bayes_learner *learner,
                                       const struct weir_hash_key *key,
                                       const struct weir_bayes_tokens *tokens,
                                       struct weir_bayes_table *table_r)
{
    struct weir_bayes_learner_state state = weir_bayes_learner_state(learner);
    struct weir_bayes_count *count = calloc(tokens->tokens + 1, sizeof(*count));
    struct weir_bayes_counts counts = {*key, state.spam + !state.spam, state.ham + !state.ham,
                                       count, tokens->tokens};
    void *octets;
    size_t len;

    if (!count)
        bench_die("memory is short");
    for (size_t i = 0; i < tokens->tokens; i++)
        weir_bayes_learner_find(learner, tokens->token[i].hash, &count[i]);
    if (weir_bayes_table_build(&counts, 0, &octets, &len) < 0 ||
        weir_bayes_table_attach(octets, len, true, table_r) < 0)
        bench_die("a word list could not be made");
    free(count);
    return octets;
}

#endif
