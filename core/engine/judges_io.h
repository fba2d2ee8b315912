/*
 * judges - everything that deciding about whole messages needs, opened as configured, and
 * judges that work with it, one for each thread that asks.
 *
 * The rule set, gateways, keys and the spool are opened here; lists and counters are the
 * caller's (a process opens lists.db once).  Judges share them: what only one thread may use
 * is used under a lock inside.
 *
 * Owner:    the caller owns the handle; config, stores and log are borrowed and must outlive it.
 * Threads:  take and give from any; a judge belongs to the one that took it.  No thread is
 *           started.  After fork() only what was opened before and is not yet used may be used.
 * Errors:   what cannot be opened is logged and missing: mail is judged without it.
 */
#ifndef WEIR_ENGINE_JUDGES_IO_H
#define WEIR_ENGINE_JUDGES_IO_H

#include "core/engine/judge.h"
#include "core/engine/numbers.h"
#include "core/engine/stores_io.h"

struct weir_judges;

struct weir_judges_options {
    const char *program;   /* in the spool's lines; must outlive the judges */
    bool brief;            /* a short-lived process: nothing is checked or compiled that can wait */
    bool spool;            /* write the spool, and learn: not for tools that only look */
    bool timed;            /* measure weir_judgement.spent */
    bool profile;          /* measure each rule, too, which costs time itself */
    bool hidden;           /* hits of "__" rules are shown, too */
    struct weir_numbers *numbers; /* what is decided is counted there, and the spool's losses; or
                            * NULL */
    bool refresh;          /* make the rule set anew first when a rule file was changed */
};

/* 0 or WEIR_ENOMEM. */
int weir_judges_open(const struct weir_config *config, const struct weir_stores *stores,
                     const struct weir_judges_options *options, const struct weir_log *log,
                     struct weir_judges **judges_r);
void weir_judges_free(struct weir_judges **judges);

/* A judge for one message, or NULL when memory is short. */
struct weir_judge *weir_judges_take(struct weir_judges *judges);
void weir_judges_give(struct weir_judges *judges, struct weir_judge **judge);

/* Decides (judge.h), and counts and measures it: from since on (steady; 0: from here on). */
int weir_judges_decide(struct weir_judges *judges, struct weir_judge *judge, weir_time now,
                       weir_time since, const struct weir_mail *mail,
                       const struct weir_judgement **judgement_r);

struct weir_judges_profile {
    char name[WEIR_RULE_NAME_MAX + 1];
    uint64_t nanoseconds;
    uint64_t tried;        /* messages or lines it was tried on */
};

/* Where the time went, by rule, most first, when asked for and one judge did all; how many. */
size_t weir_judges_profile(struct weir_judges *judges, struct weir_judges_profile *profile_r,
                           size_t most);

/* What was opened; NULL, or no keys, when it could not be. */
struct weir_rule_file *weir_judges_rules(struct weir_judges *judges);
const struct weir_info_keys *weir_judges_keys(const struct weir_judges *judges);

/* What is due once in a while: each second counters are stored, then and when the spool turns; and
 * numbers are kept up. */
void weir_judges_tick(struct weir_judges *judges, weir_time now);

#endif
