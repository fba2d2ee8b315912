/*
 * orders - what the servers are to list, as the answer to an agent's question (command.h).
 *
 * Read from a handle of the database of its own, so that agents that ask do not wait for the
 * writer.  Each text is made anew, one after the other.
 *
 * Owner:    the caller owns it.  Threads: any.
 * Errors:   weir_orders_open(): the database's, with why_r.
 */
#ifndef WEIR_INTAKE_ORDERS_IO_H
#define WEIR_INTAKE_ORDERS_IO_H

#include "core/base/log.h"
#include "monitor/database/database_io.h"

struct weir_orders;

/* The database must be there.  0 or its error, logged. */
int weir_orders_open(const char *database_path, const struct weir_log *log,
                     struct weir_orders **orders_r);
void weir_orders_free(struct weir_orders **orders);

/* The decisions have come to this generation: told after each change. */
void weir_orders_changed(struct weir_orders *orders, int64_t generation);

/* That generation. */
int64_t weir_orders_newest(struct weir_orders *orders);

/* What changed since a generation, or all that stands: JSON, the caller frees.  All, too, for a
 * generation that is not there yet: of another database, or made up.  NULL: there is nothing new,
 * or it cannot be read now (logged). */
char *weir_orders_since(struct weir_orders *orders, int64_t generation, bool all, weir_time now);

#endif
