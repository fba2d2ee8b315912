/*
 * Parts of what is not whole yet (monitor/analyzer/gather.h): from before the journal's position,
 * which does not tell of them again.
 *
 * See database_io.h for owner, threads, errors and rows.
 */
#ifndef WEIR_DATABASE_PARTS_IO_H
#define WEIR_DATABASE_PARTS_IO_H

#include "core/store/part_line.h"
#include "monitor/database/database_io.h"

/* Keeps a part; one that is there already stays as it is.  0 or an error. */
int weir_database_part_put(struct weir_database *database, uint32_t server,
                           const struct weir_part_line *part, weir_time at);

/* Forgets all parts of a whole; and those from before a time.  0 or an error. */
int weir_database_parts_forget(struct weir_database *database, uint32_t server,
                               const struct weir_part_of *of);
int weir_database_parts_expire(struct weir_database *database, weir_time before);

/* All of them, the oldest first. */
int weir_database_parts(struct weir_database *database,
                        int (*row)(void *context, uint32_t server,
                                   const struct weir_part_line *part, weir_time at),
                        void *context);

#endif
