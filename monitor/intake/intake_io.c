/*
 * intake - a daemon of libmicrohttpd: what it listens at, with which key, and what is counted.
 */
#include "monitor/intake/intake_io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/descriptors_io.h"
#include "core/base/error.h"
#include "core/program/tcp_place_io.h"
#include "monitor/intake/intake_impl.h"

#define THREADS_MOST 8
#define IDLE_SECONDS 90
#define BACKLOG 1024
#define FILES_BESIDE 256         /* descriptors of all that is not a connection */
#define PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

/* What programs begin with would be enough for 500 servers. */
static void allow_files(const struct weir_log *log)
{
    const size_t wanted = WEIR_INTAKE_CONNECTIONS_MAX + FILES_BESIDE;
    size_t allowed = weir_descriptors_allow(wanted);

    if (allowed > 0 && allowed < wanted)
        weir_log(log, WEIR_LOG_WARNING, "no more than %zu descriptors are allowed: %zu servers",
                 allowed, allowed / 2);
}

static unsigned threads(const struct weir_intake_options *options)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    if (options->threads > 0)
        return options->threads;
    return processors < 1 ? 1 : processors > THREADS_MOST ? THREADS_MOST : (unsigned)processors;
}

static void log_line(void *context, const char *format, va_list arguments)
{
    struct weir_intake *intake = context;
    char text[WEIR_LOG_LINE_MAX];
    int len = vsnprintf(text, sizeof text, format, arguments);

    if (len > 0 && len < (int)sizeof text && text[len - 1] == '\n')
        text[len - 1] = '\0';
    weir_log(intake->log, WEIR_LOG_DEBUG, "http: %s", text);
}

static struct MHD_Daemon *start(struct weir_intake *intake,
                                const struct weir_intake_options *options, int fd)
{
    unsigned pool = threads(options);

    return MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TLS | MHD_ALLOW_SUSPEND_RESUME |
            MHD_USE_ERROR_LOG,
        0, weir_intake_may_come, intake, weir_intake_handle, intake, MHD_OPTION_EXTERNAL_LOGGER,
        log_line, intake, MHD_OPTION_LISTEN_SOCKET, (MHD_socket)fd, MHD_OPTION_HTTPS_MEM_KEY,
        options->certificate->key, MHD_OPTION_HTTPS_MEM_CERT, options->certificate->chain,
        MHD_OPTION_HTTPS_PRIORITIES, PRIORITIES, MHD_OPTION_NOTIFY_CONNECTION, weir_intake_guest,
        intake, MHD_OPTION_NOTIFY_COMPLETED, weir_intake_completed, NULL,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)WEIR_INTAKE_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)65536, MHD_OPTION_THREAD_POOL_SIZE, pool > 1 ? pool : 0, MHD_OPTION_END);
}

static void unmake(struct weir_intake *intake)
{
    weir_doorstep_free(&intake->doorstep);
    free(intake->of_server);
    pthread_mutex_destroy(&intake->door);
    pthread_mutex_destroy(&intake->lock);
    free(intake);
}

/* What a daemon needs; the rest of it is zeros. */
static struct weir_intake *make(const struct weir_intake_options *options,
                                const struct weir_intake_handler *handler,
                                const struct weir_log *log)
{
    const struct weir_hash_key key = weir_hash_key_random();
    struct weir_intake *intake = calloc(1, sizeof *intake);

    if (!intake)
        return NULL;
    intake->handler = *handler;
    intake->log = log;
    intake->steady = weir_clock_steady();
    atomic_init(&intake->health_every, options->health_every);
    pthread_mutex_init(&intake->lock, NULL);
    pthread_mutex_init(&intake->door, NULL);
    intake->of_server = calloc(WEIR_INTAKE_SERVERS, sizeof *intake->of_server);
    if (weir_doorstep_new(&key, &intake->doorstep) < 0 || !intake->of_server) {
        unmake(intake);
        return NULL;
    }
    return intake;
}

int weir_intake_open(const struct weir_intake_options *options,
                     const struct weir_intake_handler *handler, const struct weir_log *log,
                     struct weir_intake **intake_r)
{
    struct weir_intake *intake = make(options, handler, log);
    const char *why = "TLS cannot be set up with this key and certificate";
    int fd;

    if (!intake)
        return WEIR_ENOMEM;
    allow_files(log);
    fd = weir_tcp_place_listen(options->listen, BACKLOG, &why);
    intake->daemon = fd >= 0 ? start(intake, options, fd) : NULL;
    if (intake->daemon) {
        *intake_r = intake;
        return 0;
    }
    if (fd >= 0)
        close(fd);
    weir_log(log, WEIR_LOG_ERROR, "cannot listen at %s:%s: %s", options->listen->host,
             options->listen->port, why);
    unmake(intake);
    return WEIR_EIO;
}

void weir_intake_close(struct weir_intake **intake)
{
    if (!intake || !*intake)
        return;
    pthread_mutex_lock(&(*intake)->lock);
    (*intake)->closing = true;
    pthread_mutex_unlock(&(*intake)->lock);
    weir_intake_wake(*intake);
    MHD_stop_daemon((*intake)->daemon);
    unmake(*intake);
    *intake = NULL;
}

unsigned weir_intake_port(const struct weir_intake *intake)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(intake->daemon, MHD_DAEMON_INFO_BIND_PORT);

    return info ? info->port : 0;
}

void weir_intake_health(struct weir_intake *intake, weir_time every)
{
    atomic_store(&intake->health_every, every);
}

void weir_intake_count(struct weir_intake *intake, struct weir_intake_counts *counts_r)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(intake->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

    pthread_mutex_lock(&intake->lock);
    *counts_r = (struct weir_intake_counts){
        .requests = intake->requests,
        .refused = intake->refused,
        .unknown = intake->unknown,
        .octets = intake->octets,
        .turned_away = intake->turned_away,
        .hung_up = intake->hung_up,
        .held = intake->held.count,
        .connections = info ? info->num_connections : 0,
    };
    pthread_mutex_unlock(&intake->lock);
}
