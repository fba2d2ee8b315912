/*
 * What the monitor does about addresses: who is spared, thresholds and ladders, the watch and the
 * responder made of them; and putting others in their place while everything runs.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/database/database_rebase_io.h"
#include "monitor/monitor_impl.h"

#define LONGEST (30 * WEIR_DAY)  /* block */
#define JITTER 0.1

/* who is spared ------------------------------------------------------------------ */

/* The receiver's lock, for a thread that has the database's, also when it has this one already.
 * While there is no receiver yet it replays, and there is one thread only. */
static void hold(struct weir_monitor *monitor)
{
    if (monitor->receiver && monitor->held++ == 0)
        weir_receiver_lock(monitor->receiver);
}

static void release(struct weir_monitor *monitor)
{
    if (monitor->receiver && --monitor->held == 0)
        weir_receiver_unlock(monitor->receiver);
}

int weir_monitor_spare(struct weir_monitor *monitor)
{
    struct weir_spared_prefix *prefix = NULL;
    size_t count = 0;
    int done = weir_spared_read(monitor->database, weir_clock_now(&monitor->wall), &prefix, &count);

    if (done == 0) {
        hold(monitor);
        done = weir_spared_accept(monitor->spared, prefix, count);
        release(monitor);
    }
    free(prefix);
    return done;
}

static bool is_accepted(void *context, weir_time time, const struct weir_address *address)
{
    struct weir_monitor *monitor = context;

    return weir_spared_address(monitor->spared, time, address);
}

static bool is_spared(void *context, weir_time time, const struct weir_prefix *prefix,
                      const char **why_r)
{
    struct weir_monitor *monitor = context;
    bool spared;

    hold(monitor);
    spared = weir_spared_prefix(monitor->spared, time, prefix, why_r);
    release(monitor);
    return spared;
}

struct weir_watch_standing weir_monitor_standing(void *context, const struct weir_prefix *prefix)
{
    struct weir_monitor *monitor = context;
    struct weir_watch_standing standing = {0};

    hold(monitor);
    if (monitor->watch)
        standing = weir_watch_standing(monitor->watch, prefix);
    release(monitor);
    return standing;
}

/* policy ------------------------------------------------------------------------- */

struct adding {
    struct weir_monitor *monitor;
    struct weir_policy *policy;
};

static int add_threshold(void *context, const struct weir_threshold *threshold)
{
    struct adding *adding = context;
    const struct weir_log *log = &adding->monitor->shared_log;
    const char *why = "";
    int done = weir_policy_add(adding->policy, threshold, &why);

    if (done < 0)
        weir_log(log, WEIR_LOG_ERROR, "threshold %s is left out: %s", threshold->name,
                 done == WEIR_ENOMEM ? "memory is short" : why);
    else if (strcmp(threshold->name, WEIR_POLICY_DEFAULT) == 0 &&
             threshold->observe != adding->monitor->config.threshold_observe)
        weir_log(log, WEIR_LOG_WARNING, "[threshold] observe = %s does not count: the threshold "
                 "\"default\" was set by weirctl, and %s", threshold->observe ? "no" : "yes",
                 threshold->observe ? "only observes (weirctl threshold set default --enforce)"
                                    : "enforces (weirctl threshold set default --observe)");
    return done == WEIR_ENOMEM ? done : 0;
}

int weir_monitor_open_policy(struct weir_monitor *monitor)
{
    struct adding adding = {monitor, &monitor->policy};
    const char *why = "";
    int done = weir_policy_begin(&monitor->config, &monitor->policy, &why);

    if (done < 0) {
        weir_log(&monitor->shared_log, WEIR_LOG_ERROR, "%s: [threshold] %s",
                 weir_monitor_path(monitor), why);
        return done;
    }
    done = weir_database_thresholds(monitor->database, add_threshold, &adding);
    return done < 0 ? done : 0;
}

static int open_watch(struct weir_monitor *monitor)
{
    const struct weir_config *config = &monitor->config;
    const struct weir_watch_options options = {
        .classes = monitor->policy.watch,
        .class_count = monitor->policy.classes,
        .wider = config->threshold_wider,
        .children = (unsigned)config->threshold_children,
        .addresses = (size_t)config->monitor_addresses,
        .key = monitor->key,
        .accepted = is_accepted,
        .context = monitor,
    };
    int done = weir_watch_new(&options, weir_responder_event, monitor->responder, &monitor->watch);

    if (done < 0)
        weir_log(&monitor->shared_log, WEIR_LOG_ERROR, "thresholds cannot be used: %s",
                 weir_error_text(done));
    return done;
}

/* responses ---------------------------------------------------------------------- */

static void changed(void *context, uint64_t generation)
{
    struct weir_monitor *monitor = context;

    weir_orders_changed(monitor->orders, (int64_t)generation);
    (void)weir_monitor_spare(monitor);
    if (monitor->intake)
        weir_intake_wake(monitor->intake);
}

static const char *resume(void *context, struct weir_watch_event *event, weir_time seen)
{
    struct weir_monitor *monitor = context;

    return weir_watch_resume(monitor->watch, event, seen);
}

static int open_responder(struct weir_monitor *monitor)
{
    const struct weir_config *config = &monitor->config;
    const struct weir_ladder_options ladder = {
        .classes = monitor->policy.ladder,
        .class_count = monitor->policy.classes,
        .memory = WEIR_MONITOR_MEMORY,
        .longest = LONGEST,
        .jitter = JITTER,
        .quorum = (unsigned)config->threshold_quorum,
        .blocks_hour = (unsigned)config->blocks_hour,
        .blocks_server_hour = (unsigned)config->blocks_server_hour,
        .scores_hour = (unsigned)config->scores_hour,
        .scores_server_hour = (unsigned)config->scores_server_hour,
        .key = monitor->key,
        .spared = is_spared,
        .standing = weir_monitor_standing,
        .context = monitor,
    };
    const struct weir_responder_options options = {
        .ladder = &ladder,
        .database = monitor->database,
        .wake = monitor->wake,
        .booking = &monitor->booking,
        .resume = resume,
        .changed = changed,
        .owe = weir_monitor_owe,
        .alert = weir_monitor_alert,
        .context = monitor,
    };
    int done = weir_responder_new(&options, &monitor->shared_log, &monitor->responder);

    if (done < 0)
        weir_log(&monitor->shared_log, WEIR_LOG_ERROR, "the ladders cannot be used: %s",
                 weir_error_text(done));
    return done;
}

/* What the ones before left in the database: steps, caps, and the events that stand. */
static int take_up(struct weir_monitor *monitor, bool went_on)
{
    struct weir_responder_counts counts;
    int done = weir_responder_resume(monitor->responder, weir_clock_now(&monitor->wall), went_on);

    if (done < 0) {
        weir_monitor_trouble(monitor, "events that stand are not taken up", done);
        return done;
    }
    weir_responder_count(monitor->responder, &counts);
    if (counts.resumed + counts.closed > 0)
        weir_log(&monitor->shared_log, WEIR_LOG_INFO, "%" PRIu64 " events stand still, %" PRIu64
                 " are closed: nobody watches them any more", counts.resumed, counts.closed);
    return 0;
}

/* Of a clock that was set while there was no monitor nobody knows which time was right. */
static int tell_ahead(struct weir_monitor *monitor)
{
    weir_time now = weir_clock_now(&monitor->wall);
    int ahead = weir_database_ahead(monitor->database, now + WEIR_MINUTE);

    if (ahead > 0)
        weir_log(&monitor->shared_log, WEIR_LOG_WARNING, "%d decisions are dated later than now: "
                 "the clock was ahead then, or is behind; they last until they said (weirctl "
                 "decisions)", ahead);
    return ahead < 0 ? ahead : 0;
}

int weir_monitor_open_watch(struct weir_monitor *monitor)
{
    int done = open_responder(monitor);

    if (done == 0)
        done = open_watch(monitor);
    if (done == 0)
        done = tell_ahead(monitor);
    return done < 0 ? done : take_up(monitor, false);
}

/* Old ones, for a new watch and responder in their place. */
struct before {
    struct weir_policy policy;
    struct weir_watch *watch;
    struct weir_responder *responder;
};

static void use_before(struct weir_monitor *monitor, struct before *before)
{
    if (monitor->watch != before->watch)
        weir_watch_free(&monitor->watch);
    if (monitor->responder != before->responder)
        weir_responder_free(&monitor->responder);
    weir_policy_free(&monitor->policy);
    monitor->policy = before->policy;
    monitor->watch = before->watch;
    monitor->responder = before->responder;
}

/* With the receiver's lock: nothing is charged, so that what the watch before raised is all there
 * and can be answered, and taken up. */
static int exchange(struct weir_monitor *monitor, struct before *before)
{
    int done = open_watch(monitor);

    if (done == 0) {
        weir_watch_take_over(monitor->watch, before->watch);
        done = weir_responder_finish(before->responder, monitor->booking,
                                     weir_clock_now(&monitor->wall));
    }
    if (done == 0)
        done = take_up(monitor, true);
    if (done == 0)
        done = weir_responder_replayed(monitor->responder, monitor->booking);
    if (done == 0)
        weir_receiver_use(monitor->receiver, monitor->watch);
    return done;
}

int weir_monitor_reread(struct weir_monitor *monitor)
{
    struct before before = {monitor->policy, monitor->watch, monitor->responder};
    int done;

    monitor->policy = (struct weir_policy){0};
    done = weir_monitor_open_policy(monitor);
    if (done == 0)
        done = open_responder(monitor);
    if (done == 0) {
        hold(monitor);
        done = exchange(monitor, &before);
        if (done < 0)
            use_before(monitor, &before);
        release(monitor);
    } else {
        use_before(monitor, &before);
    }
    if (done < 0)
        return done;
    weir_watch_free(&before.watch);
    weir_responder_free(&before.responder);
    weir_policy_free(&before.policy);
    return 0;
}
