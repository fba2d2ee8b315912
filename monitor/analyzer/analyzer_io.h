/*
 * analyzer - a run over the rulebook: what every rule hit lately is looked at, the changes that
 * follow are tried on recent good mail, and what is left of them is stored, all or nothing (claims
 * B1, B7, B8, B16, B18).
 *
 *     weir_analysis_new()     reads, on a handle of its own, and decides; takes its time
 *     weir_analysis_store()   writes: rules, their history, a line of the audit, one transaction
 *
 * Two runs at once: who stores second is refused, and nothing of his is stored.  A rule that
 * somebody changed in between, whatever of it, is passed over.  Hits, rules and messages are read
 * one after the other, not as of one moment.  What one server tells counts as far as shares.h has
 * it.
 *
 * Owner:    the caller.  Threads: one at a time.
 * Errors:   those of the database; WEIR_ENOMEM.
 * Limits:   WEIR_RULES_MAX rules, WEIR_MESSAGES_TRIED messages: some 40 MB while it lasts.
 */
#ifndef WEIR_ANALYZER_ANALYZER_IO_H
#define WEIR_ANALYZER_ANALYZER_IO_H

#include "monitor/analyzer/analyze.h"
#include "monitor/database/database_io.h"

struct weir_analysis;

struct weir_analysis_options {
    struct weir_analyze_settings settings;
    weir_time now;             /* as of when; times of history and states, too */
    const char *who;           /* "analyzer", "analyzer for uid 0" */
};

enum weir_analysis_fate {
    WEIR_ANALYSIS_CHANGED,     /* or will be, once stored */
    WEIR_ANALYSIS_REFUSED,     /* it would have made good mail spam */
    WEIR_ANALYSIS_PASSED,      /* somebody was faster */
};

struct weir_analysis_change {
    uint32_t id;
    char name[WEIR_RULE_NAME_MAX + 1];
    enum weir_rule_state state; /* as it was */
    double score;
    weir_time updated;
    struct weir_analyze_change to;
    enum weir_analysis_fate fate;
    uint64_t message;          /* of WEIR_ANALYSIS_REFUSED: its uid */
};

struct weir_analysis_counts {
    size_t rules, changed, refused, passed;
    uint64_t messages;         /* good ones that the changes were tried on; 0: nothing rises */
    struct weir_score_counts all;
};

/* Decides, and stores nothing.  0 or an error. */
int weir_analysis_new(struct weir_database *reading, const struct weir_analysis_options *options,
                      struct weir_analysis **analysis_r);
void weir_analysis_free(struct weir_analysis **analysis);

/* Stores what was decided.  0, or an error, and nothing was stored; WEIR_EDOWN: another run stored
 * something meanwhile. */
int weir_analysis_store(struct weir_analysis *analysis, struct weir_database *writing);

/* By number 0.. in the order of ids; NULL behind the last. */
const struct weir_analysis_change *weir_analysis_get(const struct weir_analysis *analysis,
                                                     size_t number);
struct weir_analysis_counts weir_analysis_counts(const struct weir_analysis *analysis);

#endif
