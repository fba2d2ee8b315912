/*
 * Counts of tokens in one array with open addressing; what is taken out leaves no gap, for those
 * behind it move up.  Hashes are keyed and spread by themselves.
 *
 *     place[hash / 2 & mask], and on from there: the lowest bit is no hash (bayes_tokens.h)
 *
 * It grows by doubling until it holds what it was made for, at most three quarters full.  What is
 * forgotten then is bayes_learn_evict.c's.
 *
 * The learner owns the array.  It refuses to unlearn what its counts show was not learned, looking
 * at all tokens before it changes any.
 */
#include "monitor/analyzer/bayes_learn_impl.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/limits.h"

enum { FIRST = 1024 };

static uint32_t seconds(weir_time time)
{
    weir_time s = time / WEIR_SECOND;

    return s < 0 ? 0 : s > UINT32_MAX ? UINT32_MAX : (uint32_t)s;
}

static size_t home_of(const struct weir_bayes_learner *learner, uint64_t hash)
{
    return (size_t)(hash >> 1) & learner->mask;
}

struct weir_bayes_place *weir_bayes_learner_place(const struct weir_bayes_learner *learner,
                                                  uint64_t hash)
{
    size_t at = home_of(learner, hash);

    while (!weir_bayes_place_empty(&learner->place[at]) && learner->place[at].hash != hash)
        at = (at + 1) & learner->mask;
    return &learner->place[at];
}

/* Takes a token out and moves up those that were pushed on by it. */
static void take_out(struct weir_bayes_learner *learner, size_t gap)
{
    struct weir_bayes_place *place = learner->place;
    size_t mask = learner->mask;

    for (size_t at = (gap + 1) & mask; !weir_bayes_place_empty(&place[at]); at = (at + 1) & mask) {
        size_t home = home_of(learner, place[at].hash);
        if (((at - home) & mask) >= ((at - gap) & mask)) {
            place[gap] = place[at];
            gap = at;
        }
    }
    place[gap] = (struct weir_bayes_place){.hash = 0};
    learner->state.tokens--;
}

/* Room for all places of a new size; the old ones are put into it. */
static int resize(struct weir_bayes_learner *learner, size_t size)
{
    struct weir_bayes_place *old = learner->place;
    size_t old_size = old ? learner->mask + 1 : 0;
    struct weir_bayes_place *place = calloc(size, sizeof(*place));

    if (!place)
        return WEIR_ENOMEM;
    weir_bayes_learner_tidy_end(learner);
    learner->place = place;
    learner->mask = size - 1;
    for (size_t i = 0; i < old_size; i++)
        if (!weir_bayes_place_empty(&old[i]))
            *weir_bayes_learner_place(learner, old[i].hash) = old[i];
    free(old);
    return 0;
}

int weir_bayes_learner_new(const struct weir_hash_key *key, size_t most,
                           struct weir_bayes_learner **learner_r)
{
    struct weir_bayes_learner *learner;

    if (most == 0 || most > WEIR_BAYES_LEARNED_MAX)
        return WEIR_EINVAL;
    learner = calloc(1, sizeof(*learner));
    if (!learner)
        return WEIR_ENOMEM;
    learner->key = *key;
    learner->most = learner->state.most = most;
    if (resize(learner, FIRST) < 0) {
        free(learner);
        return WEIR_ENOMEM;
    }
    *learner_r = learner;
    return 0;
}

void weir_bayes_learner_free(struct weir_bayes_learner **learner)
{
    if (*learner) {
        weir_bayes_learner_tidy_end(*learner);
        free((*learner)->place);
    }
    free(*learner);
    *learner = NULL;
}

/* Forgetting. ------------------------------------------------------------ */

void weir_bayes_learner_forget(struct weir_bayes_learner *learner, size_t at)
{
    uint32_t last = learner->place[at].last;

    if (last >= learner->forgotten)
        learner->forgotten = last < UINT32_MAX ? last + 1 : last;
    take_out(learner, at);
}

size_t weir_bayes_learner_prune(struct weir_bayes_learner *learner, uint32_t at_most,
                                weir_time before)
{
    uint32_t limit = seconds(before);
    size_t tokens = learner->state.tokens, places = learner->mask + 1;

    /* Twice: what moves over the array's end into a place already looked at. */
    for (size_t i = 0; i < 2 * places; i++) {
        struct weir_bayes_place *place = &learner->place[i & learner->mask];
        while (!weir_bayes_place_empty(place) && place->last < limit &&
               (uint64_t)place->spam + place->ham <= at_most)
            weir_bayes_learner_forget(learner, i & learner->mask);
    }
    learner->state.pruned += tokens - learner->state.tokens;
    return tokens - learner->state.tokens;
}

/* Learning. -------------------------------------------------------------- */

int weir_bayes_learner_room(struct weir_bayes_learner *learner, size_t more)
{
    size_t size = learner->mask + 1, part = learner->most / WEIR_BAYES_EVICTED_PART;

    if (learner->state.tokens + more > learner->most) {
        size_t over = learner->state.tokens + more - learner->most;
        if (weir_bayes_learner_evict(learner, over > part ? over : part) < 0)
            return WEIR_ENOMEM;
    }
    while (size / 4 * 3 < learner->state.tokens + more)
        size *= 2;
    return size > learner->mask + 1 ? resize(learner, size) : 0;
}

/* How many of them are new; all, where some may have to be forgotten, for they may be among
 * these. */
static size_t places_for(const struct weir_bayes_learner *learner,
                         const struct weir_bayes_tokens *tokens)
{
    size_t n = 0;

    for (size_t i = 0; i < tokens->tokens; i++)
        n += weir_bayes_place_empty(weir_bayes_learner_place(learner, tokens->token[i].hash));
    return learner->state.tokens + n > learner->most ? tokens->tokens : n;
}

static void count(struct weir_bayes_learner *learner, uint64_t hash, bool spam, uint32_t now)
{
    struct weir_bayes_place *place = weir_bayes_learner_place(learner, hash);
    uint32_t *counter = spam ? &place->spam : &place->ham;

    if (weir_bayes_place_empty(place)) {
        *place = (struct weir_bayes_place){.hash = hash, .since = now};
        learner->state.tokens++;
    }
    if (*counter < UINT32_MAX)
        ++*counter;
    if (place->last < now)
        place->last = now;
    if (place->since > now)
        place->since = now;
}

int weir_bayes_learn(struct weir_bayes_learner *learner, const struct weir_bayes_tokens *tokens,
                     bool spam, weir_time now)
{
    if (tokens->tokens > learner->most / 2)
        return WEIR_ELIMIT;
    if (weir_bayes_learner_room(learner, places_for(learner, tokens)) < 0)
        return WEIR_ENOMEM;
    for (size_t i = 0; i < tokens->tokens; i++)
        count(learner, tokens->token[i].hash, spam, seconds(now));
    ++*(spam ? &learner->state.spam : &learner->state.ham);
    return 0;
}

/* Whether a token counts what was learned then; *gone_r: no more. */
static bool counts_it(const struct weir_bayes_learner *learner,
                      const struct weir_bayes_place *place, bool spam, uint32_t learned,
                      bool *gone_r)
{
    bool there = !weir_bayes_place_empty(place) && place->since <= learned;

    *gone_r = !there && learned < learner->forgotten;
    return there && (spam ? place->spam : place->ham) > 0;
}

int weir_bayes_unlearn(struct weir_bayes_learner *learner, const struct weir_bayes_tokens *tokens,
                       bool spam, weir_time learned)
{
    uint64_t *messages = spam ? &learner->state.spam : &learner->state.ham;
    uint32_t then = seconds(learned);
    bool gone;

    if (*messages == 0)
        return WEIR_EINVAL;
    for (size_t i = 0; i < tokens->tokens; i++) {
        struct weir_bayes_place *place = weir_bayes_learner_place(learner, tokens->token[i].hash);
        if (!counts_it(learner, place, spam, then, &gone) && !gone)
            return WEIR_EINVAL;
    }
    for (size_t i = 0; i < tokens->tokens; i++) {
        struct weir_bayes_place *place = weir_bayes_learner_place(learner, tokens->token[i].hash);
        if (!counts_it(learner, place, spam, then, &gone))
            continue;
        --*(spam ? &place->spam : &place->ham);
        if (weir_bayes_place_empty(place))
            take_out(learner, (size_t)(place - learner->place));
    }
    --*messages;
    return 0;
}

/* The table. ------------------------------------------------------------- */

int weir_bayes_learner_load(struct weir_bayes_learner *learner,
                            const struct weir_bayes_table *table, weir_time since)
{
    struct weir_bayes_count entry;

    if (learner->state.tokens > 0 || learner->state.spam > 0 || learner->state.ham > 0 ||
        memcmp(&learner->key, &table->key, sizeof(learner->key)) != 0)
        return WEIR_EINVAL;
    if (table->entries > learner->most)
        return WEIR_ELIMIT;
    if (weir_bayes_learner_room(learner, table->entries) < 0)
        return WEIR_ENOMEM;
    for (size_t i = 0; i < table->entries; i++) {
        weir_bayes_table_get(table, i, &entry);
        struct weir_bayes_place *place = weir_bayes_learner_place(learner, entry.hash);
        if (!weir_bayes_place_empty(place) || (entry.spam == 0 && entry.ham == 0))
            continue;
        *place = (struct weir_bayes_place){entry.hash, entry.spam, entry.ham, seconds(since),
                                           seconds(since)};
        learner->state.tokens++;
    }
    learner->state.spam = table->spam;
    learner->state.ham = table->ham;
    return 0;
}

struct weir_bayes_learner_state weir_bayes_learner_state(const struct weir_bayes_learner *learner)
{
    return learner->state;
}

int weir_bayes_learner_find(const struct weir_bayes_learner *learner, uint64_t hash,
                            struct weir_bayes_count *count_r)
{
    const struct weir_bayes_place *place = weir_bayes_learner_place(learner, hash);

    *count_r = (struct weir_bayes_count){.hash = hash, .spam = place->spam, .ham = place->ham};
    return weir_bayes_place_empty(place) ? 0 : 1;
}

int weir_bayes_learner_counts(const struct weir_bayes_learner *learner,
                              struct weir_bayes_counts *counts_r)
{
    struct weir_bayes_count *counts = calloc(learner->state.tokens + 1, sizeof(*counts));
    size_t n = 0;

    if (!counts)
        return WEIR_ENOMEM;
    for (size_t i = 0; i <= learner->mask; i++) {
        const struct weir_bayes_place *place = &learner->place[i];
        if (!weir_bayes_place_empty(place))
            counts[n++] = (struct weir_bayes_count){.hash = place->hash, .spam = place->spam,
                                                    .ham = place->ham};
    }
    *counts_r = (struct weir_bayes_counts){.key = learner->key, .spam = learner->state.spam,
                                           .ham = learner->state.ham, .count = counts,
                                           .counts = n};
    return 0;
}
