/*
 * Recent messages by rule, for people: an index lists the messages of a rule, newest last.
 */
#include "monitor/database/database_messages_io.h"

#include <string.h>

#include "monitor/database/database_impl.h"

static void read_message(struct weir_query *q, struct weir_kept_message *message_r)
{
    struct weir_slice address;

    message_r->uid = (uint64_t)weir_column_number(q);
    message_r->time = weir_column_number(q);
    address = weir_column_slice(q);
    message_r->has_address = address.len == sizeof message_r->address.octet;
    if (message_r->has_address)
        memcpy(message_r->address.octet, address.at, address.len);
    message_r->domain = weir_column_text(q);
    message_r->verdict = weir_column_text(q);
    message_r->score = weir_column_real(q);
    message_r->reported = weir_column_text(q);
    message_r->points = weir_column_real(q);
    message_r->queue_id = weir_column_text(q);
}

int weir_database_messages_of(struct weir_database *database, uint32_t rule, unsigned most,
                              int (*row)(void *context, const struct weir_kept_message *message),
                              void *context)
{
    struct weir_query q = weir_query(database, "SELECT uid, time, address, domain, verdict, score, "
        "reported, points, queue_id FROM message_hits JOIN messages ON number = message "
        "WHERE rule = ? ORDER BY message DESC LIMIT ?");
    int calls = 0, stop = 0;

    weir_bind_number(&q, rule);
    weir_bind_number(&q, most);
    while (stop == 0 && weir_query_row(&q) == 1) {
        struct weir_kept_message message = {.uid = 0};

        read_message(&q, &message);
        stop = row(context, &message);
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}

#define SAID "CASE WHEN reported <> '' THEN reported WHEN verdict IN ('spam', 'blocked') THEN " \
    "'spam' WHEN verdict = 'ham' THEN verdict ELSE '' END"

int weir_database_messages_count(struct weir_database *database, uint32_t rule,
                                 struct weir_kept_counts *counts_r)
{
    struct weir_query q = weir_query(database, "SELECT said = 'spam', said = 'ham', count(*), "
        "sum(hit) FROM (SELECT " SAID " AS said, number IN (SELECT message FROM message_hits "
        "WHERE rule = ?) AS hit FROM messages) GROUP BY said");

    *counts_r = (struct weir_kept_counts){.spam = 0};
    weir_bind_number(&q, rule);
    while (weir_query_row(&q) == 1) {
        bool spam = weir_column_number(&q) != 0, ham = weir_column_number(&q) != 0;
        uint64_t messages = (uint64_t)weir_column_number(&q);
        uint64_t hit = (uint64_t)weir_column_number(&q);

        *(spam ? &counts_r->spam : ham ? &counts_r->ham : &counts_r->neither) += messages;
        *(spam ? &counts_r->hit_spam : ham ? &counts_r->hit_ham : &counts_r->hit_neither) += hit;
    }
    return weir_query_end(&q);
}
