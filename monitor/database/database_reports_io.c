/*
 * The tables of reports.  What a vote may do is decided in monitor/analyzer/reports_io.c; here is
 * only how it is kept.  Partial indexes serve votes: their condition has to stand in each query.
 */
#include "monitor/database/database_reports_io.h"

#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/database/database_impl.h"

static const char *kind_of(bool spam)
{
    return spam ? "spam" : "ham";
}

/* Votes. -------------------------------------------------------------------- */

int weir_database_report_add(struct weir_database *database,
                             const struct weir_database_report *report, int64_t *number_r)
{
    struct weir_query q = weir_query(database, "INSERT INTO reports (time, server, user, name, "
        "told, way, kind, state, came, vote, weight, uid, verdict, score, address, domain, info) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    int rc;

    weir_bind_number(&q, report->time);
    weir_bind_number(&q, report->server);
    weir_bind_number(&q, (int64_t)report->user);
    weir_bind_text(&q, report->name);
    weir_bind_text(&q, report->told);
    weir_bind_text(&q, report->way);
    weir_bind_text(&q, kind_of(report->spam));
    weir_bind_text(&q, report->state);
    weir_bind_text(&q, report->came);
    weir_bind_number(&q, report->vote);
    weir_bind_number(&q, report->weighs);
    weir_bind_number(&q, (int64_t)report->uid);
    weir_bind_text(&q, report->verdict);
    weir_bind_real(&q, report->score);
    weir_bind_text(&q, report->address);
    weir_bind_text(&q, report->domain);
    weir_bind_text(&q, report->info);
    rc = weir_query_run(&q);
    if (rc == 0)
        *number_r = sqlite3_last_insert_rowid(database->sqlite);
    return rc;
}

int weir_database_report_vote(struct weir_database *database, uint64_t uid, uint64_t user,
                              struct weir_database_report *vote_r)
{
    struct weir_query q = weir_query(database, "SELECT number, kind = 'spam', weight, taken_back "
                                     "FROM reports WHERE uid = ? AND user = ? AND vote = 1");
    int found, rc;

    *vote_r = (struct weir_database_report){.vote = true, .uid = uid, .user = user};
    weir_bind_number(&q, (int64_t)uid);
    weir_bind_number(&q, (int64_t)user);
    found = weir_query_row(&q);
    if (found == 1) {
        vote_r->number = weir_column_number(&q);
        vote_r->spam = weir_column_number(&q) != 0;
        vote_r->weighs = weir_column_number(&q) != 0;
        vote_r->taken_back = weir_column_number(&q);
    }
    rc = weir_query_end(&q);
    return rc < 0 ? rc : found;
}

int weir_database_report_change(struct weir_database *database,
                                const struct weir_database_report *vote)
{
    struct weir_query q = weir_query(database, "UPDATE reports SET time = ?, server = ?, "
        "kind = ?, weight = ?, came = ?, taken_back = ? WHERE number = ?");

    weir_bind_number(&q, vote->time);
    weir_bind_number(&q, vote->server);
    weir_bind_text(&q, kind_of(vote->spam));
    weir_bind_number(&q, vote->weighs);
    weir_bind_text(&q, vote->came);
    weir_bind_number(&q, vote->taken_back);
    weir_bind_number(&q, vote->number);
    return weir_query_run(&q);
}

int weir_database_report_votes(struct weir_database *database, uint64_t uid,
                               struct weir_report_votes *votes_r)
{
    struct weir_query q = weir_query(database, "SELECT "
        "sum(kind = 'spam' AND weight = 1 AND taken_back = 0), "
        "sum(kind = 'ham' AND weight = 1 AND taken_back = 0), count(*), "
        "sum(server = 0 AND kind = 'spam' AND taken_back = 0), "
        "sum(server = 0 AND kind = 'ham' AND taken_back = 0) "
        "FROM reports WHERE uid = ? AND vote = 1");

    *votes_r = (struct weir_report_votes){.all = 0};
    weir_bind_number(&q, (int64_t)uid);
    if (weir_query_row(&q) == 1) {
        votes_r->spam = (unsigned)weir_column_number(&q);
        votes_r->ham = (unsigned)weir_column_number(&q);
        votes_r->all = (unsigned)weir_column_number(&q);
        votes_r->desk_spam = (unsigned)weir_column_number(&q);
        votes_r->desk_ham = (unsigned)weir_column_number(&q);
    }
    return weir_query_end(&q);
}

int weir_database_report_said(struct weir_database *database, uint64_t uid,
                              char info_r[static WEIR_INFO_TEXT_MAX + 1], bool *spam_r)
{
    struct weir_query q = weir_query(database, "SELECT info, kind = 'spam', "
        "(SELECT sum(CASE o.kind WHEN 'spam' THEN 1 ELSE -1 END) FROM reports AS o "
        " WHERE o.uid = r.uid AND o.vote = 1 AND o.server <> 0 AND o.weight = 1 "
        " AND o.taken_back = 0) "
        "FROM reports AS r WHERE uid = ? AND vote = 1 AND server <> 0 "
        "ORDER BY number DESC LIMIT 1");
    int found, rc;

    weir_bind_number(&q, (int64_t)uid);
    found = weir_query_row(&q);
    if (found == 1) {
        int64_t newest, margin;

        snprintf(info_r, WEIR_INFO_TEXT_MAX + 1, "%s", weir_column_text(&q));
        newest = weir_column_number(&q);
        margin = weir_column_number(&q);
        *spam_r = margin != 0 ? margin > 0 : newest != 0;
    }
    rc = weir_query_end(&q);
    return rc < 0 ? rc : found;
}

int weir_database_report_record(struct weir_database *database, uint64_t user, unsigned most,
                                struct weir_report_record *record_r)
{
    struct weir_query q = weir_query(database, "WITH mine AS ("
        "  SELECT CASE kind WHEN 'spam' THEN 1 ELSE -1 END AS own,"
        "  (SELECT sum(CASE o.kind WHEN 'spam' THEN 1 ELSE -1 END) FROM reports AS o"
        "   WHERE o.uid = r.uid AND o.vote = 1 AND o.user <> r.user AND o.weight = 1"
        "   AND o.taken_back = 0) AS others"
        "  FROM reports AS r WHERE user = ? AND vote = 1 AND taken_back = 0"
        "  ORDER BY number DESC LIMIT ?) "
        "SELECT count(*), sum((others > 0) <> (own > 0)) FROM mine "
        "WHERE others <> 0 AND others + own <> 0");

    *record_r = (struct weir_report_record){.decided = 0};
    weir_bind_number(&q, (int64_t)user);
    weir_bind_number(&q, most);
    if (weir_query_row(&q) == 1) {
        record_r->decided = (unsigned)weir_column_number(&q);
        record_r->opposed = (unsigned)weir_column_number(&q);
    }
    return weir_query_end(&q);
}

/* What became of messages. -------------------------------------------------- */

static const char *const reported_name[] = {"", "spam", "ham"};

const char *weir_reported_name(enum weir_reported is)
{
    return reported_name[is];
}

enum weir_reported weir_reported_of(const char *name)
{
    enum weir_reported is = WEIR_REPORTED_HAM;

    while (is > WEIR_REPORTED_NOTHING && strcmp(name, reported_name[is]) != 0)
        is--;
    return is;
}

int weir_database_reported(struct weir_database *database, uint64_t uid,
                           enum weir_reported *effect_r)
{
    struct weir_query q = weir_query(database, "SELECT effect FROM reported WHERE uid = ?");

    *effect_r = WEIR_REPORTED_NOTHING;
    weir_bind_number(&q, (int64_t)uid);
    if (weir_query_row(&q) == 1)
        *effect_r = weir_reported_of(weir_column_text(&q));
    return weir_query_end(&q);
}

int weir_database_reported_put(struct weir_database *database, uint64_t uid,
                               enum weir_reported effect, weir_time now)
{
    struct weir_query q = weir_query(database, "INSERT INTO reported (uid, effect, changed) "
        "VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET effect = excluded.effect, "
        "changed = excluded.changed");

    weir_bind_number(&q, (int64_t)uid);
    weir_bind_text(&q, reported_name[effect]);
    weir_bind_number(&q, now);
    return weir_query_run(&q);
}

/* What reputation has of it. ------------------------------------------------ */

static const char *const saids[] = {[WEIR_SAID_NOTHING] = "", [WEIR_SAID_SPAM] = "spam",
                                    [WEIR_SAID_GOOD] = "ham", [WEIR_SAID_UNSURE] = "unsure"};

static enum weir_said said_of(const char *text)
{
    unsigned said = WEIR_SAID_UNSURE;

    while (said > WEIR_SAID_NOTHING && strcmp(text, saids[said]) != 0)
        said--;
    return (enum weir_said)said;
}

int weir_database_report_entered(struct weir_database *database, uint64_t uid,
                                 enum weir_said *entered_r)
{
    struct weir_query q = weir_query(database, "SELECT entered FROM reported WHERE uid = ?");

    weir_bind_number(&q, (int64_t)uid);
    *entered_r = weir_query_row(&q) == 1 ? said_of(weir_column_text(&q)) : WEIR_SAID_NOTHING;
    return weir_query_end(&q);
}

int weir_database_report_entered_put(struct weir_database *database, uint64_t uid,
                                     enum weir_said entered)
{
    struct weir_query q = weir_query(database, "UPDATE reported SET entered = ? WHERE uid = ?");

    weir_bind_text(&q, saids[entered]);
    weir_bind_number(&q, (int64_t)uid);
    return weir_query_run(&q);
}

int weir_database_report_voices(struct weir_database *database,
                                const struct weir_report_voice *voice,
                                int (*row)(void *context, const char *address,
                                           enum weir_said entered),
                                void *context)
{
    struct weir_query q = weir_query(database, "SELECT r.address, d.entered FROM reports AS r "
        "JOIN reported AS d ON d.uid = r.uid WHERE r.user = ? AND r.vote = 1 AND r.kind = ? "
        "AND r.weight = 1 AND r.taken_back = 0 AND r.domain = ? AND r.uid <> ?");
    int calls = 0, stop = 0;

    weir_bind_number(&q, (int64_t)voice->user);
    weir_bind_text(&q, kind_of(voice->spam));
    weir_bind_text(&q, voice->domain);
    weir_bind_number(&q, (int64_t)voice->uid);
    while (stop == 0 && weir_query_row(&q) == 1) {
        const char *address = weir_column_text(&q);

        stop = row(context, address, said_of(weir_column_text(&q)));
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}

/* Counts. ------------------------------------------------------------------- */

int weir_database_report_count(struct weir_database *database, int64_t day, const char *what,
                               uint64_t whose)
{
    struct weir_query q = weir_query(database, "INSERT INTO report_counts (day, what, whose, "
        "count) VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1");

    weir_bind_number(&q, day);
    weir_bind_text(&q, what);
    weir_bind_number(&q, (int64_t)whose);
    return weir_query_run(&q);
}

int weir_database_report_counted(struct weir_database *database, int64_t day, const char *what,
                                 uint64_t whose, uint64_t *count_r)
{
    struct weir_query q = weir_query(database, "SELECT count FROM report_counts "
                                     "WHERE day = ? AND what = ? AND whose = ?");

    *count_r = 0;
    weir_bind_number(&q, day);
    weir_bind_text(&q, what);
    weir_bind_number(&q, (int64_t)whose);
    if (weir_query_row(&q) == 1)
        *count_r = (uint64_t)weir_column_number(&q);
    return weir_query_end(&q);
}

int weir_database_report_capped(struct weir_database *database, int64_t day, const char *what,
                                uint64_t whose, uint64_t most)
{
    uint64_t count;
    int rc = weir_database_report_counted(database, day, what, whose, &count);

    if (rc < 0 || count >= most)
        return rc < 0 ? rc : 1;
    return weir_database_report_count(database, day, what, whose);
}

int weir_database_report_totals(struct weir_database *database, const char *prefix,
                                int (*row)(void *context, const char *what, uint64_t count),
                                void *context)
{
    struct weir_query q = weir_query(database, "SELECT substr(what, length(?1) + 1), sum(count) "
        "FROM report_counts WHERE substr(what, 1, length(?1)) = ?1 GROUP BY what ORDER BY what");
    int calls = 0, stop = 0;

    weir_bind_text(&q, prefix);
    while (stop == 0 && weir_query_row(&q) == 1) {
        const char *what = weir_column_text(&q);

        stop = row(context, what, (uint64_t)weir_column_number(&q));
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}

/* Listing. ------------------------------------------------------------------ */

static struct weir_database_report read_report(struct weir_query *q)
{
    struct weir_database_report report = {.number = weir_column_number(q)};

    report.time = weir_column_number(q);
    report.taken_back = weir_column_number(q);
    report.server = (uint32_t)weir_column_number(q);
    report.user = (uint64_t)weir_column_number(q);
    report.uid = (uint64_t)weir_column_number(q);
    report.spam = weir_column_number(q) != 0;
    report.vote = weir_column_number(q) != 0;
    report.weighs = weir_column_number(q) != 0;
    report.name = weir_column_text(q);
    report.told = weir_column_text(q);
    report.way = weir_column_text(q);
    report.state = weir_column_text(q);
    report.came = weir_column_text(q);
    report.verdict = weir_column_text(q);
    report.score = weir_column_real(q);
    report.address = weir_column_text(q);
    report.domain = weir_column_text(q);
    report.info = weir_column_text(q);
    return report;
}

int weir_database_reports(struct weir_database *database, const struct weir_report_choice *choice,
                          int (*row)(void *context, const struct weir_database_report *report),
                          void *context)
{
    struct weir_query q = weir_query(database, "SELECT number, time, taken_back, server, user, "
        "uid, kind = 'spam', vote, weight, name, told, way, state, came, verdict, score, address, "
        "domain, info FROM reports WHERE time >= ?1 AND (?2 = '' OR name = ?2 COLLATE NOCASE) "
        "AND (?3 = '' OR state = ?3 OR came = ?3) AND (?5 = '' OR kind = ?5) "
        "AND (?7 = 0 OR time < ?6 OR (time = ?6 AND number < ?7)) "
        "ORDER BY time DESC, number DESC LIMIT ?4");
    int calls = 0, stop = 0;

    weir_bind_number(&q, choice->since);
    weir_bind_text(&q, choice->name);
    weir_bind_text(&q, choice->state);
    weir_bind_number(&q, choice->most);
    weir_bind_text(&q, choice->kind);
    weir_bind_number(&q, choice->behind);
    weir_bind_number(&q, choice->number);
    while (stop == 0 && weir_query_row(&q) == 1) {
        struct weir_database_report report = read_report(&q);

        stop = row(context, &report);
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}

int weir_database_reports_good(struct weir_database *database, weir_time since,
                               int (*row)(void *context, uint32_t server, unsigned votes),
                               void *context)
{
    struct weir_query q = weir_query(database, "SELECT server, count(*) FROM reports "
        "WHERE time >= ? AND vote = 1 AND kind = 'ham' AND taken_back = 0 AND weight > 0 "
        "GROUP BY server ORDER BY server");
    int calls = 0, stop = 0;

    weir_bind_number(&q, since);
    while (stop == 0 && weir_query_row(&q) == 1) {
        uint32_t server = (uint32_t)weir_column_number(&q);

        stop = row(context, server, (unsigned)weir_column_number(&q));
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}
