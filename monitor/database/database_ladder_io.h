/*
 * What each prefix has come to on the ladder, and up to which position of the journal events have
 * been answered: written in one transaction with the events and decisions they tell of, so that a
 * monitor that was killed goes on where it was.
 *
 * See database_io.h for owner, threads, errors and rows.
 */
#ifndef WEIR_DATABASE_LADDER_IO_H
#define WEIR_DATABASE_LADDER_IO_H

#include "core/base/address.h"
#include "monitor/database/database_io.h"

struct weir_ladder_row {
    struct weir_prefix prefix;
    weir_time last, ends;      /* the last event about it; the step's end */
    weir_time taken;           /* when the step was decided, by the monitor's clock */
    uint32_t step, repeated;   /* as ladder.h has them */
    bool withheld;             /* the block or score of this step */
    bool observed;             /* this step was only told */
};

/* Notes where a prefix is now.  0 or an error. */
int weir_database_ladder_put(struct weir_database *database, const struct weir_ladder_row *row);

/* An event about it ended then: what it came to is remembered from then on.  0 or an error. */
int weir_database_ladder_ended(struct weir_database *database, const struct weir_prefix *prefix,
                               weir_time time);

/* Forgets a prefix and all below it: how many, or an error. */
int weir_database_ladder_forget(struct weir_database *database, const struct weir_prefix *prefix);

/* All whose last event or step ended after a time. */
int weir_database_ladder(struct weir_database *database, weir_time after,
                         int (*row)(void *context, const struct weir_ladder_row *row),
                         void *context);

/* What an origin put on the blacklist or on the list of scores after a time, oldest first, and by
 * whose word: as the event says, 0 where it is not known. */
int weir_database_listed(struct weir_database *database, const char *origin, weir_time after,
                         int (*row)(void *context, bool score, weir_time made, uint64_t servers),
                         void *context);

/* Every event of what the journal has up to a position is answered.  0 or an error. */
int weir_database_answered(struct weir_database *database, uint64_t *position_r);
int weir_database_answered_put(struct weir_database *database, uint64_t position);

#endif
