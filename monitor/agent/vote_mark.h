/*
 * vote_mark - the mark that a vote leaves in the counters it was added to, so that nobody adds it
 * again: an agent that lost its number, or after a rebuild brought the vote along.
 *
 * Threads:  pure functions.
 */
#ifndef WEIR_AGENT_VOTE_MARK_H
#define WEIR_AGENT_VOTE_MARK_H

#include "core/base/keyed_hash.h"
#include "core/store/counters.h"

#define WEIR_VOTE_MARKED 0.5 /* more: it is there */

/* The counter that is 1 when the vote of this number about this message was added. */
struct weir_counter weir_vote_mark(const struct weir_hash_key *key, uint64_t uid, int64_t number);

#endif
