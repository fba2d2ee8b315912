/*
 * The tokens' counts are made into a table as it would be published, which is then judged by: the
 * same arithmetic as on a mail server.  All memory is given back at once.
 */
#include "monitor/analyzer/bayes_weigh.h"

#include <stdlib.h>

#include "core/base/error.h"

#define ARENA_FIRST (64u << 10)

int weir_bayes_learner_table(const struct weir_bayes_learner *learner,
                             const struct weir_bayes_fit *fit,
                             const struct weir_bayes_tokens *tokens, void **octets_r,
                             struct weir_bayes_table *table_r)
{
    struct weir_bayes_learner_state state = weir_bayes_learner_state(learner);
    struct weir_bayes_count *count = calloc(tokens->tokens + 1, sizeof *count);
    struct weir_bayes_counts counts = {.key = *weir_bayes_learner_key(learner),
                                       .spam = state.spam, .ham = state.ham, .count = count,
                                       .counts = tokens->tokens, .weighed = fit != NULL};
    size_t len;
    int rc = count ? 0 : WEIR_ENOMEM;

    for (size_t i = 0; rc == 0 && i < tokens->tokens; i++) {
        (void)weir_bayes_learner_find(learner, tokens->token[i].hash, &count[i]);
        if (fit)
            count[i].weight = weir_bayes_fit_weight(fit, tokens->token[i].hash);
    }
    if (rc == 0)
        rc = weir_bayes_table_build(&counts, 0, octets_r, &len);
    if (rc == 0)
        rc = weir_bayes_table_attach(*octets_r, len, false, table_r);
    free(count);
    return rc;
}

/* The same tokens, all of one view. */
static int one_view(const struct weir_bayes_tokens *tokens, struct weir_arena *arena,
                    struct weir_bayes_tokens *tokens_r)
{
    struct weir_bayes_token *token =
        weir_arena_take(arena, (tokens->tokens + 1) * sizeof *token);

    if (!token)
        return WEIR_ENOMEM;
    for (size_t i = 0; i < tokens->tokens; i++)
        token[i] = (struct weir_bayes_token){.hash = tokens->token[i].hash};
    *tokens_r = (struct weir_bayes_tokens){.token = token, .tokens = tokens->tokens};
    return 0;
}

static int weight(const struct weir_bayes_learner *learner, const struct weir_bayes_tokens *tokens,
                  struct weir_arena *arena, double *weight_r)
{
    const struct weir_bayes_settings settings = weir_bayes_defaults();
    struct weir_bayes_tokens flat;
    struct weir_bayes_result result;
    struct weir_bayes_table table;
    void *octets = NULL;
    int rc = arena ? one_view(tokens, arena, &flat) : WEIR_ENOMEM;

    if (rc == 0)
        rc = weir_bayes_learner_table(learner, NULL, &flat, &octets, &table);
    if (rc == 0)
        rc = weir_bayes_judge(&table, &settings, &flat, arena, &result);
    if (rc == 0)
        *weight_r = result.weight;
    free(octets);
    return rc;
}

int weir_bayes_weigh(const struct weir_bayes_learner *learner,
                     const struct weir_bayes_tokens *tokens, bool spam, unsigned most,
                     unsigned *times_r)
{
    struct weir_arena *arena = weir_arena_new(ARENA_FIRST);
    double says = 0;
    int rc = weight(learner, tokens, arena, &says);

    if (rc == 0)
        *times_r = (spam ? says : -says) > WEIR_BAYES_SURE ? 1 : most;
    weir_arena_free(&arena);
    return rc;
}
