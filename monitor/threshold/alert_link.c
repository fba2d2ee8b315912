/*
 * alert_link - an address of the console's and a fragment, put together.
 */
#include "monitor/threshold/alert_link.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/endpoint.h"

static bool is_everywhere(const char *host)
{
    return strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0 || host[0] == '\0';
}

const char *weir_alert_console(const char *url, const char *listen, bool secure, const char *host,
                               char buffer[static WEIR_ALERT_CONSOLE_MAX + 1])
{
    struct weir_endpoint at;
    const char *why = "", *name;
    int len = 0;

    buffer[0] = '\0';
    if (!listen[0])
        return buffer;
    if (url[0]) {
        len = snprintf(buffer, WEIR_ALERT_CONSOLE_MAX + 1, "%s", url);
    } else if (weir_endpoint_parse(listen, &at, &why) == 0 && !at.is_unix &&
               strcmp(at.port, "0") != 0) {
        name = is_everywhere(at.host) ? host : at.host;
        len = snprintf(buffer, WEIR_ALERT_CONSOLE_MAX + 1,
                       strchr(name, ':') ? "%s://[%s]:%s" : "%s://%s:%s",
                       secure ? "https" : "http", name, at.port);
    }
    if (len < 0 || len > WEIR_ALERT_CONSOLE_MAX)
        buffer[0] = '\0';
    return buffer;
}

const char *weir_alert_link(const char *console, const struct weir_alert *alert,
                            char buffer[static WEIR_ALERT_LINK_ROOM])
{
    char prefix[WEIR_PREFIX_TEXT], *slash;

    buffer[0] = '\0';
    if (!console[0])
        return buffer;
    if (!alert) {
        snprintf(buffer, WEIR_ALERT_LINK_ROOM, "%s/#/alerts", console);
    } else if (alert->event > 0) {
        snprintf(buffer, WEIR_ALERT_LINK_ROOM, "%s/#/alerts/%" PRId64, console, alert->event);
    } else {
        weir_prefix_format(&alert->prefix, prefix);
        slash = strchr(prefix, '/');
        if (slash)
            *slash = '\0';
        snprintf(buffer, WEIR_ALERT_LINK_ROOM, "%s/#/addresses/%s%s%s", console, prefix,
                 slash ? "%2F" : "", slash ? slash + 1 : "");
    }
    return buffer;
}
