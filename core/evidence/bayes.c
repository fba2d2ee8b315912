/*
 * Judges by a published word list.  Of each view the most telling tokens are kept in a heap whose
 * top is the least telling of them, in the arena, then both are merged; of equally telling ones
 * the hash decides, so that the order they came in does not matter.
 *
 * Refuses settings out of their bounds; whatever a table says, the result is a number.
 */
#include "core/evidence/bayes.h"

#include <float.h>
#include <math.h>

#include "core/base/error.h"
#include "core/base/limits.h"

#define SPARE (WEIR_BAYES_REPUTATIONS_MAX + 1)
#define CERTAIN 1e-12 /* no token is surer: logarithms stay finite whatever the counts */

struct weir_bayes_settings weir_bayes_defaults(void)
{
    return (struct weir_bayes_settings){.strength = 0.9, .prior = 0.538, .distance = 0.346,
                                        .independent = 0.3, .most = 150, .least_spam = 200,
                                        .least_ham = 200};
}

const char *weir_bayes_silence_text(enum weir_bayes_silence silence)
{
    switch (silence) {
    case WEIR_BAYES_SPEAKS:
        return "";
    case WEIR_BAYES_FEW_SPAM:
        return "too little spam was learned";
    case WEIR_BAYES_FEW_HAM:
        return "too little ham was learned";
    case WEIR_BAYES_NOTHING:
        break;
    }
    return "nothing of the message was learned";
}

/* The tail of a chi-square with an even number of degrees is that of a Poisson sum:
 * exp(-m) * (1 + m + m^2/2! + ... + m^(n-1)/(n-1)!), the terms here from the largest down. */
double weir_bayes_chi2_log(double m, size_t n)
{
    double top, below = 1, above = 1, sum = 1, log_sum;
    size_t peak;
    int sign;

    if (!(m > 0))
        return 0;
    peak = m < (double)(n - 1) ? (size_t)m : n - 1;
    for (size_t i = peak; i > 0 && below > 1e-18; i--) {
        below *= (double)i / m;
        sum += below;
    }
    for (size_t i = peak + 1; i < n && above > 1e-18; i++) {
        above *= m / (double)i;
        sum += above;
    }
    top = (double)peak * log(m) - lgamma_r((double)peak + 1, &sign) - m;
    log_sum = top + log(sum);
    return log_sum < 0 ? log_sum : 0;
}

static bool is_sound(const struct weir_bayes_settings *s)
{
    return s->strength > 0 && isfinite(s->strength) && s->prior > 0 && s->prior < 1 &&
           s->distance >= 0 && s->distance < 0.5 && s->independent > 0 && s->independent <= 1 &&
           s->most > 0 && s->most <= WEIR_BAYES_TELLING_MAX;
}

/* f of a token, of so many messages; a damaged table may have more with it than there are. */
static double share_of(const struct weir_bayes_settings *settings,
                       const struct weir_bayes_count *count, double spams, double hams)
{
    double spam = count->spam / spams, ham = count->ham / hams;
    double n = (double)count->spam + count->ham;
    double p = spam + ham > 0 ? spam / (spam + ham) : settings->prior;

    p = (settings->strength * settings->prior + n * p) / (settings->strength + n);
    return fmin(fmax(p, CERTAIN), 1 - CERTAIN);
}

static double spam_share(const struct weir_bayes_table *table,
                         const struct weir_bayes_settings *settings,
                         const struct weir_bayes_count *count)
{
    return share_of(settings, count, (double)table->spam, (double)table->ham);
}

static bool tells_less(const struct weir_bayes_telling *a, const struct weir_bayes_telling *b)
{
    double x = fabs(a->spam - 0.5), y = fabs(b->spam - 0.5);

    return x != y ? x < y : a->count.hash > b->count.hash;
}

static void sink(struct weir_bayes_telling *heap, size_t n, size_t at)
{
    struct weir_bayes_telling moved = heap[at];

    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && tells_less(&heap[child + 1], &heap[child]))
            child++;
        if (!tells_less(&heap[child], &moved))
            break;
        heap[at] = heap[child];
    }
    heap[at] = moved;
}

static void rise(struct weir_bayes_telling *heap, size_t at)
{
    struct weir_bayes_telling moved = heap[at];

    for (; at > 0 && tells_less(&moved, &heap[(at - 1) / 2]); at = (at - 1) / 2)
        heap[at] = heap[(at - 1) / 2];
    heap[at] = moved;
}

static void offer(struct weir_bayes_telling *heap, size_t *n, size_t most,
                  const struct weir_bayes_telling *telling)
{
    if (*n < most) {
        heap[*n] = *telling;
        rise(heap, (*n)++);
    } else if (tells_less(&heap[0], telling)) {
        heap[0] = *telling;
        sink(heap, *n, 0);
    }
}

/* From a heap to an order, the most telling first. */
static void sort(struct weir_bayes_telling *heap, size_t n)
{
    while (n > 1) {
        struct weir_bayes_telling least = heap[0];
        heap[0] = heap[--n];
        heap[n] = least;
        sink(heap, n, 0);
    }
}

/* The most telling tokens of each view, of all those known; of all of a view, how many there are
 * and their weights; and those of reputation. */
struct chosen {
    struct weir_bayes_telling *telling[WEIR_BAYES_VIEWS];
    size_t n[WEIR_BAYES_VIEWS], all[WEIR_BAYES_VIEWS];
    int64_t weights[WEIR_BAYES_VIEWS];
    struct weir_bayes_telling reputation[WEIR_BAYES_REPUTATIONS_MAX];
    size_t reputations;
};

static size_t choose(const struct weir_bayes_table *table,
                     const struct weir_bayes_settings *settings,
                     const struct weir_bayes_tokens *tokens, struct chosen *chosen)
{
    size_t known = 0;

    for (size_t i = tokens->reputations; i < tokens->tokens; i++) {
        struct weir_bayes_telling telling = {.token = &tokens->token[i]};
        enum weir_bayes_view view = telling.token->view;
        chosen->all[view]++;
        if (weir_bayes_table_find(table, telling.token->hash, &telling.count) != 1)
            continue;
        known++;
        chosen->weights[view] += telling.count.weight;
        telling.spam = spam_share(table, settings, &telling.count);
        if (fabs(telling.spam - 0.5) > settings->distance)
            offer(chosen->telling[view], &chosen->n[view], settings->most, &telling);
    }
    for (unsigned view = 0; view < WEIR_BAYES_VIEWS; view++)
        sort(chosen->telling[view], chosen->n[view]);
    return known;
}

/* Those of reputation, of which the first is all messages that have any: the others' shares are
 * taken of these.  Of an older list a word may have more. */
static size_t choose_reputation(const struct weir_bayes_table *table,
                                const struct weir_bayes_settings *settings,
                                const struct weir_bayes_tokens *tokens, struct chosen *chosen)
{
    struct weir_bayes_count all;
    size_t known = 0;

    if (tokens->reputations == 0 || tokens->reputations > WEIR_BAYES_REPUTATIONS_MAX + 1 ||
        weir_bayes_table_find(table, tokens->token[0].hash, &all) != 1 || all.spam == 0 ||
        all.spam < settings->least_spam || all.ham == 0 || all.ham < settings->least_ham)
        return 0;
    for (size_t i = 1; i < tokens->reputations; i++) {
        struct weir_bayes_telling telling = {.token = &tokens->token[i]};

        if (weir_bayes_table_find(table, telling.token->hash, &telling.count) != 1)
            continue;
        known++;
        telling.count.spam = telling.count.spam < all.spam ? telling.count.spam : all.spam;
        telling.count.ham = telling.count.ham < all.ham ? telling.count.ham : all.ham;
        telling.spam = share_of(settings, &telling.count, all.spam, all.ham);
        if (fabs(telling.spam - 0.5) > settings->distance)
            offer(chosen->reputation, &chosen->reputations, WEIR_BAYES_REPUTATIONS_MAX, &telling);
    }
    sort(chosen->reputation, chosen->reputations);
    return known;
}

/* All in one order. */
static void merge(const struct chosen *chosen, struct weir_bayes_telling *telling)
{
    const struct weir_bayes_telling *at[] = {chosen->telling[0], chosen->telling[1],
                                             chosen->reputation};
    size_t left[] = {chosen->n[0], chosen->n[1], chosen->reputations};

    for (size_t n = left[0] + left[1] + left[2]; n > 0; n--) {
        unsigned next = 0;

        for (unsigned i = 1; i < 3; i++)
            if (left[i] > 0 && (left[next] == 0 || tells_less(at[next], at[i])))
                next = i;
        *telling++ = *at[next]++;
        left[next]--;
    }
}

/* ln of one minus the chance of spam, or of ham, doubled; never that of zero. */
static double log_odd(double from_one, double off)
{
    double odd = off - expm1(from_one);
    return log(odd > DBL_MIN ? odd : DBL_MIN);
}

/* The logarithm of the odds by n tokens, of which a share is independent. */
static double combine(const struct weir_bayes_telling *telling, size_t n, double share)
{
    double spam = 0, ham = 0, k = ceil(share * (double)n), p, q;

    if (n == 0)
        return 0;
    for (size_t i = 0; i < n; i++) {
        spam -= log(telling[i].spam);
        ham -= log1p(-telling[i].spam);
    }
    p = weir_bayes_chi2_log(spam * k / (double)n, (size_t)k);
    q = weir_bayes_chi2_log(ham * k / (double)n, (size_t)k);
    return log_odd(q, exp(p)) - log_odd(p, exp(q));
}

/* Whom it comes from is one kind of evidence, which the score has already (REPUTATION): here it
 * may tip the balance, never decide. */
static double combine_reputation(const struct weir_bayes_settings *settings,
                                 const struct chosen *chosen)
{
    double weight = combine(chosen->reputation, chosen->reputations, settings->independent);

    return fmax(-WEIR_BAYES_REPUTATION_MOST, fmin(WEIR_BAYES_REPUTATION_MOST, weight));
}

/* Whole numbers are added first: the order of tokens does not matter. */
static double linear(const struct chosen *chosen)
{
    double sum = 0;

    for (unsigned view = 0; view < WEIR_BAYES_VIEWS; view++)
        if (chosen->all[view] > 0)
            sum += (double)chosen->weights[view] / WEIR_BAYES_WEIGHT_ONE /
                   sqrt((double)chosen->all[view]);
    return sum;
}

/* What both opinions are together. */
static double weight_of(const struct weir_bayes_result *result, bool weighed)
{
    double weight = 0;

    for (unsigned view = 0; view < WEIR_BAYES_VIEWS; view++)
        weight += weighed ? fmax(-WEIR_BAYES_VIEW_MOST,
                                 fmin(WEIR_BAYES_VIEW_MOST, result->view[view]))
                          : result->view[view];
    return weighed ? (weight + WEIR_BAYES_LINEAR * result->linear) / 2 : weight;
}

static int judge(const struct weir_bayes_table *table, const struct weir_bayes_settings *settings,
                 const struct weir_bayes_tokens *tokens, struct weir_arena *arena,
                 struct weir_bayes_result *result)
{
    size_t room = tokens->tokens < settings->most ? tokens->tokens : settings->most;
    struct weir_bayes_telling *telling = weir_arena_zero(arena, 4 * room + SPARE,
                                                         sizeof(*telling));
    struct chosen chosen = {.telling = {telling + 2 * room + SPARE, telling + 3 * room + SPARE}};

    if (!telling)
        return WEIR_ENOMEM;
    result->known = choose(table, settings, tokens, &chosen) +
                    choose_reputation(table, settings, tokens, &chosen);
    for (unsigned view = 0; view < WEIR_BAYES_VIEWS; view++) {
        result->view[view] = combine(chosen.telling[view], chosen.n[view],
                                     settings->independent);
        result->tellings += chosen.n[view];
    }
    result->reputation = combine_reputation(settings, &chosen);
    result->linear = linear(&chosen);
    result->weight = weight_of(result, table->weighed) + result->reputation;
    result->tellings += chosen.reputations;
    merge(&chosen, telling);
    result->telling = telling;
    for (size_t i = 0; i < result->tellings; i++)
        ++*(telling[i].spam > 0.5 ? &result->for_spam : &result->for_ham);
    result->probability = 1 / (1 + exp(-result->weight));
    if (result->tellings == 0 && result->linear == 0)
        result->silence = WEIR_BAYES_NOTHING;
    return 0;
}

static enum weir_bayes_silence silence(const struct weir_bayes_table *table,
                                       const struct weir_bayes_settings *settings)
{
    if (table->spam == 0 || table->spam < settings->least_spam)
        return WEIR_BAYES_FEW_SPAM;
    if (table->ham == 0 || table->ham < settings->least_ham)
        return WEIR_BAYES_FEW_HAM;
    return WEIR_BAYES_SPEAKS;
}

int weir_bayes_judge(const struct weir_bayes_table *table,
                     const struct weir_bayes_settings *settings,
                     const struct weir_bayes_tokens *tokens, struct weir_arena *arena,
                     struct weir_bayes_result *result_r)
{
    struct weir_bayes_result result = {.probability = 0.5};

    if (!is_sound(settings))
        return WEIR_EINVAL;
    result.silence = silence(table, settings);
    if (result.silence == WEIR_BAYES_SPEAKS &&
        judge(table, settings, tokens, arena, &result) < 0)
        return WEIR_ENOMEM;
    *result_r = result;
    return 0;
}
