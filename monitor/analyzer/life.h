/*
 * life - what becomes of a rule by what it does: retired, put to the test, at work (claims B7, B8,
 * B28, B29, B32).
 *
 *     draft --(a person approves)--> test --(a day, proven)--> active --(idle)--> retired
 *                                      ^------(does harm)--------'
 *
 * A rule that nobody's mail has hit for a while is retired: kept, but published no more.  One that
 * hits good mail rather than spam, or was found to blame by people's reports, goes back to the
 * test, where it counts and scores nothing.  From there a rule comes whose hits say what its score
 * says: spam above 0, good mail below.  Locked rules stay as they are, and so does what a
 * person alone decides: drafts, and what is retired.
 *
 * What the analyzer itself retired comes back to the test when it would hit spam that people report
 * (drafts_io.h).  A rule that was drafted from missed spam cannot prove itself by hits on mail that
 * is judged spam without it: a person's approval and a trial in which nobody reports good mail have
 * to do.
 *
 * Threads:  pure.
 */
#ifndef WEIR_ANALYZER_LIFE_H
#define WEIR_ANALYZER_LIFE_H

#include "core/base/clock.h"
#include "core/evidence/rule_source.h"
#include "monitor/analyzer/score.h"

#define WEIR_LIFE_SCORE_FIRST 2.0 /* points at most, of a rule that comes from the test */

struct weir_life_settings {
    weir_time idle;            /* without a hit: longer than that retires; 0: never */
    weir_time trial;           /* a rule is at least so long in the test */
    unsigned false_positives;  /* reported within WEIR_LIFE_REPORTS: so many demote; 0: never */
    unsigned people;           /* by so many at least: one alone may be the spammer */
};

#define WEIR_LIFE_REPORTS (7 * WEIR_DAY)

/* 30 days, a day, 3, 2. */
struct weir_life_settings weir_life_defaults(void);

struct weir_life_facts {
    enum weir_rule_state state;
    double score;              /* of the rule as it is */
    double next;               /* what it would have at work now; 0: it would be of no use there */
    weir_time since;           /* when it came into its state */
    weir_time last_hit;        /* 0: never */
    unsigned false_positives;  /* reported within WEIR_LIFE_REPORTS */
    unsigned people;           /* who did */
    struct weir_score_evidence evidence;
    bool approved;             /* a person lets it go from the test to work */
    bool drafted;              /* from missed spam, by the analyzer: its hits are judged good mail
                                  for just as long as nothing else tells it */
};

/* The state it goes to, perhaps the one it has, and why, static text ("" when it stays). */
enum weir_rule_state weir_life_next(const struct weir_life_facts *facts,
                                    const struct weir_life_settings *settings, weir_time now,
                                    const char **why_r);

#endif
