/*
 * Sums and counts for people, each over a bounded span or by an index.
 */
#include "monitor/database/database_desk_io.h"

#include <string.h>

#include "core/base/error.h"
#include "monitor/database/database_impl.h"

/* traffic ---------------------------------------------------------------------------------- */

int weir_database_top_networks(struct weir_database *database, int64_t from, int64_t to,
                               unsigned quantity, unsigned most,
                               int (*row)(void *context, const struct weir_address_row *row),
                               void *context)
{
    struct weir_query q = weir_query(database, "SELECT substr(address, 1, CASE WHEN "
        WEIR_IS_IPV4 " THEN 15 ELSE 7 END) AS network, " WEIR_SUMS " FROM minutes "
        "WHERE minute BETWEEN ? AND ? GROUP BY network ORDER BY " WEIR_SUM_OF " DESC, "
        "network LIMIT ?");
    int calls = 0, stop = 0;

    weir_bind_number(&q, from);
    weir_bind_number(&q, to);
    weir_bind_number(&q, quantity);
    weir_bind_number(&q, most);
    while (stop == 0 && weir_query_row(&q) == 1) {
        struct weir_address_row one = {.first_seen = 0};
        struct weir_slice network = weir_column_slice(&q);

        memcpy(one.address.octet, network.at,
               network.len < sizeof one.address.octet ? network.len : sizeof one.address.octet);
        weir_column_sums(&q, one.sum);
        stop = row(context, &one);
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}

int weir_database_minute_sums(struct weir_database *database, int64_t from, int64_t to,
                              int (*row)(void *context, const struct weir_minute_row *row),
                              void *context)
{
    struct weir_query q = weir_query(database, "SELECT minute, " WEIR_SUMS " FROM minutes "
                                     "WHERE minute BETWEEN ? AND ? GROUP BY minute "
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

int weir_database_judged(struct weir_database *database, weir_time since,
                         int (*row)(void *context, weir_time time, const char *verdict,
                                    double score),
                         void *context)
{
    struct weir_query q = weir_query(database, "SELECT time, verdict, score FROM messages "
                                     "INDEXED BY messages_time WHERE time >= ? ORDER BY time");
    int calls = 0, stop = 0;

    weir_bind_number(&q, since);
    while (stop == 0 && weir_query_row(&q) == 1) {
        weir_time time = weir_column_number(&q);
        const char *verdict = weir_column_text(&q);

        stop = row(context, time, verdict, weir_column_real(&q));
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}

int weir_database_domains(struct weir_database *database, const struct weir_prefix *prefix,
                          unsigned most,
                          int (*row)(void *context, const struct weir_desk_domain *domain),
                          void *context)
{
    struct weir_query q = weir_query(database, "SELECT domain, count(*) AS messages, "
        "sum(verdict IN ('spam', 'blocked')), sum(verdict = 'ham') FROM messages "
        "WHERE address BETWEEN ? AND ? AND domain <> '' GROUP BY domain "
        "ORDER BY messages DESC, domain LIMIT ?");
    struct weir_address last;
    int calls = 0, stop = 0;

    weir_bind_span(&q, prefix, &last);
    weir_bind_number(&q, most);
    while (stop == 0 && weir_query_row(&q) == 1) {
        struct weir_desk_domain one = {.domain = weir_column_text(&q)};

        one.messages = (uint64_t)weir_column_number(&q);
        one.spam = (uint64_t)weir_column_number(&q);
        one.ham = (uint64_t)weir_column_number(&q);
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

int weir_database_desk_counts(struct weir_database *database, weir_time since,
                              struct weir_desk_counts *counts_r)
{
    int rc;

    *counts_r = (struct weir_desk_counts){.addresses = 0};
    rc = count_of(weir_query(database, "SELECT count(*) FROM (SELECT 1 FROM addresses "
                             "WHERE last_seen >= ? LIMIT 100000)"),
                  since, &counts_r->addresses);
    rc = rc < 0 ? rc : count_of(weir_query(database, "SELECT count(*) FROM events "
                                           "WHERE cleared = 0 AND acknowledged = 0"), 0,
                                &counts_r->events);
    rc = rc < 0 ? rc : count_of(weir_query(database, "SELECT count(*) FROM rules "
                                           "WHERE state = 'draft'"), 0, &counts_r->drafts);
    rc = rc < 0 ? rc : count_of(weir_query(database, "SELECT count(*) FROM messages WHERE "
                                           "reported_at >= ? AND reported = 'ham' AND verdict IN "
                                           "('spam', 'blocked')"), since, &counts_r->blamed);
    return rc < 0 ? rc : count_of(weir_query(database, "SELECT count(*) FROM reports WHERE "
                                             "time >= ?"), since, &counts_r->reports);
}
