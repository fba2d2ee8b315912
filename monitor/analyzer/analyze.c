/*
 * One rule at a time, out of what is handed in and nothing else, so that a history can be played
 * with any clock.  The state is decided first: a rule that goes needs no new score.
 */
#include "monitor/analyzer/analyze.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/line.h"

/* What there is to go by. --------------------------------------------------- */

static bool is_formula(const char *name)
{
    return strncmp(name, "__", 2) == 0;
}

static bool is_left_alone(const struct weir_analyze_rule *rule)
{
    return is_formula(rule->name) ||
           (rule->state != WEIR_RULE_ACTIVE && rule->state != WEIR_RULE_TEST);
}

/* Spam that is missed is judged good without the rule that was drafted of it: as long as nobody
 * says that what it hit was good, that is no evidence against it. */
static bool is_begged(const struct weir_analyze_rule *rule, const struct weir_score_counts *all)
{
    return rule->drafted && rule->false_positives == 0 &&
           weir_score_evidence(&rule->hits.decayed, all).llr <= 0;
}

static bool is_enough(const struct weir_analyze_rule *rule, const struct weir_score_counts *all)
{
    return rule->hits.decayed.spam + rule->hits.decayed.ham >= WEIR_ANALYZE_HITS_LEAST &&
           all->spam >= WEIR_ANALYZE_ALL_LEAST && all->ham >= WEIR_ANALYZE_ALL_LEAST &&
           !is_begged(rule, all);
}

/* Its own bounds or the threshold's, less the side of 0 that is not its author's. */
static struct weir_score_bounds bounds_of(const struct weir_analyze_rule *rule,
                                          const struct weir_analyze_settings *settings)
{
    struct weir_score_bounds bounds = {rule->low, rule->high};

    if (rule->low == 0 && rule->high == 0)
        bounds = weir_score_bounds(settings->spam_score);
    if (rule->base > 0)
        bounds.low = 0;
    if (rule->base < 0)
        bounds.high = 0;
    return bounds;
}

/* Words. -------------------------------------------------------------------- */

static void add_figures(struct weir_line *why, const struct weir_analyze_rule *rule,
                        const struct weir_score_counts *all)
{
    weir_line_text(why, "it hit ");
    weir_line_number(why, rule->hits.decayed.spam, 0);
    weir_line_text(why, " of ");
    weir_line_number(why, all->spam, 0);
    weir_line_text(why, " spam and ");
    weir_line_number(why, rule->hits.decayed.ham, 0);
    weir_line_text(why, " of ");
    weir_line_number(why, all->ham, 0);
    weir_line_text(why, " good messages lately");
    if (rule->bounded && rule->bounded[0] != '\0') {
        weir_line_text(why, ", as far as the word of ");
        weir_line_text(why, rule->bounded);
        weir_line_text(why, " counts");
    }
}

static void add_idle(struct weir_line *why, const struct weir_analyze_rule *rule, weir_time now)
{
    weir_time last = rule->hits.last_hit > rule->since ? rule->hits.last_hit : rule->since;

    weir_line_text(why, ": ");
    weir_line_count(why, (uint64_t)((now - last) / WEIR_DAY));
    weir_line_text(why, rule->hits.last_hit == 0 ? " days, and never before"
                        : last == rule->hits.last_hit ? " days since the last hit"
                                                      : " days since it came into its state");
}

/* Why its state changes, with the figures that made it. */
static void explain_state(struct weir_line *why, const struct weir_analyze_rule *rule,
                          const struct weir_score_counts *all, const char *reason,
                          enum weir_rule_state next, weir_time now)
{
    weir_line_text(why, reason);
    if (next == WEIR_RULE_RETIRED) {
        add_idle(why, rule, now);
        return;
    }
    if (next == WEIR_RULE_TEST && rule->false_positives > 0) {
        weir_line_text(why, ": ");
        weir_line_count(why, rule->false_positives);
        weir_line_text(why, " within 7 days");
    }
    weir_line_text(why, "; ");
    add_figures(why, rule, all);
}

static void explain_score(struct weir_line *why, const struct weir_analyze_rule *rule,
                          const struct weir_score_counts *all,
                          const struct weir_score_evidence *evidence)
{
    const struct weir_score_bounds allowed = weir_score_allowed(evidence);

    add_figures(why, rule, all);
    weir_line_text(why, ", which is worth ");
    weir_line_number(why, allowed.low, 2);
    weir_line_text(why, " to ");
    weir_line_number(why, allowed.high, 2);
    weir_line_text(why, "; its author gave it ");
    weir_line_number(why, rule->base, 2);
}

/* Deciding. ----------------------------------------------------------------- */

static struct weir_score_evidence evidence_of(const struct weir_analyze_rule *rule,
                                              const struct weir_score_counts *all)
{
    return is_enough(rule, all) ? weir_score_evidence(&rule->hits.decayed, all)
                                : (struct weir_score_evidence){.llr = 0};
}

static enum weir_rule_state next_state(const struct weir_analyze_rule *rule, double next,
                                       const struct weir_score_evidence *evidence,
                                       const struct weir_analyze_settings *settings,
                                       weir_time now, const char **reason_r)
{
    const struct weir_life_facts facts = {
        .state = rule->state,
        .score = rule->score,
        .next = next,
        .since = rule->since,
        .last_hit = rule->hits.last_hit,
        .false_positives = rule->false_positives,
        .people = rule->people,
        .evidence = *evidence,
        .approved = rule->approved,
        .drafted = rule->drafted,
    };
    struct weir_life_settings life = settings->life;

    if (rule->named)
        life.idle = 0;
    return weir_life_next(&facts, &life, now, reason_r);
}

static double next_score(const struct weir_analyze_rule *rule, double deserved,
                         const struct weir_score_bounds *bounds)
{
    double next = weir_score_next(rule->score, deserved, bounds);
    bool is_little = fabs(next - rule->score) < WEIR_ANALYZE_CHANGE_LEAST;

    return is_little && next != 0 ? rule->score : next;
}

static void change_state(enum weir_rule_state next, double score,
                         struct weir_analyze_change *change)
{
    change->state = next;
    if (next == WEIR_RULE_TEST)
        change->approved = false;
    if (next == WEIR_RULE_ACTIVE)
        change->score = fmax(-WEIR_LIFE_SCORE_FIRST, fmin(score, WEIR_LIFE_SCORE_FIRST));
}

static void change_score(const struct weir_analyze_rule *rule, double score,
                         struct weir_analyze_change *change)
{
    change->score = score;
    if (score == 0 && rule->state == WEIR_RULE_ACTIVE)
        change->state = WEIR_RULE_TEST;
}

int weir_analyze(const struct weir_analyze_rule *rule, const struct weir_score_counts *all,
                 const struct weir_analyze_settings *settings, weir_time now,
                 struct weir_analyze_change *change_r)
{
    struct weir_score_evidence evidence = evidence_of(rule, all);
    struct weir_score_bounds bounds = bounds_of(rule, settings);
    struct weir_line why = weir_line(change_r->why, sizeof change_r->why);
    enum weir_rule_state state;
    const char *reason;
    double score;

    change_r->state = rule->state;
    change_r->score = change_r->deserved = rule->score;
    change_r->approved = rule->approved;
    change_r->why[0] = '\0';
    if (is_left_alone(rule))
        return 0;
    if (is_enough(rule, all))
        change_r->deserved = weir_score_deserved(&evidence, rule->base, &bounds);
    score = is_enough(rule, all) ? next_score(rule, change_r->deserved, &bounds) : rule->score;
    state = next_state(rule, score, &evidence, settings, now, &reason);
    if (state != rule->state) {
        change_state(state, score, change_r);
        explain_state(&why, rule, all, reason, state, now);
    } else if (score != rule->score) {
        change_score(rule, score, change_r);
        explain_score(&why, rule, all, &evidence);
    }
    (void)weir_line_end(&why);
    return state != rule->state || score != rule->score;
}
