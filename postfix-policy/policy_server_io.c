/*
 * policy_server - one epoll loop over signals, listeners and connections.
 *
 * A round: every ready connection is read once, then all requests are answered together,
 * then signals are obeyed, so that nothing changes under a batch.  The server owns
 * all parts; the engine's configuration lives in the service, which is exchanged whole.
 */
#include "postfix-policy/policy_server_io.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "core/base/descriptors_io.h"
#include "core/base/error.h"
#include "postfix-policy/clients_io.h"
#include "core/engine/numbers_io.h"
#include "core/program/daemon_log_io.h"
#include "postfix-policy/decide_clients_io.h"
#include "postfix-policy/listeners_io.h"
#include "postfix-policy/policy_status.h"
#include "core/program/sd_notify_io.h"
#include "core/program/service_io.h"
#include "core/program/signals_io.h"

#define EVENTS 512
#define ACCEPTS 64                      /* at one listener in one round */
#define TICK (WEIR_SECOND / 4)
#define STOP_WITHIN (2 * WEIR_SECOND)
#define FILES_FOR_OURSELVES 128         /* stores, listeners, memcached servers */

struct weir_policy_server {
    struct weir_policy_server_options options;
    struct weir_clock wall, steady;
    struct weir_numbers *numbers;       /* of the first configuration's folder */
    struct weir_service *service;
    struct weir_instances *instances;
    struct weir_clients *clients;
    struct weir_listeners listeners;
    struct weir_deciders *deciders;
    struct weir_listeners decide_listeners;
    struct weir_policy_counts counts;
    struct weir_notify notify;
    struct weir_daemon_log log;
    weir_time started, loaded;          /* wall */
    weir_time tick;                     /* steady: the next one */
    size_t files_most;
    int epoll;
    struct {
        enum weir_watch watch;
        int fd;
    } signals;
    bool full;                          /* listeners are not watched: no room */
    bool messages_wait;                 /* to be decided */
    bool reload, stop;
    struct weir_log_gate full_gate;
    char *status;
    int done;
};

static const char *path_shown(const struct weir_policy_server *server)
{
    return server->options.config_path ? server->options.config_path : WEIR_CONFIG_PATH;
}

static struct weir_config *config_of(struct weir_policy_server *server)
{
    return &server->service->config;
}

static size_t connections_most(struct weir_policy_server *server)
{
    size_t most = (size_t)config_of(server)->clients_most;

    return most < server->files_most ? most : server->files_most;
}

/* As many files as the system allows; some are kept for ourselves. */
static size_t raise_files(void)
{
    size_t files = weir_descriptors_allow(SIZE_MAX);

    if (files == 0)
        return FILES_FOR_OURSELVES;
    return files > 2 * FILES_FOR_OURSELVES ? files - FILES_FOR_OURSELVES : files / 2;
}

static const char *answer_status(void *context)
{
    struct weir_policy_server *server = context;
    struct weir_policy_status status = {
        .config_path = path_shown(server),
        .config = config_of(server),
        .stores = &server->service->stores,
        .counts = &server->counts,
        .clients = weir_clients_counts(server->clients),
        .connections = weir_clients_open(server->clients),
        .connections_most = connections_most(server),
        .decide = config_of(server)->decide_listen[0] ? weir_deciders_counts(server->deciders)
                                                      : NULL,
        .deciders = weir_deciders_open(server->deciders),
        .messages = weir_instances_count(server->instances),
        .now = weir_clock_now(&server->wall),
        .started = server->started,
        .loaded = server->loaded,
        .pid = (long)getpid(),
        .log_lines_lost = server->log.lost,
    };

    free(server->status);
    server->status = weir_policy_status(&status);
    return server->status ? server->status : "status={}\n\n";
}

/* Takes what the service holds into use. */
static void use_service(struct weir_policy_server *server)
{
    struct weir_policy_parts parts = {
        .config = config_of(server),
        .engine = server->service->engine,
        .instances = server->instances,
        .counts = &server->counts,
        .numbers = server->numbers,
        .log = &server->log.log,
    };

    const struct weir_decide_parts decide = {
        .config = config_of(server),
        .stores = &server->service->stores,
        .numbers = server->numbers,
        .log = &server->log.log,
    };

    weir_numbers_measure(server->numbers, server->service->stores.counters);
    weir_instances_keep(server->instances, config_of(server)->remember);
    weir_clients_use(server->clients, &parts);
    weir_deciders_use(server->deciders, &decide);
}

static void use_log(struct weir_policy_server *server, struct weir_config *config)
{
    if (server->options.debug) {
        config->log = WEIR_LOG_STDERR;
        config->log_level = WEIR_LOG_DEBUG;
    }
    weir_daemon_log_use(&server->log, server->options.program, config);
}

/* listeners ------------------------------------------------------------- */

static int watch(const struct weir_policy_server *server, int fd, void *what)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = what};

    return epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) == 0 || errno == EEXIST ? 0
                                                                                       : WEIR_EIO;
}

/* Closing is not enough: a socket that was handed over is open elsewhere, too, and would go
 * on waking us. */
static void unwatch(const struct weir_policy_server *server, const struct weir_listener *listener)
{
    (void)epoll_ctl(server->epoll, EPOLL_CTL_DEL, listener->fd, NULL);
}

/* Opens what a configuration names beside what is open.  On an error all is as before. */
static int prepare_listeners(struct weir_policy_server *server, const struct weir_config *config,
                             bool handed_over)
{
    const struct weir_strings none = {0};
    const struct weir_strings decide = {&config->decide_listen, config->decide_listen[0] != '\0'};
    const struct weir_strings *addresses =
        server->options.listen.count > 0 ? &server->options.listen : &config->listen;
    const char *why;
    int done = weir_listeners_prepare(&server->listeners, handed_over ? &none : addresses,
                                      config->socket_access, &why);

    if (done == 0) {
        done = weir_listeners_prepare(&server->decide_listeners, &decide, config->socket_access,
                                      &why);
        if (done < 0)
            weir_listeners_abandon(&server->listeners);
    }
    if (done < 0)
        weir_log(&server->log.log, WEIR_LOG_ERROR, "cannot listen at %s", why);
    return done;
}

static void abandon_listeners(struct weir_policy_server *server)
{
    weir_listeners_abandon(&server->listeners);
    weir_listeners_abandon(&server->decide_listeners);
}

static void commit_some(struct weir_policy_server *server, struct weir_listeners *listeners,
                        const char *what)
{
    struct weir_listener *listener;

    for (listener = listeners->first; listener; listener = listener->next) {
        if (listener->fresh)
            weir_log(&server->log.log, WEIR_LOG_INFO, "listening at %s%s%s", listener->name, what,
                     listener->handed_over ? ", a socket of systemd's: not as configured" : "");
        if (listener->wanted)
            continue;
        weir_log(&server->log.log, WEIR_LOG_INFO, "no longer listening at %s", listener->name);
        unwatch(server, listener);
    }
    weir_listeners_commit(listeners, config_of(server)->socket_access);
}

static void commit_listeners(struct weir_policy_server *server)
{
    struct weir_listener *listener;

    commit_some(server, &server->listeners, "");
    commit_some(server, &server->decide_listeners, " for whole messages");
    for (listener = server->listeners.first; listener && !server->full; listener = listener->next)
        (void)watch(server, listener->fd, listener);
    for (listener = server->decide_listeners.first; listener; listener = listener->next)
        (void)watch(server, listener->fd, listener);
}

static bool handed_over(const struct weir_policy_server *server)
{
    return server->listeners.first && server->listeners.first->handed_over;
}

/* No room: those who knock wait at the listeners, which are left alone, until there is. */
static void close_doors(struct weir_policy_server *server, const char *why, weir_time now)
{
    unsigned held;

    server->full = true;
    for (struct weir_listener *it = server->listeners.first; it; it = it->next)
        unwatch(server, it);
    if (weir_log_gate_open(&server->full_gate, now, WEIR_MINUTE, &held))
        weir_log(&server->log.log, WEIR_LOG_WARNING,
                 "%s: %zu connections are open; further ones wait (%u such lines left out)", why,
                 weir_clients_open(server->clients), held);
}

static void open_doors(struct weir_policy_server *server)
{
    if (!server->full || weir_clients_open(server->clients) >= connections_most(server))
        return;
    server->full = false;
    for (struct weir_listener *it = server->listeners.first; it; it = it->next)
        (void)watch(server, it->fd, it);
}

static void accept_at(struct weir_policy_server *server, const struct weir_listener *listener,
                      weir_time now)
{
    size_t open = weir_clients_open(server->clients), most = connections_most(server);
    size_t room = most > open ? most - open : 0;

    if (room == 0)
        close_doors(server, "no room", now);
    else if (weir_clients_accept(server->clients, listener->fd, now,
                                 room < ACCEPTS ? room : ACCEPTS) < 0)
        close_doors(server, strerror(errno), now);
}

/* signals --------------------------------------------------------------- */

static int watch_signals(struct weir_policy_server *server)
{
    server->signals.watch = WEIR_WATCH_SIGNAL;
    server->signals.fd = weir_signals_open();
    return server->signals.fd < 0 ? WEIR_EIO : watch(server, server->signals.fd, &server->signals);
}

/* Puts the file's configuration in the place of the present one, or leaves all as it is. */
static int replace_service(struct weir_policy_server *server)
{
    struct weir_settings_report report = {weir_log_problem, &server->log.log};
    struct weir_service *next;
    int done = weir_service_read(server->options.config_path, &report, &next);

    if (done < 0)
        return done;
    done = prepare_listeners(server, &next->config, handed_over(server));
    if (done < 0) {
        weir_service_free(&next);
        return done;
    }
    weir_deciders_let_go(server->deciders);
    weir_numbers_counters(server->numbers, server->service->stores.counters, true);
    done = weir_service_replace(&server->service, &next, &server->log.log);
    if (done < 0)
        abandon_listeners(server);
    return done;
}

static void reload(struct weir_policy_server *server)
{
    int done;

    server->reload = false;
    weir_notify_reloading(&server->notify);
    done = replace_service(server);
    if (!server->service->engine) { /* memory was short, also for the old one */
        server->stop = true;
        server->done = WEIR_ENOMEM;
        return;
    }
    use_service(server);
    if (done == 0) {
        server->loaded = weir_clock_now(&server->wall);
        use_log(server, config_of(server));
        commit_listeners(server);
        open_doors(server);
        weir_log(&server->log.log, WEIR_LOG_INFO, "reloaded %s", path_shown(server));
    } else {
        weir_log(&server->log.log, WEIR_LOG_ERROR,
                 "not reloaded: %s goes on with the configuration it has",
                 server->options.program);
    }
    weir_notify_ready(&server->notify);
}

/* the loop --------------------------------------------------------------- */

static void obey(struct weir_policy_server *server, struct epoll_event *event, weir_time now)
{
    switch (*(enum weir_watch *)event->data.ptr) {
    case WEIR_WATCH_SIGNAL:
        weir_signals_read(server->signals.fd, &server->reload, &server->stop);
        break;
    case WEIR_WATCH_LISTENER:
        accept_at(server, event->data.ptr, now);
        break;
    case WEIR_WATCH_CONNECTION:
        weir_clients_ready(server->clients, event->data.ptr, now);
        break;
    case WEIR_WATCH_DECIDE_LISTENER:
        weir_deciders_accept(server->deciders, ((struct weir_listener *)event->data.ptr)->fd,
                             now);
        break;
    case WEIR_WATCH_DECIDER:
        weir_deciders_ready(server->deciders, event->data.ptr, now);
        break;
    }
}

/* Writes what was logged, waits for events and serves them all; then one message is decided, and
 * as long as others wait for that, the next round does not wait.  Returns how many events there
 * were. */
static int serve_round(struct weir_policy_server *server, weir_time wait)
{
    struct epoll_event event[EVENTS];
    weir_time now;
    int events;

    weir_daemon_log_flush(&server->log);
    if (server->messages_wait)
        wait = 0;
    events = epoll_wait(server->epoll, event, EVENTS, (int)((wait + 999) / 1000));
    now = weir_clock_now(&server->steady);
    for (int i = 0; i < events; i++)
        obey(server, &event[i], now);
    weir_clients_answer(server->clients, now);
    server->messages_wait = weir_deciders_work(server->deciders, now);
    return events;
}

/* What is due a few times a second.  Returns the time until the next. */
static weir_time tick(struct weir_policy_server *server)
{
    weir_time now = weir_clock_now(&server->steady);

    if (now < server->tick)
        return server->tick - now;
    server->tick = now + TICK;
    weir_clients_expire(server->clients, now);
    weir_deciders_expire(server->deciders, now);
    open_doors(server);
    if (server->service->stores.counters)
        weir_counters_tick(server->service->stores.counters, weir_clock_now(&server->wall));
    weir_numbers_counters(server->numbers, server->service->stores.counters, true);
    (void)weir_numbers_give(server->numbers);
    weir_notify_alive(&server->notify, now);
    return TICK;
}

/* Whoever has connected was accepted by us and may have asked already; at a socket that was
 * handed over the next daemon finds them. */
static void accept_the_last(struct weir_policy_server *server, weir_time now)
{
    for (struct weir_listener *it = server->listeners.first; it; it = it->next) {
        unwatch(server, it);
        if (!it->handed_over && !server->full)
            (void)weir_clients_accept(server->clients, it->fd, now, connections_most(server));
    }
    for (struct weir_listener *it = server->decide_listeners.first; it; it = it->next) {
        unwatch(server, it);
        weir_deciders_accept(server->deciders, it->fd, now);
    }
    weir_listeners_close(&server->listeners);
    weir_listeners_close(&server->decide_listeners);
}

/* Answers what has arrived, and does not wait for anything else. */
static void drain(struct weir_policy_server *server)
{
    weir_time now = weir_clock_now(&server->steady), end = now + STOP_WITHIN;

    weir_notify_stopping(&server->notify);
    weir_log(&server->log.log, WEIR_LOG_INFO, "stopping");
    accept_the_last(server, now);
    weir_clients_finish(server->clients);
    while (now < end) {
        bool unsent = weir_clients_unsent(server->clients) ||
                      weir_deciders_pending(server->deciders);

        if (serve_round(server, unsent ? end - now : 0) <= 0 && !unsent)
            break;
        now = weir_clock_now(&server->steady);
    }
}

int weir_policy_server_run(struct weir_policy_server *server)
{
    weir_notify_ready(&server->notify);
    while (!server->stop) {
        (void)serve_round(server, tick(server));
        if (server->reload && !server->stop)
            reload(server);
    }
    if (server->service->engine)
        drain(server);
    weir_log(&server->log.log, WEIR_LOG_INFO, "stopped after %llu requests",
             (unsigned long long)server->counts.requests);
    return server->done;
}

/* from start to end ------------------------------------------------------ */

static int open_service(struct weir_policy_server *server)
{
    struct weir_settings_report report = weir_settings_report_stderr();
    int done = weir_service_read(server->options.config_path, &report, &server->service);

    if (done < 0)
        return done;
    use_log(server, config_of(server));
    done = weir_numbers_open(config_of(server), WEIR_NUMBERS_POLICYD, true, &server->log.log,
                             &server->numbers);
    return done < 0 ? done : weir_service_open(server->service, &server->log.log);
}

static int open_clients(struct weir_policy_server *server)
{
    struct weir_hash_key key = weir_hash_key_random();
    struct weir_clients_options options = {
        .epoll = server->epoll,
        .wall = server->wall,
        .steady = server->steady,
        .status = answer_status,
        .context = server,
    };

    if (weir_instances_new(&key, WEIR_INSTANCES_MAX, 0, &server->instances) < 0 ||
        weir_clients_new(&options, &server->clients) < 0 ||
        weir_deciders_new(server->epoll, server->wall, &server->deciders) < 0)
        return WEIR_ENOMEM;
    use_service(server);
    return 0;
}

static int open_listeners(struct weir_policy_server *server)
{
    const char *why;
    int inherited = weir_listeners_inherit(&server->listeners, &why);

    if (inherited < 0) {
        weir_log(&server->log.log, WEIR_LOG_ERROR, "%s", why);
        return inherited;
    }
    if (prepare_listeners(server, config_of(server), inherited > 0) < 0)
        return WEIR_EIO;
    commit_listeners(server);
    return 0;
}

static int open_all(struct weir_policy_server *server)
{
    int done = open_service(server);

    server->notify = weir_notify_open();
    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    server->files_most = raise_files();
    if (done == 0 && server->epoll < 0)
        done = WEIR_EIO;
    if (done == 0)
        done = watch_signals(server);
    if (done == 0)
        done = open_clients(server);
    if (done < 0 && done != WEIR_EINVAL) /* what is wrong in the configuration was told */
        weir_log(&server->log.log, WEIR_LOG_ERROR, "cannot start: %s", weir_error_reason(done));
    if (done == 0)
        done = open_listeners(server);
    return done;
}

int weir_policy_server_open(const struct weir_policy_server_options *options,
                            struct weir_policy_server **server_r)
{
    struct weir_policy_server *server = calloc(1, sizeof *server);
    int done;

    if (!server)
        return WEIR_ENOMEM;
    server->options = *options;
    server->wall = weir_clock_system();
    server->steady = weir_clock_steady();
    server->started = server->loaded = weir_clock_now(&server->wall);
    server->epoll = server->signals.fd = server->notify.fd = -1;
    server->listeners.watch = WEIR_WATCH_LISTENER;
    server->decide_listeners.watch = WEIR_WATCH_DECIDE_LISTENER;
    done = open_all(server);
    if (done < 0) {
        weir_policy_server_close(&server);
        return done;
    }
    weir_log(&server->log.log, WEIR_LOG_INFO, "started: version %s, mode %s, configuration %s",
             WEIR_VERSION, config_of(server)->mode == WEIR_ENFORCE ? "enforce" : "observe",
             path_shown(server));
    *server_r = server;
    return 0;
}

void weir_policy_server_close(struct weir_policy_server **server)
{
    struct weir_policy_server *it = *server;

    if (!it)
        return;
    weir_listeners_close(&it->listeners);
    weir_listeners_close(&it->decide_listeners);
    weir_deciders_free(&it->deciders);
    weir_clients_free(&it->clients);
    weir_instances_free(&it->instances);
    if (it->signals.fd >= 0)
        close(it->signals.fd);
    if (it->epoll >= 0)
        close(it->epoll);
    if (it->service)
        weir_numbers_counters(it->numbers, it->service->stores.counters, false);
    weir_service_free(&it->service);
    weir_numbers_close(&it->numbers);
    weir_notify_close(&it->notify);
    weir_daemon_log_end(&it->log);
    free(it->status);
    free(it);
    *server = NULL;
}
