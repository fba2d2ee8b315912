/*
 * Sums and counts for people, each over a bounded span or by an index.
 */
#include "monitor/database/database_desk_io.h"

#include <string.h>

#include "core/base/error.h"
#include "monitor/database/database_impl.h"

/* traffic ---------------------------------------------------------------------------------- */

int weir_database_minute_sums(struct weir_database *database, int64_t from, int64_t to,
                              int (*row)(void *context, const struct weir_minute_row *row),
                              void *context)
{
    struct weir_query q = weir_query(database, "SELECT minute, connections, syns, messages, "
        "accepted, recipients, estimated FROM minute_sums WHERE minute BETWEEN ? AND ? "
        "ORDER BY minute");
    int calls = 0, stop = 0;

    weir_bind_number(&q, from);
    weir_bind_number(&q, to);
    while (stop == 0 && weir_query_row(&q) == 1) {
        struct weir_minute_row one = {.minute = weir_column_number(&q)};

        weir_column_sums(&q, one.sum);
        stop = row(context, &one);
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}

/* what stands ------------------------------------------------------------------------------- */

/* The narrowest prefix of an address first; /8 of either is the widest that there can be. */
static unsigned widest(const struct weir_prefix *prefix)
{
    struct weir_prefix ipv4 = weir_address_prefix(&prefix->address, 8, 8);

    return ipv4.bits < prefix->bits ? ipv4.bits : prefix->bits;
}

int weir_database_events_over(struct weir_database *database, const struct weir_prefix *prefix,
                              int (*row)(void *context, const struct weir_event *event),
                              void *context)
{
    int told = 0, calls = 0;

    for (unsigned bits = prefix->bits; told >= 0 && bits >= widest(prefix) && bits > 0; bits--) {
        const struct weir_prefix one = weir_address_mask(&prefix->address, bits);
        const struct weir_event_filter filter = {.open = true, .prefix = &one, .most = 1};

        told = weir_database_events(database, &filter, row, context);
        calls += told > 0 ? told : 0;
    }
    return told < 0 ? told : calls;
}

int weir_database_decisions_ever_over(struct weir_database *database,
                                      const struct weir_prefix *prefix, weir_time now,
                                      unsigned most, weir_database_decision_row *row,
                                      void *context)
{
    int told = 0, calls = 0;

    for (unsigned bits = prefix->bits; told >= 0 && bits >= widest(prefix) && bits > 0; bits--) {
        const struct weir_prefix one = weir_address_mask(&prefix->address, bits);

        told = weir_database_decisions_ever(database, &one, now, most, row, context);
        calls += told > 0 ? told : 0;
    }
    return told < 0 ? told : calls;
}

int weir_database_decisions_over(struct weir_database *database, const struct weir_prefix *prefix,
                                 weir_time now, weir_database_decision_row *row, void *context)
{
    int told = 0, calls = 0;

    for (unsigned bits = prefix->bits; told >= 0 && bits >= widest(prefix) && bits > 0; bits--) {
        const struct weir_prefix one = weir_address_mask(&prefix->address, bits);

        told = weir_database_decisions_about(database, &one, "", now, row, context);
        calls += told > 0 ? told : 0;
    }
    return told < 0 ? told : calls;
}

/* messages ---------------------------------------------------------------------------------- */

int weir_database_domains(struct weir_database *database, const struct weir_prefix *prefix,
                          unsigned most,
                          int (*row)(void *context, const struct weir_desk_domain *domain),
                          void *context, bool *partly_r)
{
    struct weir_query q = weir_query(database, "SELECT domain, count(*) AS messages, "
        "sum(verdict IN ('spam', 'blocked')), sum(verdict = 'ham'), (sum(count(*)) OVER ()) >= ?4 "
        "FROM (SELECT domain, verdict FROM messages INDEXED BY messages_address "
        "WHERE address BETWEEN ?1 AND ?2 AND domain <> '' LIMIT ?4) GROUP BY domain "
        "ORDER BY messages DESC, domain LIMIT ?3");
    struct weir_address last;
    int calls = 0, stop = 0;

    *partly_r = false;
    weir_bind_span(&q, prefix, &last);
    weir_bind_number(&q, most);
    weir_bind_number(&q, WEIR_DESK_LOOKED);
    while (stop == 0 && weir_query_row(&q) == 1) {
        struct weir_desk_domain one = {.domain = weir_column_text(&q)};

        one.messages = (uint64_t)weir_column_number(&q);
        one.spam = (uint64_t)weir_column_number(&q);
        one.ham = (uint64_t)weir_column_number(&q);
        *partly_r = weir_column_number(&q) != 0;
        stop = row(context, &one);
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}

int weir_database_rules_most_hit(struct weir_database *database, unsigned most,
                                 int (*row)(void *context, const struct weir_desk_rule *rule),
                                 void *context)
{
    struct weir_query q = weir_query(database, "SELECT coalesce(name, rule), hits, "
        "false_positives FROM (SELECT rule, hits, false_positives FROM hits "
        "ORDER BY hits DESC, rule LIMIT ?) LEFT JOIN rules ON rules.id = rule "
        "ORDER BY hits DESC, rule");
    int calls = 0, stop = 0;

    weir_bind_number(&q, most);
    while (stop == 0 && weir_query_row(&q) == 1) {
        struct weir_desk_rule one = {.name = weir_column_text(&q)};

        one.hits = (uint64_t)weir_column_number(&q);
        one.false_positives = (uint64_t)weir_column_number(&q);
        stop = row(context, &one);
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}

static int count_of(struct weir_query q, weir_time since, uint64_t *count_r)
{
    if (since > 0)
        weir_bind_number(&q, since);
    if (weir_query_row(&q) == 1)
        *count_r = (uint64_t)weir_column_number(&q);
    return weir_query_end(&q);
}

int weir_database_sessions(struct weir_database *database, uint64_t *count_r)
{
    return count_of(weir_query(database, "SELECT count(*) FROM sessions"), 0, count_r);
}

/* Those that ask for attention: nobody acknowledged them, and no silence stands about them now, a
 * day after since. */
#define WAITING "SELECT count(*) FROM events WHERE cleared = 0 AND acknowledged = 0 " \
    "AND NOT EXISTS (SELECT 1 FROM silences AS s WHERE s.number = events.silence AND s.ended = 0 " \
    "AND s.ends - 86400000000 > ?)"

int weir_database_desk_counts(struct weir_database *database, weir_time since,
                              struct weir_desk_counts *counts_r)
{
    int rc;

    *counts_r = (struct weir_desk_counts){.addresses = 0};
    rc = count_of(weir_query(database, "SELECT count(*) FROM (SELECT 1 FROM addresses "
                             "WHERE last_seen >= ? LIMIT 100000)"),
                  since, &counts_r->addresses);
    rc = rc < 0 ? rc : count_of(weir_query(database, WAITING), since, &counts_r->events);
    rc = rc < 0 ? rc : count_of(weir_query(database, "SELECT count(*) FROM rules "
                                           "WHERE state = 'draft'"), 0, &counts_r->drafts);
    rc = rc < 0 ? rc : count_of(weir_query(database, "SELECT count(*) FROM messages "
                                           "INDEXED BY messages_reported WHERE reported_at > 0 AND "
                                           "reported_at >= ? AND reported = 'ham' AND verdict IN "
                                           "('spam', 'blocked')"), since, &counts_r->blamed);
    return rc < 0 ? rc : count_of(weir_query(database, "SELECT count(*) FROM reports WHERE "
                                             "time >= ?"), since, &counts_r->reports);
}
