/*
 * Messages looked for: one text for each thing that has an index, so that SQLite uses it; the other
 * conditions are looked at row by row.
 */
#include "monitor/database/database_found_io.h"

#include <string.h>

#include "core/base/error.h"
#include "monitor/database/database_impl.h"

#define COLUMNS "number, uid, time, server, serial, address, domain, verdict, reported, score, " \
    "queue_id, action, ground, basis, ifnull(lacking, -1), ifnull(probability, -1), " \
    "ifnull(confidence, -1), unsure_at IS NOT NULL, unsure_at, spam_at, reject_at"
#define OTHERS " number < ?1 AND (?2 = 0 OR time >= ?2) AND (?3 = 0 OR time < ?3) AND " \
    "(?4 = '' OR instr(?4, ',' || server || ',') > 0) AND (?5 = '' OR verdict = ?5) AND " \
    "(?6 = '' OR reported = ?6) AND (?12 = '' OR queue_id = ?12) AND " \
    "(?7 = '' OR domain = ?7) AND (?8 IS NULL OR address BETWEEN ?8 AND ?9) "
#define ORDER "ORDER BY number DESC LIMIT ?11"

static void read_message(struct weir_query *q, struct weir_found_message *message_r)
{
    struct weir_slice address;

    *message_r = (struct weir_found_message){.number = weir_column_number(q)};
    message_r->uid = (uint64_t)weir_column_number(q);
    message_r->time = weir_column_number(q);
    message_r->server = (uint32_t)weir_column_number(q);
    message_r->serial = (uint32_t)weir_column_number(q);
    address = weir_column_slice(q);
    message_r->has_address = address.len == sizeof message_r->address.octet;
    if (message_r->has_address)
        memcpy(message_r->address.octet, address.at, address.len);
    message_r->domain = weir_column_text(q);
    message_r->verdict = weir_column_text(q);
    message_r->reported = weir_column_text(q);
    message_r->score = weir_column_real(q);
    message_r->queue_id = weir_column_text(q);
    message_r->action = weir_column_text(q);
    message_r->ground = weir_column_text(q);
    message_r->basis = weir_column_text(q);
    message_r->lacking = (int)weir_column_number(q);
    message_r->probability = weir_column_real(q);
    message_r->confidence = weir_column_real(q);
    message_r->has_limits = weir_column_number(q) != 0;
    message_r->unsure = weir_column_real(q);
    message_r->spam = weir_column_real(q);
    message_r->reject = weir_column_real(q);
}

/* What has an index and is asked for. */
static const char *text_for(const struct weir_found_choice *choice)
{
    if (choice->queue_id && choice->queue_id[0])
        return "SELECT " COLUMNS " FROM messages INDEXED BY messages_queue "
               "WHERE queue_id = ?12 AND queue_id <> '' AND (?10 = 0 OR number IN "
               "(SELECT message FROM message_hits WHERE rule = ?10)) AND" OTHERS ORDER;
    if (choice->rule > 0)
        return "SELECT " COLUMNS " FROM message_hits CROSS JOIN messages ON number = message "
               "WHERE rule = ?10 AND" OTHERS "ORDER BY message DESC LIMIT ?11";
    if (choice->prefix)
        return "SELECT " COLUMNS " FROM messages INDEXED BY messages_address "
               "WHERE address BETWEEN ?8 AND ?9 AND ?10 = 0 AND" OTHERS ORDER;
    if (choice->domain && choice->domain[0])
        return "SELECT " COLUMNS " FROM messages INDEXED BY messages_domain "
               "WHERE domain = ?7 AND ?10 = 0 AND" OTHERS ORDER;
    if (choice->from > 0)
        return "SELECT " COLUMNS " FROM messages INDEXED BY messages_time "
               "WHERE time >= ?2 AND ?10 = 0 AND" OTHERS ORDER;
    return "SELECT " COLUMNS " FROM messages NOT INDEXED WHERE ?10 = 0 AND" OTHERS ORDER;
}

int weir_database_found(struct weir_database *database, const struct weir_found_choice *choice,
                        int (*row)(void *context, const struct weir_found_message *message),
                        void *context)
{
    struct weir_query q = weir_query(database, text_for(choice));
    struct weir_address last;
    int calls = 0, stop = 0;

    weir_bind_number(&q, choice->before > 0 ? choice->before : INT64_MAX);
    weir_bind_number(&q, choice->from);
    weir_bind_number(&q, choice->to);
    weir_bind_text(&q, choice->servers);
    weir_bind_text(&q, choice->verdict);
    weir_bind_text(&q, choice->reported);
    weir_bind_text(&q, choice->domain);
    if (choice->prefix) {
        weir_bind_span(&q, choice->prefix, &last);
    } else {
        weir_bind_null(&q);
        weir_bind_null(&q);
    }
    weir_bind_number(&q, choice->rule);
    weir_bind_number(&q, choice->most);
    weir_bind_text(&q, choice->queue_id);
    while (stop == 0 && weir_query_row(&q) == 1) {
        struct weir_found_message message;

        read_message(&q, &message);
        stop = row(context, &message);
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}

int weir_database_found_one(struct weir_database *database, uint64_t uid,
                            int (*row)(void *context, const struct weir_found_message *message),
                            void *context)
{
    struct weir_query q = weir_query(database, "SELECT " COLUMNS " FROM messages WHERE uid = ?");
    int calls = 0, stop = 0;

    weir_bind_number(&q, (int64_t)uid);
    if (weir_query_row(&q) == 1) {
        struct weir_found_message message;

        read_message(&q, &message);
        stop = row(context, &message);
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}

int weir_database_found_hits(struct weir_database *database, int64_t number,
                             int (*row)(void *context, uint32_t rule, double points),
                             void *context)
{
    struct weir_query q = weir_query(database, "SELECT rule, points FROM message_hits "
                                     "WHERE message = ? ORDER BY abs(points) DESC, rule");
    int calls = 0, stop = 0;

    weir_bind_number(&q, number);
    while (stop == 0 && weir_query_row(&q) == 1) {
        uint32_t rule = (uint32_t)weir_column_number(&q);

        stop = row(context, rule, weir_column_real(&q));
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}
