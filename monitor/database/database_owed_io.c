/*
 * The table of alerts that are owed.  Every question about one of its rows goes by an index:
 * when ten thousand addresses raise alerts at once, each is added.
 */
#include "monitor/database/database_owed_io.h"

#include <string.h>

#include "core/base/error.h"
#include "monitor/database/database_impl.h"

#define COLUMNS "way, event, again, time, ends, address, bits, quantity, rate, limit_rate, " \
    "limit_maximum, class, servers, response, wanted, withheld, held, look, late"
#define READ "SELECT number, " COLUMNS " FROM owed "

static int run_for(struct weir_database *database, const char *sql, int64_t of)
{
    struct weir_query q = weir_query(database, sql);

    weir_bind_number(&q, of);
    return weir_query_run(&q);
}

/* Whether an event stands: 1, 0, or an error. */
static int stands(struct weir_database *database, int64_t event)
{
    struct weir_query q = weir_query(database, "SELECT count(*) FROM events "
                                     "WHERE number = ? AND cleared = 0");
    int found = 0;

    weir_bind_number(&q, event);
    if (weir_query_row(&q) == 1)
        found = weir_column_number(&q) > 0;
    return weir_query_told(&q, 0, found);
}

/* Of what is alike only the newest stays. */
static int keep_newest_held(struct weir_database *database, const struct weir_owed *owed)
{
    struct weir_query q = weir_query(database, "DELETE FROM owed WHERE event = ?1 AND way = ?2 "
        "AND held > 0 AND number < (SELECT max(number) FROM owed WHERE event = ?1 AND way = ?2 "
        "AND held > 0)");

    weir_bind_number(&q, owed->event);
    weir_bind_number(&q, owed->way);
    return weir_query_run(&q);
}

static int drop_again(struct weir_database *database, const struct weir_owed *owed)
{
    struct weir_query q = weir_query(database, "DELETE FROM owed WHERE event = ? AND way = ? "
                                     "AND again > 0");

    weir_bind_number(&q, owed->event);
    weir_bind_number(&q, owed->way);
    return weir_query_run(&q);
}

static int insert(struct weir_database *database, const struct weir_owed *owed)
{
    struct weir_query q = weir_query(database, "INSERT INTO owed (" COLUMNS ") "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

    weir_bind_number(&q, owed->way);
    weir_bind_number(&q, owed->event);
    weir_bind_number(&q, owed->again);
    weir_bind_number(&q, owed->time);
    weir_bind_number(&q, owed->ends);
    weir_bind_prefix(&q, &owed->prefix);
    weir_bind_text(&q, owed->quantity);
    weir_bind_real(&q, owed->rate);
    weir_bind_real(&q, owed->limit_rate);
    weir_bind_real(&q, owed->limit_maximum);
    weir_bind_text(&q, owed->class_name);
    weir_bind_number(&q, owed->servers);
    weir_bind_text(&q, owed->response);
    weir_bind_text(&q, owed->wanted);
    weir_bind_text(&q, owed->withheld);
    weir_bind_number(&q, owed->held);
    weir_bind_number(&q, owed->look);
    weir_bind_number(&q, owed->late);
    return weir_query_run(&q);
}

int weir_database_owed_add(struct weir_database *database, const struct weir_owed *owed)
{
    bool own;
    int rc;

    if (!weir_database_fits(owed->quantity) || !weir_database_fits(owed->class_name) ||
        !weir_database_fits(owed->response) || !weir_database_fits(owed->wanted) ||
        !weir_database_fits(owed->withheld))
        return weir_database_fail(database, WEIR_ELIMIT, "too long a text of an alert");
    rc = owed->held > 0 ? stands(database, owed->event) : 1;
    if (rc <= 0)
        return rc;
    rc = weir_change_begin(database, &own);
    if (rc == 0 && owed->again > 0)
        rc = drop_again(database, owed);
    if (rc == 0)
        rc = insert(database, owed);
    if (rc == 0 && owed->held > 0)
        rc = keep_newest_held(database, owed);
    return weir_change_end(database, own, rc);
}

static struct weir_owed column_owed(struct weir_query *q)
{
    struct weir_owed owed = {.number = weir_column_number(q)};

    owed.way = (unsigned)weir_column_number(q);
    owed.event = weir_column_number(q);
    owed.again = (unsigned)weir_column_number(q);
    owed.time = weir_column_number(q);
    owed.ends = weir_column_number(q);
    weir_column_prefix(q, &owed.prefix);
    owed.quantity = weir_column_text(q);
    owed.rate = weir_column_real(q);
    owed.limit_rate = weir_column_real(q);
    owed.limit_maximum = weir_column_real(q);
    owed.class_name = weir_column_text(q);
    owed.servers = (uint32_t)weir_column_number(q);
    owed.response = weir_column_text(q);
    owed.wanted = weir_column_text(q);
    owed.withheld = weir_column_text(q);
    owed.held = weir_column_number(q);
    owed.look = weir_column_number(q);
    owed.late = weir_column_number(q);
    return owed;
}

static int tell_rows(struct weir_query *q, weir_database_owed_row *row, void *context)
{
    int calls = 0, stop = 0;

    while (stop == 0 && weir_query_row(q) == 1) {
        struct weir_owed owed = column_owed(q);

        stop = row(context, &owed);
        calls++;
    }
    return weir_query_told(q, stop, calls);
}

int weir_database_owed_due(struct weir_database *database, unsigned way, unsigned most,
                           weir_database_owed_row *row, void *context)
{
    struct weir_query q = weir_query(database, READ "INDEXED BY owed_due "
                                     "WHERE way = ? AND held = 0 ORDER BY number LIMIT ?");

    weir_bind_number(&q, way);
    weir_bind_number(&q, most);
    return tell_rows(&q, row, context);
}

int weir_database_owed_held(struct weir_database *database, weir_time now, unsigned most,
                            weir_database_owed_row *row, void *context)
{
    struct weir_query q = weir_query(database, READ "INDEXED BY owed_held "
                                     "WHERE held > 0 AND look <= ? ORDER BY look LIMIT ?");

    weir_bind_number(&q, now);
    weir_bind_number(&q, most);
    return tell_rows(&q, row, context);
}

int weir_database_owed_silenced(struct weir_database *database, int64_t after, unsigned most,
                                weir_database_owed_row *row, void *context)
{
    struct weir_query q = weir_query(database, READ "INDEXED BY owed_silenced "
                                     "WHERE held > 0 AND number > ? ORDER BY number LIMIT ?");

    weir_bind_number(&q, after);
    weir_bind_number(&q, most);
    return tell_rows(&q, row, context);
}

static int drop(struct weir_database *database, int64_t number)
{
    return run_for(database, "DELETE FROM owed WHERE number = ?", number);
}

/* A way may take longer than it is until the next time. */
static int drop_told_again(struct weir_database *database, const struct weir_owed *owed)
{
    struct weir_query q = weir_query(database, "DELETE FROM owed WHERE event = ? AND way = ? "
                                     "AND again BETWEEN 1 AND ?");

    weir_bind_number(&q, owed->event);
    weir_bind_number(&q, owed->way);
    weir_bind_number(&q, owed->again);
    return weir_query_run(&q);
}

int weir_database_owed_told(struct weir_database *database, const struct weir_owed *owed)
{
    bool own;
    int rc = weir_change_begin(database, &own);

    if (rc == 0)
        rc = drop(database, owed->number);
    if (rc == 0 && owed->again > 0)
        rc = drop_told_again(database, owed);
    return weir_change_end(database, own, rc);
}

static int update(struct weir_database *database, const struct weir_owed *owed)
{
    struct weir_query q = weir_query(database, "UPDATE owed SET held = CASE WHEN ?1 = 0 AND "
        "EXISTS (SELECT 1 FROM events WHERE events.number = owed.event AND acknowledged > 0) "
        "THEN -1 ELSE ?1 END, look = ?2, late = ?3, servers = ?4 WHERE number = ?5");

    weir_bind_number(&q, owed->held);
    weir_bind_number(&q, owed->look);
    weir_bind_number(&q, owed->late);
    weir_bind_number(&q, owed->servers);
    weir_bind_number(&q, owed->number);
    return weir_query_run(&q);
}

int weir_database_owed_change(struct weir_database *database, const struct weir_owed *owed)
{
    int rc = owed->held > 0 ? stands(database, owed->event) : 1;
    bool own;

    if (rc < 0)
        return rc;
    if (rc == 0)
        return drop(database, owed->number);
    rc = weir_change_begin(database, &own);
    if (rc == 0)
        rc = update(database, owed);
    if (rc == 0 && owed->held > 0)
        rc = keep_newest_held(database, owed);
    return weir_change_end(database, own, rc);
}

int weir_database_owed_drop(struct weir_database *database, unsigned way)
{
    struct weir_query q = weir_query(database, "DELETE FROM owed INDEXED BY owed_way "
                                     "WHERE way = ?");

    weir_bind_number(&q, way);
    return weir_query_change(&q);
}

int weir_database_owed_trim(struct weir_database *database, unsigned way, uint64_t most)
{
    struct weir_query q = weir_query(database, "DELETE FROM owed WHERE number IN (SELECT number "
        "FROM owed INDEXED BY owed_way WHERE way = ?1 ORDER BY number LIMIT max(0, (SELECT "
        "count(*) FROM owed INDEXED BY owed_way WHERE way = ?1) - ?2))");

    weir_bind_number(&q, way);
    weir_bind_number(&q, (int64_t)most);
    return weir_query_change(&q);
}

int weir_database_owed_count(struct weir_database *database,
                             uint64_t count_r[static WEIR_OWED_WAYS])
{
    struct weir_query q = weir_query(database, "SELECT way, count(*) FROM owed "
                                     "INDEXED BY owed_due WHERE held = 0 GROUP BY way");

    memset(count_r, 0, WEIR_OWED_WAYS * sizeof *count_r);
    while (weir_query_row(&q) == 1) {
        int64_t way = weir_column_number(&q), count = weir_column_number(&q);

        if (way >= 0 && way < WEIR_OWED_WAYS)
            count_r[way] = (uint64_t)count;
    }
    return weir_query_end(&q);
}

int weir_database_owed_over(struct weir_database *database, int64_t event)
{
    return run_for(database, "DELETE FROM owed WHERE event = ? AND (held <> 0 OR again > 0)",
                   event);
}

int weir_database_owed_known(struct weir_database *database, int64_t event)
{
    bool own;
    int rc = weir_change_begin(database, &own);

    if (rc == 0)
        rc = run_for(database, "DELETE FROM owed WHERE event = ? AND again > 0", event);
    if (rc == 0)
        rc = run_for(database, "UPDATE owed SET held = -1, look = 0 WHERE event = ?", event);
    return weir_change_end(database, own, rc);
}

int weir_database_owed_unknown(struct weir_database *database, int64_t event)
{
    return run_for(database, "UPDATE owed SET held = 0 WHERE event = ? AND held = -1", event);
}

int weir_database_owed_look(struct weir_database *database, int64_t silence)
{
    return run_for(database, "UPDATE owed SET look = 0 "
                   "WHERE held > 0 AND (held = ?1 OR ?1 = 0)", silence);
}
