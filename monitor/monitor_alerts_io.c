/*
 * How analysts are told: alerts with the names of servers and the console's address, silences
 * under which they are not, and others, when nobody acknowledged an alert.
 */
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "monitor/monitor_impl.h"
#include "monitor/threshold/template_io.h"

/* silences ------------------------------------------------------------------------ */

int weir_monitor_read_silences(struct weir_monitor *monitor)
{
    return weir_alert_silences_read(monitor->database, weir_clock_now(&monitor->wall),
                                    &monitor->silences);
}

void weir_monitor_event_servers(struct weir_monitor *monitor, const struct weir_event *event,
                                char names_r[static WEIR_ALERT_NAMES_MAX + 1])
{
    uint32_t bits = (uint32_t)(event->servers | event->servers >> 32);

    if (event->server > 0)
        bits = UINT32_C(1) << event->server % 32;
    names_r[0] = '\0';
    if (monitor->admit)
        (void)weir_admit_names(monitor->admit, bits, names_r, WEIR_ALERT_NAMES_MAX + 1);
}

int64_t weir_monitor_silence(void *context, const struct weir_alert *alert)
{
    struct weir_monitor *monitor = context;
    char names[WEIR_ALERT_NAMES_MAX + 1] = "";
    const struct weir_alert_about about = {.prefix = &alert->prefix,
                                           .threshold = alert->class_name,
                                           .kind = "threshold", .servers = names};
    const struct weir_silenced *silence;

    if (monitor->silences.count == 0)
        return 0;
    if (monitor->admit)
        (void)weir_admit_names(monitor->admit, alert->servers, names, sizeof names);
    silence = weir_alert_silence_find(&monitor->silences, &about, weir_clock_now(&monitor->wall));
    return silence ? silence->number : 0;
}

/* alerts -------------------------------------------------------------------------- */

void weir_monitor_alert(void *context, const struct weir_alert *alert)
{
    struct weir_monitor *monitor = context;
    struct weir_alert named = *alert;

    if (monitor->admit)
        (void)weir_admit_names(monitor->admit, named.servers, named.names, sizeof named.names);
    weir_alerts_add(monitor->alerts, &named);
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
        .mail = config->alert_mail,
        .sendmail = config->sendmail,
        .webhook = config->alert_webhook,
        .console = console_of(config, console),
        .mail_template = monitor->templates.mail,
        .webhook_template = monitor->templates.webhook,
        .window = config->alert_window,
        .hour_most = (unsigned)config->alert_hour,
    };
    int done = weir_monitor_read_silences(monitor);

    return done < 0 ? done : weir_alerts_open(&options, &monitor->shared_log, &monitor->alerts);
}

/* escalation ---------------------------------------------------------------------- */

static int64_t silence_of(void *context, const struct weir_event *event)
{
    struct weir_monitor *monitor = context;
    char names[WEIR_ALERT_NAMES_MAX + 1];
    const struct weir_silenced *silence;

    if (monitor->silences.count == 0)
        return 0;
    weir_monitor_event_servers(monitor, event, names);
    silence = weir_alert_silence_event(&monitor->silences, event, names,
                                       weir_clock_now(&monitor->wall));
    return silence ? silence->number : 0;
}

static void servers_of(void *context, const struct weir_event *event,
                       char names_r[static WEIR_ALERT_NAMES_MAX + 1])
{
    weir_monitor_event_servers(context, event, names_r);
}

int weir_monitor_open_escalation(struct weir_monitor *monitor)
{
    const struct weir_config *config = &monitor->config;
    char console[WEIR_ALERT_CONSOLE_MAX + 1];
    const struct weir_escalation_options options = {
        .alerts = {.mail = config->escalate_mail,
                   .sendmail = config->sendmail,
                   .webhook = config->escalate_webhook,
                   .console = console_of(config, console),
                   .mail_template = monitor->templates.mail,
                   .webhook_template = monitor->templates.escalation,
                   .window = config->alert_window,
                   .hour_most = (unsigned)config->alert_hour},
        .after = config->escalate_after,
        .most = (unsigned)config->escalate_most,
        .silence = silence_of,
        .servers = servers_of,
        .context = monitor,
    };

    struct weir_escalation *escalation = NULL;
    int done;

    if (!config->escalate_mail[0] && !config->escalate_webhook[0])
        return 0;
    done = weir_escalation_open(&options, &monitor->shared_log, &escalation);
    pthread_mutex_lock(&monitor->lock); /* doors are open already */
    monitor->escalation = escalation;
    pthread_mutex_unlock(&monitor->lock);
    return done;
}

void weir_monitor_escalate(struct weir_monitor *monitor, weir_time now, weir_time steady)
{
    int done;

    if (!monitor->escalation)
        return;
    pthread_mutex_lock(&monitor->lock);
    done = weir_escalation_turn(monitor->escalation, monitor->database, now, steady);
    weir_monitor_note(monitor, WEIR_TASK_ESCALATE, done);
    pthread_mutex_unlock(&monitor->lock);
}

void weir_monitor_close_escalation(struct weir_monitor *monitor)
{
    if (!monitor->escalation)
        return;
    weir_escalation_stop(monitor->escalation);
    pthread_mutex_lock(&monitor->lock);
    weir_escalation_close(&monitor->escalation, monitor->database,
                          weir_clock_now(&monitor->wall));
    pthread_mutex_unlock(&monitor->lock);
}
