/*
 * analyze - what a run makes of one rule: its state by life.h, its score by score.h, and why in
 * words (claims B1, B4, B7, B8, B16, B28, B29).
 *
 * A score moves from what the rule's author gave it towards what its hits allow (score.h), a step
 * at most, within its own bounds or those of the threshold, and never to the other side of 0 than
 * its author's.  It stays where it is while there is too little to go by: WEIR_ANALYZE_HITS_LEAST
 * messages that the rule hit, of WEIR_ANALYZE_ALL_LEAST each of spam and ham, lately; and where it
 * would change by less than WEIR_ANALYZE_CHANGE_LEAST.
 *
 * A rule at work whose score comes to 0 goes to the test, where it is still counted and can earn
 * points again; one that comes back from the test gets WEIR_LIFE_SCORE_FIRST at most, to either
 * side of 0.  One that is put to the test for harm needs a person's approval again.  Locked rules,
 * drafts, retired ones, and those for formulas only ("__...") are left alone.  One that a formula
 * names is not retired, however idle: the formula would say another thing.
 *
 * A rule that the analyzer drafted of missed spam hits what is judged good without it; that counts
 * against it only once somebody reported good mail that it hit.
 *
 * Threads:  pure.
 */
#ifndef WEIR_ANALYZER_ANALYZE_H
#define WEIR_ANALYZER_ANALYZE_H

#include "monitor/analyzer/hits.h"
#include "monitor/analyzer/life.h"

#define WEIR_ANALYZE_HITS_LEAST 4
#define WEIR_ANALYZE_ALL_LEAST 100
#define WEIR_ANALYZE_CHANGE_LEAST 0.05
#define WEIR_ANALYZE_WHY 400

struct weir_analyze_settings {
    struct weir_life_settings life;
    double spam_score;
    double share;              /* of what all others told, one server may: shares.h; 0: any */
};

struct weir_analyze_rule {
    const char *name;
    enum weir_rule_state state;
    double score, base;
    double low, high;          /* both 0: as the threshold allows */
    weir_time since;           /* when it came into its state */
    bool named;                /* by the formula of another that is evaluated: not retired */
    bool approved, drafted;    /* drafted: by the analyzer, from missed spam */
    struct weir_hits_rule hits; /* decayed up to now, and bounded: what is to score it */
    const char *bounded;       /* whose word was, most of all; NULL or "": nobody's */
    unsigned false_positives;  /* reported within WEIR_LIFE_REPORTS, and bounded */
    unsigned people;           /* who did */
};

struct weir_analyze_change {
    enum weir_rule_state state;
    double score;
    bool approved;
    double deserved;           /* by base and hits, where those are enough; else its score */
    char why[WEIR_ANALYZE_WHY]; /* "" when nothing changes */
};

/* What becomes of a rule, all messages beside its hits being so many lately: 1, or 0 when it stays
 * as it is. */
int weir_analyze(const struct weir_analyze_rule *rule, const struct weir_score_counts *all,
                 const struct weir_analyze_settings *settings, weir_time now,
                 struct weir_analyze_change *change_r);

#endif
