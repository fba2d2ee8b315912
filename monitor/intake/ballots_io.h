/*
 * ballots - what people's votes changed, as the answer to an agent's question (vote_text.h).
 *
 * Read from a handle of the database of its own, so that agents do not wait for the writer.
 *
 * Owner:    the caller owns it.  Threads: any.
 * Errors:   logged.
 * Limits:   WEIR_VOTES_PAGE votes of an answer; the agent asks again for more.
 */
#ifndef WEIR_INTAKE_BALLOTS_IO_H
#define WEIR_INTAKE_BALLOTS_IO_H

#include "core/base/log.h"
#include "monitor/database/database_io.h"
#include "monitor/intake/shared_text.h"

struct weir_ballots;

/* The database must be there.  0 or its error. */
int weir_ballots_open(const char *database_path, const struct weir_log *log,
                      struct weir_ballots **ballots_r);
void weir_ballots_free(struct weir_ballots **ballots);

/* The newest number; 0: there is none, or it cannot be read now. */
int64_t weir_ballots_newest(struct weir_ballots *ballots);

/* Those behind a number, for a server; the caller is a holder.  NULL: they cannot be read now. */
struct weir_shared_text *weir_ballots_behind(struct weir_ballots *ballots, uint32_t server,
                                             int64_t number);

#endif
