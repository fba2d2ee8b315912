/*
 * The table of the ladder, one row for each prefix that is remembered.  A prefix and what is below
 * it are a span of addresses, because octets compare as addresses do.
 */
#include "monitor/database/database_ladder_io.h"

#include "core/base/error.h"
#include "monitor/database/database_impl.h"

#define ANSWERED "answered_position"

enum { WITHHELD = 1, OBSERVED = 2 }; /* of the column withheld */

int weir_database_ladder_put(struct weir_database *database, const struct weir_ladder_row *row)
{
    struct weir_query q = weir_query(database, "INSERT OR REPLACE INTO ladder "
        "(address, bits, last, ends, step, repeated, withheld, taken) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)");

    weir_bind_prefix(&q, &row->prefix);
    weir_bind_number(&q, row->last);
    weir_bind_number(&q, row->ends);
    weir_bind_number(&q, row->step);
    weir_bind_number(&q, row->repeated);
    weir_bind_number(&q, (row->withheld ? WITHHELD : 0) | (row->observed ? OBSERVED : 0));
    weir_bind_number(&q, row->taken);
    return weir_query_run(&q);
}

int weir_database_ladder_ended(struct weir_database *database, const struct weir_prefix *prefix,
                               weir_time time)
{
    struct weir_query q = weir_query(database, "UPDATE ladder SET last = max(last, ?) "
                                     "WHERE address = ? AND bits = ?");

    weir_bind_number(&q, time);
    weir_bind_prefix(&q, prefix);
    return weir_query_run(&q);
}

int weir_database_ladder_forget(struct weir_database *database, const struct weir_prefix *prefix)
{
    struct weir_query q = weir_query(database, "DELETE FROM ladder "
                                     "WHERE address BETWEEN ?1 AND ?2 AND bits >= ?3 "
                                     "AND NOT (?3 < 96 AND " WEIR_IS_IPV4 ")");
    struct weir_address last;

    weir_bind_span(&q, prefix, &last);
    weir_bind_number(&q, prefix->bits);
    return weir_query_change(&q);
}

int weir_database_ladder(struct weir_database *database, weir_time after,
                         int (*row)(void *context, const struct weir_ladder_row *row),
                         void *context)
{
    struct weir_query q = weir_query(database, "SELECT address, bits, last, ends, step, repeated, "
        "withheld, taken FROM ladder WHERE max(last, ends) > ?");
    int calls = 0, stop = 0;

    weir_bind_number(&q, after);
    while (stop == 0 && weir_query_row(&q) == 1) {
        struct weir_ladder_row one = {.last = 0};

        weir_column_prefix(&q, &one.prefix);
        one.last = weir_column_number(&q);
        one.ends = weir_column_number(&q);
        one.step = (uint32_t)weir_column_number(&q);
        one.repeated = (uint32_t)weir_column_number(&q);
        int64_t bits = weir_column_number(&q);
        one.withheld = (bits & WITHHELD) != 0;
        one.observed = (bits & OBSERVED) != 0;
        one.taken = weir_column_number(&q);
        stop = q.rc < 0 ? q.rc : row(context, &one);
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}

int weir_database_listed(struct weir_database *database, const char *origin, weir_time after,
                         int (*row)(void *context, bool score, weir_time made, uint64_t servers),
                         void *context)
{
    struct weir_query q = weir_query(database, "SELECT list = 'score', made, "
        "coalesce(events.word, 0) "
        "FROM decisions LEFT JOIN events ON events.number = decisions.event "
        "WHERE decisions.number > coalesce((SELECT number FROM decisions WHERE made <= ?1 "
        "ORDER BY number DESC LIMIT 1), 0) AND origin = ?2 AND list IN ('blacklist', 'score') "
        "ORDER BY decisions.number"); /* from the newest back: there may be a year of them */
    int calls = 0, stop = 0;

    weir_bind_number(&q, after);
    weir_bind_text(&q, origin);
    while (stop == 0 && weir_query_row(&q) == 1) {
        bool score = weir_column_number(&q) != 0;
        weir_time made = weir_column_number(&q);

        stop = row(context, score, made, (uint64_t)weir_column_number(&q));
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}

int weir_database_answered(struct weir_database *database, uint64_t *position_r)
{
    return weir_state_get(database, ANSWERED, position_r);
}

int weir_database_answered_put(struct weir_database *database, uint64_t position)
{
    return weir_state_put(database, ANSWERED, position);
}
