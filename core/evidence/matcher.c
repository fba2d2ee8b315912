/*
 * All rules of a set against one message: areas one after the other, then what follows
 * from fields that are not there, the boundary address, formulas, and the sum.
 *
 * The matcher owns room for one message's work, taken once; between messages only what
 * was touched is cleared.  A negated rule whose expression matched has the value -1
 * until settle() turns that round; nothing else sees it.
 *
 * Formulas come last: see matcher_metas.c.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/evidence/match_clock_io.h"
#include "core/evidence/matcher_impl.h"
#include "core/mail/header_text.h"

/* The handle. ------------------------------------------------------------------ */

int weir_matcher_new(const struct weir_rules *rules, struct weir_matcher **matcher_r)
{
    size_t n = weir_rules_size(rules), words = (n + 63) / 64;
    struct weir_matcher *matcher = calloc(1, sizeof(*matcher));
    if (!matcher)
        return WEIR_ENOMEM;
    matcher->rules = rules;
    matcher->value = calloc(n + WEIR_FACTS, sizeof(*matcher->value));
    matcher->dirty = calloc(rules->image.count[WEIR_IMAGE_START_TRUE] + 1,
                            sizeof(*matcher->dirty));
    matcher->failed = calloc(words + 1, sizeof(*matcher->failed));
    matcher->found = malloc((n + 1) * sizeof(*matcher->found));
    matcher->later = calloc(n + 1, sizeof(*matcher->later));
    matcher->waits = malloc((n + 1) * sizeof(*matcher->waits));
    matcher->put_off = malloc((n + 1) * sizeof(*matcher->put_off));
    matcher->waiting = calloc(rules->image.count[WEIR_IMAGE_START_TRUE] + 1,
                              sizeof(*matcher->waiting));
    int rc = WEIR_ENOMEM;
    if (matcher->value && matcher->dirty && matcher->failed && matcher->found && matcher->later &&
        matcher->waits && matcher->put_off && matcher->waiting)
        rc = weir_prefilter_scratch_new(&rules->prefilter, &matcher->scratch);
    if (rc == 0)
        rc = weir_regex_room_new(&matcher->room);
    if (rc < 0)
        weir_matcher_free(&matcher);
    else
        *matcher_r = matcher;
    return rc;
}

void weir_matcher_free(struct weir_matcher **matcher)
{
    if (!matcher || !*matcher)
        return;
    weir_prefilter_scratch_free(&(*matcher)->scratch);
    weir_regex_room_free(&(*matcher)->room);
    free((*matcher)->value);
    free((*matcher)->dirty);
    free((*matcher)->failed);
    free((*matcher)->found);
    free((*matcher)->later);
    free((*matcher)->waits);
    free((*matcher)->put_off);
    free((*matcher)->waiting);
    free((*matcher)->profile);
    free(*matcher);
    *matcher = NULL;
}

const struct weir_rules *weir_matcher_rules(const struct weir_matcher *matcher)
{
    return matcher->rules;
}

/* Hits. ------------------------------------------------------------------------- */

void weir_matcher_touch(struct weir_matcher *matcher, size_t value)
{
    size_t n, metas = matcher->rules->image.count[WEIR_IMAGE_METAS];
    const uint32_t *meta = weir_image_dependents(&matcher->rules->image, value, &n);
    for (size_t i = 0; i < n; i++)
        if (meta[i] < metas && meta[i] >= matcher->next_meta)
            matcher->dirty[meta[i] / 64] |= UINT64_C(1) << (meta[i] % 64);
}

void weir_matcher_hit(struct weir_matcher *matcher, uint32_t rule, float times,
                      struct weir_slice evidence, enum weir_area_kind area)
{
    if (rule >= weir_rules_size(matcher->rules) || matcher->value[rule] > 0)
        return;
    matcher->value[rule] = times > 0 ? times : 1;
    matcher->found[matcher->founds++] = (struct weir_found){rule, area, evidence};
    weir_matcher_touch(matcher, rule);
}

void weir_matcher_wait(struct weir_matcher *matcher, uint32_t rule, uint32_t later)
{
    matcher->later[rule] = later;
    matcher->waits[matcher->waits_n++] = rule;
    weir_matcher_touch(matcher, rule);
}

/* Steps. --------------------------------------------------------------------------- */

static void begin(struct weir_matcher *matcher, const struct weir_rule_input *input, unsigned want,
                  struct weir_arena *arena)
{
    const struct weir_image *image = &matcher->rules->image;
    size_t rules = weir_rules_size(matcher->rules);
    matcher->input = input;
    matcher->arena = arena;
    matcher->founds = matcher->faileds = 0;
    matcher->next_meta = matcher->put_offs = matcher->waits_n = 0;
    matcher->depth = 0;
    matcher->lazy = !(want & WEIR_MATCH_HIDDEN);
    weir_effort_begin(&matcher->effort);
    matcher->cut = matcher->cut_rest = false;
    if ((want & WEIR_MATCH_PROFILE) && !matcher->profile)
        matcher->profile = calloc(rules + 1, sizeof(*matcher->profile));
    matcher->profiling = (want & WEIR_MATCH_PROFILE) && matcher->profile;
    memcpy(matcher->dirty, image->start_true,
           image->count[WEIR_IMAGE_START_TRUE] * sizeof(*matcher->dirty));
    for (unsigned fact = 0; fact < WEIR_FACTS; fact++) {
        matcher->value[rules + fact] = input->fact ? input->fact[fact] : 0;
        if (matcher->value[rules + fact] != 0)
            weir_matcher_touch(matcher, rules + fact);
    }
}

static bool is_long(const struct weir_area *area)
{
    return weir_area_len(area) > WEIR_MATCH_WHOLE_MAX;
}

/* Of a long text both ends come first, so that no amount of filling between them takes away what
 * hits there; then all of it, which gives the same hits as if there had been no ends. */
static int match_areas(struct weir_matcher *matcher)
{
    /* What says most in the least time first: a bound that is reached takes the rest away. */
    static const enum weir_area_kind order[] = {WEIR_AREA_URI, WEIR_AREA_BODY, WEIR_AREA_HTML,
                                                WEIR_AREA_RAW, WEIR_AREA_FULL};
    const struct weir_area *area = matcher->input->content->area;
    struct weir_selected *header = &matcher->header, *envelope = &matcher->envelope;
    if (weir_matcher_header(matcher, header) < 0 || weir_matcher_envelope(matcher, envelope) < 0)
        return WEIR_ENOMEM;
    weir_matcher_area(matcher, WEIR_AREA_HEADER, &header->area, header->selector);
    weir_matcher_area(matcher, WEIR_AREA_ENVELOPE, &envelope->area, envelope->selector);
    matcher->fields_cut = matcher->effort.over[WEIR_ROUND_FIELDS];
    matcher->effort.round = WEIR_ROUND_ENDS;
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        if (is_long(&area[order[i]]))
            weir_matcher_ends(matcher, order[i], &area[order[i]]);
        else
            weir_matcher_area(matcher, order[i], &area[order[i]], NULL);
    }
    matcher->effort.round = WEIR_ROUND_REST;
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        if (is_long(&area[order[i]]))
            weir_matcher_area(matcher, order[i], &area[order[i]], NULL);
    return 0;
}

/* Whether a rule about a field hits, by what is known of the field and its expression. */
static bool settles_as_hit(const struct weir_matcher *matcher, uint32_t number,
                           const struct weir_image_rule *rule)
{
    bool has = matcher->has[rule->selector], negated = rule->flags & WEIR_RULE_NEGATED;
    if (rule->flags & WEIR_RULE_EXISTS)
        return has != negated;
    bool matched = has ? matcher->value[number] != 0 : (rule->flags & WEIR_IMAGE_WITHOUT) != 0;
    return matched != negated;
}

/* Rules that may hit where no expression was found. */
static void settle(struct weir_matcher *matcher)
{
    const struct weir_image *image = &matcher->rules->image;
    for (size_t i = 0; i < image->count[WEIR_IMAGE_SPECIAL]; i++) {
        uint32_t number = image->special[i];
        if (number >= weir_rules_size(matcher->rules))
            continue;
        const struct weir_image_rule *rule = &image->rule[number];
        bool judged = rule->selector < image->count[WEIR_IMAGE_SELECTORS] &&
                      !weir_matcher_has_failed(matcher, number) &&
                      !(matcher->fields_cut && (rule->flags & WEIR_RULE_NEGATED)) &&
                      (rule->kind != WEIR_RULE_ENVELOPE || matcher->input->envelope);
        bool hits = judged && settles_as_hit(matcher, number, rule);
        if (matcher->value[number] < 0)
            matcher->value[number] = 0;
        if (hits)
            weir_matcher_hit(matcher, number, 1, (struct weir_slice){"", 0},
                             (enum weir_area_kind)rule->kind);
    }
}

/* The last network that begins at or before the address; n when there is none. */
static size_t network_before(const struct weir_image *image, const struct weir_address *address)
{
    size_t n = image->count[WEIR_IMAGE_NETWORKS], low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(image->network[middle].octet, address->octet, sizeof(address->octet)) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? low - 1 : n;
}

static void match_networks(struct weir_matcher *matcher)
{
    const struct weir_image *image = &matcher->rules->image;
    const struct weir_address *boundary = matcher->input->boundary;
    if (!boundary)
        return;
    size_t at = network_before(image, boundary), n = image->count[WEIR_IMAGE_NETWORKS];
    while (at < n) {
        const struct weir_image_network *network = &image->network[at];
        struct weir_prefix prefix = {.bits = network->bits <= 128 ? (uint8_t)network->bits : 128};
        memcpy(prefix.address.octet, network->octet, sizeof(network->octet));
        if (weir_prefix_contains(&prefix, boundary))
            weir_matcher_hit(matcher, network->rule, 1, (struct weir_slice){"", 0},
                             WEIR_AREA_ENVELOPE);
        if (network->wider >= at)
            break;
        at = network->wider;
    }
}

/* The result. ------------------------------------------------------------------------ */

static int by_rule(const void *a, const void *b)
{
    const struct weir_found *one = a, *other = b;
    return (one->rule > other->rule) - (one->rule < other->rule);
}

static bool is_reported(const struct weir_image_rule *rule, unsigned want)
{
    return !(rule->flags & WEIR_IMAGE_HIDDEN) || (want & WEIR_MATCH_HIDDEN);
}

/* Hits of scored rules up to WEIR_RULE_HITS_MAX, and as many of hidden ones. */
static void collect(struct weir_matcher *matcher, unsigned want, struct weir_rule_hit *hit,
                    struct weir_rule_result *result)
{
    const struct weir_image *image = &matcher->rules->image;
    size_t counted[2] = {0, 0};
    qsort(matcher->found, matcher->founds, sizeof(*matcher->found), by_rule);
    for (size_t i = 0; i < matcher->founds; i++) {
        const struct weir_found *found = &matcher->found[i];
        const struct weir_image_rule *rule = &image->rule[found->rule];
        bool hidden = rule->flags & WEIR_IMAGE_HIDDEN;
        if (!is_reported(rule, want))
            continue;
        if (counted[hidden] == WEIR_RULE_HITS_MAX) {
            result->cut = true;
            continue;
        }
        counted[hidden]++;
        float points = hidden || rule->state == WEIR_RULE_TEST ? 0 : rule->score;
        float times = matcher->value[found->rule];
        bool counts = (rule->flags & WEIR_RULE_MULTIPLE) && times <= WEIR_RULE_REPEATS_MAX;
        hit[result->hits++] = (struct weir_rule_hit){
            .number = found->rule, .points = points,
            .times = counts ? (uint32_t)times : 1,
            .evidence = found->evidence, .area = found->area};
        result->score += (double)points;
    }
}

static void list_failed(const struct weir_matcher *matcher, uint32_t *failed,
                        struct weir_rule_result *result)
{
    for (uint32_t i = 0; i < weir_rules_size(matcher->rules); i++)
        if (weir_matcher_has_failed(matcher, i) && result->faileds < matcher->faileds)
            failed[result->faileds++] = i;
}

static int report(struct weir_matcher *matcher, unsigned want, struct weir_rule_result *result_r)
{
    struct weir_rule_result result = {.cut = matcher->cut, .cut_rest = matcher->cut_rest};
    size_t most = matcher->founds < 2 * WEIR_RULE_HITS_MAX ? matcher->founds
                                                          : 2 * WEIR_RULE_HITS_MAX;
    struct weir_rule_hit *hit = weir_arena_take(matcher->arena, most * sizeof(*hit));
    uint32_t *failed = weir_arena_take(matcher->arena, matcher->faileds * sizeof(*failed));
    if (!hit || !failed)
        return WEIR_ENOMEM;
    collect(matcher, want, hit, &result);
    if (matcher->faileds > 0)
        list_failed(matcher, failed, &result);
    result.hit = hit;
    result.failed = failed;
    *result_r = result;
    return 0;
}

/* As it was before the message. */
static void clear(struct weir_matcher *matcher)
{
    const struct weir_image *image = &matcher->rules->image;
    for (size_t i = 0; i < matcher->founds; i++)
        matcher->value[matcher->found[i].rule] = 0;
    for (size_t i = 0; i < image->count[WEIR_IMAGE_SPECIAL]; i++)
        if (image->special[i] < weir_rules_size(matcher->rules))
            matcher->value[image->special[i]] = 0;
    if (matcher->faileds > 0)
        memset(matcher->failed, 0, (weir_rules_size(matcher->rules) + 63) / 64 *
                                       sizeof(*matcher->failed));
    for (size_t i = 0; i < matcher->waits_n; i++)
        matcher->later[matcher->waits[i]] = 0;
    memset(matcher->waiting, 0, image->count[WEIR_IMAGE_START_TRUE] * sizeof(*matcher->waiting));
    matcher->input = NULL;
    matcher->arena = NULL;
}

int weir_rules_match(struct weir_matcher *matcher, const struct weir_rule_input *input,
                     unsigned want, struct weir_arena *arena, struct weir_rule_result *result_r)
{
    begin(matcher, input, want, arena);
    int rc = match_areas(matcher);
    if (rc == 0) {
        settle(matcher);
        match_networks(matcher);
        weir_matcher_metas(matcher);
        rc = report(matcher, want, result_r);
    }
    clear(matcher);
    return rc;
}

/* Profiles. ---------------------------------------------------------------------------- */

static int by_time(const void *a, const void *b)
{
    const struct weir_rule_profile *one = a, *other = b;
    if (one->nanoseconds != other->nanoseconds)
        return one->nanoseconds < other->nanoseconds ? 1 : -1;
    return (one->number > other->number) - (one->number < other->number);
}

size_t weir_matcher_profile(const struct weir_matcher *matcher, struct weir_rule_profile *profile_r,
                            size_t most)
{
    size_t rules = weir_rules_size(matcher->rules), n = 0;
    struct weir_rule_profile *sorted =
        matcher->profile ? malloc((rules + 1) * sizeof(*sorted)) : NULL;
    if (!sorted)
        return 0;
    for (size_t i = 0; i < rules; i++) {
        if (matcher->profile[i].tried == 0)
            continue;
        sorted[n] = matcher->profile[i];
        sorted[n++].number = (uint32_t)i;
    }
    qsort(sorted, n, sizeof(*sorted), by_time);
    n = n < most ? n : most;
    if (n > 0)
        memcpy(profile_r, sorted, n * sizeof(*sorted));
    free(sorted);
    return n;
}
