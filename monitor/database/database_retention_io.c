/*
 * Deleting in pieces.  Each table's piece is found by an index, or among its oldest rows, or, in
 * streams and the smaller tables, by a look through them.
 *
 * A database that is too large loses its oldest minutes first, and an eighth as many of the
 * addresses that were not seen for longest: a flood of addresses that are seen once must not drive
 * out all history, nor history all addresses.
 */
#include "monitor/database/database_retention_io.h"

#include "core/base/error.h"
#include "monitor/database/database_impl.h"

#define EARLY "forgotten_early"

/* Runs a piece whose first value is a time or minute and whose second is a number of rows; adds to
 * a count, and tells whether there may be more. */
static int forget(struct weir_database *database, const char *sql, int64_t before, unsigned rows,
                  uint64_t *count, bool *more)
{
    struct weir_query q = weir_query(database, sql);
    int changed;

    weir_bind_number(&q, before);
    weir_bind_number(&q, rows);
    changed = weir_query_change(&q);
    if (changed < 0)
        return changed;
    *count += (uint64_t)changed;
    *more = *more || (unsigned)changed >= rows;
    return 0;
}

static const char old_minutes[] = "DELETE FROM minutes WHERE (minute, address, server) IN "
    "(SELECT minute, address, server FROM minutes WHERE minute < ? "
    "ORDER BY minute, address, server LIMIT ?)";
static const char old_addresses[] = "DELETE FROM addresses WHERE address IN "
    "(SELECT address FROM addresses WHERE last_seen < ? ORDER BY last_seen LIMIT ?)";

/* Numbers grow with time, and no index says when: of a year's rows only the oldest are looked at,
 * some more than are forgotten, for a few may stay long. */
#define OLDEST(table) "(SELECT * FROM " table " ORDER BY number LIMIT 8 * ?2)"

/* By age. */
static int forget_old(struct weir_database *database, const struct weir_retention *keep,
                      weir_time now, struct weir_forgotten *f)
{
    const struct {
        weir_time age;
        int64_t unit;
        const char *sql;
        uint64_t *count;
    } pieces[] = {
        {keep->minutes, WEIR_MINUTE, old_minutes, &f->minutes},
        {keep->addresses, 1, old_addresses, &f->addresses},
        {keep->streams, 1, "DELETE FROM streams WHERE (server, name) IN "
         "(SELECT server, name FROM streams WHERE last < ? LIMIT ?)", &f->streams},
        {keep->events, 1, "DELETE FROM events WHERE number IN (SELECT number FROM "
         OLDEST("events") " WHERE cleared > 0 AND cleared < ?1 LIMIT ?2)", &f->events},
        {keep->decisions, 1, "DELETE FROM decisions WHERE number IN (SELECT number FROM decisions "
         "WHERE undone > 0 AND undone < ?1 UNION ALL SELECT number FROM decisions "
         "WHERE undone = 0 AND ends > 0 AND ends < ?1 LIMIT ?2)", &f->decisions},
        {keep->ladder, 1, "DELETE FROM ladder WHERE (address, bits) IN (SELECT address, bits "
         "FROM ladder WHERE max(last, ends) < ? LIMIT ?)", &f->ladder},
        {keep->audit, 1, "DELETE FROM audit WHERE number IN (SELECT number FROM "
         OLDEST("audit") " WHERE time < ?1 LIMIT ?2)", &f->audit},
    };
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof pieces / sizeof pieces[0]; i++)
        if (pieces[i].age > 0)
            rc = forget(database, pieces[i].sql, (now - pieces[i].age) / pieces[i].unit,
                        keep->rows, pieces[i].count, &f->more);
    if (rc < 0)
        return rc;
    return forget(database, "DELETE FROM minutes WHERE (minute, address, server) IN "
                  "(SELECT minute, address, server FROM minutes WHERE minute > ? LIMIT ?)",
                  (now + WEIR_DAY) / WEIR_MINUTE, keep->rows, &f->minutes, &f->more);
}

/* By size. */
static int forget_early(struct weir_database *database, const struct weir_retention *keep,
                        struct weir_forgotten *f)
{
    uint64_t octets = 0, minutes = 0, addresses = 0, before = 0;
    int rc = weir_database_octets(database, &octets);

    if (rc < 0 || octets <= keep->octets_most)
        return rc;
    rc = forget(database, old_minutes, INT64_MAX, keep->rows, &minutes, &f->more);
    rc = rc < 0 ? rc : forget(database, old_addresses, INT64_MAX,
                              minutes > 0 ? keep->rows / 8 + 1 : keep->rows, &addresses,
                              &f->more);
    rc = rc < 0 ? rc : weir_state_get(database, EARLY, &before);
    rc = rc < 0 ? rc : weir_state_put(database, EARLY, before + minutes + addresses);
    f->minutes += minutes;
    f->addresses += addresses;
    f->early += minutes + addresses;
    return rc;
}

/* Gives pages back to the disk when more than a quarter of them are free: they would be used
 * again, but an operator wants to see the file shrink. */
static int give_back(struct weir_database *database)
{
    struct weir_query q = weir_query(database, "SELECT (SELECT freelist_count FROM "
        "pragma_freelist_count) * 4 > (SELECT page_count FROM pragma_page_count)");
    bool much = weir_query_row(&q) == 1 && weir_column_number(&q) != 0;
    int rc = weir_query_end(&q);

    return rc < 0 || !much ? rc : weir_database_run(database, "PRAGMA incremental_vacuum(1024)");
}

int weir_database_retain(struct weir_database *database, const struct weir_retention *retention,
                         weir_time now, struct weir_forgotten *forgotten_r)
{
    struct weir_forgotten forgotten = {.more = false};
    bool own;
    int rc = weir_change_begin(database, &own);

    if (rc < 0)
        return rc;
    rc = forget_old(database, retention, now, &forgotten);
    if (rc == 0 && retention->octets_most > 0)
        rc = forget_early(database, retention, &forgotten);
    rc = weir_change_end(database, own, rc);
    if (rc == 0 && own)
        rc = give_back(database);
    if (rc == 0)
        *forgotten_r = forgotten;
    return rc;
}

int weir_database_forgotten_early(struct weir_database *database, uint64_t *rows_r)
{
    return weir_state_get(database, EARLY, rows_r);
}
