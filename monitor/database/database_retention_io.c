/*
 * Deleting in pieces.  Each table's piece is found by an index, or among its oldest rows, or, in
 * streams and the smaller tables, by a look through them.
 *
 * A database that is too large loses its oldest minutes first, and an eighth as many of the
 * addresses that were not seen for longest: a flood of addresses that are seen once must not drive
 * out all history, nor history all addresses.  Of events, decisions, ladder and audit, which others
 * can make grow as well, it loses what is over, as many as of addresses, but for the newest.  Only
 * when little of that is left, other tables lose their oldest rows, one after the other.
 */
#include "monitor/database/database_retention_io.h"

#include "core/base/error.h"
#include "monitor/database/database_counters_io.h"
#include "monitor/database/database_rules_io.h"
#include "monitor/database/database_impl.h"
#include "monitor/database/database_sums_io.h"

#define EARLY "forgotten_early"
#define RETAINED "retained"
#define TOLD_AGE (24 * 30 * WEIR_DAY) /* half-lives: a million hits have come to less than one */

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
    uint64_t untold = 0; /* few, and not told */
    const struct {
        weir_time age;
        int64_t unit;
        const char *sql;
        uint64_t *count;
    } pieces[] = {
        {keep->minutes, WEIR_MINUTE, old_minutes, &f->minutes},
        {keep->minutes, WEIR_MINUTE, "DELETE FROM minute_sums WHERE minute IN (SELECT minute "
         "FROM minute_sums WHERE minute < ? LIMIT ?)", &untold},
        {WEIR_SUMS_SHORT, 1, "DELETE FROM message_sums WHERE (span, begins, what) IN (SELECT span, "
         "begins, what FROM message_sums WHERE span = 300000000 AND begins < ? LIMIT ?)",
         &untold},
        {WEIR_SUMS_LONG, 1, "DELETE FROM message_sums WHERE (span, begins, what) IN (SELECT span, "
         "begins, what FROM message_sums WHERE span = 3600000000 AND begins < ? LIMIT ?)",
         &untold},
        {keep->addresses, 1, old_addresses, &f->addresses},
        {keep->streams, 1, "DELETE FROM streams WHERE (server, name) IN "
         "(SELECT server, name FROM streams WHERE last < ? LIMIT ?)", &f->streams},
        {keep->events, 1, "DELETE FROM events WHERE number IN (SELECT number FROM "
         OLDEST("events") " WHERE cleared > 0 AND cleared < ?1 LIMIT ?2)", &f->events},
        {keep->events, 1, "DELETE FROM silences WHERE number IN (SELECT number FROM "
         OLDEST("silences") " WHERE (ended > 0 AND ended < ?1) OR ends < ?1 LIMIT ?2)", &untold},
        {keep->decisions, 1, "DELETE FROM decisions WHERE number IN (SELECT number FROM decisions "
         "WHERE undone > 0 AND undone < ?1 UNION ALL SELECT number FROM decisions "
         "WHERE undone = 0 AND ends > 0 AND ends < ?1 LIMIT ?2)", &f->decisions},
        {keep->ladder, 1, "DELETE FROM ladder WHERE (address, bits) IN (SELECT address, bits "
         "FROM ladder WHERE max(last, ends) < ? LIMIT ?)", &f->ladder},
        {keep->audit, 1, "DELETE FROM audit WHERE number IN (SELECT number FROM "
         OLDEST("audit") " WHERE time < ?1 LIMIT ?2)", &f->audit},
        {keep->reports, 1, "DELETE FROM reports WHERE number IN (SELECT number FROM reports "
         "WHERE time < ? ORDER BY time LIMIT ?)", &f->reports},
        {keep->reports, 1, "DELETE FROM reported WHERE uid IN (SELECT uid FROM reported "
         "WHERE changed < ? LIMIT ?)", &f->reports},
        {keep->reports, 1, "DELETE FROM votes WHERE number IN (SELECT number FROM "
         OLDEST("votes") " WHERE time < ?1 LIMIT ?2)", &f->reports},
        {keep->reports, WEIR_DAY, "DELETE FROM report_counts WHERE (day, what, whose) IN "
         "(SELECT day, what, whose FROM report_counts WHERE day < ? LIMIT ?)", &f->reports},
        {WEIR_HIT_DAYS * WEIR_DAY, WEIR_DAY, "DELETE FROM hits_days WHERE (day, rule) IN "
         "(SELECT day, rule FROM hits_days WHERE day < ? LIMIT ?)", &f->hits},
        {TOLD_AGE, 1, "DELETE FROM hits_servers WHERE (rule, server) IN "
         "(SELECT rule, server FROM hits_servers WHERE at < ? LIMIT ?)", &f->hits},
    };
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof pieces / sizeof pieces[0]; i++)
        if (pieces[i].age > 0)
            rc = forget(database, pieces[i].sql, (now - pieces[i].age) / pieces[i].unit,
                        keep->rows, pieces[i].count, &f->more);
    rc = rc < 0 ? rc : forget(database, "DELETE FROM minute_sums WHERE minute IN (SELECT minute "
                              "FROM minute_sums WHERE minute > ? LIMIT ?)",
                              (now + WEIR_DAY) / WEIR_MINUTE, keep->rows, &untold, &f->more);
    if (rc < 0)
        return rc;
    return forget(database, "DELETE FROM minutes WHERE (minute, address, server) IN "
                  "(SELECT minute, address, server FROM minutes WHERE minute > ? LIMIT ?)",
                  (now + WEIR_DAY) / WEIR_MINUTE, keep->rows, &f->minutes, &f->more);
}

/* What the analyzer changed long ago. */
static int thin_history(struct weir_database *database, const struct weir_retention *keep,
                        weir_time now, struct weir_forgotten *f)
{
    bool more = false;
    int went = keep->history > 0 ? weir_database_rules_thin(database, now - keep->history,
                                                            keep->rows, &more) : 0;

    f->history += went > 0 ? (uint64_t)went : 0;
    f->more |= more;
    return went < 0 ? went : 0;
}

/* Behind the newest of a table whose numbers grow: what the first value says it keeps. */
#define BEHIND(table) "(SELECT * FROM " table " WHERE number <= " \
    "(SELECT max(number) FROM " table ") - ?1 ORDER BY number LIMIT 8 * ?2)"

/* Of each of the tables that are history, as many as of addresses. */
static int forget_history(struct weir_database *database, unsigned rows, struct weir_forgotten *f)
{
    const struct {
        int64_t keep;
        const char *sql;
        uint64_t *count;
    } pieces[] = {
        {WEIR_RETENTION_LEAST, "DELETE FROM events WHERE number IN (SELECT number FROM "
         BEHIND("events") " WHERE cleared > 0 LIMIT ?2)", &f->events},
        {WEIR_RETENTION_LEAST, "DELETE FROM decisions WHERE number IN (SELECT number FROM "
         BEHIND("decisions") " WHERE undone > 0 OR (ends > 0 AND ends < "
         "(SELECT max(made) FROM decisions)) LIMIT ?2)", &f->decisions},
        {WEIR_RETENTION_LEAST, "DELETE FROM audit WHERE number IN (SELECT number FROM "
         BEHIND("audit") " LIMIT ?2)", &f->audit},
        {0, "DELETE FROM ladder WHERE (address, bits) IN (SELECT address, bits FROM ladder "
         "WHERE ?1 = 0 AND max(last, ends) < (SELECT max(last) FROM ladder) "
         "ORDER BY last LIMIT ?2)", &f->ladder},
    };
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof pieces / sizeof pieces[0]; i++)
        rc = forget(database, pieces[i].sql, pieces[i].keep, rows, pieces[i].count, &f->more);
    return rc;
}

static uint64_t sum(const struct weir_forgotten *f)
{
    return f->minutes + f->addresses + f->events + f->decisions + f->ladder + f->audit +
           f->messages + f->counters + f->texts + f->sets + f->drafts + f->lessons + f->reports +
           f->history;
}

/* By size. ------------------------------------------------------------------ */

/* What anybody can make grow: traffic, and what comes of it. */
static int forget_traffic(struct weir_database *database, unsigned rows, struct weir_forgotten *f)
{
    uint64_t minutes = f->minutes;
    unsigned part = rows / 8 + 1;
    int rc = forget(database, old_minutes, INT64_MAX, rows, &f->minutes, &f->more);

    rc = rc < 0 ? rc : forget(database, old_addresses, INT64_MAX,
                              f->minutes > minutes ? part : rows, &f->addresses, &f->more);
    return rc < 0 ? rc : forget_history(database, part, f);
}

static int forget_messages(struct weir_database *database, unsigned rows, struct weir_forgotten *f)
{
    uint64_t hits = 0;
    int rc = forget(database, "DELETE FROM message_hits WHERE ?1 = 0 AND message IN "
                    "(SELECT number FROM messages ORDER BY number LIMIT ?2)", 0, rows, &hits,
                    &f->more);

    return rc < 0 ? rc : forget(database, "DELETE FROM messages WHERE ?1 = 0 AND number IN "
                                "(SELECT number FROM messages ORDER BY number LIMIT ?2)", 0, rows,
                                &f->messages, &f->more);
}

static int forget_counters(struct weir_database *database, unsigned rows, struct weir_forgotten *f)
{
    int went = weir_database_counters_forget_oldest(database, rows);

    f->counters += went > 0 ? (uint64_t)went : 0;
    f->more |= went > 0;
    return went < 0 ? went : 0;
}

/* They are large: a few at a time. */
#define LARGE(rows) ((rows) / 64 + 1)

static int forget_texts(struct weir_database *database, unsigned rows, struct weir_forgotten *f)
{
    return forget(database, "DELETE FROM reported_texts WHERE number IN (SELECT number FROM "
                  "reported_texts WHERE number > ? ORDER BY proven, number LIMIT ?)", 0,
                  LARGE(rows), &f->texts, &f->more);
}

static int forget_sets(struct weir_database *database, unsigned rows, struct weir_forgotten *f)
{
    return forget(database, "DELETE FROM rule_sets WHERE serial IN (SELECT serial FROM rule_sets "
                  "WHERE serial NOT IN (SELECT serial FROM rule_sets ORDER BY serial DESC "
                  "LIMIT ?1) ORDER BY serial LIMIT ?2)", 2, LARGE(rows) / 8 + 1, &f->sets,
                  &f->more);
}

/* Those whose rules are gone or retired: others say which good mail is looked at for a rule. */
#define OVER_DRAFTS "(SELECT number FROM drafts WHERE ?1 = 0 AND NOT EXISTS (SELECT 1 FROM rules " \
    "WHERE id = drafts.rule AND state <> 'retired') ORDER BY number LIMIT ?2)"

static int forget_drafts(struct weir_database *database, unsigned rows, struct weir_forgotten *f)
{
    uint64_t messages = 0;
    bool more = false;
    int rc = forget(database, "DELETE FROM draft_messages WHERE draft IN " OVER_DRAFTS, 0, rows,
                    &messages, &more);

    return rc < 0 ? rc : forget(database, "DELETE FROM drafts WHERE number IN " OVER_DRAFTS, 0,
                                rows, &f->drafts, &f->more);
}

/* What they taught is in the counts: it stays learned. */
static int forget_lessons(struct weir_database *database, unsigned rows, struct weir_forgotten *f)
{
    return forget(database, "DELETE FROM lessons WHERE number IN (SELECT number FROM lessons "
                  "WHERE number > ? AND uid NOT IN (SELECT uid FROM lesson_changes) "
                  "ORDER BY number LIMIT ?)", 0, LARGE(rows), &f->lessons, &f->more);
}

/* Those that are not in the counts yet, with the changes that wait for that. */
static int forget_changes(struct weir_database *database, unsigned rows, struct weir_forgotten *f)
{
    uint64_t lessons = 0;
    bool more = false;
    int rc = forget(database, "DELETE FROM lessons WHERE ?1 = 0 AND uid IN "
                    "(SELECT uid FROM lesson_changes ORDER BY number LIMIT ?2)", 0, LARGE(rows),
                    &lessons, &more);

    return rc < 0 ? rc : forget(database, "DELETE FROM lesson_changes WHERE ?1 = 0 AND number IN "
                                "(SELECT number FROM lesson_changes ORDER BY number LIMIT ?2)", 0,
                                LARGE(rows), &f->lessons, &f->more);
}

/* Votes of people: the newest stay, whatever the size. */
static int forget_votes(struct weir_database *database, unsigned rows, struct weir_forgotten *f)
{
    static const char *const sql[] = {
        "DELETE FROM reports WHERE number IN (SELECT number FROM " BEHIND("reports") " LIMIT ?2)",
        "DELETE FROM votes WHERE number IN (SELECT number FROM " BEHIND("votes") " LIMIT ?2)",
        ("DELETE FROM reported WHERE ?1 > 0 AND uid IN (SELECT uid FROM reported WHERE changed < "
         "(SELECT min(time) FROM reports) ORDER BY changed LIMIT ?2)"),
    };
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof sql / sizeof sql[0]; i++)
        rc = forget(database, sql[i], WEIR_RETENTION_LEAST, rows, &f->reports, &f->more);
    return rc;
}

/* What goes before its time, and in which order: what strangers can make grow, what comes again by
 * itself, what would have to be made anew, what people said.  The next one's turn comes only when
 * of those before there is less than a piece left, for traffic goes on meanwhile. */
static int forget_in_order(struct weir_database *database, const struct weir_retention *keep,
                           weir_time now, struct weir_forgotten *f)
{
    static int (*const stages[])(struct weir_database *database, unsigned rows,
                                 struct weir_forgotten *f) = {
        forget_traffic, forget_messages, forget_counters, forget_texts, forget_drafts,
        forget_sets,    forget_lessons,  forget_changes,  forget_votes,
    };
    struct weir_retention thin = *keep;
    int rc = 0;

    f->more = false;
    for (size_t i = 0; rc == 0 && !f->more && i < sizeof stages / sizeof stages[0]; i++)
        rc = stages[i](database, keep->rows, f);
    thin.history = WEIR_RETENTION_HISTORY;
    return rc == 0 && !f->more && !keep->untimely ? thin_history(database, &thin, now, f) : rc;
}

static int forget_early(struct weir_database *database, const struct weir_retention *keep,
                        weir_time now, struct weir_forgotten *f)
{
    uint64_t octets = 0, early = sum(f), before = 0;
    int rc = weir_database_octets(database, &octets);
    bool more = f->more;

    if (rc < 0 || octets <= keep->octets_most)
        return rc;
    rc = forget_in_order(database, keep, now, f);
    early = sum(f) - early;
    f->more |= more || early > 0;
    rc = rc < 0 ? rc : weir_state_get(database, EARLY, &before);
    rc = rc < 0 ? rc : weir_state_put(database, EARLY, before + early);
    f->early += early;
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
    if (!retention->untimely)
        rc = forget_old(database, retention, now, &forgotten);
    if (rc == 0 && !retention->untimely)
        rc = thin_history(database, retention, now, &forgotten);
    if (rc == 0 && !retention->untimely)
        rc = weir_state_put(database, RETAINED, (uint64_t)now);
    if (rc == 0 && retention->octets_most > 0)
        rc = forget_early(database, retention, now, &forgotten);
    rc = weir_change_end(database, own, rc);
    if (rc == 0 && own)
        rc = give_back(database);
    if (rc == 0)
        *forgotten_r = forgotten;
    return rc;
}

int weir_database_retained(struct weir_database *database, weir_time *when_r)
{
    uint64_t when = 0;
    int rc = weir_state_get(database, RETAINED, &when);

    *when_r = (weir_time)when;
    return rc;
}

int weir_database_forgotten_early(struct weir_database *database, uint64_t *rows_r)
{
    return weir_state_get(database, EARLY, rows_r);
}
