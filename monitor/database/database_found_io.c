/*
 * Messages looked for: one text for each condition that has an index, so that SQLite uses it; the
 * other conditions are looked at row by row, and rows that do not fit count as looked at.
 *
 * Lists are by time and number, as the indices are; those by a rule's hits by number alone.
 */
#include "monitor/database/database_found_io.h"

#include <string.h>

#include "core/base/error.h"
#include "monitor/database/database_impl.h"

#define COLUMNS "number, uid, time, server, serial, address, domain, verdict, reported, score, " \
    "queue_id, action, ground, basis, ifnull(lacking, -1), ifnull(probability, -1), " \
    "ifnull(confidence, -1), unsure_at IS NOT NULL, unsure_at, spam_at, reject_at"
#define FITS "time BETWEEN ?2 AND ?3 AND (?4 = '' OR instr(?4, ',' || server || ',') > 0) AND " \
    "(?5 = '' OR verdict = ?5) AND (?11 = '' OR queue_id = ?11) AND " \
    "(?6 = '' OR reported = ?6) AND (?7 = '' OR domain = ?7) AND " \
    "(?8 IS NULL OR address BETWEEN ?8 AND ?9) AND (?10 = 0 OR EXISTS " \
    "(SELECT 1 FROM message_hits WHERE message = number AND rule = ?10))"
#define SPAN "time >= ?2 AND time <= ?3 AND (time < ?3 OR number < ?1)"
#define FIND(from, where, order) "SELECT " COLUMNS ", " FITS " FROM " from " WHERE " where \
    " ORDER BY " order
#define COUNT(from, where) "SELECT count(*) FROM (SELECT 1 FROM " from " WHERE " where \
    " LIMIT 5001)"
#define NEWEST "time DESC, number DESC"
#define QUEUE "messages INDEXED BY messages_queue", "queue_id = ?11 AND queue_id <> '' AND " SPAN
#define ADDRESS "messages INDEXED BY messages_address", "address = ?8 AND " SPAN
#define NETWORK "messages INDEXED BY messages_address", "address BETWEEN ?8 AND ?9 AND " SPAN
#define DOMAIN "messages INDEXED BY messages_domain", "domain = ?7 AND " SPAN
#define REPORTED "messages INDEXED BY messages_said", "reported_at > 0 AND reported = ?6 AND " \
    SPAN
#define VERDICT "messages INDEXED BY messages_verdict", "verdict = ?5 AND " SPAN
#define TIME "messages INDEXED BY messages_time", SPAN
/* The order counts: hits are few, messages are looked up. */
#define RULE "message_hits CROSS JOIN messages ON number = message", "rule = ?10 AND message < ?1"
#define APPLY(macro, ...) macro(__VA_ARGS__)

/* Ways to find messages, the narrower first; counting looks at an index and nothing else, and
 * names every value of the texts so that all can be bound. */
#define ALL_VALUES " AND (?1 IS NULL OR ?2 IS NULL OR ?3 IS NULL OR ?4 IS NULL OR ?5 IS NULL OR " \
    "?6 IS NULL OR ?7 IS NULL OR ?10 IS NULL OR ?9 IS NULL OR ?8 IS NULL OR " \
    "?11 IS NULL OR 1)"
_Static_assert(WEIR_FOUND_LOOKED == 5000, "counting stops one behind it");
enum way { BY_QUEUE, BY_ADDRESS, BY_NETWORK, BY_DOMAIN, BY_REPORTED, BY_RULE, BY_VERDICT,
           BY_TIME, WAYS };

static const struct {
    const char *find, *count;
    bool sorts; /* all that it finds, before the first is told */
} ways[WAYS] = {
    [BY_QUEUE] = {APPLY(FIND, QUEUE, NEWEST), APPLY(COUNT, QUEUE ALL_VALUES), true},
    [BY_ADDRESS] = {APPLY(FIND, ADDRESS, NEWEST), APPLY(COUNT, ADDRESS ALL_VALUES), false},
    [BY_NETWORK] = {APPLY(FIND, NETWORK, NEWEST), APPLY(COUNT, NETWORK ALL_VALUES), true},
    [BY_DOMAIN] = {APPLY(FIND, DOMAIN, NEWEST), APPLY(COUNT, DOMAIN ALL_VALUES), false},
    [BY_REPORTED] = {APPLY(FIND, REPORTED, NEWEST), APPLY(COUNT, REPORTED ALL_VALUES), false},
    [BY_RULE] = {APPLY(FIND, RULE, "message DESC"),
                 COUNT("message_hits", "rule = ?10 AND message < ?1" ALL_VALUES), false},
    [BY_VERDICT] = {APPLY(FIND, VERDICT, NEWEST), APPLY(COUNT, VERDICT ALL_VALUES), false},
    [BY_TIME] = {APPLY(FIND, TIME, NEWEST), APPLY(COUNT, TIME ALL_VALUES), false},
};

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

static bool says(const char *text)
{
    return text && text[0];
}

static bool can(const struct weir_found_choice *choice, enum way way)
{
    const bool is[WAYS] = {
        [BY_QUEUE] = says(choice->queue_id),
        [BY_ADDRESS] = choice->prefix && choice->prefix->bits == 128,
        [BY_NETWORK] = choice->prefix && choice->prefix->bits < 128,
        [BY_DOMAIN] = says(choice->domain), [BY_REPORTED] = says(choice->reported),
        [BY_RULE] = choice->rule > 0, [BY_VERDICT] = says(choice->verdict), [BY_TIME] = true};
    bool begins = choice->after.number == 0;

    return is[way] && (begins || choice->after.by_number == (way == BY_RULE));
}

static struct weir_query bound(struct weir_database *database, const char *text,
                               const struct weir_found_choice *choice, struct weir_address *last)
{
    const struct weir_found_place *after = &choice->after;
    weir_time upto = choice->to > 0 ? choice->to - 1 : INT64_MAX;
    struct weir_query q = weir_query(database, text);
    bool within = after->number > 0 && !after->by_number && after->time <= upto;

    weir_bind_number(&q, within || after->by_number ? after->number : INT64_MAX);
    weir_bind_number(&q, choice->from);
    weir_bind_number(&q, within ? after->time : upto);
    weir_bind_text(&q, choice->servers);
    weir_bind_text(&q, choice->verdict);
    weir_bind_text(&q, choice->reported);
    weir_bind_text(&q, choice->domain);
    if (choice->prefix) {
        weir_bind_span(&q, choice->prefix, last);
    } else {
        weir_bind_null(&q);
        weir_bind_null(&q);
    }
    weir_bind_number(&q, choice->rule);
    weir_bind_text(&q, choice->queue_id);
    return q;
}

static int count(struct weir_database *database, const struct weir_found_choice *choice,
                 enum way way, int64_t *count_r)
{
    struct weir_address last;
    struct weir_query q = bound(database, ways[way].count, choice, &last);

    *count_r = weir_query_row(&q) == 1 ? weir_column_number(&q) : 0;
    return weir_query_end(&q);
}

/* The first way to no more than may be looked at; else the first that tells the newest at once. */
static int choose(struct weir_database *database, const struct weir_found_choice *choice,
                  enum way *way_r)
{
    int rc = 0;

    *way_r = WAYS;
    for (enum way way = 0; rc == 0 && way < WAYS; way++) {
        int64_t found;

        if (!can(choice, way) || (way == BY_TIME && *way_r != WAYS && choice->from == 0))
            continue;
        rc = count(database, choice, way, &found);
        if (rc == 0 && found <= WEIR_FOUND_LOOKED) {
            *way_r = way;
            return 0;
        }
        if (*way_r == WAYS && !ways[way].sorts)
            *way_r = way;
    }
    return rc == 0 && *way_r == WAYS
               ? weir_database_fail(database, WEIR_EINVAL, "no such place in a list") : rc;
}

int weir_database_found(struct weir_database *database, const struct weir_found_choice *choice,
                        int (*row)(void *context, const struct weir_found_message *message),
                        void *context, struct weir_found_end *end_r)
{
    enum way way = BY_TIME;
    int rc = choose(database, choice, &way), stop = 0;
    struct weir_address last;
    struct weir_query q;
    unsigned calls = 0;

    *end_r = (struct weir_found_end){.place = choice->after};
    if (rc < 0)
        return rc;
    q = bound(database, ways[way].find, choice, &last);
    for (unsigned looked = 0; stop == 0 && weir_query_row(&q) == 1; looked++) {
        struct weir_found_message message;
        bool fits;

        read_message(&q, &message);
        fits = weir_column_number(&q) != 0;
        end_r->partly = looked == WEIR_FOUND_LOOKED;
        end_r->more = end_r->partly || (fits && calls == choice->most);
        if (end_r->more)
            break;
        end_r->place = (struct weir_found_place){way == BY_RULE, message.time, message.number};
        if (!fits)
            continue;
        stop = row(context, &message);
        calls++;
    }
    return weir_query_told(&q, stop, (int)calls);
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
