/*
 * The table of reported messages.  What is kept of it is counted by sums over an index that has all
 * that is asked for.
 */
#include "monitor/database/database_texts_io.h"

#include "monitor/database/database_impl.h"

int weir_database_text_put(struct weir_database *database, const struct weir_database_text *text)
{
    struct weir_query q = weir_query(database, "INSERT OR IGNORE INTO reported_texts (uid, proven, "
                                     "state, time, server, len, octets) VALUES "
                                     "(?, ?, ?, ?, ?, ?, ?)");

    weir_bind_number(&q, (int64_t)text->uid);
    weir_bind_number(&q, text->proven);
    weir_bind_text(&q, text->state);
    weir_bind_number(&q, text->time);
    weir_bind_number(&q, text->server);
    weir_bind_number(&q, (int64_t)text->octets.len);
    weir_bind_octets(&q, text->octets.at, text->octets.len);
    return weir_query_change(&q);
}

static int tell(struct weir_query *q,
                int (*row)(void *context, const struct weir_database_text *text), void *context)
{
    int calls = 0, stop = 0;

    while (stop == 0 && weir_query_row(q) == 1) {
        struct weir_database_text text = {.number = weir_column_number(q)};

        text.uid = (uint64_t)weir_column_number(q);
        text.proven = weir_column_number(q) != 0;
        text.state = weir_column_text(q);
        text.time = weir_column_number(q);
        text.server = (uint32_t)weir_column_number(q);
        text.octets = weir_column_slice(q);
        stop = row(context, &text);
        calls++;
    }
    return weir_query_told(q, stop, calls);
}

int weir_database_text(struct weir_database *database, uint64_t uid,
                       int (*row)(void *context, const struct weir_database_text *text),
                       void *context)
{
    struct weir_query q = weir_query(database, "SELECT number, uid, proven, state, time, server, "
                                     "octets FROM reported_texts WHERE uid = ? "
                                     "ORDER BY proven DESC");

    weir_bind_number(&q, (int64_t)uid);
    return tell(&q, row, context);
}

int weir_database_texts_unproven(struct weir_database *database, unsigned most,
                                 int (*row)(void *context, const struct weir_database_text *text),
                                 void *context)
{
    struct weir_query q = weir_query(database, "SELECT number, uid, proven, state, time, server, "
                                     "octets FROM reported_texts WHERE proven = 0 "
                                     "ORDER BY number DESC LIMIT ?");

    weir_bind_number(&q, most);
    return tell(&q, row, context);
}

int weir_database_text_forget(struct weir_database *database, uint64_t uid)
{
    struct weir_query q = weir_query(database, "DELETE FROM reported_texts WHERE uid = ?");

    weir_bind_number(&q, (int64_t)uid);
    return weir_query_change(&q);
}

/* The newest number that is too old to be kept, by sums from the newest on. */
static int last_over(struct weir_database *database, bool proven, int64_t most, int64_t octets,
                     int64_t *number_r)
{
    struct weir_query q = weir_query(database, "SELECT number FROM (SELECT number, "
        "sum(len) OVER (ORDER BY number DESC) AS octets, "
        "row_number() OVER (ORDER BY number DESC) AS place FROM reported_texts WHERE proven = ?) "
        "WHERE place > ? OR octets > ? ORDER BY number DESC LIMIT 1");

    *number_r = 0;
    weir_bind_number(&q, proven);
    weir_bind_number(&q, most);
    weir_bind_number(&q, octets);
    if (weir_query_row(&q) == 1)
        *number_r = weir_column_number(&q);
    return weir_query_end(&q);
}

int weir_database_texts_retain(struct weir_database *database, bool proven, int64_t most,
                               int64_t octets, weir_time before)
{
    int64_t number;
    int rc = last_over(database, proven, most, octets, &number);
    struct weir_query q;

    if (rc < 0)
        return rc;
    q = weir_query(database, "DELETE FROM reported_texts WHERE proven = ? AND "
                   "(number <= ? OR time < ?)");
    weir_bind_number(&q, proven);
    weir_bind_number(&q, number);
    weir_bind_number(&q, before);
    return weir_query_run(&q);
}
