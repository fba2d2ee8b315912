/*
 * console_door - who asks: a session by its cookie, or a program by its token.
 *
 * Both are looked up by their hash, in the database, at each question: an account that is disabled,
 * a role that was changed, a session that was ended hold at once.  That one was used is noted every
 * few minutes only.
 */
#include <stdio.h>
#include <string.h>

#include "monitor/console/console_impl.h"
#include "monitor/database/database_accounts_io.h"
#include "monitor/monitor_accounts_io.h"

#define NOTE_EVERY (5 * WEIR_MINUTE)

static int refuse(struct weir_api_question *question, int status, const char *why)
{
    (void)weir_api_refuse(question, (unsigned)status, why);
    return status;
}

static int by_token(struct weir_console *console, const char *text,
                    struct weir_api_question *question)
{
    uint8_t hash[WEIR_TOKEN_HASH];
    struct weir_token token;
    int found;

    weir_token_hash(text, hash);
    found = weir_database_token(question->database, hash, question->now, &token);
    if (found < 0)
        return (void)weir_api_trouble(question, found), 500;
    if (found == 0)
        return refuse(question, 401, "there is no such token, or it has ended");
    question->token = true;
    question->account.role = token.role;
    memcpy(question->account.name, token.name, sizeof token.name);
    if (question->now - token.used > NOTE_EVERY)
        (void)weir_accounts_used(console->monitor, NULL, token.number, question->now);
    return 0;
}

static int by_session(struct weir_console *console, const char *text,
                      struct weir_api_question *question)
{
    uint8_t hash[WEIR_TOKEN_HASH];
    struct weir_session session;
    int found;

    weir_token_hash(text, hash);
    found = weir_accounts_session(console->monitor, question->database, hash, question->now,
                                  &session);
    if (found < 0)
        return (void)weir_api_trouble(question, found), 500;
    if (found == 0)
        return refuse(question, 401, "the session is over: log in again");
    question->account = session.account;
    question->started = session.started;
    memcpy(question->session, text, WEIR_TOKEN_TEXT);
    if (question->now - session.used > NOTE_EVERY)
        (void)weir_accounts_used(console->monitor, text, 0, question->now);
    return 0;
}

/* Whether what changes something comes from a page of ours. */
static bool is_ours(const struct weir_asked *asked, const char *session)
{
    char csrf[WEIR_TOKEN_TEXT];

    weir_token_csrf(session, csrf);
    return strcmp(asked->request.method, "GET") == 0 || weir_token_same(csrf, asked->csrf);
}

int weir_console_identify(struct weir_console *console, struct weir_asked *asked,
                          struct weir_api_question *question)
{
    enum weir_role least = question->route->least;
    char text[WEIR_TOKEN_TEXT];
    int status;

    if (least == WEIR_NOBODY)
        return 0;
    if (asked->near && !asked->authorization[0]) {
        question->account.role = WEIR_VIEWER;
        (void)weir_door_cookie(asked->cookie, question->session); /* it stays as it is */
        return 0;
    }
    if (asked->authorization[0]) {
        if (!weir_door_bearer(asked->authorization, text))
            return refuse(question, 401, "that is no token: Authorization: Bearer TOKEN");
        status = by_token(console, text, question);
    } else if (weir_door_cookie(asked->cookie, text)) {
        status = by_session(console, text, question);
    } else {
        return refuse(question, 401, "log in first");
    }
    if (status != 0)
        return status;
    if (!question->token && !is_ours(asked, text))
        return refuse(question, 403, "the field Weir-Csrf is missing, or another session's");
    if (question->account.role < least) {
        snprintf(question->why, sizeof question->why, "this needs the role %s",
                 weir_role_name(least));
        question->code = 403;
        return 403;
    }
    return 0;
}
