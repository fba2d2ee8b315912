/*
 * intake - libmicrohttpd's callbacks around one struct request for each request.
 *
 * libmicrohttpd calls once when the head is there (the caller is looked at, a body is refused or
 * allowed), once for each piece of body, and once at the end (the answer).  A question for commands
 * that finds nothing new is suspended and stands in the list of those who are held, until
 * weir_intake_wake() or its time is over; then libmicrohttpd calls once more.
 */
#include "monitor/intake/intake_io.h"

#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>
#include <sodium.h>
#include <zlib.h>

#include "core/base/descriptors_io.h"
#include "core/base/error.h"
#include "core/base/slice.h"
#include "monitor/agent/identity.h"

#define THREADS_MOST 8
#define IDLE_SECONDS 90
#define FILES_BESIDE 256         /* descriptors of all that is not a connection */
#define PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

enum route { ROUTE_SPOOL, ROUTE_COMMANDS, ROUTE_HEALTH, ROUTES };

static const struct {
    const char *method, *path;
} routes[ROUTES] = {
    {"POST", "/agent/v1/spool"},
    {"GET", "/agent/v1/commands"},
    {"POST", "/agent/v1/health"},
};

struct request {
    struct weir_intake *intake;
    struct MHD_Connection *connection;
    enum route route;
    uint32_t server;
    char *body;
    size_t len, room;
    bool too_large;
    weir_time until;             /* a held one: until when; 0: not held yet */
    struct request *before, *after; /* in the list of those held */
    bool held;
};

struct weir_intake {
    struct weir_intake_handler handler;
    const struct weir_log *log;
    struct MHD_Daemon *daemon;
    struct weir_clock steady;
    pthread_mutex_t lock;        /* of the list */
    struct request *first;
    size_t held;
    bool closing;
    atomic_int_fast64_t health_every;
    atomic_uint_fast64_t requests, refused, unknown, octets;
};

/* answers ---------------------------------------------------------------------- */

static enum MHD_Result answer(struct MHD_Connection *connection, int status, const char *text)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text,
                                        MHD_RESPMEM_MUST_COPY);
    enum MHD_Result done;

    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
    done = MHD_queue_response(connection, (unsigned)status, response);
    MHD_destroy_response(response);
    return done;
}

static enum MHD_Result refuse(struct weir_intake *intake, struct MHD_Connection *connection,
                              int status, const char *why)
{
    char text[96];

    atomic_fetch_add(status == MHD_HTTP_UNAUTHORIZED ? &intake->unknown : &intake->refused, 1);
    snprintf(text, sizeof text, "{\"error\": \"%s\"}", why);
    return answer(connection, status, text);
}

/* who asks --------------------------------------------------------------------- */

static const char *header(struct MHD_Connection *connection, const char *name)
{
    const char *value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);

    return value ? value : "";
}

/* 200, 400, 401 or 409. */
static int admit(struct request *request)
{
    struct MHD_Connection *connection = request->connection;
    struct weir_slice bearer = weir_slice_of(header(connection, MHD_HTTP_HEADER_AUTHORIZATION));
    struct weir_intake_caller caller = {.instance = header(connection, "Weir-Instance"),
                                        .previous = header(connection, "Weir-Previous")};
    const char *colon;

    if (!weir_slice_begins(bearer, "Bearer "))
        return MHD_HTTP_UNAUTHORIZED;
    bearer = weir_slice_behind(bearer, strlen("Bearer "));
    colon = bearer.len ? memchr(bearer.at, ':', bearer.len) : NULL;
    if (!colon)
        return MHD_HTTP_UNAUTHORIZED;
    caller.server = weir_slice_between(bearer.at, colon);
    caller.secret = weir_slice_between(colon + 1, bearer.at + bearer.len);
    if (!weir_server_name_fit(caller.server) || caller.secret.len != WEIR_SECRET_TEXT - 1)
        return MHD_HTTP_UNAUTHORIZED;
    if (!weir_instance_fit(weir_slice_of(caller.instance)) ||
        (caller.previous[0] && !weir_instance_fit(weir_slice_of(caller.previous))))
        return MHD_HTTP_BAD_REQUEST;
    return request->intake->handler.admit(request->intake->handler.context, &caller,
                                          &request->server);
}

/* bodies ----------------------------------------------------------------------- */

/* Whether all was taken; a body beyond the limit is passed over and answered 413. */
static bool take_body(struct request *request, const char *octets, size_t len)
{
    size_t room;
    char *more;

    if (request->too_large || len > WEIR_INTAKE_BODY_MAX - request->len) {
        request->too_large = true;
        return true;
    }
    if (request->len + len > request->room) {
        room = request->room ? 2 * request->room : 16384;
        while (room < request->len + len)
            room *= 2;
        more = realloc(request->body, room);
        if (!more)
            return false;
        request->body = more;
        request->room = room;
    }
    memcpy(request->body + request->len, octets, len);
    request->len += len;
    return true;
}

/* Puts what was deflated in its full length in place: 200, 400, 413 or 503. */
static int inflate_body(struct request *request)
{
    uLongf len = WEIR_INTAKE_BODY_MAX;
    char *full = malloc(WEIR_INTAKE_BODY_MAX);
    int done;

    if (!full)
        return MHD_HTTP_SERVICE_UNAVAILABLE;
    done = uncompress((Bytef *)full, &len, (const Bytef *)request->body, request->len);
    if (done != Z_OK) {
        free(full);
        return done == Z_BUF_ERROR && len == WEIR_INTAKE_BODY_MAX ? MHD_HTTP_CONTENT_TOO_LARGE
                                                                  : MHD_HTTP_BAD_REQUEST;
    }
    free(request->body);
    request->body = full;
    request->len = len;
    return MHD_HTTP_OK;
}

static int whole_body(struct request *request)
{
    const char *encoding = header(request->connection, MHD_HTTP_HEADER_CONTENT_ENCODING);

    if (request->too_large)
        return MHD_HTTP_CONTENT_TOO_LARGE;
    if (strcmp(encoding, "deflate") == 0)
        return inflate_body(request);
    return encoding[0] ? MHD_HTTP_UNSUPPORTED_MEDIA_TYPE : MHD_HTTP_OK;
}

/* routes ----------------------------------------------------------------------- */

static bool argument_number(struct request *request, const char *name, uint64_t *number_r)
{
    const char *text =
        MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
    char *end;

    if (!text || !weir_is_digit(text[0]))
        return false;
    errno = 0;
    *number_r = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0' && *number_r <= INT64_MAX;
}

static enum MHD_Result spool(struct request *request)
{
    const struct weir_intake_handler *handler = &request->intake->handler;
    const char *stream =
        MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, "stream");
    uint64_t offset, safe = 0;
    char text[64];
    int status = whole_body(request);

    if (status != MHD_HTTP_OK)
        return refuse(request->intake, request->connection, status, "body");
    if (!stream || !stream[0] || strlen(stream) > WEIR_STREAM_MAX ||
        !argument_number(request, "offset", &offset) || request->len == 0 ||
        request->body[request->len - 1] != '\n')
        return refuse(request->intake, request->connection, MHD_HTTP_BAD_REQUEST, "request");
    status = handler->spool(handler->context, request->server, stream, offset,
                            (struct weir_slice){request->body, request->len}, &safe);
    if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
        return refuse(request->intake, request->connection, status, "later");
    atomic_fetch_add(&request->intake->octets, request->len);
    snprintf(text, sizeof text, "{%s\"offset\": %" PRIu64 "}",
             status == MHD_HTTP_OK ? "" : "\"error\": \"offset\", ", safe);
    return answer(request->connection, status, text);
}

static enum MHD_Result health(struct request *request)
{
    const struct weir_intake_handler *handler = &request->intake->handler;
    int status = whole_body(request);
    char text[48];

    if (status == MHD_HTTP_OK && request->len > WEIR_SERVER_HEALTH_MAX)
        status = MHD_HTTP_CONTENT_TOO_LARGE;
    if (status != MHD_HTTP_OK)
        return refuse(request->intake, request->connection, status, "body");
    handler->health(handler->context, request->server,
                    (struct weir_slice){request->body ? request->body : "", request->len});
    snprintf(text, sizeof text, "{\"every\": %" PRId64 "}",
             (int64_t)atomic_load(&request->intake->health_every) / 1000);
    return answer(request->connection, MHD_HTTP_OK,
                  atomic_load(&request->intake->health_every) > 0 ? text : "{}");
}

/* held questions --------------------------------------------------------------- */

static void hold(struct request *request)
{
    struct weir_intake *intake = request->intake;

    request->before = NULL;
    request->after = intake->first;
    if (intake->first)
        intake->first->before = request;
    intake->first = request;
    request->held = true;
    intake->held++;
    MHD_suspend_connection(request->connection);
}

/* With the lock. */
static void let_go(struct request *request)
{
    struct weir_intake *intake = request->intake;

    if (request->before)
        request->before->after = request->after;
    else
        intake->first = request->after;
    if (request->after)
        request->after->before = request->before;
    request->held = false;
    intake->held--;
    MHD_resume_connection(request->connection);
}

static enum MHD_Result commands(struct request *request)
{
    struct weir_intake *intake = request->intake;
    const struct weir_intake_handler *handler = &intake->handler;
    weir_time now = weir_clock_now(&intake->steady);
    uint64_t generation, wait;
    enum MHD_Result done;
    char *text;
    bool over;

    if (!argument_number(request, "generation", &generation) ||
        !argument_number(request, "wait", &wait))
        return refuse(intake, request->connection, MHD_HTTP_BAD_REQUEST, "request");
    if (request->until == 0)
        request->until = now + (wait < WEIR_INTAKE_WAIT_MAX ? (weir_time)wait
                                                             : WEIR_INTAKE_WAIT_MAX) * WEIR_SECOND;
    pthread_mutex_lock(&intake->lock); /* so that no wake is missed between asking and holding */
    text = handler->commands(handler->context, request->server, (int64_t)generation,
                             MHD_lookup_connection_value(request->connection,
                                                         MHD_GET_ARGUMENT_KIND, "all") != NULL);
    over = text || request->until <= now || intake->closing;
    if (!over)
        hold(request);
    pthread_mutex_unlock(&intake->lock);
    if (!over)
        return MHD_YES;
    done = text ? answer(request->connection, MHD_HTTP_OK, text)
                : answer(request->connection, MHD_HTTP_NO_CONTENT, "");
    free(text);
    return done;
}

void weir_intake_wake(struct weir_intake *intake)
{
    pthread_mutex_lock(&intake->lock);
    while (intake->first)
        let_go(intake->first);
    pthread_mutex_unlock(&intake->lock);
}

void weir_intake_tick(struct weir_intake *intake, weir_time steady)
{
    struct request *next;

    pthread_mutex_lock(&intake->lock);
    for (struct request *at = intake->first; at; at = next) {
        next = at->after;
        if (at->until <= steady)
            let_go(at);
    }
    pthread_mutex_unlock(&intake->lock);
}

/* libmicrohttpd's callbacks ------------------------------------------------------ */

static enum MHD_Result begin(struct weir_intake *intake, struct MHD_Connection *connection,
                             const char *path, const char *method, void **state)
{
    struct request *request = calloc(1, sizeof *request);
    int status;

    if (!request)
        return MHD_NO;
    *state = request;
    *request = (struct request){.intake = intake, .connection = connection, .route = ROUTES};
    atomic_fetch_add(&intake->requests, 1);
    for (enum route route = 0; route < ROUTES; route++)
        if (strcmp(path, routes[route].path) == 0 && strcmp(method, routes[route].method) == 0)
            request->route = route;
    if (request->route == ROUTES)
        return refuse(intake, connection, MHD_HTTP_NOT_FOUND, "path");
    status = admit(request);
    if (status == MHD_HTTP_OK)
        return MHD_YES;
    return refuse(intake, connection, status,
                  status == MHD_HTTP_CONFLICT ? "instance"
                  : status == MHD_HTTP_UNAUTHORIZED ? "unknown" : "request");
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *octets,
                              size_t *len, void **state)
{
    static enum MHD_Result (*const finish[ROUTES])(struct request *request) = {
        [ROUTE_SPOOL] = spool, [ROUTE_COMMANDS] = commands, [ROUTE_HEALTH] = health};
    struct request *request = *state;

    (void)version;
    if (!request)
        return begin(context, connection, path, method, state);
    if (*len > 0) {
        bool taken = take_body(request, octets, *len);
        *len = 0;
        return taken ? MHD_YES : MHD_NO;
    }
    return finish[request->route](request);
}

static void completed(void *context, struct MHD_Connection *connection, void **state,
                      enum MHD_RequestTerminationCode code)
{
    struct request *request = *state;

    (void)context, (void)connection, (void)code;
    if (!request)
        return;
    free(request->body);
    free(request);
    *state = NULL;
}

/* opening ------------------------------------------------------------------------ */

/* A listening socket; -1 and errno, or a text for what getaddrinfo says. */
static int listen_at(const struct weir_endpoint *at, const char **why_r)
{
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    int on = 1, fd, done = getaddrinfo(at->host, at->port, &hints, &found);

    if (done != 0) {
        *why_r = gai_strerror(done);
        return -1;
    }
    fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (fd >= 0 && (bind(fd, found->ai_addr, found->ai_addrlen) < 0 || listen(fd, 1024) < 0)) {
        *why_r = strerror(errno);
        close(fd);
        fd = -1;
    } else if (fd < 0) {
        *why_r = strerror(errno);
    }
    freeaddrinfo(found);
    return fd;
}

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
        0, NULL, NULL, handle, intake, MHD_OPTION_EXTERNAL_LOGGER, log_line, intake,
        MHD_OPTION_LISTEN_SOCKET, (MHD_socket)fd, MHD_OPTION_HTTPS_MEM_KEY,
        options->certificate->key, MHD_OPTION_HTTPS_MEM_CERT, options->certificate->chain,
        MHD_OPTION_HTTPS_PRIORITIES, PRIORITIES, MHD_OPTION_NOTIFY_COMPLETED, completed, NULL,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)WEIR_INTAKE_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)65536, MHD_OPTION_THREAD_POOL_SIZE, pool > 1 ? pool : 0, MHD_OPTION_END);
}

int weir_intake_open(const struct weir_intake_options *options,
                     const struct weir_intake_handler *handler, const struct weir_log *log,
                     struct weir_intake **intake_r)
{
    struct weir_intake *intake = calloc(1, sizeof *intake);
    const char *why = "TLS cannot be set up with this key and certificate";
    int fd;

    if (!intake)
        return WEIR_ENOMEM;
    intake->handler = *handler;
    intake->log = log;
    intake->steady = weir_clock_steady();
    atomic_init(&intake->health_every, options->health_every);
    pthread_mutex_init(&intake->lock, NULL);
    allow_files(log);
    fd = listen_at(options->listen, &why);
    intake->daemon = fd >= 0 ? start(intake, options, fd) : NULL;
    if (intake->daemon) {
        *intake_r = intake;
        return 0;
    }
    if (fd >= 0)
        close(fd);
    weir_log(log, WEIR_LOG_ERROR, "cannot listen at %s:%s: %s", options->listen->host,
             options->listen->port, why);
    pthread_mutex_destroy(&intake->lock);
    free(intake);
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
    pthread_mutex_destroy(&(*intake)->lock);
    free(*intake);
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
        .held = intake->held,
        .connections = info ? info->num_connections : 0,
    };
    pthread_mutex_unlock(&intake->lock);
}
