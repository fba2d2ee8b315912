/*
 * console_request - one request: libmicrohttpd's thread reads it, asks a worker, and queues the
 * answer.
 *
 * A strange Host is refused before anything else is looked at.  What is read of a request is copied
 * out of libmicrohttpd's hands, for a worker has it while the connection sleeps.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "core/base/error.h"
#include "monitor/console/api_file.h"
#include "monitor/console/console_impl.h"

#define API "/api/v1"
#define METRICS "/metrics"

/* answers ------------------------------------------------------------------------------- */

void weir_console_headers(struct MHD_Response *response)
{
    static const char *const fields[][2] = {
        {"Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; "
         "img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
         "frame-ancestors 'none'"},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
    };

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        MHD_add_response_header(response, fields[i][0], fields[i][1]);
}

static struct MHD_Response *of_text(char *text, const char *type)
{
    struct MHD_Response *response =
        text ? MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE) : NULL;

    if (!response) {
        free(text);
        return NULL;
    }
    weir_console_headers(response);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    return response;
}

struct MHD_Response *weir_console_json(json_t *json)
{
    char *text = json ? json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL;

    json_decref(json);
    return of_text(text, "application/json");
}

static enum MHD_Result say(struct MHD_Connection *connection, unsigned status, const char *why)
{
    struct MHD_Response *response = weir_console_json(json_pack("{s:s}", "error", why));
    enum MHD_Result done = MHD_NO;

    if (response) {
        if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
            MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, POST, PUT, DELETE");
        done = MHD_queue_response(connection, status, response);
        MHD_destroy_response(response);
    }
    return done;
}

/* reading --------------------------------------------------------------------------------- */

static const char *field(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static void copy_field(struct MHD_Connection *connection, const char *name, char *text_r,
                       size_t size)
{
    const char *value = field(connection, name);

    if (value && strlen(value) < size)
        strcpy(text_r, value);
}

static struct weir_address address_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct weir_address address = {.octet = {0}};

    if (!info || !info->client_addr)
        return address;
    if (info->client_addr->sa_family == AF_INET6) {
        struct sockaddr_in6 peer;

        memcpy(&peer, info->client_addr, sizeof peer);
        memcpy(address.octet, &peer.sin6_addr, sizeof address.octet);
    } else if (info->client_addr->sa_family == AF_INET) {
        struct sockaddr_in peer;

        memcpy(&peer, info->client_addr, sizeof peer);
        address.octet[10] = address.octet[11] = 0xff;
        memcpy(address.octet + 12, &peer.sin_addr, 4);
    }
    return address;
}

static void add_octets(struct weir_asked *asked, const char *octets, size_t len)
{
    size_t room = 2 * (asked->len + len);
    char *more = asked->octets;

    if (asked->too_long || len > WEIR_API_BODY_MAX - asked->len) {
        asked->too_long = true;
        return;
    }
    if (asked->len + len > asked->room) {
        more = realloc(asked->octets, room);
        asked->too_long = !more;
        if (!more)
            return;
        asked->octets = more;
        asked->room = room;
    }
    memcpy(more + asked->len, octets, len);
    asked->len += len;
}

struct arguments {
    struct weir_api_request *request;
    int status;
    const char *why;
};

static enum MHD_Result add_argument(void *context, enum MHD_ValueKind kind, const char *name,
                                    const char *value)
{
    struct arguments *arguments = context;

    (void)kind;
    arguments->status = weir_api_request_argument(
        arguments->request, (struct weir_slice){name, strlen(name)},
        (struct weir_slice){value ? value : "", value ? strlen(value) : 0}, &arguments->why);
    return arguments->status == 0 ? MHD_YES : MHD_NO;
}

/* What is asked of the API: 0, or a status and why. */
static int read_request(struct weir_asked *asked, const char *path, const char *method,
                        const char **why_r)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "DELETE"};
    struct weir_api_request *request = &asked->request;
    struct arguments arguments = {.request = request};
    const char *type = field(asked->connection, MHD_HTTP_HEADER_CONTENT_TYPE);
    int status = weir_api_request_path(request, path, why_r);

    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (strcmp(method, methods[i]) == 0)
            request->method = methods[i];
    *why_r = status == 0 && !request->method ? "no such method" : *why_r;
    if (status != 0 || !request->method)
        return status ? status : MHD_HTTP_METHOD_NOT_ALLOWED;
    MHD_get_connection_values(asked->connection, MHD_GET_ARGUMENT_KIND, add_argument, &arguments);
    *why_r = arguments.why;
    if (arguments.status != 0)
        return arguments.status;
    asked->route = weir_api_find(request);
    *why_r = asked->route == -MHD_HTTP_METHOD_NOT_ALLOWED ? "no such method here" : "no such place";
    if (asked->route < 0)
        return -asked->route;
    *why_r = "the body is too long";
    return asked->too_long ? MHD_HTTP_CONTENT_TOO_LARGE
                           : weir_api_request_body(request, type,
                                                   (struct weir_slice){asked->octets, asked->len},
                                                   why_r);
}

/* Gives it to a worker; the path behind API's. */
static enum MHD_Result ask(struct weir_console *console, struct weir_asked *asked,
                           const char *path, const char *method)
{
    struct MHD_Connection *connection = asked->connection;
    const char *why = "";
    int status = read_request(asked, path, method, &why);

    if (status != 0)
        return say(connection, (unsigned)status, why);
    copy_field(connection, MHD_HTTP_HEADER_COOKIE, asked->cookie, sizeof asked->cookie);
    copy_field(connection, MHD_HTTP_HEADER_AUTHORIZATION, asked->authorization,
               sizeof asked->authorization);
    copy_field(connection, "Weir-Csrf", asked->csrf, sizeof asked->csrf);
    asked->from = address_of(connection);
    asked->state = WEIR_ASKED_WAITS;
    MHD_suspend_connection(connection);
    if (weir_console_enqueue(console, asked))
        return MHD_YES;
    asked->status = MHD_HTTP_SERVICE_UNAVAILABLE;
    asked->response = weir_console_json(json_pack("{s:s}", "error", "too much is asked; try "
                                                  "again in a moment"));
    asked->state = WEIR_ASKED_ANSWERED;
    MHD_resume_connection(connection);
    return MHD_YES;
}

/* What is asked of /metrics is asked of the API, by who may. */
static enum MHD_Result ask_metrics(struct weir_console *console, struct weir_asked *asked,
                                   const char *method)
{
    static const char *const of_proxies[] = {"Forwarded", "X-Forwarded-For", "X-Real-IP", "Via"};
    struct weir_address from = address_of(asked->connection);
    const char *forwarded = NULL;

    for (size_t i = 0; i < sizeof of_proxies / sizeof of_proxies[0] && !forwarded; i++)
        forwarded = field(asked->connection, of_proxies[i]);
    asked->near = weir_door_is_near(&from, console->host, forwarded);
    return ask(console, asked, METRICS, strcmp(method, "HEAD") == 0 ? "GET" : method);
}

static bool is_api(const char *path)
{
    return strncmp(path, API, sizeof API - 1) == 0 &&
           (path[sizeof API - 1] == '/' || path[sizeof API - 1] == '\0');
}

static enum MHD_Result begin(struct weir_console *console, struct weir_asked *asked,
                             const char *path, const char *method)
{
    struct MHD_Connection *connection = asked->connection;
    bool reads = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;

    if (!weir_door_host_fits(field(connection, MHD_HTTP_HEADER_HOST), console->own,
                             console->host))
        return say(connection, MHD_HTTP_MISDIRECTED_REQUEST, "the console does not answer to this "
                   "name: [console] url says which");
    if (is_api(path))
        return ask(console, asked, path + sizeof API - 1, method);
    if (strcmp(path, METRICS) == 0)
        return ask_metrics(console, asked, method);
    if (!reads)
        return say(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "pages are only read");
    return weir_pages_answer(console, connection, path) == MHD_YES
               ? MHD_YES
               : say(connection, MHD_HTTP_NOT_FOUND, "no such page");
}

enum MHD_Result weir_console_handle(void *context, struct MHD_Connection *connection,
                                    const char *path, const char *method, const char *version,
                                    const char *octets, size_t *len, void **state)
{
    struct weir_console *console = context;
    struct weir_asked *asked = *state;

    (void)version;
    if (!asked) {
        *state = asked = calloc(1, sizeof *asked);
        if (asked)
            asked->connection = connection;
        return asked ? MHD_YES : MHD_NO;
    }
    if (*len > 0) {
        add_octets(asked, octets, *len);
        *len = 0;
        return MHD_YES;
    }
    switch (asked->state) {
    case WEIR_ASKED_ANSWERED:
        return asked->response ? MHD_queue_response(connection, asked->status, asked->response)
                               : MHD_NO;
    case WEIR_ASKED_LIVE:
        return weir_feed_answer(console->live, connection, field(connection, "Last-Event-ID"));
    case WEIR_ASKED_WAITS:
        return MHD_YES;
    default:
        return begin(console, asked, path, method);
    }
}

void weir_console_completed(void *context, struct MHD_Connection *connection, void **state,
                            enum MHD_RequestTerminationCode code)
{
    struct weir_asked *asked = *state;

    (void)context, (void)connection, (void)code;
    if (!asked)
        return;
    weir_api_request_forget(&asked->request);
    if (asked->response)
        MHD_destroy_response(asked->response);
    if (asked->octets)
        explicit_bzero(asked->octets, asked->len); /* a password may be in it */
    free(asked->octets);
    free(asked);
    *state = NULL;
}

/* a worker's part ------------------------------------------------------------------------- */

static void set_cookie(const struct weir_console *console, struct MHD_Response *response,
                       const char *session)
{
    char text[160];

    snprintf(text, sizeof text, WEIR_DOOR_COOKIE "=%s; Path=/; HttpOnly; SameSite=Strict; "
             "Max-Age=%lld%s", session,
             session[0] ? (long long)(WEIR_SESSION_WHOLE / WEIR_SECOND) : 0,
             console->tls ? "; Secure" : "");
    MHD_add_response_header(response, MHD_HTTP_HEADER_SET_COOKIE, text);
}

/* A text alone is the one of metrics_text.h. */
static struct MHD_Response *of_metrics(json_t *json)
{
    struct MHD_Response *response = of_text(strdup(json_string_value(json)),
                                            "text/plain; version=0.0.4; charset=utf-8");

    json_decref(json);
    return response;
}

/* A list as a file: format=csv, or json; NULL: refused. */
static struct MHD_Response *download(struct weir_api_question *question)
{
    struct MHD_Response *response;
    struct weir_api_file file;
    char name[96];

    if (!weir_api_file(question, &file))
        return NULL;
    response = of_text(file.text, file.csv ? "text/csv; charset=utf-8; header=present"
                                           : "application/json");
    snprintf(name, sizeof name, "attachment; filename=\"weir-%.40s.%s\"",
             question->request->words > 0 ? question->request->word[0] : "rows",
             file.csv ? "csv" : "json");
    if (response)
        MHD_add_response_header(response, "Content-Disposition", name);
    if (response && file.more[0])
        MHD_add_response_header(response, "Weir-More", file.more);
    return response;
}

static void answer(struct weir_console *console, struct weir_asked *asked,
                   struct weir_api_question *question, json_t *json)
{
    char before[WEIR_TOKEN_TEXT] = "", seconds[16];

    (void)weir_door_cookie(asked->cookie, before);
    asked->status = json ? MHD_HTTP_OK : question->code ? question->code : 500;
    asked->response = json_is_string(json) ? of_metrics(json)
                      : json               ? weir_console_json(json)
                                           : weir_console_json(json_pack("{s:s, s:o*}", "error",
                                                                       question->why, "present",
                                                                       question->present));
    if (!asked->response)
        return;
    if (json && !question->token && strcmp(before, question->session) != 0)
        set_cookie(console, asked->response, question->session);
    snprintf(seconds, sizeof seconds, "%u", question->retry);
    if (question->retry > 0)
        MHD_add_response_header(asked->response, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
}

void weir_console_work(struct weir_console *console, struct weir_database *database,
                       struct weir_asked *asked)
{
    size_t routes;
    const struct weir_api_route *route = weir_api_routes(&routes) + asked->route;
    struct weir_api_question question = {
        .console = console, .monitor = console->monitor, .database = database,
        .request = &asked->request, .route = route, .from = asked->from,
        .now = weir_clock_now(&console->wall)};
    int status = weir_console_identify(console, asked, &question);
    json_t *json = NULL;

    asked->state = WEIR_ASKED_ANSWERED;
    if (status != 0)
        question.code = (unsigned)status;
    else if (!route->run)
        asked->state = WEIR_ASKED_LIVE;
    else if (strcmp(asked->request.method, "GET") == 0 && weir_api_file_wanted(&question))
        asked->response = download(&question);
    else
        json = weir_api_run(&question);
    if (asked->response)
        asked->status = MHD_HTTP_OK;
    else if (asked->state == WEIR_ASKED_ANSWERED)
        answer(console, asked, &question, json);
}
