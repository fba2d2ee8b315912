/*
 * trial - a minute's rows are gathered, and charged when the next minute begins.
 */
#include "monitor/threshold/trial_io.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/keyed_hash.h"

#define SECONDS 60

struct replay;

struct lane {
    struct replay *replay;
    struct weir_watch *watch;
    bool sure, spared;
};

struct replay {
    const struct weir_trial_options *options;
    struct weir_trial *trial;
    struct lane lane[4];              /* even, at once; the same for acceptable ones */
    struct weir_minute_row *row;      /* of one minute */
    bool *is_spared;
    size_t rows, room;
    bool enough;
    int error;
};

/* Opening. -------------------------------------------------------------------------------- */

struct others {
    const char *name;                 /* that is left out */
    struct weir_policy *policy;
};

static int add_other(void *context, const struct weir_threshold *threshold)
{
    struct others *others = context;
    const char *why = "";

    if (strcmp(threshold->name, others->name) == 0)
        return 0;
    return weir_policy_add(others->policy, threshold, &why) == WEIR_ENOMEM ? WEIR_ENOMEM : 0;
}

int weir_trial_policy(const struct weir_config *config, struct weir_database *database,
                      const struct weir_threshold *threshold, struct weir_policy *policy_r,
                      const char **why_r)
{
    struct others others = {threshold->name, policy_r};
    int rc = weir_policy_begin(config, policy_r, why_r);

    rc = rc < 0 ? rc : weir_database_thresholds(database, add_other, &others);
    rc = rc < 0 ? rc : weir_policy_add(policy_r, threshold, why_r);
    return rc < 0 ? rc : 0;
}

static bool note_event(void *context, const struct weir_watch_event *event)
{
    const struct lane *lane = context;
    struct replay *replay = lane->replay;

    if (lane->spared && event->children > 0)
        return true; /* a network is not spared because some of its addresses are */
    if (event->raised && replay->error == 0 &&
        strcmp(event->class_name, replay->options->name) == 0)
        replay->error = weir_caught_add(&replay->trial->caught, &event->prefix, event->time,
                                        event->quantity, lane->sure, lane->spared);
    return true;
}

static int make_lanes(struct replay *replay)
{
    const struct weir_trial_options *options = replay->options;
    struct weir_watch_options watch = {
        .classes = options->policy->watch,
        .class_count = options->policy->classes,
        .wider = options->wider,
        .children = options->children,
        .key = weir_hash_key_random(),
    };
    int rc = 0;

    for (size_t i = 0; i < 4 && rc == 0; i++) {
        struct lane *lane = &replay->lane[i];

        *lane = (struct lane){replay, NULL, i % 2 == 0, i >= 2};
        watch.addresses = options->addresses;
        if (lane->spared && watch.addresses > WEIR_TRIAL_SPARED)
            watch.addresses = WEIR_TRIAL_SPARED;
        rc = weir_watch_new(&watch, note_event, lane, &lane->watch);
    }
    return rc == WEIR_ENOMEM || rc == 0 ? rc : WEIR_EINVAL;
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

/* The minutes are gone through once for events, and once for what those caught did. */
static void step(struct replay *replay, int64_t minute, bool second_time)
{
    const struct weir_trial_options *options = replay->options;
    uint64_t span = (uint64_t)(options->to - options->from + 1);
    uint64_t done = (uint64_t)(minute - options->from) + (second_time ? span : 0);

    if (!options->step(options->context, done, 2 * span))
        replay->enough = true;
}

/* The minute before the one that is no more looked at was the last. */
static int stop_at(struct replay *replay, int64_t minute)
{
    replay->trial->cut = true;
    replay->trial->to = minute - 1;
    return 1;
}

static int take_row(void *context, const struct weir_minute_row *row)
{
    struct replay *replay = context;

    if (replay->rows > 0 && replay->row[0].minute != row->minute) {
        charge_minute(replay);
        if (replay->enough)
            return stop_at(replay, row->minute);
    }
    if (replay->rows == replay->room && replay->error == 0)
        replay->error = make_room(replay);
    if (replay->error != 0)
        return 1;
    if (replay->trial->first == 0)
        replay->trial->first = row->minute;
    replay->is_spared[replay->rows] =
        replay->options->spared(replay->options->context, &row->address);
    replay->row[replay->rows++] = *row;
    replay->trial->rows++;
    step(replay, row->minute, false);
    return 0;
}

/* What those caught did is summed up to the end: less would make good senders of bad ones. */
static int take_traffic(void *context, const struct weir_minute_row *row)
{
    struct replay *replay = context;

    weir_caught_traffic(&replay->trial->caught, row);
    step(replay, row->minute, true);
    return 0;
}

static int run(struct replay *replay)
{
    const struct weir_trial_options *options = replay->options;
    struct weir_trial *trial = replay->trial;
    int rc = make_lanes(replay);

    rc = rc < 0 ? rc : weir_database_minutes(options->database, options->from, options->to,
                                             take_row, replay);
    if (rc >= 0 && replay->error == 0)
        charge_minute(replay);
    rc = rc < 0 ? rc : replay->error;
    weir_caught_close(&trial->caught);
    if (rc >= 0 && trial->caught.count > 0)
        rc = weir_database_minutes(options->database, trial->from, trial->to, take_traffic,
                                   replay);
    weir_caught_sort(&trial->caught);
    return rc < 0 ? rc : 0;
}

int weir_trial_run(const struct weir_trial_options *options, struct weir_trial *trial_r)
{
    struct replay replay = {.options = options, .trial = trial_r};
    int rc;

    *trial_r = (struct weir_trial){.from = options->from, .to = options->to};
    rc = run(&replay);
    for (size_t i = 0; i < 4; i++)
        if (replay.lane[i].watch)
            weir_watch_free(&replay.lane[i].watch);
    free(replay.row);
    free(replay.is_spared);
    return rc;
}

struct weir_trial_counts weir_trial_count(const struct weir_trial *trial)
{
    struct weir_trial_counts counts = {0};

    for (size_t i = 0; i < trial->caught.count; i++) {
        const struct weir_caught_row *row = &trial->caught.row[i];

        counts.spared += row->spared;
        counts.certain += !row->spared && row->sure > 0;
        counts.perhaps += !row->spared && row->sure == 0;
        counts.good += !row->spared && weir_caught_mostly_accepted(row);
    }
    return counts;
}

void weir_trial_free(struct weir_trial *trial)
{
    weir_caught_free(&trial->caught);
    *trial = (struct weir_trial){0};
}
