/*
 * Traffic: upserts that add to what is there.  Rows of one minute and address stand together in a
 * sorted batch, so that the address is touched once for all servers.
 */
#include "monitor/database/database_traffic_io.h"

#include <string.h>

#include "core/base/error.h"
#include "monitor/database/database_impl.h"

#define POSITION "journal_position"
#define PARTLY "partly_position"
#define PARTLY_MINUTE "partly_minute"
#define PARTLY_HIGH "partly_high"
#define PARTLY_LOW "partly_low"
#define COLUMNS "connections, syns, messages, accepted, recipients, estimated"
/* Each has its limit: 2^40 of a minute, so that sums of minutes do not overflow; 2^62 of an
 * address, so that two of them do not. */
#define ADD(name, most) name " = min(" name " + excluded." name ", " most ")"
#define ADD_ALL(most) ADD("connections", most) ", " ADD("syns", most) ", " \
    ADD("messages", most) ", " ADD("accepted", most) ", " ADD("recipients", most) ", " \
    ADD("estimated", most)
#define MINUTE_MOST "1099511627776"
#define ADDRESS_MOST "4611686018427387904"

static void bind_sums(struct weir_query *q, const uint64_t sum[static WEIR_TRAFFIC_QUANTITIES])
{
    for (size_t i = 0; i < WEIR_TRAFFIC_QUANTITIES; i++)
        weir_bind_number(q, (int64_t)(sum[i] < WEIR_COUNTER_MAX ? sum[i] : WEIR_COUNTER_MAX));
}

void weir_column_sums(struct weir_query *query, uint64_t sum_r[static WEIR_TRAFFIC_QUANTITIES])
{
    for (size_t i = 0; i < WEIR_TRAFFIC_QUANTITIES; i++)
        sum_r[i] = (uint64_t)weir_column_number(query);
}

static void bind_address(struct weir_query *q, const struct weir_address *address)
{
    weir_bind_octets(q, address->octet, sizeof address->octet);
}

/* Adding. ------------------------------------------------------------------------------ */

static int add_minute(struct weir_database *database, const struct weir_minute_row *row)
{
    struct weir_query q = weir_query(database, "INSERT INTO minutes (minute, address, server, "
        COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (minute, address, server) DO UPDATE SET " ADD_ALL(MINUTE_MOST));

    weir_bind_number(&q, row->minute);
    bind_address(&q, &row->address);
    weir_bind_number(&q, row->server);
    bind_sums(&q, row->sum);
    return weir_query_run(&q);
}

static int add_address(struct weir_database *database, const struct weir_address_row *row)
{
    struct weir_query q = weir_query(database, "INSERT INTO addresses (address, first_seen, "
        "last_seen, " COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (address) DO UPDATE SET first_seen = min(first_seen, excluded.first_seen), "
        "last_seen = max(last_seen, excluded.last_seen), "
        ADD_ALL(ADDRESS_MOST));

    bind_address(&q, &row->address);
    weir_bind_number(&q, row->first_seen);
    weir_bind_number(&q, row->last_seen);
    bind_sums(&q, row->sum);
    return weir_query_run(&q);
}

/* Adds all rows of the first one's address that stand together; how many, or an error. */
static int add_rows(struct weir_database *database, const struct weir_minute_row *row,
                    size_t rows)
{
    struct weir_address_row all = {.address = row->address, .first_seen = row->first,
                                   .last_seen = row->last};
    size_t i = 0;
    int rc = 0;

    for (; rc == 0 && i < rows && weir_address_equal(&row[i].address, &row->address); i++) {
        rc = add_minute(database, &row[i]);
        all.first_seen = row[i].first < all.first_seen ? row[i].first : all.first_seen;
        all.last_seen = row[i].last > all.last_seen ? row[i].last : all.last_seen;
        for (size_t j = 0; j < WEIR_TRAFFIC_QUANTITIES; j++)
            all.sum[j] += row[i].sum[j];
    }
    rc = rc < 0 ? rc : add_address(database, &all);
    return rc < 0 ? rc : (int)i;
}

static int put_stream(struct weir_database *database, const struct weir_stream *stream)
{
    struct weir_query q = weir_query(database, "INSERT INTO streams (server, name, offset, last) "
        "VALUES (?, ?, ?, ?) ON CONFLICT (server, name) DO UPDATE SET "
        "offset = max(offset, excluded.offset), last = max(last, excluded.last)");

    weir_bind_number(&q, stream->server);
    weir_bind_text(&q, stream->name);
    weir_bind_number(&q, (int64_t)stream->offset);
    weir_bind_number(&q, stream->last);
    return weir_query_run(&q);
}

static int put_progress(struct weir_database *database, uint64_t position,
                        const struct weir_minute_row *last)
{
    uint64_t half[2];
    int rc;

    memcpy(half, last->address.octet, sizeof half);
    rc = weir_state_put(database, PARTLY, position);
    rc = rc < 0 ? rc : weir_state_put(database, PARTLY_MINUTE, (uint64_t)last->minute);
    rc = rc < 0 ? rc : weir_state_put(database, PARTLY_HIGH, half[0]);
    return rc < 0 ? rc : weir_state_put(database, PARTLY_LOW, half[1]);
}

int weir_database_progress(struct weir_database *database,
                           struct weir_database_progress *progress_r)
{
    struct weir_database_progress progress;
    uint64_t half[2], minute = 0;
    int rc = weir_state_get(database, PARTLY, &progress.position);

    rc = rc < 0 ? rc : weir_state_get(database, PARTLY_MINUTE, &minute);
    rc = rc < 0 ? rc : weir_state_get(database, PARTLY_HIGH, &half[0]);
    rc = rc < 0 ? rc : weir_state_get(database, PARTLY_LOW, &half[1]);
    if (rc < 0)
        return rc;
    progress.minute = (int64_t)minute;
    memcpy(progress.address.octet, half, sizeof half);
    *progress_r = progress;
    return 0;
}

int weir_database_progress_end(struct weir_database *database)
{
    return weir_state_put(database, PARTLY, 0);
}

/* Nothing is there partly any more, if this batch goes as far. */
static int end_progress(struct weir_database *database, uint64_t position)
{
    uint64_t partly;
    int rc = weir_state_get(database, PARTLY, &partly);

    return rc < 0 || partly == 0 || partly > position ? rc : weir_database_progress_end(database);
}

/* What all addresses did in the first row's minute, as far as its rows stand together: how many,
 * or an error. */
static int add_sums(struct weir_database *database, const struct weir_minute_row *row, size_t rows)
{
    struct weir_query q = weir_query(database, "INSERT INTO minute_sums (minute, " COLUMNS ") "
        "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (minute) DO UPDATE SET " ADD_ALL(ADDRESS_MOST));
    uint64_t sum[WEIR_TRAFFIC_QUANTITIES] = {0};
    size_t i = 0;
    int rc;

    for (; i < rows && row[i].minute == row->minute; i++)
        for (size_t j = 0; j < WEIR_TRAFFIC_QUANTITIES; j++)
            sum[j] += row[i].sum[j];
    weir_bind_number(&q, row->minute);
    bind_sums(&q, sum);
    rc = weir_query_run(&q);
    return rc < 0 ? rc : (int)i;
}

static int add_batch(struct weir_database *database, const struct weir_database_batch *batch)
{
    int rc = 0;

    for (size_t i = 0; rc >= 0 && i < batch->rows; i += (size_t)(rc > 0 ? rc : 0))
        rc = add_rows(database, &batch->row[i], batch->rows - i);
    for (size_t i = 0; rc >= 0 && i < batch->rows; i += (size_t)(rc > 0 ? rc : 0))
        rc = add_sums(database, &batch->row[i], batch->rows - i);
    if (rc >= 0 && batch->partly)
        return put_progress(database, batch->position, &batch->row[batch->rows - 1]);
    for (size_t i = 0; rc >= 0 && i < batch->streams; i++)
        rc = put_stream(database, &batch->stream[i]);
    rc = rc < 0 ? rc : end_progress(database, batch->position);
    return rc < 0 ? rc : weir_state_put(database, POSITION, batch->position);
}

int weir_database_traffic(struct weir_database *database, const struct weir_database_batch *batch)
{
    bool own, fits = batch->position <= INT64_MAX;
    int rc;

    for (size_t i = 0; i < batch->streams; i++)
        fits = fits && batch->stream[i].offset <= INT64_MAX;
    if (!fits)
        return weir_database_fail(database, WEIR_EINVAL, "an offset is too large");
    rc = weir_change_begin(database, &own);
    if (rc < 0)
        return rc;
    return weir_change_end(database, own, add_batch(database, batch));
}

/* Asking. ------------------------------------------------------------------------------- */

int weir_database_position(struct weir_database *database, uint64_t *position_r)
{
    return weir_state_get(database, POSITION, position_r);
}

int weir_database_streams(struct weir_database *database,
                          int (*row)(void *context, const struct weir_stream *stream),
                          void *context)
{
    struct weir_query q = weir_query(database, "SELECT server, name, offset, last FROM streams");
    int calls = 0, stop = 0;

    while (stop == 0 && weir_query_row(&q) == 1) {
        struct weir_stream stream = {.server = (uint32_t)weir_column_number(&q)};

        stream.name = weir_column_text(&q);
        stream.offset = (uint64_t)weir_column_number(&q);
        stream.last = weir_column_number(&q);
        stop = row(context, &stream);
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}

int weir_database_stream_forget(struct weir_database *database, uint32_t server,
                                const char *name)
{
    struct weir_query q = weir_query(database, "DELETE FROM streams WHERE server = ? AND name = ?");

    weir_bind_number(&q, server);
    weir_bind_text(&q, name);
    return weir_query_change(&q);
}

int weir_database_last_seen(struct weir_database *database, const struct weir_prefix *prefix,
                            weir_time *seen_r)
{
    struct weir_query q = weir_query(database, "SELECT coalesce(max(last_seen), 0) FROM addresses "
                                     "WHERE address BETWEEN ? AND ?");
    struct weir_address last;
    weir_time seen = 0;
    int rc;

    weir_bind_span(&q, prefix, &last);
    if (weir_query_row(&q) == 1)
        seen = weir_column_number(&q);
    rc = weir_query_end(&q);
    if (rc == 0)
        *seen_r = seen;
    return rc;
}

int weir_database_address(struct weir_database *database, const struct weir_address *address,
                          struct weir_address_row *row_r)
{
    struct weir_query q = weir_query(database, "SELECT first_seen, last_seen, " COLUMNS
                                     " FROM addresses WHERE address = ?");
    struct weir_address_row row = {.address = *address};
    int rc, found;

    bind_address(&q, address);
    found = weir_query_row(&q);
    if (found == 1) {
        row.first_seen = weir_column_number(&q);
        row.last_seen = weir_column_number(&q);
        weir_column_sums(&q, row.sum);
    }
    rc = weir_query_end(&q);
    if (rc == 0 && found == 1)
        *row_r = row;
    return rc < 0 ? rc : found;
}

int weir_database_top(struct weir_database *database, int64_t from, int64_t to, unsigned quantity,
                      unsigned most, int (*row)(void *context, const struct weir_address_row *row),
                      void *context)
{
    struct weir_query q = weir_query(database, "SELECT address, " WEIR_SUMS " FROM minutes "
        "WHERE minute BETWEEN ? AND ? GROUP BY address ORDER BY " WEIR_SUM_OF " DESC, "
        "address LIMIT ?");
    int calls = 0, stop = 0;

    weir_bind_number(&q, from);
    weir_bind_number(&q, to);
    weir_bind_number(&q, quantity);
    weir_bind_number(&q, most);
    while (stop == 0 && weir_query_row(&q) == 1) {
        struct weir_address_row one = {.first_seen = 0};

        weir_column_octets(&q, &one.address, sizeof one.address);
        weir_column_sums(&q, one.sum);
        stop = row(context, &one);
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}

#define MINUTE "minute, address, server, " COLUMNS

/* Tells the rows of such a question, until it is enough; how many were told. */
static int give_minutes(struct weir_query *q,
                        int (*row)(void *context, const struct weir_minute_row *row),
                        void *context)
{
    int calls = 0, stop = 0;

    while (stop == 0 && weir_query_row(q) == 1) {
        struct weir_minute_row one = {.minute = weir_column_number(q)};

        weir_column_octets(q, &one.address, sizeof one.address);
        one.server = (uint32_t)weir_column_number(q);
        weir_column_sums(q, one.sum);
        stop = row(context, &one);
        calls++;
    }
    return weir_query_told(q, stop, calls);
}

int weir_database_minutes(struct weir_database *database, int64_t from, int64_t to,
                          int (*row)(void *context, const struct weir_minute_row *row),
                          void *context)
{
    struct weir_query q = weir_query(database, "SELECT " MINUTE
        " FROM minutes WHERE minute BETWEEN ? AND ? ORDER BY minute, address, server");

    weir_bind_number(&q, from);
    weir_bind_number(&q, to);
    return give_minutes(&q, row, context);
}

int weir_database_minutes_begin(struct weir_database *database, int64_t from, int64_t to,
                                unsigned most, int64_t *minute_r)
{
    struct weir_query q = weir_query(database, "SELECT minute FROM minutes "
        "WHERE minute BETWEEN ? AND ? ORDER BY minute DESC LIMIT 1 OFFSET ?");
    int64_t minute = from;
    int rc;

    weir_bind_number(&q, from);
    weir_bind_number(&q, to);
    weir_bind_number(&q, most);
    if (weir_query_row(&q) == 1)
        minute = weir_column_number(&q) + 1; /* one row too many is of it */
    rc = weir_query_end(&q);
    if (rc == 0)
        *minute_r = minute;
    return rc;
}

/* The table is ordered by minute first, so that an address is looked up in each minute. */
int weir_database_history(struct weir_database *database, const struct weir_address *address,
                          int64_t from, int64_t to,
                          int (*row)(void *context, const struct weir_minute_row *row),
                          void *context)
{
    struct weir_query q = weir_query(database, "WITH RECURSIVE span (at) AS (VALUES (?) "
        "UNION ALL SELECT at + 1 FROM span WHERE at < ?) SELECT " MINUTE
        " FROM span CROSS JOIN minutes ON minute = at AND address = ?");

    if (to < from || (uint64_t)to - (uint64_t)from >= WEIR_HISTORY_MAX)
        return to < from ? 0 : WEIR_ELIMIT;
    weir_bind_number(&q, from);
    weir_bind_number(&q, to);
    bind_address(&q, address);
    return give_minutes(&q, row, context);
}
