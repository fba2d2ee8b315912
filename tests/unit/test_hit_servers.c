/*
 * hit_servers - accounts by rule and server against a plain table of all of them, and at the limit.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "core/base/limits.h"
#include "monitor/analyzer/hit_servers.h"
#include "tests/unit/seeded.h"

enum { RULES = 40, SERVERS = 30 };

static struct weir_hit_servers *servers_new(void)
{
    const struct weir_hash_key key = {{1, 2, 3}};
    struct weir_hit_servers *servers = NULL;

    assert_int_equal(weir_hit_servers_new(&key, &servers), 0);
    return servers;
}

/* Ids far apart, and the one that stands for all messages. */
static uint32_t id_of(unsigned rule)
{
    return rule == 0 ? WEIR_HIT_SERVERS_ALL : rule * 0x01000193u;
}

/* Whether the accounts are those of the table, none missing and none twice. */
static void check(const struct weir_hit_servers *servers, double model[RULES][SERVERS])
{
    const struct weir_hit_server *row;
    double left[RULES][SERVERS];
    size_t rows = 0;

    memcpy(left, model, sizeof left);
    for (; (row = weir_hit_servers_get(servers, rows)) != NULL; rows++) {
        unsigned rule = 0;

        while (rule < RULES && id_of(rule) != row->rule)
            rule++;
        assert_true(rule < RULES && row->server < SERVERS);
        assert_true(left[rule][row->server] == row->decayed.spam);
        left[rule][row->server] = 0;
    }
    for (size_t i = 0; i < RULES * SERVERS; i++)
        assert_true(left[i / SERVERS][i % SERVERS] == 0);
}

static void every_rule_and_server_has_its_own_account_whatever_their_order(void **state)
{
    struct seeded s = seeded_new(__func__);
    struct weir_hit_servers *servers = servers_new();
    double model[RULES][SERVERS] = {{0}};
    uint32_t hint[RULES] = {0};
    (void)state;
    for (int i = 0; i < 20000; i++) {
        unsigned rule = seeded_below(&s, RULES), server = seeded_below(&s, SERVERS);
        struct weir_hit_server *found;

        assert_int_equal(weir_hit_servers_room(servers, 1), 0);
        found = weir_hit_servers_find(servers, id_of(rule), server, &hint[rule]);
        assert_true((found != NULL) == (model[rule][server] > 0));
        weir_hit_servers_of(servers, id_of(rule), server, &hint[rule])->decayed.spam += 2;
        model[rule][server] += 2;
    }
    check(servers, model);
    weir_hit_servers_renew(servers, hint[7]);
    memset(model[7], 0, sizeof model[7]);
    weir_hit_servers_renew(servers, 0);
    check(servers, model);
    weir_hit_servers_scale(servers, 0.5);
    for (size_t i = 0; i < RULES * SERVERS; i++)
        model[i / SERVERS][i % SERVERS] /= 2;
    check(servers, model);
    weir_hit_servers_free(&servers);
    assert_null(servers);
    weir_hit_servers_free(&servers);
}

static struct weir_hit_server *account(struct weir_hit_servers *servers, uint32_t rule,
                                       uint32_t server, uint32_t *hint)
{
    assert_int_equal(weir_hit_servers_room(servers, 1), 0);
    return weir_hit_servers_of(servers, rule, server, hint);
}

static void WEIR_HIT_SERVERS_MAX_accounts_are_kept_and_the_rest_is_as_one_server(void **state)
{
    struct weir_hit_servers *servers = servers_new();
    uint32_t hint = 0, other = 0;
    (void)state;
    for (uint32_t i = 1; i < WEIR_HIT_SERVERS_MAX; i++)
        assert_int_equal(account(servers, 1, i, &hint)->server, i);
    assert_int_equal(account(servers, 2, 1, &other)->server, 1); /* the last there is room for */
    assert_int_equal(account(servers, 2, 2, &other)->server, WEIR_HIT_SERVERS_REST);
    assert_ptr_equal(account(servers, 2, 3, &other), account(servers, 2, 2, &other));
    assert_int_equal(account(servers, 2, 1, &other)->server, 1);
    assert_int_equal(account(servers, 1, 17, &hint)->server, 17);
    assert_int_equal(account(servers, 1, WEIR_HIT_SERVERS_MAX, &hint)->server,
                     WEIR_HIT_SERVERS_REST);
    assert_non_null(weir_hit_servers_get(servers, WEIR_HIT_SERVERS_MAX + 1));
    assert_null(weir_hit_servers_get(servers, WEIR_HIT_SERVERS_MAX + 2));
    weir_hit_servers_free(&servers);
}

/* As after a restart, where the rest comes first. */
static void the_rest_takes_no_room_from_accounts(void **state)
{
    struct weir_hit_servers *servers = servers_new();
    uint32_t hint = 0;
    (void)state;
    assert_int_equal(account(servers, 1, WEIR_HIT_SERVERS_REST, &hint)->server,
                     WEIR_HIT_SERVERS_REST);
    for (uint32_t i = 1; i <= WEIR_HIT_SERVERS_MAX; i++)
        assert_int_equal(account(servers, 1, i, &hint)->server, i);
    assert_int_equal(account(servers, 1, WEIR_HIT_SERVERS_MAX + 1, &hint)->server,
                     WEIR_HIT_SERVERS_REST);
    weir_hit_servers_free(&servers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_and_server_has_its_own_account_whatever_their_order),
        cmocka_unit_test(WEIR_HIT_SERVERS_MAX_accounts_are_kept_and_the_rest_is_as_one_server),
        cmocka_unit_test(the_rest_takes_no_room_from_accounts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
