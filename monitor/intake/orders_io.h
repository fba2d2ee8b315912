/*
 * orders - what the servers are to list, as the answer to an agent's question (command.h).
 *
 * Read from a handle of the database of its own, so that agents that ask do not wait for the
 * writer.  Texts are made one after the other; the last one of each kind is kept, because all
 * agents that were woken ask the same.  Nobody waits for one who does not need it.
 *
 * What changed is told in pages: an answer ends at the first generation at which it is long
 * enough, says that it goes up to there, and the agent's next question is answered at once.
 *
 * Owner:    the caller owns it.  Threads: any.
 * Errors:   weir_orders_open(): the database's, with why_r.
 * Limits:   WEIR_ORDERS_PAGE decisions of an answer, and the rest of the last generation; of all
 *           that stands WEIR_COMMAND_ENTRIES_MAX and WEIR_COMMAND_MAX octets: what is beyond them
 *           is left out, and told.
 */
#ifndef WEIR_INTAKE_ORDERS_IO_H
#define WEIR_INTAKE_ORDERS_IO_H

#include "core/base/log.h"
#include "monitor/database/database_io.h"
#include "monitor/intake/shared_text.h"

struct weir_orders;

/* The database must be there.  0 or its error, logged. */
int weir_orders_open(const char *database_path, const struct weir_log *log,
                     struct weir_orders **orders_r);
void weir_orders_free(struct weir_orders **orders);

/* The decisions have come to this generation: told after each change. */
void weir_orders_changed(struct weir_orders *orders, int64_t generation);

/* That generation. */
int64_t weir_orders_newest(struct weir_orders *orders);

/* What changed since a generation, or all that stands, as JSON: the caller is a holder of it.  All,
 * too, for a generation that is not there yet: of another database, or made up.  NULL: there is
 * nothing new.  0, or WEIR_EIO: it cannot be read now (logged). */
int weir_orders_since(struct weir_orders *orders, int64_t generation, bool all, weir_time now,
                      struct weir_shared_text **text_r);

#endif
