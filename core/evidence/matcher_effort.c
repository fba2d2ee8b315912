/*
 * How much one message may cost: work that is counted, and the clock as the last resort.
 *
 * Work is what the message makes of the rules, weighted to be about half a nanosecond a unit on
 * the machine it was measured on; it does not know the clock, so that a message that stays within
 * all bounds gets the same hits in every process, on a quick machine and on a slow or busy one.  At
 * the bounds that need not be so: PCRE2 counts the steps of a match otherwise in machine code than
 * without, which a new process begins with, Hyperscan's work is counted otherwise than the built-in
 * engine's, and what a new process has to do first is bounded by the clock alone.
 *
 * Each round has work of its own, which the others cannot use up, and of it no rule gets more than
 * its share.
 */
#include "core/evidence/matcher_effort.h"

#include "core/base/limits.h"
#include "core/evidence/match_clock_io.h"

enum {
    CALL = 200,               /* of an expression: units without the octets, and ... */
    PATTERN_LEAST = 128,       /* ... for each octet a unit for ... */
    PATTERN_EACH = 128,        /* ... so many octets of the expression and these */
    UNITS_BETWEEN_LOOKS = 200000, /* at the clock, which costs some hundred */
    CALLS_BETWEEN_LOOKS = 16, /* at most: a call of few octets may take a millisecond, too */
};

uint64_t weir_match_cost(size_t octets, size_t pattern)
{
    return CALL + (uint64_t)octets * (PATTERN_LEAST + pattern) / PATTERN_EACH;
}

static uint64_t work_max(enum weir_round round)
{
    static const uint64_t most[WEIR_ROUNDS] = {
        [WEIR_ROUND_FIELDS] = WEIR_MATCH_FIELDS_WORK_MAX,
        [WEIR_ROUND_ENDS] = WEIR_MATCH_ENDS_WORK_MAX,
        [WEIR_ROUND_REST] = WEIR_MATCH_REST_WORK_MAX};
    return most[round];
}

void weir_effort_begin(struct weir_effort *effort)
{
    uint64_t now = weir_match_used();
    *effort = (struct weir_effort){.started = now, .begun = now};
}

void weir_effort_look(struct weir_effort *effort)
{
    const uint64_t millisecond = 1000000, now = weir_match_used();
    effort->used = now - effort->begun;
    effort->over[WEIR_ROUND_REST] |=
        effort->used > WEIR_MATCH_REST_TIME_MAX * millisecond ||
        now - effort->started > WEIR_MATCH_COLD_TIME_MAX * millisecond;
    effort->over[WEIR_ROUND_ENDS] |=
        effort->used > WEIR_MATCH_TIME_MAX * millisecond ||
        now - effort->started > WEIR_MATCH_COLD_ALL_TIME_MAX * millisecond;
    effort->over[WEIR_ROUND_FIELDS] |= effort->over[WEIR_ROUND_ENDS];
    effort->since_look = 0;
}

bool weir_effort_spend(struct weir_effort *effort, uint64_t units)
{
    const uint64_t least = UNITS_BETWEEN_LOOKS / CALLS_BETWEEN_LOOKS;
    enum weir_round round = effort->round;
    effort->work[round] += units;
    effort->since_look += units > least ? units : least;
    if (effort->since_look >= UNITS_BETWEEN_LOOKS)
        weir_effort_look(effort);
    effort->over[round] |= effort->work[round] > work_max(round);
    return !effort->over[round];
}

uint64_t weir_effort_used(struct weir_effort *effort)
{
    if (effort->since_look >= UNITS_BETWEEN_LOOKS / 2)
        weir_effort_look(effort);
    return effort->used;
}

uint64_t weir_effort_share(const struct weir_effort *effort)
{
    return work_max(effort->round) / WEIR_MATCH_SHARES;
}

bool weir_effort_is_over(const struct weir_effort *effort)
{
    return effort->over[effort->round];
}
