/*
 * ctl_judge - asks, judges and learns about an address and a domain.
 *
 * The steps that `reputation`, `add`, `undo` and `replay` have in common, on
 * the counters and the engine that are open.
 */
#ifndef WEIR_CTL_JUDGE_H
#define WEIR_CTL_JUDGE_H

#include "monitor/ctl/ctl.h"

/* What is asked, and what the counters said.  Not to be moved once planned: the
 * query points into it. */
struct weir_ctl_question {
    struct weir_reputation_query query;
    char domain[WEIR_DOMAIN_TEXT];
    struct weir_reading reading[WEIR_REPUTATION_READINGS];
    size_t readings;
};

/* Makes a question of an address and a stated domain (empty: none). */
void weir_ctl_plan(struct weir_ctl *ctl, const struct weir_address *address,
                   struct weir_slice domain, bool authenticated,
                   struct weir_ctl_question *question_r);

/* Reads the counters of a planned question as of a time and judges.  False when some
 * of them were missing. */
bool weir_ctl_judge(struct weir_ctl *ctl, weir_time as_of, struct weir_ctl_question *question,
                    struct weir_reputation *reputation_r);

/* Notes a vote on a question that was read, or takes one back; stores nothing
 * before weir_counters_flush().  weight: that many votes, all of a group that
 * is known by now.  0 or an error of counters. */
int weir_ctl_learn(struct weir_ctl *ctl, weir_time when, const struct weir_ctl_question *question,
                   struct weir_vote vote, double weight);
int weir_ctl_take_back(struct weir_ctl *ctl, weir_time when,
                       const struct weir_ctl_question *question, struct weir_vote vote,
                       double weight);

/* Enters that many votes, or takes them back, and stores them; each is judged as of its time before
 * it is learned, the question's readings are then of that.  0, or an error and in *lost_r how many
 * counters were not stored. */
int weir_ctl_enter(struct weir_ctl *ctl, weir_time when, struct weir_ctl_question *question,
                   bool undo, struct weir_vote vote, long votes, size_t *lost_r);

/* What mail with this reputation would be called: "spam", "unsure" or "good",
 * the words of a vote. */
const char *weir_ctl_called(const struct weir_ctl *ctl, const struct weir_reputation *reputation);

#endif
