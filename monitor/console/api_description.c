/*
 * api_description - the table of routes, and what their answers look like, as OpenAPI 3.1.
 */
#include <string.h>

#include "monitor/console/api_impl.h"
#include "monitor/console/api_shapes.h"

/* One "name: what it is" of several, parted by ';': the rest, or NULL at the end. */
static const char *next(const char *text, json_t **name_r, json_t **what_r)
{
    size_t len, name;

    text += strspn(text, " ;");
    len = strcspn(text, ";");
    name = strcspn(text, ":");
    if (len == 0 || name >= len)
        return NULL;
    *name_r = json_stringn(text, name);
    *what_r = json_stringn(text + name + 1 + strspn(text + name + 1, " "),
                           len - name - 1 - strspn(text + name + 1, " "));
    return text + len;
}

/* schemas ---------------------------------------------------------------------------------- */

static json_t *type_of(const struct weir_api_member *member)
{
    bool time = strcmp(member->type, "time") == 0, any = strcmp(member->type, "any") == 0;
    const char *type = time ? "string" : member->type;
    json_t *schema = json_object();

    if (!any)
        json_object_set_new(schema, "type", member->nullable ? json_pack("[s, s]", type, "null")
                                                             : json_string(type));
    if (time)
        json_object_set_new(schema, "format", json_string("date-time"));
    return schema;
}

/* An object of members; all of them are there in an answer, the required ones in a body. */
static json_t *object_of(const char *members, bool answer, bool open)
{
    json_t *properties = json_object(), *required = json_array();
    struct weir_api_member member;

    while (members && (members = weir_api_member(members, &member)) != NULL) {
        json_object_set_new(properties, member.name, type_of(&member));
        if (answer || member.required)
            json_array_append_new(required, json_string(member.name));
    }
    return json_pack("{s:s, s:o, s:o, s:b}", "type", "object", "properties", properties,
                     "required", required, "additionalProperties", open);
}

static json_t *answer_of(const struct weir_api_shape *shape)
{
    json_t *schema = object_of(shape->members, true, shape->open);

    if (!shape->rows)
        return schema;
    return json_pack("{s:s, s:{s:{s:s, s:s}, s:{s:s, s:o}, s:{s:[ss], s:s}, s:{s:s, s:s, s:s}, "
                     "s:{s:s, s:s}}, s:[sss], s:b}",
                     "type", "object", "properties", "now", "type", "string", "format",
                     "date-time", "rows", "type", "array", "items", schema, "more", "type",
                     "string", "null", "description",
                     "the cursor (after) of what follows; null: nothing does", "looked_to", "type",
                     "string", "format", "date-time", "description",
                     "how far back was looked, where that is not all of it", "cut", "type",
                     "boolean", "description", "of a file: true: there are more", "required", "now",
                     "rows", "more", "additionalProperties", 0);
}

/* asking ------------------------------------------------------------------------------------ */

static json_t *argument(json_t *name, json_t *what)
{
    static const char *const numbers[] = {"most", "minutes", "hours", "number"};
    const char *type = "string";

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (strcmp(json_string_value(name), numbers[i]) == 0)
            type = "integer";
    return json_pack("{s:o, s:s, s:o, s:{s:s}}", "name", name, "in", "query", "description", what,
                     "schema", "type", type);
}

static bool changes(const struct weir_api_route *route)
{
    return strcmp(route->method, "GET") != 0;
}

static json_t *parameters(const struct weir_api_route *route)
{
    json_t *list = json_array(), *name, *what;
    const char *rest = route->path;

    while ((rest = strchr(rest, '{')) != NULL) {
        json_array_append_new(list, json_pack("{s:o, s:s, s:b, s:{s:s}}", "name",
                                              json_stringn(rest + 1, strcspn(rest + 1, "}")),
                                              "in", "path", "required", 1, "schema", "type",
                                              "string"));
        rest++;
    }
    rest = route->arguments;
    while (rest && (rest = next(rest, &name, &what)) != NULL)
        json_array_append_new(list, argument(name, what));
    if (changes(route) && route->least != WEIR_NOBODY)
        json_array_append_new(list, json_pack("{s:s}", "$ref", "#/components/parameters/csrf"));
    return list;
}

static json_t *body(const struct weir_api_route *route, const struct weir_api_shape *shape)
{
    json_t *schema = object_of(shape->body, false, true), *name, *what, *member;
    const char *rest = route->body;

    while (rest && (rest = next(rest, &name, &what)) != NULL) {
        member = json_object_get(json_object_get(schema, "properties"), json_string_value(name));
        json_object_set_new(member, "description", what);
        json_decref(name);
    }
    return json_pack("{s:{s:{s:o}}, s:b}", "content", "application/json", "schema", schema,
                     "required", json_array_size(json_object_get(schema, "required")) > 0);
}

/* answers ----------------------------------------------------------------------------------- */

static json_t *good(const struct weir_api_route *route, const struct weir_api_shape *shape)
{
    bool file = route->arguments && strstr(route->arguments, "format:");
    json_t *json = json_pack("{s:s, s:{}}", "description", "what came of it", "content");
    json_t *content = json_object_get(json, "content");

    if (!shape)
        json_object_set_new(content, "text/event-stream", json_object());
    else if (!shape->members)
        json_object_set_new(content, "text/plain", json_object());
    else
        json_object_set_new(content, "application/json",
                            json_pack("{s:o}", "schema", answer_of(shape)));
    if (file)
        json_object_set_new(content, "text/csv", json_object());
    return json;
}

static json_t *responses(const struct weir_api_route *route, const struct weir_api_shape *shape)
{
    bool writes = changes(route), named = strchr(route->path, '{') != NULL;
    bool based = shape && shape->body && strstr(shape->body, "was:");
    const struct { const char *code; bool may; } errors[] = {
        {"400", true}, {"401", true}, {"403", route->least != WEIR_NOBODY}, {"404", named},
        {"409", based}, {"413", writes}, {"415", writes}, {"429", route->hashes},
        {"500", true}, {"503", true},
    };
    json_t *json = json_pack("{s:o}", "200", good(route, shape));

    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        if (errors[i].may)
            json_object_set_new(json, errors[i].code, json_pack("{s:s}", "$ref",
                                                                "#/components/responses/error"));
    return json;
}

static json_t *operation(const struct weir_api_route *route)
{
    const struct weir_api_shape *shape = weir_api_shape(route->run);
    json_t *json = json_pack("{s:s, s:o, s:s, s:o}", "summary", route->summary, "parameters",
                             parameters(route), "x-role", weir_role_name(route->least),
                             "responses", responses(route, shape));

    if (json && shape && shape->body)
        json_object_set_new(json, "requestBody", body(route, shape));
    if (json && route->least == WEIR_NOBODY)
        json_object_set_new(json, "security", json_array());
    return json;
}

/* What routes refer to. */
static json_t *components(void)
{
    return json_pack(
        "{s:{s:{s:s, s:s, s:s}, s:{s:s, s:s}}, s:{s:{s:s, s:s, s:b, s:s, s:{s:s}}}, "
        "s:{s:{s:s, s:{s:{s:{s:s, s:{s:{s:s}, s:{s:s}}, s:[s]}}}}}}",
        "securitySchemes", "session", "type", "apiKey", "in", "cookie", "name", "weir_session",
        "token", "type", "http", "scheme", "bearer", "parameters", "csrf", "name", "Weir-Csrf",
        "in", "header", "required", 0, "description", "as GET /me and POST /login tell it; a "
        "session needs it, a token does not", "schema", "type", "string", "responses", "error",
        "description", "why not, in one sentence: 400 it cannot be done, 401 nobody is logged in, "
        "403 the role does not allow it or Weir-Csrf is missing, 404 there is none, 409 not as "
        "things are, 413 too long, 415 no JSON, 429 too many tries, 503 not now (Retry-After)",
        "content", "application/json", "schema", "type", "object", "properties", "error", "type",
        "string", "present", "description", "with 409: what is there by now", "required", "error");
}

json_t *weir_api_description(void)
{
    json_t *paths = json_object();
    size_t count;
    const struct weir_api_route *routes = weir_api_routes(&count);

    for (size_t i = 0; i < count; i++) {
        json_t *path = json_object_get(paths, routes[i].path);
        char method[8] = "";

        if (!path) {
            json_object_set_new(paths, routes[i].path, json_object());
            path = json_object_get(paths, routes[i].path);
        }
        for (size_t j = 0; routes[i].method[j] && j < sizeof method - 1; j++)
            method[j] = (char)(routes[i].method[j] | 0x20);
        json_object_set_new(path, method, operation(&routes[i]));
    }
    return json_pack("{s:s, s:{s:s, s:s}, s:[{s:s}], s:o, s:[{s:[]}, {s:[]}], s:o}", "openapi",
                     "3.1.0", "info", "title", "Weir, the analyst's desk", "version", WEIR_VERSION,
                     "servers", "url", "/api/v1", "paths", paths, "security", "session", "token",
                     "components", components());
}

json_t *weir_api_openapi(struct weir_api_question *question)
{
    (void)question;
    return weir_api_description();
}
