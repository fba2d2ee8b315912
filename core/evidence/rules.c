/*
 * The handle of a rule set at work: an attached image, its prefilter, and the expressions
 * compiled so far.  matcher.c matches with it, rules_build.c makes images.
 *
 * The handle owns only what is compiled; all else is the image's.  Refuses images
 * whose head or prefilter is not in order.
 */
#include "core/evidence/rules.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/evidence/rules_impl.h"

/* Attaching. ----------------------------------------------------------------- */

static bool is_word(struct weir_slice text, const char *word)
{
    size_t len = strlen(word);
    if (text.len != len)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((text.at[i] | 0x20) != (word[i] | 0x20))
            return false;
    return true;
}

/* The hash of the field a selector names; 0 for those that look at several. */
static uint32_t field_hash(struct weir_slice selector)
{
    const char *colon = memchr(selector.at, ':', selector.len);
    struct weir_slice name = {selector.at, colon ? (size_t)(colon - selector.at) : selector.len};
    if (is_word(name, "all") || is_word(name, "tocc") || is_word(name, "messageid"))
        return 0;
    return weir_field_hash(name.at, name.len);
}

static int attach_to(const void *octets, size_t len, bool full, struct weir_rules *rules)
{
    int rc = weir_image_attach(octets, len, full, &rules->image);
    if (rc < 0)
        return rc;
    const struct weir_image *image = &rules->image;
    rc = weir_prefilter_attach(image->prefilter, image->count[WEIR_IMAGE_PREFILTER],
                               &rules->prefilter);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < image->count[WEIR_IMAGE_SELECTORS]; i++)
        if (image->selector[i].kind == WEIR_RULE_HEADER)
            rules->field_hash[i] = field_hash(weir_image_text(image, image->selector[i].name));
    return weir_regexes_new(weir_rules_size(rules), &rules->regexes);
}

int weir_rules_attach(const void *octets, size_t len, bool full, struct weir_rules **rules_r)
{
    struct weir_rules *rules = calloc(1, sizeof(*rules));
    if (!rules)
        return WEIR_ENOMEM;
    int rc = attach_to(octets, len, full, rules);
    if (rc < 0)
        weir_rules_free(&rules);
    else
        *rules_r = rules;
    return rc;
}

bool weir_rules_trust(struct weir_rules *rules)
{
    const struct weir_image *image = &rules->image;
    struct weir_image_ready_head head;
    uint8_t maker[WEIR_REGEX_MAKER];
    if (image->count[WEIR_IMAGE_READY] == 0 || image->count[WEIR_IMAGE_READY_OCTETS] < sizeof(head))
        return false;
    memcpy(&head, image->ready_octets, sizeof(head));
    weir_regex_maker(maker);
    if (memcmp(maker, head.maker, sizeof(maker)) != 0)
        return false;
    struct weir_slice common = weir_image_ready_octets(image, head.common);
    if (common.len > WEIR_RULE_READY_MAX || weir_regex_checksum(common) != head.checksum)
        return false;
    rules->common = common;
    return common.len > 0;
}

int weir_rules_use_hyperscan(struct weir_rules *rules)
{
    int rc = rules->hyperscan ? 0 : weir_hyperscan_new(&rules->prefilter, &rules->hyperscan);
    rules->prefilter.hyperscan = rules->hyperscan;
    return rc;
}

void weir_rules_free(struct weir_rules **rules)
{
    if (!rules || !*rules)
        return;
    weir_regexes_free(&(*rules)->regexes);
    weir_hyperscan_free(&(*rules)->hyperscan);
    free(*rules);
    *rules = NULL;
}

/* Asking. ---------------------------------------------------------------------- */

uint32_t weir_rules_serial(const struct weir_rules *rules)
{
    return rules->image.serial;
}

size_t weir_rules_count(const struct weir_rules *rules)
{
    return weir_rules_size(rules);
}

static bool has_regex(const struct weir_image_rule *rule)
{
    return rule->kind < WEIR_RULE_IP && !(rule->flags & WEIR_RULE_EXISTS);
}

size_t weir_rules_compile_all(struct weir_rules *rules)
{
    size_t bad = 0;
    for (size_t i = 0; i < weir_rules_size(rules); i++) {
        const struct weir_regex regex = weir_rules_regex(rules, i);
        if (has_regex(&rules->image.rule[i]))
            bad += !weir_regexes_prepare(rules->regexes, i, &regex);
    }
    return bad;
}

int weir_rules_get(const struct weir_rules *rules, size_t number, struct weir_rule *rule_r)
{
    const struct weir_image *image = &rules->image;
    if (number >= weir_rules_size(rules))
        return 0;
    const struct weir_image_rule *rule = &image->rule[number];
    *rule_r = (struct weir_rule){
        .id = rule->id,
        .name = weir_image_text(image, rule->name),
        .description = weir_image_text(image, rule->description),
        .selector = {"", 0},
        .pattern = weir_image_text(image, rule->pattern),
        .kind = rule->kind < WEIR_RULE_KINDS ? (enum weir_rule_kind)rule->kind : WEIR_RULE_META,
        .state = (enum weir_rule_state)(rule->state <= WEIR_RULE_LOCKED ? rule->state : 0),
        .flags = rule->flags & (WEIR_IMAGE_HIDDEN - 1u),
        .score = rule->state == WEIR_RULE_TEST ? 0 : rule->score,
    };
    if (rule->selector < image->count[WEIR_IMAGE_SELECTORS])
        rule_r->selector = weir_image_text(image, image->selector[rule->selector].name);
    return 1;
}

int weir_rules_find(const struct weir_rules *rules, uint32_t id, struct weir_rule *rule_r)
{
    uint32_t number;
    return weir_image_with_id(&rules->image, id, &number) ? weir_rules_get(rules, number, rule_r)
                                                          : 0;
}

int weir_rules_named(const struct weir_rules *rules, struct weir_slice name,
                     struct weir_rule *rule_r)
{
    uint32_t number;
    return weir_image_named(&rules->image, name, &number) ? weir_rules_get(rules, number, rule_r)
                                                          : 0;
}
