/*
 * ctl_flow - a log of votes, each judged by what came before it and then learned.
 *
 * What a vote adds depends on what was known at its time (whether its network
 * was a stranger, its group new), so every line is read as of its own time,
 * with all lines before it; but many are stored in one go.
 *
 * Owner:    the caller; begin with zeroes.
 * Errors:   those of counters.
 */
#ifndef WEIR_CTL_FLOW_H
#define WEIR_CTL_FLOW_H

#include "monitor/ctl/ctl_judge.h"
#include "monitor/ctl/ctl_pending.h"
#include "monitor/ctl/replay_line.h"

struct weir_ctl_flow {
    struct weir_ctl_question question;
    struct weir_ctl_pending pending;
    weir_time latest;
    uint64_t backwards;      /* lines earlier than one before them */
    unsigned long waiting;   /* lines learned and not stored */
    unsigned long stored;
    size_t lost;             /* counters, when storing failed */
};

/* Judges a line.  0 or an error of storing what had to be stored before. */
int weir_ctl_flow_judge(struct weir_ctl *ctl, struct weir_ctl_flow *flow,
                        const struct weir_replay_line *line,
                        struct weir_reputation *reputation_r);

/* Learns the line that was judged last.  0 or WEIR_EINVAL. */
int weir_ctl_flow_learn(struct weir_ctl *ctl, struct weir_ctl_flow *flow,
                        const struct weir_replay_line *line);

/* Stores what waits. */
int weir_ctl_flow_store(struct weir_ctl *ctl, struct weir_ctl_flow *flow);

#endif
