/*
 * sa_import_impl - what the parts of the import share: the rules as they are known so far.
 *
 * sa_import.c reads lines, sa_definition.c what a line says about a rule, sa_finish.c decides in
 * the end which rules are taken.
 */
#ifndef WEIR_CTL_SA_IMPORT_IMPL_H
#define WEIR_CTL_SA_IMPORT_IMPL_H

#include <stdbool.h>

#include "monitor/ctl/sa_condition.h"
#include "monitor/ctl/sa_import.h"
#include "monitor/ctl/sa_names.h"
#include "monitor/ctl/sa_replace_tags.h"

enum sa_fate {
    SA_UNKNOWN,  /* not decided, or never defined */
    SA_TAKEN,
    SA_NEVER,    /* SpamAssassin does not run it: 0 in meta rules */
    SA_OUT,      /* not taken */
};

struct sa_rule {
    struct weir_slice name;
    struct weir_rule_source source; /* as it will be */
    bool defined, refused;          /* refused: reason and why say what for */
    bool skipped;                   /* defined in a block that is not read */
    bool replace, has_score;
    float score;
    struct weir_slice tflags;
    enum weir_sa_reason reason;
    const char *why, *file;
    unsigned line;
    enum sa_fate fate;
    unsigned waits;                 /* meta rules it needs that are not decided */
    struct sa_edge *needed_by;      /* meta rules */
};

struct sa_edge {
    struct sa_rule *rule;
    struct sa_edge *next;
};

/* A line about a rule that was not defined when it was read. */
struct sa_early {
    struct sa_rule *rule;
    struct weir_slice key;          /* "score", ... */
    const char *file;
    unsigned line;
};

struct sa_importing {
    struct weir_arena *arena;
    struct sa_names rules;          /* value: struct sa_rule */
    struct sa_names words;          /* value: size_t */
    struct sa_tags tags;
    struct sa_conditions conditions;
    const char *file;               /* where we are */
    unsigned line;
    struct sa_rule **defined;       /* in order */
    size_t defineds, defined_room;
    struct sa_early *early;
    size_t earlies, early_room;
    struct weir_sa_missed *missed;
    size_t missing, missed_room;
    bool no_memory;                 /* everything else is a no-op from there on */
};

/* The rule of a name, made when it is new; NULL when memory is short. */
struct sa_rule *sa_import_rule(struct sa_importing *in, struct weir_slice name);

/* Notes something that is missing; why must live as long as the arena. */
void sa_import_miss(struct sa_importing *in, enum weir_sa_reason reason, struct weir_slice name,
                    const char *file, unsigned line, const char *why);

/* The same for a rule, where it is defined. */
void sa_import_miss_rule(struct sa_importing *in, const struct sa_rule *rule,
                         enum weir_sa_reason reason, const char *why);

/* Counts a word of configuration. */
void sa_import_count(struct sa_importing *in, struct weir_slice word);

/* A line about a rule: header, body, meta, score, tflags, ...  False when it is about
 * something else. */
bool sa_definition_line(struct sa_importing *in, struct weir_slice key, struct weir_slice value);

/* The same for a line that is not read: notes which rules are defined there. */
void sa_definition_skipped(struct sa_importing *in, struct weir_slice key,
                           struct weir_slice value);

/* Decides about all rules and fills in what is taken. */
void sa_finish(struct sa_importing *in, struct weir_sa_import *import_r);

#endif
