/*
 * The tables of drafts, and the questions that are asked before one is made.
 */
#include "monitor/database/database_drafts_io.h"

#include "monitor/database/database_impl.h"

/* Reading. ------------------------------------------------------------------ */

int weir_database_drafts_texts(struct weir_database *database, unsigned most,
                               int (*row)(void *context, const struct weir_drafts_text *text),
                               void *context)
{
    struct weir_query q = weir_query(database, "SELECT t.uid, d.effect = 'spam', "
        "EXISTS (SELECT 1 FROM reports AS r WHERE r.uid = t.uid AND r.vote = 1"
        "  AND r.verdict IN ('spam', 'blocked')), "
        "EXISTS (SELECT 1 FROM draft_messages AS m JOIN drafts AS f ON f.number = m.draft"
        "  WHERE m.uid = t.uid AND f.rejected = 1), t.time, t.octets "
        "FROM reported_texts AS t JOIN reported AS d ON d.uid = t.uid "
        "WHERE t.proven = 1 AND d.effect IN ('spam', 'ham') ORDER BY t.number DESC LIMIT ?");
    int calls = 0, stop = 0;

    weir_bind_number(&q, most);
    while (stop == 0 && weir_query_row(&q) == 1) {
        struct weir_drafts_text text = {.uid = (uint64_t)weir_column_number(&q)};

        text.spam = weir_column_number(&q) != 0;
        text.judged = weir_column_number(&q) != 0;
        text.rejected = weir_column_number(&q) != 0;
        text.time = weir_column_number(&q);
        text.octets = weir_column_slice(&q);
        stop = row(context, &text);
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}

int weir_database_drafts_retired(struct weir_database *database, weir_time since, unsigned most,
                                 int (*row)(void *context,
                                            const struct weir_drafts_retired *rule),
                                 void *context)
{
    struct weir_query q = weir_query(database, "SELECT r.id, r.name, r.updated FROM rules AS r "
        "JOIN rule_changes AS c ON c.number = (SELECT max(number) FROM rule_changes "
        "  WHERE rule = r.id AND what = 'state') LEFT JOIN hits AS h ON h.rule = r.id "
        "WHERE r.state = 'retired' AND c.new = 'retired' AND c.who GLOB 'analyzer*' "
        "AND NOT EXISTS (SELECT 1 FROM drafts AS d WHERE d.rule = r.id AND d.rejected = 1) "
        "AND NOT EXISTS (SELECT 1 FROM rule_changes AS b WHERE b.rule = r.id "
        "  AND b.what = 'state' AND b.old = 'retired' AND b.new = 'test' "
        "  AND b.who GLOB 'analyzer*' AND b.time > ?1 AND b.time >= coalesce(h.last_hit, 0)) "
        "ORDER BY c.number DESC LIMIT ?2");
    int calls = 0, stop = 0;

    weir_bind_number(&q, since);
    weir_bind_number(&q, most);
    while (stop == 0 && weir_query_row(&q) == 1) {
        struct weir_drafts_retired rule = {.rule = (uint32_t)weir_column_number(&q)};

        rule.name = weir_column_text(&q);
        rule.updated = weir_column_number(&q);
        stop = row(context, &rule);
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}

int weir_database_drafts_votes(struct weir_database *database, uint64_t uid, const char *kind,
                               int (*row)(void *context, uint64_t user, uint32_t server,
                                          const char *name),
                               void *context)
{
    struct weir_query q = weir_query(database, "SELECT user, server, name FROM reports "
        "WHERE uid = ? AND vote = 1 AND kind = ? AND weight = 1 AND taken_back = 0 "
        "ORDER BY user");
    int calls = 0, stop = 0;

    weir_bind_number(&q, (int64_t)uid);
    weir_bind_text(&q, kind);
    while (stop == 0 && weir_query_row(&q) == 1) {
        uint64_t user = (uint64_t)weir_column_number(&q);
        uint32_t server = (uint32_t)weir_column_number(&q);

        stop = row(context, user, server, weir_column_text(&q));
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}

/* Lessons that are good by more than the word of fewer than ?1 people. */
#define GOOD "learned = 'ham' AND (label = 'ham' OR ?1 <= (SELECT count(*) FROM reports AS r " \
    "WHERE r.uid = lessons.uid AND r.vote = 1 AND r.kind = 'ham' AND r.weight = 1 " \
    "AND r.taken_back = 0))"

int weir_database_drafts_ham_count(struct weir_database *database, unsigned people,
                                   uint64_t *count_r)
{
    struct weir_query q = weir_query(database, "SELECT count(*) FROM lessons WHERE " GOOD
        " AND uid NOT IN (SELECT t.uid FROM reported_texts AS t JOIN reported AS d USING (uid) "
        "WHERE t.proven = 1 AND d.effect = 'ham')");

    *count_r = 0;
    weir_bind_number(&q, people);
    if (weir_query_row(&q) == 1)
        *count_r = (uint64_t)weir_column_number(&q);
    return weir_query_end(&q);
}

int weir_database_drafts_ham(struct weir_database *database, unsigned people,
                             int (*row)(void *context, struct weir_slice tokens), void *context)
{
    struct weir_query q = weir_query(database, "SELECT tokens FROM lessons WHERE " GOOD);
    int calls = 0, stop = 0;

    weir_bind_number(&q, people);
    while (stop == 0 && weir_query_row(&q) == 1) {
        stop = row(context, weir_column_slice(&q));
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}

int weir_database_drafts_since(struct weir_database *database, weir_time since, bool one_server,
                               uint64_t *count_r)
{
    struct weir_query q = weir_query(database, "SELECT count(*) FROM drafts WHERE time > ?1 "
                                     "AND (?2 = 0 OR servers = 1)");

    *count_r = 0;
    weir_bind_number(&q, since);
    weir_bind_number(&q, one_server);
    if (weir_query_row(&q) == 1)
        *count_r = (uint64_t)weir_column_number(&q);
    return weir_query_end(&q);
}

int weir_database_drafts_live(struct weir_database *database,
                              int (*row)(void *context, const struct weir_drafts_row *draft),
                              void *context)
{
    struct weir_query q = weir_query(database, "SELECT d.time, d.rule, d.name, d.link, d.text, "
        "d.servers FROM drafts AS d JOIN rules AS r ON r.id = d.rule WHERE r.author = 'analyzer' "
        "AND (r.state = 'active' OR (r.state = 'test' AND r.approved = 1)) ORDER BY d.number");
    int calls = 0, stop = 0;

    while (stop == 0 && weir_query_row(&q) == 1) {
        struct weir_drafts_row draft = {.time = weir_column_number(&q)};

        draft.rule = (uint32_t)weir_column_number(&q);
        draft.name = weir_column_text(&q);
        draft.link = weir_column_number(&q) != 0;
        draft.text = weir_column_text(&q);
        draft.servers = (size_t)weir_column_number(&q);
        stop = row(context, &draft);
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}

/* Writing. ------------------------------------------------------------------ */

static int add_messages(struct weir_database *database, const struct weir_drafts_row *draft,
                        int64_t number)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < draft->uids; i++) {
        struct weir_query q = weir_query(database, "INSERT OR IGNORE INTO draft_messages "
                                         "(uid, draft) VALUES (?, ?)");

        weir_bind_number(&q, (int64_t)draft->uid[i]);
        weir_bind_number(&q, number);
        rc = weir_query_run(&q);
    }
    return rc;
}

int weir_database_draft_add(struct weir_database *database, const struct weir_drafts_row *draft)
{
    struct weir_query q = weir_query(database, "INSERT INTO drafts (time, rule, name, link, "
                                     "text, servers) VALUES (?, ?, ?, ?, ?, ?)");
    int rc;

    weir_bind_number(&q, draft->time);
    weir_bind_number(&q, draft->rule);
    weir_bind_text(&q, draft->name);
    weir_bind_number(&q, draft->link);
    weir_bind_text(&q, draft->text);
    weir_bind_number(&q, (int64_t)draft->servers);
    rc = weir_query_run(&q);
    return rc < 0 ? rc
                  : add_messages(database, draft, sqlite3_last_insert_rowid(database->sqlite));
}

int weir_database_draft_of(struct weir_database *database, uint64_t uid, uint32_t *rule_r)
{
    struct weir_query q = weir_query(database, "SELECT rule FROM draft_messages JOIN drafts "
        "ON number = draft WHERE draft_messages.uid = ? AND rejected = 0 "
        "ORDER BY number DESC LIMIT 1");
    int found, rc;

    *rule_r = 0;
    weir_bind_number(&q, (int64_t)uid);
    found = weir_query_row(&q);
    if (found == 1)
        *rule_r = (uint32_t)weir_column_number(&q);
    rc = weir_query_end(&q);
    return rc < 0 ? rc : found;
}

int weir_database_draft_reject(struct weir_database *database, uint32_t rule)
{
    struct weir_query q = weir_query(database, "UPDATE drafts SET rejected = 1 WHERE rule = ?");
    int changed;

    weir_bind_number(&q, rule);
    changed = weir_query_change(&q);
    return changed > 0 ? 1 : changed;
}

/* As long as its rule may come to work, or does, good mail is looked at for it. */
#define OVER "time < ? AND NOT EXISTS (SELECT 1 FROM rules WHERE id = drafts.rule " \
    "AND state <> 'retired')"

int weir_database_drafts_expire(struct weir_database *database, weir_time before)
{
    struct weir_query q = weir_query(database, "DELETE FROM draft_messages WHERE draft IN "
                                     "(SELECT number FROM drafts WHERE " OVER ")");
    int rc;

    weir_bind_number(&q, before);
    rc = weir_query_run(&q);
    if (rc < 0)
        return rc;
    q = weir_query(database, "DELETE FROM drafts WHERE " OVER);
    weir_bind_number(&q, before);
    return weir_query_run(&q);
}
