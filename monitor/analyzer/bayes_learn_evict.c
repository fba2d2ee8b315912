/*
 * Forgetting when there are as many tokens as the learner was made for: an eighth of those that
 * were seen least, and of these longest ago, so that the work is spread over all that come then.
 *
 * At once, when a message needs the room: the numbers are laid out and the limit is found among
 * them.  Or ahead of that, a piece at a time: first tokens are counted by what they are worth, then
 * those below the limit are taken out.  Learning goes on between two pieces, so that a few are not
 * seen, or are worth more by then, and stay.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/analyzer/bayes_learn_impl.h"

enum {
    PIECE = 1 << 18,             /* places looked at in one call */
    OFTEN = 16,                  /* seen so many times or more: all of one kind */
    WHEN_BITS = 16,              /* of the second it was seen last: 18 hours */
    KINDS = OFTEN << WHEN_BITS,
    RESERVE = 16,                /* so large a part is free, or forgetting begins */
};

/* What is to be forgotten first comes first: seen seldom, then seen long ago. */
static uint64_t worth(const struct weir_bayes_place *place)
{
    uint64_t n = (uint64_t)place->spam + place->ham;

    return (n < UINT32_MAX ? n : UINT32_MAX) << 32 | place->last;
}

/* At once. ------------------------------------------------------------------ */

/* Of n numbers, the one at a rank, 0 the least: one octet of it after the other. */
static uint64_t ranked(const uint64_t *number, size_t n, size_t rank)
{
    uint64_t found = 0, known = 0;

    for (unsigned shift = 64; shift > 0;) {
        size_t count[256] = {0};
        size_t next = 0;

        shift -= 8;
        for (size_t i = 0; i < n; i++)
            if ((number[i] & known) == found)
                count[number[i] >> shift & 0xff]++;
        while (rank >= count[next])
            rank -= count[next++];
        found |= (uint64_t)next << shift;
        known |= UINT64_C(0xff) << shift;
    }
    return found;
}

int weir_bayes_learner_evict(struct weir_bayes_learner *learner, size_t wanted)
{
    size_t places = learner->mask + 1, n = 0, gone = 0;
    uint64_t *worths = malloc((learner->state.tokens + 1) * sizeof *worths), limit;

    if (!worths)
        return WEIR_ENOMEM;
    for (size_t i = 0; i < places; i++)
        if (!weir_bayes_place_empty(&learner->place[i]))
            worths[n++] = worth(&learner->place[i]);
    wanted = wanted < n ? wanted : n;
    limit = wanted > 0 ? ranked(worths, n, wanted - 1) : 0;
    free(worths);
    /* Twice: what moves over the array's end into a place already looked at. */
    for (size_t i = 0; i < 2 * places && gone < wanted; i++) {
        struct weir_bayes_place *place = &learner->place[i & learner->mask];

        while (gone < wanted && !weir_bayes_place_empty(place) && worth(place) <= limit) {
            weir_bayes_learner_forget(learner, i & learner->mask);
            gone++;
        }
    }
    learner->state.evicted += gone;
    weir_bayes_learner_tidy_end(learner);
    return 0;
}

/* In pieces. ---------------------------------------------------------------- */

/* Worth, roughly: below KINDS. */
static size_t kind_of(const struct weir_bayes_place *place)
{
    uint64_t n = (uint64_t)place->spam + place->ham;

    return (size_t)((n < OFTEN ? n : OFTEN) - 1) << WHEN_BITS | place->last >> (32 - WHEN_BITS);
}

void weir_bayes_learner_tidy_end(struct weir_bayes_learner *learner)
{
    free(learner->tidying.counted);
    learner->tidying = (struct weir_bayes_tidying){.counted = NULL};
}

static int begin(struct weir_bayes_learner *learner)
{
    learner->tidying = (struct weir_bayes_tidying){
        .counted = calloc(KINDS, sizeof *learner->tidying.counted),
        .wanted = learner->most / WEIR_BAYES_EVICTED_PART};
    return learner->tidying.counted ? 1 : WEIR_ENOMEM;
}

/* All are counted: what goes is known. */
static void set_limit(struct weir_bayes_tidying *tidying)
{
    size_t left = tidying->wanted, kind = 0;

    while (kind < KINDS - 1 && left > tidying->counted[kind])
        left -= tidying->counted[kind++];
    free(tidying->counted);
    *tidying = (struct weir_bayes_tidying){.sweeping = true, .limit = kind, .last = left,
                                           .wanted = tidying->wanted};
}

static void count_piece(struct weir_bayes_learner *learner, size_t to)
{
    struct weir_bayes_tidying *tidying = &learner->tidying;

    for (; tidying->at < to; tidying->at++)
        if (!weir_bayes_place_empty(&learner->place[tidying->at]))
            tidying->counted[kind_of(&learner->place[tidying->at])]++;
    if (to > learner->mask)
        set_limit(tidying);
}

/* Whether it is among those that go. */
static bool goes(struct weir_bayes_tidying *tidying, const struct weir_bayes_place *place)
{
    size_t kind;

    if (weir_bayes_place_empty(place) || tidying->wanted == 0)
        return false;
    kind = kind_of(place);
    if (kind > tidying->limit || (kind == tidying->limit && tidying->last == 0))
        return false;
    tidying->last -= kind == tidying->limit;
    tidying->wanted--;
    return true;
}

static void sweep_piece(struct weir_bayes_learner *learner, size_t to)
{
    struct weir_bayes_tidying *tidying = &learner->tidying;

    for (; tidying->at < to; tidying->at++)
        while (goes(tidying, &learner->place[tidying->at])) {
            weir_bayes_learner_forget(learner, tidying->at);
            learner->state.evicted++;
        }
    if (to > learner->mask || tidying->wanted == 0)
        weir_bayes_learner_tidy_end(learner);
}

int weir_bayes_learner_tidy(struct weir_bayes_learner *learner)
{
    struct weir_bayes_tidying *tidying = &learner->tidying;
    size_t to = learner->mask + 1;

    if (!tidying->counted && !tidying->sweeping)
        return learner->state.tokens + learner->most / RESERVE > learner->most ? begin(learner)
                                                                               : 0;
    to = to - tidying->at > PIECE ? tidying->at + PIECE : to;
    (tidying->sweeping ? sweep_piece : count_piece)(learner, to);
    return tidying->counted || tidying->sweeping;
}
