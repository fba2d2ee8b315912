/*
 * reputation_impl - what the parts of reputation share: what was read, and the
 * arithmetic of one level.  For core/evidence/reputation*.c, association.c and
 * their tests only.
 *
 *     reputation_counters.c   which counters: plan, gather, learn
 *     reputation.c            the levels and the judgement
 *     association.c           whose network is this: common, uncommon, forged
 */
#ifndef WEIR_EVIDENCE_REPUTATION_IMPL_H
#define WEIR_EVIDENCE_REPUTATION_IMPL_H

#include "core/evidence/reputation.h"

/* The levels: the bases, and beside them what became of mail from networks that
 * had no vote before it.  A network's prior is learned from such firsts, not
 * from all mail: a few large senders make most mail, but every new network is
 * one more draw from the strangers. */
enum { WEIR_LEVEL_STRANGERS = WEIR_BASES, WEIR_LEVELS };

#define WEIR_STRANGER_VOTES 0.1 /* a network with fewer votes, unweighted, is a stranger */

/* Readings with names.  A level a reading of which is missing is all zero. */
struct weir_gathered {
    struct weir_cell cell[WEIR_LEVELS]; /* only the five raw numbers are filled */
    bool lost[WEIR_LEVELS]; /* some of its votes were missing */
    double group_good;      /* u: good mails of the group, not decayed */
    double domain_good;     /* G: good mails of the domain, decayed */
    double domain_new;      /* of these the first of a group, decayed */
    double network_domains; /* groups of the network that had good mail, not decayed */
    double spam_long, spam_short; /* spam events of the address by both half-lives */
    bool groups_known;      /* the four group numbers were all answered */
    bool partial;           /* some reading was missing */
};

/* Gives readings of a plan for this query their names. */
void weir_reputation_gather(const struct weir_reputation_query *query,
                            const struct weir_reading *reading, struct weir_gathered *gathered_r);

/* Whether the network answered and had no votes. */
bool weir_reputation_is_stranger(const struct weir_gathered *gathered);

/* A finite number in least..most: least when it is below or not a number. */
double weir_reputation_within(double number, double least, double most);

/* Sets association and novelty; cells must be weighted, the network's complete. */
void weir_association_find(const struct weir_reputation_settings *settings,
                           const struct weir_reputation_query *query,
                           const struct weir_gathered *gathered,
                           struct weir_reputation *reputation);

/* Whether the name is forged (C32); all else of the reputation must be set. */
bool weir_association_forged(const struct weir_reputation *reputation);

#endif
