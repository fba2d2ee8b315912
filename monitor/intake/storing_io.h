/*
 * storing - a full table of minutes on its way into the database, a piece at a time.
 *
 * A table of many rows takes seconds to store, and nobody can be answered meanwhile: so each piece
 * is a transaction of its own, which also says how far it came.  The journal's position moves with
 * the last one only.  After a kill in between the same table is made again out of the journal, and
 * begins behind what is there already: so each line counts once.  (But for lines that claim to be
 * of the future: they count as of the moment, and may then be in another minute.)
 *
 * It also says when storing is worth while: a row that comes again in the same minute costs
 * the table next to nothing and the database as much as a new one, so that the more there are the
 * longer they are gathered.
 *
 * Owner:    a plain value of the caller's; the table is the caller's, and untouched until the end.
 * Threads:  one, which uses the database.
 * Errors:   the database's; then the piece is tried again by the next call.
 */
#ifndef WEIR_INTAKE_STORING_IO_H
#define WEIR_INTAKE_STORING_IO_H

#include <stdbool.h>

#include "monitor/database/database_traffic_io.h"

#define WEIR_STORING_FEW 8192     /* rows that are always worth while: a tenth of a second */

struct weir_storing {
    const struct weir_minute_row *row;
    size_t rows, at;
    size_t piece;                 /* rows of the last piece, those before `at` */
    bool begun;
    bool passed;                  /* the journal is replayed: whatever comes now is new */
    weir_time took, rested;       /* how long the last table took; when it was done (steady) */
};

/* Stores the next piece of a table that holds all up to batch->position, at most `most` rows (0:
 * all of them), with the batch's streams at the end: 1: there is more; 0: all is stored. */
int weir_storing_piece(struct weir_storing *storing, struct weir_database *database,
                       struct weir_minutes *minutes, const struct weir_database_batch *batch,
                       size_t most);

/* Whether a table with so many rows, of so many it has room for, is to be stored now. */
bool weir_storing_due(const struct weir_storing *storing, size_t rows, size_t room);

#endif
