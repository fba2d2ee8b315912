/*
 * A new configuration while the monitor runs.  It is read beside the one that is used, and takes
 * its place only when all of it can be used.  What was opened at the start - sockets, files, the
 * journal's size - stays as it is, and the log says so.
 */
#include <string.h>

#include "core/base/error.h"
#include "monitor/monitor_bayes_io.h"
#include "monitor/monitor_impl.h"

#define ARENA_FIRST 8192

/* Settings that hold for as long as the monitor runs. */
static const struct {
    const char *section, *name;
} fixed[] = {
    {"weir", "state_directory"}, {"weir", "lists_file"},    {"weir", "never"},
    {"monitor", "listen"},       {"monitor", "key"},        {"monitor", "certificate"},
    {"monitor", "admin"},        {"monitor", "database"},   {"monitor", "journal"},
    {"monitor", "journal_size"}, {"monitor", "rules_key"},  {"info", "key_file"},
    {"console", "listen"},       {"console", "url"},        {"console", "certificate"},
    {"console", "key"},
    {"message", "spam_score"},   {"message", "unsure_score"},
};

const char *weir_monitor_path(const struct weir_monitor *monitor)
{
    return monitor->options.config_path ? monitor->options.config_path : WEIR_CONFIG_PATH;
}

static bool is_fixed(const struct weir_setting *row)
{
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        if (strcmp(row->section, fixed[i].section) == 0 && strcmp(row->name, fixed[i].name) == 0)
            return true;
    return false;
}

/* Logs which of the new settings are for the next start.  0 or WEIR_ENOMEM. */
static int tell_fixed(struct weir_monitor *monitor, const struct weir_config *next,
                      struct weir_arena *arena)
{
    const struct weir_settings *settings = weir_config_settings();

    for (size_t i = 0; i < settings->count; i++) {
        const struct weir_setting *row = &settings->row[i];
        const char *before, *now;

        if (!is_fixed(row))
            continue;
        before = weir_setting_show(row, &monitor->config, arena);
        now = weir_setting_show(row, next, arena);
        if (!before || !now)
            return WEIR_ENOMEM;
        if (strcmp(before, now) != 0)
            weir_log(&monitor->shared_log, WEIR_LOG_WARNING,
                     "[%s] %s = %s is used from the next start on, until then %s", row->section,
                     row->name, now, before);
    }
    return 0;
}

/* What the new configuration takes the place of. */
struct old {
    struct weir_config config;
    struct weir_monitor_templates templates;
    struct weir_alerts *alerts;  /* NULL: they stay */
};

/* What a new configuration is, with what its files say. */
struct next {
    const struct weir_config *config;
    struct weir_monitor_templates templates;
};

static bool same_alerts(const struct weir_monitor *monitor, const struct next *next)
{
    const struct weir_config *a = &monitor->config, *b = next->config;

    return weir_template_same(monitor->templates.mail, next->templates.mail) &&
           weir_template_same(monitor->templates.webhook, next->templates.webhook) &&
           strcmp(a->alert_mail, b->alert_mail) == 0 && strcmp(a->sendmail, b->sendmail) == 0 &&
           strcmp(a->alert_webhook, b->alert_webhook) == 0 &&
           a->alert_window == b->alert_window && a->alert_hour == b->alert_hour;
}

/* When, and how often, is read at each look. */
static bool same_escalation(const struct weir_monitor *monitor, const struct old *old)
{
    const struct weir_config *a = &monitor->config, *b = &old->config;

    return weir_template_same(monitor->templates.mail, old->templates.mail) &&
           weir_template_same(monitor->templates.escalation, old->templates.escalation) &&
           strcmp(a->escalate_mail, b->escalate_mail) == 0 &&
           strcmp(a->escalate_webhook, b->escalate_webhook) == 0 &&
           strcmp(a->sendmail, b->sendmail) == 0 && a->alert_window == b->alert_window &&
           a->alert_hour == b->alert_hour;
}

static void use_escalation(struct weir_monitor *monitor, const struct old *old)
{
    int done;

    if (same_escalation(monitor, old))
        return;
    weir_monitor_end_alerts(monitor, &monitor->again);
    done = weir_monitor_open_escalation(monitor);
    if (done < 0)
        weir_log(&monitor->shared_log, WEIR_LOG_ERROR, "nobody is told again of alerts that are "
                 "not acknowledged: %s", weir_error_text(done));
}

/* With the database's lock.  0; or an error, and all is as it was. */
static int use(struct weir_monitor *monitor, const struct next *next, struct old *old_r)
{
    bool same = same_alerts(monitor, next);
    struct old old = {monitor->config, monitor->templates, same ? NULL : monitor->alerts};
    int done = 0;

    monitor->config = *next->config;
    monitor->templates = next->templates;
    monitor->config.spam_score = old.config.spam_score; /* hits are labelled by these */
    monitor->config.unsure_score = old.config.unsure_score;
    if (!same) {
        monitor->alerts = NULL;
        done = weir_monitor_open_alerts(monitor);
    }
    if (done == 0)
        done = weir_monitor_reread(monitor);
    if (done == 0) {
        *old_r = old;
        return 0;
    }
    monitor->config = old.config;
    monitor->templates = old.templates;
    if (!same) {
        weir_alerts_close(&monitor->alerts);
        monitor->alerts = old.alerts;
    }
    return done;
}

static int change(struct weir_monitor *monitor, struct weir_arena *arena,
                  struct next *next)
{
    const struct weir_reports_settings reports = {
        .user_day = (uint64_t)next->config->reports_user_day,
        .server_day = (uint64_t)next->config->reports_server_day};
    struct old old;
    int done = weir_monitor_read_templates(monitor, next->config, arena, &next->templates);

    if (done < 0)
        return done;

    pthread_mutex_lock(&monitor->lock);
    done = use(monitor, next, &old);
    weir_texts_use(monitor->texts, monitor->config.reports_text_kept);
    pthread_mutex_unlock(&monitor->lock);
    if (done < 0) {
        weir_monitor_free_templates(&next->templates);
        return done;
    }
    weir_monitor_use_log(monitor);
    weir_counting_use(monitor->counting, &reports);
    weir_monitor_use_training(monitor);
    weir_admit_silence(monitor->admit, monitor->config.monitor_silence,
                       weir_clock_now(&monitor->wall));
    weir_intake_health(monitor->intake, monitor->config.monitor_silence / 3);
    (void)weir_monitor_check_sendmail(monitor);
    use_escalation(monitor, &old);
    weir_monitor_free_templates(&old.templates);
    weir_monitor_end_alerts(monitor, &old.alerts);
    weir_arena_free(&monitor->reloaded);
    monitor->reloaded = arena;
    return 0;
}

void weir_monitor_reload(struct weir_monitor *monitor)
{
    struct weir_settings_report report = {weir_log_problem, &monitor->shared_log};
    struct weir_arena *arena = weir_arena_new(ARENA_FIRST);
    struct weir_config next;
    int done = WEIR_ENOMEM;

    weir_notify_reloading(&monitor->notify);
    if (arena)
        done = weir_monitor_load(monitor->options.config_path, arena, &report, &next);
    if (done == 0)
        done = tell_fixed(monitor, &next, arena);
    if (done == 0)
        done = change(monitor, arena, &(struct next){.config = &next});
    if (done == 0) {
        weir_log(&monitor->shared_log, WEIR_LOG_INFO, "reloaded %s", weir_monitor_path(monitor));
    } else {
        weir_log(&monitor->shared_log, WEIR_LOG_ERROR,
                 "not reloaded: the configuration it has stays");
        weir_arena_free(&arena);
    }
    weir_notify_ready(&monitor->notify);
}
