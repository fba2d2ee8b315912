/*
 * ctl_threshold_test - weirctl threshold test: whom a limit would have caught, had it been there
 * (monitor/threshold/trial_io.h).
 */
#include "monitor/ctl/ctl.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/engine/stores_io.h"
#include "monitor/ctl/ctl_monitor_io.h"
#include "monitor/ctl/ctl_output.h"
#include "monitor/ctl/ctl_threshold.h"
#include "monitor/threshold/spared.h"
#include "monitor/threshold/trial_io.h"
#include "monitor/view/view_trial.h"

#define SINCE (7 * WEIR_DAY)
#define SHOWN_MOST 50

struct replay {
    struct weir_ctl *ctl;
    struct weir_database *database;
    struct weir_ctl_threshold threshold;
    struct weir_policy policy;
    struct weir_spared *spared;
    struct weir_trial trial;
    int64_t from, to;                 /* minutes */
    struct weir_ctl_progress progress;
};

/* Opening. -------------------------------------------------------------------------------- */

/* All thresholds in force, and the one to be tried in the place of its name. */
static int make_policy(struct replay *replay)
{
    const char *why = "";
    int rc = weir_trial_policy(&replay->ctl->config, replay->database, &replay->threshold.is,
                               &replay->policy, &why);

    if (rc < 0 && why[0])
        return weir_ctl_error(replay->ctl, EX_DATAERR, "%s: %s", replay->threshold.name, why);
    return weir_ctl_monitor_read(replay->ctl, replay->database, rc);
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

/* Trying. --------------------------------------------------------------------------------- */

static bool is_spared(void *context, const struct weir_address *address)
{
    struct replay *replay = context;

    return weir_spared_address(replay->spared, weir_ctl_now(), address);
}

static bool step(void *context, uint64_t done, uint64_t all)
{
    struct replay *replay = context;

    weir_ctl_progress_step(&replay->progress, done, all);
    return true;
}

static int run(struct replay *replay)
{
    struct weir_ctl *ctl = replay->ctl;
    const struct weir_trial_options options = {
        .database = replay->database,
        .policy = &replay->policy,
        .name = replay->threshold.name,
        .wider = ctl->config.threshold_wider,
        .children = (unsigned)ctl->config.threshold_children,
        .addresses = (size_t)ctl->config.monitor_addresses,
        .from = replay->from,
        .to = replay->to,
        .spared = is_spared,
        .step = step,
        .context = replay,
    };
    int rc;

    replay->progress = weir_ctl_progress(ctl, "minutes of addresses");
    rc = weir_trial_run(&options, &replay->trial);
    weir_ctl_progress_end(&replay->progress);
    if (rc == WEIR_EINVAL)
        return weir_ctl_error(ctl, EX_DATAERR, "these thresholds cannot be used together");
    if (rc == WEIR_ELIMIT || rc == WEIR_ENOMEM)
        return weir_ctl_error(ctl, EX_OSERR, "there are too many events, or memory is short: try "
                              "it with higher limits or a shorter --since");
    return weir_ctl_monitor_read(ctl, replay->database, rc);
}

/* Telling. -------------------------------------------------------------------------------- */

static void print_row(const struct weir_caught_row *row)
{
    char prefix[WEIR_PREFIX_TEXT], by[WEIR_VIEW_QUANTITIES];
    char first[WEIR_TIME_TEXT], last[WEIR_TIME_TEXT];

    printf("%-22s %-8s %5u %5u  %s  %s  %6llu of %-6llu %s%s\n",
           weir_prefix_format(&row->prefix, prefix), row->sure > 0 ? "certain" : "perhaps",
           row->sure, row->perhaps, weir_time_format(row->first, first),
           weir_time_format(row->last, last), (unsigned long long)row->sum[3],
           (unsigned long long)row->sum[2], weir_view_caught_by(row, by),
           row->spared                           ? "; acceptable, so it is spared"
           : weir_caught_mostly_accepted(row) ? "; good: mostly accepted"
                                                  : "");
}

static void print_span(const struct replay *replay)
{
    char from[WEIR_TIME_TEXT], to[WEIR_TIME_TEXT], first[WEIR_TIME_TEXT];

    weir_ctl_threshold_print(&replay->threshold.is, replay->threshold.stored);
    printf("from %s to %s: %llu minutes of addresses, the first at %s\n",
           weir_time_format(replay->from * WEIR_MINUTE, from),
           weir_time_format((replay->to + 1) * WEIR_MINUTE, to),
           (unsigned long long)replay->trial.rows,
           replay->trial.first ? weir_time_format(replay->trial.first * WEIR_MINUTE, first)
                               : "no time");
}

static int tell(struct replay *replay, size_t most)
{
    const struct weir_caught *caught = &replay->trial.caught;
    struct weir_trial_counts counts = weir_trial_count(&replay->trial);

    if (replay->ctl->option[WEIR_CTL_JSON])
        return weir_ctl_json(replay->ctl,
                             weir_view_trial(&replay->trial, replay->threshold.name, most));
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
    return code;
}

static int test(struct replay *replay)
{
    struct weir_ctl *ctl = replay->ctl;
    unsigned most = ctl->option[WEIR_CTL_JSON] ? WEIR_CAUGHT_EVENTS_MAX : SHOWN_MOST;
    weir_time since = SINCE, now = weir_ctl_now();
    int code = weir_ctl_option_period(ctl, WEIR_CTL_SINCE, &since);

    if (code == 0)
        code = weir_ctl_option_count(ctl, WEIR_CTL_MOST, WEIR_CAUGHT_EVENTS_MAX, &most);
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
    weir_trial_free(&replay->trial);
    weir_policy_free(&replay->policy);
    weir_spared_free(&replay->spared);
    weir_database_free(&replay->database);
    free(replay);
    return code;
}
