/*
 * ctl_judge - the way of a question: plan, read, judge, and of a vote: learn.
 *
 * Nothing here knows where questions come from or how answers are shown.
 */
#include "monitor/ctl/ctl_judge.h"

void weir_ctl_plan(struct weir_ctl *ctl, const struct weir_address *address,
                   struct weir_slice domain, bool authenticated,
                   struct weir_ctl_question *question_r)
{
    weir_engine_query(ctl->engine, address, domain, question_r->domain, &question_r->query);
    question_r->query.authenticated = authenticated;
    question_r->query.with_rates = true;
    question_r->readings = weir_reputation_plan(&ctl->config.reputation, &ctl->stores.key,
                                                &question_r->query, question_r->reading);
}

bool weir_ctl_judge(struct weir_ctl *ctl, weir_time as_of, struct weir_ctl_question *question,
                    struct weir_reputation *reputation_r)
{
    int rc = weir_counters_read(ctl->stores.counters, as_of, question->reading,
                                question->readings);
    weir_reputation_judge(&ctl->config.reputation, &question->query, question->reading,
                          reputation_r);
    return rc == 1;
}

/* Counts what a vote adds, or takes it back. */
static int count(struct weir_ctl *ctl, weir_time when, const struct weir_ctl_question *question,
                 bool back, struct weir_vote vote, double weight)
{
    struct weir_addition addition[WEIR_REPUTATION_ADDITIONS];
    size_t n = weir_reputation_learn(&ctl->config.reputation, &ctl->stores.key, &question->query,
                                     back ? NULL : question->reading, vote, addition);
    int worst = 0;
    for (size_t i = 0; i < n; i++) {
        int rc = (back ? weir_counters_take_back : weir_counters_add)(
            ctl->stores.counters, when, &addition[i].counter, addition[i].weight * weight);
        worst = rc < 0 ? rc : worst;
    }
    return worst;
}

int weir_ctl_learn(struct weir_ctl *ctl, weir_time when, const struct weir_ctl_question *question,
                   struct weir_vote vote, double weight)
{
    return count(ctl, when, question, false, vote, weight);
}

int weir_ctl_take_back(struct weir_ctl *ctl, weir_time when,
                       const struct weir_ctl_question *question, struct weir_vote vote,
                       double weight)
{
    return count(ctl, when, question, true, vote, weight);
}

/* The first vote may be the first of its network or its group; the others are
 * not.  So they are entered apart, and taken back the same way. */
int weir_ctl_enter(struct weir_ctl *ctl, weir_time when, struct weir_ctl_question *question,
                   bool undo, struct weir_vote vote, long votes, size_t *lost_r)
{
    struct weir_reputation unused;
    int rc = 0;
    double left = (double)votes;
    *lost_r = 0;
    for (double n = 1; rc == 0 && left > 0; left -= n, n = left) {
        if (!undo)
            weir_ctl_judge(ctl, when, question, &unused); /* what was known then */
        rc = undo ? weir_ctl_take_back(ctl, when, question, vote, n)
                  : weir_ctl_learn(ctl, when, question, vote, n);
        int flushed = weir_counters_flush(ctl->stores.counters, lost_r);
        rc = rc != 0 ? rc : flushed;
    }
    return rc;
}

const char *weir_ctl_called(const struct weir_ctl *ctl, const struct weir_reputation *reputation)
{
    static const char *const word[] = {"good", "unsure", "spam", "spam"};
    return word[weir_engine_verdict(&ctl->config, reputation, reputation->forged)];
}
