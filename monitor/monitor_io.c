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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <sodium.h>

#include "core/base/error.h"
#include "core/base/lock_io.h"
#include "core/engine/info_keys_io.h"
#include "core/program/signals_io.h"
#include "monitor/monitor_accounts_io.h"
#include "monitor/monitor_admin_io.h"
#include "monitor/monitor_bayes_io.h"
#include "monitor/database/database_retention_io.h"
#include "monitor/intake/lines.h"
#include "monitor/database/database_servers_io.h"
#include "monitor/monitor_impl.h"
#include "monitor/monitor_look_io.h"
#include "monitor/monitor_rulebook_io.h"

#define ARENA_FIRST 8192
#define PATH_MOST 4096
#define ROWS 1500000             /* of one table of minutes: at most 176 MB, when all are used */
#define LOOP 200                 /* ms between two looks at the clock */
#define BETWEEN 2                /* ms between two pieces that are stored */
#define STORE_EVERY WEIR_SECOND
#define RETAIN_EVERY (10 * WEIR_SECOND)

/* log -------------------------------------------------------------------------- */

static void log_line(void *context, enum weir_log_level level, const char *line)
{
    struct weir_monitor *monitor = context;

    pthread_mutex_lock(&monitor->log_lock);
    if (level <= monitor->log.log.most)
        monitor->log.log.write(monitor->log.log.context, level, line);
    pthread_mutex_unlock(&monitor->log_lock);
}

/* Also after a reload. */
void weir_monitor_use_log(struct weir_monitor *monitor)
{
    if (monitor->options.debug || monitor->options.test)
        monitor->config.log = WEIR_LOG_STDERR;
    if (monitor->options.debug)
        monitor->config.log_level = WEIR_LOG_DEBUG;
    pthread_mutex_lock(&monitor->log_lock);
    weir_daemon_log_use(&monitor->log, monitor->options.program, &monitor->config);
    pthread_mutex_unlock(&monitor->log_lock);
}

static void flush_log(struct weir_monitor *monitor)
{
    pthread_mutex_lock(&monitor->log_lock);
    weir_daemon_log_flush(&monitor->log);
    pthread_mutex_unlock(&monitor->log_lock);
}

static const char *reason(const struct weir_monitor *monitor, int error)
{
    return error == WEIR_EIO      ? strerror(errno)
           : error == WEIR_ENOMEM ? weir_error_text(error)
                                  : weir_database_why(monitor->database);
}

void weir_monitor_trouble(struct weir_monitor *monitor, const char *what, int error)
{
    weir_log(&monitor->shared_log, WEIR_LOG_ERROR, "%s: %s", what, reason(monitor, error));
}

void weir_monitor_note(struct weir_monitor *monitor, enum weir_monitor_task task, int done)
{
    static const char *const what[] = {
        [WEIR_TASK_EVENTS] = "events wait",
        [WEIR_TASK_MINUTES] = "the database is not written",
        [WEIR_TASK_SERVERS] = "servers are not written",
        [WEIR_TASK_FORGET] = "nothing could be forgotten",
        [WEIR_TASK_SYNC] = "the journal is not durable",
        [WEIR_TASK_ANALYZE] = "rules are not analyzed",
        [WEIR_TASK_PUBLISH] = "no rule set is published",
        [WEIR_TASK_ALERTS] = "alerts are not told",
    };
    char *trouble = monitor->trouble[task];

    trouble[0] = '\0';
    if (done >= 0)
        return;
    snprintf(trouble, WEIR_TROUBLE, "%s: %s", what[task], reason(monitor, done));
    weir_log(&monitor->shared_log, WEIR_LOG_ERROR, "%s", trouble);
}

/* opening ------------------------------------------------------------------------ */

/* A lock that ends with the process: two monitors at one database would each decide. */
static int lock_database(struct weir_monitor *monitor, const char *path)
{
    char name[PATH_MOST];
    int len = snprintf(name, sizeof name, "%s.lock", path);

    if (len < 0 || (size_t)len >= sizeof name)
        return WEIR_ELIMIT;
    monitor->alone = weir_lock_take(name, 0640, false);
    if (monitor->alone == WEIR_EBUSY) {
        weir_log(&monitor->shared_log, WEIR_LOG_ERROR, "%s: another weir-monitor is at work with "
                 "it", path);
        return WEIR_EIO;
    }
    if (monitor->alone < 0) /* a full disk, perhaps: the journal's lock is behind it */
        weir_log(&monitor->shared_log, WEIR_LOG_WARNING, "%s: %s", name, strerror(errno));
    return 0;
}

static int open_database(struct weir_monitor *monitor)
{
    const struct weir_config *config = &monitor->config;
    const char *path = weir_config_path(config, config->monitor_database, monitor->arena);
    const struct weir_database_options options = {.path = path};
    char why[WEIR_DATABASE_WHY] = "memory is short";
    weir_time retained = 0;
    int done = path ? lock_database(monitor, path) : WEIR_ENOMEM;

    if (done < 0)
        return done;
    done = weir_database_open(&options, why, &monitor->database);
    if (done < 0) {
        weir_log(&monitor->shared_log, WEIR_LOG_ERROR, "%s", why);
        return done;
    }
    done = weir_database_retained(monitor->database, &retained);
    if (done == 0) /* seen by a clock that was ahead: else the dead are seen until it is there */
        done = weir_database_servers_rebase(monitor->database, weir_clock_now(&monitor->wall));
    monitor->settled = weir_settled_begin(retained);
    monitor->untimely = retained == 0; /* a new one is in no doubt of what it has not */
    done = done < 0 ? done : weir_accounts_tell_unowned(monitor);
    done = done < 0 ? done : weir_orders_open(path, &monitor->shared_log, &monitor->orders);
    return done < 0 ? done : weir_ballots_open(path, &monitor->shared_log, &monitor->ballots);
}

/* Whatever came of the journal is written before it counts as stored. */
static int settle(void *context, uint64_t position)
{
    struct weir_monitor *monitor = context;

    int done = weir_responder_finish(monitor->responder, position,
                                     weir_clock_now(&monitor->wall));

    return done < 0 ? done
                    : weir_counting_store(monitor->counting, weir_clock_now(&monitor->sound));
}

static int end_replay(struct weir_monitor *monitor)
{
    return weir_responder_replayed(monitor->responder, monitor->booking);
}

/* Without keys nothing is believed, and all of it counted as unknown: the rest works. */
static int open_counting(struct weir_monitor *monitor)
{
    const struct weir_config *config = &monitor->config;
    const char *path = weir_config_path(config, config->info_key_file, monitor->arena);
    struct weir_counting_options options = {
        .database = monitor->database,
        .log = &monitor->shared_log,
        .counters = {.reputation = config->reputation,
                     .key_file = weir_config_path(config, config->key_file, monitor->arena),
                     .most = (uint64_t)config->monitor_counters},
        .messages = (uint32_t)config->monitor_messages,
        .hits = weir_hits_defaults(config->spam_score, config->unsure_score),
        .reports = {.user_day = (uint64_t)config->reports_user_day,
                    .server_day = (uint64_t)config->reports_server_day},
    };
    char why[WEIR_INFO_KEYS_WHY];
    int done;

    if (!path)
        return WEIR_ENOMEM;
    if (weir_info_keys_file(path, &options.keys, why) < 0)
        weir_log(&monitor->shared_log, WEIR_LOG_ERROR, "%s: %s: decisions of servers are not "
                 "counted", path, why);
    options.hits.key = monitor->key;
    done = weir_texts_new(&options.keys, monitor->database, config->reports_text_kept,
                          &monitor->texts);
    options.taker[options.takers++] =
        (struct weir_gather_taker){WEIR_TEXTS_KIND, weir_texts_take, monitor->texts};
    done = done < 0 ? done : weir_monitor_open_training(monitor, &options.keys);
    options.training = monitor->training;
    done = done < 0 ? done : weir_counting_open(&options, &monitor->counting);
    explicit_bzero(&options.keys, sizeof options.keys);
    return done;
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
        .counting = monitor->counting,
        .sound = monitor->sound,
        .now = weir_clock_now(&monitor->wall),
        .booking = &monitor->booking,
        .settle = settle,
        .recent = monitor->recent,
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
        open_database,           weir_monitor_open_policy,   open_spared,
        weir_monitor_spare,      weir_monitor_open_alerts,   weir_monitor_open_watch,
        weir_monitor_restore,    weir_monitor_open_recent,   open_counting,
        open_receiver,           end_replay,                 weir_monitor_open_door,
        weir_rulebook_open,      weir_accounts_open,         weir_admin_open,
        weir_monitor_open_console, weir_monitor_open_escalation,
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
    monitor->signals = monitor->wake = monitor->notify.fd = monitor->alone = -1;
    monitor->wall = weir_clock_system();
    monitor->steady = weir_clock_steady();
    monitor->shared_log =
        (struct weir_log){.write = log_line, .context = monitor, .most = WEIR_LOG_DEBUG};
    pthread_mutex_init(&monitor->lock, NULL);
    pthread_mutex_init(&monitor->log_lock, NULL);
    pthread_mutex_init(&monitor->adding, NULL);
    weir_monitor_sound_open(monitor);
    return monitor;
}

/* Reads the configuration and looks at what it names. */
static int begin(const struct weir_monitor_options *options, struct weir_monitor **monitor_r)
{
    struct weir_settings_report report = weir_settings_report_stderr();
    struct weir_monitor *monitor = make(options);
    int done = WEIR_ENOMEM;

    if (!monitor)
        return WEIR_ENOMEM;
    *monitor_r = monitor;
    monitor->arena = weir_arena_new(ARENA_FIRST);
    if (monitor->arena && sodium_init() >= 0)
        done = weir_monitor_load(options->config_path, monitor->arena, &report, &monitor->config);
    if (done < 0)
        return done;
    weir_monitor_use_log(monitor);
    return weir_monitor_check(monitor);
}

int weir_monitor_test(const struct weir_monitor_options *options)
{
    struct weir_monitor *monitor = NULL;
    int done = begin(options, &monitor);

    weir_monitor_close(&monitor);
    return done;
}

int weir_monitor_open(const struct weir_monitor_options *options,
                      struct weir_monitor **monitor_r)
{
    struct weir_monitor *monitor = NULL;
    int done = begin(options, &monitor);

    if (done == 0) {
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
    weir_monitor_close_console(monitor);
    weir_admin_close(monitor);
    weir_accounts_close(monitor);
    weir_rulebook_close(monitor);
    weir_patches_stop(monitor->patches); /* it wakes the intake */
    weir_intake_close(&monitor->intake);
    if (monitor->receiver)
        (void)weir_receiver_store(monitor->receiver);
    if (monitor->admit)
        (void)weir_admit_store(monitor->admit);
    weir_receiver_free(&monitor->receiver);
    weir_recent_free(&monitor->recent);
    weir_counting_free(&monitor->counting);
    weir_texts_free(&monitor->texts);
    weir_training_free(&monitor->training);
    weir_watch_free(&monitor->watch);
    weir_responder_free(&monitor->responder);
    weir_monitor_close_alerts(monitor);
    weir_monitor_free_templates(&monitor->templates);
    weir_alert_silences_free(&monitor->silences);
    weir_spared_free(&monitor->spared);
    weir_lists_free(&monitor->lists);
    weir_admit_free(&monitor->admit);
    weir_certificate_free(&monitor->certificate);
    weir_orders_free(&monitor->orders);
    weir_ballots_free(&monitor->ballots);
    weir_publisher_free(&monitor->publisher);
    weir_patches_free(&monitor->patches);
    weir_policy_free(&monitor->policy);
    weir_database_free(&monitor->database);
    if (monitor->signals >= 0)
        close(monitor->signals);
    if (monitor->wake >= 0)
        close(monitor->wake);
    if (monitor->alone >= 0)
        close(monitor->alone);
    weir_notify_close(&monitor->notify);
    if (monitor->log.program)
        weir_daemon_log_end(&monitor->log);
    weir_arena_free(&monitor->reloaded);
    weir_arena_free(&monitor->arena);
    pthread_mutex_destroy(&monitor->lock);
    pthread_mutex_destroy(&monitor->log_lock);
    pthread_mutex_destroy(&monitor->adding);
    weir_monitor_sound_close(monitor);
    free(monitor);
    *closing = NULL;
}

/* the loop ----------------------------------------------------------------------- */

static bool is_known(void *context, uint32_t server)
{
    return weir_admit_knows(context, server);
}

/* What can have ended by now has ended. */
static void advance(struct weir_monitor *monitor, weir_time now)
{
    weir_time silence = monitor->config.monitor_silence;
    uint32_t silent = weir_receiver_silent(monitor->receiver, now, silence, is_known,
                                           monitor->admit);
    weir_time certain = weir_receiver_certain(monitor->receiver, now, silence);

    atomic_store(&monitor->silent, silent);
    weir_receiver_lock(monitor->receiver);
    weir_watch_blind(monitor->watch, weir_admit_blind_bits(monitor->admit, now) | silent);
    if (certain > 0)
        weir_watch_advance(monitor->watch, certain);
    weir_receiver_unlock(monitor->receiver);
}

static void respond(struct weir_monitor *monitor, weir_time now)
{
    uint64_t booked;
    int done;

    advance(monitor, now);
    pthread_mutex_lock(&monitor->lock);
    booked = weir_receiver_booked(monitor->receiver);
    done = weir_responder_turn(monitor->responder, booked, now);
    weir_monitor_note(monitor, WEIR_TASK_EVENTS, done);
    pthread_mutex_unlock(&monitor->lock);
}

/* A piece of much, or all of little; others are let in between two pieces. */
static void store(struct weir_monitor *monitor, weir_time steady)
{
    bool all = steady - monitor->stored >= STORE_EVERY;
    int done;

    if (!all && !monitor->storing)
        return;
    pthread_mutex_lock(&monitor->lock);
    done = weir_receiver_store_piece(monitor->receiver);
    monitor->storing = done > 0;
    if (done >= 0 && (done = weir_counting_fold(monitor->counting,
                                                weir_clock_now(&monitor->sound))) > 0)
        monitor->storing = true;
    weir_monitor_note(monitor, WEIR_TASK_MINUTES, done);
    monitor->storing |= weir_training_tidy(monitor->training) > 0;
    if (all && done >= 0)
        weir_monitor_note(monitor, WEIR_TASK_SERVERS, weir_admit_store(monitor->admit));
    pthread_mutex_unlock(&monitor->lock);
    if (!all)
        return;
    monitor->stored = steady;
    done = weir_receiver_sync(monitor->receiver); /* it waits for the disk: without the lock */
    pthread_mutex_lock(&monitor->lock);
    weir_monitor_note(monitor, WEIR_TASK_SYNC, done);
    pthread_mutex_unlock(&monitor->lock);
}

/* Whether the clock can say what is old; told when that changes.  Nobody else changes it, but the
 * analyzer's thread reads it. */
static bool is_timely(struct weir_monitor *monitor, weir_time now, weir_time steady,
                      weir_time step)
{
    bool timely = weir_settled(&monitor->settled, now, steady, step);

    if (timely != monitor->untimely)
        return timely;
    weir_log(&monitor->shared_log, timely ? WEIR_LOG_INFO : WEIR_LOG_WARNING, "%s",
             timely ? "the clock is trusted: what is old is forgotten from now on"
                    : "the clock is in doubt: nothing is forgotten by age before it has gone "
                      "evenly for an hour");
    pthread_mutex_lock(&monitor->lock);
    monitor->untimely = !timely;
    pthread_mutex_unlock(&monitor->lock);
    return timely;
}

static void retain(struct weir_monitor *monitor, weir_time now, weir_time steady, weir_time step)
{
    const bool timely = is_timely(monitor, now, steady, step);
    const struct weir_retention retention = {
        .minutes = monitor->config.monitor_minutes,
        .addresses = 366 * WEIR_DAY,
        .streams = WEIR_STREAMS_KEPT,
        .ladder = WEIR_MONITOR_MEMORY,
        .events = 366 * WEIR_DAY,
        .decisions = 366 * WEIR_DAY,
        .audit = 3 * 366 * WEIR_DAY,
        .history = 366 * WEIR_DAY,
        .reports = 366 * WEIR_DAY,
        .octets_most = (uint64_t)monitor->config.monitor_database_size,
        .rows = 2000,
        .untimely = !timely,
    };
    struct weir_forgotten forgotten = {0};
    unsigned held;
    bool done;

    if (steady - monitor->retained < RETAIN_EVERY)
        return;
    weir_monitor_rebase_counts(monitor, timely);
    pthread_mutex_lock(&monitor->lock);
    done = (!timely || weir_receiver_forget(monitor->receiver, now) >= 0) &&
           weir_database_retain(monitor->database, &retention, now, &forgotten) >= 0;
    weir_monitor_note(monitor, WEIR_TASK_FORGET, done ? 0 : WEIR_ECORRUPT);
    pthread_mutex_unlock(&monitor->lock);
    if (forgotten.early > 0 && weir_log_gate_open(&monitor->early_gate, now, WEIR_HOUR, &held))
        weir_log(&monitor->shared_log, WEIR_LOG_WARNING, "the database is larger than [monitor] "
                 "database_size: what is oldest is forgotten before its time (weirctl status says "
                 "how much)");
    monitor->retained = forgotten.more ? steady - RETAIN_EVERY + WEIR_SECOND : steady;
}

static void wait_for_something(struct weir_monitor *monitor)
{
    struct pollfd files[] = {{.fd = monitor->signals, .events = POLLIN},
                             {.fd = monitor->wake, .events = POLLIN}};
    bool reload = false;
    uint64_t wakes;

    (void)poll(files, 2, monitor->storing ? BETWEEN : LOOP);
    (void)!read(monitor->wake, &wakes, sizeof wakes);
    weir_signals_read(monitor->signals, &reload, &monitor->stop);
    if (reload && !monitor->stop)
        weir_monitor_reload(monitor);
}

int weir_monitor_run(struct weir_monitor *monitor)
{
    monitor->notify = weir_notify_open();
    weir_notify_ready(&monitor->notify);
    while (!monitor->stop) {
        weir_time now = weir_clock_now(&monitor->wall);
        weir_time steady = weir_clock_now(&monitor->steady);
        weir_time step = weir_monitor_look_at_clock(monitor, now, steady);

        respond(monitor, now);
        store(monitor, steady);
        retain(monitor, now, steady, step);
        weir_intake_tick(monitor->intake, steady);
        weir_monitor_tell(monitor, now, steady);
        weir_notify_alive(&monitor->notify, steady);
        flush_log(monitor);
        wait_for_something(monitor);
    }
    weir_notify_stopping(&monitor->notify);
    weir_log(&monitor->shared_log, WEIR_LOG_INFO, "stopping");
    return 0;
}
