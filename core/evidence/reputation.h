/*
 * reputation - what became of earlier mail from this address for this domain.
 *
 * Five entities are counted: the pair (address, domain), the group (network,
 * domain), the address, the domain, the network; and two for all: all mail, and
 * mail from networks that were strangers when it came.  A judgement backs off
 * from the narrow ones, which say most, to the wide ones, which know more
 * (claims C1-C6, C14-C27, C30-C34):
 *
 *     pair -> network x domain -> address and domain -> network -> prior
 *
 * Each level is a Beta posterior whose mean is the wider level's answer and
 * whose strength says how many votes that answer is worth; from the wider
 * level's counts the narrower one's are left out, so nothing counts twice.  A
 * domain's good name counts only where the domain is at home (or vouched for):
 * anybody can write it.  Its bad name counts everywhere.
 *
 * Everything here is arithmetic on numbers that were handed in: plan() says
 * which counters to read, judge() makes a judgement of them, learn() says what
 * to add for a vote.  It touches neither store nor clock.
 *
 * Threads:  pure functions.
 * Errors:   none; what is missing counts as unknown, and numbers that no store
 *           of ours can hold (NaN, infinite, negative) count as nothing.
 * Limits:   a domain is bound to its name, not to who may use it: without
 *           authentication its own bad name may be the work of forgers.
 */
#ifndef WEIR_EVIDENCE_REPUTATION_H
#define WEIR_EVIDENCE_REPUTATION_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/address.h"
#include "core/base/keyed_hash.h"
#include "core/store/counters.h"

/* Rows of the configuration ([reputation]). */
struct weir_reputation_settings {
    int64_t ipv4_bits, ipv6_bits;                  /* of a network: 24, 64 */
    double weight_user, weight_computer;           /* of a vote: 5, 1 (C23, C24) */
    double weight_indeterminate;                   /* as good: 0.25 (C25) */
    double strength_pair, strength_address;        /* of what the wider level says, in votes */
    double strength_network, strength_domain;
    weir_time half_life_pair, half_life_address;   /* 30 d, 10 d (C22) */
    weir_time half_life_network, half_life_domain; /* 10 d, 30 d */
    weir_time half_life_rate;                      /* 60 min; the short one is a quarter */
    double prior_least, prior_most;                /* 0.2, 0.8 */
    double associate_good;                         /* good mail needed to know a domain: 149 */
    double associate_novelty;                      /* above this share it roams: 0.05 */
    double associate_group;                        /* good mails that make a group common: 2 */
    double shared_domains;                         /* good domains that make a network shared: 50 */
};

/* The defaults, as measured on real streams. */
struct weir_reputation_settings weir_reputation_defaults(void);

/* Who is asked about. */
struct weir_reputation_query {
    struct weir_address address;
    const char *domain; /* organizational domain in normal form; "" when there is none */
    bool with_rates;    /* also how fast spam comes (C20, C21): two counters more to read */
    bool authenticated; /* SPF, DKIM, DMARC or a verified host name vouches for the domain */
};

enum weir_basis { /* the level that decided */
    WEIR_BASIS_PRIOR,
    WEIR_BASIS_NETWORK,
    WEIR_BASIS_DOMAIN,
    WEIR_BASIS_ADDRESS,
    WEIR_BASIS_NETWORK_DOMAIN,
    WEIR_BASIS_PAIR,
    WEIR_BASES
};

/* "prior", "net", "domain", "address", "net-domain", "pair". */
const char *weir_basis_name(enum weir_basis basis);

enum weir_association { /* is this network known for this domain? (C3) */
    WEIR_ASSOCIATION_UNKNOWN,
    WEIR_ASSOCIATION_AUTH,
    WEIR_ASSOCIATION_COMMON,
    WEIR_ASSOCIATION_UNCOMMON,
    WEIR_ASSOCIATION_ROAM,
    WEIR_ASSOCIATIONS
};

/* "unknown", "auth", "common", "uncommon", "roam". */
const char *weir_association_name(enum weir_association association);

/* One level of the table: its cell (C27) and what it says alone. */
struct weir_cell {
    double spam_user, good_user, spam_computer, good_computer, indeterminate;
    double spam, good;    /* the same, weighted and summed */
    double probability;   /* of spam: all votes of this level, the wider ones behind it */
    double confidence;    /* n / (n + strength), n = spam + good */
};

struct weir_reputation {
    double probability;  /* that the next mail of this pair is spam, 0..1 */
    double confidence;   /* of the level that decided, 0..1; 0 when only the prior could */
    double points;       /* for the score: 0.7 clip(logit p - logit of what is assumed, +-4);
                          * assumed is prior, or prior_stranger where the network is one */
    double prior;        /* the share of spam in all mail, clipped */
    double prior_stranger; /* the same of mail from networks not seen before: the mean of
                            * which networks are thought, prior where that is not known */
    enum weir_basis basis;
    enum weir_association association;
    bool forged;         /* the domain's name in mail that is not its own (C32) */
    bool partial;        /* a store did not answer: the judgement leans to the prior */
    struct weir_cell cell[WEIR_BASES]; /* by basis; PRIOR: all mail */
    double elsewhere;    /* P(spam) of the domain by its mail at other networks (C4) */
    double elsewhere_n;  /* weighted votes behind it */
    double novelty;      /* P(next good mail of the domain comes from a new group); a
                          * young domain counts as if it had associate_good mails */
    double group_good;   /* good mails of this group, not decayed */
    double domain_good;  /* good mails of the domain, decayed */
    double spam_rate;    /* of the address, spam a minute over the rate half-life (C20) */
    double spam_rate_now; /* extrapolated to now (C21) */
};

#define WEIR_REPUTATION_READINGS 48

/* Fills reading[] with the counters this query needs, those of one entity
 * together, and returns how many: 41, or 22 without a domain (10 of them, those
 * for all mail, the same in every plan).  key is the deployment's secret. */
size_t weir_reputation_plan(const struct weir_reputation_settings *settings,
                            const struct weir_hash_key *key,
                            const struct weir_reputation_query *query,
                            struct weir_reading reading[static WEIR_REPUTATION_READINGS]);

/* Judges from readings planned for the same query and settings, now read. */
void weir_reputation_judge(const struct weir_reputation_settings *settings,
                           const struct weir_reputation_query *query,
                           const struct weir_reading *reading,
                           struct weir_reputation *reputation_r);

/* A classification of one message. */
enum weir_vote_verdict { WEIR_VOTE_SPAM, WEIR_VOTE_GOOD, WEIR_VOTE_UNSURE };
enum weir_vote_voter { WEIR_VOTE_USER, WEIR_VOTE_COMPUTER };
struct weir_vote {
    enum weir_vote_verdict verdict;
    enum weir_vote_voter voter;
};

struct weir_addition {
    struct weir_counter counter;
    double weight;
};

#define WEIR_REPUTATION_ADDITIONS 20

/* Fills addition[] with what a vote adds to the counters and returns how many
 * (at most 11).  Weights are 1: what a vote is worth is decided when it is
 * read, so that the setting may change later (C23).  reading is what was read
 * for the query before this vote (needed to know whether a good mail's group
 * is new, and whether its network was a stranger); NULL when the vote is taken
 * back, which gives what was added but for these two marks. */
size_t weir_reputation_learn(const struct weir_reputation_settings *settings,
                             const struct weir_hash_key *key,
                             const struct weir_reputation_query *query,
                             const struct weir_reading *reading, struct weir_vote vote,
                             struct weir_addition addition[static WEIR_REPUTATION_ADDITIONS]);

/* What is said of a message. */
enum weir_said { WEIR_SAID_NOTHING, WEIR_SAID_SPAM, WEIR_SAID_GOOD, WEIR_SAID_UNSURE };

/* How a message was counted when it came, so that anybody who knows it can count it the same way
 * later, or take it back, whatever the counters say by then. */
struct weir_counted {
    enum weir_said computer; /* what a program said of it; NOTHING: it was not counted */
    bool stranger;           /* its network had no vote before it */
    bool new_group;          /* no good mail of its domain had come from its network */
};

/* What readings of a plan say of the two marks; computer is NOTHING. */
struct weir_counted weir_reputation_counted(const struct weir_reputation_query *query,
                                            const struct weir_reading *reading);

/* Fills addition[] with all that one message has added to the counters, by now, and returns how
 * many (at most 18): the program's vote, or in its place one of people when they say something,
 * also when they say the same; and as a spam or a good mail it counts once, as people say.  From
 * one state to another: take back what the old one has and the new one has not, and add the
 * reverse. */
size_t weir_reputation_message(const struct weir_reputation_settings *settings,
                               const struct weir_hash_key *key,
                               const struct weir_reputation_query *query,
                               const struct weir_counted *counted, enum weir_said people,
                               struct weir_addition addition[static WEIR_REPUTATION_ADDITIONS]);

/* Whether the white list entry of this domain holds for this mail (C2, C16):
 * false when the pair is spammy, or unknown and uncommon, while the domain is
 * good elsewhere: then somebody else uses its name.  A domain that is spammy
 * everywhere is honoured: that is what its entry is for.  So is one that is
 * vouched for. */
bool weir_reputation_honours_whitelist(const struct weir_reputation *reputation);

#endif
