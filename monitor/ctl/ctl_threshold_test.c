/*
 * ctl_threshold_test - weirctl threshold test: whom a limit would have caught, had it been there.
 *
 * The minutes of the database go through watches of the same kind as the monitor's, twice: each
 * minute's traffic spread evenly over its seconds, and all of it at the minute's beginning.  A
 * bucket never holds more than with even traffic, so that who is caught by the first is caught for
 * certain; who is caught by the second only may have been.  Acceptable senders go through watches
 * of their own, since the monitor never charges them: what they would have met is told apart.
 */
#include "monitor/ctl/ctl.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/engine/stores_io.h"
#include "monitor/ctl/ctl_caught.h"
#include "monitor/ctl/ctl_monitor_io.h"
#include "monitor/ctl/ctl_output.h"
#include "monitor/ctl/ctl_threshold.h"
#include "monitor/database/database_traffic_io.h"
#include "monitor/threshold/policy.h"
#include "monitor/threshold/spared.h"

#define SINCE (7 * WEIR_DAY)
#define SHOWN_MOST 50
#define SPARED_ADDRESSES 100000
#define SECONDS 60

struct replay;

struct lane {
    struct replay *replay;
    struct weir_watch *watch;
    bool sure, spared;
};

struct replay {
    struct weir_ctl *ctl;
    struct weir_database *database;
    struct weir_ctl_threshold threshold;
    struct weir_policy policy;
    struct weir_spared *spared;
    struct lane lane[4];              /* even, at once; the same for acceptable ones */
    struct weir_ctl_caught caught;
    struct weir_minute_row *row;      /* of one minute */
    bool *is_spared;
    size_t rows, room;
    int64_t from, to, first;          /* minutes; first: that is there, or 0 */
    uint64_t total;                   /* rows */
    struct weir_ctl_progress progress;
    int error;
};

/* Opening. -------------------------------------------------------------------------------- */

static int add_threshold(void *context, const struct weir_threshold *threshold)
{
    struct replay *replay = context;
    const char *why = "";

    if (strcmp(threshold->name, replay->threshold.name) == 0)
        return 0;
    return weir_policy_add(&replay->policy, threshold, &why) == WEIR_ENOMEM ? WEIR_ENOMEM : 0;
}

/* All thresholds in force, and the one to be tried in the place of its name. */
static int make_policy(struct replay *replay)
{
    struct weir_ctl *ctl = replay->ctl;
    const char *why = "memory is short";
    int code;

    if (weir_policy_begin(&ctl->config, &replay->policy, &why) < 0)
        return weir_ctl_error(ctl, EX_CONFIG, "[threshold]: %s", why);
    code = weir_ctl_monitor_read(ctl, replay->database,
                                 weir_database_thresholds(replay->database, add_threshold, replay));
    if (code == 0 && weir_policy_add(&replay->policy, &replay->threshold.is, &why) < 0)
        code = weir_ctl_error(ctl, EX_DATAERR, "%s: %s", replay->threshold.name, why);
    return code;
}

/* Who is acceptable now, as the monitor sees it. */
static int make_spared(struct replay *replay)
{
    struct weir_ctl *ctl = replay->ctl;
    struct weir_spared_prefix *prefix = NULL;
    size_t count = 0;
    int rc;

    if (weir_stores_open_lists(&ctl->config, WEIR_STORES_READ, &ctl->log, &ctl->stores.lists) < 0)
        ctl->stores.lists = NULL;
    rc = weir_spared_new(ctl->stores.lists, &replay->spared);
    if (rc == 0)
        rc = weir_spared_read(replay->database, weir_ctl_now(), &prefix, &count);
    if (rc == 0)
        rc = weir_spared_accept(replay->spared, prefix, count);
    free(prefix);
    return weir_ctl_monitor_read(ctl, replay->database, rc);
}

static bool note_event(void *context, const struct weir_watch_event *event)
{
    const struct lane *lane = context;
    struct replay *replay = lane->replay;

    if (lane->spared && event->children > 0)
        return true; /* a network is not spared because some of its addresses are */
    if (event->raised && replay->error == 0 &&
        strcmp(event->class_name, replay->threshold.name) == 0)
        replay->error = weir_ctl_caught_add(&replay->caught, &event->prefix, event->time,
                                            event->quantity, lane->sure, lane->spared);
    return true;
}

static int make_lanes(struct replay *replay)
{
    const struct weir_config *config = &replay->ctl->config;
    struct weir_watch_options options = {
        .classes = replay->policy.watch,
        .class_count = replay->policy.classes,
        .wider = config->threshold_wider,
        .children = (unsigned)config->threshold_children,
        .key = weir_hash_key_random(),
    };
    int rc = 0;

    for (size_t i = 0; i < 4 && rc == 0; i++) {
        struct lane *lane = &replay->lane[i];
        *lane = (struct lane){replay, NULL, i % 2 == 0, i >= 2};
        options.addresses = (size_t)config->monitor_addresses;
        if (lane->spared && options.addresses > SPARED_ADDRESSES)
            options.addresses = SPARED_ADDRESSES;
        rc = weir_watch_new(&options, note_event, lane, &lane->watch);
    }
    return rc == 0 ? 0 : weir_ctl_error(replay->ctl, rc == WEIR_ENOMEM ? EX_OSERR : EX_DATAERR,
                                        "these thresholds cannot be used together: %s",
                                        weir_error_text(rc));
}

/* Charging. ------------------------------------------------------------------------------- */

static uint32_t bounded(uint64_t number)
{
    return number < UINT32_MAX ? (uint32_t)number : UINT32_MAX;
}

/* What of a minute's sum falls into parts from..to of SECONDS. */
static uint32_t part(uint64_t sum, unsigned from, unsigned to)
{
    return bounded(sum * to / SECONDS - sum * from / SECONDS);
}

/* connections, messages and recipients, as struct weir_traffic has them */
static void charge(struct weir_watch *watch, const struct weir_minute_row *row, unsigned from,
                   unsigned to)
{
    struct weir_charge charge = {
        .time = row->minute * WEIR_MINUTE + from * WEIR_SECOND,
        .address = row->address,
        .quantity = {part(row->sum[0], from, to), part(row->sum[2], from, to),
                     part(row->sum[4], from, to)},
        .server = row->server,
    };

    if (charge.quantity[0] | charge.quantity[1] | charge.quantity[2])
        weir_watch_charge(watch, &charge);
}

/* A whole minute: second by second, since networks are charged by all their addresses. */
static void charge_minute(struct replay *replay)
{
    if (replay->rows == 0)
        return;
    for (size_t i = 0; i < 4; i++)
        weir_watch_advance(replay->lane[i].watch, replay->row[0].minute * WEIR_MINUTE);
    for (size_t i = 0; i < replay->rows; i++)
        charge(replay->lane[replay->is_spared[i] ? 3 : 1].watch, &replay->row[i], 0, SECONDS);
    for (unsigned second = 0; second < SECONDS; second++)
        for (size_t i = 0; i < replay->rows; i++)
            charge(replay->lane[replay->is_spared[i] ? 2 : 0].watch, &replay->row[i], second,
                   second + 1);
    replay->rows = 0;
}

static int make_room(struct replay *replay)
{
    size_t room = replay->room > 0 ? 2 * replay->room : 1024;
    struct weir_minute_row *row = realloc(replay->row, room * sizeof *row);
    bool *is_spared = realloc(replay->is_spared, room * sizeof *is_spared);

    replay->row = row ? row : replay->row;
    replay->is_spared = is_spared ? is_spared : replay->is_spared;
    if (!row || !is_spared)
        return WEIR_ENOMEM;
    replay->room = room;
    return 0;
}

static void step(struct replay *replay, int64_t minute, bool second_time)
{
    uint64_t span = (uint64_t)(replay->to - replay->from + 1);
    uint64_t done = (uint64_t)(minute - replay->from) + (second_time ? span : 0);

    weir_ctl_progress_step(&replay->progress, done, 2 * span);
}

static int take_row(void *context, const struct weir_minute_row *row)
{
    struct replay *replay = context;

    if (replay->rows > 0 && replay->row[0].minute != row->minute)
        charge_minute(replay);
    if (replay->rows == replay->room && replay->error == 0)
        replay->error = make_room(replay);
    if (replay->error != 0)
        return 1;
    if (replay->first == 0)
        replay->first = row->minute;
    replay->is_spared[replay->rows] =
        weir_spared_address(replay->spared, weir_ctl_now(), &row->address);
    replay->row[replay->rows++] = *row;
    replay->total++;
    step(replay, row->minute, false);
    return 0;
}

static int take_traffic(void *context, const struct weir_minute_row *row)
{
    struct replay *replay = context;

    weir_ctl_caught_traffic(&replay->caught, row);
    step(replay, row->minute, true);
    return 0;
}

static int run(struct replay *replay)
{
    struct weir_ctl *ctl = replay->ctl;
    int rc;

    replay->progress = weir_ctl_progress(ctl, "minutes of addresses");
    rc = weir_database_minutes(replay->database, replay->from, replay->to, take_row, replay);
    if (replay->error == 0)
        charge_minute(replay);
    weir_ctl_caught_close(&replay->caught);
    if (rc >= 0 && replay->error == 0 && replay->caught.count > 0)
        rc = weir_database_minutes(replay->database, replay->from, replay->to, take_traffic,
                                   replay);
    weir_ctl_progress_end(&replay->progress);
    weir_ctl_caught_sort(&replay->caught);
    if (replay->error != 0)
        return weir_ctl_error(ctl, EX_OSERR, "there are too many events, or memory is short: try "
                              "it with higher limits or a shorter --since");
    return weir_ctl_monitor_read(ctl, replay->database, rc);
}

/* Telling. -------------------------------------------------------------------------------- */

static bool good(const struct weir_ctl_caught_row *row)
{
    return row->spared || weir_ctl_caught_mostly_accepted(row);
}

static const char *quantities(const struct weir_ctl_caught_row *row, char text[static 64])
{
    text[0] = '\0';
    for (unsigned q = 0; q < WEIR_QUANTITIES; q++)
        if (row->quantities >> q & 1) {
            size_t len = strlen(text);
            snprintf(text + len, 64 - len, "%s%s", len > 0 ? "," : "",
                     weir_quantity_name((enum weir_quantity)q));
        }
    return text;
}

static json_t *row_json(const struct weir_ctl_caught_row *row)
{
    char prefix[WEIR_PREFIX_TEXT], by[64];

    return json_pack("{s:s, s:b, s:i, s:i, s:s, s:o, s:o, s:I, s:I, s:I, s:I, s:b, s:b, s:b}",
                     "prefix", weir_prefix_format(&row->prefix, prefix), "certain", row->sure > 0,
                     "times_certain", (int)row->sure, "times_at_once", (int)row->perhaps, "by",
                     quantities(row, by), "first", weir_ctl_json_time(row->first), "last",
                     weir_ctl_json_time(row->last), "connections", (json_int_t)row->sum[0],
                     "messages", (json_int_t)row->sum[2], "accepted", (json_int_t)row->sum[3],
                     "recipients", (json_int_t)row->sum[4], "acceptable", row->spared,
                     "mostly_accepted", weir_ctl_caught_mostly_accepted(row), "good", good(row));
}

static void print_row(const struct weir_ctl_caught_row *row)
{
    char prefix[WEIR_PREFIX_TEXT], by[64], first[WEIR_TIME_TEXT], last[WEIR_TIME_TEXT];

    printf("%-22s %-8s %5u %5u  %s  %s  %6llu of %-6llu %s%s\n",
           weir_prefix_format(&row->prefix, prefix), row->sure > 0 ? "certain" : "perhaps",
           row->sure, row->perhaps, weir_time_format(row->first, first),
           weir_time_format(row->last, last), (unsigned long long)row->sum[3],
           (unsigned long long)row->sum[2], quantities(row, by),
           row->spared                           ? "; acceptable, so it is spared"
           : weir_ctl_caught_mostly_accepted(row) ? "; good: mostly accepted"
                                                  : "");
}

struct counts {
    unsigned certain, perhaps, good, spared; /* good: of certain and perhaps */
};

static struct counts count(const struct weir_ctl_caught *caught)
{
    struct counts counts = {0};

    for (size_t i = 0; i < caught->count; i++) {
        const struct weir_ctl_caught_row *row = &caught->row[i];
        counts.spared += row->spared;
        counts.certain += !row->spared && row->sure > 0;
        counts.perhaps += !row->spared && row->sure == 0;
        counts.good += !row->spared && weir_ctl_caught_mostly_accepted(row);
    }
    return counts;
}

static int tell_json(struct replay *replay, size_t most)
{
    const struct weir_ctl_caught *caught = &replay->caught;
    struct counts counts = count(caught);
    json_t *rows = json_array();

    for (size_t i = 0; i < caught->count && i < most; i++)
        json_array_append_new(rows, row_json(&caught->row[i]));
    return weir_ctl_json(
        replay->ctl,
        json_pack("{s:s, s:o, s:o, s:o, s:I, s:i, s:i, s:i, s:i, s:o}", "threshold",
                  replay->threshold.name, "from", weir_ctl_json_time(replay->from * WEIR_MINUTE),
                  "to", weir_ctl_json_time((replay->to + 1) * WEIR_MINUTE), "data_from",
                  weir_ctl_json_time(replay->first * WEIR_MINUTE), "rows",
                  (json_int_t)replay->total, "certain", (int)counts.certain, "perhaps",
                  (int)counts.perhaps, "good", (int)counts.good, "spared", (int)counts.spared,
                  "caught", rows));
}

static void print_span(const struct replay *replay)
{
    char from[WEIR_TIME_TEXT], to[WEIR_TIME_TEXT], first[WEIR_TIME_TEXT];

    weir_ctl_threshold_print(&replay->threshold.is, replay->threshold.stored);
    printf("from %s to %s: %llu minutes of addresses, the first at %s\n",
           weir_time_format(replay->from * WEIR_MINUTE, from),
           weir_time_format((replay->to + 1) * WEIR_MINUTE, to),
           (unsigned long long)replay->total,
           replay->first ? weir_time_format(replay->first * WEIR_MINUTE, first) : "no time");
}

static int tell(struct replay *replay, size_t most)
{
    const struct weir_ctl_caught *caught = &replay->caught;
    struct counts counts = count(caught);

    if (replay->ctl->option[WEIR_CTL_JSON])
        return tell_json(replay, most);
    print_span(replay);
    if (caught->count > 0)
        printf("%-22s %-8s %5s %5s  %-20s  %-20s  %-16s %s\n", "WHO", "CAUGHT", "EVEN", "ONCE",
               "FIRST", "LAST", "ACCEPTED", "BY");
    for (size_t i = 0; i < caught->count && i < most; i++)
        print_row(&caught->row[i]);
    if (caught->count > most)
        printf("... and %zu more: --most shows more of them\n", caught->count - most);
    printf("caught for certain: %u; perhaps: %u; of these mostly accepted, so perhaps good: %u\n"
           "acceptable ones that would have been, and are spared: %u\n", counts.certain,
           counts.perhaps, counts.good, counts.spared);
    puts("Only sums of minutes are kept.  EVEN: so often when each minute's traffic is spread\n"
         "evenly over it, which is the least there can have been; ONCE: when it came at once.");
    return 0;
}

static int prepare(struct replay *replay)
{
    struct weir_ctl *ctl = replay->ctl;
    int code = weir_ctl_monitor_database(ctl, &replay->database);

    if (code == 0)
        code = weir_ctl_threshold_read(ctl, replay->database,
                                       ctl->arguments > 0 ? ctl->argument[0] : "default",
                                       &replay->threshold);
    if (code == 0)
        code = weir_ctl_threshold_change(ctl, &replay->threshold);
    if (code == 0)
        code = make_policy(replay);
    if (code == 0)
        code = make_spared(replay);
    return code == 0 ? make_lanes(replay) : code;
}

static int test(struct replay *replay)
{
    struct weir_ctl *ctl = replay->ctl;
    unsigned most = ctl->option[WEIR_CTL_JSON] ? WEIR_CTL_EVENTS_MAX : SHOWN_MOST;
    weir_time since = SINCE, now = weir_ctl_now();
    int code = weir_ctl_option_period(ctl, WEIR_CTL_SINCE, &since);

    if (code == 0)
        code = weir_ctl_option_count(ctl, WEIR_CTL_MOST, WEIR_CTL_EVENTS_MAX, &most);
    replay->from = (now - since) / WEIR_MINUTE;
    replay->to = now / WEIR_MINUTE;
    if (code == 0)
        code = prepare(replay);
    if (code == 0)
        code = run(replay);
    return code == 0 ? tell(replay, most) : code;
}

int weir_ctl_threshold_test(struct weir_ctl *ctl)
{
    struct replay *replay = calloc(1, sizeof *replay);
    int code;

    if (!replay)
        return weir_ctl_error(ctl, EX_OSERR, "memory is short");
    replay->ctl = ctl;
    code = test(replay);
    for (size_t i = 0; i < 4; i++)
        if (replay->lane[i].watch)
            weir_watch_free(&replay->lane[i].watch);
    weir_ctl_caught_free(&replay->caught);
    weir_policy_free(&replay->policy);
    weir_spared_free(&replay->spared);
    weir_database_free(&replay->database);
    free(replay->row);
    free(replay->is_spared);
    free(replay);
    return code;
}
