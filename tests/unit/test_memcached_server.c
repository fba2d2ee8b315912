/* How a memcached server is written: every spelling, and every slip. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/store/memcached_server.h"

static void all_spellings_are_understood(void **state)
{
    static const struct {
        const char *text, *name, *host;
        unsigned port, weight;
    } cases[] = {
        {"mc1", "mc1:11211", "mc1", 11211, 1},
        {"mc1:11212", "mc1:11212", "mc1", 11212, 1},
        {"MC1.Example.ORG", "mc1.example.org:11211", "mc1.example.org", 11211, 1},
        {"mc1*3", "mc1:11211", "mc1", 11211, 3},
        {"mc1:1*100", "mc1:1", "mc1", 1, 100},
        {"192.0.2.7:65535", "192.0.2.7:65535", "192.0.2.7", 65535, 1},
        {"[::1]", "[::1]:11211", "::1", 11211, 1},
        {"[2001:DB8::7]:11212*2", "[2001:db8::7]:11212", "2001:db8::7", 11212, 2},
        {"[fe80::1%eth0.5]:11211", "[fe80::1%eth0.5]:11211", "fe80::1%eth0.5", 11211, 1},
        {"/run/memcached.sock", "/run/memcached.sock", "/run/memcached.sock", 0, 1},
        {"/Run/a:b*7", "/Run/a:b", "/Run/a:b", 0, 7},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct weir_memcached_server server;
        const char *why = "untouched";
        assert_int_equal(weir_memcached_server_parse(cases[i].text, &server, &why), 0);
        assert_null(why);
        assert_string_equal(server.name, cases[i].name);
        assert_string_equal(server.host, cases[i].host);
        assert_int_equal(server.port, cases[i].port);
        assert_int_equal(server.weight, cases[i].weight);
    }
}

static void slips_are_refused_with_a_reason(void **state)
{
    static const struct {
        const char *text, *part_of_reason;
    } cases[] = {
        {"", "host name"},       {":11211", "host name"},   {"a b", "host name"},
        {"mc1,mc2", "host name"}, {"mc1:", "port"},          {"mc1:0", "port"},
        {"mc1:65536", "port"},   {"mc1:011", "port"},       {"mc1:-1", "port"},
        {"mc1:x", "port"},       {"mc1*0", "weight"},       {"mc1*101", "weight"},
        {"mc1*", "weight"},      {"mc1*-1", "weight"},      {"*3", "host name"},
        {"mc1*2*3", "host name"}, {"::1", "brackets"},       {"2001:db8::7", "brackets"},
        {"[::1", "brackets"},    {"[]", "host name"},       {"[mc1]", "brackets"},
        {"[::1]x", "host name"}, {"[::1]:x", "port"},       {"mc1:99999999999999999999", "port"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct weir_memcached_server server = {.weight = 77};
        const char *why = NULL;
        assert_int_equal(weir_memcached_server_parse(cases[i].text, &server, &why), WEIR_EINVAL);
        assert_non_null(why);
        if (!strstr(why, cases[i].part_of_reason))
            fail_msg("\"%s\": got \"%s\", want \"%s\"", cases[i].text, why,
                     cases[i].part_of_reason);
        assert_int_equal(server.weight, 77);
    }
}

static int parse_long(size_t len, char first, const char *tail)
{
    static struct weir_memcached_server server;
    char text[600];
    const char *why;
    memset(text, 'a', len);
    text[0] = first;
    snprintf(text + len, sizeof text - len, "%s", tail);
    return weir_memcached_server_parse(text, &server, &why);
}

static void lengths_are_bounded_by_WEIR_NODE_NAME_MAX_and_the_systems_paths(void **state)
{
    (void)state;
    assert_int_equal(parse_long(WEIR_NODE_NAME_MAX - 8, 'a', ""), 0);
    assert_int_equal(parse_long(WEIR_NODE_NAME_MAX - 8, 'a', ":65535*100"), 0);
    assert_int_equal(parse_long(WEIR_NODE_NAME_MAX - 7, 'a', ""), WEIR_EINVAL);
    assert_int_equal(parse_long(WEIR_SOCKET_PATH_MAX, '/', "*2"), 0);
    assert_int_equal(parse_long(WEIR_SOCKET_PATH_MAX + 1, '/', ""), WEIR_EINVAL);
    assert_int_equal(parse_long(500, 'a', ""), WEIR_EINVAL);
    assert_int_equal(parse_long(500, '/', "*1"), WEIR_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_spellings_are_understood),
        cmocka_unit_test(slips_are_refused_with_a_reason),
        cmocka_unit_test(lengths_are_bounded_by_WEIR_NODE_NAME_MAX_and_the_systems_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
