/*
 * database_rebase - a clock that was put back: what the database has of times to come is of now.
 *
 * Decisions, of which a clock that is behind for some seconds must not end any, and what was
 * counted and said are moved each by its own call: who calls knows which of two clocks is right.
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

/* Silences that stand and were made later than now are made now and last as long; alerts that stand
 * were told now at the latest, and what is held is looked at again.  At worst, where it was this
 * clock that is wrong, people are told sooner than they wished.  In one transaction.  0 or an
 * error. */
int weir_database_rebase_alerts(struct weir_database *database, weir_time now);

/* Rules, what they hit by day, messages, reports and their texts, lessons and addresses that are
 * dated later than now are of now, what was counted on days to come of today.  Sums that were
 * decayed up to a later time are what they are, as of now.  What is history or audit says what the
 * clock said.  In one transaction.  How many rows were moved, or an error. */
int weir_database_rebase_counts(struct weir_database *database, weir_time now);

/* How many decisions that stand were made later than now; or an error. */
int weir_database_ahead(struct weir_database *database, weir_time now);

#endif
