/* api - which route a request is for, and the description of all of them; view_rows.c - CSV that no
 * spreadsheet obeys. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "monitor/console/api.h"
#include "monitor/view/view_rows.h"

static int find(const char *method, const char *path)
{
    struct weir_api_request request = {.method = method};
    const char *why = "";

    assert_int_equal(weir_api_request_path(&request, path, &why), 0);
    return weir_api_find(&request);
}

static const char *found(const char *method, const char *path)
{
    size_t count;
    int route = find(method, path);

    return route < 0 ? "" : weir_api_routes(&count)[route].path;
}

static void requests_find_their_routes(void **state)
{
    (void)state;
    assert_string_equal(found("GET", "/overview"), "/overview");
    assert_string_equal(found("GET", "/addresses/192.0.2.1"), "/addresses/{prefix}");
    assert_string_equal(found("POST", "/addresses/block/block"), "/addresses/{prefix}/block");
    assert_string_equal(found("GET", "/traffic/minutes"), "/traffic/minutes");
    assert_int_equal(find("GET", "/nothing"), -404);
    assert_int_equal(find("GET", "/overview/more"), -404);
    assert_int_equal(find("GET", ""), -404);
    assert_int_equal(find("GET", "/Overview"), -404);
    assert_int_equal(find("GET", "/overvie"), -404);
    assert_int_equal(find("DELETE", "/overview"), -405);
    assert_int_equal(find("PUT", "/addresses/192.0.2.1/block"), -405);
}

static void words_of_a_path_are_found_by_name(void **state)
{
    struct weir_api_request request = {.method = "POST"};
    struct weir_api_question question = {.request = &request};
    const char *why = "";
    size_t count;

    (void)state;
    assert_int_equal(weir_api_request_path(&request, "/addresses/192.0.2.0%2F24/undo", &why), 0);
    question.route = weir_api_routes(&count) + weir_api_find(&request);
    assert_string_equal(weir_api_word(&question, "prefix"), "192.0.2.0/24");
    assert_string_equal(weir_api_word(&question, "name"), "");
}

/* Whoever adds a route says who may use it: reading needs a viewer, changing more. */
static void routes_have_the_roles_that_are_promised(void **state)
{
    size_t count;
    const struct weir_api_route *routes = weir_api_routes(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        bool own = strncmp(routes[i].path, "/me", 3) == 0 ||
                   strncmp(routes[i].path, "/log", 4) == 0;
        bool reads = strcmp(routes[i].method, "GET") == 0;

        if (routes[i].least == WEIR_NOBODY)
            assert_string_equal(routes[i].path, "/login");
        if (!reads && !own && routes[i].least < WEIR_ANALYST)
            fail_msg("%s %s may be changed by everybody", routes[i].method, routes[i].path);
        assert_true(routes[i].summary[0]);
        assert_int_equal(routes[i].path[0], '/');
    }
}

static void the_description_has_all_routes(void **state)
{
    json_t *json = weir_api_description(), *paths = json_object_get(json, "paths"), *one;
    size_t count;
    const struct weir_api_route *routes = weir_api_routes(&count);

    (void)state;
    assert_string_equal(json_string_value(json_object_get(json, "openapi")), "3.1.0");
    for (size_t i = 0; i < count; i++) {
        char method[8] = "";

        for (size_t j = 0; routes[i].method[j]; j++)
            method[j] = (char)(routes[i].method[j] | 0x20);
        one = json_object_get(json_object_get(paths, routes[i].path), method);
        assert_string_equal(json_string_value(json_object_get(one, "summary")),
                            routes[i].summary);
    }
    one = json_object_get(json_object_get(json_object_get(paths, "/addresses/{prefix}"), "get"),
                          "parameters");
    assert_string_equal(json_string_value(json_object_get(json_array_get(one, 0), "name")),
                        "prefix");
    assert_string_equal(json_string_value(json_object_get(json_array_get(one, 1), "name")),
                        "minutes");
    json_decref(json);
}

static void rows_become_csv(void **state)
{
    static const struct {
        const char *row, *csv;
    } table[] = {
        {"{}", ",,,,\r\n"},
        {"{\"a\": 1, \"b\": \"x\", \"z\": 1}", "1,\"x\",,,\r\n"},
        {"{\"b\": null, \"c\": true}", ",,true,,\r\n"},
        {"{\"a\": \"say \\\"no\\\", twice\\n\"}", "\"say \"\"no\"\", twice\n\",,,,\r\n"},
        {"{\"a\": \"=1+1\", \"b\": \"@x\", \"c\": \"-1\", \"d\": -1.5, \"e\": [1]}",
         "\"'=1+1\",\"'@x\",\"'-1\",-1.5,\"[1]\"\r\n"},
    };
    json_t *names = json_loads("{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1}", 0, NULL);

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        json_t *row = json_loads(table[i].row, 0, NULL);
        char csv[256] = "", *rest = csv;
        FILE *out = fmemopen(csv, sizeof csv, "w");

        weir_view_csv_head(out, names);
        weir_view_csv_row(out, names, row);
        fclose(out);
        rest = strchr(csv, '\n') + 1;
        assert_int_equal(strncmp(csv, "\"a\",\"b\",\"c\",\"d\",\"e\"\r\n", 21), 0);
        assert_string_equal(rest, table[i].csv);
        json_decref(row);
    }
    json_decref(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_find_their_routes),
        cmocka_unit_test(words_of_a_path_are_found_by_name),
        cmocka_unit_test(routes_have_the_roles_that_are_promised),
        cmocka_unit_test(the_description_has_all_routes),
        cmocka_unit_test(rows_become_csv),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
