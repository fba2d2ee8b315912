/*
 * Rules lie in one array, found by an index with open addressing; weights are kept as of an epoch
 * that moves on before they grow out of a double's range.
 */
#include "monitor/analyzer/tally.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/grown.h"
#include "core/base/limits.h"
#include "monitor/analyzer/seen.h"

#define EXPONENT_MAX 200 /* half-lives the newest message may be ahead of the epoch */

enum { FIRST = 256 };

enum label { SPAM, HAM, NEITHER };

struct weir_tally {
    struct weir_tally_settings settings;
    struct weir_seen *seen;
    weir_time epoch;
    struct weir_score_counts all;   /* as of the epoch, as all weights below */
    struct weir_tally_rule *rule;
    size_t rules, room;
    uint32_t *index;                /* number of a rule + 1; 0: none */
    size_t mask;
};

/* Rules. -------------------------------------------------------------------- */

static uint32_t *place_of(const struct weir_tally *tally, uint32_t id)
{
    size_t at = (size_t)weir_hash64(&tally->settings.key, &id, sizeof(id)) & tally->mask;

    while (tally->index[at] != 0 && tally->rule[tally->index[at] - 1].id != id)
        at = (at + 1) & tally->mask;
    return &tally->index[at];
}

static int grow_index(struct weir_tally *tally)
{
    size_t size = tally->index ? 2 * (tally->mask + 1) : FIRST;
    uint32_t *index = calloc(size, sizeof(*index));

    if (!index)
        return WEIR_ENOMEM;
    free(tally->index);
    tally->index = index;
    tally->mask = size - 1;
    for (size_t i = 0; i < tally->rules; i++)
        *place_of(tally, tally->rule[i].id) = (uint32_t)i + 1;
    return 0;
}

/* The rule of an id, made when it is new; what is too much is id 0.  NULL: memory is short. */
static struct weir_tally_rule *rule_of(struct weir_tally *tally, uint32_t id)
{
    struct weir_tally_rule *more;
    uint32_t *place = place_of(tally, id);

    if (*place == 0 && tally->rules >= WEIR_RULES_MAX)
        place = place_of(tally, id = 0);
    if (*place != 0)
        return &tally->rule[*place - 1];
    more = weir_grown(tally->rule, tally->rules, &tally->room, sizeof(*more));
    if (!more)
        return NULL;
    tally->rule = more;
    if (2 * (tally->rules + 1) > tally->mask && grow_index(tally) < 0)
        return NULL;
    tally->rule[tally->rules] = (struct weir_tally_rule){.id = id};
    *place_of(tally, id) = (uint32_t)++tally->rules;
    return &tally->rule[tally->rules - 1];
}

/* Weights. ------------------------------------------------------------------ */

static double half_lives(const struct weir_tally *tally, weir_time at)
{
    return ((double)at - (double)tally->epoch) / (double)tally->settings.half_life;
}

static void scale(struct weir_score_counts *counts, double by)
{
    counts->spam *= by;
    counts->ham *= by;
}

/* The weight of a message of a time, as of the epoch; which moves on when that is far behind. */
static double weight_of(struct weir_tally *tally, weir_time at)
{
    double by;

    if (half_lives(tally, at) > EXPONENT_MAX) {
        by = exp2(-half_lives(tally, at));
        scale(&tally->all, by);
        for (size_t i = 0; i < tally->rules; i++)
            scale(&tally->rule[i].decayed, by);
        tally->epoch = at;
    }
    return exp2(half_lives(tally, at));
}

static void add(struct weir_score_counts *counts, enum label label, double weight)
{
    double *count = label == SPAM ? &counts->spam : &counts->ham;

    if (label != NEITHER)
        *count = fmax(0, *count + weight);
}

static void add_whole(struct weir_tally_rule *rule, enum label label, int by)
{
    uint64_t *count = label == SPAM ? &rule->spam : &rule->ham;

    if (label != NEITHER && (by > 0 || *count > 0))
        *count += (uint64_t)(int64_t)by;
}

/* Decisions. ---------------------------------------------------------------- */

static enum label label_of(const struct weir_tally *tally, double score)
{
    const double least = 0.005; /* scores are to 1/100 */

    return score > tally->settings.spam_score - least       ? SPAM
           : score < tally->settings.unsure_score - least ? HAM
                                                            : NEITHER;
}

/* What a rule's hit counts as, when nobody has said anything. */
static enum label without(const struct weir_tally *tally, const struct weir_info *info, size_t i)
{
    return label_of(tally, (double)info->score - (double)info->rule[i].points);
}

/* Rooms for all rules of a decision, so that none is counted when one cannot be. */
static int make_rooms(struct weir_tally *tally, const struct weir_info *info)
{
    for (size_t i = 0; i < info->rules; i++)
        if (info->rule[i].id != 0 && !rule_of(tally, info->rule[i].id))
            return WEIR_ENOMEM;
    return 0;
}

static void note_hit(struct weir_tally_rule *rule, weir_time at)
{
    rule->hits++;
    rule->changed = true;
    if (rule->first_hit == 0 || at < rule->first_hit)
        rule->first_hit = at;
    if (at > rule->last_hit)
        rule->last_hit = at;
}

int weir_tally_take(struct weir_tally *tally, const struct weir_info *info, weir_time now)
{
    weir_time at = info->at < now ? info->at : now;
    double weight;
    int rc = make_rooms(tally, info);

    rc = rc < 0 ? rc : weir_seen_note(tally->seen, info->uid);
    if (rc != 0)
        return rc < 0 ? rc : WEIR_TALLY_REPEATED;
    weight = weight_of(tally, at);
    add(&tally->all, label_of(tally, (double)info->score), weight);
    for (size_t i = 0; i < info->rules; i++) {
        struct weir_tally_rule *rule = info->rule[i].id != 0 ? rule_of(tally, info->rule[i].id)
                                                             : NULL;
        if (!rule)
            continue; /* the rest of a long list, summed up */
        note_hit(rule, at);
        add(&rule->decayed, without(tally, info, i), weight);
        add_whole(rule, without(tally, info, i), 1);
    }
    return WEIR_TALLY_COUNTED;
}

static void move(struct weir_score_counts *counts, enum label from, enum label to, double weight)
{
    add(counts, from, -weight);
    add(counts, to, weight);
}

/* Whether a rule is to blame when a message is good. */
static bool is_blamed(const struct weir_tally *tally, const struct weir_info *info, size_t i)
{
    return label_of(tally, (double)info->score) == SPAM && info->rule[i].points > 0;
}

int weir_tally_report(struct weir_tally *tally, const struct weir_info *info, bool spam,
                      bool take_back, weir_time now)
{
    double weight;
    enum label said = spam ? SPAM : HAM, judged = label_of(tally, (double)info->score);
    int rc = make_rooms(tally, info);

    if (rc < 0)
        return rc;
    weight = weight_of(tally, info->at < now ? info->at : now);
    move(&tally->all, take_back ? said : judged, take_back ? judged : said, weight);
    for (size_t i = 0; i < info->rules; i++) {
        enum label was = without(tally, info, i);
        struct weir_tally_rule *rule = info->rule[i].id != 0 ? rule_of(tally, info->rule[i].id)
                                                             : NULL;
        if (!rule)
            continue;
        rule->changed = true;
        move(&rule->decayed, take_back ? said : was, take_back ? was : said, weight);
        add_whole(rule, take_back ? said : was, -1);
        add_whole(rule, take_back ? was : said, 1);
        if (!spam && is_blamed(tally, info, i) && (!take_back || rule->false_positives > 0))
            rule->false_positives += take_back ? UINT64_MAX : 1;
    }
    return 0;
}

/* What was counted before. -------------------------------------------------- */

int weir_tally_load(struct weir_tally *tally, const struct weir_tally_rule *rule, weir_time at)
{
    double weight = weight_of(tally, at);
    struct weir_tally_rule *own = rule_of(tally, rule->id);

    if (!own)
        return WEIR_ENOMEM;
    *own = *rule;
    own->changed = false;
    scale(&own->decayed, weight);
    return 0;
}

int weir_tally_load_all(struct weir_tally *tally, const struct weir_score_counts *all,
                        weir_time at)
{
    tally->all = *all;
    scale(&tally->all, weight_of(tally, at));
    return 0;
}

void weir_tally_kept(struct weir_tally *tally)
{
    for (size_t i = 0; i < tally->rules; i++)
        tally->rule[i].changed = false;
}

/* Asking. ------------------------------------------------------------------- */

struct weir_score_counts weir_tally_all(const struct weir_tally *tally, weir_time at)
{
    struct weir_score_counts all = tally->all;

    scale(&all, exp2(-half_lives(tally, at)));
    return all;
}

size_t weir_tally_rules(const struct weir_tally *tally)
{
    return tally->rules;
}

int weir_tally_get(const struct weir_tally *tally, size_t number, weir_time at,
                   struct weir_tally_rule *rule_r)
{
    *rule_r = (struct weir_tally_rule){.id = 0};
    if (number >= tally->rules)
        return 0;
    *rule_r = tally->rule[number];
    scale(&rule_r->decayed, exp2(-half_lives(tally, at)));
    return 1;
}

int weir_tally_find(const struct weir_tally *tally, uint32_t id, weir_time at,
                    struct weir_tally_rule *rule_r)
{
    uint32_t number = *place_of(tally, id);

    return weir_tally_get(tally, number > 0 ? number - 1 : tally->rules, at, rule_r);
}

/* Making. ------------------------------------------------------------------- */

struct weir_tally_settings weir_tally_defaults(double spam_score, double unsure_score)
{
    return (struct weir_tally_settings){.half_life = 30 * WEIR_DAY, .spam_score = spam_score,
                                        .unsure_score = unsure_score};
}

int weir_tally_new(const struct weir_tally_settings *settings, struct weir_tally **tally_r)
{
    size_t most = settings->seen_most > 0 ? settings->seen_most : WEIR_TALLY_SEEN_MAX;
    struct weir_tally *tally;
    int rc;

    if (settings->half_life <= 0 || !(settings->unsure_score <= settings->spam_score))
        return WEIR_EINVAL;
    tally = calloc(1, sizeof(*tally));
    if (!tally)
        return WEIR_ENOMEM;
    tally->settings = *settings;
    rc = weir_seen_new(&settings->key, most, &tally->seen);
    rc = rc < 0 ? rc : grow_index(tally);
    if (rc < 0)
        weir_tally_free(&tally);
    else
        *tally_r = tally;
    return rc;
}

void weir_tally_free(struct weir_tally **tally)
{
    if (!*tally)
        return;
    weir_seen_free(&(*tally)->seen);
    free((*tally)->rule);
    free((*tally)->index);
    free(*tally);
    *tally = NULL;
}
