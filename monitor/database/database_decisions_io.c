/*
 * The table of decisions.  The generation is a number of the state, raised in the transaction of
 * the change, so that a reader that sees it sees the change.
 *
 * The table has a year of them, of which few stand: each question here is asked of an index, and
 * looks at what it answers and little else.
 */
#include "monitor/database/database_decisions_io.h"

#include <string.h>

#include "core/base/error.h"
#include "monitor/database/database_impl.h"

#define COLUMNS "made, event, generation, changed, list, address, bits, ends, defer, points, " \
    "reason, origin"
#define ALL "number, " COLUMNS ", undone, undone_by"

/* Of rows in an order: so many have a generation together, the next the next. */
#define GENERATION(before, each, order) \
    before " + 1 + (row_number() OVER (ORDER BY " order ") - 1) / " each

int weir_database_generation(struct weir_database *database, uint64_t *generation_r)
{
    return weir_state_get(database, "generation", generation_r);
}

static int next_generation(struct weir_database *database, uint64_t *generation_r)
{
    uint64_t generation = 0;
    int rc = weir_database_generation(database, &generation);

    if (rc < 0)
        return rc;
    *generation_r = generation + 1;
    return weir_state_put(database, "generation", generation + 1);
}

static bool is_list(const char *list)
{
    return strcmp(list, "blacklist") == 0 || strcmp(list, "accept") == 0 ||
           strcmp(list, "score") == 0;
}

static int check(struct weir_database *database, const struct weir_database_decision *decision)
{
    if (!is_list(decision->list))
        return weir_database_fail(database, WEIR_EINVAL, "no such list");
    if (strlen(decision->reason) > WEIR_REASON_MAX || strlen(decision->origin) > WEIR_ORIGIN_MAX)
        return weir_database_fail(database, WEIR_ELIMIT, "too long a reason or origin");
    return 0;
}

static int insert(struct weir_database *database, const struct weir_database_decision *decision,
                  uint64_t generation)
{
    struct weir_query q = weir_query(database, "INSERT INTO decisions (" COLUMNS ") "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

    weir_bind_number(&q, decision->made);
    weir_bind_number(&q, decision->event);
    weir_bind_number(&q, (int64_t)generation);
    weir_bind_number(&q, (int64_t)generation);
    weir_bind_text(&q, decision->list);
    weir_bind_prefix(&q, &decision->prefix);
    weir_bind_number(&q, decision->ends);
    weir_bind_number(&q, decision->defer);
    weir_bind_real(&q, decision->points);
    weir_bind_text(&q, decision->reason);
    weir_bind_text(&q, decision->origin);
    return weir_query_run(&q);
}

int weir_database_decision_add(struct weir_database *database,
                               const struct weir_database_decision *decision, int64_t *number_r,
                               uint64_t *generation_r)
{
    uint64_t generation = 0;
    int64_t number = 0;
    bool own;
    int rc = check(database, decision);

    rc = rc < 0 ? rc : weir_change_begin(database, &own);
    if (rc < 0)
        return rc;
    rc = next_generation(database, &generation);
    rc = rc < 0 ? rc : insert(database, decision, generation);
    if (rc == 0)
        number = sqlite3_last_insert_rowid(database->sqlite);
    rc = weir_change_end(database, own, rc);
    if (rc == 0) {
        *number_r = number;
        *generation_r = generation;
    }
    return rc;
}

/* Undoing is one statement for one decision and for all about a prefix. */
struct undo {
    int64_t number;                   /* 0: by prefix and list */
    const struct weir_prefix *prefix;
    const char *list, *by;
    weir_time now;
};

static int mark_undone(struct weir_database *database, const struct undo *undo,
                       uint64_t generation)
{
    struct weir_query q = undo->prefix
        ? weir_query(database, "UPDATE decisions SET undone = ?, undone_by = ?, changed = ? "
                     "WHERE undone = 0 AND address = ? AND bits = ? AND (?6 = '' OR list = ?6) "
                     "AND (ends = 0 OR ends > ?1)")
        : weir_query(database, "UPDATE decisions SET undone = ?, undone_by = ?, changed = ? "
                     "WHERE undone = 0 AND number = ?");

    weir_bind_number(&q, undo->now);
    weir_bind_text(&q, undo->by);
    weir_bind_number(&q, (int64_t)generation);
    if (undo->prefix) {
        weir_bind_prefix(&q, undo->prefix);
        weir_bind_text(&q, undo->list);
    } else {
        weir_bind_number(&q, undo->number);
    }
    return weir_query_change(&q);
}

/* So many rows were changed (or an error), the last of them with a generation, which becomes the
 * newest: how many, or an error that took all of it back. */
static int end_changes(struct weir_database *database, bool own, int changed, uint64_t last,
                       uint64_t *generation_r)
{
    int rc = changed > 0 ? weir_state_put(database, "generation", last) : 0;

    rc = weir_change_end(database, own, rc < 0 ? rc : changed);
    if (rc > 0)
        *generation_r = last;
    return rc;
}

static int undo_all(struct weir_database *database, const struct undo *undo,
                    uint64_t *generation_r)
{
    uint64_t before = 0;
    bool own;
    int undone, rc;

    if (strlen(undo->by) > WEIR_ORIGIN_MAX)
        return weir_database_fail(database, WEIR_ELIMIT, "too long a name");
    rc = weir_change_begin(database, &own);
    if (rc < 0)
        return rc;
    undone = weir_database_generation(database, &before);
    undone = undone < 0 ? undone : mark_undone(database, undo, before + 1);
    return end_changes(database, own, undone, before + 1, generation_r);
}

int weir_database_decision_undo(struct weir_database *database, int64_t number, const char *by,
                                weir_time now, uint64_t *generation_r)
{
    return undo_all(database, &(struct undo){.number = number, .by = by, .now = now},
                    generation_r);
}

int weir_database_decisions_undo(struct weir_database *database, const struct weir_prefix *prefix,
                                 const char *list, const char *by, weir_time now,
                                 uint64_t *generation_r)
{
    struct undo undo = {.prefix = prefix, .list = list, .by = by, .now = now};

    return undo_all(database, &undo, generation_r);
}

/* What is at and below a prefix. */
static int mark_below(struct weir_database *database, const struct weir_prefix *prefix,
                      const char *by, weir_time now, uint64_t before)
{
    struct weir_query q = weir_query(database, "UPDATE decisions SET undone = ?3, undone_by = ?4, "
        "changed = below.generation FROM (SELECT number AS row, "
        GENERATION("?5", "?6", "changed, number") " AS generation FROM decisions "
        "WHERE address BETWEEN ?1 AND ?2 AND bits >= ?7 AND undone = 0 "
        "AND (ends = 0 OR ends > ?3) AND list IN ('blacklist', 'score') "
        "AND NOT (?7 < 96 AND " WEIR_IS_IPV4 ")) AS below WHERE number = below.row");
    struct weir_address last;

    weir_bind_span(&q, prefix, &last);
    weir_bind_number(&q, now);
    weir_bind_text(&q, by);
    weir_bind_number(&q, (int64_t)before);
    weir_bind_number(&q, WEIR_UNDONE_AT_ONCE);
    weir_bind_number(&q, prefix->bits);
    return weir_query_change(&q);
}

/* The last generation of so many changes, WEIR_UNDONE_AT_ONCE together. */
static uint64_t generations_of(uint64_t before, int changes)
{
    return before + ((uint64_t)(changes > 0 ? changes : 0) + WEIR_UNDONE_AT_ONCE - 1) /
                        WEIR_UNDONE_AT_ONCE;
}

int weir_database_decisions_undo_below(struct weir_database *database,
                                       const struct weir_prefix *prefix, const char *by,
                                       weir_time now, uint64_t *generation_r)
{
    uint64_t before = 0;
    bool own;
    int undone, rc;

    if (strlen(by) > WEIR_ORIGIN_MAX)
        return weir_database_fail(database, WEIR_ELIMIT, "too long a name");
    rc = weir_change_begin(database, &own);
    if (rc < 0)
        return rc;
    undone = weir_database_generation(database, &before);
    undone = undone < 0 ? undone : mark_below(database, prefix, by, now, before);
    return end_changes(database, own, undone, generations_of(before, undone), generation_r);
}

static int put_back(struct weir_database *database, const struct weir_prefix *prefix,
                    weir_time undone, weir_time now, uint64_t before)
{
    struct weir_query q = weir_query(database, "INSERT INTO decisions (" COLUMNS ") "
        "SELECT ?3, event, next, next, list, address, bits, ends, defer, points, reason, origin "
        "FROM (SELECT *, " GENERATION("?5", "?6", "number") " AS next "
        "FROM decisions AS old INDEXED BY decisions_undone WHERE undone > 0 AND undone = ?4 "
        "AND address BETWEEN ?1 AND ?2 AND bits >= ?7 AND list IN ('blacklist', 'score') "
        "AND (ends = 0 OR ends > ?3) AND NOT (?7 < 96 AND " WEIR_IS_IPV4 ") "
        "AND NOT EXISTS (SELECT 1 FROM decisions WHERE address = old.address "
        "AND bits = old.bits AND list = old.list AND undone = 0 AND (ends = 0 OR ends > ?3)))");
    struct weir_address last;

    weir_bind_span(&q, prefix, &last);
    weir_bind_number(&q, now);
    weir_bind_number(&q, undone);
    weir_bind_number(&q, (int64_t)before);
    weir_bind_number(&q, WEIR_UNDONE_AT_ONCE);
    weir_bind_number(&q, prefix->bits);
    return weir_query_change(&q);
}

int weir_database_decisions_restore(struct weir_database *database,
                                    const struct weir_prefix *prefix, weir_time undone,
                                    weir_time now, uint64_t *generation_r)
{
    uint64_t before = 0;
    bool own;
    int restored, rc = weir_change_begin(database, &own);

    if (rc < 0)
        return rc;
    restored = weir_database_generation(database, &before);
    restored = restored < 0 ? restored : put_back(database, prefix, undone, now, before);
    return end_changes(database, own, restored, generations_of(before, restored), generation_r);
}

static int bring_back(struct weir_database *database, weir_time now, uint64_t before)
{
    struct weir_query q = weir_query(database, "UPDATE decisions SET made = ?1, "
        "ends = CASE WHEN ends > 0 THEN ends - made + ?1 ELSE 0 END, changed = later.generation "
        "FROM (SELECT number AS row, " GENERATION("?2", "?3", "changed, number")
        " AS generation FROM decisions WHERE undone = 0 AND made > ?1) AS later "
        "WHERE number = later.row");

    weir_bind_number(&q, now);
    weir_bind_number(&q, (int64_t)before);
    weir_bind_number(&q, WEIR_UNDONE_AT_ONCE);
    return weir_query_change(&q);
}

int weir_database_decisions_rebase(struct weir_database *database, weir_time now,
                                   uint64_t *generation_r)
{
    uint64_t before = 0;
    bool own;
    int moved, rc = weir_change_begin(database, &own);

    if (rc < 0)
        return rc;
    moved = weir_database_generation(database, &before);
    moved = moved < 0 ? moved : bring_back(database, now, before);
    return end_changes(database, own, moved, generations_of(before, moved), generation_r);
}

/* Lists. ------------------------------------------------------------------------------ */

static struct weir_database_decision column_decision(struct weir_query *q)
{
    struct weir_database_decision decision = {.number = weir_column_number(q)};

    decision.made = weir_column_number(q);
    decision.event = weir_column_number(q);
    decision.generation = (uint64_t)weir_column_number(q);
    decision.changed = (uint64_t)weir_column_number(q);
    decision.list = weir_column_text(q);
    weir_column_prefix(q, &decision.prefix);
    decision.ends = weir_column_number(q);
    decision.defer = weir_column_number(q) != 0;
    decision.points = weir_column_real(q);
    decision.reason = weir_column_text(q);
    decision.origin = weir_column_text(q);
    decision.undone = weir_column_number(q);
    decision.undone_by = weir_column_text(q);
    return decision;
}

static int list_all(struct weir_query *q,
                    weir_database_decision_row *row,
                    void *context)
{
    int calls = 0, stop = 0;

    while (stop == 0 && weir_query_row(q) == 1) {
        struct weir_database_decision decision = column_decision(q);

        stop = q->rc < 0 ? q->rc : row(context, &decision);
        calls++;
    }
    return weir_query_told(q, stop, calls);
}

int weir_database_decisions_active(struct weir_database *database, weir_time now,
                                   weir_database_decision_row *row,
                                   void *context)
{
    struct weir_query q = weir_query(database,
        "SELECT " ALL " FROM decisions INDEXED BY decisions_standing "
        "WHERE undone = 0 AND ends = 0 UNION ALL "
        "SELECT " ALL " FROM decisions INDEXED BY decisions_standing "
        "WHERE undone = 0 AND ends > ? ORDER BY changed, number");

    weir_bind_number(&q, now);
    return list_all(&q, row, context);
}

int weir_database_decisions_accepted(struct weir_database *database, weir_time now,
                                     weir_database_decision_row *row,
                                     void *context)
{
    struct weir_query q = weir_query(database,
        "SELECT " ALL " FROM decisions INDEXED BY decisions_accepted "
        "WHERE undone = 0 AND list = 'accept' AND ends = 0 UNION ALL "
        "SELECT " ALL " FROM decisions INDEXED BY decisions_accepted "
        "WHERE undone = 0 AND list = 'accept' AND ends > ? ORDER BY changed, number");

    weir_bind_number(&q, now);
    return list_all(&q, row, context);
}

int weir_database_decisions_newest(struct weir_database *database, const char *list,
                                   int64_t before, weir_time now, weir_database_decision_row *row,
                                   void *context)
{
    struct weir_query q = weir_query(database, "SELECT " ALL " FROM decisions WHERE undone = 0 "
                                     "AND (?1 = '' OR list = ?1) AND number < ?2 "
                                     "AND (ends = 0 OR ends > ?3) ORDER BY number DESC");

    weir_bind_text(&q, list);
    weir_bind_number(&q, before > 0 ? before : INT64_MAX);
    weir_bind_number(&q, now);
    return list_all(&q, row, context);
}

int weir_database_decisions_since(struct weir_database *database, uint64_t generation,
                                  weir_database_decision_row *row,
                                  void *context)
{
    struct weir_query q = weir_query(database, "SELECT " ALL " FROM decisions WHERE changed > ? "
                                     "ORDER BY changed, number");

    weir_bind_number(&q, generation < INT64_MAX ? (int64_t)generation : INT64_MAX);
    return list_all(&q, row, context);
}

int weir_database_decision(struct weir_database *database, int64_t number,
                           weir_database_decision_row *row, void *context)
{
    struct weir_query q = weir_query(database, "SELECT " ALL " FROM decisions WHERE number = ?");

    weir_bind_number(&q, number);
    return list_all(&q, row, context);
}

int weir_database_decisions_about(struct weir_database *database, const struct weir_prefix *prefix,
                                  const char *list, weir_time now,
                                  weir_database_decision_row *row,
                                  void *context)
{
    struct weir_query q = weir_query(database,
        "SELECT " ALL " FROM decisions INDEXED BY decisions_about WHERE address = ?1 AND bits = ?2 "
        "AND (?3 = '' OR list = ?3) AND undone = 0 AND (ends = 0 OR ends > ?4) "
        "ORDER BY number DESC");

    weir_bind_prefix(&q, prefix);
    weir_bind_text(&q, list);
    weir_bind_number(&q, now);
    return list_all(&q, row, context);
}

int weir_database_decisions_ever(struct weir_database *database, const struct weir_prefix *prefix,
                                 weir_time now, unsigned most, weir_database_decision_row *row,
                                 void *context)
{
    struct weir_query q = weir_query(database,
        "SELECT " ALL " FROM decisions INDEXED BY decisions_about WHERE address = ? AND bits = ? "
        "ORDER BY undone = 0 AND (ends = 0 OR ends > ?) DESC, number DESC LIMIT ?");

    weir_bind_prefix(&q, prefix);
    weir_bind_number(&q, now);
    weir_bind_number(&q, most);
    return list_all(&q, row, context);
}

bool weir_database_decision_stands(const struct weir_database_decision *decision, weir_time now)
{
    return decision->undone == 0 && (decision->ends == 0 || decision->ends > now);
}
