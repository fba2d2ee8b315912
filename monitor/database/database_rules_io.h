/*
 * The rulebook: rules as the analyzer keeps them, and every change of them (claims B2, B5, B17,
 * B24).
 *
 *     rules          one row a rule: what it is, what it scores, how far it may be changed
 *     rule_changes   who changed what, from what, to what, why; nothing here is ever changed, but
 *                    for what weir_database_rules_thin() lets go
 *
 *     SELECT name, state, score, hits.false_positives FROM rules JOIN hits ON hits.rule = rules.id
 *
 * A rule is kept in the language of rule_source.h, without its lines for id, state, score, base,
 * bounds and approved, which are columns.  A change and its line of history are one transaction.
 *
 * Rules are never removed: what is not wanted is retired, so that old numbers keep their names.
 *
 * See database_io.h for owner, threads, errors and rows; a row() that returns an error ends the
 * list with it.  Limits: WEIR_RULES_MAX rules (WEIR_ELIMIT), WEIR_RULE_TEXT_MAX octets of a rule's
 * lines.
 */
#ifndef WEIR_DATABASE_RULES_IO_H
#define WEIR_DATABASE_RULES_IO_H

#include "core/evidence/rule_source.h"
#include "monitor/database/database_io.h"

struct weir_kept_rule {
    uint32_t id;               /* never given to another rule */
    const char *name;
    enum weir_rule_kind kind;
    const char *text;          /* its lines, but for those that are columns */
    enum weir_rule_state state;
    double score;              /* what it adds when it is at work */
    double base;               /* what its author gave it */
    double low, high;          /* how far programs may change the score; both 0: as the threshold
                                  allows (score.h) */
    const char *author;        /* "uid 0", "import", "report", ... */
    weir_time created;
    weir_time updated;         /* another with each change: who keeps it sees that there was one */
    weir_time since;           /* when it came into its state */
    bool approved;             /* a person lets it go from the test to work */
};

/* Who changes a rule, when, and why; texts of WEIR_DATABASE_TEXT_MAX. */
struct weir_rule_change {
    const char *who, *why;
    weir_time time;
};

/* Adds a rule, or puts it in the place of the one with its id; created is kept, updated and, with
 * another state, since become the change's time, author stays.  Nothing different: nothing is
 * written.  1 when it was, 0 when not; WEIR_EINVAL: its name belongs to another id or its id to
 * another name, or a number is none; or an error.  Scores are kept to 1/100. */
int weir_database_rule_put(struct weir_database *database, const struct weir_kept_rule *rule,
                           const struct weir_rule_change *change);

/* Rules by id, of all states or, with states, those whose bit 1 << state is set. */
int weir_database_rules(struct weir_database *database, unsigned states,
                        int (*row)(void *context, const struct weir_kept_rule *rule),
                        void *context);

/* One rule, by its name (id 0) or id: 1, 0, or an error. */
int weir_database_rule(struct weir_database *database, const char *name, uint32_t id,
                       int (*row)(void *context, const struct weir_kept_rule *rule),
                       void *context);

/* The same of what a person wrote, a name or a number; and whether it is a number. */
int weir_database_rule_called(struct weir_database *database, const char *which,
                              int (*row)(void *context, const struct weir_kept_rule *rule),
                              void *context);
bool weir_rule_number_read(const char *text, uint32_t *id_r);

/* Changes the rule of an id: edit() changes what it is handed, but for id and name, and returns 0;
 * others leave the rule alone.  1 when something was written, 0 when not, also when there is no
 * such rule; an error, edit()'s, too.  Texts that edit() puts in must live until the end. */
int weir_database_rule_edit(struct weir_database *database, uint32_t id,
                            int (*edit)(void *context, struct weir_kept_rule *rule), void *context,
                            const struct weir_rule_change *change);

/* How many runs of the analyzer were stored, and when the last was (0: never).  0 or an error. */
int weir_database_runs(struct weir_database *database, uint64_t *runs_r, weir_time *last_r);

/* Notes a run that began when there were so many, in the caller's transaction: 0; WEIR_EDOWN: there
 * are more by now; or an error. */
int weir_database_run_put(struct weir_database *database, uint64_t runs, weir_time time);

/* A line of history. */
struct weir_rule_changed {
    int64_t number;
    weir_time time;
    uint32_t rule;
    const char *name, *who, *why;
    const char *what;          /* "added", "kind", "text", "state", "score", "base", "bounds",
                                  "approved" */
    const char *old, *new;     /* as text; of what was added: "", and its lines, and a line
                                  more when it is approved before it works */
};

/* The newest set's serial, and the number of the last line of history; 0: there is none. */
struct weir_rules_newest { int64_t serial, change; };
int weir_database_rules_newest(struct weir_database *database, struct weir_rules_newest *newest_r);

/* Lets old history go that the analyzer made (who begins with "analyzer"): of what is older than a
 * time only the last change a rule, a kind of change and WEIR_HISTORY_STEP is kept, about so.  What
 * people did is kept for ever.  At most so many lines are looked at, from where the last call
 * ended.  How many went, or an error; *more_r: there is more to look at. */
int weir_database_rules_thin(struct weir_database *database, weir_time before, unsigned rows,
                             bool *more_r);
#define WEIR_HISTORY_STEP (30 * WEIR_DAY)

/* History, newest first, of one rule or (0) of all, at most so many, with numbers below before (0:
 * from the newest). */
int weir_database_rule_changes(struct weir_database *database, uint32_t rule, int64_t before,
                               unsigned most,
                               int (*row)(void *context, const struct weir_rule_changed *change),
                               void *context);

#endif
