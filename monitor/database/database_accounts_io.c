/*
 * The tables of accounts, sessions and tokens: some rows each, looked up by hash or name.
 */
#include "monitor/database/database_accounts_io.h"

#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/database/database_impl.h"

#define ACCOUNT "accounts.number, accounts.name, accounts.role, accounts.hash, accounts.added, " \
    "accounts.changed, accounts.last_login, accounts.disabled"

#define MAKER "user " /* and a name: who made a token at the console */

#define OWNER "substr(tokens.who, 1, instr(tokens.who || '" WEIR_TOKEN_BY "', '" WEIR_TOKEN_BY \
    "') - 1)"
#define TOKEN "tokens.number, tokens.name, tokens.role, tokens.added, tokens.ends, tokens.used, " \
    OWNER

/* accounts ------------------------------------------------------------------------- */

static void read_account(struct weir_query *query, struct weir_account *account_r)
{
    *account_r = (struct weir_account){.number = weir_column_number(query)};
    snprintf(account_r->name, sizeof account_r->name, "%s", weir_column_text(query));
    account_r->role = weir_role_of(weir_column_text(query));
    snprintf(account_r->hash, sizeof account_r->hash, "%s", weir_column_text(query));
    account_r->added = weir_column_number(query);
    account_r->changed = weir_column_number(query);
    account_r->last_login = weir_column_number(query);
    account_r->disabled = weir_column_number(query) != 0;
}

int weir_database_account_add(struct weir_database *database, const struct weir_account *account,
                              int64_t *number_r)
{
    struct weir_query q = weir_query(database, "INSERT INTO accounts (name, role, hash, added, "
                                     "changed, disabled) VALUES (?, ?, ?, ?, ?, ?) "
                                     "RETURNING number");

    if (!weir_account_name_fit((struct weir_slice){account->name, strlen(account->name)}) ||
        account->role == WEIR_NOBODY)
        return weir_database_fail(database, WEIR_EINVAL, "no account");
    weir_bind_text(&q, account->name);
    weir_bind_text(&q, weir_role_name(account->role));
    weir_bind_text(&q, account->hash);
    weir_bind_number(&q, account->added);
    weir_bind_number(&q, account->changed);
    weir_bind_number(&q, account->disabled);
    if (weir_query_row(&q) == 1)
        *number_r = weir_column_number(&q);
    return weir_query_end(&q);
}

int weir_database_account_find(struct weir_database *database, const char *name,
                               struct weir_account *account_r)
{
    struct weir_query q = weir_query(database, "SELECT " ACCOUNT " FROM accounts WHERE name = ?");
    int found, rc;

    weir_bind_text(&q, name);
    found = weir_query_row(&q);
    if (found == 1)
        read_account(&q, account_r);
    rc = weir_query_end(&q);
    return rc < 0 ? rc : found;
}

int weir_database_account_put(struct weir_database *database, const struct weir_account *account)
{
    struct weir_query q = weir_query(database, "UPDATE accounts SET role = ?, hash = ?, "
                                     "changed = ?, last_login = ?, disabled = ? WHERE number = ?");

    weir_bind_text(&q, weir_role_name(account->role));
    weir_bind_text(&q, account->hash);
    weir_bind_number(&q, account->changed);
    weir_bind_number(&q, account->last_login);
    weir_bind_number(&q, account->disabled);
    weir_bind_number(&q, account->number);
    return weir_query_run(&q);
}

int weir_database_account_remove(struct weir_database *database, int64_t number)
{
    struct weir_query q;
    bool own;
    int rc = weir_change_begin(database, &own);

    if (rc < 0)
        return rc;
    rc = weir_database_sessions_end(database, number, NULL);
    if (rc >= 0) {
        q = weir_query(database, "DELETE FROM tokens WHERE " OWNER " = (SELECT '" MAKER "' || name "
                       "FROM accounts WHERE number = ?)");
        weir_bind_number(&q, number);
        rc = weir_query_change(&q);
    }
    if (rc >= 0) {
        q = weir_query(database, "DELETE FROM accounts WHERE number = ?");
        weir_bind_number(&q, number);
        rc = weir_query_change(&q);
    }
    return weir_change_end(database, own, rc);
}

int weir_database_accounts(struct weir_database *database,
                           int (*row)(void *context, const struct weir_account *account),
                           void *context)
{
    struct weir_query q = weir_query(database, "SELECT " ACCOUNT " FROM accounts ORDER BY name");
    int calls = 0, stop = 0;

    while (stop == 0 && weir_query_row(&q) == 1) {
        struct weir_account account;

        read_account(&q, &account);
        stop = row(context, &account);
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}

int weir_database_accounts_count(struct weir_database *database, uint64_t *all_r,
                                 uint64_t *administrators_r)
{
    struct weir_query q = weir_query(database, "SELECT count(*), coalesce(sum(disabled = 0 AND "
                                     "role = 'administrator'), 0) FROM accounts");

    if (weir_query_row(&q) == 1) {
        *all_r = (uint64_t)weir_column_number(&q);
        *administrators_r = (uint64_t)weir_column_number(&q);
    }
    return weir_query_end(&q);
}

/* sessions ------------------------------------------------------------------------- */

static int end_oldest(struct weir_database *database, int64_t account)
{
    struct weir_query q = weir_query(database, "DELETE FROM sessions WHERE account = ?1 AND hash "
        "NOT IN (SELECT hash FROM sessions WHERE account = ?1 ORDER BY used DESC LIMIT ?2)");

    weir_bind_number(&q, account);
    weir_bind_number(&q, WEIR_SESSIONS_MAX);
    return weir_query_run(&q);
}

int weir_database_session_add(struct weir_database *database, int64_t account,
                              const uint8_t hash[static WEIR_TOKEN_HASH], const char *address,
                              weir_time now)
{
    struct weir_query q;
    bool own;
    int rc = weir_change_begin(database, &own);

    if (rc < 0)
        return rc;
    q = weir_query(database, "INSERT INTO sessions (hash, account, started, used, address) "
                   "VALUES (?, ?, ?, ?, ?)");
    weir_bind_octets(&q, hash, WEIR_TOKEN_HASH);
    weir_bind_number(&q, account);
    weir_bind_number(&q, now);
    weir_bind_number(&q, now);
    weir_bind_text(&q, address);
    rc = weir_query_run(&q);
    return weir_change_end(database, own, rc < 0 ? rc : end_oldest(database, account));
}

int weir_database_session(struct weir_database *database,
                          const uint8_t hash[static WEIR_TOKEN_HASH], weir_time now,
                          struct weir_session *session_r)
{
    struct weir_query q = weir_query(database, "SELECT " ACCOUNT ", started, used, address "
        "FROM sessions JOIN accounts ON account = number "
        "WHERE sessions.hash = ? AND started > ? AND used > ? AND disabled = 0");
    int found, rc;

    weir_bind_octets(&q, hash, WEIR_TOKEN_HASH);
    weir_bind_number(&q, now - WEIR_SESSION_WHOLE);
    weir_bind_number(&q, now - WEIR_SESSION_IDLE);
    found = weir_query_row(&q);
    if (found == 1) {
        read_account(&q, &session_r->account);
        session_r->started = weir_column_number(&q);
        session_r->used = weir_column_number(&q);
        snprintf(session_r->address, sizeof session_r->address, "%s", weir_column_text(&q));
    }
    rc = weir_query_end(&q);
    return rc < 0 ? rc : found;
}

int weir_database_session_used(struct weir_database *database,
                               const uint8_t hash[static WEIR_TOKEN_HASH], weir_time now)
{
    struct weir_query q = weir_query(database, "UPDATE sessions SET used = ? WHERE hash = ?");

    weir_bind_number(&q, now);
    weir_bind_octets(&q, hash, WEIR_TOKEN_HASH);
    return weir_query_change(&q);
}

int weir_database_session_end(struct weir_database *database,
                              const uint8_t hash[static WEIR_TOKEN_HASH])
{
    struct weir_query q = weir_query(database, "DELETE FROM sessions WHERE hash = ?");

    weir_bind_octets(&q, hash, WEIR_TOKEN_HASH);
    return weir_query_change(&q);
}

int weir_database_sessions_end(struct weir_database *database, int64_t account,
                               const uint8_t *but)
{
    struct weir_query q = weir_query(database, "DELETE FROM sessions WHERE account = ? AND "
                                     "hash <> ?");

    weir_bind_number(&q, account);
    weir_bind_octets(&q, but ? but : (const uint8_t *)"", but ? WEIR_TOKEN_HASH : 0);
    return weir_query_change(&q);
}

int weir_database_sessions_forget(struct weir_database *database, weir_time now)
{
    struct weir_query q = weir_query(database, "DELETE FROM sessions WHERE started <= ? OR "
                                     "used <= ?");

    weir_bind_number(&q, now - WEIR_SESSION_WHOLE);
    weir_bind_number(&q, now - WEIR_SESSION_IDLE);
    return weir_query_change(&q);
}

/* tokens ----------------------------------------------------------------------------- */

int weir_database_token_add(struct weir_database *database, const struct weir_token *token,
                            const uint8_t hash[static WEIR_TOKEN_HASH])
{
    struct weir_query q = weir_query(database, "INSERT INTO tokens (name, hash, role, added, ends, "
                                     "who) VALUES (?, ?, ?, ?, ?, ?)");

    if (!weir_account_name_fit((struct weir_slice){token->name, strlen(token->name)}) ||
        token->role == WEIR_NOBODY)
        return weir_database_fail(database, WEIR_EINVAL, "no token");
    weir_bind_text(&q, token->name);
    weir_bind_octets(&q, hash, WEIR_TOKEN_HASH);
    weir_bind_text(&q, weir_role_name(token->role));
    weir_bind_number(&q, token->added);
    weir_bind_number(&q, token->ends);
    weir_bind_text(&q, token->who);
    return weir_query_run(&q);
}

static void read_token(struct weir_query *query, struct weir_token *token_r)
{
    *token_r = (struct weir_token){.number = weir_column_number(query)};
    snprintf(token_r->name, sizeof token_r->name, "%s", weir_column_text(query));
    token_r->role = weir_role_of(weir_column_text(query));
    token_r->added = weir_column_number(query);
    token_r->ends = weir_column_number(query);
    token_r->used = weir_column_number(query);
    snprintf(token_r->owner, sizeof token_r->owner, "%s", weir_column_text(query));
}

int weir_database_token(struct weir_database *database,
                        const uint8_t hash[static WEIR_TOKEN_HASH], weir_time now,
                        struct weir_token *token_r)
{
    struct weir_query q = weir_query(database,
        "SELECT " TOKEN ", coalesce(accounts.role, tokens.role) FROM tokens LEFT JOIN accounts "
        "ON " OWNER " = '" MAKER "' || accounts.name WHERE tokens.hash = ? "
        "AND (ends = 0 OR ends > ?) AND (tokens.who NOT GLOB '" MAKER "*' OR disabled = 0)");
    enum weir_role maker;
    int found, rc;

    weir_bind_octets(&q, hash, WEIR_TOKEN_HASH);
    weir_bind_number(&q, now);
    found = weir_query_row(&q);
    if (found == 1) {
        read_token(&q, token_r);
        maker = weir_role_of(weir_column_text(&q));
        token_r->role = maker < token_r->role ? maker : token_r->role;
    }
    rc = weir_query_end(&q);
    return rc < 0 ? rc : found;
}

int weir_database_token_used(struct weir_database *database, int64_t number, weir_time now)
{
    struct weir_query q = weir_query(database, "UPDATE tokens SET used = ? WHERE number = ?");

    weir_bind_number(&q, now);
    weir_bind_number(&q, number);
    return weir_query_change(&q);
}

/* Those of a query, each told. */
static int tell_tokens(struct weir_query *query,
                       int (*row)(void *context, const struct weir_token *token), void *context)
{
    int calls = 0, stop = 0;

    while (stop == 0 && weir_query_row(query) == 1) {
        struct weir_token token;

        read_token(query, &token);
        token.who = weir_column_text(query);
        stop = row(context, &token);
        calls++;
    }
    return weir_query_told(query, stop, calls);
}

/* A name has no character that GLOB knows. */
int weir_database_token_remove(struct weir_database *database, const char *name,
                               int (*row)(void *context, const struct weir_token *token),
                               void *context)
{
    struct weir_query q = weir_query(database,
        "WITH RECURSIVE gone (name) AS (SELECT name FROM tokens WHERE name = ? UNION "
        "SELECT tokens.name FROM tokens, gone WHERE tokens.who GLOB '*token ' || gone.name) "
        "DELETE FROM tokens WHERE name IN gone RETURNING " TOKEN ", who");

    weir_bind_text(&q, name);
    return tell_tokens(&q, row, context);
}

int weir_database_tokens(struct weir_database *database,
                         int (*row)(void *context, const struct weir_token *token), void *context)
{
    struct weir_query q = weir_query(database, "SELECT " TOKEN ", who FROM tokens ORDER BY name");

    return tell_tokens(&q, row, context);
}
