/*
 * Differences are counted by kind, not kept.
 */
#include "monitor/analyzer/publish_differ.h"

#include <string.h>

#include "core/base/slice.h"
#include "core/evidence/bayes_table.h"

static int count_difference(void *context, const struct weir_rules_differ *differ)
{
    unsigned *differences = context;

    differences[differ->difference]++;
    return 0;
}

void weir_publish_differ(const struct weir_rule_parcel *before, struct weir_slice rules,
                         size_t count, unsigned differences[static WEIR_RULE_DIFFERENCES])
{
    const struct weir_slice none = {"", 0}, old = before->section[WEIR_PARCEL_RULES];

    if (weir_rules_diff(old.at ? old : none, rules, count_difference, differences) >= 0)
        return;
    memset(differences, 0, WEIR_RULE_DIFFERENCES * sizeof *differences);
    differences[WEIR_RULE_ADDED] = (unsigned)count;
    differences[WEIR_RULE_GONE] = (unsigned)before->rules;
}

static size_t words_of(struct weir_slice list)
{
    struct weir_bayes_table table = {.entries = 0};

    if (list.len > 0)
        (void)weir_bayes_table_attach(list.at, list.len, false, &table);
    return table.entries;
}

bool weir_publish_other_words(struct weir_slice before, struct weir_slice list, size_t *were_r,
                              size_t *are_r)
{
    *were_r = words_of(before);
    *are_r = words_of(list);
    return !weir_slice_same(list, before) && *were_r + *are_r > 0;
}
