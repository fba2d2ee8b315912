/*
 * score - how many points a rule deserves by the mail it hit (claims B4, B16).
 *
 * The logarithm of how much more often it hits spam than ham, and the standard error of that:
 *
 *     llr = ln ((a + 1/2) / (A + 1)) - ln ((b + 1/2) / (B + 1))
 *     error^2 = 1 / (a + 1/2) - 1 / (A + 1) + 1 / (b + 1/2) - 1 / (B + 1)
 *
 * for a of A spam and b of B ham.  Times 0.7, because rules that hit the same mail say the same
 * thing more than once, llr less and more 1.645 errors are the points that the hits allow: fewer or
 * more they disprove, each in 19 of 20 cases.  A rule deserves what its author gave it, its base,
 * where that is allowed, else what is allowed and nearest to it.  So few hits leave the base where
 * it is, and the more there are the less it matters; a rule without a base has to earn all.
 *
 *     of 10,000 each, spam : ham     allowed         base 0    base 1    base 3
 *                        5 : 0    -0.02 ..  3.38      0.00      1.00      3.00
 *                      100 : 0     2.08 ..  5.34      2.08      2.08      3.00
 *                    1,000 : 50    1.93 ..  2.26      1.93      1.93      2.26
 *                        0 : 5    -3.38 ..  0.02      0.00      0.02      0.02
 *
 * Hits are counted by the verdict there would have been without the rule, corrected by what people
 * reported, or a rule would prove itself right; old ones weigh less (decay).
 *
 * Threads:  pure.
 * See also: C. Manning, H. Schuetze: Foundations of Statistical NLP, 2.2 (half counts); a Wald
 *           bound on the logarithm of a ratio of two proportions.
 */
#ifndef WEIR_ANALYZER_SCORE_H
#define WEIR_ANALYZER_SCORE_H

#include <stdbool.h>

#define WEIR_SCORE_STEP_MAX 0.5 /* points a score changes by in one run */
#define WEIR_SCORE_PART_MAX 0.7 /* of the points that make spam: no rule condemns alone */

struct weir_score_counts {
    double spam, ham;          /* messages, decayed; 0 or more, ones that are none count as 0 */
};

struct weir_score_evidence {
    double llr, error;         /* as above */
    double least, most;        /* llr less and more 1.645 errors */
};

/* What hits, of all messages seen in that time, say.  Hits beyond all count as all. */
struct weir_score_evidence weir_score_evidence(const struct weir_score_counts *hits,
                                               const struct weir_score_counts *all);

struct weir_score_bounds {
    double low, high;          /* low <= 0 <= high */
};

/* What a threshold of so many points allows a rule. */
struct weir_score_bounds weir_score_bounds(double spam_score);

/* The points that evidence allows, before any bounds. */
struct weir_score_bounds weir_score_allowed(const struct weir_score_evidence *evidence);

/* The score a rule of a base deserves: positive for a mark of spam, negative for one of ham; to
 * 1/100.  A base that is none counts as 0. */
double weir_score_deserved(const struct weir_score_evidence *evidence, double base,
                           const struct weir_score_bounds *bounds);

/* The next score on the way from one to another: a step at most, also from beyond the bounds,
 * and never through 0, where a rule stops until a person says otherwise. */
double weir_score_next(double now, double deserved, const struct weir_score_bounds *bounds);

#endif
