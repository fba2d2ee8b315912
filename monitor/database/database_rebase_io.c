/*
 * Three statements, each over what lies in the future and nothing else.  Times in the audit stay:
 * it says what the clock said.
 */
#include "monitor/database/database_rebase_io.h"

#include "core/base/error.h"
#include "monitor/database/database_decisions_io.h"
#include "monitor/database/database_impl.h"

static int rebase_decisions(struct weir_database *database, weir_time now, uint64_t before)
{
    struct weir_query q = weir_query(database, "UPDATE decisions SET made = ?1, "
        "ends = CASE WHEN ends > 0 THEN ends - made + ?1 ELSE 0 END, changed = later.generation "
        "FROM (SELECT number AS row, ?2 + 1 + "
        "(row_number() OVER (ORDER BY changed, number) - 1) / ?3 AS generation FROM decisions "
        "WHERE undone = 0 AND made > ?1) AS later WHERE number = later.row");

    weir_bind_number(&q, now);
    weir_bind_number(&q, (int64_t)before);
    weir_bind_number(&q, WEIR_UNDONE_AT_ONCE);
    return weir_query_change(&q);
}

static int rebase_ladder(struct weir_database *database, weir_time now)
{
    struct weir_query q = weir_query(database, "UPDATE ladder SET last = min(last, ?1), "
        "ends = ends - max(taken - ?1, 0), taken = min(taken, ?1) WHERE taken > ?1 OR last > ?1");

    weir_bind_number(&q, now);
    return weir_query_change(&q);
}

static int rebase_events(struct weir_database *database, weir_time now)
{
    struct weir_query q = weir_query(database, "UPDATE events SET raised = min(raised, ?1), "
        "cleared = min(cleared, ?1) WHERE raised > ?1 OR cleared > ?1");

    weir_bind_number(&q, now);
    return weir_query_change(&q);
}

int weir_database_rebase(struct weir_database *database, weir_time now, uint64_t *generation_r)
{
    uint64_t before = 0, after;
    bool own;
    int moved, rc = weir_change_begin(database, &own);

    if (rc < 0)
        return rc;
    rc = weir_database_generation(database, &before);
    moved = rc < 0 ? rc : rebase_decisions(database, now, before);
    rc = moved;
    after = before + ((uint64_t)(moved > 0 ? moved : 0) + WEIR_UNDONE_AT_ONCE - 1) /
                         WEIR_UNDONE_AT_ONCE;
    if (moved > 0)
        rc = weir_state_put(database, "generation", after);
    if (rc >= 0)
        rc = rebase_ladder(database, now);
    if (rc >= 0)
        rc = rebase_events(database, now);
    rc = weir_change_end(database, own, rc < 0 ? rc : moved);
    if (rc > 0)
        *generation_r = after;
    return rc;
}

int weir_database_ahead(struct weir_database *database, weir_time now)
{
    struct weir_query q = weir_query(database, "SELECT count(*) FROM decisions "
                                     "WHERE undone = 0 AND made > ?1 AND (ends = 0 OR ends > ?1)");
    int count = 0;

    weir_bind_number(&q, now);
    if (weir_query_row(&q) == 1)
        count = (int)weir_column_number(&q);
    return weir_query_told(&q, 0, count);
}
