/*
 * ctl_summary - how well a replayed log was judged.
 *
 * Keeps the probability of each line, and says at the end how much of the spam
 * would have been found if so much of the good mail may be flagged: the points of a
 * ROC curve that matter for mail.  Unsure lines are counted, not judged.
 *
 * Owner:    the caller owns the summary; begin with zeroes.
 */
#ifndef WEIR_CTL_SUMMARY_H
#define WEIR_CTL_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/evidence/reputation.h"

struct weir_ctl_sample {
    double *value;
    size_t n, room;
};

struct weir_ctl_summary {
    bool detailed;      /* keep probabilities */
    uint64_t count[3];  /* by enum weir_vote_verdict */
    uint64_t bad, backwards;
    double seconds;
    struct weir_ctl_sample sample[2]; /* of spam and of good mail */
};

/* False when memory is short. */
bool weir_ctl_summary_note(struct weir_ctl_summary *summary, enum weir_vote_verdict verdict,
                           double probability);

/* The share of spam whose probability is beyond that of all good mail but this
 * share of it; *threshold_r is the probability to be passed.  Sorts the samples.
 * 0 when there is no spam or no good mail. */
double weir_ctl_summary_found(struct weir_ctl_summary *summary, double flagged,
                              double *threshold_r);

/* One line, and the table when detailed; or all as one JSON object. */
void weir_ctl_summary_print(struct weir_ctl_summary *summary, bool json, FILE *out);

void weir_ctl_summary_free(struct weir_ctl_summary *summary);

#endif
