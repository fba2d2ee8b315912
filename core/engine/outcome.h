/*
 * outcome - what a mail server is to do with a message, in its own terms.
 *
 * The same whether it was decided here (judge.h) or asked of a daemon (remote.h), so that the
 * milter and the Exim module only carry it out.
 *
 * Owner:    all texts live in the arena of whoever made the outcome, until its next message.
 */
#ifndef WEIR_ENGINE_OUTCOME_H
#define WEIR_ENGINE_OUTCOME_H

#include "core/base/limits.h"
#include "core/engine/verdict.h"

/* Names of the fields that are ours alone, for a list of them: those that come from outside are
 * removed. */
#define WEIR_OUR_HEADERS \
    "X-Weir-Info", "X-Spam-Flag", "X-Spam-Status", "X-Spam-Level", "X-Spam-Score"

struct weir_header_added {
    const char *name;
    const char *value;   /* folded with "\n " or not at all; no line end behind it */
};

struct weir_outcome {
    enum weir_verdict verdict;
    enum weir_action action;
    double score;
    const char *reply;   /* to REJECT and DEFER: "550 5.7.1 words"; else "" */
    const char *log;     /* the facts in one line, without the program's name */
    const char *info;    /* the spam-info string unfolded; "" when there is none */
    /* on top of the message, in this order */
    struct weir_header_added add[WEIR_OUTCOME_HEADERS_MAX];
    size_t adds;
    /* all fields of these names, any case: ours, from outside */
    const char *remove[WEIR_OUTCOME_HEADERS_MAX];
    size_t removes;
};

#endif
