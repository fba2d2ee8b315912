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

/* Where a rule's day and account were found last. */
struct hint {
    uint32_t day, server;
};

struct weir_hits {
    struct weir_hits_settings settings;
    struct weir_seen *seen;
    weir_time epoch, latest;        /* latest: of what is counted */
    struct weir_score_counts all;   /* as of the epoch, as all weights below */
    struct weir_hits_rule *rule;
    size_t rules, room;
    uint32_t *index;                /* number of a rule + 1; 0: none */
    size_t mask;
    struct weir_hit_days *days;
    struct weir_hit_servers *servers;
    struct hint *hint;              /* of each rule */
    size_t hint_room;
    struct hint all_hint;
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
    struct hint *hint;

    if (*place == 0 && hits->rules >= WEIR_RULES_MAX)
        place = place_of(hits, id = 0);
    if (*place != 0)
        return &hits->rule[*place - 1];
    more = weir_grown(hits->rule, hits->rules, &hits->room, sizeof(*more));
    if (!more)
        return NULL;
    hits->rule = more;
    hint = weir_grown(hits->hint, hits->rules, &hits->hint_room, sizeof(*hint));
    if (!hint)
        return NULL;
    hits->hint = hint;
    hint[hits->rules] = (struct hint){0, 0};
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
        weir_hit_servers_scale(hits->servers, by);
        hits->epoch = at;
    }
    return exp2(half_lives(hits, at));
}

/* That of one that is counted now. */
static double weight_counted(struct weir_hits *hits, weir_time at)
{
    if (at > hits->latest)
        hits->latest = at;
    return weight_of(hits, at);
}

static void add(struct weir_score_counts *counts, enum label label, double weight)
{
    double *count = label == SPAM ? &counts->spam : &counts->ham, sum = *count + weight;

    if (label != NEITHER)
        *count = sum > 0 ? sum : 0;
}

static void add_whole(struct weir_hits_rule *rule, enum label label, int by)
{
    uint64_t *count = label == SPAM ? &rule->spam : &rule->ham;

    if (label != NEITHER && (by > 0 || *count > 0))
        *count += (uint64_t)(int64_t)by;
}

/* Days. --------------------------------------------------------------------- */

static void add_day(struct weir_hit_day *day, enum label label, int by)
{
    day->spam += label == SPAM ? by : 0;
    day->ham += label == HAM ? by : 0;
}

/* What a message of a time counts for; day -1: it is too old. */
struct days {
    struct weir_hits *hits;
    int32_t day;
};

static struct days days_of(struct weir_hits *hits, weir_time at, weir_time now)
{
    return (struct days){hits, at > now - WEIR_HIT_DAYS * WEIR_DAY && at >= 0 ? weir_hit_day(at)
                                                                              : -1};
}

/* NULL: it is too old. */
static struct weir_hit_day *day_of_all(const struct days *of)
{
    return of->day < 0 ? NULL : weir_hit_days_of(of->hits->days, WEIR_HIT_DAYS_ALL, of->day,
                                                 &of->hits->all_hint.day);
}

static struct weir_hit_day *day_of(const struct days *of, const struct weir_hits_rule *rule)
{
    return of->day < 0 ? NULL : weir_hit_days_of(of->hits->days, rule->id, of->day,
                                                 &of->hits->hint[rule - of->hits->rule].day);
}

/* A message that hit, or any. */
static void count_day(struct weir_hit_day *day, enum label label)
{
    if (!day)
        return;
    day->hits++;
    add_day(day, label, 1);
}

static void move_day(struct weir_hit_day *day, enum label from, enum label to)
{
    if (!day)
        return;
    add_day(day, from, -1);
    add_day(day, to, 1);
}

/* Accounts. ----------------------------------------------------------------- */

/* For what a server tells of a rule; of all messages: NULL. */
static struct weir_hit_server *account_of(struct weir_hits *hits, const struct weir_hits_rule *rule,
                                          uint32_t server)
{
    uint32_t *hint = rule ? &hits->hint[rule - hits->rule].server : &hits->all_hint.server;

    return weir_hit_servers_of(hits->servers, rule ? rule->id : WEIR_HIT_SERVERS_ALL, server,
                               hint);
}

/* That of the server that decided, where it has one; else of the one that tells. */
static struct weir_hit_server *account_moved(struct weir_hits *hits,
                                             const struct weir_hits_rule *rule, uint64_t decided,
                                             uint32_t tells)
{
    uint32_t *hint = rule ? &hits->hint[rule - hits->rule].server : &hits->all_hint.server;
    uint32_t id = rule ? rule->id : WEIR_HIT_SERVERS_ALL;
    struct weir_hit_server *own = NULL;

    if (decided < WEIR_HIT_SERVERS_REST)
        own = weir_hit_servers_find(hits->servers, id, (uint32_t)decided, hint);
    return own ? own : weir_hit_servers_of(hits->servers, id, tells, hint);
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
    enum label with = label_of(hits, (double)info->score);
    enum label label = label_of(hits, (double)info->score - (double)info->rule[i].points);
    bool decides = with != label && with != NEITHER && label != NEITHER;

    return decides ? NEITHER : label;
}

/* Where the rules of a decision lie: their numbers, NOBODY for what is summed up at the end of a
 * long list. */
struct places {
    uint32_t number[WEIR_INFO_RULES_MAX + 1];
};

#define NOBODY UINT32_MAX

/* Rooms for all rules of a decision, their day and account, so that none is counted when one cannot
 * be. */
static int make_rooms(struct weir_hits *hits, const struct weir_info *info,
                      struct places *places_r)
{
    for (size_t i = 0; i < info->rules; i++) {
        const struct weir_hits_rule *rule = NULL;

        if (info->rule[i].id != 0 && (rule = rule_of(hits, info->rule[i].id)) == NULL)
            return WEIR_ENOMEM;
        places_r->number[i] = rule ? (uint32_t)(rule - hits->rule) : NOBODY;
    }
    if (weir_hit_servers_room(hits->servers, info->rules + 1) < 0)
        return WEIR_ENOMEM;
    return weir_hit_days_room(hits->days, info->rules + 1);
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

/* What a message is, weighed, into an account, too. */
static void tell(struct weir_score_counts *counts, struct weir_hit_server *account,
                 enum label label, double weight)
{
    add(counts, label, weight);
    add(&account->decayed, label, weight);
    account->changed = true;
}

int weir_hits_take(struct weir_hits *hits, uint32_t server, const struct weir_info *info,
                   weir_time now)
{
    weir_time at = info->at < now ? info->at : now;
    struct days days = days_of(hits, at, now);
    enum label judged = label_of(hits, (double)info->score);
    struct places places;
    double weight;
    int rc = make_rooms(hits, info, &places);

    rc = rc < 0 ? rc : weir_seen_note(hits->seen, info->uid);
    if (rc != 0)
        return rc < 0 ? rc : WEIR_HITS_REPEATED;
    weight = weight_counted(hits, at);
    tell(&hits->all, account_of(hits, NULL, server), judged, weight);
    count_day(day_of_all(&days), judged);
    for (size_t i = 0; i < info->rules; i++) {
        struct weir_hits_rule *rule = rule_at(hits, places.number[i]);

        if (!rule)
            continue;
        note_hit(rule, at);
        tell(&rule->decayed, account_of(hits, rule, server), without(hits, info, i), weight);
        add_whole(rule, judged, 1);
        count_day(day_of(&days, rule), judged);
    }
    return WEIR_HITS_COUNTED;
}

static void move(struct weir_score_counts *counts, struct weir_hit_server *account,
                 enum label from, enum label to, double weight)
{
    tell(counts, account, from, -weight);
    tell(counts, account, to, weight);
}

/* Whether a rule is to blame when a message is good. */
static bool is_blamed(const struct weir_hits *hits, const struct weir_info *info, size_t i)
{
    return label_of(hits, (double)info->score) == SPAM && info->rule[i].points > 0;
}

/* What a person says of a message that was hit, or takes back: from label to label. */
static void move_hit(const struct days *days, struct weir_hits_rule *rule, enum label from,
                     enum label to)
{
    rule->changed = true;
    add_whole(rule, from, -1);
    add_whole(rule, to, 1);
    move_day(day_of(days, rule), from, to);
}

static void blame(const struct days *days, struct weir_hits_rule *rule, bool take_back)
{
    struct weir_hit_day *day = day_of(days, rule);

    if (take_back && rule->false_positives == 0)
        return;
    rule->false_positives += take_back ? UINT64_MAX : 1;
    if (day)
        day->false_positives += take_back ? -1 : 1;
}

int weir_hits_report(struct weir_hits *hits, uint32_t server, const struct weir_info *info,
                     bool spam, bool take_back, weir_time now)
{
    weir_time at = info->at < now ? info->at : now;
    struct days days = days_of(hits, at, now);
    struct places places;
    double weight;
    enum label said = spam ? SPAM : HAM, judged = label_of(hits, (double)info->score);
    int rc = make_rooms(hits, info, &places);

    if (rc < 0)
        return rc;
    weight = weight_counted(hits, at);
    move(&hits->all, account_moved(hits, NULL, info->server, server),
         take_back ? said : judged, take_back ? judged : said, weight);
    move_day(day_of_all(&days), take_back ? said : judged, take_back ? judged : said);
    for (size_t i = 0; i < info->rules; i++) {
        enum label was = without(hits, info, i);
        struct weir_hits_rule *rule = rule_at(hits, places.number[i]);

        if (!rule)
            continue;
        move(&rule->decayed, account_moved(hits, rule, info->server, server),
             take_back ? said : was, take_back ? was : said, weight);
        move_hit(&days, rule, take_back ? said : judged, take_back ? judged : said);
        if (!spam && is_blamed(hits, info, i))
            blame(&days, rule, take_back);
    }
    return 0;
}

/* What was counted before. -------------------------------------------------- */

int weir_hits_load(struct weir_hits *hits, const struct weir_hits_rule *rule, weir_time at)
{
    double weight = weight_counted(hits, at);
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
    double weight = weight_counted(hits, at); /* may scale what is there */

    hits->all = *all;
    scale(&hits->all, weight);
    return 0;
}

int weir_hits_load_told(struct weir_hits *hits, const struct weir_hit_server *told, weir_time at)
{
    double weight = weight_counted(hits, at);
    const struct weir_hits_rule *rule = NULL;
    struct weir_hit_server *own;

    if (told->rule != WEIR_HIT_SERVERS_ALL && (rule = rule_of(hits, told->rule)) == NULL)
        return WEIR_ENOMEM;
    if (weir_hit_servers_room(hits->servers, 1) < 0)
        return WEIR_ENOMEM;
    own = account_of(hits, rule, told->server);
    own->decayed = told->decayed;
    scale(&own->decayed, weight);
    return 0;
}

int weir_hits_load_seen(struct weir_hits *hits, const uint64_t *number, size_t count)
{
    int rc = 0;

    for (size_t i = 0; rc >= 0 && i < count; i++)
        rc = weir_seen_note(hits->seen, number[i]);
    weir_seen_kept(hits->seen);
    return rc < 0 ? rc : 0;
}

void weir_hits_kept(struct weir_hits *hits)
{
    weir_seen_kept(hits->seen);
    for (size_t i = 0; i < hits->rules; i++)
        hits->rule[i].changed = false;
    weir_hit_days_clear(hits->days);
    weir_hit_servers_kept(hits->servers);
}

/* Asking. ------------------------------------------------------------------- */

const struct weir_hit_days *weir_hits_days(const struct weir_hits *hits)
{
    return hits->days;
}

int weir_hits_told(const struct weir_hits *hits, size_t number, weir_time at,
                   struct weir_hit_server *told_r)
{
    const struct weir_hit_server *told = weir_hit_servers_get(hits->servers, number);

    if (!told)
        return 0;
    *told_r = *told;
    scale(&told_r->decayed, exp2(-half_lives(hits, at)));
    return 1;
}

const uint64_t *weir_hits_news(const struct weir_hits *hits, size_t *count_r)
{
    return weir_seen_news(hits->seen, count_r);
}

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

void weir_hits_renew(struct weir_hits *hits, uint32_t id)
{
    uint32_t number = *place_of(hits, id);

    if (number == 0)
        return;
    hits->rule[number - 1].decayed = (struct weir_score_counts){0, 0};
    hits->rule[number - 1].changed = true;
    weir_hit_servers_renew(hits->servers, hits->hint[number - 1].server);
}

/* A clock that was put back. ------------------------------------------------- */

weir_time weir_hits_latest(const struct weir_hits *hits)
{
    return hits->latest;
}

static weir_time earlier(weir_time time, weir_time now)
{
    return time < now ? time : now;
}

bool weir_hits_rebase(struct weir_hits *hits, weir_time now)
{
    double by;

    if (hits->latest <= now)
        return false;
    by = exp2(half_lives(hits, now) - half_lives(hits, hits->latest));
    hits->latest = now;
    scale(&hits->all, by);
    weir_hit_servers_scale(hits->servers, by);
    weir_hit_servers_touch(hits->servers);
    for (size_t i = 0; i < hits->rules; i++) {
        struct weir_hits_rule *rule = &hits->rule[i];

        scale(&rule->decayed, by);
        rule->first_hit = earlier(rule->first_hit, now);
        rule->last_hit = earlier(rule->last_hit, now);
        rule->changed = true;
    }
    return true;
}

/* Making. ------------------------------------------------------------------- */

struct weir_hits_settings weir_hits_defaults(double spam_score, double unsure_score)
{
    return (struct weir_hits_settings){.half_life = 30 * WEIR_DAY, .spam_score = spam_score,
                                        .unsure_score = unsure_score};
}

void weir_hits_decay(struct weir_score_counts *counts, weir_time at, weir_time now)
{
    double half_life = (double)weir_hits_defaults(0, 0).half_life;

    scale(counts, now > at ? exp2(-(double)(now - at) / half_life) : 1);
}

int weir_hits_new(const struct weir_hits_settings *settings, struct weir_hits **hits_r)
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
    rc = rc < 0 ? rc : weir_hit_days_new(&settings->key, &hits->days);
    rc = rc < 0 ? rc : weir_hit_servers_new(&settings->key, &hits->servers);
    rc = rc < 0 ? rc : grow_index(hits);
    if (rc < 0)
        weir_hits_free(&hits);
    else
        *hits_r = hits;
    return rc;
}

void weir_hits_free(struct weir_hits **hits)
{
    if (!*hits)
        return;
    weir_seen_free(&(*hits)->seen);
    weir_hit_days_free(&(*hits)->days);
    weir_hit_servers_free(&(*hits)->servers);
    free((*hits)->hint);
    free((*hits)->rule);
    free((*hits)->index);
    free(*hits);
    *hits = NULL;
}
