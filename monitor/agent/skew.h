/*
 * skew - how far this server's clock is ahead of the monitor's, from the times of its answers.
 *
 * The monitor says when a block ends by its own clock; by one that is ten minutes ahead a block of
 * five would never begin.  So ends are told in this server's time.  An answer says what time the
 * monitor had at some moment between question and answer, to the second: what is known is kept as
 * long as it fits, with WEIR_SKEW_MOST to spare, so that ends do not move to and fro, and a
 * difference below that is none.
 *
 * Owner:    a plain value; starts with zeroes.  Threads: pure functions.
 */
#ifndef WEIR_AGENT_SKEW_H
#define WEIR_AGENT_SKEW_H

#include <stdbool.h>

#include "core/base/clock.h"
#include "monitor/agent/command.h"

#define WEIR_SKEW_MOST (5 * WEIR_SECOND)

struct weir_skew {
    weir_time ahead; /* negative: behind */
};

/* The monitor's time was said in an answer to a question that went at `sent` and came at `came`, by
 * this server's clock.  Whether another skew is known now. */
bool weir_skew_note(struct weir_skew *skew, weir_time sent, weir_time came, weir_time said);

/* Ends of a command in this server's time. */
void weir_skew_convert(const struct weir_skew *skew, struct weir_command *command);

#endif
