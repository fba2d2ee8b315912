/*
 * database_rebase - a clock that was put back: what the database has of times to come is of now.
 *
 * Owner, threads, errors: as database_io.h.
 */
#ifndef WEIR_DATABASE_REBASE_IO_H
#define WEIR_DATABASE_REBASE_IO_H

#include "monitor/database/database_io.h"

/* Decisions that stand and were made later than now are made now and last as long; steps of ladders
 * and events likewise.  In one transaction.  How many decisions, and then the generation of the
 * last of their changes (as many in each as are undone at once); or an error. */
int weir_database_rebase(struct weir_database *database, weir_time now, uint64_t *generation_r);

/* How many decisions that stand were made later than now; or an error. */
int weir_database_ahead(struct weir_database *database, weir_time now);

#endif
