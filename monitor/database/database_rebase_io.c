/*
 * Statements, each over what lies in the future and nothing else; decisions are their own table's
 * business.  Times in the audit stay:
 * it says what the clock said.
 */
#include "monitor/database/database_rebase_io.h"

#include "core/base/error.h"
#include "monitor/analyzer/hit_days.h"
#include "monitor/database/database_decisions_io.h"
#include "monitor/database/database_impl.h"
#include "monitor/database/database_owed_io.h"

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
        "cleared = min(cleared, ?1), told = min(told, ?1), unheard = min(unheard, ?1) "
        "WHERE raised > ?1 OR cleared > ?1 OR told > ?1 OR unheard > ?1");

    weir_bind_number(&q, now);
    return weir_query_change(&q);
}

/* Nobody is escalated to before it is `after` since they were told. */
static int rebase_standing(struct weir_database *database, weir_time now)
{
    struct weir_query q = weir_query(database, "UPDATE events SET raised = min(raised, ?1), "
        "told = min(told, ?1), unheard = min(unheard, ?1) "
        "WHERE cleared = 0 AND (raised > ?1 OR told > ?1 OR unheard > ?1)");

    weir_bind_number(&q, now);
    return weir_query_change(&q);
}

/* They last as long as they were meant to. */
static int rebase_silences(struct weir_database *database, weir_time now)
{
    struct weir_query q = weir_query(database, "UPDATE silences SET ends = ends - made + ?1, "
                                     "made = ?1 WHERE ended = 0 AND made > ?1");

    weir_bind_number(&q, now);
    return weir_query_change(&q);
}

int weir_database_rebase_alerts(struct weir_database *database, weir_time now)
{
    bool own;
    int rc = weir_change_begin(database, &own);

    if (rc < 0)
        return rc;
    rc = rebase_standing(database, now);
    if (rc >= 0)
        rc = rebase_silences(database, now);
    if (rc >= 0)
        rc = weir_database_owed_look(database, 0);
    return weir_change_end(database, own, rc < 0 ? rc : 0);
}

int weir_database_rebase(struct weir_database *database, weir_time now, uint64_t *generation_r)
{
    uint64_t generation = 0;
    bool own;
    int moved, rc = weir_change_begin(database, &own);

    if (rc < 0)
        return rc;
    rc = moved = weir_database_decisions_rebase(database, now, &generation);
    if (rc >= 0)
        rc = rebase_ladder(database, now);
    if (rc >= 0)
        rc = rebase_events(database, now);
    rc = weir_change_end(database, own, rc < 0 ? rc : moved);
    if (rc > 0)
        *generation_r = generation;
    return rc;
}

static int rebase_rows(struct weir_database *database, const char *sql, int64_t now)
{
    struct weir_query q = weir_query(database, sql);

    weir_bind_number(&q, now);
    return weir_query_change(&q);
}

int weir_database_rebase_counts(struct weir_database *database, weir_time now)
{
    static const struct {
        const char *sql;
        bool by_day;
    } of[] = {
        {"UPDATE hits SET first_hit = min(first_hit, ?1), last_hit = min(last_hit, ?1), "
         "at = min(at, ?1) WHERE last_hit > ?1 OR at > ?1", false},
        {"UPDATE hits_all SET at = ?1 WHERE at > ?1", false},
        {"UPDATE hits_servers SET at = ?1 WHERE at > ?1", false},
        {"INSERT INTO hits_days (day, rule, hits, spam, ham, false_positives) "
         "SELECT ?1, rule, sum(hits), sum(spam), sum(ham), sum(false_positives) FROM hits_days "
         "WHERE day > ?1 GROUP BY rule ON CONFLICT (day, rule) DO UPDATE SET "
         "hits = hits + excluded.hits, spam = spam + excluded.spam, ham = ham + excluded.ham, "
         "false_positives = false_positives + excluded.false_positives", true},
        {"DELETE FROM hits_days WHERE day > ?1", true},
        {"INSERT INTO report_counts (day, what, whose, count) "
         "SELECT ?1, what, whose, sum(count) FROM report_counts WHERE day > ?1 "
         "GROUP BY what, whose ON CONFLICT (day, what, whose) DO UPDATE SET "
         "count = count + excluded.count", true},
        {"DELETE FROM report_counts WHERE day > ?1", true},
        {"UPDATE rules SET created = min(created, ?1), updated = min(updated, ?1), "
         "since = min(since, ?1) WHERE created > ?1 OR updated > ?1 OR since > ?1", false},
        {"UPDATE messages SET time = min(time, ?1), reported_at = min(reported_at, ?1) "
         "WHERE time > ?1 OR reported_at > ?1", false},
        {"UPDATE reports SET time = min(time, ?1), taken_back = min(taken_back, ?1) "
         "WHERE time > ?1 OR taken_back > ?1", false},
        {"UPDATE reported SET changed = ?1 WHERE changed > ?1", false},
        {"UPDATE reported_texts SET time = ?1 WHERE time > ?1", false},
        {"UPDATE parts SET time = ?1 WHERE time > ?1", false},
        {"UPDATE drafts SET time = ?1 WHERE time > ?1", false},
        {"UPDATE rule_sets SET made = ?1 WHERE made > ?1", false},
        {"UPDATE lessons SET time = ?1 WHERE time > ?1", false},
        {"UPDATE addresses SET first_seen = min(first_seen, ?1), last_seen = ?1 "
         "WHERE last_seen > ?1", false},
    };
    int moved = 0, rc;
    bool own;

    rc = weir_change_begin(database, &own);
    for (size_t i = 0; rc >= 0 && i < sizeof of / sizeof of[0]; i++) {
        rc = rebase_rows(database, of[i].sql, of[i].by_day ? weir_hit_day(now) : now);
        moved += rc > 0 ? rc : 0;
    }
    rc = weir_change_end(database, own, rc);
    return rc < 0 ? rc : moved;
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
