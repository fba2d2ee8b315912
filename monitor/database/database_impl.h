/*
 * A handle of the database, and asking it: a query is bound, stepped and read like a cursor
 * (core/base/cursor.h): after the first error each further step does nothing, and the end
 * tells it.
 *
 *     struct weir_query q = weir_query(db, "SELECT number FROM servers WHERE name = ?");
 *     weir_bind_text(&q, name);
 *     while (weir_query_row(&q) == 1) number = weir_column_number(&q);
 *     return weir_query_end(&q);
 */
#ifndef WEIR_DATABASE_IMPL_H
#define WEIR_DATABASE_IMPL_H

#include <sqlite3.h>

#include "core/base/address.h"
#include "core/base/cursor.h"
#include "core/store/traffic_line.h"
#include "monitor/database/database_io.h"

#define WEIR_DATABASE_VERSION 25
#define WEIR_DATABASE_STATEMENTS 384 /* texts of statements in these files, at most */

struct weir_database {
    sqlite3 *sqlite;
    const char *path; /* SQLite's */
    struct {
        const char *sql; /* known by its place, which is why it has to be a literal */
        sqlite3_stmt *statement;
    } prepared[WEIR_DATABASE_STATEMENTS];
    char why[WEIR_DATABASE_WHY];
    int trouble;  /* the error that is the reason for why */
    bool waited;  /* for another program, in vain, when a transaction was begun last */
};

struct weir_query {
    struct weir_database *database;
    sqlite3_stmt *statement;
    int bound, column, rc; /* rc: the first error, or 0 */
};

/* Brings the file to a version; only upwards.  0 or an error. */
int weir_database_migrate(struct weir_database *database, int version);

/* The error for a code of SQLite's; notes why. */
int weir_database_error(struct weir_database *database, int code);

/* Whether a text has WEIR_DATABASE_TEXT_MAX octets at most; NULL has none. */
bool weir_database_fits(const char *text);

/* Notes why and gives the error back. */
int weir_database_fail(struct weir_database *database, int error, const char *why);

/* Runs statements without values or rows.  0 or an error. */
int weir_database_run(struct weir_database *database, const char *sql);

/* A query of a literal text; its statement is kept for the next time. */
struct weir_query weir_query(struct weir_database *database, const char *sql);

/* The values for "?", one after another.  Texts and octets must live until the end; a text of
 * NULL is an empty one. */
void weir_bind_number(struct weir_query *query, int64_t number);
void weir_bind_real(struct weir_query *query, double number);
void weir_bind_text(struct weir_query *query, const char *text);
void weir_bind_octets(struct weir_query *query, const void *octets, size_t len);
void weir_bind_null(struct weir_query *query);

/* The next row: 1; 0 when there is none; an error. */
int weir_query_row(struct weir_query *query);
/* Ends it: 0 or the first error. */
int weir_query_end(struct weir_query *query);
/* Ends a list that called row() so often and got `stop` of it last: how many calls, or an error,
 * which may be row's own. */
int weir_query_told(struct weir_query *query, int stop, int calls);
/* All of it, for statements without rows: 0 or an error. */
int weir_query_run(struct weir_query *query);
/* The same; how many rows were changed, or an error. */
int weir_query_change(struct weir_query *query);

/* The row's columns, one after another.  NULL is 0 or empty; octets of another length are
 * WEIR_ECORRUPT. */
int64_t weir_column_number(struct weir_query *query);
double weir_column_real(struct weir_query *query);
const char *weir_column_text(struct weir_query *query);
bool weir_column_octets(struct weir_query *query, void *octets_r, size_t len);
/* Octets of any length, as long as the row lasts. */
struct weir_slice weir_column_slice(struct weir_query *query);

/* A prefix as two columns: octets and bits. */
void weir_bind_prefix(struct weir_query *query, const struct weir_prefix *prefix);
/* Its first and last address; *last_r must live until the end.  In the span of one wider than all
 * of IPv4 lie addresses of IPv4 that are not below it (address.h): WEIR_IS_IPV4 tells them. */
#define WEIR_IS_IPV4 "substr(address, 1, 12) = x'00000000000000000000ffff'"
void weir_bind_span(struct weir_query *query, const struct weir_prefix *prefix,
                    struct weir_address *last_r);
void weir_column_prefix(struct weir_query *query, struct weir_prefix *prefix_r);

/* Of minutes: the sum of each quantity, as so many columns; of the one whose number is bound. */
#define WEIR_SUMS "sum(connections), sum(syns), sum(messages), sum(accepted), sum(recipients), " \
    "sum(estimated)"
#define WEIR_SUM_OF "CASE ? WHEN 0 THEN sum(connections) WHEN 1 THEN sum(syns) " \
    "WHEN 2 THEN sum(messages) WHEN 3 THEN sum(accepted) WHEN 4 THEN sum(recipients) " \
    "ELSE sum(estimated) END"
void weir_column_sums(struct weir_query *query, uint64_t sum_r[static WEIR_TRAFFIC_QUANTITIES]);

/* A transaction of a call's own, unless the caller has one; end commits it, or takes it back when
 * rc is an error, and gives rc or what went wrong. */
int weir_change_begin(struct weir_database *database, bool *own_r);
int weir_change_end(struct weir_database *database, bool own, int rc);

/* Numbers of the state: how far the journal is in, the generation, ...  0 when not yet there. */
int weir_state_get(struct weir_database *database, const char *name, uint64_t *value_r);
int weir_state_put(struct weir_database *database, const char *name, uint64_t value);

#endif
