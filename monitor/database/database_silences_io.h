/*
 * Silences: for so long nobody is told of alerts about something.  What was noticed, and what is
 * done about it, stays as it is.
 *
 * What a silence is about is all that it names: an address or network with what lies in it, a
 * threshold, a server, a kind of events; what it does not name is anything.
 *
 * See database_io.h for owner, threads, errors and rows.  Limits: WEIR_SILENCES_MAX that stand
 * (WEIR_ELIMIT); texts as long as the struct has room.
 */
#ifndef WEIR_DATABASE_SILENCES_IO_H
#define WEIR_DATABASE_SILENCES_IO_H

#include "core/base/address.h"
#include "core/base/limits.h"
#include "monitor/database/database_io.h"

struct weir_silenced {
    int64_t number;            /* given when it is added */
    weir_time made, ends;
    bool has_prefix;
    struct weir_prefix prefix;
    char threshold[32], kind[32]; /* "": any */
    char server[WEIR_SERVER_NAME_MAX + 1];
    char reason[WEIR_REASON_MAX + 1];
    char who[64];
    weir_time ended;           /* somebody ended it early; 0: nobody */
    char ended_by[64];
};

typedef int weir_database_silence_row(void *context, const struct weir_silenced *silence);

/* Adds one (made to who count): its number.  0 or an error. */
int weir_database_silence_add(struct weir_database *database, const struct weir_silenced *silence,
                              int64_t *number_r);

/* Ends one early, and what it held is looked at again (database_owed_io.h): 1; 0 when it does not
 * stand; an error. */
int weir_database_silence_end(struct weir_database *database, int64_t number, const char *by,
                              weir_time now);

/* How many events stand of which nobody was told last under one that stands now. */
int weir_database_silenced_count(struct weir_database *database, weir_time now, uint64_t *count_r);

/* Silences with numbers below one (0: all), newest first; standing: only those. */
int weir_database_silences(struct weir_database *database, bool standing, int64_t before,
                           weir_time now, weir_database_silence_row *row, void *context);

#endif
