/* endpoint - what is a place to listen, and what is not and why. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/base/endpoint.h"
#include "core/base/error.h"

static void good_ones_are_taken_apart(void **state)
{
    static const struct {
        const char *text;
        bool is_unix;
        const char *host, *port;
    } table[] = {
        {"inet:127.0.0.1:10040", false, "127.0.0.1", "10040"},
        {"inet:mx.example:0", false, "mx.example", "0"},
        {"inet:[2001:db8::7]:65535", false, "2001:db8::7", "65535"},
        {"unix:/run/weir/policy", true, "/run/weir/policy", ""},
    };
    struct weir_endpoint endpoint;
    const char *why = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        assert_int_equal(weir_endpoint_parse(table[i].text, &endpoint, &why), 0);
        assert_int_equal(endpoint.is_unix, table[i].is_unix);
        assert_string_equal(endpoint.host, table[i].host);
        assert_string_equal(endpoint.port, table[i].port);
        assert_int_equal(weir_endpoint_parse(table[i].text, NULL, &why), 0);
    }
}

static void bad_ones_are_refused_with_the_reason(void **state)
{
    static const struct {
        const char *text, *says;
    } table[] = {
        {"", "neither"},
        {"127.0.0.1:10040", "neither"},
        {"tcp:127.0.0.1:1", "neither"},
        {"inet:10040", "not inet:host:port"},
        {"inet::10040", "not inet:host:port"},
        {"inet:[]:1", "not inet:host:port"},
        {"inet:2001:db8::7:1", "not inet:host:port"},
        {"inet:a:", "port"},
        {"inet:a:65536", "port"},
        {"inet:a:-1", "port"},
        {"inet:a:1x", "port"},
        {"inet:a:000001", "port"},
        {"unix:relative", "begin with '/'"},
        {"unix:", "begin with '/'"},
    };
    struct weir_endpoint endpoint;

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const char *why = NULL;
        assert_int_equal(weir_endpoint_parse(table[i].text, &endpoint, &why), WEIR_EINVAL);
        assert_non_null(strstr(why, table[i].says));
    }
}

static void lengths_are_taken_to_the_limit_and_refused_past_it(void **state)
{
    struct weir_endpoint endpoint;
    char text[400] = "unix:/";
    const char *why = NULL;

    (void)state;
    memset(text + 6, 'p', sizeof text - 7);
    text[5 + WEIR_ENDPOINT_PATH_MAX] = '\0';
    assert_int_equal(weir_endpoint_parse(text, &endpoint, &why), 0);
    strcat(text, "p");
    assert_int_equal(weir_endpoint_parse(text, &endpoint, &why), WEIR_EINVAL);

    memset(text, 'h', sizeof text);
    memcpy(text, "inet:", 5);
    strcpy(text + WEIR_ENDPOINT_MAX - 2, ":1");
    assert_int_equal(strlen(text), WEIR_ENDPOINT_MAX);
    assert_int_equal(weir_endpoint_parse(text, &endpoint, &why), 0);
    strcat(text, "1");
    assert_int_equal(weir_endpoint_parse(text, &endpoint, &why), WEIR_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones_are_taken_apart),
        cmocka_unit_test(bad_ones_are_refused_with_the_reason),
        cmocka_unit_test(lengths_are_taken_to_the_limit_and_refused_past_it),
    };
    return cmocka_run_group_tests_name("endpoint", tests, NULL, NULL);
}
