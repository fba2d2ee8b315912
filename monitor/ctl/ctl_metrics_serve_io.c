/*
 * ctl_metrics_serve - one small HTTP server for all programs of a machine: GET /metrics, and
 * nothing else.  It is no part of any program that mail goes through, so that whoever asks too
 * often, or badly, makes none of them wait.
 *
 * libmicrohttpd's one thread answers one question after the other.  For each the configuration is
 * read, names that we are known by with it, and the stores are opened anew: what was changed
 * meanwhile is seen, and between two questions nothing is held but what was told of files.  Where
 * we listen is read at the start.  What cannot be told is 503, and why is on standard error, as it
 * is by what other name we were asked.  Who takes his time, or takes us for somebody else, keeps
 * nobody out (core/program/http_peers_io.h).
 */
#include "monitor/ctl/ctl_metrics_io.h"

#include <microhttpd.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/endpoint.h"
#include "core/program/host_field.h"
#include "core/program/http_peers_io.h"
#include "core/program/sd_notify_io.h"
#include "core/program/signals_io.h"
#include "core/program/tcp_place_io.h"

#define STRANGERS 16u        /* connections; for one more the oldest goes */
#define OF_ADDRESS 8u        /* of them, those of one address */
#define CONNECTIONS 64u      /* with those that are just going; more wait to be taken */
#define HEAD (15 * WEIR_SECOND) /* for a question; one before it may have to be answered first */
#define ANSWER (10 * WEIR_SECOND)
#define IDLE 10u             /* seconds without an octet */
#define MEMORY ((size_t)8192) /* octets of a request's head */
#define BACKLOG 16
#define TICK 1000            /* ms */
#define TYPE "text/plain; version=0.0.4; charset=utf-8"

struct server {
    struct weir_ctl *ctl;
    struct weir_http_peers peers;
    char own[WEIR_HOST_ROOM]; /* this machine's name */
    struct weir_ctl_metrics_told told;
    struct weir_log_gate refused;
};

/* What a question is answered with; its configuration is not read yet. */
static struct weir_ctl begin(const struct server *server)
{
    struct weir_ctl ctl = {.verb = server->ctl->verb};

    ctl.option[WEIR_CTL_CONFIG] = server->ctl->option[WEIR_CTL_CONFIG];
    return ctl;
}

static char *scrape(struct server *server)
{
    struct weir_ctl ctl = begin(server);
    char *text = NULL;

    if (weir_ctl_open(&ctl, WEIR_STORES_READ) == 0)
        text = weir_ctl_metrics_text(&ctl, &server->told);
    weir_ctl_close(&ctl);
    return text;
}

static enum MHD_Result say(struct MHD_Connection *connection, unsigned status, const char *text,
                           enum MHD_ResponseMemoryMode mode)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text, mode);
    enum MHD_Result done;

    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, TYPE);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    done = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return done;
}

/* For whom a question takes us: 1: us; 0: another; below 0: the names we have cannot be read. */
static int is_for_us(const struct server *server, struct MHD_Connection *connection)
{
    struct weir_ctl ctl = begin(server);
    const struct weir_strings *names = &ctl.config.metrics_names;
    int fits = weir_http_host_fits(connection, server->own, "");

    if (fits)
        return fits;
    if (weir_ctl_configure(&ctl) != 0)
        fits = -1;
    for (size_t i = 0; fits == 0 && i < names->count; i++)
        fits = weir_http_host_fits(connection, server->own, names->item[i]);
    weir_ctl_close(&ctl);
    return fits;
}

/* Or a postmaster would look for the reason in Prometheus only. */
static void log_refused(struct server *server, struct MHD_Connection *connection)
{
    const char *host =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);
    unsigned held;

    if (weir_log_gate_open(&server->refused, weir_clock_now(&server->peers.steady), WEIR_MINUTE,
                           &held))
        weir_log(&server->ctl->log, WEIR_LOG_WARNING, "refused a question to %.255s, which is "
                 "none of our names: [metrics] names (%u more)", host ? host : "nobody", held);
}

static enum MHD_Result answer(struct server *server, struct MHD_Connection *connection,
                              const char *path, const char *method)
{
    int ours = is_for_us(server, connection);
    char *text;

    if (ours < 0)
        return say(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "", MHD_RESPMEM_PERSISTENT);
    if (ours == 0)
        log_refused(server, connection);
    if (ours == 0)
        return say(connection, MHD_HTTP_MISDIRECTED_REQUEST,
                   "that is not this machine's name: [metrics] names\n", MHD_RESPMEM_PERSISTENT);
    if (strcmp(path, "/metrics") != 0)
        return say(connection, MHD_HTTP_NOT_FOUND, "/metrics is what there is\n",
                   MHD_RESPMEM_PERSISTENT);
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return say(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "", MHD_RESPMEM_PERSISTENT);
    text = scrape(server);
    return text ? say(connection, MHD_HTTP_OK, text, MHD_RESPMEM_MUST_FREE)
                : say(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "", MHD_RESPMEM_PERSISTENT);
}

/* Called once with the head, and again when a body, which nobody wants, has passed. */
static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *octets,
                              size_t *len, void **state)
{
    static int begun;
    struct server *server = context;
    struct weir_visitor *visitor = weir_http_visitor(connection);
    enum MHD_Result done;

    (void)version, (void)octets;
    if (!*state) {
        *state = &begun;
        return MHD_YES;
    }
    if (*len > 0) {
        *len = 0;
        return MHD_YES;
    }
    weir_http_peers_due(&server->peers, visitor, 0);
    done = answer(server, connection, path, method);
    weir_http_peers_due(&server->peers, visitor, ANSWER);
    return done;
}

/* The next question on a connection. */
static void completed(void *context, struct MHD_Connection *connection, void **state,
                      enum MHD_RequestTerminationCode code)
{
    struct server *server = context;

    (void)state, (void)code;
    weir_http_peers_due(&server->peers, weir_http_visitor(connection),
                        IDLE * WEIR_SECOND + HEAD);
}

/* An inet endpoint: a file descriptor that listens; or -1 after it was told why. */
static int listen_at(struct weir_ctl *ctl, const char *listen)
{
    struct weir_endpoint at;
    const char *why = "it has to be inet:host:port";
    int fd = -1;

    if (weir_endpoint_parse(listen, &at, &why) == 0 && !at.is_unix)
        fd = weir_tcp_place_listen(&at, BACKLOG, &why);
    if (fd < 0)
        weir_ctl_error(ctl, 0, "[metrics] listen: %s: %s", listen, why);
    else
        weir_ctl_error(ctl, 0, "listening at %s", listen);
    return fd;
}

static void wait_for_stop(struct server *server, int signals)
{
    struct weir_clock steady = weir_clock_steady();
    struct weir_notify notify = weir_notify_open();
    bool stop = false, reload = false;

    weir_notify_ready(&notify);
    while (!stop) {
        struct pollfd file = {.fd = signals, .events = POLLIN};

        if (poll(&file, 1, TICK) > 0)
            weir_signals_read(signals, &reload, &stop); /* a reload: each question is one */
        weir_http_peers_cut(&server->peers);
        weir_notify_alive(&notify, weir_clock_now(&steady));
    }
    weir_notify_stopping(&notify);
    weir_notify_close(&notify);
}

static int serve(struct server *server, int fd, int signals)
{
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, handle, server, MHD_OPTION_LISTEN_SOCKET,
        (MHD_socket)fd, MHD_OPTION_CONNECTION_TIMEOUT, IDLE, MHD_OPTION_CONNECTION_LIMIT,
        CONNECTIONS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, MEMORY, MHD_OPTION_NOTIFY_COMPLETED,
        completed, server, MHD_OPTION_NOTIFY_CONNECTION, weir_http_peers_visited, &server->peers,
        MHD_OPTION_END);

    if (!daemon) {
        close(fd);
        return weir_ctl_error(server->ctl, EX_OSERR, "memory is short");
    }
    wait_for_stop(server, signals);
    MHD_stop_daemon(daemon);
    return 0;
}

int weir_ctl_metrics_serve(struct weir_ctl *ctl)
{
    const struct weir_visitors_limits limits = {OF_ADDRESS, STRANGERS, HEAD};
    struct server server = {.ctl = ctl};
    int code = weir_ctl_configure(ctl), fd, signals;

    if (code != 0)
        return code;
    if ((signals = weir_signals_open()) < 0)
        return weir_ctl_error(ctl, EX_OSERR, "signals cannot be read");
    fd = listen_at(ctl, ctl->config.metrics_listen);
    if (fd < 0)
        return EX_UNAVAILABLE;
    (void)gethostname(server.own, sizeof server.own - 1);
    weir_http_peers_begin(&server.peers, &limits);
    code = serve(&server, fd, signals);
    weir_http_peers_end(&server.peers);
    close(signals);
    return code;
}
