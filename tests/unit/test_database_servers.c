/*
 * database_servers, database_thresholds, database_audit - what an operator sets up is kept, and
 * one agent a server is let in.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "core/base/error.h"
#include "monitor/database/database_audit_io.h"
#include "monitor/database/database_servers_io.h"
#include "monitor/database/database_thresholds_io.h"
#include "tests/unit/database_rig.h"

#define NOW DATABASE_NOW
#define SILENCE (30 * WEIR_SECOND)

static const uint8_t secret[WEIR_SECRET_HASH] = {1, 2, 3}, other[WEIR_SECRET_HASH] = {1, 2, 4};
static const uint8_t one[WEIR_INSTANCE] = {1}, two[WEIR_INSTANCE] = {2}, three[WEIR_INSTANCE] = {3};

static uint32_t add(struct database_rig *rig, const char *name)
{
    uint32_t number = 0;

    database_must(rig, weir_database_server_add(rig->database, name, secret, NOW, &number), 0);
    return number;
}

static void servers_are_added_found_and_revoked(void **state)
{
    struct database_rig *rig = *state;
    uint32_t first = add(rig, "mx1.example.org"), second = add(rig, "mx2"), again = 0;
    struct weir_server server;

    assert_true(first > 0 && second > 0 && first != second);
    assert_int_equal(weir_database_server_add(rig->database, "mx2", other, NOW, &again),
                     WEIR_EINVAL);
    database_must(rig, database_open(rig), 0);
    assert_int_equal(weir_database_server_find(rig->database, "mx2", &server), 1);
    assert_int_equal(server.number, second);
    assert_string_equal(server.name, "mx2");
    assert_true(server.added == NOW && server.revoked == 0 && !server.has_instance);
    assert_memory_equal(server.secret_hash, secret, sizeof secret);
    assert_int_equal(weir_database_server_find(rig->database, "mx3", &server), 0);

    assert_int_equal(weir_database_server_revoke(rig->database, "mx2", NOW + 1), 1);
    assert_int_equal(weir_database_server_revoke(rig->database, "mx2", NOW + 2), 0);
    assert_int_equal(weir_database_server_revoke(rig->database, "mx3", NOW), 0);
    assert_int_equal(weir_database_server_find(rig->database, "mx2", &server), 1);
    assert_true(server.revoked == NOW + 1);
    database_must(rig, weir_database_server_add(rig->database, "mx2", other, NOW, &again), 0);
    assert_int_equal(again, second);
    assert_int_equal(weir_database_server_find(rig->database, "mx2", &server), 1);
    assert_memory_equal(server.secret_hash, other, sizeof other);
}

static void names_have_limits(void **state)
{
    struct database_rig *rig = *state;
    char longest[WEIR_SERVER_NAME_MAX + 2];
    const char *const bad[] = {"", "-a", ".a", "a b", "a:b", "a\nb", "a/b", "\xc3\xa4", longest};
    uint32_t number;

    memset(longest, 'x', sizeof longest);
    longest[WEIR_SERVER_NAME_MAX] = '\0';
    add(rig, longest);
    longest[WEIR_SERVER_NAME_MAX] = 'x';
    longest[WEIR_SERVER_NAME_MAX + 1] = '\0';
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(weir_database_server_add(rig->database, bad[i], secret, NOW, &number),
                         WEIR_EINVAL);
}

static void A13_one_agent_of_a_server_is_let_in(void **state)
{
    struct database_rig *rig = *state;
    uint32_t number = add(rig, "mx1");
    const struct {
        const uint8_t *instance, *previous;
        int seconds, result;
    } steps[] = {
        {one, NULL, 0, 1},    /* the first */
        {one, NULL, 1, 1},    /* the same */
        {two, NULL, 2, 0},    /* somebody else */
        {two, three, 2, 0},   /* who knows another one */
        {two, one, 3, 1},     /* started anew: knows the one before */
        {one, NULL, 4, 0},    /* which is over now */
        {two, NULL, 5, 1},
        {three, NULL, 34, 0}, /* heard of 29 seconds ago */
        {three, NULL, 35, 1}, /* 30 */
        {three, NULL, 36, 1},
    };

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        int rc = weir_database_server_lease(rig->database, number, steps[i].instance,
                                            steps[i].previous, NOW + steps[i].seconds * WEIR_SECOND,
                                            SILENCE);
        if (rc != steps[i].result)
            fail_msg("step %zu: %d", i, rc);
    }
    assert_int_equal(weir_database_server_revoke(rig->database, "mx1", NOW), 1);
    assert_int_equal(weir_database_server_lease(rig->database, number, three, NULL, NOW, SILENCE),
                     0);
    assert_int_equal(weir_database_server_lease(rig->database, 99, one, NULL, NOW, SILENCE), 0);
}

static int look(void *context, const struct weir_server *server)
{
    char *text = context;
    size_t len = strlen(text);

    snprintf(text + len, 200 - len, "%s %d %s;", server->name, (int)server->generation,
             server->health);
    return 0;
}

static void servers_are_listed_with_their_health(void **state)
{
    struct database_rig *rig = *state;
    uint32_t number = add(rig, "mx2");
    char text[200] = "", health[WEIR_SERVER_HEALTH_MAX + 2];

    add(rig, "mx1");
    assert_int_equal(weir_database_server_seen(rig->database, number, NOW, 7, "{}"), 0);
    assert_int_equal(weir_database_server_seen(rig->database, number, NOW - 5, 8, NULL), 0);
    assert_int_equal(weir_database_servers(rig->database, look, text), 2);
    assert_string_equal(text, "mx1 0 ;mx2 8 {};");
    assert_true(database_number(rig, "SELECT max(last_seen) FROM servers") == NOW);
    memset(health, 'x', sizeof health);
    health[WEIR_SERVER_HEALTH_MAX] = '\0';
    assert_int_equal(weir_database_server_seen(rig->database, number, NOW, 8, health), 0);
    health[WEIR_SERVER_HEALTH_MAX] = 'x';
    health[WEIR_SERVER_HEALTH_MAX + 1] = '\0';
    assert_int_equal(weir_database_server_seen(rig->database, number, NOW, 8, health),
                     WEIR_ELIMIT);
}

/* Thresholds and audit. --------------------------------------------------------------- */

static int see_threshold(void *context, const struct weir_threshold *threshold)
{
    char *text = context;
    size_t len = strlen(text);

    snprintf(text + len, 200 - len, "%s [%s] %g/%g %g/%g %g/%g %d %s;", threshold->name,
             threshold->prefixes, threshold->rate[0], threshold->maximum[0], threshold->rate[1],
             threshold->maximum[1], threshold->rate[2], threshold->maximum[2],
             threshold->observe, threshold->ladder);
    return 0;
}

static void thresholds_are_put_replaced_and_removed(void **state)
{
    struct database_rig *rig = *state;
    struct weir_threshold threshold = {.name = "partners", .prefixes = "192.0.2.0/24 2001:db8::/32",
                                       .rate = {0.5, 2, 0}, .maximum = {50, 100, 0},
                                       .ladder = "score 3, alert"};
    char text[300] = "";

    assert_int_equal(weir_database_threshold_put(rig->database, &threshold), 0);
    threshold.observe = true;
    assert_int_equal(weir_database_threshold_put(rig->database, &threshold), 0);
    threshold = (struct weir_threshold){.name = "default", .prefixes = "", .ladder = ""};
    assert_int_equal(weir_database_threshold_put(rig->database, &threshold), 0);
    assert_int_equal(weir_database_thresholds(rig->database, see_threshold, text), 2);
    assert_string_equal(text, "default [] 0/0 0/0 0/0 0 ;partners [192.0.2.0/24 2001:db8::/32] "
                        "0.5/50 2/100 0/0 1 score 3, alert;");
    assert_int_equal(weir_database_threshold_remove(rig->database, "partners"), 1);
    assert_int_equal(weir_database_threshold_remove(rig->database, "partners"), 0);
}

static void limits_that_are_none_are_refused(void **state)
{
    struct database_rig *rig = *state;
    struct weir_threshold threshold = {.name = "1234567890123456789012345678901", .prefixes = "",
                                       .ladder = ""};

    assert_int_equal(weir_database_threshold_put(rig->database, &threshold), 0);
    threshold.name = "12345678901234567890123456789012";
    assert_int_equal(weir_database_threshold_put(rig->database, &threshold), WEIR_ELIMIT);
    threshold.name = "";
    assert_int_equal(weir_database_threshold_put(rig->database, &threshold), WEIR_ELIMIT);
    threshold.name = "a";
    threshold.rate[1] = NAN;
    assert_int_equal(weir_database_threshold_put(rig->database, &threshold), WEIR_EINVAL);
    threshold.rate[1] = -1;
    assert_int_equal(weir_database_threshold_put(rig->database, &threshold), WEIR_EINVAL);
    threshold.rate[1] = 0;
    threshold.maximum[2] = INFINITY;
    assert_int_equal(weir_database_threshold_put(rig->database, &threshold), WEIR_EINVAL);
}

static int see_audit(void *context, const struct weir_audit *audit)
{
    char *text = context;
    size_t len = strlen(text);

    snprintf(text + len, 200 - len, "%d %s %s;", (int)audit->number, audit->who, audit->detail);
    return 0;
}

static void the_audit_is_listed_newest_first(void **state)
{
    struct database_rig *rig = *state;
    char text[200] = "", detail[WEIR_DATABASE_TEXT_MAX + 2];
    struct weir_audit audit = {.time = NOW, .who = "uid 0", .what = "server add"};

    for (int i = 1; i <= 4; i++) {
        snprintf(detail, sizeof detail, "line %d", i);
        audit.detail = detail;
        assert_int_equal(weir_database_audit_add(rig->database, &audit), 0);
    }
    assert_int_equal(weir_database_audits(
        rig->database, &(struct weir_audit_choice){.most = 2}, see_audit, text), 2);
    assert_int_equal(weir_database_audits(
        rig->database, &(struct weir_audit_choice){.before = 3, .most = 100}, see_audit, text), 2);
    assert_string_equal(text, "4 uid 0 line 4;3 uid 0 line 3;2 uid 0 line 2;1 uid 0 line 1;");
    memset(detail, 'x', sizeof detail);
    detail[WEIR_DATABASE_TEXT_MAX] = '\0';
    assert_int_equal(weir_database_audit_add(rig->database, &audit), 0);
    detail[WEIR_DATABASE_TEXT_MAX] = 'x';
    detail[WEIR_DATABASE_TEXT_MAX + 1] = '\0';
    assert_int_equal(weir_database_audit_add(rig->database, &audit), WEIR_ELIMIT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, database_setup, database_teardown)

static void a_clock_that_was_put_back_saw_nobody_later(void **state)
{
    struct database_rig *rig = *state;
    uint32_t number;

    database_must(rig, weir_database_server_add(rig->database, "mx7", secret, NOW, &number), 0);
    database_must(rig, weir_database_server_seen(rig->database, number, NOW + WEIR_DAY, 0, NULL),
                  0);
    database_must(rig, weir_database_servers_rebase(rig->database, NOW), 1);
    database_must(rig, weir_database_servers_rebase(rig->database, NOW), 0);
    assert_true(database_number(rig, "SELECT last_seen FROM servers") == NOW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(servers_are_added_found_and_revoked),
        TEST(names_have_limits),
        TEST(A13_one_agent_of_a_server_is_let_in),
        TEST(servers_are_listed_with_their_health),
        TEST(thresholds_are_put_replaced_and_removed),
        TEST(limits_that_are_none_are_refused),
        TEST(a_clock_that_was_put_back_saw_nobody_later),
        TEST(the_audit_is_listed_newest_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
