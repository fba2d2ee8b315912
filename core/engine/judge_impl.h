/*
 * judge_impl - what the parts of the judge share.  For core/engine/judge*.c only.
 *
 *     judge.c           the steps: from a message's octets to what is known about it
 *     judge_bayes.c     what the Bayesian classifier says
 *     judge_score.c     points, verdict, action
 *     judge_teach.c     what the classifier may learn from
 *     judge_outcome.c   what is written down: headers, reply, log, info string, spool
 */
#ifndef WEIR_ENGINE_JUDGE_IMPL_H
#define WEIR_ENGINE_JUDGE_IMPL_H

#include "core/base/slice.h"
#include "core/engine/judge.h"

#define WEIR_OWN_POINTS_MAX 6 /* points that are not those of rules */

struct weir_judge {
    struct weir_judge_parts parts;
    struct weir_boundary_settings boundary;
    struct weir_charsets *charsets;
    struct weir_arena *arena;         /* of the message at hand */
    weir_time now;
    const struct weir_mail *mail;
    struct weir_envelope envelope;    /* as the boundary has it: what lists and reputation see */
    struct weir_message message;
    struct weir_content content;
    float fact[WEIR_FACTS];
    struct weir_matcher *matcher;     /* while the message is at hand; NULL: no rules */
    struct weir_rule_result rules;
    const struct weir_bayes_list *list; /* the same; NULL: no word list */
    struct weir_bayes_tokens tokens;  /* under its key, once they were asked for */
    bool tokened;
    uint64_t uid, binding;            /* as the spam-info string has them */
    struct weir_judgement judgement;
};

/* Takes the word list, if there is one, and asks the classifier (judge_bayes.c).  0 or
 * WEIR_ENOMEM. */
int weir_judge_bayes(struct weir_judge *judge);

/* Makes the message's tokens, unless they were made; there is a list.  0 or WEIR_ENOMEM. */
int weir_judge_tokens(struct weir_judge *judge);

/* What it says as a line of the explanation: 1; 0 when it says nothing; WEIR_ENOMEM. */
int weir_judge_bayes_point(struct weir_judge *judge, struct weir_point *point_r);

/* Tells the monitor of a message that teaches, through the spool (judge_teach.c).  0 or
 * WEIR_ENOMEM. */
int weir_judge_teach(struct weir_judge *judge);

/* Adds up and decides (judge_score.c).  0 or WEIR_ENOMEM. */
int weir_judge_score(struct weir_judge *judge);

/* Writes the outcome (judge_outcome.c).  0 or WEIR_ENOMEM. */
int weir_judge_write(struct weir_judge *judge);

/* Appends one line to the spool (judge_outcome.c). */
void weir_judge_spool(struct weir_judge *judge);

#endif
