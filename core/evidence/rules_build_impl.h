/*
 * rules_build_impl - what the steps of building a rule set share; not for callers.
 */
#ifndef WEIR_EVIDENCE_RULES_BUILD_IMPL_H
#define WEIR_EVIDENCE_RULES_BUILD_IMPL_H

#include "core/base/arena.h"
#include "core/base/limits.h"
#include "core/evidence/rule_image.h"
#include "core/evidence/rules.h"

struct weir_build_meta {
    uint32_t rule;       /* number in the image */
    const uint32_t *code;
    size_t len;
};

struct weir_build {
    struct weir_arena *arena; /* of the work; gone afterwards */
    const struct weir_rule_sources *sources;
    weir_rule_report *report;
    void *context;
    size_t errors;
    bool checks;              /* no image is to be made */

    const struct weir_rule_source **source; /* by number: those that are in the set */
    size_t rules;
    const struct weir_rule_source **by_name; /* all sources, sorted */
    uint32_t *number;                        /* of a source in the set, or UINT32_MAX */
    struct weir_image_rule *rule;
    struct weir_slice *ready;                /* by number: the expression compiled, or empty */
    size_t readies;                          /* octets of all of them */

    char *text;
    size_t text_len;
    struct weir_image_selector selector[WEIR_RULE_SELECTORS_MAX];
    size_t selectors;

    struct weir_build_meta *meta; /* each behind those it needs */
    size_t metas;
};

/* Counts and tells what is wrong with a rule. */
void weir_build_wrong(struct weir_build *build, const struct weir_rule_source *source,
                      const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts a text into the image's. */
struct weir_image_span weir_build_text(struct weir_build *build, struct weir_slice text);

/* The source of this name, or NULL. */
const struct weir_rule_source *weir_build_named(const struct weir_build *build,
                                                struct weir_slice name);

/* rules_build_meta.c: compiles formulas and brings them into an order; adds the pieces
 * METAS, CODE, DEPENDENT_FIRST, DEPENDENTS, START_TRUE.  0 or WEIR_ENOMEM. */
int weir_build_metas(struct weir_build *build);
int weir_build_add_metas(struct weir_build *build, struct weir_image_writer *writer);

/* rules_build_ready.c: adds the pieces READY and READY_OCTETS.  0 or WEIR_ENOMEM. */
int weir_build_add_ready(struct weir_build *build, struct weir_image_writer *writer);

/* rules_build_network.c: adds the piece NETWORKS.  0 or WEIR_ENOMEM. */
int weir_build_add_networks(struct weir_build *build, struct weir_image_writer *writer);

#endif
