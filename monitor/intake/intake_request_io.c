/*
 * Requests: one struct for each.  libmicrohttpd calls once when the head is there (the caller is
 * looked at, a body is refused or allowed), once for each piece of body, and once at the end (the
 * answer).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "core/base/slice.h"
#include "monitor/agent/identity.h"
#include "monitor/intake/intake_impl.h"

static const struct {
    const char *method, *path;
} routes[ROUTES] = {
    {"POST", "/agent/v1/spool"},
    {"GET", "/agent/v1/commands"},
    {"POST", "/agent/v1/health"},
    {"GET", "/agent/v1/rules"},
    {"GET", "/agent/v1/votes"},
};

/* answers ---------------------------------------------------------------------- */

enum MHD_Result weir_intake_respond(struct MHD_Connection *connection, int status,
                                    struct MHD_Response *response)
{
    enum MHD_Result done;

    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
    done = MHD_queue_response(connection, (unsigned)status, response);
    MHD_destroy_response(response);
    return done;
}

enum MHD_Result weir_intake_answer(struct MHD_Connection *connection, int status,
                                   const char *text)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text,
                                        MHD_RESPMEM_MUST_COPY);

    return response ? weir_intake_respond(connection, status, response) : MHD_NO;
}

static void drop(void *text)
{
    struct weir_shared_text *shared = text;

    weir_shared_text_free(&shared);
}

enum MHD_Result weir_intake_share(struct MHD_Connection *connection, struct weir_shared_text *text,
                                  const char *field, const char *value)
{
    struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback_cls(
        text->len, text->text, drop, text);

    if (!response) {
        weir_shared_text_free(&text);
        return MHD_NO;
    }
    MHD_add_response_header(response, field, value);
    return weir_intake_respond(connection, text->len > 0 ? MHD_HTTP_OK : MHD_HTTP_NO_CONTENT,
                               response);
}

enum MHD_Result weir_intake_refuse(struct weir_intake *intake, struct MHD_Connection *connection,
                                   int status, const char *why)
{
    char text[96];

    atomic_fetch_add(status == MHD_HTTP_UNAUTHORIZED ? &intake->unknown : &intake->refused, 1);
    snprintf(text, sizeof text, "{\"error\": \"%s\"}", why);
    return weir_intake_answer(connection, status, text);
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
        !weir_instances_fit(weir_slice_of(caller.previous)))
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

const char *weir_intake_argument(struct request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

bool weir_intake_number(struct request *request, const char *name, uint64_t *number_r)
{
    const char *text = weir_intake_argument(request, name);
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
    const char *stream = weir_intake_argument(request, "stream");
    uint64_t offset, safe = 0;
    char text[64];
    int status = whole_body(request);

    if (status != MHD_HTTP_OK)
        return weir_intake_refuse(request->intake, request->connection, status, "body");
    if (!stream || !stream[0] || strlen(stream) > WEIR_STREAM_MAX ||
        !weir_intake_number(request, "offset", &offset) || request->len == 0 ||
        request->body[request->len - 1] != '\n')
        return weir_intake_refuse(request->intake, request->connection, MHD_HTTP_BAD_REQUEST,
                                  "request");
    status = handler->spool(handler->context, request->server, stream, offset,
                            (struct weir_slice){request->body, request->len}, &safe);
    if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
        return weir_intake_refuse(request->intake, request->connection, status, "later");
    atomic_fetch_add(&request->intake->octets, request->len);
    snprintf(text, sizeof text, "{%s\"offset\": %" PRIu64 "}",
             status == MHD_HTTP_OK ? "" : "\"error\": \"offset\", ", safe);
    return weir_intake_answer(request->connection, status, text);
}

static enum MHD_Result health(struct request *request)
{
    const struct weir_intake_handler *handler = &request->intake->handler;
    int status = whole_body(request);
    char text[96], every[48] = "";
    int64_t newest = handler->newest_vote(handler->context), period;

    if (status == MHD_HTTP_OK && request->len > WEIR_SERVER_HEALTH_MAX)
        status = MHD_HTTP_CONTENT_TOO_LARGE;
    if (status != MHD_HTTP_OK)
        return weir_intake_refuse(request->intake, request->connection, status, "body");
    handler->health(handler->context, request->server,
                    (struct weir_slice){request->body ? request->body : "", request->len});
    period = (int64_t)atomic_load(&request->intake->health_every);
    if (period > 0)
        snprintf(every, sizeof every, "\"every\": %" PRId64 ", ", period / 1000);
    snprintf(text, sizeof text, "{%s\"votes\": %" PRId64 "}", every, newest);
    return weir_intake_answer(request->connection, MHD_HTTP_OK, text);
}

static enum MHD_Result votes(struct request *request)
{
    const struct weir_intake_handler *handler = &request->intake->handler;
    struct weir_shared_text *text;
    uint64_t behind;

    if (!weir_intake_number(request, "behind", &behind))
        return weir_intake_refuse(request->intake, request->connection, MHD_HTTP_BAD_REQUEST,
                                  "request");
    text = handler->votes(handler->context, request->server, (int64_t)behind);
    if (text)
        return weir_intake_share(request->connection, text, MHD_HTTP_HEADER_CACHE_CONTROL,
                                 "no-store");
    return weir_intake_refuse(request->intake, request->connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                              "later");
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
    *request = (struct request){.intake = intake, .connection = connection, .route = ROUTES,
                                .since = weir_clock_now(&intake->steady)};
    atomic_fetch_add(&intake->requests, 1);
    for (enum route route = 0; route < ROUTES; route++)
        if (strcmp(path, routes[route].path) == 0 && strcmp(method, routes[route].method) == 0)
            request->route = route;
    if (request->route == ROUTES)
        return weir_intake_refuse(intake, connection, MHD_HTTP_NOT_FOUND, "path");
    status = admit(request);
    if (status == MHD_HTTP_OK && weir_intake_let_in(intake, connection, request->server))
        return MHD_YES;
    if (status == MHD_HTTP_OK)
        return weir_intake_refuse(intake, connection, MHD_HTTP_SERVICE_UNAVAILABLE, "connections");
    return weir_intake_refuse(intake, connection, status,
                              status == MHD_HTTP_CONFLICT ? "instance"
                              : status == MHD_HTTP_UNAUTHORIZED ? "unknown" : "request");
}

enum MHD_Result weir_intake_handle(void *context, struct MHD_Connection *connection,
                                   const char *path, const char *method, const char *version,
                                   const char *octets, size_t *len, void **state)
{
    static enum MHD_Result (*const finish[ROUTES])(struct request *request) = {
        [ROUTE_SPOOL] = spool, [ROUTE_COMMANDS] = weir_intake_commands, [ROUTE_HEALTH] = health,
        [ROUTE_RULES] = weir_intake_rules, [ROUTE_VOTES] = votes};
    struct request *request = *state;
    enum MHD_Result done;

    (void)version;
    if (!request)
        return begin(context, connection, path, method, state);
    if (*len > 0) {
        bool taken = take_body(request, octets, *len);
        *len = 0;
        return taken ? MHD_YES : MHD_NO;
    }
    done = finish[request->route](request);
    if (request->until == 0)
        weir_histogram_add(&request->intake->times[request->route],
                           weir_clock_now(&request->intake->steady) - request->since, 1);
    return done;
}

const char *weir_intake_route_name(unsigned route)
{
    return route < ROUTES ? strrchr(routes[route].path, '/') + 1 : "";
}

void weir_intake_times(const struct weir_intake *intake, unsigned route,
                       struct weir_histogram_reading *reading_r)
{
    weir_histogram_read(&intake->times[route], reading_r);
}

void weir_intake_completed(void *context, struct MHD_Connection *connection, void **state,
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
