/*
 * Opening and refusing; transactions.  A file is trusted as little as any other input: no schema
 * of its own runs functions, cells are checked when read, and one of another program is not
 * touched.
 */
#include "monitor/database/database_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "monitor/database/database_impl.h"

#define APPLICATION 0x57454952 /* "WEIR" */
#define BUSY_MOST 5000         /* milliseconds */
#define BUSY_AGAIN 250         /* where that was in vain, so that not each one waits that long */

static const char damaged[] = "stop the monitor, move the file away and restore a copy, or save "
                              "what can be read with: sqlite3 FILE .recover | sqlite3 NEW";

/* Reads one number of a PRAGMA. */
static int pragma(struct weir_database *database, const char *sql, int64_t *number_r)
{
    struct weir_query q = weir_query(database, sql);

    if (weir_query_row(&q) == 1)
        *number_r = weir_column_number(&q);
    return weir_query_end(&q);
}

int weir_database_check(struct weir_database *database)
{
    struct weir_query q = weir_query(database, "PRAGMA quick_check(1)");
    char found[200] = "ok";
    int rc;

    if (weir_query_row(&q) == 1)
        snprintf(found, sizeof found, "%s", weir_column_text(&q));
    rc = weir_query_end(&q);
    if (rc == 0 && strcmp(found, "ok") != 0)
        rc = weir_database_fail(database, WEIR_ECORRUPT, found);
    return rc;
}

int weir_database_octets(struct weir_database *database, uint64_t *octets_r)
{
    int64_t pages = 0, free_pages = 0, size = 0;
    int rc = pragma(database, "PRAGMA page_count", &pages);

    rc = rc < 0 ? rc : pragma(database, "PRAGMA freelist_count", &free_pages);
    rc = rc < 0 ? rc : pragma(database, "PRAGMA page_size", &size);
    if (rc == 0)
        *octets_r = (uint64_t)(pages - free_pages) * (uint64_t)size;
    return rc;
}

/* Whose file it is, and of which version; a new one gets its marks. */
static int identify(struct weir_database *database, bool reading)
{
    int64_t application = 0, version = 0, tables = 0;
    int rc = pragma(database, "PRAGMA application_id", &application);

    rc = rc < 0 ? rc : pragma(database, "PRAGMA user_version", &version);
    rc = rc < 0 ? rc : pragma(database, "SELECT count(*) FROM sqlite_schema", &tables);
    if (rc < 0)
        return rc;
    if (application != APPLICATION && (tables > 0 || reading))
        return weir_database_fail(database, WEIR_EINVAL, "is not a database of Weir; it is left "
                                  "as it is: name another file");
    if (version > WEIR_DATABASE_VERSION)
        return weir_database_fail(database, WEIR_EINVAL, "was made by a newer version of Weir: "
                                  "use that version, or restore a copy from before");
    if (reading && version < WEIR_DATABASE_VERSION)
        return weir_database_fail(database, WEIR_EINVAL, "is of an older version of Weir: start "
                                  "this version's monitor once");
    if (reading || tables > 0)
        return 0;
    /* Before there are tables, or never. */
    return weir_database_run(database, "PRAGMA auto_vacuum = INCREMENTAL;"
                             "PRAGMA application_id = 0x57454952");
}

static int make_ready(struct weir_database *database, const struct weir_database_options *options)
{
    int rc = weir_database_run(database, "PRAGMA trusted_schema = OFF;"
                               "PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;"
                               "PRAGMA cache_size = -65536");

    rc = rc < 0 ? rc : identify(database, options->reading);
    if (rc == 0 && options->check)
        rc = weir_database_check(database);
    if (rc < 0 || options->reading)
        return rc;
    rc = weir_database_run(database, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                           "PRAGMA journal_size_limit = 67108864; PRAGMA foreign_keys = OFF");
    return rc < 0 ? rc : weir_database_migrate(database, WEIR_DATABASE_VERSION);
}

/* SQLite would make it for everybody to read. */
static int make_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);

    if (fd < 0)
        return -1;
    return close(fd);
}

static int open_sqlite(struct weir_database *database, const struct weir_database_options *options)
{
    int flags = SQLITE_OPEN_NOMUTEX | (options->reading ? SQLITE_OPEN_READONLY
                                                        : SQLITE_OPEN_READWRITE);
    int code;

    if (!options->reading && make_file(options->path) < 0)
        return weir_database_fail(database, WEIR_EIO, strerror(errno));
    code = sqlite3_open_v2(options->path, &database->sqlite, flags, NULL);
    if (code != SQLITE_OK)
        return weir_database_error(database, code);
    sqlite3_extended_result_codes(database->sqlite, 1);
    sqlite3_busy_timeout(database->sqlite, BUSY_MOST);
    /* Who may only read could not make these two files, which reading needs. */
    if (!options->reading)
        sqlite3_file_control(database->sqlite, "main", SQLITE_FCNTL_PERSIST_WAL, &(int){1});
    return make_ready(database, options);
}

int weir_database_open(const struct weir_database_options *options,
                       char why_r[static WEIR_DATABASE_WHY], struct weir_database **database_r)
{
    struct weir_database *database = calloc(1, sizeof *database);
    int rc;

    if (!database) {
        snprintf(why_r, WEIR_DATABASE_WHY, "%s: %s", options->path,
                 weir_error_text(WEIR_ENOMEM));
        return WEIR_ENOMEM;
    }
    database->path = options->path;
    rc = open_sqlite(database, options);
    if (rc < 0) {
        int len = snprintf(why_r, WEIR_DATABASE_WHY, "%s", database->why);

        if (rc == WEIR_ECORRUPT)
            snprintf(why_r + len, WEIR_DATABASE_WHY - (size_t)len, "; %s", damaged);
        weir_database_free(&database);
        return rc;
    }
    database->path = sqlite3_db_filename(database->sqlite, "main");
    *database_r = database;
    return 0;
}

void weir_database_free(struct weir_database **database)
{
    if (!*database)
        return;
    for (size_t i = 0; i < WEIR_DATABASE_STATEMENTS; i++)
        sqlite3_finalize((*database)->prepared[i].statement);
    sqlite3_close((*database)->sqlite);
    free(*database);
    *database = NULL;
}

const char *weir_database_path(const struct weir_database *database)
{
    return database->path;
}

int weir_database_trouble(const struct weir_database *database)
{
    return database->trouble;
}

const char *weir_database_why(const struct weir_database *database)
{
    return database->why;
}

/* Transactions. --------------------------------------------------------------------- */

int weir_database_begin(struct weir_database *database)
{
    int rc;

    sqlite3_busy_timeout(database->sqlite, database->waited ? BUSY_AGAIN : BUSY_MOST);
    rc = weir_database_run(database, "BEGIN IMMEDIATE");
    database->waited = rc == WEIR_EDOWN;
    return rc;
}

int weir_database_commit(struct weir_database *database)
{
    int rc = weir_database_run(database, "COMMIT");

    if (rc < 0)
        weir_database_abandon(database);
    return rc;
}

void weir_database_abandon(struct weir_database *database)
{
    /* SQLite has already done so after some errors. */
    if (!sqlite3_get_autocommit(database->sqlite))
        sqlite3_exec(database->sqlite, "ROLLBACK", NULL, NULL, NULL);
}

int weir_change_begin(struct weir_database *database, bool *own_r)
{
    *own_r = sqlite3_get_autocommit(database->sqlite) != 0;
    return *own_r ? weir_database_begin(database) : 0;
}

int weir_change_end(struct weir_database *database, bool own, int rc)
{
    if (!own)
        return rc;
    if (rc >= 0) {
        int done = weir_database_commit(database);
        return done < 0 ? done : rc;
    }
    weir_database_abandon(database);
    return rc;
}
