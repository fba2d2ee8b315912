/*
 * The tables of recent messages.  Hits of a message lie side by side, and the index lists the
 * messages of a rule.
 */
#include "monitor/database/database_messages_io.h"

#include "core/base/error.h"
#include "core/engine/verdict.h"
#include "monitor/analyzer/life.h"
#include "monitor/database/database_impl.h"
#include "monitor/database/database_sums_io.h"

#define FORGOTTEN "messages_forgotten"

/* Writing. ------------------------------------------------------------------ */

static int put_hits(struct weir_database *database, const struct weir_info *info, int64_t number)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < info->rules; i++) {
        struct weir_query q = weir_query(database, "INSERT OR IGNORE INTO message_hits "
                                         "(message, rule, points) VALUES (?, ?, ?)");

        weir_bind_number(&q, number);
        weir_bind_number(&q, info->rule[i].id);
        weir_bind_real(&q, (double)info->rule[i].points);
        rc = weir_query_run(&q);
    }
    return rc;
}

static void bind_known(struct weir_query *q, bool known, double number)
{
    if (known)
        weir_bind_real(q, number);
    else
        weir_bind_null(q);
}

static void bind_beside(struct weir_query *q, const struct weir_record_beside *beside)
{
    weir_bind_text(q, beside->queue_id);
    weir_bind_text(q, beside->action);
    weir_bind_text(q, beside->ground);
    weir_bind_text(q, beside->basis);
    bind_known(q, beside->confidence >= 0, beside->confidence);
    bind_known(q, beside->has_limits, beside->unsure);
    bind_known(q, beside->has_limits, beside->spam);
    bind_known(q, beside->has_limits, beside->reject);
}

/* Of a message that is there, where its server has not told it yet. */
static int put_beside(struct weir_database *database, const struct weir_record *record)
{
    struct weir_query q;

    if (!record->beside.ground[0])
        return 0;
    q = weir_query(database, "UPDATE messages SET queue_id = ?, action = ?, ground = ?, basis = ?, "
                   "confidence = ?, unsure_at = ?, spam_at = ?, reject_at = ? "
                   "WHERE uid = ? AND ground = ''");
    bind_beside(&q, &record->beside);
    weir_bind_number(&q, (int64_t)record->info.uid);
    return weir_query_run(&q);
}

/* What goes with the message that was put last. */
static int put_new(struct weir_database *database, const struct weir_info *info, weir_time now)
{
    int rc = put_hits(database, info, sqlite3_last_insert_rowid(database->sqlite));

    return rc < 0 ? rc
                  : weir_database_sums_add(database, info->at < now ? info->at : now,
                                           weir_verdict_name((enum weir_verdict)info->verdict),
                                           (double)info->score);
}

/* A server's clock may be ahead: nothing is later than now. */
static int put(struct weir_database *database, const struct weir_record *record, weir_time now)
{
    static const struct weir_address none;
    const struct weir_info *info = &record->info;
    const struct weir_address *address = info->has_boundary ? &info->boundary : &none;
    struct weir_query q = weir_query(database, "INSERT OR IGNORE INTO messages (uid, time, server, "
        "address, domain, verdict, score, serial, lacking, probability, queue_id, action, ground, "
        "basis, confidence, unsure_at, spam_at, reject_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    int rc, done;

    weir_bind_number(&q, (int64_t)info->uid);
    weir_bind_number(&q, info->at < now ? info->at : now);
    weir_bind_number(&q, (int64_t)info->server);
    weir_bind_octets(&q, address->octet, info->has_boundary ? sizeof address->octet : 0);
    weir_bind_text(&q, info->domain);
    weir_bind_text(&q, weir_verdict_name((enum weir_verdict)info->verdict));
    weir_bind_real(&q, (double)info->score);
    weir_bind_number(&q, info->serial);
    weir_bind_number(&q, info->lacking);
    weir_bind_real(&q, (double)info->probability);
    bind_beside(&q, &record->beside);
    rc = weir_query_change(&q);
    if (rc < 0)
        return rc;
    done = rc > 0 ? put_new(database, info, now) : put_beside(database, record);
    return done < 0 ? done : rc;
}

static int report(struct weir_database *database, const struct weir_info *info, const char *said,
                  weir_time time)
{
    const struct weir_record record = {*info, weir_record_beside_nothing(), false};
    int rc = put(database, &record, time);
    struct weir_query q;

    if (rc < 0)
        return rc;
    q = weir_query(database, "UPDATE messages SET reported = ?1, "
                   "reported_at = ?2 WHERE uid = ?3");
    weir_bind_text(&q, said);
    weir_bind_number(&q, time);
    weir_bind_number(&q, (int64_t)info->uid);
    return weir_query_run(&q);
}

int weir_database_message_report(struct weir_database *database, const struct weir_info *info,
                                 const char *said, weir_time time)
{
    bool own;
    int rc = weir_change_begin(database, &own);

    return rc < 0 ? rc : weir_change_end(database, own, report(database, info, said, time));
}

/* Messages and before them their hits, each between the same two numbers. */
static int forget(struct weir_database *database, const char *hits, const char *messages,
                  int64_t from, int64_t to)
{
    struct weir_query of_hits = weir_query(database, hits);
    struct weir_query of_messages = weir_query(database, messages);
    int rc;

    weir_bind_number(&of_hits, from);
    weir_bind_number(&of_hits, to);
    rc = weir_query_run(&of_hits);
    weir_bind_number(&of_messages, from);
    weir_bind_number(&of_messages, to);
    return rc < 0 ? rc : weir_query_change(&of_messages);
}

/* What nobody said anything of, of numbers behind one up to and with another. */
static int forget_plain(struct weir_database *database, int64_t first, int64_t last)
{
    return forget(database, "DELETE FROM message_hits WHERE message > ?1 AND message <= ?2 "
                  "AND message NOT IN (SELECT number FROM messages WHERE number > ?1 "
                  "AND number <= ?2 AND reported_at > 0)",
                  "DELETE FROM messages WHERE number > ? AND number <= ? AND reported_at = 0",
                  first, last);
}

/* What people said of messages up to and with a number before a time. */
static int forget_reported(struct weir_database *database, weir_time before, int64_t last)
{
    return forget(database, "DELETE FROM message_hits WHERE message IN (SELECT number "
                  "FROM messages WHERE reported_at > 0 AND reported_at < ? AND number <= ?)",
                  "DELETE FROM messages WHERE reported_at > 0 AND reported_at < ? AND number <= ?",
                  before, last);
}

/* Where the last time ended is noted: what was left below it is not looked at each time. */
static int forget_up_to(struct weir_database *database, int64_t last, weir_time now)
{
    uint64_t first = 0;
    int rc = weir_state_get(database, FORGOTTEN, &first), plain = 0, reported;

    if (last - (int64_t)first > WEIR_MESSAGES_AT_ONCE)
        last = (int64_t)first + WEIR_MESSAGES_AT_ONCE;
    if (rc == 0 && (int64_t)first < last) {
        plain = forget_plain(database, (int64_t)first, last);
        rc = plain < 0 ? plain : weir_state_put(database, FORGOTTEN, (uint64_t)last);
    }
    if (rc < 0)
        return rc;
    reported = forget_reported(database, now - WEIR_LIFE_REPORTS, last);
    return reported < 0 ? reported : plain + reported;
}

int weir_database_messages_forget(struct weir_database *database, uint32_t most, weir_time now)
{
    struct weir_query q = weir_query(database, "SELECT max(number) FROM messages");
    int64_t newest = 0;
    bool own;
    int rc;

    if (weir_query_row(&q) == 1)
        newest = weir_column_number(&q);
    rc = weir_query_end(&q);
    if (rc < 0 || newest <= (int64_t)most)
        return rc;
    rc = weir_change_begin(database, &own);
    return rc < 0 ? rc
                  : weir_change_end(database, own, forget_up_to(database, newest - most, now));
}

static int put_all(struct weir_database *database, const struct weir_record *record, size_t count,
                   uint32_t most, weir_time now)
{
    int news = 0, rc = 0;

    for (size_t i = 0; rc >= 0 && i < count; i++) {
        rc = record[i].again ? put_beside(database, &record[i]) : put(database, &record[i], now);
        news += rc > 0;
    }
    rc = rc < 0 ? rc : weir_database_messages_forget(database, most, now);
    return rc < 0 ? rc : news;
}

int weir_database_messages_put(struct weir_database *database, const struct weir_record *record,
                               size_t count, uint32_t most, weir_time now)
{
    bool own;
    int rc = weir_change_begin(database, &own);

    return rc < 0 ? rc : weir_change_end(database, own, put_all(database, record, count, most,
                                                             now));
}

/* Reading. ------------------------------------------------------------------ */

/* A message that is read row by row, a hit each. */
struct gathering {
    struct weir_guard_message message;
    struct weir_guard_hit hit[WEIR_INFO_RULES_MAX + 1];
    int64_t number;            /* 0: none yet */
    int calls, stop;
    int (*row)(void *context, const struct weir_guard_message *message);
    void *context;
};

static void hand_over(struct gathering *gathering)
{
    gathering->message.hit = gathering->hit;
    if (gathering->number == 0 || gathering->stop != 0)
        return;
    gathering->calls++;
    gathering->stop = gathering->row(gathering->context, &gathering->message);
}

static void gather(struct gathering *gathering, struct weir_query *q)
{
    int64_t number = weir_column_number(q);
    struct weir_guard_message *message = &gathering->message;

    if (number != gathering->number) {
        hand_over(gathering);
        gathering->number = number;
        *message = (struct weir_guard_message){.uid = (uint64_t)weir_column_number(q)};
        message->score = weir_column_real(q);
        message->unsure = weir_column_number(q) != 0;
    } else {
        q->column += 3;
    }
    if (message->hits > WEIR_INFO_RULES_MAX)
        return;
    gathering->hit[message->hits].rule = (uint32_t)weir_column_number(q);
    gathering->hit[message->hits++].points = weir_column_real(q);
}

#define GOOD(from, where) "SELECT number, uid, score, reported = '' AND verdict = 'unsure', " \
    "rule, points FROM " from " CROSS JOIN message_hits ON message = number WHERE " where \
    " ORDER BY number"

/* All of one of the texts. */
static int gather_all(struct gathering *gathering, struct weir_query q, int64_t last)
{
    weir_bind_number(&q, last);
    while (gathering->stop == 0 && weir_query_row(&q) == 1)
        gather(gathering, &q);
    return weir_query_told(&q, gathering->stop, gathering->calls);
}

int weir_database_messages_good(struct weir_database *database,
                                int (*row)(void *context, const struct weir_guard_message *message),
                                void *context)
{
    struct weir_query newest = weir_query(database, "SELECT coalesce(max(number), 0) "
                                          "FROM messages");
    struct gathering gathering = {.row = row, .context = context};
    int64_t last = 0;
    int rc;

    if (weir_query_row(&newest) == 1)
        last = weir_column_number(&newest) - WEIR_MESSAGES_TRIED;
    rc = weir_query_end(&newest);
    rc = rc < 0 ? rc : gather_all(&gathering, weir_query(database, GOOD(
        "messages INDEXED BY messages_reported", "reported_at > 0 AND number <= ? AND "
        "(reported = 'ham' OR (reported = '' AND verdict IN ('ham', 'unsure')))")), last);
    rc = rc < 0 ? rc : gather_all(&gathering, weir_query(database, GOOD(
        "messages NOT INDEXED", "number > ? AND (reported = 'ham' OR "
        "(reported = '' AND verdict IN ('ham', 'unsure')))")), last);
    if (rc < 0)
        return rc;
    hand_over(&gathering);
    return gathering.stop < 0 ? gathering.stop : gathering.calls;
}

/* Messages, what they hit, and reports that they are good, as far as that is to blame a rule. */
#define WITH_STOOD "WITH stood (id, at) AS (SELECT rule, max(time) FROM rule_changes " \
    "WHERE who NOT GLOB 'analyzer*' AND what IN ('text', 'state', 'base', 'approved') " \
    "GROUP BY rule) "
#define FROM_BLAMED "FROM messages INDEXED BY messages_reported " \
    "CROSS JOIN message_hits ON message = messages.number " \
    "LEFT JOIN stood ON stood.id = message_hits.rule " \
    "LEFT JOIN rule_sets ON rule_sets.serial = messages.serial " \
    "LEFT JOIN reports ON reports.uid = messages.uid AND vote = 1 AND kind = 'ham' AND " \
    "taken_back = 0 AND weight > 0 " \
    "WHERE reported_at > 0 AND reported_at >= ? " \
    "AND reported = 'ham' AND messages.verdict IN ('spam', 'blocked') AND points > 0 " \
    "AND messages.time >= coalesce(stood.at, 0) " \
    "AND coalesce(rule_sets.made, messages.time) >= coalesce(stood.at, 0) "

int weir_database_messages_blamed(struct weir_database *database, weir_time since,
                                  int (*row)(void *context, uint32_t rule, unsigned messages,
                                             unsigned people),
                                  void *context)
{
    struct weir_query q = weir_query(database, WITH_STOOD "SELECT message_hits.rule, "
        "count(DISTINCT messages.number), count(DISTINCT reports.user) " FROM_BLAMED
        "GROUP BY message_hits.rule ORDER BY message_hits.rule");
    int calls = 0, stop = 0;

    weir_bind_number(&q, since);
    while (stop == 0 && weir_query_row(&q) == 1) {
        uint32_t rule = (uint32_t)weir_column_number(&q);

        unsigned messages = (unsigned)weir_column_number(&q);

        stop = row(context, rule, messages, (unsigned)weir_column_number(&q));
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}

int weir_database_messages_blamed_by(struct weir_database *database, weir_time since,
                                     int (*row)(void *context, uint32_t rule, uint32_t server,
                                                unsigned messages),
                                     void *context)
{
    struct weir_query q = weir_query(database, WITH_STOOD "SELECT message_hits.rule, "
        "coalesce(reports.server, 0), count(DISTINCT messages.number) " FROM_BLAMED
        "GROUP BY 1, 2 ORDER BY 1, 2");
    int calls = 0, stop = 0;

    weir_bind_number(&q, since);
    while (stop == 0 && weir_query_row(&q) == 1) {
        uint32_t rule = (uint32_t)weir_column_number(&q);
        uint32_t server = (uint32_t)weir_column_number(&q);

        stop = row(context, rule, server, (unsigned)weir_column_number(&q));
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}
