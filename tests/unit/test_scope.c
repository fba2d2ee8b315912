/*
 * scope - which ports and proxies lists of text name.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "sniffer/scope.h"

static int add_ports(struct weir_scope *scope, const char *text)
{
    const char *why = NULL;
    int done = weir_scope_add_ports(scope, text, &why);

    assert_true(done == 0 || (why && why[0]));
    return done;
}

static void ports_are_numbers_from_1_to_65535(void **state)
{
    static const struct {
        const char *text;
        uint16_t port; /* 0: refused */
    } cases[] = {{"25", 25}, {"1", 1}, {"65535", 65535}, {"0000000025", 25}, {"65536", 0},
                 {"0", 0}, {"99999", 0}, {"4294967321", 0}, {"18446744073709551641", 0},
                 {"0000251", 251}, {"000025x", 0}, {"25x", 0}, {"-25", 0}, {"smtp", 0},
                 {"25;26", 0}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_scope scope = {.ports = 0};
        int done = add_ports(&scope, cases[i].text);

        if (done != (cases[i].port ? 0 : WEIR_EINVAL) || scope.ports != (cases[i].port != 0) ||
            scope.port[0] != cases[i].port)
            fail_msg("%s: %d, port %u", cases[i].text, done, scope.port[0]);
    }
}

static void items_are_parted_by_commas_and_blanks(void **state)
{
    struct weir_scope scope = {.ports = 0};
    const char *why;

    (void)state;
    assert_int_equal(add_ports(&scope, " 25,,465\t587 , "), 0);
    assert_int_equal(add_ports(&scope, ""), 0);
    assert_int_equal(scope.ports, 3);
    assert_true(scope.port[0] == 25 && scope.port[1] == 465 && scope.port[2] == 587);
    assert_int_equal(weir_scope_add_proxies(&scope, "10.0.0.0/8, 2001:db8::1", &why), 0);
    assert_int_equal(scope.proxies, 2);
    assert_int_equal(scope.proxy[1].bits, 128);
    assert_int_equal(weir_scope_add_proxies(&scope, "10.0.0.0/33", &why), WEIR_EINVAL);
    assert_true(why && why[0]);
}

static void there_are_as_many_as_the_limits_and_no_more(void **state)
{
    struct weir_scope scope = {.ports = 0};
    char text[32];
    const char *why;

    (void)state;
    for (size_t i = 0; i < WEIR_SNIFFER_PORTS_MAX; i++)
        assert_int_equal(add_ports(&scope, "25"), 0);
    assert_int_equal(add_ports(&scope, "25"), WEIR_ELIMIT);
    assert_int_equal(scope.ports, WEIR_SNIFFER_PORTS_MAX);
    for (unsigned i = 0; i <= WEIR_SNIFFER_PROXIES_MAX; i++) {
        snprintf(text, sizeof text, "10.%u.%u.0/24", i >> 8, i & 255);
        assert_int_equal(weir_scope_add_proxies(&scope, text, &why),
                         i < WEIR_SNIFFER_PROXIES_MAX ? 0 : WEIR_ELIMIT);
    }
    assert_int_equal(scope.proxies, WEIR_SNIFFER_PROXIES_MAX);
}

static void what_the_command_line_says_stands_in_for_the_configuration(void **state)
{
    const char *ports[] = {"25", "465, 587"}, *proxies[] = {"10.0.0.0/8"};
    struct weir_config config = {.sniffer_ports = {ports, 2}, .sniffer_proxies = {proxies, 1}};
    struct weir_scope scope = {.ports = 0};
    const char *why = NULL;

    (void)state;
    assert_int_equal(weir_scope_read(&config, NULL, NULL, &scope, &why), 0);
    assert_true(scope.ports == 3 && scope.proxies == 1);
    assert_int_equal(weir_scope_read(&config, "2525", "", &scope, &why), 0);
    assert_true(scope.ports == 1 && scope.port[0] == 2525 && scope.proxies == 0);
    assert_int_equal(weir_scope_read(&config, " ", NULL, &scope, &why), WEIR_EINVAL);
    assert_string_equal(why, "there is no port to listen to");
    assert_int_equal(weir_scope_read(&config, "25", "nobody", &scope, &why), WEIR_EINVAL);
    assert_int_equal(scope.port[0], 2525); /* as it was */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ports_are_numbers_from_1_to_65535),
        cmocka_unit_test(items_are_parted_by_commas_and_blanks),
        cmocka_unit_test(there_are_as_many_as_the_limits_and_no_more),
        cmocka_unit_test(what_the_command_line_says_stands_in_for_the_configuration),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
