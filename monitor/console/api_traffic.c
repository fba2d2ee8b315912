/*
 * api_traffic - who does most, and what all do minute by minute.
 *
 * The last hour is in the monitor's memory.  Of longer spans so many rows of the table are summed
 * up as can be in a tenth of a second, the newest; where that is not even the hour, the hour is
 * told.  The answer says how far it looked.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/console/api_impl.h"
#include "monitor/database/database_desk_io.h"
#include "monitor/monitor_look_io.h"
#include "monitor/view/view_events.h"
#include "monitor/view/view_traffic.h"

#define DAY_MINUTES 1440
#define LOOKED 100000 /* rows of minutes */

struct table {
    struct weir_api_question *question;
    struct weir_recent_question ask;
    bool partly;                 /* not all that it was asked for */
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

    if (!table->ask.networks)
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

static int add_row(struct table *table, const struct weir_recent_top *top)
{
    struct weir_prefix prefix = table->ask.networks ? weir_address_prefix(&top->address, 24, 56)
                                                    : weir_address_mask(&top->address, 128);
    struct weir_address_row row = {.address = top->address};
    char name[WEIR_PREFIX_TEXT];

    memcpy(row.sum, top->sum, sizeof row.sum);
    weir_prefix_format(&prefix, name);
    return json_array_append_new(table->rows, weir_view_address(&row, name)) < 0 ? WEIR_ENOMEM : 0;
}

static int add_up(void *context, const struct weir_minute_row *row)
{
    struct weir_minute_row one = *row;

    one.minute = 0; /* all of them together */
    weir_recent_add(context, &one, 1);
    return 0;
}

/* The span's rows in the table from a minute on, summed up. */
static int sum_up(struct table *table, int64_t from, struct weir_recent_top *top_r)
{
    const struct weir_hash_key key = weir_hash_key_random();
    struct weir_recent_question ask = table->ask;
    struct weir_recent *sums = NULL;
    int done = weir_recent_new(LOOKED, &key, &sums);

    if (done >= 0) {
        weir_recent_begin(sums, 0);
        done = weir_database_minutes(table->question->database, from, ask.to, add_up, sums);
    }
    ask.from = ask.to = 0;
    done = done < 0 ? done : weir_recent_top(sums, &ask, top_r);
    weir_recent_free(&sums);
    return done;
}

/* What the monitor does not remember all of. */
static int look_at_table(struct table *table, struct weir_recent_top *top_r)
{
    struct weir_monitor *monitor = table->question->monitor;
    int64_t remembered = weir_monitor_top_begins(monitor), from = table->ask.from;
    int done = weir_database_minutes_begin(table->question->database, from, table->ask.to, LOOKED,
                                           &from);

    if (done < 0)
        return done;
    table->partly = from > table->ask.from;
    table->ask.from = table->partly && remembered < from ? remembered : from;
    return table->ask.from < from ? weir_monitor_top(monitor, &table->ask, top_r)
                                  : sum_up(table, from, top_r);
}

static int look(struct table *table)
{
    struct weir_recent_top *top = calloc(table->ask.most, sizeof *top);
    int found = top ? weir_monitor_top(table->question->monitor, &table->ask, top) : WEIR_ENOMEM;

    if (found == WEIR_ELIMIT)
        found = look_at_table(table, top);
    for (int i = 0, done = 0; i < found; i++)
        if ((done = add_row(table, &top[i])) < 0)
            found = done;
    free(top);
    return found;
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
    int64_t minutes;
    json_t *json;
    int done;

    if (!weir_api_most(question, &table.ask.most))
        return NULL;
    if (table.ask.most > WEIR_RECENT_TOP_MAX) /* of a file, which says that there are more */
        question->page = table.ask.most = WEIR_RECENT_TOP_MAX;
    if (!weir_api_number(question->request, "minutes", 1, 30 * DAY_MINUTES, 10, &minutes))
        return weir_api_refuse(question, 400, "minutes is no number from 1 to 43200");
    if (!read_by(question, &table.ask.quantity))
        return weir_api_refuse(question, 400, "by is not one of connections, syns, messages, "
                               "accepted, recipients");
    table.ask.networks = level && strcmp(level, "network") == 0;
    if (level && !table.ask.networks && strcmp(level, "address") != 0)
        return weir_api_refuse(question, 400, "level is neither address nor network");
    table.ask.to = question->now / WEIR_MINUTE;
    table.ask.from = table.ask.to - minutes + 1;
    table.rows = json_array();
    done = look(&table);
    done = done < 0 ? done : complete_all(&table);
    if (done < 0) {
        json_decref(table.rows);
        return weir_api_trouble(question, done);
    }
    json = weir_api_rows(question, table.rows, NULL);
    if (table.partly)
        json_object_set_new(json, "looked_to", weir_view_time(table.ask.from * WEIR_MINUTE));
    return json;
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
