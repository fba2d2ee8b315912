/* accounts, door, database_accounts_io.c, passwords_io.c - names, roles, tokens; what a request's
 * fields say; what the database keeps; and that a password is known again. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/console/door.h"
#include "monitor/console/passwords_io.h"
#include "monitor/database/database_accounts_io.h"
#include "tests/unit/database_rig.h"

#define NOW DATABASE_NOW

static struct weir_slice slice(const char *text)
{
    return (struct weir_slice){text, strlen(text)};
}

static void names_and_roles(void **state)
{
    static const char *const good[] = {"a", "Anna", "anna@example.org", "0-_.",
                                       "12345678901234567890123456789012"};
    static const char *const bad[] = {"", "-a", ".a", "a b", "a\n", "ä", "a/b",
                                      "123456789012345678901234567890123"};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(weir_account_name_fit(slice(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(weir_account_name_fit(slice(bad[i])));
    assert_int_equal(weir_role_of("analyst"), WEIR_ANALYST);
    assert_int_equal(weir_role_of("nobody"), WEIR_NOBODY);
    assert_int_equal(weir_role_of("root"), WEIR_NOBODY);
    assert_true(WEIR_VIEWER < WEIR_ANALYST && WEIR_ANALYST < WEIR_ADMINISTRATOR);
}

static void passwords_have_limits(void **state)
{
    char text[WEIR_PASSWORD_MAX + 2], made[WEIR_PASSWORD_NEW];
    const char *why = "";

    (void)state;
    memset(text, 'x', sizeof text);
    assert_true(weir_password_fit("anna", (struct weir_slice){text, WEIR_PASSWORD_MIN}, &why));
    assert_false(weir_password_fit("anna", (struct weir_slice){text, WEIR_PASSWORD_MIN - 1},
                                   &why));
    assert_true(weir_password_fit("anna", (struct weir_slice){text, WEIR_PASSWORD_MAX}, &why));
    assert_false(weir_password_fit("anna", (struct weir_slice){text, WEIR_PASSWORD_MAX + 1},
                                   &why));
    assert_false(weir_password_fit("anna.example", slice("Anna.Example"), &why));
    assert_false(weir_password_fit("anna", slice("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
                                   &why));
    weir_password_new(made);
    assert_true(weir_password_fit("anna", slice(made), &why));
}

static void tokens_are_known_by_their_hash(void **state)
{
    char one[WEIR_TOKEN_TEXT], other[WEIR_TOKEN_TEXT], csrf[WEIR_TOKEN_TEXT],
        again[WEIR_TOKEN_TEXT];
    uint8_t a[WEIR_TOKEN_HASH], b[WEIR_TOKEN_HASH];

    (void)state;
    weir_token_new(one);
    weir_token_new(other);
    assert_string_not_equal(one, other);
    assert_int_equal(strlen(one), WEIR_TOKEN_TEXT - 1);
    weir_token_hash(one, a);
    weir_token_hash(other, b);
    assert_memory_not_equal(a, b, sizeof a);
    weir_token_csrf(one, csrf);
    weir_token_csrf(one, again);
    assert_string_equal(csrf, again);
    weir_token_csrf(other, again);
    assert_string_not_equal(csrf, again);
    assert_string_not_equal(csrf, one);
    assert_true(weir_token_same(csrf, csrf));
    assert_false(weir_token_same(csrf, again));
    assert_false(weir_token_same(csrf, ""));
}

static void who_is_near_and_no_proxy(void **state)
{
    static const struct {
        const char *from, *url, *forwarded;
        bool near;
    } cases[] = {
        {"127.0.0.1", "", NULL, true},           {"::1", "", NULL, true},
        {"127.255.0.9", "localhost", NULL, true}, {"127.0.0.1", "127.0.0.1", NULL, true},
        {"::1", "::1", NULL, true},              {"127.0.0.1", "desk.example", NULL, false},
        {"127.0.0.1", "192.0.2.1", NULL, false}, {"127.0.0.1", "", "192.0.2.1", false},
        {"127.0.0.1", "", "", false},            {"128.0.0.1", "", NULL, false},
        {"126.255.255.255", "", NULL, false},    {"192.0.2.1", "", NULL, false},
        {"::2", "", NULL, false},                {"::", "", NULL, false},
        {"7f00:1::", "", NULL, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_address from;

        assert_int_equal(weir_address_parse(cases[i].from, strlen(cases[i].from), &from), 0);
        if (weir_door_is_near(&from, cases[i].url, cases[i].forwarded) != cases[i].near)
            fail_msg("%s, %s", cases[i].from, cases[i].url);
    }
}

#define TOKEN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNO-_"

static void cookies_and_tokens_of_fields(void **state)
{
    char text[WEIR_TOKEN_TEXT];

    (void)state;
    assert_true(weir_door_cookie("weir_session=" TOKEN, text));
    assert_string_equal(text, TOKEN);
    assert_true(weir_door_cookie("a=b; weir_session=" TOKEN "; c", text));
    assert_false(weir_door_cookie("weir_session=" TOKEN "; weir_session=" TOKEN, text));
    assert_false(weir_door_cookie("weir_session=" TOKEN "x", text));
    assert_false(weir_door_cookie("xweir_session=" TOKEN, text));
    assert_false(weir_door_cookie("weir_session=\"abc\"", text));
    assert_false(weir_door_cookie("weir_session", text));
    assert_false(weir_door_cookie("", text));
    assert_false(weir_door_cookie(NULL, text));
    assert_true(weir_door_bearer("Bearer " TOKEN, text));
    assert_true(weir_door_bearer("bearer  " TOKEN " ", text));
    assert_false(weir_door_bearer("Basic " TOKEN, text));
    assert_false(weir_door_bearer("Bearer " TOKEN TOKEN, text));
    assert_false(weir_door_bearer(NULL, text));
}

/* the database ----------------------------------------------------------------------------- */

static int64_t add(struct database_rig *rig, const char *name, enum weir_role role)
{
    struct weir_account account = {.role = role, .hash = "hash", .added = NOW, .changed = NOW};
    int64_t number = 0;

    snprintf(account.name, sizeof account.name, "%s", name);
    database_must(rig, weir_database_account_add(rig->database, &account, &number), 0);
    return number;
}

static void accounts_are_kept_and_of_one_name(void **state)
{
    struct database_rig *rig = *state;
    struct weir_account account = {.role = WEIR_VIEWER, .name = "ANNA"};
    uint64_t all, administrators;
    int64_t number = add(rig, "anna", WEIR_ADMINISTRATOR), other;

    assert_int_equal(weir_database_account_add(rig->database, &account, &other), WEIR_EINVAL);
    add(rig, "bert", WEIR_VIEWER);
    database_must(rig, weir_database_account_find(rig->database, "Anna", &account), 1);
    assert_int_equal(account.number, number);
    assert_string_equal(account.name, "anna");
    assert_int_equal(account.role, WEIR_ADMINISTRATOR);
    database_must(rig, weir_database_accounts_count(rig->database, &all, &administrators), 0);
    assert_int_equal(all, 2);
    assert_int_equal(administrators, 1);
    account.disabled = true;
    database_must(rig, weir_database_account_put(rig->database, &account), 0);
    database_must(rig, weir_database_accounts_count(rig->database, &all, &administrators), 0);
    assert_int_equal(administrators, 0);
    database_must(rig, weir_database_account_remove(rig->database, number), 1);
    database_must(rig, weir_database_account_find(rig->database, "anna", &account), 0);
    database_must(rig, weir_database_account_remove(rig->database, number), 0);
}

static void sessions_end_in_time_and_with_the_account(void **state)
{
    struct database_rig *rig = *state;
    const uint8_t hash[WEIR_TOKEN_HASH] = {1}, other[WEIR_TOKEN_HASH] = {2};
    int64_t number = add(rig, "anna", WEIR_ANALYST);
    struct weir_session session;
    weir_time used = NOW + WEIR_SESSION_IDLE - 1;

    database_must(rig, weir_database_session_add(rig->database, number, hash, "::1", NOW), 0);
    database_must(rig, weir_database_session(rig->database, other, NOW, &session), 0);
    database_must(rig, weir_database_session(rig->database, hash, used, &session), 1);
    assert_string_equal(session.account.name, "anna");
    assert_int_equal(session.account.role, WEIR_ANALYST);
    database_must(rig, weir_database_session(rig->database, hash, used + 1, &session), 0);
    database_must(rig, weir_database_session_used(rig->database, hash, used), 1);
    database_must(rig, weir_database_session(rig->database, hash, used + 1, &session), 1);
    database_must(rig, weir_database_session_used(rig->database, hash, NOW + WEIR_SESSION_WHOLE),
                  1);
    database_must(rig, weir_database_session(rig->database, hash, NOW + WEIR_SESSION_WHOLE - 1,
                                             &session), 1);
    database_must(rig, weir_database_session(rig->database, hash, NOW + WEIR_SESSION_WHOLE,
                                             &session), 0);
    session.account.disabled = true;
    database_must(rig, weir_database_account_put(rig->database, &session.account), 0);
    database_must(rig, weir_database_session(rig->database, hash, NOW + 1, &session), 0);
    database_must(rig, weir_database_sessions_forget(rig->database, NOW + WEIR_SESSION_WHOLE), 1);
}

static void sessions_of_one_account_are_bounded_and_can_be_ended_but_one(void **state)
{
    struct database_rig *rig = *state;
    int64_t number = add(rig, "anna", WEIR_VIEWER), bert = add(rig, "bert", WEIR_VIEWER);
    struct weir_session session;
    uint8_t hash[WEIR_TOKEN_HASH] = {0};

    hash[31] = 9;
    database_must(rig, weir_database_session_add(rig->database, bert, hash, "", NOW), 0);
    hash[31] = 0;
    for (uint8_t i = 0; i <= WEIR_SESSIONS_MAX; i++) {
        hash[0] = i;
        database_must(rig, weir_database_session_add(rig->database, number, hash, "", NOW + i), 0);
    }
    hash[0] = 0;
    database_must(rig, weir_database_session(rig->database, hash, NOW + 1, &session), 0);
    hash[0] = 1;
    database_must(rig, weir_database_session(rig->database, hash, NOW + 1, &session), 1);
    database_must(rig, weir_database_sessions_end(rig->database, number, hash),
                  WEIR_SESSIONS_MAX - 1);
    database_must(rig, weir_database_session(rig->database, hash, NOW + 1, &session), 1);
    database_must(rig, weir_database_session_end(rig->database, hash), 1);
    database_must(rig, weir_database_session(rig->database, hash, NOW + 1, &session), 0);
    database_must(rig, weir_database_session_end(rig->database, hash), 0);
    assert_int_equal(database_number(rig, "SELECT count(*) FROM sessions"), 1);
}

static int note_name(void *context, const struct weir_token *token)
{
    size_t len = strlen(context);

    snprintf((char *)context + len, 200 - len, " %s:%s", token->name, token->who);
    return 0;
}

static void tokens_end_and_are_removed(void **state)
{
    struct database_rig *rig = *state;
    const uint8_t hash[WEIR_TOKEN_HASH] = {1}, other[WEIR_TOKEN_HASH] = {2};
    struct weir_token token = {.name = "prom", .role = WEIR_VIEWER, .added = NOW,
                               .ends = NOW + WEIR_DAY, .who = "uid 0"}, found;
    char names[200] = "";

    database_must(rig, weir_database_token_add(rig->database, &token, hash), 0);
    assert_int_equal(weir_database_token_add(rig->database, &token, other), WEIR_EINVAL);
    database_must(rig, weir_database_token(rig->database, other, NOW, &found), 0);
    database_must(rig, weir_database_token(rig->database, hash, NOW + WEIR_DAY - 1, &found), 1);
    assert_string_equal(found.name, "prom");
    database_must(rig, weir_database_token(rig->database, hash, NOW + WEIR_DAY, &found), 0);
    database_must(rig, weir_database_token_used(rig->database, found.number, NOW), 1);
    database_must(rig, weir_database_token_remove(rig->database, "prom", note_name, names), 1);
    assert_string_equal(names, " prom:uid 0");
    database_must(rig, weir_database_token_remove(rig->database, "prom", note_name, names), 0);
}

static void add_token(struct database_rig *rig, const char *name, const char *who)
{
    uint8_t hash[WEIR_TOKEN_HASH] = {0};
    struct weir_token token = {.role = WEIR_ADMINISTRATOR, .added = NOW, .who = who};

    memcpy(hash, name, strlen(name));
    snprintf(token.name, sizeof token.name, "%s", name);
    database_must(rig, weir_database_token_add(rig->database, &token, hash), 0);
}

static void what_a_token_made_is_its_owners_and_ends_with_it(void **state)
{
    struct database_rig *rig = *state;
    struct weir_account anna = {.name = "anna", .role = WEIR_ANALYST, .added = NOW, .changed = NOW};
    uint8_t hash[WEIR_TOKEN_HASH] = "two";
    char names[200] = "";
    struct weir_token found;
    int64_t number;

    database_must(rig, weir_database_account_add(rig->database, &anna, &number), 0);
    add_token(rig, "one", "user anna");
    add_token(rig, "two", "user anna by token one");
    add_token(rig, "three", "user anna by token two");
    add_token(rig, "one.more", "user anna by token some_one");
    add_token(rig, "other", "uid 0 by token one.more");
    database_must(rig, weir_database_token(rig->database, hash, NOW, &found), 1);
    assert_string_equal(found.owner, "user anna");
    assert_int_equal(found.role, WEIR_ANALYST);
    database_must(rig, weir_database_token_remove(rig->database, "TWO", note_name, names), 2);
    assert_non_null(strstr(names, " two:user anna by token one"));
    assert_non_null(strstr(names, " three:user anna by token two"));
    database_must(rig, weir_database_account_remove(rig->database, number), 1);
    names[0] = '\0';
    database_must(rig, weir_database_tokens(rig->database, note_name, names), 1);
    assert_string_equal(names, " other:uid 0 by token one.more");
}

static void a_password_is_known_again_and_nothing_else(void **state)
{
    struct weir_passwords *passwords = NULL;
    char hash[WEIR_PASSWORD_HASH], again[WEIR_PASSWORD_HASH];

    (void)state;
    assert_int_equal(weir_passwords_new(&passwords), 0);
    assert_int_equal(weir_passwords_hash(passwords, slice("correct horse"), hash), 0);
    assert_int_equal(weir_passwords_hash(passwords, slice("correct horse"), again), 0);
    assert_string_not_equal(hash, again);
    assert_memory_equal(hash, "$argon2id$", 10);
    assert_true(weir_passwords_fit(passwords, hash, slice("correct horse")));
    assert_false(weir_passwords_fit(passwords, hash, slice("correct horsf")));
    assert_false(weir_passwords_fit(passwords, "", slice("correct horse")));
    assert_false(weir_passwords_fit(passwords, "", slice("")));
    assert_false(weir_passwords_fit(passwords, "nonsense", slice("correct horse")));
    weir_passwords_free(&passwords);
    weir_passwords_free(&passwords);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_roles),
        cmocka_unit_test(passwords_have_limits),
        cmocka_unit_test(tokens_are_known_by_their_hash),
        cmocka_unit_test(cookies_and_tokens_of_fields),
        cmocka_unit_test(who_is_near_and_no_proxy),
        cmocka_unit_test_setup_teardown(accounts_are_kept_and_of_one_name, database_setup,
                                        database_teardown),
        cmocka_unit_test_setup_teardown(sessions_end_in_time_and_with_the_account, database_setup,
                                        database_teardown),
        cmocka_unit_test_setup_teardown(
            sessions_of_one_account_are_bounded_and_can_be_ended_but_one, database_setup,
            database_teardown),
        cmocka_unit_test_setup_teardown(tokens_end_and_are_removed, database_setup,
                                        database_teardown),
        cmocka_unit_test_setup_teardown(what_a_token_made_is_its_owners_and_ends_with_it,
                                        database_setup, database_teardown),
        cmocka_unit_test(a_password_is_known_again_and_nothing_else),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
