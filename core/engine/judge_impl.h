/*
 * judge_impl - what the parts of the judge share.  For core/engine/judge*.c only.
 *
 *     judge.c           the steps: from a message's octets to what is known about it
 *     judge_score.c     points, verdict, action
 *     judge_count.c     what is counted in the reputation
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
    struct weir_rule_result rules;
    struct weir_judgement judgement;
};

/* Adds up and decides (judge_score.c).  rules name the hits; NULL: there are none.  0 or
 * WEIR_ENOMEM. */
int weir_judge_score(struct weir_judge *judge, const struct weir_rules *rules);

/* Counts what was decided (judge_count.c). */
void weir_judge_count(struct weir_judge *judge);

/* Writes the outcome (judge_outcome.c).  0 or WEIR_ENOMEM. */
int weir_judge_write(struct weir_judge *judge);

/* Appends one line to the spool (judge_outcome.c). */
void weir_judge_spool(struct weir_judge *judge);

#endif
