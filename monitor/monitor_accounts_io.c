/*
 * accounts - verbs and logins; what is asked about tokens is in monitor_tokens_io.c.
 *
 * A password is hashed, or compared, without the lock; the account is then read again with it, so
 * that what changed meanwhile holds.
 */
#include "monitor/monitor_accounts_io.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/line.h"
#include "core/base/replace_io.h"
#include "core/base/slice.h"
#include "monitor/console/held_sessions.h"
#include "monitor/console/passwords_io.h"
#include "monitor/database/database_accounts_io.h"
#include "monitor/database/database_audit_io.h"
#include "monitor/monitor_verbs_impl.h"

#define DETAIL 160

int weir_accounts_open(struct weir_monitor *monitor)
{
    monitor->held_sessions = weir_held_sessions_new();
    return monitor->held_sessions ? weir_passwords_new(&monitor->passwords) : WEIR_ENOMEM;
}

void weir_accounts_close(struct weir_monitor *monitor)
{
    weir_passwords_free(&monitor->passwords);
    weir_held_sessions_free(&monitor->held_sessions);
}

/* verbs: people ---------------------------------------------------------------------- */

enum weir_role weir_verb_role(const struct weir_question *question)
{
    const json_t *role = json_object_get(question->json, "role");

    return role ? weir_role_of(weir_verb_text(question, "role")) : WEIR_VIEWER;
}

static json_t *add_user(struct weir_question *question)
{
    struct weir_database *database = question->monitor->database;
    struct weir_account account = {.added = question->now, .changed = question->now};
    char password[WEIR_PASSWORD_NEW], detail[DETAIL];
    int64_t number;
    int done;

    if (!weir_account_name_fit(weir_slice_of(weir_verb_text(question, "name"))))
        return weir_verb_refuse(question, "that is no name: letters, digits, '-', '_', '.', '@', "
                                "32 at most");
    account.role = weir_verb_role(question);
    if (account.role == WEIR_NOBODY)
        return weir_verb_refuse(question, "role is not one of viewer, analyst, administrator");
    snprintf(account.name, sizeof account.name, "%s", weir_verb_text(question, "name"));
    weir_password_new(password);
    if (weir_passwords_hash(question->monitor->passwords, weir_slice_of(password),
                            account.hash) < 0)
        return weir_verb_short(question);
    snprintf(detail, sizeof detail, "%s: %s", account.name, weir_role_name(account.role));
    pthread_mutex_lock(&question->monitor->lock);
    done = weir_database_begin(database);
    if (done == 0)
        done = weir_database_account_add(database, &account, &number);
    done = weir_verb_end(question, done, true, "user add", detail);
    if (done < 0 && done != WEIR_EINVAL)
        (void)weir_verb_trouble(question);
    pthread_mutex_unlock(&question->monitor->lock);
    if (done == WEIR_EINVAL)
        return weir_verb_refuse(question, "there is a user of this name already");
    return done < 0 ? NULL
                    : json_pack("{s:s, s:s, s:s}", "name", account.name, "role",
                                weir_role_name(account.role), "password", password);
}

/* The account of a question; with the lock.  0; or -1, refused. */
static int account_of(struct weir_question *question, struct weir_account *account_r)
{
    int found = weir_database_account_find(question->monitor->database,
                                           weir_verb_text(question, "name"), account_r);

    if (found == 0)
        (void)weir_verb_unknown(question, "there is no such user");
    if (found < 0)
        (void)weir_verb_trouble(question);
    return found == 1 ? 0 : -1;
}

/* Whether nobody else could change accounts any more. */
static bool is_last(struct weir_question *question, const struct weir_account *account)
{
    uint64_t all = 0, administrators = 0;

    if (account->role != WEIR_ADMINISTRATOR || account->disabled)
        return false;
    return weir_database_accounts_count(question->monitor->database, &all, &administrators) < 0 ||
           administrators < 2;
}

static json_t *new_password(struct weir_question *question)
{
    struct weir_monitor *monitor = question->monitor;
    char password[WEIR_PASSWORD_NEW], hash[WEIR_PASSWORD_HASH];
    struct weir_account account;
    json_t *json = NULL;
    int done;

    weir_password_new(password);
    if (weir_passwords_hash(monitor->passwords, weir_slice_of(password), hash) < 0)
        return weir_verb_short(question);
    pthread_mutex_lock(&monitor->lock);
    if (account_of(question, &account) == 0) {
        memcpy(account.hash, hash, sizeof account.hash);
        account.changed = question->now;
        done = weir_database_begin(monitor->database);
        if (done == 0)
            done = weir_database_account_put(monitor->database, &account);
        if (done == 0)
            done = weir_database_sessions_end(monitor->database, account.number, NULL);
        done = weir_verb_end(question, done, true, "user password", account.name);
        json = done < 0 ? weir_verb_trouble(question)
                        : json_pack("{s:s, s:s, s:s}", "name", account.name, "role",
                                    weir_role_name(account.role), "password", password);
    }
    pthread_mutex_unlock(&monitor->lock);
    return json;
}

static json_t *put_user(struct weir_question *question, const struct weir_account *account,
                        const struct weir_account *before, const char *detail)
{
    struct weir_database *database = question->monitor->database;
    bool changed = account->role != before->role || account->disabled != before->disabled;
    int done = weir_database_begin(database);

    if (done == 0)
        done = weir_database_account_put(database, account);
    if (done == 0 && account->disabled)
        done = weir_database_sessions_end(database, account->number, NULL);
    if (weir_verb_end(question, done, changed, "user set", detail) < 0)
        return weir_verb_trouble(question);
    return json_pack("{s:s, s:s, s:b}", "name", account->name, "role",
                     weir_role_name(account->role), "disabled", account->disabled);
}

static json_t *set_user(struct weir_question *question)
{
    const json_t *disabled = json_object_get(question->json, "disabled");
    struct weir_account account, before;
    char detail[DETAIL];

    if (account_of(question, &before) < 0)
        return NULL;
    account = before;
    if (json_object_get(question->json, "role"))
        account.role = weir_verb_role(question);
    if (account.role == WEIR_NOBODY)
        return weir_verb_refuse(question, "role is not one of viewer, analyst, administrator");
    if (disabled && !json_is_boolean(disabled))
        return weir_verb_refuse(question, "disabled is neither true nor false");
    account.disabled = disabled ? json_is_true(disabled) : before.disabled;
    if ((account.disabled || account.role != WEIR_ADMINISTRATOR) && is_last(question, &before))
        return weir_verb_refuse(question, "this is the last administrator");
    snprintf(detail, sizeof detail, "%s: %s%s, was %s%s", account.name,
             weir_role_name(account.role), account.disabled ? ", disabled" : "",
             weir_role_name(before.role), before.disabled ? ", disabled" : "");
    return put_user(question, &account, &before, detail);
}

struct made {
    char who[WEIR_ACCOUNT_NAME_MAX + 8];
    json_t *tokens;
    struct weir_line *line;
};

static int note_made(void *context, const struct weir_token *token)
{
    struct made *made = context;

    if (strcmp(token->owner, made->who) != 0)
        return 0;
    weir_line_text(made->line, json_array_size(made->tokens) == 0 ? "; its tokens end: " : ", ");
    weir_line_text(made->line, token->name);
    return json_array_append_new(made->tokens, json_string(token->name)) < 0 ? WEIR_ENOMEM : 0;
}

/* What is said of somebody who goes, and the tokens that go with him. */
static int describe(struct weir_database *database, const struct weir_account *account,
                    json_t *tokens, char detail[static WEIR_DATABASE_TEXT_MAX + 1])
{
    struct weir_line line = weir_line(detail, WEIR_DATABASE_TEXT_MAX + 1);
    struct made made = {.tokens = tokens, .line = &line};
    int done;

    snprintf(made.who, sizeof made.who, "user %s", account->name);
    weir_line_text(&line, account->name);
    weir_line_text(&line, ": was ");
    weir_line_text(&line, weir_role_name(account->role));
    weir_line_text(&line, account->disabled ? ", disabled" : "");
    done = weir_database_tokens(database, note_made, &made);
    (void)weir_line_end(&line);
    return done < 0 ? done : 0;
}

static json_t *remove_user(struct weir_question *question)
{
    struct weir_database *database = question->monitor->database;
    struct weir_account account;
    char detail[WEIR_DATABASE_TEXT_MAX + 1];
    json_t *tokens;
    int done;

    if (account_of(question, &account) < 0)
        return NULL;
    if (is_last(question, &account))
        return weir_verb_refuse(question, "this is the last administrator");
    tokens = json_array();
    done = weir_database_begin(database);
    if (done == 0)
        done = describe(database, &account, tokens, detail);
    if (done == 0)
        done = weir_database_account_remove(database, account.number);
    if (weir_verb_end(question, done, true, "user remove", detail) < 0) {
        json_decref(tokens);
        return weir_verb_trouble(question);
    }
    return json_pack("{s:s, s:b, s:o}", "name", account.name, "removed", 1, "tokens", tokens);
}

static const struct {
    const char *name;
    json_t *(*run)(struct weir_question *question);
    bool locks;                 /* itself, for a while */
} verbs[] = {
    {"user add", add_user, true},       {"user password", new_password, true},
    {"user set", set_user, false},      {"user remove", remove_user, false},
    {"token add", weir_verb_token_add, false},
    {"token remove", weir_verb_token_remove, false},
};

bool weir_accounts_is_asked(const char *verb)
{
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(verb, verbs[i].name) == 0)
            return true;
    return false;
}

json_t *weir_accounts_answer(struct weir_question *question)
{
    const char *name = weir_verb_text(question, "do");
    json_t *json = NULL;

    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(name, verbs[i].name) != 0)
            continue;
        if (!verbs[i].locks)
            pthread_mutex_lock(&question->monitor->lock);
        json = verbs[i].run(question);
        if (!verbs[i].locks)
            pthread_mutex_unlock(&question->monitor->lock);
    }
    return json;
}

/* logins ------------------------------------------------------------------------------ */

/* Ends a change of these functions; with the lock, which is given back. */
static int end_change(struct weir_monitor *monitor, int done, const struct weir_audit *line)
{
    if (done >= 0 && line) {
        int written = weir_database_audit_add(monitor->database, line);
        done = written < 0 ? written : done;
    }
    if (done < 0)
        weir_database_abandon(monitor->database);
    else if (weir_database_commit(monitor->database) < 0)
        done = weir_database_trouble(monitor->database);
    if (done < 0)
        weir_log(&monitor->shared_log, WEIR_LOG_ERROR, "accounts: %s",
                 weir_database_why(monitor->database));
    pthread_mutex_unlock(&monitor->lock);
    return done;
}

static int begin_change(struct weir_monitor *monitor)
{
    pthread_mutex_lock(&monitor->lock);
    return weir_database_begin(monitor->database);
}

static struct weir_audit line_of(char who[static DETAIL], const char *name, const char *what,
                                 const char *detail, weir_time now)
{
    snprintf(who, DETAIL, "user %s", name);
    return (struct weir_audit){.time = now, .who = who, .what = what, .detail = detail};
}

int weir_accounts_first(struct weir_monitor *monitor, weir_time now,
                        char password_r[static WEIR_PASSWORD_NEW])
{
    struct weir_account account = {
        .name = WEIR_FIRST_ACCOUNT, .role = WEIR_ADMINISTRATOR, .added = now, .changed = now};
    const struct weir_audit line = {
        .time = now, .who = "monitor", .what = "user add",
        .detail = WEIR_FIRST_ACCOUNT ": administrator"};
    uint64_t all = 0, administrators;
    int64_t number;
    int done;

    pthread_mutex_lock(&monitor->lock);
    done = weir_database_accounts_count(monitor->database, &all, &administrators);
    pthread_mutex_unlock(&monitor->lock);
    if (done < 0 || all > 0)
        return done;
    weir_password_new(password_r);
    done = weir_passwords_hash(monitor->passwords, weir_slice_of(password_r), account.hash);
    if (done < 0)
        return done;
    done = begin_change(monitor);
    if (done == 0)
        done = weir_database_account_add(monitor->database, &account, &number);
    done = end_change(monitor, done, &line);
    return done < 0 ? done : 1;
}

/* The account of a name and password that go together: 1, 0, or an error. */
static int check(struct weir_monitor *monitor, const char *name, struct weir_slice password,
                 struct weir_account *account_r)
{
    int found;
    bool fit;

    *account_r = (struct weir_account){.number = 0};
    pthread_mutex_lock(&monitor->lock);
    found = weir_database_account_find(monitor->database, name, account_r);
    pthread_mutex_unlock(&monitor->lock);
    if (found < 0)
        return found;
    fit = weir_passwords_fit(monitor->passwords, account_r->disabled ? "" : account_r->hash,
                             password);
    return fit;
}

static void forget_first(struct weir_monitor *monitor)
{
    char path[WEIR_PATH_MAX];

    pthread_mutex_lock(&monitor->lock); /* the configuration may be read again */
    snprintf(path, sizeof path, "%s/" WEIR_FIRST_PASSWORD, monitor->config.state_directory);
    pthread_mutex_unlock(&monitor->lock);
    if (unlink(path) == 0)
        weir_log(&monitor->shared_log, WEIR_LOG_INFO, "%s is removed", path);
}

/* Who has logged in while that cannot be written: the session holds as long as the monitor runs. */
static int hold_session(struct weir_monitor *monitor, const struct weir_account *account,
                        const uint8_t hash[static WEIR_TOKEN_HASH], weir_time now)
{
    weir_held_sessions_add(monitor->held_sessions, hash, account, now);
    weir_log(&monitor->shared_log, WEIR_LOG_WARNING, "console: %s is logged in until the monitor "
             "ends, since that cannot be stored", account->name);
    return 1;
}

int weir_accounts_session(struct weir_monitor *monitor, struct weir_database *database,
                          const uint8_t hash[static WEIR_TOKEN_HASH], weir_time now, bool uses,
                          struct weir_session *session_r)
{
    struct weir_session held = {.used = now};
    int found = weir_database_session(database, hash, now, session_r);

    if (found != 0 || !weir_held_sessions_find(monitor->held_sessions, hash, now, uses,
                                               &held.account, &held.started))
        return found;
    *session_r = held;
    found = weir_database_account_find(database, held.account.name, &session_r->account);
    return found < 0 ? found : found == 1 && !session_r->account.disabled &&
                               session_r->account.number == held.account.number &&
                               session_r->account.changed <= held.started;
}

int weir_accounts_login(struct weir_monitor *monitor, const char *name,
                        struct weir_slice password, const char *address, weir_time now,
                        struct weir_account *account_r, char session_r[static WEIR_TOKEN_TEXT])
{
    char who[DETAIL], hash_then[WEIR_PASSWORD_HASH];
    struct weir_audit line;
    uint8_t hash[WEIR_TOKEN_HASH];
    int done = check(monitor, name, password, account_r);
    const struct weir_account checked = *account_r;

    if (done != 1)
        return done;
    memcpy(hash_then, account_r->hash, sizeof hash_then);
    weir_token_new(session_r);
    weir_token_hash(session_r, hash);
    done = begin_change(monitor);
    if (done == 0)
        done = weir_database_account_find(monitor->database, name, account_r);
    if (done == 1 && (account_r->disabled || strcmp(account_r->hash, hash_then) != 0))
        done = 0; /* meanwhile */
    line = line_of(who, account_r->name, "login", address, now);
    if (done < 0) {
        *account_r = checked;
        return weir_error_passes(end_change(monitor, done, NULL))
                   ? hold_session(monitor, account_r, hash, now) : done;
    }
    if (done == 0)
        return end_change(monitor, done, NULL);
    account_r->last_login = now;
    done = weir_database_account_put(monitor->database, account_r);
    if (done == 0)
        done = weir_database_sessions_forget(monitor->database, now);
    if (done >= 0)
        done = weir_database_session_add(monitor->database, account_r->number, hash, address, now);
    done = end_change(monitor, done, &line);
    if (weir_error_passes(done))
        return hold_session(monitor, account_r, hash, now);
    if (done >= 0 && strcmp(account_r->name, WEIR_FIRST_ACCOUNT) == 0)
        forget_first(monitor);
    return done < 0 ? done : 1;
}

int weir_accounts_login_failed(struct weir_monitor *monitor, const char *detail, weir_time now)
{
    const struct weir_audit line = {
        .time = now, .who = "somebody", .what = "login failed", .detail = detail};

    return end_change(monitor, begin_change(monitor), &line);
}

int weir_accounts_logout(struct weir_monitor *monitor, const char *session, const char *name,
                         weir_time now)
{
    char who[DETAIL];
    const struct weir_audit line = line_of(who, name, "logout", "", now);
    uint8_t hash[WEIR_TOKEN_HASH];
    bool held;
    int done;

    weir_token_hash(session, hash);
    held = weir_held_sessions_end(monitor->held_sessions, hash);
    done = begin_change(monitor);
    if (done == 0)
        done = weir_database_session_end(monitor->database, hash);
    done = end_change(monitor, done, &line);
    return held ? 0 : done;
}

int weir_accounts_used(struct weir_monitor *monitor, const char *session, int64_t token,
                       weir_time now)
{
    uint8_t hash[WEIR_TOKEN_HASH];
    int done = begin_change(monitor);

    if (done == 0 && session) {
        weir_token_hash(session, hash);
        done = weir_database_session_used(monitor->database, hash, now);
    } else if (done == 0) {
        done = weir_database_token_used(monitor->database, token, now);
    }
    return end_change(monitor, done, NULL);
}

int weir_accounts_own_password(struct weir_monitor *monitor, const char *name, const char *session,
                               struct weir_slice old, struct weir_slice password, weir_time now)
{
    char who[DETAIL], hash[WEIR_PASSWORD_HASH], before[WEIR_PASSWORD_HASH];
    const struct weir_audit line = line_of(who, name, "user password", name, now);
    uint8_t own[WEIR_TOKEN_HASH];
    struct weir_account account;
    int done = check(monitor, name, old, &account);

    if (done != 1)
        return done;
    memcpy(before, account.hash, sizeof before);
    done = weir_passwords_hash(monitor->passwords, password, hash);
    if (done < 0)
        return done;
    weir_token_hash(session, own);
    done = begin_change(monitor);
    if (done == 0)
        done = weir_database_account_find(monitor->database, name, &account);
    if (done == 1 && strcmp(account.hash, before) != 0)
        done = 0; /* meanwhile */
    if (done != 1)
        return end_change(monitor, done, NULL);
    memcpy(account.hash, hash, sizeof account.hash);
    account.changed = now;
    done = weir_database_account_put(monitor->database, &account);
    if (done >= 0)
        done = weir_database_sessions_end(monitor->database, account.number, own);
    done = end_change(monitor, done, &line);
    return done < 0 ? done : 1;
}
