/*
 * console - opening and closing, and workers: who asks is put to sleep by libmicrohttpd's thread,
 * answered by a worker, and woken.
 *
 * Closing: no more questions are taken, those that wait are refused, live pages end; then
 * libmicrohttpd, whose connections all are awake, can stop.
 */
#include "monitor/console/console_io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/endpoint.h"
#include "core/base/error.h"
#include "core/program/tcp_place_io.h"
#include "core/base/slice.h"
#include "monitor/console/console_impl.h"
#include "monitor/console/login_failures.h"
#include "monitor/intake/certificate_io.h"

#define IDLE_SECONDS 60u
#define BACKLOG 256
#define PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

/* the queue ------------------------------------------------------------------------------ */

static bool hashes(const struct weir_asked *asked)
{
    size_t routes;

    return weir_api_routes(&routes)[asked->route].hashes;
}

/* Guessers leave room for all that is no login, and for devices that are known, or say so. */
static bool has_room(const struct weir_console *console, const struct weir_asked *asked)
{
    unsigned most = asked->device[0] ? 2 * WEIR_CONSOLE_LOGINS_MAX : WEIR_CONSOLE_LOGINS_MAX;

    return !console->closing && console->waiting < WEIR_CONSOLE_WAITING_MAX &&
           (!hashes(asked) || console->logins < most);
}

/* With the lock. */
static void put(struct weir_console *console, struct weir_asked *asked)
{
    console->logins += hashes(asked);
    if (console->last)
        console->last->next = asked;
    else
        console->first = asked;
    console->last = asked;
    console->waiting++;
    pthread_cond_signal(&console->more);
}

bool weir_console_enqueue(struct weir_console *console, struct weir_asked *asked)
{
    bool taken;

    pthread_mutex_lock(&console->lock);
    taken = has_room(console, asked);
    if (taken)
        put(console, asked);
    pthread_mutex_unlock(&console->lock);
    return taken;
}

/* Whether as many workers work for a person as may.  With the lock. */
static bool is_served(const struct weir_console *console, const char *person)
{
    unsigned work = 0;

    for (unsigned i = 0; person[0] && i < WEIR_CONSOLE_WORKERS; i++)
        work += strcmp(console->worker[i].person, person) == 0;
    return work >= WEIR_CONSOLE_SHARE;
}

/* Whether as much of a person waits as may.  With the lock. */
static bool has_enough(const struct weir_console *console, const char *person)
{
    unsigned waiting = 0;

    for (const struct weir_asked *asked = console->first; asked; asked = asked->next)
        waiting += strcmp(asked->person, person) == 0;
    return waiting >= WEIR_CONSOLE_WAITING_MAX / 4;
}

/* Who asks for many dear things at once has others wait for none of them.  Passwords have a bound
 * of their own, and live pages take no time. */
int weir_console_share(struct weir_worker *worker, struct weir_asked *asked)
{
    struct weir_console *console = worker->console;
    size_t routes;
    int done = 0;

    if (hashes(asked) || !weir_api_routes(&routes)[asked->route].run)
        return 0;
    pthread_mutex_lock(&console->lock);
    if (console->closing || !is_served(console, asked->person))
        memcpy(worker->person, asked->person, sizeof worker->person);
    else if (has_enough(console, asked->person))
        done = WEIR_ELIMIT;
    else
        done = WEIR_EBUSY;
    if (done == WEIR_EBUSY)
        put(console, asked);
    pthread_mutex_unlock(&console->lock);
    return done;
}

/* The first that may be answered now, or NULL.  With the lock. */
static struct weir_asked *take(struct weir_console *console)
{
    struct weir_asked **place = &console->first, *before = NULL, *asked;

    while (*place && ((hashes(*place) && console->hashing >= 2) ||
                      is_served(console, (*place)->person))) {
        before = *place;
        place = &(*place)->next;
    }
    asked = *place;
    if (!asked)
        return NULL;
    *place = asked->next;
    if (console->last == asked)
        console->last = before;
    asked->next = NULL;
    console->waiting--;
    console->logins -= hashes(asked);
    console->hashing += hashes(asked);
    return asked;
}

static void *work(void *context)
{
    struct weir_worker *worker = context;
    struct weir_console *console = worker->console;
    struct weir_asked *asked;

    pthread_mutex_lock(&console->lock);
    while (!console->closing) {
        bool hashed;

        asked = take(console);
        if (!asked) {
            pthread_cond_wait(&console->more, &console->lock);
            continue;
        }
        pthread_mutex_unlock(&console->lock);
        hashed = hashes(asked);
        if (weir_console_work(worker, asked))
            MHD_resume_connection(asked->connection); /* from here on it is not ours */
        pthread_mutex_lock(&console->lock);
        console->hashing -= hashed;
        if (hashed || worker->person[0])
            pthread_cond_signal(&console->more);
        worker->person[0] = '\0';
    }
    pthread_mutex_unlock(&console->lock);
    return NULL;
}

/* Those that nobody will answer any more.  No worker runs. */
static void refuse_waiting(struct weir_console *console)
{
    struct weir_asked *asked;

    while ((asked = console->first) != NULL) {
        console->first = asked->next;
        asked->status = MHD_HTTP_SERVICE_UNAVAILABLE;
        asked->response = weir_console_busy("the monitor stops");
        asked->state = WEIR_ASKED_ANSWERED;
        MHD_resume_connection(asked->connection);
    }
    console->last = NULL;
}

/* opening ---------------------------------------------------------------------------------- */

/* Texts are decoded by api_request.c, once. */
static size_t as_it_is(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context, (void)connection;
    return strlen(text);
}

static void log_line(void *context, const char *format, va_list arguments)
{
    struct weir_console *console = context;
    char text[WEIR_LOG_LINE_MAX];
    int len = vsnprintf(text, sizeof text, format, arguments);

    if (len > 0 && len < (int)sizeof text && text[len - 1] == '\n')
        text[len - 1] = '\0';
    weir_log(console->log, WEIR_LOG_DEBUG, "console: http: %s", text);
}

static struct MHD_Daemon *start(struct weir_console *console, int fd)
{
    const struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_KEY, 0, console->key},
        {MHD_OPTION_HTTPS_MEM_CERT, 0, console->certificate},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (char *)(uintptr_t)PRIORITIES},
        {MHD_OPTION_END, 0, NULL},
    }, *options = console->key ? tls : &tls[3];

    return MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
            (console->key ? MHD_USE_TLS : 0u),
        0, NULL, NULL, weir_console_handle, console, MHD_OPTION_EXTERNAL_LOGGER, log_line, console,
        MHD_OPTION_LISTEN_SOCKET, (MHD_socket)fd, MHD_OPTION_UNESCAPE_CALLBACK, as_it_is, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, weir_console_completed, console,
        MHD_OPTION_NOTIFY_CONNECTION, weir_http_peers_visited, &console->peers,
        MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS,
        MHD_OPTION_CONNECTION_LIMIT, WEIR_CONSOLE_CONNECTIONS_MAX,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, WEIR_CONSOLE_OF_ADDRESS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)32768, MHD_OPTION_ARRAY, options,
        MHD_OPTION_END);
}

static int start_workers(struct weir_console *console, const char *path)
{
    const struct weir_database_options options = {.path = path, .reading = true};
    char why[WEIR_DATABASE_WHY];

    for (unsigned i = 0; i <= WEIR_CONSOLE_WORKERS; i++) {
        bool feeds = i == WEIR_CONSOLE_WORKERS;
        struct weir_worker *worker = feeds ? &console->feed : &console->worker[i];

        worker->console = console;
        if (weir_database_open(&options, why, &worker->database) < 0) {
            weir_log(console->log, WEIR_LOG_ERROR, "console: %s", why);
            return WEIR_EIO;
        }
        if (pthread_create(&worker->thread, NULL, feeds ? weir_console_feed : work, worker) != 0)
            return WEIR_ENOMEM;
        console->workers += !feeds;
        console->feeds = feeds;
    }
    return 0;
}

static void stop_workers(struct weir_console *console)
{
    pthread_mutex_lock(&console->lock);
    console->closing = true;
    pthread_cond_broadcast(&console->more);
    pthread_cond_broadcast(&console->ends);
    pthread_mutex_unlock(&console->lock);
    for (unsigned i = 0; i < console->workers; i++)
        pthread_join(console->worker[i].thread, NULL);
    if (console->feeds)
        pthread_join(console->feed.thread, NULL);
    for (unsigned i = 0; i < WEIR_CONSOLE_WORKERS; i++)
        weir_database_free(&console->worker[i].database);
    weir_database_free(&console->feed.database);
}

static int read_keys(struct weir_console *console, const struct weir_console_options *options)
{
    struct weir_certificate own = {.key = NULL};
    int done;

    if (options->url[0] && !weir_host_of_url(options->url, console->host))
        console->host[0] = '\0';
    console->tls = options->key || weir_slice_begins(weir_slice_of(options->url), "https://");
    (void)gethostname(console->own, sizeof console->own - 1);
    if (!options->key)
        return 0;
    if (access(options->key, R_OK) < 0 || access(options->certificate, R_OK) < 0) {
        weir_log(console->log, WEIR_LOG_ERROR, "[console] key, certificate: %s", strerror(errno));
        return WEIR_EIO;
    }
    done = weir_certificate_open(options->key, options->certificate, console->own, console->log,
                                 &own);
    console->key = own.key;
    console->certificate = own.chain;
    return done;
}

static struct weir_console *make(struct weir_monitor *monitor, const struct weir_log *log)
{
    const struct weir_visitors_limits limits = {
        WEIR_CONSOLE_STRANGERS_OF_ADDRESS, WEIR_CONSOLE_STRANGERS, WEIR_CONSOLE_HEAD};
    struct weir_console *console = calloc(1, sizeof *console);
    pthread_condattr_t steady;

    if (!console)
        return NULL;
    console->monitor = monitor;
    console->log = log;
    console->wall = weir_clock_system();
    console->steady = weir_clock_steady();
    weir_http_peers_begin(&console->peers, &limits);
    pthread_mutex_init(&console->lock, NULL);
    pthread_mutex_init(&console->changes, NULL);
    pthread_cond_init(&console->more, NULL);
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_cond_init(&console->ends, &steady);
    pthread_condattr_destroy(&steady);
    return console;
}

static int open_all(struct weir_console *console, const struct weir_console_options *options)
{
    const struct weir_hash_key key = weir_hash_key_random();
    const char *why = "that is no address and port: inet:host:port";
    struct weir_endpoint at;
    int fd = -1, done = read_keys(console, options);

    done = done < 0 ? done : weir_pages_open(console);
    done = done < 0 ? done : weir_login_limit_new(&key, &console->limit);
    done = done < 0 ? done : weir_login_failures_new(&console->failures);
    done = done < 0 ? done : weir_feed_new(weir_clock_now(&console->wall), WEIR_CONSOLE_LIVE_MAX,
                                           &console->live);
    done = done < 0 ? done : start_workers(console, options->database);
    if (done < 0)
        return done;
    if (weir_endpoint_parse(options->listen, &at, &why) == 0 && !at.is_unix)
        fd = weir_tcp_place_listen(&at, BACKLOG, &why);
    console->daemon = fd >= 0 ? start(console, fd) : NULL;
    if (console->daemon)
        return 0;
    if (fd >= 0) {
        why = "libmicrohttpd does not start; do key and certificate fit?";
        close(fd);
    }
    weir_log(console->log, WEIR_LOG_ERROR, "[console] listen = %s: %s", options->listen, why);
    return WEIR_EIO;
}

int weir_console_open(struct weir_monitor *monitor, const struct weir_console_options *options,
                      struct weir_console **console_r)
{
    struct weir_console *console = make(monitor, options->log);
    int done = console ? open_all(console, options) : WEIR_ENOMEM;

    if (done < 0)
        weir_console_close(&console);
    else
        *console_r = console;
    return done;
}

void weir_console_close(struct weir_console **closing)
{
    struct weir_console *console = closing ? *closing : NULL;
    struct weir_certificate own;

    if (!console)
        return;
    stop_workers(console);
    refuse_waiting(console);
    if (console->live)
        weir_feed_close(console->live);
    if (console->daemon)
        MHD_stop_daemon(console->daemon);
    weir_feed_free(&console->live);
    weir_pages_close(console);
    if (console->failures)
        (void)weir_console_tell_failures(console, true);
    weir_login_failures_free(&console->failures);
    weir_login_limit_free(&console->limit);
    own = (struct weir_certificate){.key = console->key, .chain = console->certificate};
    weir_certificate_free(&own);
    pthread_cond_destroy(&console->more);
    pthread_cond_destroy(&console->ends);
    weir_http_peers_end(&console->peers);
    pthread_mutex_destroy(&console->lock);
    pthread_mutex_destroy(&console->changes);
    free(console);
    *closing = NULL;
}

unsigned weir_console_port(const struct weir_console *console)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(console->daemon, MHD_DAEMON_INFO_BIND_PORT);

    return info ? info->port : 0;
}
