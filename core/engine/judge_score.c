/*
 * judge_score - points, their sum, the verdict that follows from it, and what to do.
 *
 * Every point that counts is one line of the explanation; nothing is added that is not in
 * it, so that anybody can recompute the verdict from the list (claims A6, B18).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/engine/judge_impl.h"

#define CUT_TEXT 512 /* WEIR_MATCH_NAMES_MAX names, and what is said around them */
#define FORGED_INFO_POINTS 0.5 /* another site's string with our key's number looks the same */

/* Points count in hundredths, as the spam-info string writes them: so the sum of what is
 * written is the score. */
static double hundredths(double points)
{
    return nearbyint(points * 100) / 100;
}

static void add_point(struct weir_judge *judge, const struct weir_point *point)
{
    struct weir_judgement *judgement = &judge->judgement;

    judgement->point[judgement->points] = *point;
    judgement->point[judgement->points].points = hundredths(point->points);
    judgement->points++;
}

static void add_named(struct weir_judge *judge, uint32_t id, const char *name, const char *kind,
                      const char *description, double points)
{
    add_point(judge, &(struct weir_point){.id = id,
                                          .name = weir_slice_of(name),
                                          .description = weir_slice_of(description),
                                          .kind = kind,
                                          .points = points,
                                          .times = 1});
}

static void add_own(struct weir_judge *judge, uint32_t id, const char *kind,
                    const char *description, double points)
{
    add_named(judge, id, weir_rule_own_name(id), kind, description, points);
}

/* A copy, because a rule set may be changed for another while the judgement is read. */
static int keep(struct weir_judge *judge, struct weir_slice *text)
{
    text->at = weir_arena_copy(judge->arena, text->len ? text->at : "", text->len);
    return text->at ? 0 : WEIR_ENOMEM;
}

static int add_rules(struct weir_judge *judge, const struct weir_rules *rules)
{
    for (size_t i = 0; i < judge->rules.hits; i++) {
        const struct weir_rule_hit *hit = &judge->rules.hit[i];
        struct weir_rule rule;

        if (!weir_rules_get(rules, hit->number, &rule))
            continue;
        if (i == WEIR_RULE_HITS_MAX) {
            judge->judgement.hits_left_out = judge->rules.hits - i;
            break;
        }
        if (keep(judge, &rule.name) < 0 || keep(judge, &rule.description) < 0)
            return WEIR_ENOMEM;
        add_point(judge, &(struct weir_point){.id = rule.id,
                                              .name = rule.name,
                                              .description = rule.description,
                                              .kind = weir_rule_kind_name(rule.kind),
                                              .points = hit->points,
                                              .times = hit->times,
                                              .evidence = hit->evidence});
    }
    return 0;
}

static void add_reputation(struct weir_judge *judge)
{
    const struct weir_config *config = judge->parts.config;
    const struct weir_decision *decision = &judge->judgement.decision;
    double points = decision->reputation.points;

    if (!config->reputation_points)
        return;
    if (decision->judged) {
        if (weir_engine_verdict(config, &decision->reputation, decision->forged) == WEIR_SPAM)
            points = fmax(points, config->spam_score);
        add_own(judge, WEIR_POINT_REPUTATION, "reputation",
                "what became of earlier mail from this address for this domain", points);
    }
    if (decision->forged)
        add_own(judge, WEIR_POINT_FORGED_DOMAIN, "reputation",
                "somebody else seems to use this domain's name", WEIR_FORGED_DOMAIN_POINTS);
}

/* Which the monitor raises when the address exceeds a threshold. */
static int add_address(struct weir_judge *judge)
{
    const struct weir_decision *decision = &judge->judgement.decision;
    const struct weir_list_entry *entry = &decision->entry;
    bool whitelisted = decision->ground == WEIR_GROUND_WHITELIST; /* the entry is the domain's */
    char text[WEIR_PREFIX_TEXT];
    const char *name, *reason;

    if (decision->address_points == 0)
        return 0;
    name = whitelisted ? "ip:" : weir_arena_printf(judge->arena, "ip:%s",
                                                   weir_prefix_format(&entry->prefix, text));
    reason = whitelisted ? "" : weir_arena_printf(judge->arena, "%s", entry->reason);
    if (!name || !reason)
        return WEIR_ENOMEM;
    add_named(judge, WEIR_POINT_ADDRESS, name, "ip", reason, decision->address_points);
    return 0;
}

static double sum(const struct weir_judgement *judgement)
{
    double all = 0;

    for (size_t i = 0; i < judgement->points; i++)
        all += judgement->point[i].points;
    return hundredths(all);
}

/* "given up were A, B and 3 more"; what rules without names were passed over cannot be said. */
static const char *which_were_cut(struct weir_judge *judge, const struct weir_rules *rules)
{
    char text[CUT_TEXT];
    struct weir_line line = weir_line(text, sizeof text);
    size_t n = judge->rules.faileds, named = n < WEIR_MATCH_NAMES_MAX ? n : WEIR_MATCH_NAMES_MAX;

    weir_line_text(&line, judge->rules.cut
                              ? "it made too much work, near the ends of its texts, too"
                              : "its texts are too much work far from their ends");
    for (size_t i = 0; rules && i < named; i++) {
        struct weir_rule rule;

        weir_line_text(&line, i == 0 ? "; given up were " : ", ");
        if (weir_rules_get(rules, judge->rules.failed[i], &rule))
            weir_line_octets(&line, rule.name.at, rule.name.len);
    }
    if (n > named) {
        weir_line_text(&line, " and ");
        weir_line_count(&line, n - named);
        weir_line_text(&line, " more");
    }
    return weir_arena_printf(judge->arena, "%s", weir_line_end(&line));
}

/* Who makes so much work that even the ends of a text cannot be tried is never just ham, but that
 * alone makes nobody a spammer; long mail that is hard to read in the middle costs nothing. */
static int add_cut(struct weir_judge *judge, const struct weir_rules *rules)
{
    double lacking = judge->parts.config->unsure_score - sum(&judge->judgement);
    const char *which;

    if (!judge->rules.cut && !judge->rules.cut_rest)
        return 0;
    which = which_were_cut(judge, rules);
    if (!which)
        return WEIR_ENOMEM;
    add_own(judge, WEIR_POINT_RULES_CUT, "rules", which,
            judge->rules.cut ? fmax(0, lacking) : 0);
    return 0;
}

static int by_points(const void *a, const void *b)
{
    const struct weir_point *one = a, *other = b;

    if (one->points != other->points)
        return one->points > other->points ? -1 : 1;
    return (one->id > other->id) - (one->id < other->id);
}

/* What passes whatever it looks like: such mail has nobody to be refused to, or must get
 * through. */
static bool never_refused(const struct weir_judge *judge, enum weir_ground ground)
{
    return !judge->envelope.has_client || ground == WEIR_GROUND_AUTHENTICATED ||
           ground == WEIR_GROUND_NULL_SENDER || ground == WEIR_GROUND_ROLE ||
           ground == WEIR_GROUND_NEVER;
}

static enum weir_verdict verdict_of(const struct weir_config *config,
                                    const struct weir_decision *decision)
{
    if (decision->ground == WEIR_GROUND_BLACKLIST)
        return WEIR_BLOCKED;
    if (decision->ground == WEIR_GROUND_ACCEPT || decision->ground == WEIR_GROUND_WHITELIST)
        return WEIR_HAM;
    if (decision->score >= config->spam_score)
        return WEIR_SPAM;
    return decision->score >= config->unsure_score ? WEIR_UNSURE : WEIR_HAM;
}

static enum weir_action action_of(const struct weir_judge *judge,
                                  const struct weir_decision *decision)
{
    const struct weir_config *config = judge->parts.config;
    static const enum weir_action of_spam[] = {WEIR_PASS, WEIR_QUARANTINE, WEIR_REJECT};

    if (never_refused(judge, decision->ground))
        return WEIR_PASS;
    if (decision->verdict == WEIR_BLOCKED)
        return decision->entry.defer ? WEIR_DEFER : WEIR_REJECT;
    if (decision->verdict != WEIR_SPAM)
        return WEIR_PASS;
    return decision->score >= config->reject_score ? WEIR_REJECT : of_spam[config->on_spam];
}

static int add_bayes(struct weir_judge *judge)
{
    struct weir_point point;
    int done = weir_judge_bayes_point(judge, &point);

    if (done == 1)
        add_point(judge, &point);
    return done < 0 ? done : 0;
}

int weir_judge_score(struct weir_judge *judge)
{
    const struct weir_rules *rules = judge->matcher ? weir_matcher_rules(judge->matcher) : NULL;
    const struct weir_config *config = judge->parts.config;
    struct weir_judgement *judgement = &judge->judgement;
    struct weir_decision *decision = &judgement->decision;
    size_t hits = judge->rules.hits;
    size_t most = WEIR_OWN_POINTS_MAX + (hits < WEIR_RULE_HITS_MAX ? hits : WEIR_RULE_HITS_MAX);

    judgement->point = weir_arena_take(judge->arena, most * sizeof *judgement->point);
    if (!judgement->point)
        return WEIR_ENOMEM;
    if (rules && add_rules(judge, rules) < 0)
        return WEIR_ENOMEM;
    add_reputation(judge);
    if (add_address(judge) < 0 || add_bayes(judge) < 0)
        return WEIR_ENOMEM;
    if (judge->fact[WEIR_FACT_FORGED_INFO] > 0)
        add_own(judge, WEIR_POINT_FORGED_INFO, "info",
                "it bears a spam-info string that we did not sign", FORGED_INFO_POINTS);
    if (add_cut(judge, rules) < 0)
        return WEIR_ENOMEM;
    qsort(judgement->point, judgement->points, sizeof *judgement->point, by_points);
    decision->score = sum(judgement);
    if (decision->ground == WEIR_GROUND_NOTHING || decision->ground == WEIR_GROUND_REPUTATION)
        decision->ground = WEIR_GROUND_SCORE;
    decision->verdict = verdict_of(config, decision);
    decision->intended = action_of(judge, decision);
    decision->action = config->mode == WEIR_ENFORCE ? decision->intended : WEIR_PASS;
    return 0;
}
