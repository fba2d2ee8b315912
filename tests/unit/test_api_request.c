/* api_request - paths, arguments and bodies of anybody: what is taken, and each limit and one past
 * it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/console/api_request.h"

#define NOW (1795000000 * WEIR_SECOND)

static struct weir_slice slice(const char *text)
{
    return (struct weir_slice){text, strlen(text)};
}

static void paths_are_cut_and_decoded_once(void **state)
{
    struct weir_api_request request = {.words = 0};
    const char *why = "";

    (void)state;
    assert_int_equal(weir_api_request_path(&request, "/addresses/192.0.2.0%2F24/%2541", &why), 0);
    assert_int_equal(request.words, 3);
    assert_string_equal(request.word[0], "addresses");
    assert_string_equal(request.word[1], "192.0.2.0/24");
    assert_string_equal(request.word[2], "%41");
}

static void paths_that_are_tricks_are_none(void **state)
{
    static const char *const bad[] = {
        "/", "//", "/a/", "/a//b", "/.", "/..", "/%2e%2e", "/a/%2e", "/%2F", "/%", "/%4", "/%4g",
        "/%00", "/a%0d%0ab", "/a%7f", "/%c2%85", "/%ff", "/%c0%af", "/%ed%a0%80", "x",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct weir_api_request request = {.words = 0};
        const char *why = "";

        if (weir_api_request_path(&request, bad[i], &why) != 400)
            fail_msg("%s is taken", bad[i]);
        assert_true(why[0]);
    }
}

static void a_path_has_limits(void **state)
{
    struct weir_api_request *request = calloc(1, sizeof *request);
    char path[WEIR_API_PATH_MAX + 2];
    const char *why = "";

    (void)state;
    memset(path, 'a', sizeof path);
    path[0] = '/';
    path[WEIR_API_PATH_MAX] = '\0';
    assert_int_equal(weir_api_request_path(request, path, &why), 0);
    path[WEIR_API_PATH_MAX] = 'a';
    path[WEIR_API_PATH_MAX + 1] = '\0';
    memset(request, 0, sizeof *request);
    assert_int_equal(weir_api_request_path(request, path, &why), 414);
    memset(request, 0, sizeof *request);
    assert_int_equal(weir_api_request_path(request, "/1/2/3/4/5/6/7/8", &why), 0);
    memset(request, 0, sizeof *request);
    assert_int_equal(weir_api_request_path(request, "/1/2/3/4/5/6/7/8/9", &why), 400);
    free(request);
}

static void arguments_are_decoded_and_come_once(void **state)
{
    struct weir_api_request *request = calloc(1, sizeof *request);
    const char *why = "";

    (void)state;
    assert_int_equal(weir_api_request_argument(request, slice("q"), slice("a+b%2Bc%2f"), &why), 0);
    assert_string_equal(weir_api_argument(request, "q"), "a b+c/");
    assert_null(weir_api_argument(request, "r"));
    assert_int_equal(weir_api_request_argument(request, slice("%71"), slice("x"), &why), 400);
    assert_int_equal(weir_api_request_argument(request, slice("r"), slice("%0a"), &why), 400);
    assert_int_equal(weir_api_request_argument(request, slice(""), slice("x"), &why), 400);
    assert_int_equal(weir_api_request_argument(request, slice("r"), slice("%fe"), &why), 400);
    assert_string_equal(weir_api_argument(request, "q"), "a b+c/");
    free(request);
}

static void arguments_have_limits(void **state)
{
    struct weir_api_request *request = calloc(1, sizeof *request);
    char text[WEIR_API_ARGUMENT_MAX + 2], name[8];
    const char *why = "";

    (void)state;
    memset(text, 'a', sizeof text);
    for (unsigned i = 0; i < WEIR_API_ARGUMENTS_MAX; i++) {
        memset(text, 'a', WEIR_API_ARGUMENT_MAX);
        snprintf(name, sizeof name, "%u", i);
        memcpy(text, name, strlen(name));
        assert_int_equal(weir_api_request_argument(
                             request, (struct weir_slice){text, WEIR_API_ARGUMENT_MAX},
                             (struct weir_slice){text, WEIR_API_ARGUMENT_MAX}, &why), 0);
    }
    assert_int_equal(weir_api_request_argument(request, slice("more"), slice("1"), &why), 400);
    memset(request, 0, sizeof *request);
    assert_int_equal(weir_api_request_argument(
                         request, slice("a"),
                         (struct weir_slice){text, WEIR_API_ARGUMENT_MAX + 1}, &why), 400);
    free(request);
}

static int body_of(const char *type, const char *octets, size_t len)
{
    struct weir_api_request *request = calloc(1, sizeof *request);
    const char *why = "";
    int status = weir_api_request_body(request, type, (struct weir_slice){octets, len}, &why);

    assert_true((status == 0) == (request->body != NULL) || len == 0);
    weir_api_request_forget(request);
    weir_api_request_forget(request);
    free(request);
    return status;
}

static void bodies_are_one_object_of_json(void **state)
{
    static const struct {
        const char *type, *body;
        int status;
    } table[] = {
        {"application/json", "{\"a\": [1, {\"b\": \"}{\\\"][\"}]}", 0},
        {"Application/JSON; charset=utf-8", "{}", 0},
        {NULL, "", 0},
        {"text/plain", "{}", 415},
        {NULL, "{}", 415},
        {"application/jsonx", "{}", 415},
        {"application/x-www-form-urlencoded", "a=b", 415},
        {"application/json", "[]", 400},
        {"application/json", "1", 400},
        {"application/json", "{", 400},
        {"application/json", "{\"a\":1,\"a\":2}", 400},
        {"application/json", "{\"a\":\"\xff\"}", 400},
        {"application/json", "{\"a\":\"\\u0000\"}", 400},
        {"application/json", "{\"a\":\"\\ud800\"}", 400},
        {"application/json", "{\"a\":1e999}", 400},
        {"application/json", "{} {}", 400},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (body_of(table[i].type, table[i].body, strlen(table[i].body)) != table[i].status)
            fail_msg("%s is not %d", table[i].body, table[i].status);
}

/* {"a":[[...]]} of a depth. */
static int depth_of(unsigned depth)
{
    char text[128] = "{\"a\":";

    for (unsigned i = 1; i < depth; i++)
        strcat(text, "[");
    if (depth == 1)
        strcat(text, "0");
    for (unsigned i = 1; i < depth; i++)
        strcat(text, "]");
    strcat(text, "}");
    return body_of("application/json", text, strlen(text));
}

static void bodies_have_limits(void **state)
{
    size_t len = WEIR_API_BODY_MAX;
    char *text = malloc(len + 1);

    (void)state;
    assert_int_equal(depth_of(1), 0);
    assert_int_equal(depth_of(WEIR_API_DEPTH_MAX), 0);
    assert_int_equal(depth_of(WEIR_API_DEPTH_MAX + 1), 400);
    memset(text, ' ', len + 1);
    text[0] = '{';
    text[len - 1] = '}';
    assert_int_equal(body_of("application/json", text, len), 0);
    text[len - 1] = ' ';
    text[len] = '}';
    assert_int_equal(body_of("application/json", text, len + 1), 413);
    free(text);
}

static void numbers_and_times_are_read_or_refused(void **state)
{
    static const struct {
        const char *text;
        bool good;
        int64_t number;
    } table[] = {{"1", true, 1}, {"500", true, 500}, {"0", false, 0}, {"501", false, 0},
                 {"", false, 0}, {"1x", false, 0}, {" 1", false, 0}, {"-1", false, 0},
                 {"0x10", false, 0}, {"99999999999999999999", false, 0}};
    weir_time time;
    int64_t number;

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct weir_api_request request = {.argument = {{"most", table[i].text}}, .arguments = 1};

        assert_int_equal(weir_api_number(&request, "most", 1, 500, 50, &number), table[i].good);
        assert_int_equal(number, table[i].good ? table[i].number : 50);
        assert_true(weir_api_number(&request, "other", 1, 500, 50, &number));
        assert_int_equal(number, 50);
    }
    struct weir_api_request request = {
        .argument = {{"a", "20d"}, {"b", "2026-11-22T20:00:00Z"}, {"c", "1763841600"},
                     {"d", "yesterday"}}, .arguments = 4};
    assert_true(weir_api_time(&request, "a", NOW, 0, &time));
    assert_int_equal(time, NOW - 20 * WEIR_DAY);
    assert_true(weir_api_time(&request, "b", NOW, 0, &time));
    assert_int_equal(time, 1795377600 * WEIR_SECOND);
    assert_true(weir_api_time(&request, "c", NOW, 0, &time));
    assert_int_equal(time, 1763841600 * WEIR_SECOND);
    assert_false(weir_api_time(&request, "d", NOW, 0, &time));
    assert_true(weir_api_time(&request, "e", NOW, 7, &time));
    assert_int_equal(time, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_cut_and_decoded_once),
        cmocka_unit_test(paths_that_are_tricks_are_none),
        cmocka_unit_test(a_path_has_limits),
        cmocka_unit_test(arguments_are_decoded_and_come_once),
        cmocka_unit_test(arguments_have_limits),
        cmocka_unit_test(bodies_are_one_object_of_json),
        cmocka_unit_test(bodies_have_limits),
        cmocka_unit_test(numbers_and_times_are_read_or_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
