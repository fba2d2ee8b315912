/*
 * rule_source_impl - what reader and line parser of rules share; not for callers.
 */
#ifndef WEIR_EVIDENCE_RULE_SOURCE_IMPL_H
#define WEIR_EVIDENCE_RULE_SOURCE_IMPL_H

#include "core/base/keyed_hash.h"
#include "core/base/limits.h"
#include "core/base/slice.h"
#include "core/evidence/rule_source.h"

enum { RULES_A_CHUNK = 256 };

/* A rule while its lines are still coming. */
struct weir_rule_draft {
    struct weir_rule_source source;
    bool has_test, has_score, has_id;
    bool known;                    /* its id stays */
};

struct weir_rule_chunk {
    struct weir_rule_chunk *next;
    size_t drafts;
    struct weir_rule_draft draft[RULES_A_CHUNK];
};

struct weir_rule_reader {
    struct weir_arena *arena;
    weir_rule_report *report;
    void *context;
    struct weir_hash_key key;
    struct weir_rule_chunk *first, *last;
    struct weir_rule_draft **slot; /* open addressing; a power of two, at most half full */
    size_t slots, rules, errors;
    bool full;                     /* WEIR_RULES_MAX was passed, and told */
    bool forgives;                 /* rules without a test are left out */
    const char *file;              /* of the line being read */
    unsigned line;
};

/* Counts and tells an error at the line being read; returns 0, for the caller to give on. */
int weir_rule_wrong(struct weir_rule_reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The draft of this name, made when there is none: 1; 0 when told as an error; WEIR_ENOMEM. */
int weir_rule_draft(struct weir_rule_reader *reader, struct weir_slice name,
                    struct weir_rule_draft **draft_r);

/* Tells that the first of two rules has the fixed id of the other. */
void weir_rule_tell_doubled(struct weir_rule_reader *reader, const struct weir_rule_source *first,
                            const struct weir_rule_source *rule);

/* rule_ids.c: gives every draft its id; doubled fixed ones are told.  0 or WEIR_ENOMEM. */
int weir_rule_ids_give(struct weir_rule_reader *reader);

/* Reads one line, comments taken off, in octets that stay: 0, or WEIR_ENOMEM. */
int weir_rule_line_read(struct weir_rule_reader *reader, struct weir_slice line);

/* rule_test.c: what is behind "header NAME", "body NAME", ...: 0 also when told as an error. */
int weir_rule_test_read(struct weir_rule_reader *reader, struct weir_rule_draft *draft,
                        enum weir_rule_kind kind, struct weir_slice text);

/* A sign, digits, a point, at most six digits behind it; nothing else. */
bool weir_rule_number(struct weir_slice word, double *number_r);

/* The flags behind an expression by their letters, and the words of tflags. */
struct weir_rule_flag_name {
    const char *name;
    unsigned flag;
};
extern const struct weir_rule_flag_name weir_rule_flag_names[];
extern const struct weir_rule_flag_name weir_rule_letter_names[];

#endif
