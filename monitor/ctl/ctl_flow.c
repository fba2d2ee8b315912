/*
 * ctl_flow - reads through what is pending, and stores it when it must.
 *
 * It must when the buffer of events is nearly full, and when time goes back: an
 * event that lies in a later epoch than the question does not count there, which
 * only the store knows.
 */
#include "monitor/ctl/ctl_flow.h"

#include "core/base/error.h"

int weir_ctl_flow_store(struct weir_ctl *ctl, struct weir_ctl_flow *flow)
{
    int rc = weir_counters_flush(ctl->stores.counters, &flow->lost);
    weir_ctl_pending_clear(&flow->pending);
    if (rc == 0) {
        flow->stored += flow->waiting;
        flow->waiting = 0;
    }
    return rc;
}

static int make_way(struct weir_ctl *ctl, struct weir_ctl_flow *flow, weir_time time)
{
    bool back = time < flow->latest;
    bool full = flow->pending.noted + WEIR_REPUTATION_ADDITIONS > WEIR_CTL_PENDING_MAX;
    flow->backwards += back;
    flow->latest = back ? flow->latest : time;
    return back || full ? weir_ctl_flow_store(ctl, flow) : 0;
}

int weir_ctl_flow_judge(struct weir_ctl *ctl, struct weir_ctl_flow *flow,
                        const struct weir_replay_line *line,
                        struct weir_reputation *reputation_r)
{
    struct weir_ctl_question *question = &flow->question;
    int rc = make_way(ctl, flow, line->time);
    if (rc != 0)
        return rc;
    weir_ctl_plan(ctl, &line->address, line->domain, line->authenticated, question);
    (void)weir_counters_read(ctl->stores.counters, line->time, question->reading,
                             question->readings);
    weir_ctl_pending_complete(&flow->pending, line->time, question->reading, question->readings);
    weir_reputation_judge(&ctl->config.reputation, &question->query, question->reading,
                          reputation_r);
    return 0;
}

int weir_ctl_flow_learn(struct weir_ctl *ctl, struct weir_ctl_flow *flow,
                        const struct weir_replay_line *line)
{
    struct weir_addition addition[WEIR_REPUTATION_ADDITIONS];
    const struct weir_ctl_question *question = &flow->question;
    size_t n = weir_reputation_learn(&ctl->config.reputation, &ctl->stores.key, &question->query,
                                     question->reading, line->vote, addition);
    for (size_t i = 0; i < n; i++) {
        const struct weir_addition *one = &addition[i];
        int rc = weir_counters_add(ctl->stores.counters, line->time, &one->counter, one->weight);
        if (rc != 0)
            return rc;
        weir_ctl_pending_note(&flow->pending, &one->counter, line->time, one->weight);
    }
    flow->waiting++;
    return 0;
}
