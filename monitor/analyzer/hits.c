/*
 * Rules lie in one array, found by an index with open addressing; weights are kept as of an epoch
 * that moves on before they grow out of a double's range.
 */
#include "monitor/analyzer/hits.h"

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

struct weir_hits {
    struct weir_hits_settings settings;
    struct weir_seen *seen;
    weir_time epoch;
    struct weir_score_counts all;   /* as of the epoch, as all weights below */
    struct weir_hits_rule *rule;
    size_t rules, room;
    uint32_t *index;                /* number of a rule + 1; 0: none */
    size_t mask;
};

/* Rules. -------------------------------------------------------------------- */

static uint32_t *place_of(const struct weir_hits *hits, uint32_t id)
{
    size_t at = (size_t)weir_hash64(&hits->settings.key, &id, sizeof(id)) & hits->mask;

    while (hits->index[at] != 0 && hits->rule[hits->index[at] - 1].id != id)
        at = (at + 1) & hits->mask;
    return &hits->index[at];
}

static int grow_index(struct weir_hits *hits)
{
    size_t size = hits->index ? 2 * (hits->mask + 1) : FIRST;
    uint32_t *index = calloc(size, sizeof(*index));

    if (!index)
        return WEIR_ENOMEM;
    free(hits->index);
    hits->index = index;
    hits->mask = size - 1;
    for (size_t i = 0; i < hits->rules; i++)
        *place_of(hits, hits->rule[i].id) = (uint32_t)i + 1;
    return 0;
}

/* The rule of an id, made when it is new; what is too much is id 0.  NULL: memory is short. */
static struct weir_hits_rule *rule_of(struct weir_hits *hits, uint32_t id)
{
    struct weir_hits_rule *more;
    uint32_t *place = place_of(hits, id);

    if (*place == 0 && hits->rules >= WEIR_RULES_MAX)
        place = place_of(hits, id = 0);
    if (*place != 0)
        return &hits->rule[*place - 1];
    more = weir_grown(hits->rule, hits->rules, &hits->room, sizeof(*more));
    if (!more)
        return NULL;
    hits->rule = more;
    if (2 * (hits->rules + 1) > hits->mask && grow_index(hits) < 0)
        return NULL;
    hits->rule[hits->rules] = (struct weir_hits_rule){.id = id};
    *place_of(hits, id) = (uint32_t)++hits->rules;
    return &hits->rule[hits->rules - 1];
}

/* Weights. ------------------------------------------------------------------ */

static double half_lives(const struct weir_hits *hits, weir_time at)
{
    return ((double)at - (double)hits->epoch) / (double)hits->settings.half_life;
}

static void scale(struct weir_score_counts *counts, double by)
{
    counts->spam *= by;
    counts->ham *= by;
}

/* The weight of a message of a time, as of the epoch; which moves on when that is far behind. */
static double weight_of(struct weir_hits *hits, weir_time at)
{
    double by;

    if (half_lives(hits, at) > EXPONENT_MAX) {
        by = exp2(-half_lives(hits, at));
        scale(&hits->all, by);
        for (size_t i = 0; i < hits->rules; i++)
            scale(&hits->rule[i].decayed, by);
        hits->epoch = at;
    }
    return exp2(half_lives(hits, at));
}

static void add(struct weir_score_counts *counts, enum label label, double weight)
{
    double *count = label == SPAM ? &counts->spam : &counts->ham;

    if (label != NEITHER)
        *count = fmax(0, *count + weight);
}

static void add_whole(struct weir_hits_rule *rule, enum label label, int by)
{
    uint64_t *count = label == SPAM ? &rule->spam : &rule->ham;

    if (label != NEITHER && (by > 0 || *count > 0))
        *count += (uint64_t)(int64_t)by;
}

/* Decisions. ---------------------------------------------------------------- */

static enum label label_of(const struct weir_hits *hits, double score)
{
    const double least = 0.005; /* scores are to 1/100 */

    return score > hits->settings.spam_score - least       ? SPAM
           : score < hits->settings.unsure_score - least ? HAM
                                                            : NEITHER;
}

/* What a rule's hit counts as, when nobody has said anything. */
static enum label without(const struct weir_hits *hits, const struct weir_info *info, size_t i)
{
    return label_of(hits, (double)info->score - (double)info->rule[i].points);
}

/* Where the rules of a decision lie: their numbers, NOBODY for what is summed up at the end of a
 * long list. */
struct places {
    uint32_t number[WEIR_INFO_RULES_MAX + 1];
};

#define NOBODY UINT32_MAX

/* Rooms for all rules of a decision, so that none is counted when one cannot be. */
static int make_rooms(struct weir_hits *hits, const struct weir_info *info,
                      struct places *places_r)
{
    for (size_t i = 0; i < info->rules; i++) {
        const struct weir_hits_rule *rule = NULL;

        if (info->rule[i].id != 0 && (rule = rule_of(hits, info->rule[i].id)) == NULL)
            return WEIR_ENOMEM;
        places_r->number[i] = rule ? (uint32_t)(rule - hits->rule) : NOBODY;
    }
    return 0;
}

static struct weir_hits_rule *rule_at(struct weir_hits *hits, uint32_t number)
{
    return number == NOBODY ? NULL : &hits->rule[number];
}

static void note_hit(struct weir_hits_rule *rule, weir_time at)
{
    rule->hits++;
    rule->changed = true;
    if (rule->first_hit == 0 || at < rule->first_hit)
        rule->first_hit = at;
    if (at > rule->last_hit)
        rule->last_hit = at;
}

int weir_hits_take(struct weir_hits *hits, const struct weir_info *info, weir_time now)
{
    weir_time at = info->at < now ? info->at : now;
    struct places places;
    double weight;
    int rc = make_rooms(hits, info, &places);

    rc = rc < 0 ? rc : weir_seen_note(hits->seen, info->uid);
    if (rc != 0)
        return rc < 0 ? rc : WEIR_HITS_REPEATED;
    weight = weight_of(hits, at);
    add(&hits->all, label_of(hits, (double)info->score), weight);
    for (size_t i = 0; i < info->rules; i++) {
        struct weir_hits_rule *rule = rule_at(hits, places.number[i]);

        if (!rule)
            continue;
        note_hit(rule, at);
        add(&rule->decayed, without(hits, info, i), weight);
        add_whole(rule, without(hits, info, i), 1);
    }
    return WEIR_HITS_COUNTED;
}

static void move(struct weir_score_counts *counts, enum label from, enum label to, double weight)
{
    add(counts, from, -weight);
    add(counts, to, weight);
}

/* Whether a rule is to blame when a message is good. */
static bool is_blamed(const struct weir_hits *hits, const struct weir_info *info, size_t i)
{
    return label_of(hits, (double)info->score) == SPAM && info->rule[i].points > 0;
}

int weir_hits_report(struct weir_hits *hits, const struct weir_info *info, bool spam,
                      bool take_back, weir_time now)
{
    struct places places;
    double weight;
    enum label said = spam ? SPAM : HAM, judged = label_of(hits, (double)info->score);
    int rc = make_rooms(hits, info, &places);

    if (rc < 0)
        return rc;
    weight = weight_of(hits, info->at < now ? info->at : now);
    move(&hits->all, take_back ? said : judged, take_back ? judged : said, weight);
    for (size_t i = 0; i < info->rules; i++) {
        enum label was = without(hits, info, i);
        struct weir_hits_rule *rule = rule_at(hits, places.number[i]);

        if (!rule)
            continue;
        rule->changed = true;
        move(&rule->decayed, take_back ? said : was, take_back ? was : said, weight);
        add_whole(rule, take_back ? said : was, -1);
        add_whole(rule, take_back ? was : said, 1);
        if (!spam && is_blamed(hits, info, i) && (!take_back || rule->false_positives > 0))
            rule->false_positives += take_back ? UINT64_MAX : 1;
    }
    return 0;
}

/* What was counted before. -------------------------------------------------- */

int weir_hits_load(struct weir_hits *hits, const struct weir_hits_rule *rule, weir_time at)
{
    double weight = weight_of(hits, at);
    struct weir_hits_rule *own = rule_of(hits, rule->id);

    if (!own)
        return WEIR_ENOMEM;
    *own = *rule;
    own->changed = false;
    scale(&own->decayed, weight);
    return 0;
}

int weir_hits_load_all(struct weir_hits *hits, const struct weir_score_counts *all,
                        weir_time at)
{
    double weight = weight_of(hits, at); /* may scale what is there */

    hits->all = *all;
    scale(&hits->all, weight);
    return 0;
}

void weir_hits_kept(struct weir_hits *hits)
{
    for (size_t i = 0; i < hits->rules; i++)
        hits->rule[i].changed = false;
}

/* Asking. ------------------------------------------------------------------- */

struct weir_score_counts weir_hits_all(const struct weir_hits *hits, weir_time at)
{
    struct weir_score_counts all = hits->all;

    scale(&all, exp2(-half_lives(hits, at)));
    return all;
}

size_t weir_hits_rules(const struct weir_hits *hits)
{
    return hits->rules;
}

int weir_hits_get(const struct weir_hits *hits, size_t number, weir_time at,
                   struct weir_hits_rule *rule_r)
{
    *rule_r = (struct weir_hits_rule){.id = 0};
    if (number >= hits->rules)
        return 0;
    *rule_r = hits->rule[number];
    scale(&rule_r->decayed, exp2(-half_lives(hits, at)));
    return 1;
}

int weir_hits_find(const struct weir_hits *hits, uint32_t id, weir_time at,
                    struct weir_hits_rule *rule_r)
{
    uint32_t number = *place_of(hits, id);

    return weir_hits_get(hits, number > 0 ? number - 1 : hits->rules, at, rule_r);
}

/* Making. ------------------------------------------------------------------- */

struct weir_hits_settings weir_hits_defaults(double spam_score, double unsure_score)
{
    return (struct weir_hits_settings){.half_life = 30 * WEIR_DAY, .spam_score = spam_score,
                                        .unsure_score = unsure_score};
}

int weir_hits_new(const struct weir_hits_settings *settings, struct weir_hits **tally_r)
{
    size_t most = settings->seen_most > 0 ? settings->seen_most : WEIR_HITS_SEEN_MAX;
    struct weir_hits *hits;
    int rc;

    if (settings->half_life <= 0 || !(settings->unsure_score <= settings->spam_score))
        return WEIR_EINVAL;
    hits = calloc(1, sizeof(*hits));
    if (!hits)
        return WEIR_ENOMEM;
    hits->settings = *settings;
    rc = weir_seen_new(&settings->key, most, &hits->seen);
    rc = rc < 0 ? rc : grow_index(hits);
    if (rc < 0)
        weir_hits_free(&hits);
    else
        *tally_r = hits;
    return rc;
}

void weir_hits_free(struct weir_hits **hits)
{
    if (!*hits)
        return;
    weir_seen_free(&(*hits)->seen);
    free((*hits)->rule);
    free((*hits)->index);
    free(*hits);
    *hits = NULL;
}
