/*
 * bayes - how probable it is that a message is spam, by the words of messages learned before.
 *
 * Each token of the message that was learned has a share of spam, p = (s/S) / (s/S + h/H), where
 * s of S spam and h of H ham had it, drawn towards x as long as it was seen seldom (Robinson):
 *
 *     f = (strength * x + n * p) / (strength + n)        n = s + h
 *
 * Of those farther from one half than a distance, the most telling are combined (Fisher): how
 * probable would it be to see values so near to 0 by chance, and how probable so near to 1?
 *
 *     P = chi2(-2 k/n sum ln f, 2 k)    Q = chi2(-2 k/n sum ln (1 - f), 2 k)    (1 + P - Q) / 2
 *
 * where chi2 is the chance of a larger sum, and k of the n tokens count as independent of one
 * another: words of one newsletter are not.  This is done for the text and for the header apart,
 * and their odds are multiplied; else the hundred words of a long text would outvote a header
 * that says the contrary.
 *
 * A word list with weights (bayes_table.h) has a second opinion: what each token adds to the
 * logarithm of the odds was fitted to messages, all tokens of a message together (logistic
 * regression), so that a word that only ever comes with another does not count twice.  Of n tokens
 * of a view, known or not, each has its weight / sqrt(n):
 *
 *     linear = sum over views of (sum of weights) / sqrt(n)
 *
 * The two go wrong about different messages, and the mean of their logarithms is better than
 * either; in it no view of the first is surer than WEIR_BAYES_VIEW_MOST, for words that are not
 * independent make it surer than it can be, and the second counts WEIR_BAYES_LINEAR, for a mean of
 * several passes (bayes_fit.h) is less sure than each of them.
 *
 * What reputation says (rep:..., bayes_tokens.h) is an opinion of its own beside these.  Mail out
 * of files has no such tokens, sure spam comes from strangers oftener than sure ham: so their
 * shares are taken of the messages that have any, S and H those of rep:any; they are silent until
 * there are least_spam and least_ham of these; and all together move the logarithm of the odds by
 * WEIR_BAYES_REPUTATION_MOST at most: nobody is spam for being new here, and the score has what
 * reputation says already (REPUTATION), where counted twice it hid more spam than it showed.
 *
 * All in logarithms: weight, the logarithm of the odds, still orders messages whose probabilities
 * round to 0 or 1.
 *
 * It is silent, with the reason, until enough spam and ham were learned, and for a message of
 * which nothing was learned.  The order of tokens does not matter.
 *
 * Owner:    the result's tokens lie in the arena, their texts where the tokens' texts are.
 * Threads:  pure.
 * Errors:   WEIR_ENOMEM; WEIR_EINVAL for settings out of their bounds.
 * Limits:   WEIR_BAYES_TELLING_MAX tokens of a view combined; n log(most) time for n tokens.
 * See also: claims C28, C29; G. Robinson, A Statistical Approach to the Spam Problem, 2003.
 */
#ifndef WEIR_EVIDENCE_BAYES_H
#define WEIR_EVIDENCE_BAYES_H

#include "core/base/arena.h"
#include "core/evidence/bayes_table.h"
#include "core/evidence/bayes_tokens.h"

#define WEIR_BAYES_VIEW_MOST 6.0
#define WEIR_BAYES_LINEAR 1.4
#define WEIR_BAYES_REPUTATION_MOST 0.1

struct weir_bayes_settings {
    double strength;     /* over 0: how many messages the prior weighs */
    double prior;        /* x, within 0 and 1 */
    double distance;     /* 0 to below 0.5: nearer to one half says nothing */
    double independent;  /* over 0 to 1: the share of tokens that counts, k = share * n, rounded
                          * up; 1 is Robinson's form */
    unsigned most;       /* 1 to WEIR_BAYES_TELLING_MAX tokens of each view are combined */
    uint64_t least_spam, least_ham; /* learned; below it, or a reputation, is silent */
};

/* What measured best on the first half of the corpus of tests/bench/bench_accuracy.py; 200 messages
 * of each. */
struct weir_bayes_settings weir_bayes_defaults(void);

enum weir_bayes_silence {
    WEIR_BAYES_SPEAKS,
    WEIR_BAYES_FEW_SPAM,   /* too little spam was learned */
    WEIR_BAYES_FEW_HAM,
    WEIR_BAYES_NOTHING,    /* no token of the message tells anything */
};

/* "", "too little spam was learned", ...  Static text. */
const char *weir_bayes_silence_text(enum weir_bayes_silence silence);

struct weir_bayes_telling {
    const struct weir_bayes_token *token;
    struct weir_bayes_count count;
    double spam; /* f */
};

struct weir_bayes_result {
    enum weir_bayes_silence silence;
    double probability;   /* of spam, 0 to 1; one half when it is silent */
    double weight;        /* ln of the odds, 0 when it is silent: the sum of view, or, of a word
                           * list with weights, the mean of both opinions; and reputation */
    double view[WEIR_BAYES_VIEWS]; /* by Fisher, each within 710 of 0 */
    double linear;        /* by weights; 0 without any */
    double reputation;    /* by what reputation says; 0 while that is silent */
    size_t known;         /* tokens that were learned */
    size_t for_spam, for_ham; /* of those that were combined */
    const struct weir_bayes_telling *telling; /* all these, most telling first */
    size_t tellings;
};

/* Judges a message's tokens, which were made with the table's key.  0, WEIR_ENOMEM,
 * WEIR_EINVAL. */
int weir_bayes_judge(const struct weir_bayes_table *table,
                     const struct weir_bayes_settings *settings,
                     const struct weir_bayes_tokens *tokens, struct weir_arena *arena,
                     struct weir_bayes_result *result_r);

/* ln of the chance that a chi-square of 2 n degrees of freedom (n > 0) is over 2 m (m >= 0). */
double weir_bayes_chi2_log(double m, size_t n);

#endif
