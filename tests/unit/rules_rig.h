/*
 * rules_rig - a rule set out of a text, and what it makes of a mail, for tests.
 */
#ifndef WEIR_TESTS_RULES_RIG_H
#define WEIR_TESTS_RULES_RIG_H

#include "core/evidence/rules.h"

struct rules_rig {
    struct weir_arena *arena;       /* of sources and mail */
    struct weir_rule_sources sources;
    void *octets;                   /* the image; NULL when it could not be built */
    size_t len;
    int built;                      /* what weir_rules_build() said */
    struct weir_rules *rules;
    struct weir_matcher *matcher;
    struct weir_charsets *charsets;
    struct weir_rule_input input;   /* tests set envelope, boundary, recipients */
    float fact[WEIR_FACTS];
    struct weir_rule_result result; /* of the last match */
    char told[4096];                /* errors, "file:line: why\n" each */
    char hits[8192];                /* names of the last match's hits, blanks between */
};

/* Reads and builds; a set that is not in order has told something and no rules. */
struct rules_rig *rules_rig_new(const char *text);
void rules_rig_free(struct rules_rig *rig);

/* Matches a mail; facts of the message are added to fact.  Returns the names of the hits. */
const char *rules_rig_match(struct rules_rig *rig, const char *mail);
const char *rules_rig_match_octets(struct rules_rig *rig, const char *mail, size_t len,
                                   unsigned want);

/* The hit of this name in the last match, or NULL. */
const struct weir_rule_hit *rules_rig_hit(const struct rules_rig *rig, const char *name);

#endif
