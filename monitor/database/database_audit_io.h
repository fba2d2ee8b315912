/*
 * The audit: who did what, line by line; nothing here is ever changed, and goes only with age.
 *
 * See database_io.h for owner, threads, errors and rows.  Limits: WEIR_DATABASE_TEXT_MAX octets of
 * each text (WEIR_ELIMIT).
 */
#ifndef WEIR_DATABASE_AUDIT_IO_H
#define WEIR_DATABASE_AUDIT_IO_H

#include "monitor/database/database_io.h"

struct weir_audit {
    int64_t number;      /* given when it is added */
    weir_time time;
    const char *who;     /* "monitor", "uid 0", "server mx1", ... */
    const char *what;    /* "server revoke", ... */
    const char *detail;
};

/* Adds a line.  0 or an error. */
int weir_database_audit_add(struct weir_database *database, const struct weir_audit *audit);

/* Which lines: NULL: of anybody, of anything. */
struct weir_audit_choice {
    const char *who, *what;
    int64_t before;      /* numbers below it; 0: all */
    unsigned most;
};

/* Lines, newest first. */
int weir_database_audits(struct weir_database *database, const struct weir_audit_choice *choice,
                         int (*row)(void *context, const struct weir_audit *audit),
                         void *context);

#endif
