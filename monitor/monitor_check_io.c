/*
 * What the monitor refuses about its configuration, found before anything is opened: texts by
 * weir_monitor_load(), for a start, a new configuration and -t; what they name by
 * weir_monitor_check(), for a start and -t.
 *
 * Owns nothing.  What is wrong with a setting's text is told with file and line; what is wrong with
 * what a setting names, with the setting.
 */
#include <unistd.h>

#include "core/base/endpoint.h"
#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/program/host_field.h"
#include "monitor/monitor_impl.h"
#include "monitor/threshold/ladder_text.h"

/* texts -------------------------------------------------------------------------- */

static int fit_ladder(const char *text, const char **why_r)
{
    struct weir_ladder_class ladder = {.steps = 0};

    return weir_ladder_text_read(weir_slice_of(text), &ladder, why_r);
}

int weir_monitor_fit_listen(const char *text, const char **why_r)
{
    struct weir_endpoint endpoint;
    int done = weir_endpoint_parse(text, &endpoint, why_r);

    if (done < 0 || !endpoint.is_unix)
        return done;
    *why_r = "it has to be inet:host:port";
    return WEIR_EINVAL;
}

static int fit_console(const char *text, const char **why_r)
{
    return text[0] ? weir_monitor_fit_listen(text, why_r) : 0;
}

static int fit_console_url(const char *text, const char **why_r)
{
    char host[WEIR_HOST_ROOM];

    if (!text[0] || weir_host_of_url(text, host))
        return 0;
    *why_r = "it is not http://host:port or https://host:port without a slash at the end";
    return WEIR_EINVAL;
}

static int fit_url(const char *text, const char **why_r)
{
    if (!text[0] || weir_monitor_url_fit(weir_slice_of(text)))
        return 0;
    *why_r = "it is not https://host:port without a slash at the end";
    return WEIR_EINVAL;
}

int weir_monitor_load(const char *path, struct weir_arena *arena,
                      const struct weir_settings_report *report, struct weir_config *config_r)
{
    static const struct weir_config_check checks[] = {
        {"threshold", "ladder", fit_ladder},
        {"monitor", "listen", weir_monitor_fit_listen},
        {"monitor", "url", fit_url},
        {"console", "listen", fit_console},
        {"console", "url", fit_console_url},
        {"monitor", "alert_mail", weir_alerts_check_mail},
        {"monitor", "alert_webhook", weir_alerts_check_webhook},
        {"monitor", "escalate_mail", weir_alerts_check_mail},
        {"monitor", "escalate_webhook", weir_alerts_check_webhook},
    };

    return weir_config_load_checked(path, arena, report, checks, sizeof checks / sizeof checks[0],
                                    config_r);
}

/* what they name ----------------------------------------------------------------- */

static int check_state(struct weir_monitor *monitor)
{
    return weir_config_check_state(&monitor->config, &monitor->shared_log);
}

int weir_monitor_check_sendmail(struct weir_monitor *monitor)
{
    const struct weir_config *config = &monitor->config;
    bool mails = config->alert_mail[0] || config->escalate_mail[0];
    const char *why = mails ? weir_alerts_check_program(config->sendmail) : NULL;

    if (!why)
        return 0;
    weir_log(&monitor->shared_log, WEIR_LOG_ERROR, "[monitor] sendmail = %s: %s; alerts by mail "
             "cannot be told", config->sendmail, why);
    return monitor->options.test ? WEIR_EINVAL : 0;
}

static int check_listen(struct weir_monitor *monitor)
{
    const char *address = monitor->options.listen, *why = "";

    if (!address || weir_monitor_fit_listen(address, &why) == 0)
        return 0;
    weir_log(&monitor->shared_log, WEIR_LOG_ERROR, "-l %s: %s", address, why);
    return WEIR_EINVAL;
}

/* One that is not there is made at the start, and only then. */
static int check_certificate(struct weir_monitor *monitor)
{
    const struct weir_config *config = &monitor->config;
    const char *key = weir_config_path(config, config->monitor_key, monitor->arena);
    const char *chain = weir_config_path(config, config->monitor_certificate, monitor->arena);

    return key && chain ? weir_certificate_check(key, chain, &monitor->shared_log) : WEIR_ENOMEM;
}

static int check_templates(struct weir_monitor *monitor)
{
    return weir_monitor_read_templates(monitor, &monitor->config, monitor->arena,
                                       &monitor->templates);
}

int weir_monitor_check(struct weir_monitor *monitor)
{
    static int (*const checks[])(struct weir_monitor *monitor) = {
        check_state, check_listen, weir_monitor_check_sendmail, check_certificate,
        check_templates,
    };
    int done = 0;

    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        int one = checks[i](monitor);
        done = done < 0 ? done : one;
    }
    return done;
}
