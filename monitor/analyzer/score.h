/*
 * score - how many points a rule deserves by the mail it hit (claims B4, B16).
 *
 * The logarithm of how much more often it hits spam than ham, and the standard error of that:
 *
 *     llr = ln ((a + 1/2) / (A + 1)) - ln ((b + 1/2) / (B + 1))
 *     error^2 = 1 / (a + 1/2) - 1 / (A + 1) + 1 / (b + 1/2) - 1 / (B + 1)
 *
 * for a of A spam and b of B ham.  What a rule gets is what can be relied on: llr drawn towards 0
 * by 1.645 errors, so that in 19 of 20 cases it deserves more; times 0.7, because rules that hit
 * the same mail say the same thing more than once.  5 of 10,000 spam and no ham are worth nothing
 * yet, 100 are worth 2.1 points, 1,000 with 50 ham 1.9.
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

/* The score a rule deserves: positive for a mark of spam, negative for one of ham; to 1/100. */
double weir_score_deserved(const struct weir_score_evidence *evidence,
                           const struct weir_score_bounds *bounds);

/* The next score on the way from one to another: a step at most, into the bounds at once, and never
 * through 0, where a rule stops until a person says otherwise. */
double weir_score_next(double now, double deserved, const struct weir_score_bounds *bounds);

#endif
