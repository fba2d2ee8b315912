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

#include "core/base/error.h"
#include "monitor/console/api_file.h"
#include "monitor/console/console_impl.h"
#include "monitor/view/view.h"

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

struct MHD_Response *weir_console_busy(const char *why)
{
    struct MHD_Response *response = weir_console_json(json_pack("{s:o}", "error",
                                                                weir_view_text(why)));
    char seconds[16];

    snprintf(seconds, sizeof seconds, "%u", WEIR_API_RETRY);
    if (response)
        MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
    return response;
}

static enum MHD_Result say(struct MHD_Connection *connection, unsigned status, const char *why)
{
    struct MHD_Response *response =
        status == MHD_HTTP_SERVICE_UNAVAILABLE
            ? weir_console_busy(why)
            : weir_console_json(json_pack("{s:o}", "error", weir_view_text(why)));
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

/* Room for so many octets; what was there is wiped, for a password may be in it. */
static bool make_room(struct weir_console *console, struct weir_asked *asked, size_t room)
{
    char *more;

    if (room > WEIR_CONSOLE_STRANGERS_BODY && console->octets + room > WEIR_CONSOLE_BODIES)
        return false;
    more = malloc(room);
    if (!more)
        return false;
    if (asked->octets) {
        memcpy(more, asked->octets, asked->len);
        explicit_bzero(asked->octets, asked->len);
        free(asked->octets);
    }
    console->octets += room - asked->room;
    asked->octets = more;
    asked->room = room;
    return true;
}

static void add_octets(struct weir_console *console, struct weir_asked *asked, const char *octets,
                       size_t len)
{
    size_t room = 2 * (asked->len + len);

    asked->too_long |= len > asked->most - asked->len;
    if (asked->too_long || asked->too_much)
        return;
    if (asked->len + len > asked->room)
        asked->too_much = !make_room(console, asked, room < asked->most ? room : asked->most);
    if (asked->too_much)
        return;
    memcpy(asked->octets + asked->len, octets, len);
    asked->len += len;
}

static void forget_octets(struct weir_console *console, struct weir_asked *asked)
{
    if (asked->octets)
        explicit_bzero(asked->octets, asked->len);
    free(asked->octets);
    console->octets -= asked->room;
    asked->octets = NULL;
    asked->len = asked->room = 0;
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
    *why_r = asked->too_long ? "the body is too long" : "too much is sent at once; try again in a "
                                                        "moment";
    return asked->too_long   ? MHD_HTTP_CONTENT_TOO_LARGE
           : asked->too_much ? MHD_HTTP_SERVICE_UNAVAILABLE
                             : 0;
}

/* Who asks, of fields of any length: browsers send others' cookies of the same host, too. */
static void read_door(struct weir_asked *asked)
{
    const char *bearer = field(asked->connection, MHD_HTTP_HEADER_AUTHORIZATION);

    if (!weir_door_cookie(field(asked->connection, MHD_HTTP_HEADER_COOKIE), asked->session))
        asked->session[0] = '\0';
    if (!weir_door_device(field(asked->connection, MHD_HTTP_HEADER_COOKIE), asked->device))
        asked->device[0] = '\0';
    asked->bears = bearer && bearer[0];
    if (!weir_door_bearer(bearer, asked->token))
        asked->token[0] = '\0';
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
    copy_field(connection, MHD_HTTP_HEADER_CONTENT_TYPE, asked->type, sizeof asked->type);
    copy_field(connection, "Weir-Csrf", asked->csrf, sizeof asked->csrf);
    asked->from = weir_http_address(connection);
    asked->state = WEIR_ASKED_WAITS;
    weir_http_peers_due(&console->peers, asked->visitor, 0);
    MHD_suspend_connection(connection);
    if (weir_console_enqueue(console, asked))
        return MHD_YES;
    asked->status = MHD_HTTP_SERVICE_UNAVAILABLE;
    asked->response = weir_console_busy("too much is asked; try again in a moment");
    asked->state = WEIR_ASKED_ANSWERED;
    MHD_resume_connection(connection);
    return MHD_YES;
}

/* What is asked of /metrics is asked of the API, by who may. */
static enum MHD_Result ask_metrics(struct weir_console *console, struct weir_asked *asked,
                                   const char *method)
{
    static const char *const of_proxies[] = {"Forwarded", "X-Forwarded-For", "X-Real-IP", "Via"};
    struct weir_address from = weir_http_address(asked->connection);
    const char *forwarded = NULL;

    for (size_t i = 0; i < sizeof of_proxies / sizeof of_proxies[0] && !forwarded; i++)
        forwarded = field(asked->connection, of_proxies[i]);
    asked->near = weir_door_is_near(&from, console->host, forwarded);
    asked->kind = WEIR_ASKED_METRICS;
    return ask(console, asked, METRICS, strcmp(method, "HEAD") == 0 ? "GET" : method);
}

static bool is_api(const char *path)
{
    return strncmp(path, API, sizeof API - 1) == 0 &&
           (path[sizeof API - 1] == '/' || path[sizeof API - 1] == '\0');
}

/* From its head to its answer. */
static void measure(struct weir_console *console, const struct weir_asked *asked)
{
    weir_histogram_add(&console->times[asked->kind],
                       weir_clock_now(&console->steady) - asked->since, 1);
}

static enum MHD_Result begin(struct weir_console *console, struct weir_asked *asked,
                             const char *path, const char *method)
{
    struct MHD_Connection *connection = asked->connection;
    bool reads = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;

    if (!weir_http_host_fits(connection, console->own, console->host))
        return say(connection, MHD_HTTP_MISDIRECTED_REQUEST, "the console does not answer to this "
                   "name: [console] url says which");
    asked->kind = is_api(path) ? reads ? WEIR_ASKED_READ : WEIR_ASKED_CHANGE : WEIR_ASKED_PAGE;
    if (is_api(path))
        return ask(console, asked, path + sizeof API - 1, method);
    if (strcmp(path, METRICS) == 0)
        return ask_metrics(console, asked, method);
    if (!reads)
        return say(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "pages are only read");
    if (weir_pages_answer(console, connection, path) != MHD_YES)
        return say(connection, MHD_HTTP_NOT_FOUND, "no such page");
    measure(console, asked);
    return MHD_YES;
}

/* The head of a request is read.  A body of more than a login's is for who may be somebody. */
static struct weir_asked *receive(struct weir_console *console, struct MHD_Connection *connection)
{
    struct weir_asked *asked = calloc(1, sizeof *asked);

    if (!asked)
        return NULL;
    asked->connection = connection;
    asked->since = weir_clock_now(&console->steady);
    asked->visitor = weir_http_visitor(connection);
    read_door(asked);
    asked->most = asked->session[0] || asked->token[0] ? WEIR_API_BODY_MAX
                                                       : WEIR_CONSOLE_STRANGERS_BODY;
    weir_http_peers_due(&console->peers, asked->visitor, WEIR_CONSOLE_BODY);
    return asked;
}

enum MHD_Result weir_console_handle(void *context, struct MHD_Connection *connection,
                                    const char *path, const char *method, const char *version,
                                    const char *octets, size_t *len, void **state)
{
    struct weir_console *console = context;
    struct weir_asked *asked = *state;

    (void)version;
    if (!asked) {
        *state = asked = receive(console, connection);
        return asked ? MHD_YES : MHD_NO;
    }
    if (*len > 0) {
        add_octets(console, asked, octets, *len);
        *len = 0;
        return MHD_YES;
    }
    if (asked->state != WEIR_ASKED_WAITS)
        weir_http_peers_due(&console->peers, asked->visitor,
                            WEIR_CONSOLE_ANSWER +
                                (asked->state == WEIR_ASKED_LIVE ? WEIR_FEED_SPAN : 0));
    switch (asked->state) {
    case WEIR_ASKED_ANSWERED:
        measure(console, asked);
        return asked->response ? MHD_queue_response(connection, asked->status, asked->response)
                               : MHD_NO;
    case WEIR_ASKED_LIVE:
        return weir_feed_answer(console->live, connection, &asked->who,
                                field(connection, "Last-Event-ID"));
    case WEIR_ASKED_WAITS:
        return MHD_YES;
    default:
        return begin(console, asked, path, method);
    }
}

void weir_console_completed(void *context, struct MHD_Connection *connection, void **state,
                            enum MHD_RequestTerminationCode code)
{
    struct weir_console *console = context;
    struct weir_asked *asked = *state;

    (void)connection, (void)code;
    if (!asked)
        return;
    weir_http_peers_due(&console->peers, asked->visitor, WEIR_CONSOLE_IDLE + WEIR_CONSOLE_HEAD);
    weir_api_request_forget(&asked->request);
    if (asked->response)
        MHD_destroy_response(asked->response);
    forget_octets(console, asked);
    free(asked);
    *state = NULL;
}

/* a worker's part ------------------------------------------------------------------------- */

static void set_cookie(const struct weir_console *console, struct MHD_Response *response,
                       const char *name, const char *value, weir_time span)
{
    char text[160];

    snprintf(text, sizeof text, "%s=%s; Path=/%s; HttpOnly; SameSite=Strict; Max-Age=%lld%s", name,
             value, strcmp(name, WEIR_DOOR_DEVICE) == 0 ? "api/v1/login" : "",
             value[0] ? (long long)(span / WEIR_SECOND) : 0, console->tls ? "; Secure" : "");
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

static struct MHD_Response *of_refusal(const struct weir_api_question *question)
{
    return weir_console_json(json_pack("{s:o, s:o*}", "error", weir_view_text(question->why),
                                       "present", question->present));
}

static void answer(struct weir_console *console, struct weir_asked *asked,
                   struct weir_api_question *question, json_t *json)
{
    char seconds[16];

    asked->status = json ? MHD_HTTP_OK : question->code ? question->code : 500;
    asked->response = json_is_string(json) ? of_metrics(json)
                      : json               ? weir_console_json(json)
                                           : of_refusal(question);
    if (!asked->response)
        return;
    if (json && !question->token && strcmp(asked->session, question->session) != 0)
        set_cookie(console, asked->response, WEIR_DOOR_COOKIE, question->session,
                   WEIR_SESSION_WHOLE);
    if (json && strcmp(asked->device, question->device) != 0)
        set_cookie(console, asked->response, WEIR_DOOR_DEVICE, question->device,
                   WEIR_DEVICE_SPAN);
    snprintf(seconds, sizeof seconds, "%u", question->retry);
    if (question->retry > 0)
        MHD_add_response_header(asked->response, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
}

/* Not before it is known who asks. */
static int read_body(struct weir_asked *asked, struct weir_api_question *question)
{
    const char *why = "";
    int status = weir_api_request_body(&asked->request, asked->type,
                                       (struct weir_slice){asked->octets, asked->len}, &why);

    if (status != 0)
        (void)weir_api_refuse(question, (unsigned)status, why);
    return status;
}

/* Whether it is his turn: 1; 0: it waits once more; or a status below zero, and why. */
static int take_turn(struct weir_worker *worker, struct weir_asked *asked,
                     struct weir_api_question *question)
{
    int done;

    if (question->account.role == WEIR_NOBODY)
        return 1;
    snprintf(asked->person, sizeof asked->person, "%s %s", question->token ? "token" : "user",
             question->account.name);
    done = weir_console_share(worker, asked);
    if (done == WEIR_ELIMIT)
        (void)weir_api_refuse(question, MHD_HTTP_SERVICE_UNAVAILABLE, "you ask for too much at "
                              "once; try again in a moment");
    return done == 0 ? 1 : done == WEIR_EBUSY ? 0 : -MHD_HTTP_SERVICE_UNAVAILABLE;
}

bool weir_console_work(struct weir_worker *worker, struct weir_asked *asked)
{
    struct weir_console *console = worker->console;
    size_t routes;
    const struct weir_api_route *route = weir_api_routes(&routes) + asked->route;
    struct weir_api_question question = {
        .console = console, .monitor = console->monitor, .database = worker->database,
        .request = &asked->request, .route = route, .from = asked->from,
        .now = weir_clock_now(&console->wall)};
    int status = weir_console_identify(console, asked, &question), turn = 1;
    json_t *json = NULL;

    memcpy(question.device, asked->device, sizeof question.device);
    if (status == 0)
        turn = take_turn(worker, asked, &question);
    if (turn == 0)
        return false;
    if (turn < 0)
        status = -turn;
    if (status == 0)
        status = read_body(asked, &question);
    if (status == 0 && asked->who.role > WEIR_NOBODY)
        weir_http_peers_known(&console->peers, asked->visitor);

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
    return true;
}
