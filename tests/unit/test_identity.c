/*
 * Who a server is: its file is understood whole or refused, and only its secret is its secret.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "monitor/agent/identity.h"

#define TEN "abcdefghij"
#define SECRET TEN TEN TEN TEN "abA"
#define SERVER "server = mx1\n"
#define MONITOR "monitor = https://m:1\n"
#define PIN "sha256//" TEN TEN TEN TEN "abA="

static int read_text(const char *text, struct weir_identity *identity_r)
{
    const char *why = NULL;
    unsigned line;
    int done = weir_identity_read(weir_slice_of(text), identity_r, &why, &line);

    assert_true(done == 0 || (why && why[0]));
    return done;
}

static void the_line_that_is_wrong_is_told(void **state)
{
    static const struct {
        const char *text;
        unsigned line;
    } cases[] = {
        {"nobody\n" SERVER, 1},
        {"# a comment\n\n" SERVER "secret = x\n" MONITOR, 4},
        {SERVER MONITOR "pin = x", 3},
        {SERVER MONITOR SERVER MONITOR, 3},
        {SERVER MONITOR, 0}, /* what is missing has no line */
        {"", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_identity identity;
        const char *why = NULL;
        unsigned line = 99;

        assert_int_equal(weir_identity_read(weir_slice_of(cases[i].text), &identity, &why, &line),
                         WEIR_EINVAL);
        assert_int_equal(line, cases[i].line);
    }
}

static void a_file_is_understood_whole_or_refused(void **state)
{
    static const struct {
        const char *text;
        int wanted;
    } cases[] = {
        {SERVER "secret = " SECRET "\n" MONITOR, 0},
        {"# a comment\n\n  server=mx1\r\n\tsecret\t=" SECRET " \n" MONITOR "pin = " PIN, 0},
        {"", WEIR_EINVAL},
        {SERVER MONITOR, WEIR_EINVAL},
        {SERVER "secret = " SECRET "\n", WEIR_EINVAL},
        {"secret = " SECRET "\n" MONITOR, WEIR_EINVAL},
        {SERVER SERVER "secret = " SECRET "\n" MONITOR, WEIR_EINVAL},
        {SERVER "secret = " SECRET "\n" MONITOR "colour = red\n", WEIR_EINVAL},
        {SERVER "secret = " SECRET "\n" MONITOR "pin\n", WEIR_EINVAL},
        {SERVER "secret = " SECRET "\n" MONITOR "pin =\n", WEIR_EINVAL},
        {SERVER "secret = " SECRET "A\n" MONITOR, WEIR_EINVAL},
        {SERVER "secret = " TEN TEN TEN TEN "ab\n" MONITOR, WEIR_EINVAL},
        {SERVER "secret = " TEN TEN TEN TEN "ab+\n" MONITOR, WEIR_EINVAL},
        {SERVER "secret = " TEN TEN TEN TEN "ab=\n" MONITOR, WEIR_EINVAL},
        {SERVER "secret = " SECRET "\nmonitor = http://m\n", WEIR_EINVAL},
        {SERVER "secret = " SECRET "\nmonitor = https://\n", WEIR_EINVAL},
        {SERVER "secret = " SECRET "\nmonitor = https://m/\n", WEIR_EINVAL},
        {SERVER "secret = " SECRET "\nmonitor = https://m x\n", WEIR_EINVAL},
        {SERVER "secret = " SECRET "\n" MONITOR "pin = " SECRET "\n", WEIR_EINVAL},
        {SERVER "secret = " SECRET "\n" MONITOR "pin = " PIN "=\n", WEIR_EINVAL},
        {"server = -mx\nsecret = " SECRET "\n" MONITOR, WEIR_EINVAL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_identity identity = {.server = "before"};

        if (read_text(cases[i].text, &identity) != cases[i].wanted)
            fail_msg("not %d: %s", cases[i].wanted, cases[i].text);
        assert_string_equal(identity.server, cases[i].wanted ? "before" : "mx1");
        if (cases[i].wanted == 0)
            assert_string_equal(identity.secret, SECRET);
    }
}

static void limits_hold_at_the_limit_and_one_beyond(void **state)
{
    char text[WEIR_IDENTITY_FILE_MAX + 2], name[WEIR_MONITOR_URL_MAX + 2];
    struct weir_identity identity;

    (void)state;
    for (int more = 0; more < 2; more++) {
        memset(name, 'a', sizeof name);
        name[WEIR_SERVER_NAME_MAX + more] = '\0';
        snprintf(text, sizeof text, "server = %s\nsecret = " SECRET "\n" MONITOR, name);
        assert_int_equal(read_text(text, &identity), more ? WEIR_EINVAL : 0);
        memset(name, 'a', sizeof name);
        memcpy(name, "https://", 8);
        name[WEIR_MONITOR_URL_MAX + more] = '\0';
        snprintf(text, sizeof text, SERVER "secret = " SECRET "\nmonitor = %s\n", name);
        assert_int_equal(read_text(text, &identity), more ? WEIR_EINVAL : 0);
        memset(text, '\n', sizeof text);
        memcpy(text, SERVER "secret = " SECRET "\n" MONITOR,
               strlen(SERVER "secret = " SECRET "\n" MONITOR));
        text[WEIR_IDENTITY_FILE_MAX + more] = '\0';
        assert_int_equal(read_text(text, &identity), more ? WEIR_EINVAL : 0);
    }
}

static void a_name_begins_with_a_letter_or_digit(void **state)
{
    static const struct {
        const char *name;
        bool fit;
    } cases[] = {{"a", true}, {"7", true}, {"Mx-1_a.b", true}, {"", false}, {".a", false},
                 {"-a", false}, {"_a", false}, {"a b", false}, {"a:b", false}, {"a\n", false},
                 {"caf\xc3\xa9", false}, {"a/b", false}, {"a@b", false}, {"a[", false}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (weir_server_name_fit(weir_slice_of(cases[i].name)) != cases[i].fit)
            fail_msg("%s", cases[i].name);
}

static void what_is_written_is_read_the_same_and_can_be_forgotten(void **state)
{
    struct weir_identity identity = {.server = "mx1", .monitor = "https://m:1"}, same;
    static const struct weir_identity nobody;
    char text[WEIR_IDENTITY_TEXT];

    (void)state;
    for (int pin = 0; pin < 2; pin++) {
        weir_secret_new(identity.secret);
        strcpy(identity.pin, pin ? PIN : "");
        assert_int_equal(read_text(weir_identity_write(&identity, text), &same), 0);
        assert_memory_equal(&same, &identity, sizeof same);
    }
    weir_identity_forget(&same);
    assert_memory_equal(&same, &nobody, sizeof same);
}

static void A13_only_its_own_secret_is_a_servers(void **state)
{
    char secret[WEIR_SECRET_TEXT], other[WEIR_SECRET_TEXT];
    unsigned char hash[WEIR_SECRET_HASH];

    (void)state;
    weir_secret_new(secret);
    weir_secret_new(other);
    assert_int_equal(strlen(secret), WEIR_SECRET_TEXT - 1);
    assert_string_not_equal(secret, other);
    weir_secret_hash(weir_slice_of(secret), hash);
    assert_true(weir_secret_is(weir_slice_of(secret), hash));
    assert_false(weir_secret_is(weir_slice_of(other), hash));
    assert_false(weir_secret_is(weir_slice_of(""), hash));
    assert_false(weir_secret_is((struct weir_slice){secret, WEIR_SECRET_TEXT - 2}, hash));
    hash[WEIR_SECRET_HASH - 1] ^= 1;
    assert_false(weir_secret_is(weir_slice_of(secret), hash));
}

static void an_instance_is_thirty_two_small_hex_digits(void **state)
{
    static const struct {
        const char *text;
        bool fit;
    } cases[] = {{"0123456789abcdef0123456789abcdef", true},
                 {"0123456789abcdef0123456789abcde", false},
                 {"0123456789abcdef0123456789abcdef0", false},
                 {"0123456789ABCDEF0123456789abcdef", false},
                 {"0123456789abcdeg0123456789abcdef", false}, {"", false}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(weir_instance_fit(weir_slice_of(cases[i].text)), cases[i].fit);
    assert_false(weir_instance_fit((struct weir_slice){"0123456789abcdef\0123456789abcde", 32}));
}

static void a_list_has_no_more_than_WEIR_INSTANCES_KNOWN(void **state)
{
    char list[(WEIR_INSTANCES_KNOWN + 1) * WEIR_INSTANCE_TEXT + 1] = "";
    char one[WEIR_INSTANCE_TEXT];
    struct weir_slice rest;
    (void)state;
    assert_true(weir_instances_fit(weir_slice_of("")));
    for (int n = 1; n <= WEIR_INSTANCES_KNOWN + 1; n++) {
        snprintf(list + strlen(list), WEIR_INSTANCE_TEXT + 1, "%s%032x", n > 1 ? "," : "",
                 (unsigned)n);
        assert_int_equal(weir_instances_fit(weir_slice_of(list)), n <= WEIR_INSTANCES_KNOWN);
    }
    rest = weir_slice_of(list);
    assert_true(weir_instances_next(&rest, one) && weir_instances_next(&rest, one));
    assert_string_equal(one, "00000000000000000000000000000002");
    assert_false(weir_instances_fit(weir_slice_of("0123456789abcdef0123456789abcdef;x")));
    assert_false(weir_instances_fit(weir_slice_of(",")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_instance_is_thirty_two_small_hex_digits),
        cmocka_unit_test(a_list_has_no_more_than_WEIR_INSTANCES_KNOWN),
        cmocka_unit_test(the_line_that_is_wrong_is_told),
        cmocka_unit_test(a_file_is_understood_whole_or_refused),
        cmocka_unit_test(limits_hold_at_the_limit_and_one_beyond),
        cmocka_unit_test(a_name_begins_with_a_letter_or_digit),
        cmocka_unit_test(what_is_written_is_read_the_same_and_can_be_forgotten),
        cmocka_unit_test(A13_only_its_own_secret_is_a_servers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
