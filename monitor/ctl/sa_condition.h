/*
 * sa_condition - which lines of a SpamAssassin file are read: if, ifplugin, else, endif.
 *
 * Owner:    a plain value, one for a file; slices point into the file's lines.
 * Limits:   SA_CONDITIONS_MAX blocks within each other; what is deeper is not read.
 */
#ifndef WEIR_CTL_SA_CONDITION_H
#define WEIR_CTL_SA_CONDITION_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/cursor.h"

#define SA_CONDITIONS_MAX 64

struct sa_condition {
    struct weir_slice text;
    bool skipped;  /* what is around it is not read */
    bool plugin;   /* it is false for want of a plugin */
};

struct sa_conditions {
    struct sa_condition open[SA_CONDITIONS_MAX];
    size_t depth, beyond; /* beyond: blocks deeper than the limit */
    bool skip;            /* the condition or one around it is false */
    struct sa_condition cause; /* the condition to blame for what is not read */
};

/* The lines here are not read. */
static inline bool sa_conditions_skip(const struct sa_conditions *conditions)
{
    return conditions->skip || conditions->beyond > 0;
}

enum sa_condition_word {
    SA_CONDITION_NONE, /* another word */
    SA_CONDITION_READ, /* understood */
    SA_CONDITION_BAD,  /* cannot be understood; *why_r says why */
};

/* Looks at one line. */
enum sa_condition_word sa_conditions_line(struct sa_conditions *conditions, struct weir_slice key,
                                          struct weir_slice value, const char **why_r);

/* 1, 0 or WEIR_EINVAL; *plugin_r is set when it asks for a plugin that is not assumed. */
int sa_condition_holds(struct weir_slice text, bool *plugin_r);

#endif
