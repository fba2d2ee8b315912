/*
 * How analysts are told: alerts with the names of servers and the console's address, silences
 * under which they are not, and others, when nobody acknowledged an alert; and the turn in which
 * what is owed goes to the ways that tell it.
 */
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "monitor/monitor_impl.h"
#include "monitor/threshold/template_io.h"

#define TURN_EVERY (WEIR_SECOND / 10)
#define TROUBLED_FOR (2 * WEIR_SECOND) /* more than that, when the database cannot be written */
#define ESCALATE_EVERY WEIR_SECOND
#define SERVERS_EVERY (5 * WEIR_SECOND) /* between looks at who sees what one server alone saw */

/* silences ------------------------------------------------------------------------ */

int weir_monitor_read_silences(struct weir_monitor *monitor)
{
    return weir_alert_silences_read(monitor->database, weir_clock_now(&monitor->wall),
                                    &monitor->silences);
}

static void names_of(struct weir_monitor *monitor, uint32_t servers,
                     char names_r[static WEIR_ALERT_NAMES_MAX + 1])
{
    names_r[0] = '\0';
    if (monitor->admit)
        (void)weir_admit_names(monitor->admit, servers, names_r, WEIR_ALERT_NAMES_MAX + 1);
}

void weir_monitor_event_servers(struct weir_monitor *monitor, const struct weir_event *event,
                                char names_r[static WEIR_ALERT_NAMES_MAX + 1])
{
    uint32_t bits = (uint32_t)(event->servers | event->servers >> 32);

    if (event->server > 0)
        bits = UINT32_C(1) << event->server % 32;
    names_of(monitor, bits, names_r);
}

static const struct weir_silenced *find_silence(struct weir_monitor *monitor,
                                                const struct weir_alert *alert, weir_time now)
{
    char names[WEIR_ALERT_NAMES_MAX + 1];
    const struct weir_alert_about about = {.prefix = &alert->prefix,
                                           .threshold = alert->class_name,
                                           .kind = "threshold", .servers = names};

    names_of(monitor, alert->servers, names);
    return weir_alert_silence_find(&monitor->silences, &about, now);
}

/* One that names a server holds for what no other has seen, which only the watch knows. */
static int64_t silence_of(void *context, struct weir_alert *alert, weir_time *look_r)
{
    struct weir_monitor *monitor = context;
    weir_time now = weir_clock_now(&monitor->wall);
    const struct weir_silenced *silence = NULL;

    if (monitor->silences.count > 0)
        silence = find_silence(monitor, alert, now);
    if (silence && silence->server[0]) {
        alert->servers |= weir_monitor_standing(monitor, &alert->prefix).seen;
        silence = find_silence(monitor, alert, now);
    }
    if (!silence)
        return 0;
    *look_r = silence->ends;
    return silence->number;
}

/* alerts -------------------------------------------------------------------------- */

static void name(void *context, struct weir_alert *alert)
{
    names_of(context, alert->servers, alert->names);
}

static struct weir_owed_about about_of(struct weir_monitor *monitor)
{
    return (struct weir_owed_about){.silence = silence_of, .name = name, .context = monitor};
}

int weir_monitor_owe(void *context, struct weir_alert *alert)
{
    struct weir_monitor *monitor = context;
    const struct weir_owed_about about = about_of(monitor);

    return weir_alerts_owe(monitor->alerts, monitor->database, &about, alert,
                           weir_clock_now(&monitor->wall));
}

void weir_monitor_alert(void *context, const struct weir_alert *alert)
{
    struct weir_monitor *monitor = context;
    struct weir_alert named = *alert;

    name(monitor, &named);
    weir_alerts_log(monitor->alerts, &named);
}

void weir_monitor_free_templates(struct weir_monitor_templates *templates)
{
    weir_template_free(&templates->mail);
    weir_template_free(&templates->webhook);
    weir_template_free(&templates->escalation);
}

int weir_monitor_read_templates(struct weir_monitor *monitor, const struct weir_config *config,
                                struct weir_arena *arena, struct weir_monitor_templates *read_r)
{
    struct weir_monitor_templates read = {NULL, NULL, NULL};
    const struct {
        const char *file;
        enum weir_template_use use;
        struct weir_template **template;
    } of[] = {{config->alert_mail_template, WEIR_TEMPLATE_MAIL, &read.mail},
              {config->alert_webhook_template, WEIR_TEMPLATE_WEBHOOK, &read.webhook},
              {config->escalate_template, WEIR_TEMPLATE_WEBHOOK, &read.escalation}};
    int done = 0;

    for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
        const char *path = of[i].file[0] ? weir_config_path(config, of[i].file, arena) : "";
        int one = path ? weir_template_read(path, of[i].use, &monitor->shared_log, of[i].template)
                       : WEIR_ENOMEM;

        done = done < 0 ? done : one;
    }
    if (done < 0)
        weir_monitor_free_templates(&read);
    *read_r = read;
    return done;
}

/* What alerts link to. */
static const char *console_of(const struct weir_config *config,
                              char buffer[static WEIR_ALERT_CONSOLE_MAX + 1])
{
    char host[128] = "localhost";

    (void)gethostname(host, sizeof host - 1);
    return weir_alert_console(config->console_url, config->console_listen,
                              config->console_key[0] != '\0', host, buffer);
}

int weir_monitor_open_alerts(struct weir_monitor *monitor)
{
    const struct weir_config *config = &monitor->config;
    char console[WEIR_ALERT_CONSOLE_MAX + 1];
    const struct weir_alerts_options options = {
        .what = "alerts",
        .setting = "alert",
        .way = WEIR_OWED_MAIL,
        .mail = config->alert_mail,
        .sendmail = config->sendmail,
        .webhook = config->alert_webhook,
        .console = console_of(config, console),
        .mail_template = monitor->templates.mail,
        .webhook_template = monitor->templates.webhook,
        .window = config->alert_window,
        .hour_most = (unsigned)config->alert_hour,
        .wake = monitor->wake,
    };
    int done = weir_monitor_read_silences(monitor);

    return done < 0 ? done : weir_alerts_open(&options, &monitor->shared_log, &monitor->alerts);
}

/* Doors are open already when it is opened first. */
int weir_monitor_open_escalation(struct weir_monitor *monitor)
{
    const struct weir_config *config = &monitor->config;
    char console[WEIR_ALERT_CONSOLE_MAX + 1];
    const struct weir_alerts_options options = {
        .what = "alerts nobody acknowledged",
        .setting = "escalate",
        .way = WEIR_OWED_AGAIN_MAIL,
        .mail = config->escalate_mail,
        .sendmail = config->sendmail,
        .webhook = config->escalate_webhook,
        .console = console_of(config, console),
        .mail_template = monitor->templates.mail,
        .webhook_template = monitor->templates.escalation,
        .window = config->alert_window,
        .hour_most = (unsigned)config->alert_hour,
        .wake = monitor->wake,
    };
    struct weir_alerts *again = NULL;
    int done = weir_alerts_open(&options, &monitor->shared_log, &again);

    pthread_mutex_lock(&monitor->lock);
    monitor->again = again;
    pthread_mutex_unlock(&monitor->lock);
    return done;
}

/* the turn ------------------------------------------------------------------------ */

/* With the lock. */
static int escalate(struct weir_monitor *monitor, const struct weir_owed_about *about,
                    weir_time now, weir_time steady)
{
    const struct weir_escalation escalation = {.alerts = monitor->again, .about = about,
                                               .after = monitor->config.escalate_after,
                                               .most = (unsigned)monitor->config.escalate_most};

    if (!weir_alerts_any(monitor->again) || steady - monitor->escalated < ESCALATE_EVERY)
        return 0;
    monitor->escalated = steady;
    return weir_escalation_look(&escalation, monitor->database, now);
}

static bool any_names_a_server(const struct weir_alert_silences *silences)
{
    for (size_t i = 0; i < silences->count; i++)
        if (silences->silence[i].server[0])
            return true;
    return false;
}

/* With the lock.  Whether another server sees what a silence of one holds: nothing tells that, and
 * a look at each of many thousands writes nothing where nothing has changed. */
static int sweep(struct weir_monitor *monitor, const struct weir_owed_about *about, weir_time now,
                 weir_time steady)
{
    if (monitor->sweeping == 0) {
        if (steady - monitor->swept < SERVERS_EVERY || !any_names_a_server(&monitor->silences))
            return 0;
        monitor->swept = steady;
    }
    return weir_owed_sweep(monitor->database, about, now, &monitor->sweeping);
}

/* With the lock. */
static int turn(struct weir_monitor *monitor, weir_time now, enum weir_alerts_turn how)
{
    const struct weir_owed_about about = about_of(monitor);
    int done = weir_alerts_turn(monitor->alerts, monitor->database, &about, now, how), again = 0;

    if (monitor->again)
        again = weir_alerts_turn(monitor->again, monitor->database, &about, now, how);
    return done < 0 ? done : again;
}

/* What was handed over is noted at once: a kill before that tells it again. */
static bool is_due(struct weir_monitor *monitor, weir_time steady)
{
    if (steady - monitor->told >= TURN_EVERY)
        return true;
    return steady >= monitor->told && (weir_alerts_ended(monitor->alerts) ||
                                       (monitor->again && weir_alerts_ended(monitor->again)));
}

void weir_monitor_tell(struct weir_monitor *monitor, weir_time now, weir_time steady)
{
    const struct weir_owed_about about = about_of(monitor);
    int looked, swept, escalated = 0, told, done;

    weir_alerts_tick(monitor->alerts);
    if (monitor->again)
        weir_alerts_tick(monitor->again);
    if (!is_due(monitor, steady))
        return;
    monitor->told = steady;
    pthread_mutex_lock(&monitor->lock);
    looked = weir_owed_look(monitor->database, &about, now);
    swept = sweep(monitor, &about, now, steady);
    looked = looked < 0 ? looked : swept;
    if (monitor->again)
        escalated = escalate(monitor, &about, now, steady);
    told = turn(monitor, now, WEIR_ALERTS_GO_ON);
    done = looked < 0 ? looked : escalated < 0 ? escalated : told;
    weir_monitor_note(monitor, WEIR_TASK_ALERTS, done);
    pthread_mutex_unlock(&monitor->lock);
    if (done < 0) /* each time is a line in the log */
        monitor->told = steady + TROUBLED_FOR;
}

/* closing ------------------------------------------------------------------------- */

/* What others are told by now is noted first, so that the next ones do not tell it again. */
void weir_monitor_end_alerts(struct weir_monitor *monitor, struct weir_alerts **alerts)
{
    const struct weir_owed_about about = about_of(monitor);
    struct weir_alerts *ending = *alerts;

    if (!ending)
        return;
    weir_alerts_hurry(ending);
    weir_alerts_wait(ending);
    pthread_mutex_lock(&monitor->lock);
    *alerts = NULL; /* doors count them */
    (void)weir_alerts_turn(ending, monitor->database, &about, weir_clock_now(&monitor->wall),
                           WEIR_ALERTS_NOTE);
    pthread_mutex_unlock(&monitor->lock);
    weir_alerts_close(&ending);
}

static void wait_for_ways(struct weir_monitor *monitor)
{
    weir_alerts_wait(monitor->alerts);
    if (monitor->again)
        weir_alerts_wait(monitor->again);
}

/* All ways at once, so that they take the time of one.  A monitor that never ran tells nothing. */
void weir_monitor_close_alerts(struct weir_monitor *monitor)
{
    const bool ran = monitor->stop && monitor->alerts;

    if (ran) {
        weir_alerts_hurry(monitor->alerts);
        if (monitor->again)
            weir_alerts_hurry(monitor->again);
        wait_for_ways(monitor);
        pthread_mutex_lock(&monitor->lock);
        (void)turn(monitor, weir_clock_now(&monitor->wall), WEIR_ALERTS_LAST);
        pthread_mutex_unlock(&monitor->lock);
        wait_for_ways(monitor);
        pthread_mutex_lock(&monitor->lock);
        (void)turn(monitor, weir_clock_now(&monitor->wall), WEIR_ALERTS_NOTE);
        weir_alerts_tell_untold(monitor->alerts, monitor->database);
        if (monitor->again)
            weir_alerts_tell_untold(monitor->again, monitor->database);
        pthread_mutex_unlock(&monitor->lock);
    }
    weir_alerts_close(&monitor->again);
    weir_alerts_close(&monitor->alerts);
}
