/*
 * judge_teach - tells the monitor of messages whose verdict is sure, so that the Bayesian
 * classifier learns from them (claim C29).
 *
 * Sure is what rules alone make spam or ham, far from the middle: nothing of what reputation or the
 * classifier itself says counts, or first impressions would feed on themselves.  Nobody learns from
 * mail of our own users, from mail that goes out, or from mail whose rules were given up.  Lists
 * that say the contrary win.
 *
 * So many a second, spam and ham apart, that a flood of one leaves room for the other; a process
 * that lives for one message has no memory of others and tells of one in ALONE.  What is told are
 * hashes under the published key, and the signed string: no text.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/engine/judge_impl.h"
#include "core/engine/lesson.h"
#include "core/store/part_line.h"

#define ALONE 8
#define BURST 60         /* lessons at once, after quiet times */
#define TOKENS_LEAST 10  /* of a message that teaches anything */

enum kind { NONE, SPAM, HAM };

/* From where nothing is learned: it did not come in from outside, or nobody can tell. */
static bool is_own(const struct weir_judge *judge)
{
    const struct weir_decision *decision = &judge->judgement.decision;

    return judge->envelope.authenticated || !judge->envelope.has_client ||
           !judge->judgement.boundary.found || decision->ground == WEIR_GROUND_AUTHENTICATED ||
           decision->ground == WEIR_GROUND_NEVER;
}

static double score_of_rules(const struct weir_judgement *judgement)
{
    double score = 0;

    for (size_t i = 0; i < judgement->points; i++) {
        const struct weir_info_rule rule = {judgement->point[i].id,
                                            (float)judgement->point[i].points};

        score += weir_lesson_score(&rule, 1);
    }
    return score;
}

static enum kind kind_of(const struct weir_judge *judge)
{
    const struct weir_config *config = judge->parts.config;
    const struct weir_judgement *judgement = &judge->judgement;
    enum weir_verdict verdict = judgement->decision.verdict;
    enum weir_ground ground = judgement->decision.ground;
    double score = score_of_rules(judgement);
    bool accepted = ground == WEIR_GROUND_ACCEPT || ground == WEIR_GROUND_WHITELIST;

    if (judgement->rules_missing || judgement->rules_cut || judgement->hits_left_out > 0)
        return NONE;
    if (score >= config->bayes_learn_spam)
        return accepted ? NONE : SPAM;
    return score <= config->bayes_learn_ham && verdict != WEIR_BLOCKED ? HAM : NONE;
}

/* Whether it is its turn; with the spool's lock, which guards the pace, too. */
static bool is_turn(const struct weir_judge *judge, enum kind kind)
{
    double rate = judge->parts.config->bayes_lessons;
    weir_time each = rate > 0 ? (weir_time)((double)WEIR_SECOND / rate) : 0;
    weir_time *next, now = judge->now;

    if (rate <= 0)
        return false;
    if (!judge->parts.pace)
        return judge->uid % ALONE == 0;
    next = &judge->parts.pace->next[kind == SPAM];
    if (*next > now + BURST * each) /* the clock went back */
        *next = now;
    if (*next > now + (BURST - 1) * each)
        return false;
    *next = (*next > now ? *next : now) + each;
    return true;
}

static void write_parts(struct weir_judge *judge, struct weir_slice octets)
{
    const struct weir_part_whole whole = {.at = judge->now,
                                          .kind = WEIR_LESSON_KIND,
                                          .uid = judge->uid,
                                          .sum = weir_part_sum(octets),
                                          .octets = octets};

    (void)weir_spool_write_parts(judge->parts.spool, &whole);
}

int weir_judge_teach(struct weir_judge *judge)
{
    const char *info = judge->judgement.outcome.info;
    enum kind kind = NONE;
    struct weir_lesson lesson;
    struct weir_slice octets;
    int rc;

    if (judge->list && judge->parts.config->bayes_verdicts && info[0] && !is_own(judge))
        kind = kind_of(judge);
    if (kind == NONE || !is_turn(judge, kind))
        return 0;
    rc = weir_judge_tokens(judge);
    if (rc < 0 || judge->tokens.tokens < TOKENS_LEAST)
        return rc;
    lesson = (struct weir_lesson){.key = weir_lesson_key(&judge->list->table.key),
                                  .binding = judge->binding,
                                  .info = weir_slice_of(info)};
    rc = weir_lesson_write(&lesson, &judge->tokens, judge->arena, &octets);
    if (rc == 0)
        write_parts(judge, octets);
    return rc == WEIR_ENOMEM ? rc : 0;
}
