/*
 * The table of parts.  What is in it was read from a line once; a row that could not have been is
 * passed over.
 */
#include "monitor/database/database_parts_io.h"

#include <stdio.h>

#include "monitor/database/database_impl.h"

static void bind_whole(struct weir_query *q, uint32_t server, const struct weir_part_of *of)
{
    weir_bind_number(q, server);
    weir_bind_text(q, of->kind);
    weir_bind_number(q, (int64_t)of->uid);
    weir_bind_number(q, (int64_t)of->sum);
    weir_bind_number(q, of->len);
}

int weir_database_part_put(struct weir_database *database, uint32_t server,
                           const struct weir_part_line *part, weir_time at)
{
    struct weir_query q = weir_query(database, "INSERT OR IGNORE INTO parts (server, kind, uid, "
                                     "sum, len, number, time, octets) VALUES "
                                     "(?, ?, ?, ?, ?, ?, ?, ?)");

    bind_whole(&q, server, &part->of);
    weir_bind_number(&q, part->number);
    weir_bind_number(&q, at);
    weir_bind_octets(&q, part->octet, part->octets);
    return weir_query_run(&q);
}

int weir_database_parts_forget(struct weir_database *database, uint32_t server,
                               const struct weir_part_of *of)
{
    struct weir_query q = weir_query(database, "DELETE FROM parts WHERE server = ? AND kind = ? "
                                     "AND uid = ? AND sum = ? AND len = ?");

    bind_whole(&q, server, of);
    return weir_query_run(&q);
}

int weir_database_parts_expire(struct weir_database *database, weir_time before)
{
    struct weir_query q = weir_query(database, "DELETE FROM parts WHERE time < ?");

    weir_bind_number(&q, before);
    return weir_query_run(&q);
}

/* Whether the row is one that a line can tell. */
static bool read_part(struct weir_query *q, struct weir_part_line *part_r)
{
    struct weir_slice octets;

    snprintf(part_r->of.kind, sizeof part_r->of.kind, "%s", weir_column_text(q));
    part_r->of.uid = (uint64_t)weir_column_number(q);
    part_r->of.sum = (uint64_t)weir_column_number(q);
    part_r->of.len = (uint32_t)weir_column_number(q);
    part_r->of.parts = weir_part_lines(part_r->of.len);
    part_r->number = (uint32_t)weir_column_number(q);
    octets = weir_column_slice(q);
    if (!weir_part_place(part_r) || octets.len != part_r->octets)
        return false;
    part_r->octet = (const uint8_t *)octets.at;
    return true;
}

int weir_database_parts(struct weir_database *database,
                        int (*row)(void *context, uint32_t server,
                                   const struct weir_part_line *part, weir_time at),
                        void *context)
{
    struct weir_query q = weir_query(database, "SELECT server, time, kind, uid, sum, len, number, "
                                     "octets FROM parts ORDER BY time, server, kind, uid, sum, "
                                     "len, number");
    int calls = 0, stop = 0;

    while (stop == 0 && weir_query_row(&q) == 1) {
        uint32_t server = (uint32_t)weir_column_number(&q);
        weir_time at = weir_column_number(&q);
        struct weir_part_line part;

        if (read_part(&q, &part)) {
            stop = row(context, server, &part, at);
            calls++;
        }
    }
    return weir_query_told(&q, stop, calls);
}
