/*
 * Harm comes before idleness: a rule that does both is in the test until it is idle there, too.
 */
#include "monitor/analyzer/life.h"

struct weir_life_settings weir_life_defaults(void)
{
    return (struct weir_life_settings){
        .idle = 30 * WEIR_DAY, .trial = WEIR_DAY, .false_positives = 3,
        .people = 2};
}

static bool is_idle(const struct weir_life_facts *facts, const struct weir_life_settings *settings,
                    weir_time now)
{
    weir_time last = facts->last_hit > facts->since ? facts->last_hit : facts->since;

    return settings->idle > 0 && now > last && now - last > settings->idle;
}

/* Whether it says the contrary of what its score says. */
static bool misleads(const struct weir_life_facts *facts)
{
    return (facts->score > 0 && facts->evidence.most < 0) ||
           (facts->score < 0 && facts->evidence.least > 0);
}

static bool is_blamed(const struct weir_life_facts *facts,
                      const struct weir_life_settings *settings)
{
    return facts->score > 0 && settings->false_positives > 0 &&
           facts->false_positives >= settings->false_positives &&
           facts->people >= settings->people;
}

/* Whether its hits alone bear out what its score would say; hits of what was drafted cannot. */
static bool is_borne_out(const struct weir_life_facts *facts)
{
    if (facts->next > 0)
        return (facts->drafted || facts->evidence.least > 0) && facts->false_positives == 0;
    return facts->next < 0 && facts->evidence.most < 0;
}

static bool is_proven(const struct weir_life_facts *facts,
                      const struct weir_life_settings *settings, weir_time now)
{
    return facts->approved && is_borne_out(facts) && now > facts->since &&
           now - facts->since >= settings->trial;
}

static const char *why_demoted(const struct weir_life_facts *facts,
                               const struct weir_life_settings *settings)
{
    if (is_blamed(facts, settings))
        return "people reported good mail that it hit";
    if (misleads(facts))
        return facts->score > 0 ? "it hits good mail rather than spam"
                                : "it hits spam rather than good mail";
    return NULL;
}

enum weir_rule_state weir_life_next(const struct weir_life_facts *facts,
                                    const struct weir_life_settings *settings, weir_time now,
                                    const char **why_r)
{
    bool active = facts->state == WEIR_RULE_ACTIVE, test = facts->state == WEIR_RULE_TEST;
    const char *why = active ? why_demoted(facts, settings) : NULL;
    enum weir_rule_state next = why ? WEIR_RULE_TEST : facts->state;

    if (!why && (active || test) && is_idle(facts, settings, now)) {
        next = WEIR_RULE_RETIRED;
        why = "no mail has hit it for too long";
    } else if (test && is_proven(facts, settings, now)) {
        next = WEIR_RULE_ACTIVE;
        why = "it has proven itself in the test";
    }
    *why_r = why ? why : "";
    return next;
}
