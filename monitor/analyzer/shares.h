/*
 * shares - how much of what one server told counts beside what all the others told, so that a
 * stolen identity, which can log whatever it likes, does not move the scores of all (claims B1, B4,
 * B33).
 *
 * What a server tells of a rule is four numbers: the spam and the ham the rule hit there, of all
 * spam and all ham there.  All four count by one weight, so that what it says of the rule stays
 * what it is, and weighs less: by the smallest weight that brings each down to `most` times what
 * all others together told of the same, or to a floor, whichever is more:
 *
 *     WEIR_SHARE_HITS messages that the rule hit, WEIR_SHARE_ALL of all
 *
 * Whose others together told fewer than WEIR_SHARE_OTHERS spam or ham counts whole: an installation
 * of one server, and one whose other servers are quiet, go by what there is.  What was told by
 * nobody knows whom, before there were accounts, is the others' for each, and is not bounded.
 *
 *     one half, three servers of 1,000 ham each that a rule never hit    the third counts for
 *                      the third says it hit 10 ham                      10 of 1,000
 *                      the third says it hit 1,000 ham                   20 of 20
 *                      the third says it hit 100,000 ham of 100,000      20 of 20
 *
 * False positives that people report are bounded likewise, by the server that told of the reports:
 * one alone comes one short of what demotes a rule, where the others reported enough lately to have
 * done so themselves.
 *
 * Idleness is not bounded: a hit that one server alone tells of keeps a rule at work, or else what
 * only one server's mail is hit by would be lost.
 *
 * Owner:    the caller.  Threads: pure.
 * Limits:   two servers that lie together are two.
 */
#ifndef WEIR_ANALYZER_SHARES_H
#define WEIR_ANALYZER_SHARES_H

#include <stddef.h>
#include <stdint.h>

#include "monitor/analyzer/score.h"

#define WEIR_SHARE_HITS 20
#define WEIR_SHARE_ALL 1000
#define WEIR_SHARE_OTHERS 100

struct weir_share {
    uint32_t server;
    struct weir_score_counts told;
    double weight;             /* of all messages, by weir_shares_weigh(): 0..1 */
};

/* What all servers told of all messages. */
struct weir_shares {
    double most;               /* of what all others told; 0: all counts whole */
    struct weir_score_counts all; /* as it was counted */
    struct weir_share *share;  /* by number of the server */
    size_t shares;
    struct weir_score_counts sum; /* by weir_shares_weigh() */
};

/* What is to score a rule. */
struct weir_weighed {
    struct weir_score_counts hits, all;
    uint32_t server;           /* whose word on the rule was bounded most, when one's was */
    unsigned bounded;          /* servers whose word was */
    struct weir_score_counts told; /* by that server, of the rule */
    double weight;             /* of that; 1: it counts whole */
};

/* Works out weights and the sum of all messages. */
void weir_shares_weigh(struct weir_shares *shares);

/* A rule that has such hits, as they were counted, of which servers, by number, told so many. */
struct weir_weighed weir_shares_rule(const struct weir_shares *shares,
                                     const struct weir_score_counts *hits,
                                     const struct weir_share *told, size_t servers);

/* Of how many false positives of a rule one server, or nobody alone (0), told. */
struct weir_share_blame {
    uint32_t server;
    unsigned messages;
    unsigned others;           /* reports of good mail that other servers told of lately */
};

/* How many of all false positives of a rule count, when so many demote it. */
unsigned weir_shares_blamed(unsigned all, const struct weir_share_blame *by, size_t servers,
                            unsigned demote, double most);

#endif
