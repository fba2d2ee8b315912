/*
 * verdict - what was decided about a message, and the words for it.
 */
#ifndef WEIR_ENGINE_VERDICT_H
#define WEIR_ENGINE_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/evidence/reputation.h"
#include "core/mail/domain.h"
#include "core/mail/envelope.h"
#include "core/store/lists_io.h"

enum weir_verdict { WEIR_HAM, WEIR_UNSURE, WEIR_SPAM, WEIR_BLOCKED };
enum weir_action { WEIR_PASS, WEIR_DEFER, WEIR_REJECT, WEIR_QUARANTINE };

/* What the verdict rests on. */
enum weir_ground {
    WEIR_GROUND_NOTHING,       /* nothing is known, or nothing is asked at this stage */
    WEIR_GROUND_AUTHENTICATED, /* one of our own users */
    WEIR_GROUND_NULL_SENDER,   /* bounces must get through */
    WEIR_GROUND_ROLE,          /* postmaster and abuse must get through */
    WEIR_GROUND_NEVER,         /* the never-list of the configuration */
    WEIR_GROUND_ACCEPT,        /* the acceptable list */
    WEIR_GROUND_WHITELIST,     /* the domain is acceptable and this is its own mail */
    WEIR_GROUND_BLACKLIST,
    WEIR_GROUND_REPUTATION,
    WEIR_GROUND_SCORE,         /* the sum of all points of a whole message */
    WEIR_GROUNDS
};

/* "ham", "unsure", "spam", "blocked"; "pass", "defer", "reject", "quarantine"; "nothing",
 * "authenticated", "null-sender", "role", "never", "accept", "whitelist",
 * "blacklist", "reputation", "score".  Static text. */
const char *weir_verdict_name(enum weir_verdict verdict);
const char *weir_action_name(enum weir_action action);
const char *weir_ground_name(enum weir_ground ground);

/* Whose mail a reputation is about, in plain words: "this address for this domain".  Static. */
const char *weir_basis_words(enum weir_basis basis);

#define WEIR_ID_TEXT 14

struct weir_decision {
    enum weir_verdict verdict;
    enum weir_action action;   /* what to do now */
    enum weir_action intended; /* what would be done in mode enforce */
    enum weir_ground ground;
    double score;              /* points; reputation gives at most 3 to either side */
    double address_points;     /* of these, what the address's own rule gives (list score) */
    bool judged;               /* reputation is filled in */
    bool forged;               /* rule FORGED_DOMAIN: somebody else uses the domain's name */
    bool store_missing;        /* counters did not all answer */
    bool lists_missing;        /* lists.db could not be read */
    struct weir_reputation reputation;
    struct weir_counted counted; /* of a whole message that was judged: how it is to be counted */
    /* Of NEVER, ACCEPT, WHITELIST, BLACKLIST; or of address_points. */
    struct weir_list_entry entry;
    char domain[WEIR_DOMAIN_TEXT];      /* organizational; "" when there is none */
    char id[WEIR_ID_TEXT];              /* reference for sender, log and operator */
};

#define WEIR_DECISION_TEXT 1024

/* The SMTP reply of a decision that defers or rejects: enhanced code, reason a
 * sender can act on, reference; printable ASCII, one line, at most
 * WEIR_REPLY_MAX octets.  Returns buffer. */
const char *weir_decision_reply(const struct weir_decision *decision,
                                const struct weir_envelope *envelope, const char *help_url,
                                char buffer[static WEIR_DECISION_TEXT]);

/* What is known beside the decision when the whole message was seen. */
struct weir_decision_more {
    const char *boundary;  /* the address, or "-" */
    const char *hop;       /* which hop that was and why: "1:no-gateway" */
    const char *rules;     /* "NAME(points),...", or "-" */
    const char *missing;   /* " missing=rules", ..., or "" */
    uint32_t serial;       /* of the rule set */
};

/* The facts in one line, "verdict=... score=... ...", for a header or the log; more may be
 * NULL.  Returns buffer. */
const char *weir_decision_facts(const struct weir_decision *decision,
                                const struct weir_envelope *envelope,
                                const struct weir_decision_more *more,
                                char buffer[static WEIR_DECISION_TEXT]);

/* The log line of a decision, without the program's name: its facts, its queue id where there is
 * one, and who wrote to whom. Returns buffer. */
const char *weir_decision_log(const char *facts, const struct weir_envelope *envelope,
                              char buffer[static WEIR_DECISION_TEXT]);

/* The reason in plain words for people: "on the blacklist since ... because ...". */
const char *weir_decision_reason(const struct weir_decision *decision,
                                 char buffer[static WEIR_DECISION_TEXT]);

#endif
