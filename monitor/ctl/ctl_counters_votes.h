/*
 * ctl_counters_votes - marks of votes (monitor/agent/vote_mark.h) for weirctl counters rebuild: the
 * database's numbers contain all votes, so that an agent that has not added one yet, or no longer
 * knows that it has, must find it added.
 *
 * Owner:    the caller.  Threads: one.
 * Errors:   exit codes, said.
 */
#ifndef WEIR_CTL_COUNTERS_VOTES_H
#define WEIR_CTL_COUNTERS_VOTES_H

#include "monitor/ctl/ctl.h"
#include "monitor/database/database_io.h"

/* Leaves the marks of all votes behind *behind, which is then the last one's number; those that the
 * store did not take are added to *unanswered.  0 or an exit code. */
int weir_ctl_counters_votes(struct weir_ctl *ctl, struct weir_database *database, int64_t *behind,
                            size_t *unanswered);

#endif
