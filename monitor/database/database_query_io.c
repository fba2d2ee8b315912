/*
 * Queries: statements kept by the place of their text, values and columns in order, the first
 * error kept to the end.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/database/database_impl.h"

int weir_database_fail(struct weir_database *database, int error, const char *why)
{
    snprintf(database->why, sizeof database->why, "%.300s: %s%.300s", database->path,
             error == WEIR_ECORRUPT ? "damaged: "
             : error == WEIR_EFULL  ? "no room is left for it: "
             : error == WEIR_EDOWN  ? "locked by another program: "
                                    : "", why);
    database->trouble = error;
    return error;
}

/* Whether what the system said goes away with room.  SQLite does not keep its word for each
 * failed write; then it still is where the system put it. */
static bool is_full(struct weir_database *database, int code)
{
    int kept = sqlite3_system_errno(database->sqlite);
    int error = kept != 0 || code != SQLITE_IOERR_WRITE ? kept : errno;

    return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

int weir_database_error(struct weir_database *database, int code)
{
    static const struct {
        int code, error;
    } kinds[] = {
        {SQLITE_NOMEM, WEIR_ENOMEM},     {SQLITE_FULL, WEIR_EFULL},
        {SQLITE_CORRUPT, WEIR_ECORRUPT}, {SQLITE_NOTADB, WEIR_ECORRUPT},
        {SQLITE_BUSY, WEIR_EDOWN},       {SQLITE_LOCKED, WEIR_EDOWN},
        {SQLITE_CONSTRAINT, WEIR_EINVAL}, {SQLITE_TOOBIG, WEIR_ELIMIT},
    };
    int error = WEIR_EIO;

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (kinds[i].code == (code & 0xff))
            error = kinds[i].error;
    if (error == WEIR_EIO && is_full(database, code))
        error = WEIR_EFULL;
    return weir_database_fail(database, error, sqlite3_errmsg(database->sqlite));
}

int weir_database_run(struct weir_database *database, const char *sql)
{
    int code = sqlite3_exec(database->sqlite, sql, NULL, NULL, NULL);

    return code == SQLITE_OK ? 0 : weir_database_error(database, code);
}

/* The kept statement of a text, made when it is not there yet. */
static int prepare(struct weir_database *database, const char *sql, sqlite3_stmt **statement_r)
{
    size_t i = 0;
    int code;

    while (i < WEIR_DATABASE_STATEMENTS && database->prepared[i].sql &&
           database->prepared[i].sql != sql)
        i++;
    if (i == WEIR_DATABASE_STATEMENTS)
        return weir_database_fail(database, WEIR_EBUG, "more statements than expected");
    if (!database->prepared[i].sql) {
        code = sqlite3_prepare_v3(database->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                  &database->prepared[i].statement, NULL);
        if (code != SQLITE_OK)
            return weir_database_error(database, code);
        database->prepared[i].sql = sql;
    }
    *statement_r = database->prepared[i].statement;
    return 0;
}

struct weir_query weir_query(struct weir_database *database, const char *sql)
{
    struct weir_query query = {.database = database};

    query.rc = prepare(database, sql, &query.statement);
    return query;
}

static void check(struct weir_query *query, int code)
{
    if (code != SQLITE_OK && query->rc == 0)
        query->rc = weir_database_error(query->database, code);
}

void weir_bind_number(struct weir_query *query, int64_t number)
{
    if (query->rc == 0)
        check(query, sqlite3_bind_int64(query->statement, ++query->bound, number));
}

void weir_bind_real(struct weir_query *query, double number)
{
    if (query->rc == 0)
        check(query, sqlite3_bind_double(query->statement, ++query->bound, number));
}

void weir_bind_text(struct weir_query *query, const char *text)
{
    if (query->rc == 0)
        check(query, sqlite3_bind_text(query->statement, ++query->bound, text ? text : "", -1,
                                       SQLITE_STATIC));
}

void weir_bind_octets(struct weir_query *query, const void *octets, size_t len)
{
    if (query->rc == 0)
        check(query, sqlite3_bind_blob64(query->statement, ++query->bound, octets, len,
                                         SQLITE_STATIC));
}

void weir_bind_null(struct weir_query *query)
{
    query->bound++; /* nothing is bound after the last end */
}

void weir_bind_prefix(struct weir_query *query, const struct weir_prefix *prefix)
{
    weir_bind_octets(query, prefix->address.octet, sizeof prefix->address.octet);
    weir_bind_number(query, prefix->bits);
}

int weir_query_row(struct weir_query *query)
{
    int code;

    if (query->rc < 0)
        return query->rc;
    query->column = 0;
    code = sqlite3_step(query->statement);
    if (code == SQLITE_ROW)
        return 1;
    if (code != SQLITE_DONE)
        check(query, code);
    return query->rc;
}

int weir_query_end(struct weir_query *query)
{
    if (query->statement) {
        sqlite3_reset(query->statement);
        sqlite3_clear_bindings(query->statement);
    }
    return query->rc;
}

int weir_query_told(struct weir_query *query, int stop, int calls)
{
    int rc = weir_query_end(query);

    return rc < 0 ? rc : stop < 0 ? stop : calls;
}

int weir_query_run(struct weir_query *query)
{
    while (weir_query_row(query) == 1)
        continue;
    return weir_query_end(query);
}

bool weir_database_fits(const char *text)
{
    return !text || strnlen(text, WEIR_DATABASE_TEXT_MAX + 1) <= WEIR_DATABASE_TEXT_MAX;
}

int weir_query_change(struct weir_query *query)
{
    int rc = weir_query_run(query);
    int64_t changes = rc < 0 ? 0 : sqlite3_changes64(query->database->sqlite);

    return rc < 0 ? rc : changes < INT_MAX ? (int)changes : INT_MAX;
}

int64_t weir_column_number(struct weir_query *query)
{
    return sqlite3_column_int64(query->statement, query->column++);
}

double weir_column_real(struct weir_query *query)
{
    return sqlite3_column_double(query->statement, query->column++);
}

const char *weir_column_text(struct weir_query *query)
{
    const void *text = sqlite3_column_text(query->statement, query->column++);

    return text ? text : "";
}

bool weir_column_octets(struct weir_query *query, void *octets_r, size_t len)
{
    const void *octets = sqlite3_column_blob(query->statement, query->column);
    size_t got = (size_t)sqlite3_column_bytes(query->statement, query->column++);

    memset(octets_r, 0, len);
    if (got == 0)
        return false;
    if (got != len) {
        if (query->rc == 0)
            query->rc = weir_database_fail(query->database, WEIR_ECORRUPT,
                                           "a value is of a wrong length");
        return false;
    }
    memcpy(octets_r, octets, len);
    return true;
}

struct weir_slice weir_column_slice(struct weir_query *query)
{
    const char *octets = sqlite3_column_blob(query->statement, query->column);
    int len = sqlite3_column_bytes(query->statement, query->column++);

    return (struct weir_slice){octets ? octets : "", octets ? (size_t)len : 0};
}

void weir_bind_span(struct weir_query *query, const struct weir_prefix *prefix,
                    struct weir_address *last_r)
{
    *last_r = prefix->address;
    for (unsigned bit = prefix->bits; bit < 128; bit++)
        last_r->octet[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
    weir_bind_octets(query, prefix->address.octet, sizeof prefix->address.octet);
    weir_bind_octets(query, last_r->octet, sizeof last_r->octet);
}

void weir_column_prefix(struct weir_query *query, struct weir_prefix *prefix_r)
{
    struct weir_address address;
    int64_t bits;

    weir_column_octets(query, &address, sizeof address);
    bits = weir_column_number(query);
    *prefix_r = weir_address_mask(&address, bits < 0 || bits > 128 ? 128 : (unsigned)bits);
}

int weir_state_get(struct weir_database *database, const char *name, uint64_t *value_r)
{
    struct weir_query q = weir_query(database, "SELECT value FROM state WHERE name = ?");
    uint64_t value = 0;
    int rc;

    weir_bind_text(&q, name);
    if (weir_query_row(&q) == 1)
        value = (uint64_t)weir_column_number(&q);
    rc = weir_query_end(&q);
    if (rc == 0)
        *value_r = value;
    return rc;
}

int weir_state_put(struct weir_database *database, const char *name, uint64_t value)
{
    struct weir_query q = weir_query(database, "INSERT INTO state (name, value) VALUES (?, ?) "
                                     "ON CONFLICT (name) DO UPDATE SET value = excluded.value");

    weir_bind_text(&q, name);
    weir_bind_number(&q, (int64_t)value);
    return weir_query_run(&q);
}
