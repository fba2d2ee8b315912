/* host_field - names that are ours, and those that somebody may have made point here. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/program/host_field.h"

static void hosts_that_are_ours_and_others(void **state)
{
    static const char *const ours[] = {
        "127.0.0.1", "127.0.0.1:8426", "[::1]", "[::1]:8426", "localhost", "LocalHost:1",
        "mon", "mon:8426", "desk.example", "DESK.example:443", "203.0.113.7:80"};
    static const char *const others[] = {
        "", "evil.example", "desk.example.evil", "mon.evil", "localhost.evil", "localhost:",
        "localhost:x", "localhost:123456", "[::1", "[::1]x", "a b", "127.0.0.1.evil", ":80"};
    char host[WEIR_HOST_ROOM];

    (void)state;
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        if (!weir_host_fits(ours[i], "mon", "desk.example"))
            fail_msg("%s is not taken", ours[i]);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (weir_host_fits(others[i], "mon", "desk.example"))
            fail_msg("%s is taken", others[i]);
    assert_false(weir_host_fits(NULL, "mon", "desk.example"));
    assert_false(weir_host_fits("x", "", ""));
    assert_true(weir_host_of_url("https://desk.example:8443", host));
    assert_string_equal(host, "desk.example");
    assert_true(weir_host_of_url("http://[2001:db8::1]", host));
    assert_false(weir_host_of_url("https://desk.example/", host));
    assert_false(weir_host_of_url("ftp://desk.example", host));
    assert_false(weir_host_of_url("https://", host));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_that_are_ours_and_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
