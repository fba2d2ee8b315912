/*
 * How far history of rules is, and old history, thinned.  The table's trigger lets go of lines of
 * the analyzer's only that are older than a time in the state, which is put there first.
 *
 * Lines are gone through once, by number, up to the first that is not old enough; how far is in the
 * state, too: what was looked at and kept stays.  Of a piece of them the last of a rule, a kind of
 * change and a step of time stays, so that a rule's way can still be seen.
 */
#include "core/base/error.h"
#include "monitor/database/database_impl.h"
#include "monitor/database/database_rules_io.h"

#define BEFORE "history_before"
#define LOOKED_AT "history_thinned"

/* Up to which number a piece goes: one below the first line that is not old enough. */
static int find_end(struct weir_database *database, int64_t from, weir_time before, unsigned rows,
                    int64_t *end_r)
{
    struct weir_query q = weir_query(database, "SELECT coalesce("
        "(SELECT number - 1 FROM rule_changes WHERE number > ?1 AND number <= ?1 + ?3 "
        "AND time >= ?2 ORDER BY number LIMIT 1), "
        "min(?1 + ?3, (SELECT coalesce(max(number), 0) FROM rule_changes)))");

    weir_bind_number(&q, from);
    weir_bind_number(&q, before);
    weir_bind_number(&q, rows);
    if (weir_query_row(&q) == 1)
        *end_r = weir_column_number(&q);
    return weir_query_end(&q);
}

#define MADE_BY_PROGRAMS "who GLOB 'analyzer*' AND what IN ('score', 'state', 'approved')"

/* How many went. */
static int thin(struct weir_database *database, int64_t from, int64_t end)
{
    struct weir_query q = weir_query(database, "DELETE FROM rule_changes "
        "WHERE number > ?1 AND number <= ?2 AND " MADE_BY_PROGRAMS " AND number NOT IN "
        "(SELECT max(number) FROM rule_changes WHERE number > ?1 AND number <= ?2 "
        "AND " MADE_BY_PROGRAMS " GROUP BY rule, what, time / ?3)");

    weir_bind_number(&q, from);
    weir_bind_number(&q, end);
    weir_bind_number(&q, WEIR_HISTORY_STEP);
    return weir_query_change(&q);
}

static int thin_piece(struct weir_database *database, weir_time before, unsigned rows,
                      bool *more_r)
{
    uint64_t from = 0;
    int64_t end = 0;
    int rc = weir_state_get(database, LOOKED_AT, &from), went;

    rc = rc < 0 ? rc : find_end(database, (int64_t)from, before, rows, &end);
    if (rc < 0 || end <= (int64_t)from)
        return rc;
    *more_r = end - (int64_t)from >= rows;
    rc = weir_state_put(database, BEFORE, (uint64_t)before);
    went = rc < 0 ? rc : thin(database, (int64_t)from, end);
    rc = went < 0 ? went : weir_state_put(database, LOOKED_AT, (uint64_t)end);
    return rc < 0 ? rc : went;
}

int weir_database_rules_thin(struct weir_database *database, weir_time before, unsigned rows,
                             bool *more_r)
{
    bool own;
    int rc = weir_change_begin(database, &own), went;

    *more_r = false;
    if (rc < 0 || before <= 0)
        return rc < 0 ? rc : weir_change_end(database, own, 0);
    went = thin_piece(database, before, rows, more_r);
    rc = weir_change_end(database, own, went < 0 ? went : 0);
    return rc < 0 ? rc : went;
}

int weir_database_rules_newest(struct weir_database *database, struct weir_rules_newest *newest_r)
{
    struct weir_query q = weir_query(database, "SELECT (SELECT max(serial) FROM rule_sets), "
                                     "(SELECT max(number) FROM rule_changes)");

    *newest_r = (struct weir_rules_newest){.serial = 0};
    if (weir_query_row(&q) == 1) {
        newest_r->serial = weir_column_number(&q);
        newest_r->change = weir_column_number(&q);
    }
    return weir_query_end(&q);
}
