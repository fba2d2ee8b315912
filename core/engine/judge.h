/*
 * judge - decides about a whole message (claims C1, C7, C14-C17, B14, B18).
 *
 * In this order: take the message apart; read what trusted servers found out about its
 * sender;
 * find the boundary address; ask lists and reputation about (boundary address, stated domain);
 * match the rules; ask the Bayesian classifier; add up; decide; write it down (headers, log line,
 * spam-info string, one line for the spool).
 *
 *     score = points of rules + REPUTATION + BAYES + FORGED_DOMAIN + FORGED_INFO + RULES_CUT
 *             + ip:ADDRESS
 *     ham < unsure_score <= unsure < spam_score <= spam
 *
 * A reputation that condemns by itself (weir_engine_verdict) weighs as much as
 * spam_score, so that the verdict always follows from the sum.  The classifier's
 * points are its weight, the logarithm of the odds, times [bayes] scale, within -ham_points and
 * spam_points, which is less than reject_score: it refuses nobody alone.  The acceptable and white
 * lists make ham, the blacklist blocked, whatever the score, which is shown all the same.
 * Bounces, mail to nobody but postmaster and abuse, mail of our own users, from this machine and
 * from the never-list is scored and tagged, and never refused.
 *
 * Owner:    the caller owns the judge; what it borrows must outlive it.  The judgement lives
 *           in the judge until its next message.
 * Threads:  one judge, one thread; rules and gateways may be shared.
 * Errors:   WEIR_ENOMEM only: then nothing was decided and the front end does what the operator
 *           configured for failures.  A store, lists, rules or keys that are missing are facts
 *           in the judgement; mail flows.
 */
#ifndef WEIR_ENGINE_JUDGE_H
#define WEIR_ENGINE_JUDGE_H

#include "core/engine/bayes_file_io.h"
#include "core/engine/engine.h"
#include "core/engine/info.h"
#include "core/engine/outcome.h"
#include "core/evidence/bayes.h"
#include "core/evidence/rules_io.h"
#include "core/mail/auth_results.h"
#include "core/mail/boundary.h"
#include "core/store/spool_io.h"

/* A message as a mail server holds it, without the Received field it adds itself. */
struct weir_mail {
    struct weir_envelope envelope;       /* stage END; recipient: the first */
    const struct weir_slice *recipient;  /* all of them */
    size_t recipients;
    size_t recipients_more;              /* told of, beyond WEIR_RECIPIENTS_MAX */
    struct weir_slice listener;          /* "127.0.0.1:25": which of our sockets took it; or "" */
    struct weir_slice message;           /* header and body as received */
    size_t received_skip;                /* of a message out of a file: Received fields on top
                                          * that tell of the client itself; else 0 */
};

/* Points that do not come from the rule set have ids of their own, and names
 * (weir_rule_own_name). */
enum weir_point_id {
    WEIR_POINT_REPUTATION = WEIR_RULE_ID_OWN, /* up to RESERVED refused as ids of rules */
    WEIR_POINT_FORGED_DOMAIN,
    WEIR_POINT_FORGED_INFO,
    WEIR_POINT_BAYES,
    WEIR_POINT_RULES_CUT,         /* it made so much work that rules were given up: what lacks to
                                   * be unsure; 0 when only in the middle of long texts */
    WEIR_POINT_ADDRESS,           /* the rule of the address, "ip:192.0.2.7" (claim A7) */
    WEIR_POINT_RESERVED = WEIR_RULE_ID_OWN_LAST,
};

/* One line of the explanation. */
struct weir_point {
    uint32_t id;
    struct weir_slice name;
    struct weir_slice description;
    const char *kind;              /* "body", "header", ..., "reputation" */
    double points;
    unsigned times;
    struct weir_slice evidence;    /* what it saw, as it stands: hostile; may be empty */
};

enum weir_stage_of_work { WEIR_WORK_PARSE, WEIR_WORK_BOUNDARY, WEIR_WORK_LOOK_UP, WEIR_WORK_RULES,
                          WEIR_WORK_BAYES, WEIR_WORK_WRITE, WEIR_WORKS };
const char *weir_work_name(enum weir_stage_of_work work);

/* What the Bayesian classifier says (claims C28, C29). */
struct weir_bayes_opinion {
    enum weir_bayes_use use;       /* off: it was not asked */
    bool listed;                   /* there is a word list; else nothing below is filled in */
    uint64_t spam, ham;            /* messages that were learned */
    double points;                 /* what it gives, or, observed, would give */
    struct weir_bayes_result said; /* or why it is silent */
    const struct weir_bayes_tokens *tokens; /* of the message; NULL: nobody needed them */
};

struct weir_judgement {
    struct weir_decision decision;   /* verdict, action, ground, score, reputation, id, domain */
    struct weir_boundary boundary;
    struct weir_auth auth[WEIR_AUTH_RESULTS_MAX];
    size_t auths;
    bool vouched;                    /* one of them, or the verified name, for the domain */
    struct weir_point *point;        /* by points falling; rules in state test at 0 */
    size_t points;
    size_t hits_left_out;            /* beyond WEIR_RULE_HITS_MAX */
    struct weir_counted counted;     /* how it was counted in the reputation, as in the string */
    bool rules_missing;              /* there is no rule set, or it could not be used */
    bool rules_cut;                  /* some rules ran into a bound: WEIR_MATCH_... */
    uint32_t serial;                 /* of the rule set */
    struct weir_bayes_opinion bayes;
    uint64_t defects;                /* of the message */
    unsigned html_facts;
    bool had_info;                   /* it came with a spam-info string, in this state */
    enum weir_info_state info_state;
    struct weir_slice subject, from, message_id; /* decoded; for people and logs */
    struct weir_outcome outcome;
    weir_time spent[WEIR_WORKS];     /* microseconds, when asked for */
};

struct weir_judge;

/* When the next message that teaches is told of: ham, spam.  For judges of one process. */
struct weir_lesson_pace {
    weir_time next[2];
};

/* What only one judge at a time may use, each with a lock of its own. */
enum weir_shared { WEIR_SHARED_STORES, WEIR_SHARED_DOMAINS, WEIR_SHARED_SPOOL, WEIR_SHARED };

struct weir_judge_parts {
    const struct weir_config *config;
    struct weir_engine *engine;
    struct weir_rule_file *rules;          /* NULL: none */
    struct weir_bayes_file *bayes;         /* NULL: none */
    struct weir_lesson_pace *pace;         /* with the spool's lock; NULL: a process of one mail */
    const struct weir_gateways *gateways;  /* NULL: none */
    struct weir_domains *domains;          /* not the engine's: its lock is another */
    const struct weir_info_keys *keys;     /* NULL or empty: no string is made */
    struct weir_spool *spool;              /* NULL: none */
    const struct weir_log *log;
    const struct weir_clock *steady;       /* for spent; NULL: not measured */
    bool profile;                          /* measure each rule, too */
    bool hidden;                           /* hits of "__" rules are points, too, of 0 */
    bool learn;                            /* verdicts are counted in the reputation */
    const char *program;                   /* in the spool's lines */
    /* Called around each use of what several judges share; or NULL. */
    void (*enter)(void *context, enum weir_shared what);
    void (*leave)(void *context, enum weir_shared what);
    void *context;
};

/* 0 or WEIR_ENOMEM.  What parts point to is borrowed. */
int weir_judge_new(const struct weir_judge_parts *parts, struct weir_judge **judge_r);
void weir_judge_free(struct weir_judge **judge);

/* Decides.  0 with *judgement_r (never NULL then), or WEIR_ENOMEM. */
int weir_judge_mail(struct weir_judge *judge, weir_time now, const struct weir_mail *mail,
                    const struct weir_judgement **judgement_r);

#endif
