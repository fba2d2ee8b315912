/*
 * rules_impl - what the handle of a rule set and its matchers share; not for callers.
 */
#ifndef WEIR_EVIDENCE_RULES_IMPL_H
#define WEIR_EVIDENCE_RULES_IMPL_H

#include "core/base/limits.h"
#include "core/evidence/prefilter_hyperscan.h"
#include "core/evidence/rule_image.h"
#include "core/evidence/rule_regex.h"
#include "core/evidence/rules.h"

struct weir_rules {
    struct weir_image image;
    struct weir_prefilter prefilter;
    struct weir_hyperscan *hyperscan; /* the prefilter's, when it has one */
    struct weir_regexes *regexes;
    struct weir_slice common; /* of ready-made code; empty: there is none that may be used */
    /* Of each header selector the hash of its field's name; 0: any field may be meant. */
    uint32_t field_hash[WEIR_RULE_SELECTORS_MAX];
};

static inline size_t weir_rules_size(const struct weir_rules *rules)
{
    return rules->image.count[WEIR_IMAGE_RULES];
}

static inline struct weir_regex weir_rules_regex(const struct weir_rules *rules, size_t number)
{
    const struct weir_image_rule *rule = &rules->image.rule[number];
    struct weir_regex regex = {weir_image_text(&rules->image, rule->pattern), rule->flags,
                               {rules->common, {"", 0}, 0}};
    if (rules->common.len > 0) {
        const struct weir_image_ready *ready = &rules->image.ready[number];
        regex.ready.own = weir_image_ready_octets(&rules->image, ready->own);
        regex.ready.checksum = ready->checksum;
    }
    return regex;
}

#endif
