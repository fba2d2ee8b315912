/*
 * votes - what people's reports changed in the reputation, on its way into this server's counters.
 *
 *     the monitor's answer to a report of health -> how many there are -> fetched in pages -> added
 *
 * Who adds a vote depends on where counters lie.  In a local store each server adds all votes, and
 * the server that judged the message also takes back what its program had said of it.  What is
 * shared (memcached) is changed by one server: the one whose report changed the majority.
 *
 * A vote waits until its message is three seconds old: by then it is counted where it was judged.
 *
 * With what it adds a vote leaves a mark in the counters; one whose mark is there is passed over,
 * so that after a crash each is added once: exactly in a local store, where both are one
 * transaction.  What a server of a cluster lost while it was asked to store is lost.
 *
 * Owner:    the caller; the configuration must outlive it.  Threads: one.
 * Errors:   logged, and tried again later.
 */
#ifndef WEIR_AGENT_VOTES_IO_H
#define WEIR_AGENT_VOTES_IO_H

#include "core/base/cursor.h"
#include "core/base/log.h"
#include "core/engine/config.h"

struct weir_votes;

/* 0 or WEIR_ENOMEM; the counters are opened with the first vote. */
int weir_votes_open(const struct weir_config *config, const struct weir_log *log,
                    struct weir_votes **votes_r);
void weir_votes_free(struct weir_votes **votes);

/* The monitor's newest vote. */
void weir_votes_hear(struct weir_votes *votes, int64_t newest);

/* Whether it is time to fetch some, and those behind which number. */
bool weir_votes_due(const struct weir_votes *votes, weir_time steady, int64_t *behind_r);

/* What was fetched. */
void weir_votes_take(struct weir_votes *votes, struct weir_slice answer, weir_time steady);

/* Upkeep of the counters. */
void weir_votes_turn(struct weir_votes *votes, weir_time now);

/* Fingerprint of the counters' key, 0: there is none; and the last vote that was added. */
uint32_t weir_votes_key(struct weir_votes *votes);
int64_t weir_votes_done(const struct weir_votes *votes);

#endif
