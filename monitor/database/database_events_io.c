/*
 * The table of events; what is about no address has octets of no length.
 */
#include "monitor/database/database_events_io.h"

#include "core/base/error.h"
#include "monitor/database/database_impl.h"
#include "monitor/database/database_owed_io.h"

#define COLUMNS "raised, cleared, kind, address, bits, server, quantity, class, observed, " \
    "limit_rate, limit_maximum, rate, tokens, children, servers, word, text"
#define READ "SELECT number, " COLUMNS ", acknowledged, acknowledged_by, note, told, told_again, " \
    "silence, (SELECT ends FROM silences AS s WHERE s.number = silence AND s.ended = 0) " \
    "FROM events "

int weir_database_event_add(struct weir_database *database, const struct weir_event *event,
                            int64_t *number_r)
{
    struct weir_query q = weir_query(database, "INSERT INTO events (" COLUMNS ") "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    int rc;

    if (!weir_database_fits(event->kind) || !weir_database_fits(event->quantity) ||
        !weir_database_fits(event->class_name) || !weir_database_fits(event->text))
        return weir_database_fail(database, WEIR_ELIMIT, "too long a text of an event");
    weir_bind_number(&q, event->raised);
    weir_bind_number(&q, event->cleared);
    weir_bind_text(&q, event->kind);
    weir_bind_octets(&q, event->prefix.address.octet, event->has_prefix ? 16 : 0);
    weir_bind_number(&q, event->has_prefix ? event->prefix.bits : 0);
    weir_bind_number(&q, event->server);
    weir_bind_text(&q, event->quantity);
    weir_bind_text(&q, event->class_name);
    weir_bind_number(&q, event->observed);
    weir_bind_real(&q, event->limit_rate);
    weir_bind_real(&q, event->limit_maximum);
    weir_bind_real(&q, event->rate);
    weir_bind_real(&q, event->tokens);
    weir_bind_number(&q, event->children);
    weir_bind_number(&q, (int64_t)event->servers);
    weir_bind_number(&q, (int64_t)event->word);
    weir_bind_text(&q, event->text);
    rc = weir_query_run(&q);
    if (rc == 0)
        *number_r = sqlite3_last_insert_rowid(database->sqlite);
    return rc;
}

/* A change of a row, and what follows from it for what is owed of it, are one transaction: how many
 * rows were changed, or an error. */
static int change(struct weir_query *q, int64_t number,
                  int (*follows)(struct weir_database *database, int64_t number))
{
    struct weir_database *database = q->database;
    bool own;
    int rc = weir_change_begin(database, &own), changed = rc;

    if (rc < 0)
        (void)weir_query_end(q);
    else
        rc = changed = weir_query_change(q);
    if (changed > 0)
        rc = follows(database, number);
    rc = weir_change_end(database, own, rc);
    return rc < 0 ? rc : changed;
}

int weir_database_event_clear(struct weir_database *database, int64_t number, weir_time now)
{
    struct weir_query q = weir_query(database, "UPDATE events SET cleared = ? "
                                     "WHERE number = ? AND cleared = 0");

    weir_bind_number(&q, now);
    weir_bind_number(&q, number);
    return change(&q, number, weir_database_owed_over);
}

int weir_database_event_close(struct weir_database *database, int64_t number, weir_time now,
                              const char *reason)
{
    struct weir_query q = weir_query(database, "UPDATE events SET cleared = ?, "
                                     "text = substr(text || '; closed: ' || ?, 1, ?) "
                                     "WHERE number = ? AND cleared = 0");

    weir_bind_number(&q, now);
    weir_bind_text(&q, reason);
    weir_bind_number(&q, WEIR_DATABASE_TEXT_MAX);
    weir_bind_number(&q, number);
    return change(&q, number, weir_database_owed_over);
}

int weir_database_event_acknowledge(struct weir_database *database, int64_t number, weir_time now,
                                    const char *by, const char *note)
{
    if (!weir_database_fits(by) || !weir_database_fits(note))
        return weir_database_fail(database, WEIR_ELIMIT, "too long a text of an event");
    struct weir_query q = weir_query(database, "UPDATE events SET acknowledged = ?, "
                                     "acknowledged_by = ?, note = ? WHERE number = ?");
    weir_bind_number(&q, now);
    weir_bind_text(&q, by);
    weir_bind_text(&q, note);
    weir_bind_number(&q, number);
    return change(&q, number, weir_database_owed_known);
}

int weir_database_event_unacknowledge(struct weir_database *database, int64_t number, weir_time now)
{
    struct weir_query q = weir_query(database, "UPDATE events SET acknowledged = 0, "
                                     "acknowledged_by = '', note = '', told_again = 0, "
                                     "unheard = CASE unheard WHEN 0 THEN 0 ELSE ?1 END "
                                     "WHERE number = ?2 AND acknowledged > 0");

    weir_bind_number(&q, now);
    weir_bind_number(&q, number);
    return change(&q, number, weir_database_owed_unknown);
}

int weir_database_event_alerted(struct weir_database *database, int64_t number, weir_time now,
                                int64_t silence)
{
    struct weir_query q = weir_query(database, "UPDATE events SET silence = ?1, "
                                     "unheard = CASE unheard WHEN 0 THEN ?2 ELSE unheard END "
                                     "WHERE number = ?3");

    weir_bind_number(&q, silence);
    weir_bind_number(&q, now);
    weir_bind_number(&q, number);
    return weir_query_run(&q);
}

int weir_database_event_silenced(struct weir_database *database, int64_t number, int64_t silence)
{
    struct weir_query q = weir_query(database, "UPDATE events SET silence = ? WHERE number = ?");

    weir_bind_number(&q, silence);
    weir_bind_number(&q, number);
    return weir_query_run(&q);
}

int weir_database_event_unsilenced(struct weir_database *database, int64_t number, weir_time now,
                                   uint32_t servers)
{
    struct weir_query q = weir_query(database, "UPDATE events SET silence = 0, unheard = ?, "
                                     "servers = servers | ? WHERE number = ?");

    weir_bind_number(&q, now);
    weir_bind_number(&q, servers);
    weir_bind_number(&q, number);
    return weir_query_run(&q);
}

int weir_database_event_told(struct weir_database *database, int64_t number, weir_time now,
                             unsigned again)
{
    struct weir_query q = weir_query(database, "UPDATE events SET told = ?1, unheard = ?1, "
                                     "told_again = max(told_again, ?2) "
                                     "WHERE number = ?3 AND (told = 0 OR told_again < ?2)");

    weir_bind_number(&q, now);
    weir_bind_number(&q, again);
    weir_bind_number(&q, number);
    return weir_query_run(&q);
}

int weir_database_event_put_off(struct weir_database *database, int64_t number, weir_time now,
                                int64_t silence)
{
    struct weir_query q = weir_query(database, "UPDATE events SET unheard = ?, silence = ? "
                                     "WHERE number = ?");

    weir_bind_number(&q, now);
    weir_bind_number(&q, silence);
    weir_bind_number(&q, number);
    return weir_query_run(&q);
}

int weir_database_event_observed(struct weir_database *database, int64_t number, bool observed)
{
    struct weir_query q = weir_query(database, "UPDATE events SET observed = ? WHERE number = ?");

    weir_bind_number(&q, observed);
    weir_bind_number(&q, number);
    return weir_query_run(&q);
}

static struct weir_event column_event(struct weir_query *q)
{
    struct weir_event event = {.number = weir_column_number(q)};
    struct weir_address address;

    event.raised = weir_column_number(q);
    event.cleared = weir_column_number(q);
    event.kind = weir_column_text(q);
    event.has_prefix = weir_column_octets(q, &address, sizeof address);
    event.prefix = weir_address_mask(&address, (unsigned)weir_column_number(q));
    event.server = (uint32_t)weir_column_number(q);
    event.quantity = weir_column_text(q);
    event.class_name = weir_column_text(q);
    event.observed = weir_column_number(q) != 0;
    event.limit_rate = weir_column_real(q);
    event.limit_maximum = weir_column_real(q);
    event.rate = weir_column_real(q);
    event.tokens = weir_column_real(q);
    event.children = (uint32_t)weir_column_number(q);
    event.servers = (uint64_t)weir_column_number(q);
    event.word = (uint64_t)weir_column_number(q);
    event.text = weir_column_text(q);
    event.acknowledged = weir_column_number(q);
    event.acknowledged_by = weir_column_text(q);
    event.note = weir_column_text(q);
    event.told = weir_column_number(q);
    event.told_again = (unsigned)weir_column_number(q);
    event.silence = weir_column_number(q);
    event.silenced = weir_column_number(q);
    return event;
}

/* Texts of their own, so that SQLite can use the indices of those that stand: when ten thousand
 * addresses raise events at once, each is looked for. */
#define WHERE " AND raised >= ?1 AND number < ?2 " \
    "AND (?3 IS NULL OR (address = ?3 AND bits = ?4)) " \
    "ORDER BY number DESC LIMIT ?5"

static const char *text_for(const struct weir_event_filter *filter)
{
    if (filter->open && filter->prefix)
        return READ "INDEXED BY events_standing "
               "WHERE cleared = 0 AND raised >= ?1 AND number < ?2 AND address = ?3 AND bits = ?4 "
               "ORDER BY number DESC LIMIT ?5";
    if (filter->prefix)
        return READ "INDEXED BY events_about "
               "WHERE raised >= ?1 AND number < ?2 AND address = ?3 AND bits = ?4 "
               "ORDER BY number DESC LIMIT ?5";
    return filter->open ? READ "WHERE cleared = 0" WHERE
                        : READ "WHERE 1" WHERE;
}

int weir_database_events(struct weir_database *database, const struct weir_event_filter *filter,
                         int (*row)(void *context, const struct weir_event *event),
                         void *context)
{
    struct weir_query q = weir_query(database, text_for(filter));
    int calls = 0, stop = 0;

    weir_bind_number(&q, filter->since);
    weir_bind_number(&q, filter->before > 0 ? filter->before : INT64_MAX);
    if (filter->prefix) {
        weir_bind_prefix(&q, filter->prefix);
    } else {
        weir_bind_null(&q);
        weir_bind_null(&q);
    }
    weir_bind_number(&q, filter->most > 0 ? (int64_t)filter->most : -1);
    while (stop == 0 && weir_query_row(&q) == 1) {
        struct weir_event event = column_event(&q);

        stop = row(context, &event);
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}

int weir_database_events_unheard(struct weir_database *database, weir_time since, unsigned again,
                                 unsigned most,
                                 int (*row)(void *context, const struct weir_event *event),
                                 void *context)
{
    struct weir_query q = weir_query(database, READ "INDEXED BY events_unheard "
                                     "WHERE unheard > 0 AND cleared = 0 AND acknowledged = 0 "
                                     "AND unheard <= ? AND observed = 0 AND told_again < ? "
                                     "ORDER BY unheard, number LIMIT ?");
    int calls = 0, stop = 0;

    weir_bind_number(&q, since);
    weir_bind_number(&q, again);
    weir_bind_number(&q, most);
    while (stop == 0 && weir_query_row(&q) == 1) {
        struct weir_event event = column_event(&q);

        stop = row(context, &event);
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}
