/*
 * rule_source - rules as people write them, and as rule sets are made of.
 *
 * The language is SpamAssassin's, which operators know, with a few words more:
 *
 *     header   NAME  Subject =~ /regex/i        also !~, exists:Name, [if-unset: text]
 *     body     NAME  /regex/i                   a paragraph of what is read
 *     rawbody  NAME  /regex/                    html, uri, full: the same
 *     envelope NAME  sender =~ /regex/          client, client_name, helo, sender, recipient
 *     ip       NAME  192.0.2.0/24 2001:db8::/32 the boundary address
 *     meta     NAME  A && (B + C > 1) && !DEFECT_NUL
 *     score    NAME  2.5                        the first of SpamAssassin's four numbers counts
 *     describe NAME  words for people
 *     tflags   NAME  multiple maxhits=5 nice noautolearn ...
 *                                               multiple: text with invisible characters comes
 *                                               once more without, its hits count there too
 *     id       NAME  1001                       fixed number in info strings; without one
 *                                               it follows from the name (weir_rule_id), and
 *                                               where two names make the same, the one that
 *                                               sorts later gets the next that is free
 *     state    NAME  active|test|draft|retired|locked
 *     base     NAME  2.5                        what its author gave it, where its score is another
 *     bounds   NAME  -0.5 3                     how far programs may change the score
 *     approved NAME  yes|no                     whether a person lets it go from test to work
 *
 * The last three are a rulebook's (weirctl rules export, rules add): in a server's own files they
 * are read and have no effect.
 *
 * '#' begins a comment unless escaped.  A later line of the same rule replaces the
 * earlier one (score, describe, ...; the test itself, too).  Names beginning with "__" have
 * no score: they are for meta rules.
 *
 * Owner:    everything in the caller's arena.
 * Errors:   each is reported with file, line and reason; reading goes on, so that
 *           all are told at once.  A source with errors makes no rule set.
 * Limits:   WEIR_RULES_MAX, WEIR_RULE_..._MAX.
 */
#ifndef WEIR_EVIDENCE_RULE_SOURCE_H
#define WEIR_EVIDENCE_RULE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/address.h"
#include "core/base/arena.h"
#include "core/base/cursor.h"
#include "core/base/line.h"
#include "core/mail/content.h"

enum weir_rule_kind { /* the first are areas */
    WEIR_RULE_HEADER = WEIR_AREA_HEADER,
    WEIR_RULE_BODY = WEIR_AREA_BODY,
    WEIR_RULE_RAW = WEIR_AREA_RAW,
    WEIR_RULE_HTML = WEIR_AREA_HTML,
    WEIR_RULE_URI = WEIR_AREA_URI,
    WEIR_RULE_FULL = WEIR_AREA_FULL,
    WEIR_RULE_ENVELOPE = WEIR_AREA_ENVELOPE,
    WEIR_RULE_IP,
    WEIR_RULE_META,
    WEIR_RULE_KINDS
};
const char *weir_rule_kind_name(enum weir_rule_kind kind);

enum weir_rule_state { WEIR_RULE_ACTIVE, WEIR_RULE_TEST, WEIR_RULE_DRAFT, WEIR_RULE_RETIRED,
                       WEIR_RULE_LOCKED };
const char *weir_rule_state_name(enum weir_rule_state state);

enum weir_rule_flag { /* bits */
    WEIR_RULE_NEGATED = 1,   /* !~ : hits when the expression does not match */
    WEIR_RULE_EXISTS = 2,    /* exists: : hits when there is such a header */
    WEIR_RULE_MULTIPLE = 4,  /* counts its hits, for meta rules */
    WEIR_RULE_CASELESS = 8, WEIR_RULE_MULTILINE = 16, WEIR_RULE_DOTALL = 32,
    WEIR_RULE_EXTENDED = 64,
    WEIR_RULE_NICE = 128, WEIR_RULE_NOAUTOLEARN = 256,
    WEIR_RULE_NOSUBJECT = 512, /* body: not in its first line, the subject */
};

enum weir_rule_said { /* bits */
    WEIR_RULE_SAID_TEST = 1, WEIR_RULE_SAID_SCORE = 2, WEIR_RULE_SAID_DESCRIPTION = 4,
    WEIR_RULE_SAID_FLAGS = 8, WEIR_RULE_SAID_ID = 16, WEIR_RULE_SAID_STATE = 32,
    WEIR_RULE_SAID_BASE = 64, WEIR_RULE_SAID_BOUNDS = 128, WEIR_RULE_SAID_APPROVED = 256,
};

struct weir_rule_source {
    struct weir_slice name;
    uint32_t id;
    enum weir_rule_kind kind;
    enum weir_rule_state state;
    unsigned flags;
    unsigned hits_most;          /* of MULTIPLE; 0: WEIR_RULE_REPEATS_MAX */
    float score;
    struct weir_slice selector;  /* header, envelope: "Subject", "From:addr", "sender" */
    struct weir_slice pattern;   /* the expression without slashes; the text of a meta rule */
    struct weir_slice unset;     /* [if-unset: ...] */
    struct weir_prefix *prefix;  /* ip */
    size_t prefixes;
    struct weir_slice description;
    double base, low, high;      /* each only when said; low 0 or less, high 0 or more */
    bool approved;               /* the same */
    unsigned said;               /* by its lines, or by those since weir_rule_reader_known() */
    const char *file;
    unsigned line;
};

struct weir_rule_sources {
    struct weir_rule_source *rule; /* in the order in which they first appear */
    size_t rules;
    size_t errors;
};

/* Told for each error: line 0 when it concerns the whole file. */
typedef void weir_rule_report(void *context, const char *file, unsigned line, const char *why);

struct weir_rule_reader;

/* Begins, adds the text of files one after the other, and ends: ids are given,
 * doubled fixed ids are errors, rules without a test are errors.  0 or WEIR_ENOMEM; what is wrong
 * is counted in sources_r->errors. */
int weir_rule_reader_new(struct weir_arena *arena, weir_rule_report *report, void *context,
                         struct weir_rule_reader **reader_r);
int weir_rule_reader_add(struct weir_rule_reader *reader, const char *file, struct weir_slice text);
/* Counts and tells a file that is none. */
void weir_rule_reader_refuse(struct weir_rule_reader *reader, const char *file, const char *why);
int weir_rule_reader_end(struct weir_rule_reader *reader, struct weir_rule_sources *sources_r);

/* From now on a rule without a test is no error: told, and left out.  For lines about a published
 * rule that is not published any more. */
void weir_rule_reader_forgive(struct weir_rule_reader *reader);

/* What was read so far are rules that are known: said begins anew, and a line that gives one of
 * them another id than it has is an error. */
void weir_rule_reader_known(struct weir_rule_reader *reader);

/* The id a name has when none is given and no other rule of the set has it: 2^20 up to
 * WEIR_RULE_ID_MAX, the same everywhere. */
uint32_t weir_rule_id(struct weir_slice name);

/* Points that do not come from rules have ids and names of their own, which are refused for
 * rules: WEIR_RULE_ID_OWN up to WEIR_RULE_ID_OWN_LAST; "REPUTATION", ..., and what begins with
 * "ip:".  The name of an id is NULL when it has none. */
#define WEIR_RULE_ID_OWN 1000
#define WEIR_RULE_ID_OWN_LAST 1009
const char *weir_rule_own_name(uint32_t id);
bool weir_rule_is_own(struct weir_slice name);

/* Copies a line of rules without its comment into the arena, "\#" as '#', trimmed: 0 or
 * WEIR_ENOMEM. */
int weir_rule_without_comment(struct weir_arena *arena, struct weir_slice line,
                              struct weir_slice *line_r);

/* Points as all count them: to 1/100, never -0; what is no number stays none. */
double weir_rule_points(double points);

/* One rule in the language again, all its lines, appended to out. */
void weir_rule_write(const struct weir_rule_source *rule, struct weir_line *out);

#endif
