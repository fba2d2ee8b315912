/*
 * admin - libmicrohttpd on a Unix socket: who asks is the socket's peer, what is asked is a verb.
 * Each connection has a thread, since some take long.
 */
#include "monitor/monitor_admin_io.h"

#include <jansson.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/program/unix_place_io.h"
#include "monitor/monitor_impl.h"
#include "monitor/monitor_verbs_io.h"
#include "monitor/view/view.h"

#define WHO 32
#define BACKLOG 16

struct weir_admin {
    struct MHD_Daemon *daemon;
    char path[WEIR_ENDPOINT_MAX];
    struct stat made;           /* the socket's file */
};

/* HTTP ------------------------------------------------------------------------------- */

#define SILENT 30u /* s */

struct body {
    char *octets;
    size_t len, room;
    bool too_long;
};

static void add_octets(struct body *body, const char *octets, size_t len)
{
    size_t room = 2 * (body->len + len);
    char *more = body->octets;

    if (body->too_long || len > WEIR_ADMIN_BODY_MAX - body->len) {
        body->too_long = true;
        return;
    }
    if (body->len + len > body->room) {
        more = realloc(body->octets, room);
        body->too_long = !more;
        if (!more)
            return;
        body->octets = more;
        body->room = room;
    }
    memcpy(more + body->len, octets, len);
    body->len += len;
}

static void who_asks(struct MHD_Connection *connection, char who_r[static WHO])
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct ucred peer;
    socklen_t len = sizeof peer;

    if (info && getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0)
        snprintf(who_r, WHO, "uid %u", (unsigned)peer.uid);
    else
        snprintf(who_r, WHO, "somebody");
}

static enum MHD_Result say(struct MHD_Connection *connection, unsigned code, json_t *json)
{
    char *octets = json ? json_dumps(json, JSON_COMPACT) : NULL;
    struct MHD_Response *response =
        octets ? MHD_create_response_from_buffer(strlen(octets), octets, MHD_RESPMEM_MUST_FREE)
               : NULL;
    enum MHD_Result done = MHD_NO;

    json_decref(json);
    if (response) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
        done = MHD_queue_response(connection, code, response);
        MHD_destroy_response(response);
    } else {
        free(octets);
    }
    return done;
}

static enum MHD_Result answer(struct weir_monitor *monitor, struct MHD_Connection *connection,
                              const struct body *body)
{
    struct weir_question question = {.monitor = monitor, .now = weir_clock_now(&monitor->wall)};
    char who[WHO];
    json_t *json = NULL;

    who_asks(connection, who);
    question.who = who;
    if (!body->too_long && body->len > 0)
        question.json = json_loadb(body->octets, body->len, JSON_REJECT_DUPLICATES, NULL);
    /* However long it takes, the time that a client may be silent begins behind it. */
    MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, 0u);
    if (json_is_object(question.json))
        json = weir_verb_run(&question);
    else
        (void)weir_verb_refuse(&question, "that is no JSON object, or too long");
    MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, SILENT);
    json_decref(question.json);
    return json ? say(connection, MHD_HTTP_OK, json)
                : say(connection, question.code, json_pack("{s:o}", "error",
                                                            weir_view_text(question.why)));
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *octets,
                              size_t *len, void **state)
{
    struct body *body = *state;

    (void)version;
    if (!body) {
        *state = body = calloc(1, sizeof *body);
        return body ? MHD_YES : MHD_NO;
    }
    if (*len > 0) {
        add_octets(body, octets, *len);
        *len = 0;
        return MHD_YES;
    }
    if (strcmp(path, "/admin/v1/do") != 0 || strcmp(method, "POST") != 0)
        return say(connection, MHD_HTTP_NOT_FOUND, json_pack("{s:s}", "error", "no such place"));
    return answer(context, connection, body);
}

static void completed(void *context, struct MHD_Connection *connection, void **state,
                      enum MHD_RequestTerminationCode code)
{
    struct body *body = *state;

    (void)context, (void)connection, (void)code;
    if (body)
        free(body->octets);
    free(body);
    *state = NULL;
}

/* opening ----------------------------------------------------------------------------- */

int weir_admin_open(struct weir_monitor *monitor)
{
    const char *address = monitor->config.monitor_admin, *why = "memory is short";
    struct weir_endpoint at;
    int fd = -1;

    if (!address[0])
        return 0;
    monitor->admin = calloc(1, sizeof *monitor->admin);
    if (monitor->admin && weir_endpoint_parse(address, &at, &why) == 0)
        fd = weir_unix_place_listen(at.host, WEIR_SOCKET_GROUP, BACKLOG, &monitor->admin->made,
                                    &why);
    if (fd >= 0) {
        memcpy(monitor->admin->path, at.host, strnlen(at.host, sizeof monitor->admin->path - 1));
        monitor->admin->daemon = MHD_start_daemon(
            MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_THREAD_PER_CONNECTION, 0, NULL, NULL, handle,
            monitor, MHD_OPTION_LISTEN_SOCKET, (MHD_socket)fd, MHD_OPTION_NOTIFY_COMPLETED,
            completed, NULL, MHD_OPTION_CONNECTION_TIMEOUT, SILENT, MHD_OPTION_CONNECTION_LIMIT,
            64u, MHD_OPTION_END);
        why = "libmicrohttpd does not start";
    }
    if (monitor->admin && monitor->admin->daemon)
        return 0;
    weir_log(&monitor->shared_log, WEIR_LOG_ERROR, "[monitor] admin = %s: %s", address, why);
    return WEIR_EIO;
}

void weir_admin_close(struct weir_monitor *monitor)
{
    struct stat there;

    if (!monitor->admin)
        return;
    if (monitor->admin->daemon) {
        MHD_stop_daemon(monitor->admin->daemon);
        if (lstat(monitor->admin->path, &there) == 0 &&
            there.st_ino == monitor->admin->made.st_ino &&
            there.st_dev == monitor->admin->made.st_dev) /* not another one's by now */
            (void)unlink(monitor->admin->path);
    }
    free(monitor->admin);
    monitor->admin = NULL;
}
