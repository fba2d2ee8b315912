/*
 * judge_count - what a message teaches the reputation of its address and domain: what the rules
 * said of it, and never what its reputation made of that, or a first impression would confirm
 * itself for ever.
 *
 * What is counted stands in the spam-info string, so that whoever has the string can count it
 * again, and people's votes can take its place.  Mail that reputation is not asked about (of our
 * own users, bounces, from listed addresses) teaches nothing, nor does mail judged without rules.
 */
#include <string.h>

#include "core/engine/judge_impl.h"

/* Points that come of reputation, if only in part: the classifier hears of it, too. */
static bool is_of_reputation(uint32_t id)
{
    return id == WEIR_POINT_REPUTATION || id == WEIR_POINT_FORGED_DOMAIN || id == WEIR_POINT_BAYES;
}

static enum weir_said said_by_rules(const struct weir_judge *judge)
{
    const struct weir_config *config = judge->parts.config;
    const struct weir_judgement *judgement = &judge->judgement;
    const double least = 0.005; /* points are hundredths */
    double score = 0;

    for (size_t i = 0; i < judgement->points; i++)
        if (!is_of_reputation(judgement->point[i].id))
            score += judgement->point[i].points;
    if (score > config->spam_score - least)
        return WEIR_SAID_SPAM;
    return score > config->unsure_score - least ? WEIR_SAID_UNSURE : WEIR_SAID_GOOD;
}

/* A domain that is too long for the string would be another one to whoever reads that. */
static const char *domain_of(const struct weir_judge *judge)
{
    const char *domain = judge->judgement.decision.domain;

    return strlen(domain) <= WEIR_INFO_DOMAIN_MAX ? domain : "";
}

void weir_judge_count(struct weir_judge *judge)
{
    struct weir_judgement *judgement = &judge->judgement;
    weir_time at = judge->now / WEIR_SECOND * WEIR_SECOND; /* as the string says it */

    judgement->counted = (struct weir_counted){.computer = WEIR_SAID_NOTHING};
    if (!judge->parts.learn || !judgement->decision.judged || judgement->rules_missing ||
        !judgement->boundary.found)
        return;
    judgement->counted = judgement->decision.counted;
    judgement->counted.computer = said_by_rules(judge);
    if (judge->parts.enter)
        judge->parts.enter(judge->parts.context, WEIR_SHARED_STORES);
    (void)weir_engine_count(judge->parts.engine, at, &judgement->boundary.address,
                            domain_of(judge), &judgement->counted);
    if (judge->parts.leave)
        judge->parts.leave(judge->parts.context, WEIR_SHARED_STORES);
}
