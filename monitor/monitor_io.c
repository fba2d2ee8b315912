/*
 * monitor - opens its parts from the ground up, runs the loop, closes them in the other order.
 *
 * Order of locks: the database's, then the receiver's, then those inside parts.  Threads of the
 * intake hold the receiver's or a part's own; the loop holds the database's while it writes.
 */
#include "monitor/monitor_io.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <sodium.h>

#include "core/base/error.h"
#include "core/program/signals_io.h"
#include "monitor/monitor_admin_io.h"
#include "monitor/database/database_retention_io.h"
#include "monitor/monitor_impl.h"

#define ARENA_FIRST 8192
#define ROWS 200000              /* of one table of minutes: 22 MB */
#define LOOP 200                 /* ms between two looks at the clock */
#define STORE_EVERY WEIR_SECOND
#define RETAIN_EVERY (10 * WEIR_SECOND)
#define MEMORY WEIR_DAY          /* of the ladder */
#define LONGEST (30 * WEIR_DAY)  /* block */
#define JITTER 0.1

/* log -------------------------------------------------------------------------- */

static void log_line(void *context, enum weir_log_level level, const char *line)
{
    struct weir_monitor *monitor = context;

    pthread_mutex_lock(&monitor->log_lock);
    monitor->log.log.write(monitor->log.log.context, level, line);
    pthread_mutex_unlock(&monitor->log_lock);
}

static void open_log(struct weir_monitor *monitor)
{
    if (monitor->options.debug) {
        monitor->config.log = WEIR_LOG_STDERR;
        monitor->config.log_level = WEIR_LOG_DEBUG;
    }
    weir_daemon_log_use(&monitor->log, monitor->options.program, &monitor->config);
    monitor->shared_log =
        (struct weir_log){.write = log_line, .context = monitor, .most = monitor->log.log.most};
}

static void flush_log(struct weir_monitor *monitor)
{
    pthread_mutex_lock(&monitor->log_lock);
    weir_daemon_log_flush(&monitor->log);
    pthread_mutex_unlock(&monitor->log_lock);
}

static void tell_trouble(struct weir_monitor *monitor, const char *what, int error)
{
    weir_log(&monitor->shared_log, WEIR_LOG_ERROR, "%s: %s", what,
             error == WEIR_EIO ? strerror(errno) : weir_database_why(monitor->database));
}

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

/* policy ------------------------------------------------------------------------- */

struct adding {
    struct weir_monitor *monitor;
    struct weir_policy *policy;
};

static int add_threshold(void *context, const struct weir_threshold *threshold)
{
    struct adding *adding = context;
    const char *why = "";
    int done = weir_policy_add(adding->policy, threshold, &why);

    if (done < 0)
        weir_log(&adding->monitor->shared_log, WEIR_LOG_ERROR, "threshold %s is left out: %s",
                 threshold->name, done == WEIR_ENOMEM ? "memory is short" : why);
    return done == WEIR_ENOMEM ? done : 0;
}

static int read_policy(struct weir_monitor *monitor)
{
    struct adding adding = {monitor, &monitor->policy};
    const char *why = "";
    int done = weir_policy_begin(&monitor->config, &monitor->policy, &why);

    if (done < 0) {
        weir_log(&monitor->shared_log, WEIR_LOG_ERROR, "[threshold]: %s", why);
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

static void alert(void *context, const struct weir_alert *alert)
{
    struct weir_monitor *monitor = context;
    struct weir_alert named = *alert;

    if (monitor->admit)
        (void)weir_admit_names(monitor->admit, named.servers, named.names, sizeof named.names);
    weir_alerts_add(monitor->alerts, &named);
}

static const char *resume(void *context, struct weir_watch_event *event, weir_time seen)
{
    struct weir_monitor *monitor = context;

    return weir_watch_resume(monitor->watch, event, seen);
}

static int open_alerts(struct weir_monitor *monitor)
{
    const struct weir_config *config = &monitor->config;
    const struct weir_alerts_options options = {
        .mail = config->alert_mail,
        .sendmail = config->sendmail,
        .webhook = config->alert_webhook,
        .window = config->alert_window,
        .hour_most = (unsigned)config->alert_hour,
    };

    return weir_alerts_open(&options, &monitor->shared_log, &monitor->alerts);
}

static int open_responder(struct weir_monitor *monitor)
{
    const struct weir_config *config = &monitor->config;
    const struct weir_ladder_options ladder = {
        .classes = monitor->policy.ladder,
        .class_count = monitor->policy.classes,
        .memory = MEMORY,
        .longest = LONGEST,
        .jitter = JITTER,
        .quorum = (unsigned)config->threshold_quorum,
        .blocks_hour = (unsigned)config->blocks_hour,
        .blocks_server_hour = (unsigned)config->blocks_server_hour,
        .key = monitor->key,
        .spared = is_spared,
        .context = monitor,
    };
    const struct weir_responder_options options = {
        .ladder = &ladder,
        .database = monitor->database,
        .wake = monitor->wake,
        .booking = &monitor->booking,
        .resume = resume,
        .changed = changed,
        .alert = alert,
        .context = monitor,
    };
    int done = weir_responder_new(&options, &monitor->shared_log, &monitor->responder);

    if (done < 0)
        weir_log(&monitor->shared_log, WEIR_LOG_ERROR, "the ladders cannot be used: %s",
                 weir_error_text(done));
    return done;
}

/* What the ones before left in the database: steps, caps, and the events that stand. */
static int take_up(struct weir_monitor *monitor)
{
    struct weir_responder_counts counts;
    int done = weir_responder_resume(monitor->responder, weir_clock_now(&monitor->wall));

    if (done < 0) {
        tell_trouble(monitor, "events that stand are not taken up", done);
        return done;
    }
    weir_responder_count(monitor->responder, &counts);
    if (counts.resumed + counts.closed > 0)
        weir_log(&monitor->shared_log, WEIR_LOG_INFO, "%" PRIu64 " events stand still, %" PRIu64
                 " are closed: nobody watches them any more", counts.resumed, counts.closed);
    return 0;
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

    if (done == 0)
        done = weir_responder_finish(before->responder, UINT64_MAX, weir_clock_now(&monitor->wall));
    if (done == 0)
        done = take_up(monitor);
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
    done = read_policy(monitor);
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

/* opening ------------------------------------------------------------------------ */

static int open_database(struct weir_monitor *monitor)
{
    const struct weir_config *config = &monitor->config;
    const char *path = weir_config_path(config, config->monitor_database, monitor->arena);
    const struct weir_database_options options = {.path = path};
    char why[WEIR_DATABASE_WHY];
    int done = path ? weir_database_open(&options, why, &monitor->database) : WEIR_ENOMEM;

    if (done < 0)
        weir_log(&monitor->shared_log, WEIR_LOG_ERROR, "%s", path ? why : "memory is short");
    else
        done = weir_orders_open(path, &monitor->shared_log, &monitor->orders);
    return done;
}

/* Whatever came of the journal is written before it counts as stored. */
static int settle(void *context, uint64_t position)
{
    struct weir_monitor *monitor = context;

    return weir_responder_finish(monitor->responder, position, weir_clock_now(&monitor->wall));
}

static int end_replay(struct weir_monitor *monitor)
{
    return weir_responder_replayed(monitor->responder, monitor->booking);
}

static int open_receiver(struct weir_monitor *monitor)
{
    const struct weir_config *config = &monitor->config;
    const struct weir_receiver_options options = {
        .journal = weir_config_path(config, config->monitor_journal, monitor->arena),
        .journal_most = (uint64_t)config->monitor_journal_size,
        .rows = ROWS,
        .key = monitor->key,
        .database = monitor->database,
        .watch = monitor->watch,
        .now = weir_clock_now(&monitor->wall),
        .booking = &monitor->booking,
        .settle = settle,
        .context = monitor,
    };

    return options.journal
               ? weir_receiver_open(&options, &monitor->shared_log, &monitor->receiver)
               : WEIR_ENOMEM;
}

/* A machine that is no mail server has no lists; then nobody is spared by them. */
static int open_spared(struct weir_monitor *monitor)
{
    if (weir_stores_open_lists(&monitor->config, WEIR_STORES_READ, &monitor->shared_log,
                               &monitor->lists) < 0)
        monitor->lists = NULL;
    return weir_spared_new(monitor->lists, &monitor->spared);
}

static int open_parts(struct weir_monitor *monitor)
{
    static int (*const steps[])(struct weir_monitor *monitor) = {
        open_database, read_policy,   open_spared,        weir_monitor_spare,
        open_alerts,   open_responder, open_watch,        take_up,           open_receiver,
        end_replay,    weir_monitor_open_door, weir_admin_open,
    };
    int done = 0;

    signal(SIGXFSZ, SIG_IGN);
    monitor->key = weir_hash_key_random();
    monitor->signals = weir_signals_open();
    monitor->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (monitor->signals < 0 || monitor->wake < 0)
        return WEIR_EIO;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && done == 0; i++)
        done = steps[i](monitor);
    return done;
}

static struct weir_monitor *make(const struct weir_monitor_options *options)
{
    struct weir_monitor *monitor = calloc(1, sizeof *monitor);

    if (!monitor)
        return NULL;
    monitor->options = *options;
    monitor->signals = monitor->wake = monitor->notify.fd = -1;
    monitor->wall = weir_clock_system();
    monitor->steady = weir_clock_steady();
    pthread_mutex_init(&monitor->lock, NULL);
    pthread_mutex_init(&monitor->log_lock, NULL);
    return monitor;
}

int weir_monitor_open(const struct weir_monitor_options *options,
                      struct weir_monitor **monitor_r)
{
    struct weir_settings_report report = weir_settings_report_stderr();
    struct weir_monitor *monitor = make(options);
    int done = WEIR_ENOMEM;

    if (!monitor)
        return WEIR_ENOMEM;
    monitor->arena = weir_arena_new(ARENA_FIRST);
    if (monitor->arena && sodium_init() >= 0)
        done = weir_config_load(options->config_path, monitor->arena, &report, &monitor->config);
    if (done == 0) {
        open_log(monitor);
        done = open_parts(monitor);
        flush_log(monitor);
    }
    if (done < 0)
        weir_monitor_close(&monitor);
    else
        *monitor_r = monitor;
    return done;
}

/* Doors first, so that nobody comes in while the rest goes. */
void weir_monitor_close(struct weir_monitor **closing)
{
    struct weir_monitor *monitor = closing ? *closing : NULL;

    if (!monitor)
        return;
    weir_admin_close(monitor);
    weir_intake_close(&monitor->intake);
    if (monitor->receiver)
        (void)weir_receiver_store(monitor->receiver);
    if (monitor->admit)
        (void)weir_admit_store(monitor->admit);
    weir_receiver_free(&monitor->receiver);
    weir_watch_free(&monitor->watch);
    weir_responder_free(&monitor->responder);
    weir_alerts_close(&monitor->alerts);
    weir_spared_free(&monitor->spared);
    weir_lists_free(&monitor->lists);
    weir_admit_free(&monitor->admit);
    weir_certificate_free(&monitor->certificate);
    weir_orders_free(&monitor->orders);
    weir_policy_free(&monitor->policy);
    weir_database_free(&monitor->database);
    if (monitor->signals >= 0)
        close(monitor->signals);
    if (monitor->wake >= 0)
        close(monitor->wake);
    weir_notify_close(&monitor->notify);
    if (monitor->log.program)
        weir_daemon_log_end(&monitor->log);
    weir_arena_free(&monitor->arena);
    pthread_mutex_destroy(&monitor->lock);
    pthread_mutex_destroy(&monitor->log_lock);
    free(monitor);
    *closing = NULL;
}

/* the loop ----------------------------------------------------------------------- */

static void respond(struct weir_monitor *monitor, weir_time now)
{
    weir_time certain = weir_receiver_certain(monitor->receiver, now,
                                              monitor->config.monitor_silence);
    uint64_t booked;
    int done;

    if (certain > 0) {
        weir_receiver_lock(monitor->receiver);
        weir_watch_advance(monitor->watch, certain);
        weir_receiver_unlock(monitor->receiver);
    }
    pthread_mutex_lock(&monitor->lock);
    booked = weir_receiver_booked(monitor->receiver);
    done = weir_responder_turn(monitor->responder, booked, now);
    if (done < 0)
        tell_trouble(monitor, "events wait", done);
    pthread_mutex_unlock(&monitor->lock);
}

static void store(struct weir_monitor *monitor, weir_time steady)
{
    int done;

    if (steady - monitor->stored < STORE_EVERY)
        return;
    monitor->stored = steady;
    pthread_mutex_lock(&monitor->lock);
    done = weir_receiver_store(monitor->receiver);
    if (done < 0)
        tell_trouble(monitor, "the database is not written", done);
    if (done == 0 && (done = weir_admit_store(monitor->admit)) < 0)
        tell_trouble(monitor, "servers are not written", done);
    pthread_mutex_unlock(&monitor->lock);
    if (weir_receiver_sync(monitor->receiver) < 0)
        tell_trouble(monitor, "the journal is not durable", WEIR_EIO);
}

static void retain(struct weir_monitor *monitor, weir_time now, weir_time steady)
{
    const struct weir_retention retention = {
        .minutes = monitor->config.monitor_minutes,
        .addresses = 366 * WEIR_DAY,
        .streams = 30 * WEIR_DAY,
        .ladder = MEMORY,
        .events = 366 * WEIR_DAY,
        .decisions = 366 * WEIR_DAY,
        .audit = 3 * 366 * WEIR_DAY,
        .octets_most = (uint64_t)monitor->config.monitor_database_size,
        .rows = 2000,
    };
    struct weir_forgotten forgotten = {0};

    if (steady - monitor->retained < RETAIN_EVERY)
        return;
    pthread_mutex_lock(&monitor->lock);
    if (weir_receiver_forget(monitor->receiver, now) < 0 ||
        weir_database_retain(monitor->database, &retention, now, &forgotten) < 0)
        tell_trouble(monitor, "nothing could be forgotten", WEIR_ECORRUPT);
    pthread_mutex_unlock(&monitor->lock);
    monitor->retained = forgotten.more ? steady - RETAIN_EVERY + WEIR_SECOND : steady;
}

static void wait_for_something(struct weir_monitor *monitor)
{
    struct pollfd files[] = {{.fd = monitor->signals, .events = POLLIN},
                             {.fd = monitor->wake, .events = POLLIN}};
    bool reload = false;
    uint64_t wakes;

    (void)poll(files, 2, LOOP);
    (void)!read(monitor->wake, &wakes, sizeof wakes);
    weir_signals_read(monitor->signals, &reload, &monitor->stop);
    if (reload)
        weir_log(&monitor->shared_log, WEIR_LOG_WARNING,
                 "a new configuration is read at the next start; thresholds change by weirctl");
}

int weir_monitor_run(struct weir_monitor *monitor)
{
    monitor->notify = weir_notify_open();
    weir_notify_ready(&monitor->notify);
    while (!monitor->stop) {
        weir_time now = weir_clock_now(&monitor->wall);
        weir_time steady = weir_clock_now(&monitor->steady);

        respond(monitor, now);
        store(monitor, steady);
        retain(monitor, now, steady);
        weir_intake_tick(monitor->intake, steady);
        weir_notify_alive(&monitor->notify, steady);
        flush_log(monitor);
        wait_for_something(monitor);
    }
    weir_notify_stopping(&monitor->notify);
    weir_log(&monitor->shared_log, WEIR_LOG_INFO, "stopping");
    return 0;
}
