/*
 * api_traffic - who does most, and what all do minute by minute.
 */
#include <string.h>

#include "core/base/error.h"
#include "monitor/console/api_impl.h"
#include "monitor/database/database_desk_io.h"
#include "monitor/view/view_events.h"
#include "monitor/view/view_traffic.h"

#define DAY_MINUTES 1440

struct table {
    struct weir_api_question *question;
    bool networks;
    unsigned by;
    json_t *rows;
};

static int note_event(void *context, const struct weir_event *event)
{
    json_t *row = context;

    if (!json_object_get(row, "event"))
        json_object_set_new(row, "event", weir_view_event(event, ""));
    return 0;
}

static int note_decision(void *context, const struct weir_database_decision *decision)
{
    json_t *row = context;

    if (!json_object_get(row, "decision"))
        json_object_set_new(row, "decision", weir_view_decision(decision));
    return 0;
}

/* What is asked of other tables, once the rows are there: statements are kept, and one cannot run
 * within itself. */
static int complete(struct table *table, json_t *row, const struct weir_prefix *prefix)
{
    struct weir_database *database = table->question->database;
    struct weir_address_row known = {.first_seen = 0};
    int done = 0;

    if (!table->networks)
        done = weir_database_address(database, &prefix->address, &known);
    done = done < 0 ? done : weir_database_events_over(database, prefix, note_event, row);
    done = done < 0 ? done : weir_database_decisions_over(database, prefix, table->question->now,
                                                          note_decision, row);
    json_object_set_new(row, "first_seen", weir_view_time(known.first_seen));
    json_object_set_new(row, "last_seen", weir_view_time(known.last_seen));
    for (size_t i = 0; i < 2; i++) {
        const char *name = i == 0 ? "event" : "decision";

        if (!json_object_get(row, name))
            json_object_set_new(row, name, json_null());
    }
    return done;
}

static int add_row(void *context, const struct weir_address_row *row)
{
    struct table *table = context;
    struct weir_prefix prefix = table->networks ? weir_address_prefix(&row->address, 24, 56)
                                                : weir_address_mask(&row->address, 128);
    char name[WEIR_PREFIX_TEXT];

    if (row->sum[table->by] == 0)
        return 1; /* and so have all that follow */
    weir_prefix_format(&prefix, name);
    return json_array_append_new(table->rows, weir_view_address(row, name)) < 0 ? WEIR_ENOMEM : 0;
}

static bool read_by(const struct weir_api_question *question, unsigned *by_r)
{
    const char *by = weir_api_argument(question->request, "by");

    for (unsigned q = 0; q < WEIR_TRAFFIC_QUANTITIES - 1; q++)
        if (strcmp(by ? by : "connections", weir_traffic_quantity_name(q)) == 0) {
            *by_r = q;
            return true;
        }
    return false;
}

static int complete_all(struct table *table)
{
    struct weir_prefix prefix;
    const char *why;
    json_t *row;
    int done = 0;
    size_t i;

    json_array_foreach(table->rows, i, row) {
        const char *name = json_string_value(json_object_get(row, "address"));

        if (done >= 0 && weir_prefix_parse(name, strlen(name), &prefix, &why) == 0)
            done = complete(table, row, &prefix);
    }
    return done;
}

json_t *weir_api_traffic(struct weir_api_question *question)
{
    struct table table = {.question = question};
    const char *level = weir_api_argument(question->request, "level");
    int64_t minutes, to = question->now / WEIR_MINUTE;
    unsigned most;
    int done;

    if (!weir_api_most(question, &most))
        return NULL;
    if (!weir_api_number(question->request, "minutes", 1, 30 * DAY_MINUTES, 10, &minutes))
        return weir_api_refuse(question, 400, "minutes is no number from 1 to 43200");
    if (!read_by(question, &table.by))
        return weir_api_refuse(question, 400, "by is not one of connections, syns, messages, "
                               "accepted, recipients");
    table.networks = level && strcmp(level, "network") == 0;
    if (level && !table.networks && strcmp(level, "address") != 0)
        return weir_api_refuse(question, 400, "level is neither address nor network");
    table.rows = json_array();
    done = (table.networks ? weir_database_top_networks : weir_database_top)(
        question->database, to - minutes + 1, to, table.by, most, add_row, &table);
    if (done >= 0)
        done = complete_all(&table);
    if (done >= 0)
        return weir_api_rows(question, table.rows, NULL);
    json_decref(table.rows);
    return weir_api_trouble(question, done);
}

/* minutes ------------------------------------------------------------------------------------ */

static int add_minute(void *context, const struct weir_minute_row *row)
{
    return json_array_append_new(context, weir_view_minute(row)) < 0 ? WEIR_ENOMEM : 0;
}

json_t *weir_api_minutes(struct weir_api_question *question)
{
    int64_t minutes, to = question->now / WEIR_MINUTE;
    json_t *rows;
    int done;

    if (!weir_api_number(question->request, "minutes", 1, DAY_MINUTES, 180, &minutes))
        return weir_api_refuse(question, 400, "minutes is no number from 1 to 1440");
    rows = json_array();
    done = weir_database_minute_sums(question->database, to - minutes + 1, to, add_minute, rows);
    if (done >= 0)
        return weir_api_rows(question, rows, NULL);
    json_decref(rows);
    return weir_api_trouble(question, done);
}
