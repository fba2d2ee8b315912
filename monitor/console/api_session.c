/*
 * api_session - login, logout, and one's own password.
 *
 * How long is to be waited is looked at before a password is, and a try that fails is noted at
 * once, so that many tries at the same time count, too.
 */
#include <string.h>

#include "core/base/limits.h"
#include "core/base/slice.h"
#include "monitor/console/api_impl.h"
#include "monitor/console/console_impl.h"
#include "monitor/console/login_failures.h"
#include "monitor/database/database_accounts_io.h"
#include "monitor/database/database_thresholds_io.h"
#include "monitor/monitor_accounts_io.h"
#include "monitor/threshold/silencing.h"

#define WRONG "name and password do not go together"

/* From the least to the most. */
static json_t *roles(void)
{
    json_t *list = json_array();

    for (enum weir_role role = WEIR_VIEWER; role <= WEIR_ADMINISTRATOR; role++)
        json_array_append_new(list, json_string(weir_role_name(role)));
    return list;
}

/* Which kinds of alerts somebody is told of. */
static json_t *kinds(void)
{
    json_t *list = json_array();

    for (size_t i = 0; weir_alert_kind(i); i++)
        json_array_append_new(list, json_string(weir_alert_kind(i)));
    return list;
}

/* What forms have to know: characters. */
static json_t *limits(void)
{
    return json_pack("{s:i, s:i, s:i, s:i, s:i}", "account_name", WEIR_ACCOUNT_NAME_MAX,
                     "password_least", WEIR_PASSWORD_MIN, "password_most", WEIR_PASSWORD_MAX,
                     "threshold_name", WEIR_THRESHOLD_NAME_MAX, "reason", WEIR_REASON_MAX);
}

static json_t *tell(const struct weir_api_question *question)
{
    char csrf[WEIR_TOKEN_TEXT] = "";

    if (question->session[0])
        weir_token_csrf(question->session, csrf);
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "name", question->account.name,
                     "role", weir_role_name(question->account.role), "csrf", csrf, "version",
                     WEIR_VERSION, "started", weir_view_time(question->started), "roles", roles(),
                     "alert_kinds", kinds(), "limits", limits());
}

/* Whether one may try now; it then counts as failed, until it succeeds. */
static bool may_try(struct weir_api_question *question, const struct weir_login_try *one)
{
    struct weir_console *console = question->console;
    weir_time now = weir_clock_now(&console->steady), wait;

    pthread_mutex_lock(&console->lock);
    wait = weir_login_limit_wait(console->limit, one, now);
    if (wait == 0)
        weir_login_limit_failed(console->limit, one, now);
    else
        weir_login_failures_refused(console->failures, &one->address, one->name, now);
    pthread_mutex_unlock(&console->lock);
    if (wait == 0)
        return true;
    question->retry = (unsigned)((wait + WEIR_SECOND - 1) / WEIR_SECOND);
    (void)weir_api_refuse(question, 429, "too many tries failed: wait, then try again");
    return false;
}

/* For the log, and within a second for the audit; question->account: of that name, if there is
 * one. */
static void failed(struct weir_api_question *question, const struct weir_login_try *one,
                   const char *from)
{
    struct weir_console *console = question->console;

    weir_log(console->log, WEIR_LOG_WARNING, "console: login as %s from %s failed", one->name,
             from);
    pthread_mutex_lock(&console->lock);
    weir_login_failures_note(console->failures, &one->address,
                             question->account.number > 0 ? question->account.name : NULL,
                             weir_clock_now(&console->steady), question->now);
    pthread_mutex_unlock(&console->lock);
}

static void succeeded(struct weir_api_question *question, const struct weir_login_try *one)
{
    struct weir_console *console = question->console;

    pthread_mutex_lock(&console->lock);
    weir_login_limit_succeeded(console->limit, one, weir_clock_now(&console->steady));
    pthread_mutex_unlock(&console->lock);
}

/* The device's number, when it has logged in as this name before. */
static uint64_t device_of(struct weir_api_question *question, const char *name)
{
    struct weir_account account;
    uint64_t device = 0;

    if (question->device[0] && weir_database_account_find(question->database, name, &account) == 1)
        device = weir_device_read(&account, question->device);
    return device;
}

json_t *weir_api_login(struct weir_api_question *question)
{
    const struct weir_console *console = question->console;
    char from[WEIR_ADDRESS_TEXT];
    struct weir_login_try one = {.address = question->from};
    const char *name, *password;
    int done;

    if (!weir_api_text(question, "name", &name) || !weir_api_text(question, "password", &password))
        return NULL;
    if (!weir_account_name_fit(weir_slice_of(name)) || strlen(password) > WEIR_PASSWORD_MAX)
        return weir_api_refuse(question, 401, WRONG);
    one.name = name;
    one.device = device_of(question, name);
    if (!may_try(question, &one))
        return NULL;
    weir_address_format(&question->from, from);
    done = weir_accounts_login(question->monitor, name, weir_slice_of(password), from,
                               question->now, &question->account, question->session);
    if (done < 0)
        return weir_api_refuse(question, 500, "the login could not be stored");
    if (done == 0) {
        failed(question, &one, from);
        return weir_api_refuse(question, 401, WRONG);
    }
    succeeded(question, &one);
    if (one.device == 0)
        weir_device_new(&question->account, question->device);
    question->started = question->now;
    weir_log(console->log, WEIR_LOG_INFO, "console: %s logged in from %s",
             question->account.name, from);
    return tell(question);
}

json_t *weir_api_logout(struct weir_api_question *question)
{
    if (question->token)
        return weir_api_refuse(question, 400, "a token has no session");
    if (weir_accounts_logout(question->monitor, question->session, question->account.name,
                             question->now) < 0)
        return weir_api_refuse(question, 503, "the session could not be ended: the database cannot "
                               "be written now");
    question->session[0] = '\0';
    return json_pack("{s:b}", "ended", 1);
}

json_t *weir_api_me(struct weir_api_question *question)
{
    return tell(question);
}

json_t *weir_api_my_password(struct weir_api_question *question)
{
    struct weir_login_try one = {.address = question->from, .name = question->account.name};
    uint8_t session[WEIR_TOKEN_HASH];
    const char *old, *password, *why = "";
    int done;

    if (question->token)
        return weir_api_refuse(question, 400, "a token has no password");
    if (!weir_api_text(question, "old", &old) || !weir_api_text(question, "new", &password))
        return NULL;
    if (!weir_password_fit(question->account.name, weir_slice_of(password), &why))
        return weir_api_refuse(question, 400, why);
    if (strlen(old) > WEIR_PASSWORD_MAX)
        return weir_api_refuse(question, 403, "that is not your password");
    weir_token_hash(question->session, session);
    memcpy(&one.device, session, sizeof one.device); /* the session's own budget */
    if (!may_try(question, &one))
        return NULL;
    done = weir_accounts_own_password(question->monitor, question->account.name,
                                      question->session, weir_slice_of(old),
                                      weir_slice_of(password), question->now);
    if (done < 0)
        return weir_api_refuse(question, 500, "the password could not be stored");
    if (done == 0)
        return weir_api_refuse(question, 403, "that is not your password");
    succeeded(question, &one);
    return json_pack("{s:b}", "changed", 1);
}
