/*
 * What one told is taken off the sum to have the others'; sums are as counted, so that who lies
 * raises the others' bounds, never his own.
 */
#include "monitor/analyzer/shares.h"

#include <math.h>

/* What is there without one's own; counts that do not fit together leave nothing. */
static struct weir_score_counts without(const struct weir_score_counts *all,
                                        const struct weir_score_counts *own)
{
    return (struct weir_score_counts){fmax(0, all->spam - own->spam),
                                      fmax(0, all->ham - own->ham)};
}

static void add(struct weir_score_counts *counts, const struct weir_score_counts *more,
                double weight)
{
    counts->spam += weight * more->spam;
    counts->ham += weight * more->ham;
}

/* What servers told, or what was counted, where that is more. */
static struct weir_score_counts sum_of(const struct weir_share *share, size_t shares,
                                       const struct weir_score_counts *counted)
{
    struct weir_score_counts sum = {0, 0};

    for (size_t i = 0; i < shares; i++)
        add(&sum, &share[i].told, 1);
    return (struct weir_score_counts){fmax(sum.spam, counted->spam),
                                      fmax(sum.ham, counted->ham)};
}

static double weight_of(double own, double others, double most, double floor)
{
    double limit = fmax(floor, most * others);

    return own > limit ? limit / own : 1;
}

static double weight_beside(const struct weir_score_counts *own,
                            const struct weir_score_counts *others, double most, double floor)
{
    return fmin(weight_of(own->spam, others->spam, most, floor),
                weight_of(own->ham, others->ham, most, floor));
}

static bool are_quiet(const struct weir_score_counts *others)
{
    return others->spam < WEIR_SHARE_OTHERS || others->ham < WEIR_SHARE_OTHERS;
}

void weir_shares_weigh(struct weir_shares *shares)
{
    struct weir_score_counts sum = sum_of(shares->share, shares->shares, &shares->all);

    shares->all = shares->sum = sum;
    for (size_t i = 0; i < shares->shares; i++) {
        struct weir_share *share = &shares->share[i];
        struct weir_score_counts others = without(&sum, &share->told);

        share->weight = shares->most <= 0 || are_quiet(&others)
                            ? 1 : weight_beside(&share->told, &others, shares->most,
                                                WEIR_SHARE_ALL);
        add(&shares->sum, &share->told, share->weight - 1);
    }
}

/* A server's share of all messages; servers come in their order. */
static const struct weir_share *next_of(const struct weir_shares *shares, uint32_t server,
                                        size_t *at)
{
    while (*at < shares->shares && shares->share[*at].server < server)
        ++*at;
    return *at < shares->shares && shares->share[*at].server == server ? &shares->share[*at]
                                                                       : NULL;
}

struct weir_weighed weir_shares_rule(const struct weir_shares *shares,
                                     const struct weir_score_counts *hits,
                                     const struct weir_share *told, size_t servers)
{
    struct weir_score_counts sum = sum_of(told, servers, hits);
    struct weir_weighed weighed = {.hits = sum, .all = shares->sum, .weight = 1};
    size_t at = 0;

    for (size_t i = 0; i < servers; i++) {
        const struct weir_share *of = next_of(shares, told[i].server, &at);
        struct weir_score_counts others_all = without(&shares->all,
                                                      of ? &of->told : &told[i].told);
        struct weir_score_counts others = without(&sum, &told[i].told);
        double whole = of ? of->weight : 1, weight = whole;

        if (shares->most > 0 && !are_quiet(&others_all))
            weight = fmin(whole, weight_beside(&told[i].told, &others, shares->most,
                                               WEIR_SHARE_HITS));
        add(&weighed.hits, &told[i].told, weight - 1);
        if (of)
            add(&weighed.all, &of->told, weight - whole);
        weighed.bounded += weight < 1;
        if (weight < weighed.weight) {
            weighed.weight = weight;
            weighed.server = told[i].server;
            weighed.told = told[i].told;
        }
    }
    return weighed;
}

unsigned weir_shares_blamed(unsigned all, const struct weir_share_blame *by, size_t servers,
                            unsigned demote, double most)
{
    double count = 0;

    if (servers == 0 || demote == 0 || most <= 0)
        return all;
    for (size_t i = 0; i < servers; i++) {
        unsigned others = all > by[i].messages ? all - by[i].messages : 0;
        double limit = fmax(demote - 1, most * others);

        count += by[i].others < demote ? by[i].messages : fmin(by[i].messages, limit);
    }
    return (unsigned)fmin(all, floor(count));
}
