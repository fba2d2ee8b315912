/*
 * The tables of hits: of rules, of all messages, of both by day, and of both by who told them.
 */
#include "monitor/database/database_hits_io.h"

#include "core/base/error.h"
#include "monitor/database/database_impl.h"
#include "monitor/database/database_seen_io.h"

#define ALL (-1) /* in the place of a rule, in the table, or of a server */
#define COUNTED "counted_position"

/* Writing. ------------------------------------------------------------------ */

static int put_rule(struct weir_database *database, const struct weir_hits_rule *rule,
                    weir_time at)
{
    struct weir_query q = weir_query(database, "INSERT OR REPLACE INTO hits (rule, first_hit, "
        "last_hit, hits, spam, ham, false_positives, spam_decayed, ham_decayed, at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

    weir_bind_number(&q, rule->id);
    weir_bind_number(&q, rule->first_hit);
    weir_bind_number(&q, rule->last_hit);
    weir_bind_number(&q, (int64_t)rule->hits);
    weir_bind_number(&q, (int64_t)rule->spam);
    weir_bind_number(&q, (int64_t)rule->ham);
    weir_bind_number(&q, (int64_t)rule->false_positives);
    weir_bind_real(&q, rule->decayed.spam);
    weir_bind_real(&q, rule->decayed.ham);
    weir_bind_number(&q, at);
    return weir_query_run(&q);
}

static int put_all(struct weir_database *database, const struct weir_score_counts *all,
                   weir_time at)
{
    struct weir_query q = weir_query(database, "INSERT OR REPLACE INTO hits_all "
        "(one, spam_decayed, ham_decayed, at) VALUES (1, ?, ?, ?)");

    weir_bind_real(&q, all->spam);
    weir_bind_real(&q, all->ham);
    weir_bind_number(&q, at);
    return weir_query_run(&q);
}

/* How many rules were written. */
static int put_rules(struct weir_database *database, const struct weir_hits *hits, weir_time at)
{
    struct weir_hits_rule rule;
    int written = 0, rc = 0;

    for (size_t i = 0; rc == 0 && weir_hits_get(hits, i, at, &rule); i++)
        if (rule.changed) {
            rc = put_rule(database, &rule, at);
            written++;
        }
    return rc < 0 ? rc : written;
}

/* Adds to what is there; a message that was counted before there was this table leaves nothing
 * behind when it is taken away. */
static int put_day(struct weir_database *database, const struct weir_hit_day *day)
{
    struct weir_query q = weir_query(database, "INSERT INTO hits_days (day, rule, hits, spam, ham, "
        "false_positives) VALUES (?1, ?2, max(0, ?3), max(0, ?4), max(0, ?5), max(0, ?6)) "
        "ON CONFLICT (day, rule) DO UPDATE SET hits = max(0, hits + ?3), "
        "spam = max(0, spam + ?4), ham = max(0, ham + ?5), "
        "false_positives = max(0, false_positives + ?6)");

    weir_bind_number(&q, day->day);
    weir_bind_number(&q, day->rule == WEIR_HIT_DAYS_ALL ? ALL : (int64_t)day->rule);
    weir_bind_number(&q, day->hits);
    weir_bind_number(&q, day->spam);
    weir_bind_number(&q, day->ham);
    weir_bind_number(&q, day->false_positives);
    return weir_query_run(&q);
}

static int put_days(struct weir_database *database, const struct weir_hits *hits)
{
    const struct weir_hit_day *day;
    int rc = 0;

    for (size_t i = 0; rc == 0 && (day = weir_hit_days_get(weir_hits_days(hits), i)) != NULL; i++)
        rc = put_day(database, day);
    return rc;
}

static int put_account(struct weir_database *database, const struct weir_hit_server *told,
                       weir_time at)
{
    struct weir_query q = weir_query(database, "INSERT OR REPLACE INTO hits_servers "
        "(rule, server, spam_decayed, ham_decayed, at) VALUES (?, ?, ?, ?, ?)");

    weir_bind_number(&q, told->rule == WEIR_HIT_SERVERS_ALL ? ALL : (int64_t)told->rule);
    weir_bind_number(&q, told->server == WEIR_HIT_SERVERS_REST ? ALL : (int64_t)told->server);
    weir_bind_real(&q, told->decayed.spam);
    weir_bind_real(&q, told->decayed.ham);
    weir_bind_number(&q, at);
    return weir_query_run(&q);
}

static int put_told(struct weir_database *database, const struct weir_hits *hits, weir_time at)
{
    struct weir_hit_server told;
    int rc = 0;

    for (size_t i = 0; rc == 0 && weir_hits_told(hits, i, at, &told); i++)
        if (told.changed)
            rc = put_account(database, &told, at);
    return rc;
}

int weir_database_hits_put(struct weir_database *database, struct weir_hits *hits, weir_time at,
                           uint64_t position)
{
    weir_time upto = weir_hits_latest(hits) > at ? weir_hits_latest(hits) : at;
    struct weir_score_counts all = weir_hits_all(hits, upto);
    size_t news;
    const uint64_t *number = weir_hits_news(hits, &news);
    int written = 0, rc;
    bool own;

    rc = weir_change_begin(database, &own);
    if (rc < 0)
        return rc;
    written = put_rules(database, hits, upto);
    rc = written < 0 ? written : put_all(database, &all, upto);
    rc = rc < 0 ? rc : put_days(database, hits);
    rc = rc < 0 ? rc : put_told(database, hits, upto);
    rc = rc < 0 ? rc : weir_database_seen_put(database, number, news);
    rc = rc < 0 ? rc : weir_state_put(database, COUNTED, position);
    rc = weir_change_end(database, own, rc);
    if (rc < 0)
        return rc;
    if (own)
        weir_hits_kept(hits);
    return written;
}

/* Reading. ------------------------------------------------------------------ */

int weir_database_hits(struct weir_database *database,
                       int (*row)(void *context, const struct weir_hits_rule *rule, weir_time at),
                       void *context)
{
    struct weir_query q = weir_query(database, "SELECT rule, first_hit, last_hit, hits, spam, ham, "
        "false_positives, spam_decayed, ham_decayed, at FROM hits ORDER BY rule");
    int calls = 0, stop = 0;

    while (stop == 0 && weir_query_row(&q) == 1) {
        struct weir_hits_rule rule = {.id = (uint32_t)weir_column_number(&q)};

        rule.first_hit = weir_column_number(&q);
        rule.last_hit = weir_column_number(&q);
        rule.hits = (uint64_t)weir_column_number(&q);
        rule.spam = (uint64_t)weir_column_number(&q);
        rule.ham = (uint64_t)weir_column_number(&q);
        rule.false_positives = (uint64_t)weir_column_number(&q);
        rule.decayed.spam = weir_column_real(&q);
        rule.decayed.ham = weir_column_real(&q);
        stop = row(context, &rule, weir_column_number(&q));
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}

/* One day after the other: the rules of a day lie together, the days of a rule do not. */
static int read_day(struct weir_database *database, struct weir_hit_day *day)
{
    struct weir_query q = weir_query(database, "SELECT hits, spam, ham, false_positives "
                                     "FROM hits_days WHERE day = ? AND rule = ?");
    int found, rc;

    weir_bind_number(&q, day->day);
    weir_bind_number(&q, day->rule == WEIR_HIT_DAYS_ALL ? ALL : (int64_t)day->rule);
    found = weir_query_row(&q);
    if (found == 1) {
        day->hits = (int32_t)weir_column_number(&q);
        day->spam = (int32_t)weir_column_number(&q);
        day->ham = (int32_t)weir_column_number(&q);
        day->false_positives = (int32_t)weir_column_number(&q);
    }
    rc = weir_query_end(&q);
    return rc < 0 ? rc : found;
}

int weir_database_hit_days(struct weir_database *database, uint32_t rule, int32_t from, int32_t to,
                           int (*row)(void *context, const struct weir_hit_day *day),
                           void *context)
{
    struct weir_hit_day day = {.rule = rule};
    int calls = 0, rc = 0;

    for (day.day = from; rc >= 0 && day.day <= to; day.day++) {
        rc = read_day(database, &day);
        if (rc == 1) {
            rc = row(context, &day);
            calls++;
            if (rc > 0)
                break;
        }
    }
    return rc < 0 ? rc : calls;
}

int weir_database_hits_idle(struct weir_database *database, weir_time now, weir_time idle,
                            weir_time *idle_r)
{
    struct weir_hit_day day = {.rule = WEIR_HIT_DAYS_ALL, .day = weir_hit_day(now)};
    int32_t last = day.day - WEIR_HIT_DAYS;
    weir_time wanted = idle / WEIR_DAY, since = now;
    int rc = 0;

    for (; rc >= 0 && wanted > 0 && day.day > last; day.day--) {
        rc = read_day(database, &day);
        if (rc == 1 && day.hits > 0) {
            wanted--;
            since = (weir_time)day.day * WEIR_DAY;
        }
        day.hits = 0;
    }
    *idle_r = wanted > 0 && idle < WEIR_HIT_DAYS * WEIR_DAY ? INT64_MAX
              : now - since > idle                          ? now - since
                                                            : idle;
    return rc < 0 ? rc : 0;
}

int weir_database_hits_all(struct weir_database *database, struct weir_score_counts *all_r,
                           weir_time *at_r)
{
    struct weir_query q = weir_query(database, "SELECT spam_decayed, ham_decayed, at "
                                     "FROM hits_all");

    *all_r = (struct weir_score_counts){.spam = 0};
    *at_r = 0;
    if (weir_query_row(&q) == 1) {
        all_r->spam = weir_column_real(&q);
        all_r->ham = weir_column_real(&q);
        *at_r = weir_column_number(&q);
    }
    return weir_query_end(&q);
}

int weir_database_hits_told(struct weir_database *database,
                            int (*row)(void *context, const struct weir_hit_server *told,
                                       weir_time at),
                            void *context)
{
    struct weir_query q = weir_query(database, "SELECT rule, server, spam_decayed, ham_decayed, at "
        "FROM hits_servers WHERE spam_decayed > 0 OR ham_decayed > 0 ORDER BY rule, server");
    int calls = 0, stop = 0;

    while (stop == 0 && weir_query_row(&q) == 1) {
        struct weir_hit_server told = {.rule = (uint32_t)weir_column_number(&q)}; /* -1, too */

        told.server = (uint32_t)weir_column_number(&q);
        told.decayed.spam = weir_column_real(&q);
        told.decayed.ham = weir_column_real(&q);
        stop = row(context, &told, weir_column_number(&q));
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}

static int load_row(void *context, const struct weir_hits_rule *rule, weir_time at)
{
    return weir_hits_load(context, rule, at);
}

static int load_told(void *context, const struct weir_hit_server *told, weir_time at)
{
    return weir_hits_load_told(context, told, at);
}

static int load_seen(void *context, const uint64_t *number, size_t count)
{
    return weir_hits_load_seen(context, number, count);
}

int weir_database_hits_load(struct weir_database *database, struct weir_hits *hits,
                            uint64_t *position_r)
{
    struct weir_score_counts all;
    weir_time at;
    int rc = weir_database_hits_all(database, &all, &at);

    if (rc == 0 && at > 0)
        rc = weir_hits_load_all(hits, &all, at);
    rc = rc < 0 ? rc : weir_database_hits(database, load_row, hits);
    rc = rc < 0 ? rc : weir_database_hits_told(database, load_told, hits);
    rc = rc < 0 ? rc : weir_database_seen(database, load_seen, hits);
    return rc < 0 ? rc : weir_state_get(database, COUNTED, position_r);
}
