/*
 * matcher_effort - what one message has cost so far, and whether more may be spent on it.
 *
 * First come header and envelope, then all texts that are short and the ends of the long ones, then
 * the rest of these.  Each round has an amount of work of its own.
 */
#ifndef WEIR_EVIDENCE_MATCHER_EFFORT_H
#define WEIR_EVIDENCE_MATCHER_EFFORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum weir_round { WEIR_ROUND_FIELDS, WEIR_ROUND_ENDS, WEIR_ROUND_REST, WEIR_ROUNDS };

struct weir_effort {
    enum weir_round round;      /* whose work is spent now */
    uint64_t work[WEIR_ROUNDS]; /* units spent, each about half a nanosecond */
    bool over[WEIR_ROUNDS];     /* nothing may be spent any more */
    uint64_t since_look;        /* units since the clock was looked at */
    uint64_t started;           /* the clock's reading at the beginning */
    uint64_t begun;             /* the same, moved on by what only a new process has to do */
    uint64_t used;              /* nanoseconds since then, when the clock was looked at */
};

void weir_effort_begin(struct weir_effort *effort);

/* What a call of PCRE2 counts that looks at so many octets: more with a long expression, which
 * nearly always is one of many alternatives. */
uint64_t weir_match_cost(size_t octets, size_t pattern);

/* Counts the work of one call in the present round.  False when that was too much. */
bool weir_effort_spend(struct weir_effort *effort, uint64_t units);

/* Nanoseconds used so far, from which the time of one rule is counted: looks at the clock when much
 * was done since the last look. */
uint64_t weir_effort_used(struct weir_effort *effort);

/* The most that one rule may spend on one text. */
uint64_t weir_effort_share(const struct weir_effort *effort);

bool weir_effort_is_over(const struct weir_effort *effort);

/* Looks at the clock, the last resort: it ends the rest of long texts first, then all. */
void weir_effort_look(struct weir_effort *effort);

#endif
