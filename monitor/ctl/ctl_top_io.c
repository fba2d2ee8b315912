/*
 * ctl_top - weirctl top: who does most, and what is done about it.
 *
 * Sums of the database's minutes, in one table; with --watch drawn anew every two seconds until
 * somebody presses Ctrl-C, which then is no accident but the way to end it.
 */
#include "monitor/ctl/ctl.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/grown.h"
#include "monitor/ctl/ctl_monitor_io.h"
#include "monitor/ctl/ctl_output.h"
#include "monitor/database/database_decisions_io.h"
#include "monitor/database/database_events_io.h"
#include "monitor/view/view_traffic.h"

#define SINCE (10 * WEIR_MINUTE)
#define MOST 20
#define MOST_MOST 100000
#define EVERY 2       /* seconds */
#define HEAD_LINES 4  /* of a screen that are not rows */

/* What stands about prefixes: a few, so each row looks through them. */
enum standing { OVER = 1, REFUSED = 2, DEFERRED = 4, SCORED = 8, ACCEPTED = 16 };

struct note {
    struct weir_prefix prefix;
    unsigned standing;
};

struct table {
    struct weir_ctl *ctl;
    struct weir_database *database;
    unsigned by, most;
    weir_time since;
    struct note *note;
    size_t notes, room;
    unsigned shown;
    json_t *rows;      /* of --json */
};

/* Notes. --------------------------------------------------------------------------- */

static int add_note(struct table *table, const struct weir_prefix *prefix, unsigned standing)
{
    struct note *more = weir_grown(table->note, table->notes, &table->room, sizeof *more);

    if (!more)
        return WEIR_ENOMEM;
    table->note = more;
    table->note[table->notes++] = (struct note){*prefix, standing};
    return 0;
}

static int note_event(void *context, const struct weir_event *event)
{
    return event->has_prefix ? add_note(context, &event->prefix, OVER) : 0;
}

static int note_decision(void *context, const struct weir_database_decision *decision)
{
    unsigned standing = strcmp(decision->list, "accept") == 0  ? ACCEPTED
                        : strcmp(decision->list, "score") == 0 ? SCORED
                        : decision->defer                      ? DEFERRED
                                                               : REFUSED;

    return add_note(context, &decision->prefix, standing);
}

static int read_notes(struct table *table)
{
    const struct weir_event_filter open = {.open = true};
    int rc = weir_database_events(table->database, &open, note_event, table);

    if (rc >= 0)
        rc = weir_database_decisions_active(table->database, weir_ctl_now(), note_decision, table);
    return weir_ctl_monitor_read(table->ctl, table->database, rc);
}

static unsigned standing_of(const struct table *table, const struct weir_address *address)
{
    unsigned standing = 0;

    for (size_t i = 0; i < table->notes; i++)
        if (weir_prefix_contains(&table->note[i].prefix, address))
            standing |= table->note[i].standing;
    return standing;
}

static const struct {
    enum standing standing;
    const char *name;
} standings[] = {{OVER, "over its limit"}, {REFUSED, "refused"}, {DEFERRED, "deferred"},
                 {SCORED, "has points"},   {ACCEPTED, "accepted"}};

#define STANDINGS (sizeof standings / sizeof standings[0])

/* Rows. ---------------------------------------------------------------------------- */

static json_t *row_json(const struct weir_address_row *row, const char *address, unsigned standing)
{
    json_t *json = weir_view_address(row, address), *list = json_array();

    for (size_t i = 0; i < STANDINGS; i++)
        if (standing & standings[i].standing)
            json_array_append_new(list, json_string(standings[i].name));
    json_object_set_new(json, "standing", list);
    return json;
}

static void print_row(const struct weir_address_row *row, const char *address, unsigned standing)
{
    const char *between = "  ";

    printf("%-39s", address);
    for (unsigned q = 0; q < WEIR_TRAFFIC_QUANTITIES; q++)
        printf(" %11llu", (unsigned long long)row->sum[q]);
    for (size_t i = 0; i < STANDINGS; i++)
        if (standing & standings[i].standing) {
            printf("%s%s", between, standings[i].name);
            between = ", ";
        }
    putchar('\n');
}

static int show(void *context, const struct weir_address_row *row)
{
    struct table *table = context;
    unsigned standing = standing_of(table, &row->address);
    char address[WEIR_ADDRESS_TEXT];

    if (row->sum[table->by] == 0)
        return 1; /* and so have all that follow */
    weir_address_format(&row->address, address);
    if (table->rows)
        json_array_append_new(table->rows, row_json(row, address, standing));
    else
        print_row(row, address, standing);
    table->shown++;
    return 0;
}

static void print_head(void)
{
    printf("%-39s", "ADDRESS");
    for (unsigned q = 0; q < WEIR_TRAFFIC_QUANTITIES; q++)
        printf(" %11s", weir_traffic_quantity_name(q));
    puts("  STANDING");
}

/* The table as it is now, of at most so many rows. */
static int draw(struct table *table, unsigned most)
{
    int64_t to = weir_ctl_now() / WEIR_MINUTE;
    int64_t from = (weir_ctl_now() - table->since) / WEIR_MINUTE;
    int code;

    table->notes = table->shown = 0;
    code = read_notes(table);
    if (code == 0 && !table->rows)
        print_head();
    if (code == 0)
        code = weir_ctl_monitor_read(
            table->ctl, table->database,
            weir_database_top(table->database, from, to, table->by, most, show, table));
    return code;
}

/* Live. ---------------------------------------------------------------------------- */

static unsigned rows_of_screen(unsigned most)
{
    struct winsize size = {0};
    unsigned rows;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row <= HEAD_LINES)
        return most;
    rows = size.ws_row - HEAD_LINES;
    return rows < most ? rows : most;
}

static int watch(struct table *table)
{
    const struct timespec every = {.tv_sec = EVERY};
    char time[WEIR_TIME_TEXT];
    sigset_t ends;
    int code = 0;

    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    do {
        printf("\033[H\033[J%s, the last %lld minutes by %s; Ctrl-C ends it\n\n",
               weir_time_format(weir_ctl_now(), time), (long long)(table->since / WEIR_MINUTE),
               weir_traffic_quantity_name(table->by));
        code = draw(table, rows_of_screen(table->most));
        fflush(stdout);
    } while (code == 0 && !ferror(stdout) && sigtimedwait(&ends, NULL, &every) < 0);
    return code;
}

/* The verb. ------------------------------------------------------------------------ */

static int read_table(struct weir_ctl *ctl, struct table *table_r)
{
    static const char *const by[] = {"connections", "syns",       "messages",
                                     "accepted",    "recipients", NULL};
    bool live = ctl->option[WEIR_CTL_WATCH] != NULL;
    int code = weir_ctl_option_word(ctl, WEIR_CTL_BY, by, &table_r->by);

    if (code == 0)
        code = weir_ctl_option_period(ctl, WEIR_CTL_SINCE, &table_r->since);
    if (code == 0)
        code = weir_ctl_option_count(ctl, WEIR_CTL_MOST, MOST_MOST, &table_r->most);
    if (code == 0 && live && (ctl->option[WEIR_CTL_JSON] || !isatty(STDOUT_FILENO)))
        code = weir_ctl_error(ctl, EX_USAGE, "--watch draws on a terminal, and only text");
    return code;
}

int weir_ctl_top(struct weir_ctl *ctl)
{
    struct table table = {.ctl = ctl, .most = MOST, .since = SINCE};
    int code = read_table(ctl, &table);

    if (code == 0)
        code = weir_ctl_monitor_database(ctl, &table.database);
    if (code == 0 && ctl->option[WEIR_CTL_JSON])
        table.rows = json_array();
    if (code == 0)
        code = ctl->option[WEIR_CTL_WATCH] ? watch(&table) : draw(&table, table.most);
    if (code == 0 && table.rows)
        code = weir_ctl_json(ctl, json_incref(table.rows));
    json_decref(table.rows);
    weir_database_free(&table.database);
    free(table.note);
    return code;
}
