/*
 * sa_import - SpamAssassin's rule files become rules of Weir's own language.
 *
 * Files are read in order, as SpamAssassin 4.0.0 would read them without a network: with
 * the plugins listed in sa_condition.c, with the first of four scores, in English.
 * What SpamAssassin would run and Weir cannot is listed with its reason; a meta rule that needs
 * such a rule is not taken either.  A name that no file defines (listed, too), or that
 * SpamAssassin would not run because its score is 0, counts as 0 in meta rules, as it does there.
 *
 *     taken:  header body rawbody uri full meta score describe tflags replace_*
 *     read:   if ifplugin else endif, lang
 *     words of configuration are counted
 *
 * Owner:    everything in the caller's arena; nothing points into the files' text.
 * Threads:  a pure function.
 * Errors:   WEIR_ENOMEM only; whatever is wrong in a file is listed.
 * Limits:   WEIR_RULES_MAX, WEIR_RULE_..._MAX, each listed where it is met; an arena
 *           (WEIR_ARENA_MAX) has room for some 90,000 rules.
 * See also: sa_condition.h, sa_regex.h, sa_replace_tags.h, sa_meta.h: its parts.
 */
#ifndef WEIR_CTL_SA_IMPORT_H
#define WEIR_CTL_SA_IMPORT_H

#include <stddef.h>

#include "core/base/arena.h"
#include "core/base/cursor.h"
#include "core/evidence/rule_source.h"

struct weir_sa_file {
    const char *name; /* for messages */
    struct weir_slice text;
};

enum weir_sa_reason {
    WEIR_SA_EVAL,       /* calls a function of SpamAssassin */
    WEIR_SA_PLUGIN,     /* stands in an ifplugin block of a plugin that is not assumed */
    WEIR_SA_CONDITION,  /* stands in another block that is not read */
    WEIR_SA_NETWORK,    /* is a network test */
    WEIR_SA_KIND,       /* is of a kind Weir does not have */
    WEIR_SA_HEADER,     /* looks at something SpamAssassin computes, not at a header field */
    WEIR_SA_EXPRESSION, /* PCRE2 does not take its expression */
    WEIR_SA_DEPENDS,    /* a meta rule that needs a rule that was not taken */
    WEIR_SA_SCORE,      /* has the score 0: SpamAssassin does not run it */
    WEIR_SA_SYNTAX,     /* cannot be read */
    WEIR_SA_LIMIT,      /* is larger than a limit */
    WEIR_SA_NOWHERE,    /* is said, or asked, about a rule that no file defines */
    WEIR_SA_CHANGED,    /* was taken, but not as it stands: why says what is different */
    WEIR_SA_REASONS
};
/* "eval", "plugin", ... */
const char *weir_sa_reason_name(enum weir_sa_reason reason);

struct weir_sa_missed {
    enum weir_sa_reason reason;
    const char *name; /* of the rule; "" for a line that belongs to none */
    const char *file;
    unsigned line;
    const char *why;  /* a sentence */
};

struct weir_sa_word { /* a word of configuration that is not about rules */
    const char *word;
    size_t count;
};

struct weir_sa_import {
    struct weir_rule_source *rule; /* in the order of their definition, id 0 */
    size_t rules;
    const struct weir_sa_missed *missed;
    size_t missing;
    const struct weir_sa_word *word; /* "lang", "priority", "tflags publish", ... */
    size_t words;
};

/* Reads the files.  Rules get no ids: those follow from their names.  0 or WEIR_ENOMEM. */
int weir_sa_import(const struct weir_sa_file *file, size_t files, struct weir_arena *arena,
                   struct weir_sa_import *import_r);

#endif
