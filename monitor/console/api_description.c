/*
 * api_description - the table of routes as OpenAPI 3.1.
 */
#include <string.h>

#include "monitor/console/api_impl.h"

/* One "name: what it is" of several, parted by ';': the rest, or NULL at the end. */
static const char *next(const char *text, json_t **name_r, json_t **what_r)
{
    size_t len = strcspn(text, ";"), name;

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
        json_array_append_new(list, json_pack("{s:o, s:s, s:o, s:{s:s}}", "name", name, "in",
                                              "query", "description", what, "schema", "type",
                                              "string"));
    return list;
}

static json_t *body(const struct weir_api_route *route)
{
    json_t *members = json_object(), *name, *what;
    const char *rest = route->body;

    while (rest && (rest = next(rest, &name, &what)) != NULL) {
        json_object_set_new(members, json_string_value(name),
                            json_pack("{s:o}", "description", what));
        json_decref(name);
    }
    return json_pack("{s:{s:{s:{s:s, s:o}}}}", "content", "application/json", "schema", "type",
                     "object", "properties", members);
}

static json_t *operation(const struct weir_api_route *route)
{
    json_t *json = json_pack("{s:s, s:o, s:s, s:{s:{s:s}, s:{s:s}}}", "summary", route->summary,
                             "parameters", parameters(route), "x-role",
                             weir_role_name(route->least), "responses", "200", "description",
                             "what came of it", "default", "description",
                             "{\"error\": \"one sentence\"}");

    if (json && route->body)
        json_object_set_new(json, "requestBody", body(route));
    if (json && route->least == WEIR_NOBODY)
        json_object_set_new(json, "security", json_array());
    return json;
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
    return json_pack("{s:s, s:{s:s, s:s}, s:[{s:s}], s:o, s:[{s:[]}, {s:[]}], "
                     "s:{s:{s:{s:s, s:s, s:s}, s:{s:s, s:s}}}}",
                     "openapi", "3.1.0", "info", "title", "Weir, the analyst's desk", "version",
                     WEIR_VERSION, "servers", "url", "/api/v1", "paths", paths, "security",
                     "session", "token", "components", "securitySchemes", "session", "type",
                     "apiKey", "in", "cookie", "name", "weir_session", "token", "type", "http",
                     "scheme", "bearer");
}

json_t *weir_api_openapi(struct weir_api_question *question)
{
    (void)question;
    return weir_api_description();
}
