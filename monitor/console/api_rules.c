/*
 * api_rules - the rulebook as it is: all of it, one rule, its history.
 *
 * The book is read for each question: a hundredth of a second for a thousand rules.  A cursor of
 * its list is how many rows came before.
 */
#include <string.h>

#include "core/base/error.h"
#include "monitor/console/api_impl.h"
#include "monitor/database/database_hits_io.h"
#include "monitor/monitor_look_io.h"
#include "monitor/view/view_rules.h"

#define DAYS 30
#define ARENA_FIRST 65536

struct reading {
    struct weir_api_question *question;
    struct weir_arena *arena;
    struct weir_book book;
};

/* reading the book ------------------------------------------------------------------------- */

/* False: refused. */
static bool begin(struct weir_api_question *question, struct reading *reading)
{
    struct weir_book_settings settings;
    struct weir_look look;
    int rc;

    weir_monitor_look(question->monitor, &look);
    settings = (struct weir_book_settings){
        .idle = look.idle, .trial = look.trial, .false_positives = look.false_positives,
        .people = look.people, .spam_score = look.spam_score,
        .server_share = look.server_share};
    *reading = (struct reading){.question = question, .arena = weir_arena_new(ARENA_FIRST)};
    rc = reading->arena ? weir_book_read(&reading->book, &settings, question->database,
                                         reading->arena, question->now)
                        : WEIR_ENOMEM;
    if (rc < 0)
        (void)weir_api_trouble(question, rc);
    return rc >= 0;
}

static void end(struct reading *reading)
{
    weir_book_close(&reading->book);
    weir_arena_free(&reading->arena);
}

/* the list --------------------------------------------------------------------------------- */

struct days {
    int32_t from;
    json_int_t hits[DAYS];
};

static int add_day(void *context, const struct weir_hit_day *day)
{
    struct days *days = context;

    if (day->day >= days->from && day->day < days->from + DAYS)
        days->hits[day->day - days->from] += day->hits;
    return 0;
}

/* Its hits of the last days, today's last. */
static int add_days(struct reading *reading, json_t *row, uint32_t id)
{
    struct days days = {.from = weir_hit_day(reading->question->now) - DAYS + 1};
    json_t *list = json_array();
    int rc = weir_database_hit_days(reading->question->database, id, days.from,
                                    days.from + DAYS - 1, add_day, &days);

    for (size_t i = 0; i < DAYS; i++)
        json_array_append_new(list, json_integer(days.hits[i]));
    json_object_set_new(row, "days", list);
    return rc;
}

static bool holds(const struct weir_book_rule *rule, const char *part)
{
    return !part || strcasestr(rule->is.name, part) || strcasestr(rule->is.text, part);
}

/* Conditions of where= and state=, in the arena; NULL: memory is short. */
static const char *conditions(const struct reading *reading)
{
    const char *where = weir_api_argument(reading->question->request, "where");
    const char *state = weir_api_argument(reading->question->request, "state");

    if (!state || !state[0])
        return where ? where : "";
    return weir_arena_printf(reading->arena, "%s%sstate=%s", where ? where : "",
                             where && where[0] ? "," : "", state);
}

static json_t *rows_of(struct reading *reading, const struct weir_table *table, unsigned most,
                       int64_t after)
{
    const char *part = weir_api_argument(reading->question->request, "q");
    json_t *rows = json_array(), *row;
    int64_t found = 0;
    int rc = 0;

    for (size_t i = 0; i < table->count && rc >= 0; i++) {
        const struct weir_book_rule *rule = &reading->book.rule[table->chosen[i]];

        if (!holds(rule, part) || found++ < after)
            continue;
        if (json_array_size(rows) == most)
            return weir_api_rows(reading->question, rows,
                                 json_sprintf("%lld", (long long)after + most));
        row = weir_table_json(table, table->chosen[i]);
        rc = add_days(reading, row, rule->is.id);
        json_array_append_new(rows, row);
    }
    if (rc >= 0)
        return weir_api_rows(reading->question, rows, NULL);
    json_decref(rows);
    return weir_api_trouble(reading->question, rc);
}

static json_t *list(struct reading *reading, unsigned most, int64_t after)
{
    struct weir_table table = weir_book_table(&reading->book);
    const struct weir_table_choice choice = {
        .sort = weir_api_argument(reading->question->request, "sort"),
        .where = conditions(reading)};
    char why[WEIR_TABLE_WHY] = "memory is short";
    int rc = choice.where ? weir_table_choose(&table, &choice, reading->arena, why) : WEIR_ENOMEM;

    if (rc < 0)
        return weir_api_refuse(reading->question, rc == WEIR_EINVAL ? 400 : 500, why);
    return rows_of(reading, &table, most, after);
}

json_t *weir_api_rules(struct weir_api_question *question)
{
    struct reading reading;
    json_t *json = NULL;
    unsigned most;
    int64_t after;

    if (!weir_api_most(question, &most) || !weir_api_after(question, 0, &after))
        return NULL;
    if (begin(question, &reading))
        json = list(&reading, most, after);
    end(&reading);
    return json;
}

/* one -------------------------------------------------------------------------------------- */

json_t *weir_api_rule(struct weir_api_question *question)
{
    const struct weir_book_rule *rule;
    struct reading reading;
    json_t *json = NULL;
    unsigned most;
    int rc;

    if (!weir_api_most(question, &most))
        return NULL;
    if (begin(question, &reading)) {
        rule = weir_book_find(&reading.book, weir_api_word(question, "name"));
        rc = rule ? weir_view_rule(&reading.book, rule, most, &json) : 0;
        if (!rule)
            (void)weir_api_refuse(question, 404, "there is no such rule in the rulebook");
        rc = json ? add_days(&reading, json, rule->is.id) : rc;
        if (rc < 0) {
            json_decref(json);
            json = weir_api_trouble(question, rc);
        }
    }
    end(&reading);
    return json;
}

struct history {
    unsigned most;
    int64_t last;
    bool more;
    json_t *rows;
};

static int note_id(void *context, const struct weir_kept_rule *rule)
{
    *(uint32_t *)context = rule->id;
    return 0;
}

static int add_change(void *context, const struct weir_rule_changed *change)
{
    struct history *history = context;

    history->more = json_array_size(history->rows) == history->most;
    if (history->more)
        return 1;
    history->last = change->number;
    return json_array_append_new(history->rows, weir_view_rule_change(change)) < 0 ? WEIR_ENOMEM
                                                                                   : 0;
}

json_t *weir_api_rule_history(struct weir_api_question *question)
{
    const char *which = weir_api_word(question, "name");
    struct history history = {.more = false};
    uint32_t id = 0;
    int64_t after;
    int rc;

    if (!weir_api_most(question, &history.most) || !weir_api_after(question, 0, &after))
        return NULL;
    rc = weir_database_rule_called(question->database, which, note_id, &id);
    if (rc == 0)
        return weir_api_refuse(question, 404, "there is no such rule in the rulebook");
    history.rows = json_array();
    rc = rc < 0 ? rc : weir_database_rule_changes(question->database, id, after,
                                                  history.most + 1, add_change, &history);
    if (rc >= 0)
        return weir_api_rows(question, history.rows,
                             history.more ? json_sprintf("%lld", (long long)history.last) : NULL);
    json_decref(history.rows);
    return weir_api_trouble(question, rc);
}
